//! The dry look before the first step: a line for each thing that has to be there, and how it stands.

use domain::approval::{EvidenceItem, Standing};

use super::wants::{Project, Wants};
use crate::probing::{Answer, Answers, Question, Said};

/// Where Compose looks for a file by itself.
const USUAL_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// What is asked of a target for what is wanted, in a fixed order: what it knows at once.
pub(super) fn questions(wants: &Wants) -> Vec<Question> {
    let directories = wants.directories.iter().cloned().map(Question::Directory);
    let files = wants.projects.iter().flat_map(files).map(Question::File);
    let tools = wants.tools.iter().cloned().map(Question::Tool);
    directories.chain(files).chain(tools).collect()
}

/// What Compose is asked: it may take its time, and is asked for itself.
pub(super) fn service_questions(wants: &Wants) -> Vec<Question> {
    wants.projects.iter().map(services).collect()
}

pub(super) fn files(project: &Project) -> Vec<String> {
    if project.files.is_empty() {
        return USUAL_FILES.map(|name| format!("{}/{name}", project.directory.trim_end_matches('/'))).to_vec();
    }
    project.files.clone()
}

pub(super) fn services(project: &Project) -> Question {
    Question::Services { hyphen: project.hyphen, directory: project.directory.clone(), files: project.files.clone() }
}

/// What the answers say, and those of Compose. Without answers the target itself says why, and nothing else is known.
pub(super) fn items(place: &str, wants: &Wants, answers: &Answers, of_compose: &Answers) -> Vec<EvidenceItem> {
    let reached = match answers {
        Ok(_) => item("Target", Standing::Good, "answers", vec![sentence(place, " answers.")]),
        Err(silence) => item("Target", Standing::Look, "does not answer", vec![silence.to_string()]),
    };
    let mut left = answers.iter().flatten();
    let mut take = |many: usize| -> Vec<&Answer> { left.by_ref().take(many).collect() };
    let directories = directories(&wants.directories, &take(wants.directories.len()));
    let compose: Vec<_> = wants.projects.iter().map(|project| (project, take(files(project).len()))).collect();
    let tools = tools(&wants.tools, &take(wants.tools.len()));
    let compose = compose.iter().map(|(project, answers)| compose_file(project, answers));
    let mut listed = of_compose.iter().flatten();
    let known = wants.projects.iter().map(|project| known_services(project, listed.next()));
    std::iter::once(reached).chain([directories]).chain(compose).chain(known).chain(tools).collect()
}

/// `deploy@prod answers.`, with a capital where it is a word.
fn sentence(place: &str, rest: &str) -> String {
    let mut characters = place.chars();
    let first = characters.next().map(|first| if place.contains(' ') { first.to_ascii_uppercase() } else { first });
    first.into_iter().chain(characters).chain(rest.chars()).collect()
}

pub(super) fn item(name: &str, standing: Standing, result: &str, saw: Vec<String>) -> EvidenceItem {
    EvidenceItem { name: name.to_owned(), standing, result: result.to_owned(), saw, bound: None }
}

fn unknown(name: &str, why: &str) -> EvidenceItem {
    item(name, Standing::Unknown, "not known", vec![why.to_owned()])
}

const NO_ANSWER: &str = "The target gave no answer to this.";

fn said(answer: Option<&&Answer>) -> Said {
    answer.map_or(Said::Nothing, |answer| answer.said)
}

fn directories(paths: &[String], answers: &[&Answer]) -> EvidenceItem {
    let lines: Vec<(Said, String)> = paths
        .iter()
        .enumerate()
        .map(|(place, path)| {
            let said = said(answers.get(place));
            let words = match said {
                Said::Yes => format!("{path} is there."),
                Said::No => format!(
                    "{path} is not there: what begins there fails. Make it, or let the run begin in another one."
                ),
                Said::Closed => format!("The user there may not enter {path}: what begins there fails."),
                Said::Without | Said::Nothing => format!("It is not known whether {path} is there."),
            };
            (said, words)
        })
        .collect();
    of_all("Directory", ("there", "not all there"), lines)
}

/// One line for several things: good when all are, and worth a look when one is not.
fn of_all(name: &str, (good, bad): (&str, &str), lines: Vec<(Said, String)>) -> EvidenceItem {
    let is = |said: Said| lines.iter().any(|(one, _)| *one == said);
    let (standing, result) = if is(Said::No) || is(Said::Closed) {
        (Standing::Look, if lines.len() == 1 { "not there" } else { bad })
    } else if is(Said::Nothing) || is(Said::Without) {
        (Standing::Unknown, "not known")
    } else {
        (Standing::Good, good)
    };
    item(name, standing, result, lines.into_iter().map(|(_, words)| words).collect())
}

fn compose_file(project: &Project, answers: &[&Answer]) -> EvidenceItem {
    let name = "Compose file";
    if project.files.is_empty() {
        let found = files(project).into_iter().zip(answers).find(|(_, answer)| answer.said == Said::Yes);
        return match found {
            Some((file, _)) => item(name, Standing::Good, "there", vec![format!("{file} is there.")]),
            None if answers.iter().any(|answer| answer.said == Said::Nothing) || answers.is_empty() => {
                unknown(name, NO_ANSWER)
            }
            None => {
                let words = format!("No Compose file is in {}: a call of Compose from there fails.", project.directory);
                item(name, Standing::Look, "not there", vec![words])
            }
        };
    }
    let line = |(place, file): (usize, &String)| {
        let said = said(answers.get(place));
        let words = match said {
            Said::Yes => format!("{file} is there."),
            Said::No => format!("{file} is not there: a call of Compose with it fails."),
            Said::Closed => format!("The user there may not read {file}."),
            Said::Without | Said::Nothing => format!("It is not known whether {file} is there."),
        };
        (said, words)
    };
    of_all(name, ("there", "not all there"), project.files.iter().enumerate().map(line).collect())
}

fn known_services(project: &Project, answer: Option<&Answer>) -> EvidenceItem {
    let name = "Services";
    let program = if project.hyphen { "docker-compose" } else { "docker compose" };
    let Some(answer) = answer else { return unknown(name, NO_ANSWER) };
    match answer.said {
        Said::Yes => named_services(project, &answer.lines),
        Said::No | Said::Closed => {
            item(name, Standing::Look, "not listed", vec![format!("{program} cannot list them: {}.", answer.why())])
        }
        Said::Without => {
            let words = format!("The target finds no {program}, so nobody can say which services there are.");
            item(name, Standing::Look, "not listed", vec![words])
        }
        Said::Nothing => unknown(name, NO_ANSWER),
    }
}

fn named_services(project: &Project, known: &[String]) -> EvidenceItem {
    let missing: Vec<&str> =
        project.services.iter().filter(|service| !known.contains(service)).map(String::as_str).collect();
    let all = format!("The project has {}.", known.join(", "));
    if missing.is_empty() {
        return item("Services", Standing::Good, &format!("{} known", known.len()), vec![all]);
    }
    let is = if missing.len() == 1 { "is no service" } else { "are no services" };
    let words = format!("{} {is} of the project: commands with that name fail.", missing.join(", "));
    item("Services", Standing::Look, &format!("{} not known", missing.len()), vec![words, all])
}

fn tools(names: &[String], answers: &[&Answer]) -> Option<EvidenceItem> {
    let answered = answers.iter().filter(|answer| answer.said != Said::Nothing).count();
    if names.is_empty() {
        return None;
    }
    if answered < names.len() {
        return Some(unknown("Programs", NO_ANSWER));
    }
    let missing: Vec<&str> = names
        .iter()
        .zip(answers)
        .filter(|(_, answer)| answer.said != Said::Yes)
        .map(|(name, _)| name.as_str())
        .collect();
    if missing.is_empty() {
        let words = format!("{} are found.", names.join(", "));
        return Some(item("Programs", Standing::Good, &format!("all {}", names.len()), vec![words]));
    }
    let words = format!(
        "Not found by the target's PATH: {}. Commands that begin with them fail; install them, or add their folder to the target's path.",
        missing.join(", ")
    );
    Some(item("Programs", Standing::Look, &format!("{} missing", missing.len()), vec![words]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants() -> Wants {
        Wants {
            directories: vec!["/srv/shop".to_owned()],
            place: None,
            projects: vec![Project {
                hyphen: true,
                directory: "/srv/shop".to_owned(),
                files: vec!["/srv/shop/prod.yml".to_owned()],
                services: vec!["api".to_owned()],
            }],
            tools: vec!["docker-compose".to_owned(), "jq".to_owned()],
            ..Wants::default()
        }
    }

    fn answer(said: Said, lines: &[&str]) -> Answer {
        Answer { said, lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    fn told(answers: &Answers, of_compose: &Answers) -> Vec<(String, Standing, String)> {
        let items = items("deploy@prod", &wants(), answers, of_compose);
        items.into_iter().map(|item| (item.name, item.standing, item.saw.join(" "))).collect()
    }

    #[test]
    fn each_thing_that_is_wanted_has_a_line_with_its_own_sentence() {
        use Said::{No, Yes};
        assert_eq!((questions(&wants()).len(), service_questions(&wants()).len()), (4, 1));
        let all = |said: [Said; 4]| Ok(said.map(|said| answer(said, &[])).to_vec());

        let good = told(&all([Yes; 4]), &Ok(vec![answer(Yes, &["api", "web"])]));
        let bad = told(&all([No, No, Yes, No]), &Ok(vec![answer(Yes, &["web"])]));
        let slow = told(&all([Yes; 4]), &Err("The target did not answer within ten seconds.".to_owned().into()));

        let names: Vec<&str> = good.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["Target", "Directory", "Compose file", "Services", "Programs"]);
        assert!(good.iter().all(|(_, standing, _)| *standing == Standing::Good), "{good:?}");
        assert!(bad.iter().skip(1).all(|(_, standing, _)| *standing == Standing::Look), "{bad:?}");
        let unknown = |told: &[(String, Standing, String)]| {
            told.iter().filter(|(_, standing, _)| *standing == Standing::Unknown).count()
        };
        assert_eq!(unknown(&slow), 1, "what takes its time takes nothing from the rest: {slow:?}");
        assert!(bad[3].2.contains("api is no service of the project"), "{bad:?}");
        assert!(bad[4].2.contains("PATH: jq."), "{bad:?}");
    }

    #[test]
    fn a_target_that_does_not_answer_says_why_and_nothing_else_is_claimed() {
        let gone = || -> Answers { Err("deploy@prod cannot be reached: its key is unknown.".to_owned().into()) };
        let told = told(&gone(), &gone());

        assert_eq!(told[0].1, Standing::Look);
        assert!(told[0].2.contains("its key is unknown"), "{told:?}");
        assert!(told.iter().skip(1).all(|(_, standing, _)| *standing == Standing::Unknown), "{told:?}");
    }

    #[test]
    fn without_a_file_in_the_command_any_of_the_usual_ones_will_do() {
        let mut wants = wants();
        wants.projects[0].files.clear();
        let found = |there: usize| {
            let mut answers = vec![answer(Said::Yes, &[])];
            answers.extend((0..4).map(|place| answer(if place == there { Said::Yes } else { Said::No }, &[])));
            items("x", &wants, &Ok(answers), &Ok(Vec::new()))[2].clone()
        };

        assert_eq!(found(3).saw, ["/srv/shop/docker-compose.yml is there."]);
        assert_eq!(found(9).standing, Standing::Look);
    }
}
