//! Checks: asked at the run's target, by the same ways as every look there, and recorded with what was seen.
//!
//! The intent is the event that says that a check was begun; only then is anything asked. What is asked are words that a fixed program
//! (`checking/check.sh`) is given. Only the text of a command is code: the side file's own, which may only read; the
//! values of parameters are variables of its shell. What comes back is judged in [`domain::check`], and masked before it is stored.

use std::time::Duration;

use domain::RunId;
use domain::check::{self, CheckEnd, CheckId, Heard, PlanCheck};
use domain::policy::Operator;
use domain::run::{CheckRecord, Command, Refusal, Run, Who};
use domain::runbook::Check;
use engine::{Probe, ProbeError};

use crate::attempts::Pauses;
use crate::gate::Decided;
use crate::people::random_hex;
use crate::probing::{harmless, sentence};
use crate::{Error, Portal};

/// The program that answers, behind what every such program begins with.
const CHECK: &str = concat!(include_str!("probing/first.sh"), include_str!("checking/check.sh"));

/// An answer is recorded so long before a check counts as lost.
const MARGIN_MS: u64 = 5_000;

/// A log is looked at so many times within its window.
const LOOKS: u32 = 20;

/// The pauses between two looks at a log.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A container whose own health check has not answered yet is looked at for so long, and so often.
const STARTING: Duration = Duration::from_mins(1);
const STARTING_PAUSE: Duration = Duration::from_secs(2);

impl Portal {
    /// Asks for one check, or, without one, for all of the expected outcome. What comes of them is recorded as it comes.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], and what the gate refuses.
    pub async fn ask_for_checks(
        &self,
        operator: Operator<'_>,
        run: RunId,
        check: Option<CheckId>,
    ) -> Result<(), Error> {
        let who = Who::Person(operator.actor().clone());
        let checks = match check {
            Some(check) => vec![check],
            None => self.run_to_change(&who, run).await?.plan.outcome_checks().collect(),
        };
        let decided = self.decide(run, &Command::StartChecks { checks }, &who).await?;
        self.begin_checks(&decided);
        Ok(())
    }

    /// Somebody wants to close a run as reached: what was not checked since the last step is checked now. Gives what they are told.
    pub(crate) async fn check_before_the_end(&self, run: RunId, who: &Who, refused: Error) -> Error {
        let checks = match self.run_to_change(who, run).await {
            Ok(state) => state.unanswered_checks(self.now()),
            Err(error) => return error,
        };
        if checks.is_empty() {
            return refused;
        }
        match self.decide(run, &Command::StartChecks { checks }, who).await {
            Ok(decided) => {
                self.begin_checks(&decided);
                Refusal::BeingChecked(decided.checks_begun().count()).into()
            }
            Err(error) => error,
        }
    }

    /// Asks, in the background, what was just recorded that it would be asked.
    pub(crate) fn begin_checks(&self, decided: &Decided) {
        for number in decided.checks_begun() {
            let (portal, run) = (self.clone(), decided.run.clone());
            self.tasks().spawn(async move {
                tokio::select! {
                    () = portal.check_to_end(&run, number) => {}
                    () = portal.closing() => tracing::debug!(run.id = run.id.0, "let go of a check"),
                }
            });
        }
    }

    async fn check_to_end(&self, run: &Run, number: u32) {
        let Some(record) = run.check(number) else { return };
        let left = Duration::from_millis(record.until.since(self.now()).saturating_sub(MARGIN_MS));
        let answer = tokio::time::timeout(left, Box::pin(self.answer(run, record))).await;
        let end = answer.unwrap_or_else(|_| CheckEnd::unknown("The look was given up: no answer came in time."));
        let noted = Command::EndCheck { number, end };
        let mut pauses = Pauses::new();
        while let Err(error) = self.decide(run.id, &noted, &Who::Portal).await {
            tracing::warn!(error = &error as &dyn std::error::Error, run.id = run.id.0, "a check is not recorded");
            if !error.is_of_the_store() {
                return;
            }
            pauses.pause().await;
        }
    }

    async fn answer(&self, run: &Run, record: &CheckRecord) -> CheckEnd {
        let Some(plan) = run.plan.check(record.check) else {
            return CheckEnd::unknown("The plan of the run has no such check.");
        };
        let secrets = match self.secrets_to_mask(run).await {
            Ok(secrets) => secrets,
            Err(error) => return CheckEnd::unknown(error.sentence()),
        };
        let directory = record.check.step.map_or(&*run.directory, |step| run.directory_of(step));
        let end = self.asked(run, plan, directory).await.unwrap_or_else(|why| why);
        CheckEnd { sentence: engine::masked(&end.sentence, secrets), ..end }
    }

    /// What came of a check; an error is what kept it from being asked.
    async fn asked(&self, run: &Run, plan: &PlanCheck, directory: &str) -> Result<CheckEnd, CheckEnd> {
        if let Some(why) = &plan.blocked {
            return Err(CheckEnd::unknown(format!("{}: nothing was asked.", why.trim_end_matches('.'))));
        }
        let missing: Vec<String> =
            plan.parameters().filter(|name| !run.values.contains_key(*name)).map(str::to_owned).collect();
        if !missing.is_empty() {
            let labels = run.plan.labels(&missing).join(", ");
            return Err(CheckEnd::unknown(format!("There is no value yet for {labels}: nothing was asked.")));
        }
        let filled = plan.filled(&run.values).map_err(CheckEnd::unknown)?;
        Ok(match &filled {
            Check::Http { url, expect } => check::http(url, *expect, &self.hear(run, words(&["http", url])).await?),
            Check::Promql { url, query } => {
                let address = check::query_url(url, query);
                check::promql(url, query, &self.hear(run, words(&["get", &address])).await?)
            }
            Check::Container { container } => {
                let heard = self.started(run, container).await?;
                check::container(container, &heard, self.now())
            }
            Check::Certificate { host, days } => {
                let (name, port) = host.rsplit_once(':').unwrap_or((host.as_str(), "443"));
                let place = format!("{name}:{port}");
                let heard = self.hear(run, words(&["certificate", &place, name])).await?;
                check::certificate(&place, *days, &heard, self.now())
            }
            Check::Command { run: script, expect } => {
                check::command(script, *expect, &plan.pipeline, &self.hear_command(run, plan, directory).await?)
            }
            Check::Log { pattern, window_ms, .. } => {
                let log = (plan, directory);
                self.watched(run, log, pattern, Duration::from_millis(*window_ms)).await?
            }
        })
    }

    /// Looks at a container, again while its own health check has not answered yet: after a restart that takes a while.
    async fn started(&self, run: &Run, container: &str) -> Result<Heard, CheckEnd> {
        let begun = tokio::time::Instant::now();
        loop {
            let heard = self.hear(run, words(&["container", container])).await?;
            if !check::is_starting(&heard) || begun.elapsed() >= STARTING {
                return Ok(heard);
            }
            tokio::time::sleep(STARTING_PAUSE).await;
        }
    }

    /// Looks at a log again and again, from now on and for the whole window.
    async fn watched(
        &self,
        run: &Run,
        log: (&PlanCheck, &str),
        pattern: &str,
        window: Duration,
    ) -> Result<CheckEnd, CheckEnd> {
        let begun = tokio::time::Instant::now();
        let pause = (window / LOOKS).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        let mut before = self.matches(run, log, pattern).await?;
        loop {
            let left = window.saturating_sub(begun.elapsed());
            if left.is_zero() {
                let window = check::window(u64::try_from(window.as_millis()).unwrap_or(u64::MAX));
                return Ok(CheckEnd::yes(format!("No new line of the log matched {pattern} for {window}.")));
            }
            tokio::time::sleep(left.min(pause)).await;
            let now = self.matches(run, log, pattern).await?;
            if let Some(line) = check::new_line(&before, &now) {
                return Ok(CheckEnd::no(format!("A new line of the log matches {pattern}: {}", line.trim())));
            }
            before = now;
        }
    }

    /// The lines of a log that match.
    async fn matches(
        &self,
        run: &Run,
        (plan, directory): (&PlanCheck, &str),
        pattern: &str,
    ) -> Result<Vec<String>, CheckEnd> {
        let heard = self.hear_command(run, plan, directory).await?;
        if let Some(unreadable) = check::unreadable_log(&plan.pipeline, &heard) {
            return Err(unreadable);
        }
        let Heard::Ended { lines, .. } = heard else { return Ok(Vec::new()) };
        Ok(runbook::side_file::matching(pattern, &lines))
    }

    /// Runs the command of a check in the directory of the run, or of the step that it follows, by the shell of its target.
    async fn hear_command(&self, run: &Run, plan: &PlanCheck, directory: &str) -> Result<Heard, CheckEnd> {
        let values = plan.parameters().filter_map(|name| run.values.get_key_value(name));
        let variables: Vec<(String, String)> = values.map(|(name, value)| (name.clone(), value.clone())).collect();
        // A word that stands in no output.
        let mark = format!("portal-{}-", random_hex());
        let script = plan.script.as_deref().unwrap_or_default();
        let mut question = words(&["command", directory, &mark]);
        question.extend(shell(&run.plan.target.interpreter, script, &mark));
        let heard = self.hear_with(run, &variables, question).await?;
        Ok(unmarked(heard, &mark))
    }

    async fn hear(&self, run: &Run, question: Vec<String>) -> Result<Heard, CheckEnd> {
        self.hear_with(run, &[], question).await
    }

    /// Asks the target of a run.
    async fn hear_with(
        &self,
        run: &Run,
        variables: &[(String, String)],
        question: Vec<String>,
    ) -> Result<Heard, CheckEnd> {
        let target = &run.plan.target;
        let _place = self.probes().place().await;
        let all = target.environment.iter().chain(variables);
        let given: Vec<String> = all.map(|(name, value)| format!("{name}={value}")).collect();
        let count = given.len().to_string();
        let arguments = std::iter::once(count).chain(given).chain(question).collect();
        let probed = match self.engine().probe(&target.reach, &Probe { script: CHECK, arguments }).await {
            Ok(probed) => probed,
            Err(ProbeError::TimedOut) => return Ok(Heard::Late),
            Err(error) => {
                let why = sentence(&error.to_string());
                return Err(CheckEnd::unknown(format!("The target {} could not be asked: {why}", target.name)));
            }
        };
        heard(&String::from_utf8_lossy(&probed.output)).ok_or_else(|| {
            let errors = harmless(&String::from_utf8_lossy(&probed.errors));
            let why = errors.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing");
            CheckEnd::unknown(format!("The target {} gave no answer: {}.", target.name, why.trim_end_matches('.')))
        })
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A shell with the text of a command. bash says how each member of the last pipeline ended, as it does in a step.
fn shell(interpreter: &[String], script: &str, mark: &str) -> Vec<String> {
    let program = interpreter.first().map_or("sh", String::as_str);
    let text = if program.rsplit('/').next() == Some("bash") {
        format!(
            "{script}\nportal_end=(\"$?\" \"${{PIPESTATUS[@]}}\")\nprintf '\\n%s %s\\n' '{mark}s' \"${{portal_end[*]}}\"\nexit \"${{portal_end[0]}}\""
        )
    } else {
        script.to_owned()
    };
    let own = if interpreter.is_empty() { vec![program.to_owned()] } else { interpreter.to_vec() };
    own.into_iter().chain(["-c".to_owned(), text]).collect()
}

/// What the program says; `None` when it says nothing.
fn heard(output: &str) -> Option<Heard> {
    let mut lines = output.lines();
    let answer = lines.find_map(|line| line.strip_prefix('='))?;
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    let code = match word {
        "late" => return Some(Heard::Late),
        "nowhere" => return Some(Heard::Nowhere),
        "without" => return Some(Heard::Without(rest.to_owned())),
        "ended" => rest.parse().ok()?,
        _ => return None,
    };
    let (mut printed, mut whole) = (Vec::new(), false);
    for line in lines {
        match line.strip_prefix('+') {
            Some(text) => printed.push(harmless(text)),
            None if line == "=end" => {
                whole = true;
                // A logout may have something to say as well.
                break;
            }
            None => {}
        }
    }
    Some(if whole { Heard::Ended { code, statuses: Vec::new(), lines: printed } } else { Heard::TooMuch })
}

/// Takes out of what a command printed how it ended.
fn unmarked(heard: Heard, mark: &str) -> Heard {
    let printed = match heard {
        Heard::Ended { lines, .. } => lines,
        other => return other,
    };
    let numbers = |kind: char| -> Option<Vec<i32>> {
        let opening = format!("{mark}{kind} ");
        let line = printed.iter().rev().find_map(|line| line.strip_prefix(&opening))?;
        Some(line.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect())
    };
    let Some(code) = numbers('c').and_then(|codes| codes.first().copied()) else { return Heard::TooMuch };
    // The first of these is the code of the whole.
    let statuses = numbers('s').map(|all| all.into_iter().skip(1).collect()).unwrap_or_default();
    let mut lines: Vec<String> = printed.iter().filter(|line| !line.starts_with(mark)).cloned().collect();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    Heard::Ended { code, statuses, lines }
}

#[cfg(test)]
mod tests;
