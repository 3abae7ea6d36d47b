//! What a target is asked for the health of a procedure, and what its answers say: by looking only, and never at a page view.
//!
//! What was found is kept, and everybody reads it who sees the procedure. So nothing is in it that programs at the target have printed:
//! Compose, for one, repeats pieces of `.env`.

use domain::health::{Concern, Found, Missing};
use domain::plan::{Plan, PlanCommand, PlanStep};
use domain::runbook::Procedure;
use runbook::Move;

use super::defaults;
use super::items::{files, services};
use super::wants::{Project, Wants, wants};
use crate::probing::{Answer, Answers, Question, Said};

/// The code of the retired Compose, which a newer one under its name settles.
const OLD_COMPOSE: &str = "compose-v1";

/// From so many containers on the list may have been cut.
const CUT: usize = 200;

/// What is asked of a target for a procedure.
pub(crate) struct Inquiry<'p> {
    plan: &'p Plan,
    /// The procedure's first line.
    line: u32,
    wants: Wants,
    /// Whether a command calls the retired Compose.
    calls_old_compose: bool,
}

impl<'p> Inquiry<'p> {
    /// Of what a plan of a procedure names.
    pub fn of(procedure: &Procedure, plan: &'p Plan) -> Self {
        Self {
            plan,
            line: procedure.line,
            wants: wants(plan, 1, &plan.directory, &defaults(plan)),
            calls_old_compose: procedure.retired.iter().any(|finding| finding.code == OLD_COMPOSE),
        }
    }

    /// What the target knows at once, in the order in which [`Self::found`] reads the answers.
    pub fn questions(&self) -> Vec<Question> {
        let Wants { directories, projects, tools, files: read, containers, .. } = &self.wants;
        let directories = directories.iter().cloned().map(Question::Directory);
        let of_compose = projects.iter().flat_map(files).map(Question::File);
        let read = read.iter().map(|(path, _)| Question::File(path.clone()));
        let tools = tools.iter().cloned().map(Question::Tool);
        let containers = (!containers.is_empty()).then_some(Question::Containers);
        let version = self.calls_old_compose.then_some(Question::Run("docker-compose", "version"));
        directories.chain(of_compose).chain(read).chain(tools).chain(containers).chain(version).collect()
    }

    /// What Compose is asked, which may take its time.
    pub fn service_questions(&self) -> Vec<Question> {
        self.projects_with_services().map(services).collect()
    }

    fn projects_with_services(&self) -> impl Iterator<Item = &Project> {
        self.wants.projects.iter().filter(|project| !project.services.is_empty())
    }

    /// What the answers say is not there, or not known.
    pub fn found(&self, there: &Answers, of_compose: &Answers) -> Found {
        let answers = match there {
            Ok(answers) => answers,
            Err(silence) => {
                let silent = Missing::Target(silence.why().to_owned()).concern(self.line);
                return Found { concerns: vec![silent], settled: Vec::new() };
            }
        };
        let mut reading = Reading { left: answers.iter(), concerns: Vec::new(), unanswered: 0 };
        self.places(&mut reading);
        for tool in &self.wants.tools {
            if reading.take() == Said::No {
                let line = self.line_where(|command| command.pipeline.contains(tool));
                reading.add(&Missing::Tool(tool.clone()), line);
            }
        }
        if !self.wants.containers.is_empty() {
            let answer = reading.left.next();
            self.containers(answer, &mut reading);
        }
        let version = reading.left.next().filter(|answer| answer.said == Said::Yes);
        let is_newer = version.and_then(|answer| answer.lines.first()).is_some_and(|line| is_newer_compose(line));
        let settled = if self.calls_old_compose && is_newer { vec![OLD_COMPOSE.to_owned()] } else { Vec::new() };
        self.services(of_compose, &mut reading);
        Found { concerns: reading.end(self.line), settled }
    }

    /// Directories and files.
    fn places(&self, reading: &mut Reading<'_>) {
        for path in &self.wants.directories {
            match reading.take() {
                Said::No => reading.add(&Missing::Directory(path.clone()), self.line_of(path)),
                Said::Closed => {
                    let what = format!("Whether commands can begin in {path}");
                    let why = "the user there may not enter it".to_owned();
                    reading.add(&Missing::Unknown { what, why }, self.line_of(path));
                }
                Said::Yes | Said::Without | Said::Nothing => {}
            }
        }
        for project in &self.wants.projects {
            let said: Vec<(String, Said)> = files(project).into_iter().map(|file| (file, reading.take())).collect();
            let line = self.line_where(|command| calls_compose(command, None));
            if project.files.is_empty() {
                if said.iter().all(|(_, said)| *said == Said::No) {
                    reading.add(&Missing::ComposeFile(project.directory.clone()), line);
                }
                continue;
            }
            for (file, _) in said.into_iter().filter(|(_, said)| *said == Said::No) {
                reading.add(&Missing::File(file), line);
            }
        }
        for (path, line) in &self.wants.files {
            if reading.take() == Said::No {
                reading.add(&Missing::File(path.clone()), *line);
            }
        }
    }

    fn containers(&self, answer: Option<&Answer>, reading: &mut Reading<'_>) {
        let unknown = |why: &str| {
            let what = "Whether its containers are there".to_owned();
            Missing::Unknown { what, why: why.to_owned() }
        };
        let line = self.wants.containers.first().map_or(self.line, |(_, line)| *line);
        let Some(answer) = answer else {
            reading.unanswered += 1;
            return;
        };
        match answer.said {
            Said::Yes if answer.lines.len() >= CUT => {
                reading.add(&unknown("the target has more containers than are listed"), line);
            }
            Said::Yes => {
                let there: Vec<&str> = answer.lines.iter().filter_map(|line| line.split('\t').next()).collect();
                for (name, line) in self.wants.containers.iter().filter(|(name, _)| !there.contains(&name.as_str())) {
                    reading.add(&Missing::Container(name.clone()), *line);
                }
            }
            Said::No | Said::Closed => {
                let why = "docker cannot list them there; run docker ps as the user there to see why";
                reading.add(&unknown(why), line);
            }
            Said::Without => reading.add(&unknown("the target finds no docker"), line),
            Said::Nothing => reading.unanswered += 1,
        }
    }

    fn services(&self, of_compose: &Answers, reading: &mut Reading<'_>) {
        let unknown = |why: &str| {
            let what = "Whether its Compose services are there".to_owned();
            Missing::Unknown { what, why: why.to_owned() }
        };
        let answers = match of_compose {
            Ok(answers) => answers,
            Err(silence) => {
                reading.add(&unknown(silence.why().trim_end_matches('.')), self.line);
                return;
            }
        };
        for (place, project) in self.projects_with_services().enumerate() {
            let Some(answer) = answers.get(place) else { continue };
            let line = self.line_where(|command| calls_compose(command, None));
            match answer.said {
                Said::Yes => {
                    for service in project.services.iter().filter(|service| !answer.lines.contains(service)) {
                        let line = self.line_where(|command| calls_compose(command, Some(service)));
                        reading.add(&Missing::Service(service.clone()), line);
                    }
                }
                Said::No | Said::Closed => {
                    let why = "Compose cannot list them there; the look before a start says why";
                    reading.add(&unknown(why), line);
                }
                Said::Without => reading.add(&unknown("the target finds no Compose"), line),
                Said::Nothing => reading.unanswered += 1,
            }
        }
    }

    /// The line at which a directory that is wanted is told: that of the first step whose own it is, unless the run begins there.
    fn line_of(&self, directory: &str) -> u32 {
        let is_own =
            |step: &&PlanStep| directory != self.plan.directory && step.directory.as_deref() == Some(directory);
        self.plan.steps.iter().find(is_own).map_or(self.line, |step| step.line)
    }

    /// The line of the first step with such a command.
    fn line_where(&self, is_it: impl Fn(&PlanCommand) -> bool) -> u32 {
        let step = self.plan.steps.iter().find(|step| step.commands.iter().any(&is_it));
        step.map_or(self.line, |step| step.line)
    }
}

/// Whether a command calls Compose, and names this service where one is given.
fn calls_compose(command: &PlanCommand, service: Option<&String>) -> bool {
    let is_it = |moved: &Move| match moved {
        Move::Compose(call) => service.is_none_or(|service| call.services.contains(service)),
        Move::Goes(_) => false,
    };
    runbook::moves(&command.text).iter().any(is_it)
}

/// Answers that are read one after the other, and what they come to.
struct Reading<'a> {
    left: std::slice::Iter<'a, Answer>,
    concerns: Vec<Concern>,
    unanswered: usize,
}

impl Reading<'_> {
    fn take(&mut self) -> Said {
        let said = self.left.next().map_or(Said::Nothing, |answer| answer.said);
        if said == Said::Nothing {
            self.unanswered += 1;
        }
        said
    }

    fn add(&mut self, missing: &Missing, line: u32) {
        let concern = missing.concern(line);
        // A file may be named by Compose and by a command.
        if !self.concerns.iter().any(|known| known.message == concern.message) {
            self.concerns.push(concern);
        }
    }

    /// All concerns; what was not answered is one of them.
    fn end(mut self, line: u32) -> Vec<Concern> {
        if self.unanswered > 0 {
            let what = "Whether everything that it names is there".to_owned();
            let why = "the target did not answer all that it was asked".to_owned();
            self.add(&Missing::Unknown { what, why }, line);
        }
        self.concerns
    }
}

/// Whether a Compose under the old name is a newer one: `Docker Compose version v2.24.1`.
fn is_newer_compose(line: &str) -> bool {
    let version = line.split("version").nth(1).unwrap_or_default().trim_start_matches([' ', ':', 'v']);
    let major: String = version.chars().take_while(char::is_ascii_digit).collect();
    major.parse::<u32>().is_ok_and(|major| major >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::looking::tests::document_of;
    use crate::probing::tests::asked_here;

    const TEXT: &str = "# Shop\n\n## Steps\n\n1. **Look**\n\n   ```bash\n   cat /no/such/config.json /etc/passwd\n   \
        docker logs mongo\n   no-such-program-here\n   ```\n\n2. **Restart**\n\n   ```bash\n   docker-compose -f /srv/prod.yml restart api\n   ```\n";

    /// What the answers come to: code and line.
    fn told(found: &Found) -> Vec<(&str, u32)> {
        found.concerns.iter().map(|concern| (concern.code.as_str(), concern.line)).collect()
    }

    fn answer(said: Said, lines: &[&str]) -> Answer {
        Answer { said, lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    /// Answers to every question: all is there but what is named here.
    fn answers(inquiry: &Inquiry<'_>, special: impl Fn(&Question) -> Option<Answer>) -> Vec<Answer> {
        let questions = inquiry.questions();
        questions.iter().map(|question| special(question).unwrap_or_else(|| answer(Said::Yes, &[]))).collect()
    }

    #[test]
    fn what_the_target_has_not_is_told_at_the_line_of_its_step() {
        let (procedure, plan) = document_of(TEXT, "directory = \"/srv\"\n");
        let inquiry = Inquiry::of(&procedure, &plan);
        let there = Ok(answers(&inquiry, |question| match question {
            Question::File(path) if path != "/etc/passwd" => Some(answer(Said::No, &[])),
            Question::Tool(name) if name == "no-such-program-here" => Some(answer(Said::No, &[])),
            Question::Containers => Some(answer(Said::Yes, &["api\tUp 2 hours\tapi:1"])),
            _ => None,
        }));

        let found = inquiry.found(&there, &Ok(vec![answer(Said::Yes, &["web"])]));

        let expected = [
            ("file-missing", 13),
            ("file-missing", 5),
            ("tool-missing", 5),
            ("container-missing", 5),
            ("service-missing", 13),
        ];
        assert_eq!(told(&found), expected, "{found:?}");
        assert!(found.settled.is_empty());
    }

    #[test]
    fn everything_that_is_there_is_no_concern_and_a_newer_compose_settles_its_old_name() {
        let (procedure, plan) = document_of(TEXT, "directory = \"/srv\"\n");
        let inquiry = Inquiry::of(&procedure, &plan);
        let with = |version: &'static str| {
            let there = Ok(answers(&inquiry, |question| match question {
                Question::Containers => Some(answer(Said::Yes, &["mongo\tUp\tmongo:7"])),
                Question::Run(..) => Some(answer(Said::Yes, &[version])),
                _ => None,
            }));
            inquiry.found(&there, &Ok(vec![answer(Said::Yes, &["api"])]))
        };

        let newer = with("Docker Compose version v2.24.1");
        let old = with("docker-compose version 1.29.2, build 5becea4c");

        assert_eq!((told(&newer), newer.settled.as_slice()), (Vec::new(), [OLD_COMPOSE.to_owned()].as_slice()));
        assert_eq!((told(&old), old.settled.len()), (Vec::new(), 0));
    }

    #[test]
    fn a_directory_of_a_step_that_is_not_there_is_told_at_the_line_of_that_step() {
        let side = "directory = \"/srv\"\n[procedure.Shop.step.Restart]\ndirectory = \"/srv/checkout\"\n";
        let (procedure, plan) = document_of(TEXT, side);
        let inquiry = Inquiry::of(&procedure, &plan);
        let there = Ok(answers(&inquiry, |question| match question {
            Question::Directory(path) if path == "/srv/checkout" => Some(answer(Said::No, &[])),
            Question::Containers => Some(answer(Said::Yes, &["mongo\tUp\tmongo:7"])),
            _ => None,
        }));

        let found = inquiry.found(&there, &Ok(vec![answer(Said::Yes, &["api"])]));

        assert_eq!(told(&found), [("directory-missing", 13)], "{found:?}");
    }

    #[test]
    fn what_nobody_answered_is_not_said_to_be_there() {
        let (procedure, plan) = document_of(TEXT, "directory = \"/srv\"\n");
        let inquiry = Inquiry::of(&procedure, &plan);
        let refused = Ok(answers(&inquiry, |question| match question {
            Question::Containers => Some(answer(Said::No, &["permission denied"])),
            _ => None,
        }));

        let silence = || -> Answers { Err("prod cannot be reached.".to_owned().into()) };
        let away = inquiry.found(&silence(), &silence());
        let closed = inquiry.found(&refused, &Ok(vec![answer(Said::No, &["no configuration file"])]));
        let cut = inquiry.found(&Ok(Vec::new()), &Ok(Vec::new()));

        assert_eq!(told(&away), [("target-silent", 1)]);
        assert_eq!(told(&closed), [("not-known", 5), ("not-known", 13)]);
        let message = |found: &Found, place: usize| found.concerns[place].message.clone();
        assert_eq!(
            message(&closed, 0),
            "Whether its containers are there is not known: docker cannot list them there; run docker ps as the user there to see why."
        );
        assert_eq!(
            message(&closed, 1),
            "Whether its Compose services are there is not known: Compose cannot list them there; the look before a start says why."
        );
        assert_eq!(message(&away, 0), "prod cannot be reached.");
        assert_eq!(told(&cut), [("not-known", 1)]);
    }

    #[test]
    fn this_machine_answers_the_same_questions() {
        let text = "# Shop\n\n## Steps\n\n```bash\ncat /no/such/config.json /etc/passwd\nno-such-program-here\n```\n";
        let (procedure, plan) = document_of(text, "directory = \"/no/such/place\"\n");
        let inquiry = Inquiry::of(&procedure, &plan);

        let found = inquiry.found(&Ok(asked_here(&inquiry.questions())), &Ok(Vec::new()));

        let codes: Vec<&str> = told(&found).into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, ["directory-missing", "file-missing", "tool-missing"], "{found:?}");
    }
}
