//! What there is to choose from at a target, for the parameters that list things.

use std::collections::BTreeSet;

use domain::look::{Choices, Pick};
use domain::plan::{Plan, PlanParameter, PlanStep};
use domain::runbook::{ParameterKind, Placeholder};
use domain::{Timestamp, time};

use super::wants::Wants;
use crate::probing::{Answer, Answers, Question, Said};

/// The most things in one list.
const MOST: usize = 100;

/// Folders below that of backups into which is looked.
const DEPTH: u32 = 2;

/// What is asked for one parameter.
#[derive(Debug)]
pub(super) struct Asked<'p> {
    parameter: &'p PlanParameter,
    /// What is asked; nothing when it cannot be asked yet.
    questions: Vec<Question>,
}

/// What is asked for the parameters of a plan.
pub(super) fn asked<'p>(plan: &'p Plan, wants: &Wants) -> Vec<Asked<'p>> {
    plan.parameters.iter().filter_map(|parameter| ask(parameter, plan, wants)).collect()
}

fn ask<'p>(parameter: &'p PlanParameter, plan: &Plan, wants: &Wants) -> Option<Asked<'p>> {
    let place = own_place(parameter, plan).or_else(|| wants.place.clone());
    let questions = match &parameter.kind {
        ParameterKind::ComposeService { file } => {
            place.map(|place| services(place, file.as_ref(), wants)).into_iter().collect()
        }
        ParameterKind::Container => vec![Question::Containers],
        ParameterKind::Image => vec![Question::Images],
        ParameterKind::BackupFile { root, .. } if root.starts_with('/') => {
            vec![Question::Listing { folder: root.clone(), depth: DEPTH }]
        }
        ParameterKind::GitRevision => {
            place.map(|place| vec![Question::Branches(place.clone()), Question::Commits(place)]).unwrap_or_default()
        }
        _ => return None,
    };
    Some(Asked { parameter, questions })
}

/// The own directory of the first step that uses a parameter, when it has one.
fn own_place(parameter: &PlanParameter, plan: &Plan) -> Option<String> {
    let is_it = |placeholder: &Placeholder| placeholder.parameter.as_ref() == Some(&parameter.name);
    let uses = |step: &&PlanStep| step.commands.iter().any(|command| command.placeholders.iter().any(is_it));
    plan.steps.iter().find(uses)?.directory.clone()
}

/// By the program that the commands use, where there is one.
fn services(directory: String, file: Option<&String>, wants: &Wants) -> Question {
    let hyphen = wants.projects.first().is_none_or(|project| project.hyphen);
    let own = wants.projects.iter().find(|project| project.directory == directory);
    let files = match (file, own) {
        (Some(file), _) => vec![file.clone()],
        (None, Some(project)) => project.files.clone(),
        (None, None) => Vec::new(),
    };
    Question::Services { hyphen, directory, files }
}

impl Asked<'_> {
    /// The questions of this parameter.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }
}

/// What the answers offer, parameter by parameter.
pub(super) fn choices(asked: &[Asked<'_>], answers: &Answers, now: Timestamp) -> Vec<Choices> {
    let mut left = answers.iter().flatten();
    let mut offer = |asked: &Asked<'_>| {
        let own: Vec<&Answer> = left.by_ref().take(asked.questions.len()).collect();
        match answers {
            Ok(_) => of_parameter(asked, &own, now),
            // Why is said once, with the target itself.
            Err(_) => none(asked.parameter, "The target does not answer.".to_owned()),
        }
    };
    asked.iter().map(&mut offer).collect()
}

fn none(parameter: &PlanParameter, why: String) -> Choices {
    Choices { parameter: parameter.name.clone(), list: Vec::new(), whole: false, problem: Some(why) }
}

fn of_parameter(asked: &Asked<'_>, answers: &[&Answer], now: Timestamp) -> Choices {
    let parameter = asked.parameter;
    if answers.is_empty() {
        let why = "Where to look is known once the steps before it have run.";
        return none(parameter, why.to_owned());
    }
    if answers.iter().all(|answer| answer.said != Said::Yes) {
        return none(parameter, problem(&parameter.kind, answers[0]));
    }
    let lines = || answers.iter().flat_map(|answer| &answer.lines).filter(|line| !line.is_empty());
    let mut list: Vec<Pick> = lines().filter_map(|line| pick(&parameter.kind, line, now)).collect();
    let mut seen = BTreeSet::new();
    list.retain(|pick| seen.insert(pick.value.clone()) && is_plain(&parameter.kind, &pick.value));
    // Any commit may be meant, and an image that is not there yet.
    let closed = !matches!(parameter.kind, ParameterKind::GitRevision | ParameterKind::Image);
    let whole = closed && !list.is_empty() && list.len() <= MOST;
    list.truncate(MOST);
    let problem = list.is_empty().then(|| "The target answered, and there is nothing that could be chosen.".to_owned());
    Choices { parameter: parameter.name.clone(), list, whole, problem }
}

/// Whether the gate would take it, and it deceives nobody's eye.
fn is_plain(kind: &ParameterKind, value: &str) -> bool {
    runbook::misfit(kind, value).is_none() && !value.chars().any(char::is_control)
}

/// Why nothing is listed.
fn problem(kind: &ParameterKind, answer: &Answer) -> String {
    let (program, things) = match kind {
        ParameterKind::ComposeService { .. } => ("Compose", "services"),
        ParameterKind::Container => ("Docker", "containers"),
        ParameterKind::Image => ("Docker", "images"),
        ParameterKind::BackupFile { root, .. } => return no_folder(root, answer.said),
        _ => ("Git", "revisions"),
    };
    match answer.said {
        Said::Without => format!("The target finds no program of {program}, so its {things} are not listed."),
        Said::No | Said::Closed => format!("{program} does not list the {things}: {}.", answer.why()),
        Said::Yes | Said::Nothing => format!("The target gave no list of {things}."),
    }
}

fn no_folder(root: &str, said: Said) -> String {
    match said {
        Said::No => format!("The folder {root} is not there."),
        Said::Closed => format!("The user there may not look into {root}."),
        Said::Without => "The target has no programs that list files (find and stat).".to_owned(),
        Said::Yes | Said::Nothing => format!("The target gave no list of {root}."),
    }
}

/// One line of a list.
fn pick(kind: &ParameterKind, line: &str, now: Timestamp) -> Option<Pick> {
    let mut columns = line.split('\t').map(str::trim);
    let value = columns.next().filter(|value| !value.is_empty())?.to_owned();
    let rest: Vec<&str> = columns.filter(|column| !column.is_empty()).collect();
    match kind {
        ParameterKind::BackupFile { pattern, .. } => file(line, pattern.as_deref(), now),
        ParameterKind::Image if value.contains("<none>") => None,
        ParameterKind::ComposeService { .. } => Some(Pick { value, about: String::new() }),
        _ => Some(Pick { value, about: rest.join(", ") }),
    }
}

/// `1764190000 1288490188 /srv/backups/latest.dump`
fn file(line: &str, pattern: Option<&str>, now: Timestamp) -> Option<Pick> {
    let mut words = line.splitn(3, ' ');
    let (seconds, bytes) = (words.next()?.parse::<i64>().ok()?, words.next()?.parse::<u64>().ok()?);
    let value = words.next()?.to_owned();
    let name = value.rsplit('/').next()?;
    if !pattern.is_none_or(|pattern| runbook::matches_glob(pattern, name)) {
        return None;
    }
    let age = time::span(now.since(Timestamp(seconds.saturating_mul(1000))));
    Some(Pick { value, about: format!("{age} old, {}", time::size(bytes)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::looking::tests::plan_of;

    const SIDE: &str = "directory = \"/srv/shop\"\n[parameter.service]\nplaceholder = \"SERVICE\"\ntype = \"compose-service\"\nfile = \"prod.yml\"\n\
        [parameter.dump]\nplaceholder = \"DUMP\"\ntype = \"backup-file\"\nroot = \"/srv/backups\"\npattern = \"*.dump\"\n\
        [parameter.commit]\nplaceholder = \"COMMIT\"\ntype = \"git-revision\"\n";

    const TEXT: &str =
        "# A\n\n## Steps\n\n```sh\ndocker-compose restart SERVICE\nrestore DUMP\ngit checkout COMMIT\n```\n";

    fn offered(answers: &Answers) -> Vec<Choices> {
        let plan = plan_of(TEXT, SIDE);
        let wants = Wants { place: Some(plan.directory.clone()), ..Wants::default() };
        choices(&asked(&plan, &wants), answers, Timestamp(1_000_000_000))
    }

    fn answer(said: Said, lines: &[&str]) -> Answer {
        Answer { said, lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    #[test]
    fn things_are_listed_with_what_tells_them_apart() {
        let answers = vec![
            answer(Said::Yes, &["api", "web", ""]),
            answer(
                Said::Yes,
                &[
                    "999900 2048 /srv/backups/new one.dump",
                    "900000 10 /srv/backups/old.dump",
                    "1 1 /srv/backups/notes.txt",
                ],
            ),
            answer(Said::Yes, &["main\t2 hours ago\tFix it"]),
            answer(Said::No, &["fatal: bad"]),
        ];

        let offered = offered(&Ok(answers));

        let values = |place: usize| offered[place].list.iter().map(|pick| pick.value.as_str()).collect::<Vec<_>>();
        assert_eq!((values(0), offered[0].whole), (vec!["api", "web"], true));
        assert_eq!(values(1), ["/srv/backups/new one.dump", "/srv/backups/old.dump"]);
        assert_eq!(offered[1].list[0].about, "1 min 40 s old, 2.0 KB");
        assert_eq!((values(2), offered[2].whole), (vec!["main"], false), "any commit may be meant");
        assert_eq!(offered[2].list[0].about, "2 hours ago, Fix it");
    }

    #[test]
    fn a_list_that_cannot_be_made_says_why_and_a_value_can_still_be_typed() {
        let nothing = || answer(Said::No, &["permission denied while trying to connect to the Docker daemon"]);

        let refused = offered(&Ok(vec![
            nothing(),
            answer(Said::No, &[]),
            answer(Said::Without, &[]),
            answer(Said::Without, &[]),
        ]));
        let gone = offered(&Err("No ssh server listens at that port.".to_owned().into()));

        assert!(refused.iter().chain(&gone).all(|choices| choices.list.is_empty() && !choices.whole));
        assert!(refused[0].problem.as_ref().unwrap().contains("permission denied"), "{refused:?}");
        assert_eq!(refused[1].problem.as_deref(), Some("The folder /srv/backups is not there."));
        assert_eq!(gone[1].problem.as_deref(), Some("The target does not answer."));
    }
}
