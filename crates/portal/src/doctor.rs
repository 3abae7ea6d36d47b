//! What an administrator has to know about a target before a runbook is run there: one line for each thing, in words to act on.
//!
//! It needs no data folder and no running portal: it looks, as the portal itself would look, and records nothing.

use std::collections::HashMap;
use std::path::PathBuf;

use domain::health::Concern;
use domain::plan::{Plan, PlanTarget};
use domain::runbook::{Document, Finding, Level, Procedure};
use domain::target::Reach;
use domain::{Timestamp, time};
use engine::{Engine, MasterKey};

use crate::TargetSettings;
use crate::evidence::elsewhere::space;
use crate::looking::health::Inquiry;
use crate::planning::{self, Ground};
use crate::probing::{self, Answer, Answers, Question, Said, Silence};

/// A clock that is off by more than that makes ages wrong that people decide by.
const CLOCK_OFF_SECONDS: i64 = 30;

/// With less than that free an output of usual size may not fit: 256 MiB.
const LITTLE_SPACE: u64 = 256 << 20;

/// How a line of a check-up stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// As it has to be.
    Good,
    /// It may be meant so; something will not work when it is not.
    Note,
    /// Nothing, or not everything, can run there until somebody has done something.
    Bad,
}

/// What was found about one target, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkup {
    /// The target's name.
    pub target: String,
    /// Where it is.
    pub place: String,
    /// Sentences.
    pub lines: Vec<(Health, String)>,
}

impl Checkup {
    /// Whether runs can work there.
    pub fn is_fit(&self) -> bool {
        self.lines.iter().all(|(health, _)| *health != Health::Bad)
    }
}

/// Looks at targets.
pub struct Doctor {
    engine: Engine,
    /// Where connections are kept while it looks; it goes away with it.
    _folder: tempfile::TempDir,
}

impl std::fmt::Debug for Doctor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doctor").finish_non_exhaustive()
    }
}

impl Doctor {
    /// With the binary that is the way into containers.
    ///
    /// # Errors
    ///
    /// When there is no place for a temporary folder.
    pub fn new(own: PathBuf) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let engine = Engine::new(folder.path().join("runs"), own, MasterKey::new([0; 32]))?;
        Ok(Self { engine, _folder: folder })
    }

    /// Looks at one target; `now` is the portal's own time.
    pub async fn examine(&self, target: &TargetSettings, now: Timestamp) -> Checkup {
        let questions = questions(target);
        let answers = probing::ask(&self.engine, &target.plan, &questions).await;
        let lines = lines(target, &answers, now);
        Checkup { target: target.plan.name.clone(), place: target.plan.reach.to_string(), lines }
    }

    /// What is known against the procedures of a document beyond what its text says: retired software that they call, and what is not
    /// there at their targets. Each is looked at on the target of this name, or without one on the first that it may use; one that may
    /// not use it is left out.
    pub async fn look(&self, document: &Document, targets: &[TargetSettings], named: Option<&str>) -> Vec<Finding> {
        let mut silent: HashMap<&str, Silence> = HashMap::new();
        let mut findings = Vec::new();
        for procedure in &document.procedures {
            let allowed = &procedure.settings.targets;
            let mut usable =
                targets.iter().filter(|target| allowed.is_empty() || allowed.contains(&target.plan.name)).peekable();
            if usable.peek().is_none() {
                findings.push(no_target(procedure));
            }
            let Some(target) = usable.find(|target| named.is_none_or(|name| name == target.plan.name)) else {
                continue;
            };
            let name = target.plan.name.as_str();
            let plan = plan_at(document, procedure, target);
            let inquiry = Inquiry::of(procedure, &plan);
            // One that was away a moment ago is not waited for again and again.
            let there = match silent.get(name) {
                Some(silence) => Err(silence.clone()),
                None => probing::ask(&self.engine, &target.plan, &inquiry.questions()).await,
            };
            let services = inquiry.service_questions();
            let of_compose = match &there {
                Ok(_) if services.is_empty() => Ok(Vec::new()),
                Ok(_) => probing::ask(&self.engine, &target.plan, &services).await,
                Err(silence) => {
                    silent.insert(name, silence.clone());
                    Err(silence.clone())
                }
            };
            let found = inquiry.found(&there, &of_compose);
            let calls = procedure.retired.iter().filter(|call| !found.settled.contains(&call.code));
            findings.extend(calls.filter(|call| !is_said(document, call)).cloned());
            findings.extend(found.concerns.into_iter().map(|concern| told_at(concern, procedure, name)));
        }
        findings
    }
}

fn plan_at(document: &Document, procedure: &Procedure, target: &TargetSettings) -> Plan {
    let ground = Ground { document, target: &target.plan, directory: &target.directory, lowerings: &[] };
    planning::plan(procedure, ground)
}

/// Whether lint says it at that line already.
fn is_said(document: &Document, finding: &Finding) -> bool {
    document.findings.iter().any(|said| said.line == finding.line && said.code == finding.code)
}

fn no_target(procedure: &Procedure) -> Finding {
    let allowed = procedure.settings.targets.join(", ");
    let message = format!(
        "Nobody can look: the configuration has none of the targets that the side file allows ({allowed}); add one there, or correct the side file."
    );
    Finding {
        line: procedure.line,
        level: Level::Error,
        code: "no-target".to_owned(),
        message,
        procedure: Some(procedure.slug.clone()),
        file: None,
    }
}

/// A concern as lint tells it, with the target at which it was seen.
fn told_at(concern: Concern, procedure: &Procedure, target: &str) -> Finding {
    let Concern { level, code, line, message, .. } = concern;
    let message = format!("{} (at {target}).", message.trim_end_matches('.'));
    Finding { line, level, code, message, procedure: Some(procedure.slug.clone()), file: None }
}

/// What is asked, in the order in which [`lines`] reads the answers.
fn questions(target: &TargetSettings) -> Vec<Question> {
    let shell = target.plan.interpreter.first().cloned().unwrap_or_default();
    vec![
        Question::Run("id", "-un"),
        Question::Home,
        Question::Tool(shell),
        Question::Tool("script".to_owned()),
        Question::Writable,
        Question::Directory(target.directory.clone()),
        Question::Run("date", "+%s"),
        Question::Space("/tmp".to_owned()),
        Question::Containers,
        Question::Run("docker", "compose"),
        Question::Run("docker-compose", "version"),
        Question::Logind,
    ]
}

fn lines(target: &TargetSettings, answers: &Answers, now: Timestamp) -> Vec<(Health, String)> {
    let answers = match answers {
        Ok(answers) => answers,
        Err(silence) => return vec![(Health::Bad, format!("{silence} Nothing else about it is known."))],
    };
    let [user, home, shell, script, writable, directory, clock, space, docker, plugin, hyphen, logind] =
        answers.as_slice()
    else {
        return vec![(Health::Bad, "The target gave no answers.".to_owned())];
    };
    let local = target.plan.reach.is_local();
    let mut lines = vec![reached(user), shell_line(&target.plan, shell)];
    if !local {
        lines.extend([terminal(script), folder(writable), clock_line(clock, now)]);
        lines.extend(home_line(&target.plan, home));
    }
    if matches!(target.plan.reach, Reach::Ssh(_)) {
        lines.extend(logind_line(first(user), logind));
    }
    lines.push(directory_line(&target.directory, directory));
    lines.extend(space_line(space));
    // In a container nobody speaks with the engine that it runs in.
    if !matches!(target.plan.reach, Reach::Container(_)) {
        lines.push(docker_line(docker));
        lines.push(compose_line(plugin, hyphen));
    }
    lines
}

fn first(answer: &Answer) -> &str {
    answer.lines.first().map_or("", |line| line.trim())
}

fn reached(user: &Answer) -> (Health, String) {
    match (user.said, first(user)) {
        (Said::Yes, name) if !name.is_empty() => (Health::Good, format!("It answers, and the portal is {name} there.")),
        _ => (Health::Good, "It answers.".to_owned()),
    }
}

fn shell_line(target: &PlanTarget, answer: &Answer) -> (Health, String) {
    let shell = target.interpreter.join(" ");
    match answer.said {
        Said::Yes => (Health::Good, format!("Its shell {shell} is there.")),
        _ => (
            Health::Bad,
            format!(
                "Its shell {shell} is not there, so no step can run. Install it, or set `shell` of this target to one that is."
            ),
        ),
    }
}

fn terminal(answer: &Answer) -> (Health, String) {
    match answer.said {
        Said::Yes => (Health::Good, "It has script, which gives steps a terminal.".to_owned()),
        _ => (
            Health::Note,
            "It has no script: steps run without a terminal, and full-screen programs and questions do not work. Install it; it comes \
             with util-linux or bsdutils."
                .to_owned(),
        ),
    }
}

fn folder(answer: &Answer) -> (Health, String) {
    match answer.said {
        Said::Yes => (Health::Good, format!("{} can be written into, so steps outlive a lost link.", first(answer))),
        _ => (
            Health::Bad,
            "No folder there can be written into: neither the home directory nor /var/tmp, /tmp or /dev/shm. A step keeps its output in \
             one while it runs; let the user write into one of them."
                .to_owned(),
        ),
    }
}

fn clock_line(answer: &Answer, now: Timestamp) -> (Health, String) {
    let Ok(there) = first(answer).parse::<i64>() else {
        return (Health::Note, "What time it is there is not known: it has no date.".to_owned());
    };
    let ahead = there - now.0.div_euclid(1000);
    let by = time::span(ahead.unsigned_abs().saturating_mul(1000));
    if ahead.abs() <= CLOCK_OFF_SECONDS {
        return (Health::Good, "Its clock agrees with the portal's.".to_owned());
    }
    let which = if ahead > 0 { "ahead of" } else { "behind" };
    let words = format!(
        "Its clock is {by} {which} the portal's: ages of files and backups are wrong by that. Let both follow the same time server."
    );
    (Health::Note, words)
}

/// Where the home directory is not the one that steps are told.
fn home_line(target: &PlanTarget, answer: &Answer) -> Option<(Health, String)> {
    let told = target.environment.iter().find(|(name, _)| name == "HOME").map(|(_, home)| home.as_str())?;
    let own = first(answer);
    (!own.is_empty() && own != told).then(|| {
        let words = format!(
            "The home directory there is {own}, and steps are told {told}. Set `home = \"{own}\"` for this target."
        );
        (Health::Note, words)
    })
}

/// Where the end of a session ends what was begun in it. `busctl` prints `b true`, and users as `as 2 "root" "deploy"`.
fn logind_line(user: &str, answer: &Answer) -> Option<(Health, String)> {
    let [ends, excluded, only] = answer.lines.get(..3)? else { return None };
    let names = |users: &String| users.split(' ').any(|name| name.trim_matches('"') == user);
    let is_meant = only == "as 0" || names(only);
    (ends == "b true" && is_meant && !names(excluded)).then(|| {
        let words = format!(
            "Its logind ends what a session leaves running (KillUserProcesses=yes), and so a step whose link is lost. Add \
             {user} to KillExcludeUsers in /etc/systemd/logind.conf there, and restart systemd-logind."
        );
        (Health::Bad, words)
    })
}

fn directory_line(path: &str, answer: &Answer) -> (Health, String) {
    match answer.said {
        Said::Yes => (Health::Good, format!("Runs can begin in {path}.")),
        Said::Closed => {
            (Health::Bad, format!("The user there may not enter {path}, where runs begin. Let it, or set `directory`."))
        }
        _ => (Health::Bad, format!("{path}, where runs begin, is not there. Make it, or set `directory`.")),
    }
}

fn space_line(answer: &Answer) -> Option<(Health, String)> {
    let (_, free, all) = space(&answer.lines)?;
    let words = format!("{} of {} are free at /tmp", time::size(free), time::size(all));
    Some(if free < LITTLE_SPACE {
        (Health::Bad, format!("Only {words}: the output of a step may not fit. Make room."))
    } else {
        (Health::Good, format!("{words}."))
    })
}

fn docker_line(answer: &Answer) -> (Health, String) {
    match answer.said {
        Said::Yes => {
            let count = answer.lines.iter().filter(|line| !line.is_empty()).count();
            (Health::Good, format!("Docker answers; it has {count} containers."))
        }
        Said::Without => (Health::Note, "It has no docker: runbooks that call it fail there.".to_owned()),
        _ => {
            let why = answer.why();
            let remedy = if why.contains("permission denied") {
                "Let the user use its socket (which is as much as being root), for example by the group docker."
            } else {
                "Start its engine, or set DOCKER_HOST in the `environment` of this target."
            };
            (Health::Note, format!("Docker does not answer: {why}. {remedy}"))
        }
    }
}

fn compose_line(plugin: &Answer, hyphen: &Answer) -> (Health, String) {
    let (has_plugin, has_hyphen) = (plugin.said == Said::Yes, hyphen.said == Said::Yes);
    match (has_plugin, has_hyphen) {
        (true, true) => (Health::Good, "Both docker compose and docker-compose are there.".to_owned()),
        (true, false) => (
            Health::Note,
            "docker compose is there, and docker-compose is not: commands that are written with the hyphen fail."
                .to_owned(),
        ),
        (false, true) => (
            Health::Note,
            "docker-compose is there, and docker compose is not: commands that are written without the hyphen fail."
                .to_owned(),
        ),
        (false, false) => match [plugin, hyphen].into_iter().find(|answer| answer.said == Said::No) {
            Some(answer) => (Health::Note, format!("Compose does not answer: {}.", answer.why())),
            None => (Health::Note, "It has no Compose: runbooks that call it fail there.".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use domain::target::{Container, Which};

    use super::*;
    use crate::probing::tests::asked_here;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn target(reach: Reach) -> TargetSettings {
        let plan = PlanTarget {
            name: "prod".to_owned(),
            reach,
            production: true,
            interpreter: vec!["/bin/sh".to_owned()],
            environment: vec![("HOME".to_owned(), "/home/deploy".to_owned())],
        };
        TargetSettings { plan, about: String::new(), directory: "/".to_owned(), mask_files: Vec::new() }
    }

    fn inside() -> Reach {
        Reach::Container(Container { which: Which::Name("api".to_owned()), user: None })
    }

    fn answer(said: Said, line: &str) -> Answer {
        Answer { said, lines: vec![line.to_owned()] }
    }

    #[test]
    fn this_machine_is_looked_at_with_the_same_questions() {
        let target = target(Reach::Local);

        let lines = lines(&target, &Ok(asked_here(&questions(&target))), NOW);

        let told: Vec<&str> = lines.iter().map(|(_, words)| words.as_str()).collect();
        assert!(told[0].starts_with("It answers, and the portal is "), "{told:?}");
        assert!(told.contains(&"Its shell /bin/sh is there.") && told.contains(&"Runs can begin in /."), "{told:?}");
        assert!(told.iter().any(|words| words.contains("free at /tmp")), "{told:?}");
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_do() {
        let target = target(inside());
        let df = Answer { said: Said::Yes, lines: vec!["Filesystem".to_owned(), "x 1000 990 10 99% /".to_owned()] };
        let no = || answer(Said::No, "");
        let answers = vec![
            answer(Said::Yes, "root"),
            answer(Said::Yes, "/root"),
            no(),
            no(),
            no(),
            answer(Said::Closed, ""),
            answer(Said::Yes, "1000120"),
            df,
            no(),
            no(),
            no(),
            no(),
        ];

        let lines = lines(&target, &Ok(answers), NOW);

        let told = |health: Health, words: &str| {
            let found = lines.iter().find(|(_, line)| line.contains(words));
            assert_eq!(found.map(|(health, _)| *health), Some(health), "{words} in {lines:?}");
        };
        told(Health::Bad, "Its shell /bin/sh is not there");
        told(Health::Note, "It has no script");
        told(Health::Bad, "No folder there can be written into");
        told(Health::Note, "2 min 00 s ahead of the portal's");
        told(Health::Note, "Set `home = \"/root\"`");
        told(Health::Bad, "may not enter /");
        told(Health::Bad, "Only 10 KB of 1.0 MB are free");
        assert!(!lines.iter().any(|(_, line)| line.contains("Docker")), "nobody asks that in a container");
    }

    #[test]
    fn a_machine_that_ends_what_sessions_leave_behind_is_told_for_whom_it_does() {
        let told = |ends: &str, excluded: &str, only: &str| {
            let lines = [ends, excluded, only, ""].map(str::to_owned).to_vec();
            logind_line("deploy", &Answer { said: Said::Yes, lines })
        };

        let (health, words) = told("b true", "as 1 \"root\"", "as 0").unwrap();
        assert!(health == Health::Bad && words.contains("Add deploy to KillExcludeUsers"), "{words}");
        assert!(told("b true", "as 0", "as 1 \"deploy\"").is_some());
        assert_eq!(told("b true", "as 2 \"root\" \"deploy\"", "as 0"), None);
        assert_eq!(told("b true", "as 0", "as 1 \"alice\""), None);
        assert_eq!(told("b false", "as 0", "as 0"), None);
        assert_eq!(logind_line("deploy", &answer(Said::Without, "")), None);
    }

    #[test]
    fn docker_that_refuses_is_told_with_its_reason() {
        let why = "permission denied while trying to connect to the Docker daemon socket";

        let (health, words) = docker_line(&answer(Said::No, why));

        assert_eq!(health, Health::Note);
        assert!(words.contains(why) && words.contains("as much as being root"), "{words}");
        assert!(compose_line(&answer(Said::Yes, ""), &answer(Said::Without, "")).1.contains("with the hyphen fail"));
    }

    #[test]
    fn a_target_that_cannot_be_reached_says_why_and_nothing_else_is_claimed() {
        let lines = lines(&target(inside()), &Err("There is no container api.".to_owned().into()), NOW);

        assert_eq!(lines, [(Health::Bad, "There is no container api. Nothing else about it is known.".to_owned())]);
    }
}
