//! Probes: the portal's own questions to a target, asked in one go and answered by looking only.
//!
//! No probe starts before its intent is recorded: for what, where, and for whom. What is asked are words that a fixed program
//! (`probing/ask.sh`) is given; none of them ever becomes code, and no secret is among them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::plan::PlanTarget;
use domain::run::Who;
use domain::{Digest, Timestamp};
use engine::{Engine, Probe};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Portal;

/// The program that answers, behind what every such program begins with.
const ASK: &str = concat!(include_str!("probing/first.sh"), include_str!("probing/ask.sh"));

/// Looks at once: each is a process, here or elsewhere.
const AT_ONCE: usize = 4;

/// The same question is not asked again for so long.
const KEPT_MS: u64 = 15_000;

/// So many answers are kept.
const KEPT: usize = 200;

/// The longest line of a target's own words that people are shown, in characters.
const LONGEST_WORDS: usize = 200;

/// One question to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whether a directory is there and may be entered.
    Directory(String),
    /// Whether a file is there and may be read.
    File(String),
    /// What stands in a file, and a byte more where it is longer.
    Content { path: String, most: usize },
    /// Whether a program is found.
    Tool(String),
    /// The services of a Compose project: by `docker-compose`, or else `docker compose`; its directory; its files.
    Services { hyphen: bool, directory: String, files: Vec<String> },
    /// The containers: name, status and image, with tabs between them.
    Containers,
    /// The images: name with tag, age and size.
    Images,
    /// The containers of Compose projects: directory, service, name, status, mounts.
    Project,
    /// Branches and tags: name, age, subject.
    Branches(String),
    /// The last commits: short name, age, subject.
    Commits(String),
    /// The files of a folder, so deep: seconds, bytes, path.
    Listing { folder: String, depth: u32 },
    /// What a file is: where it leads, `file` or `other`, device, inode, size and seconds, its time in words, and the digest of its
    /// content up to a size.
    Identity { path: String, readable: u64 },
    /// What `df` says about a place.
    Space(String),
    /// The first line that a program prints.
    Run(&'static str, &'static str),
    /// Whether logind ends what a user leaves running, of which users not, and of which ones alone: as `busctl` prints it.
    Logind,
    /// The home directory of whoever the portal is there.
    Home,
    /// A folder in which an attempt can keep what is its own.
    Writable,
}

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is there.
    Yes,
    /// It is not, or the program failed: the lines say why.
    No,
    /// It is there, and the user may not.
    Closed,
    /// The target has no program to find it out.
    Without,
    /// The answers ended before.
    Nothing,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How.
    pub said: Said,
    /// What was found, line by line.
    pub lines: Vec<String>,
}

impl Answer {
    /// Why a program failed, in its own first words, cut where they are long.
    pub fn why(&self) -> String {
        let words = self.lines.first().map(|line| line.trim()).filter(|line| !line.is_empty());
        words.map_or_else(|| "it said nothing".to_owned(), shortened)
    }

    /// What keeps the user from it, where the target knows more than that there is something.
    pub fn barrier<'a>(&'a self, usual: &'a str) -> &'a str {
        self.lines.first().map(|line| line.trim()).filter(|line| !line.is_empty()).unwrap_or(usual)
    }
}

/// Words of a target, not longer than a sentence bears.
fn shortened(words: &str) -> String {
    let cut: String = words.chars().take(LONGEST_WORDS).collect();
    if cut.len() < words.len() { format!("{cut}…") } else { cut.trim_end_matches(['.', '?', '!']).to_owned() }
}

/// What questions came to: an answer to each in their order, or why there is none.
pub(crate) type Answers = Result<Vec<Answer>, Silence>;

/// Why there is no answer, in a sentence; with what was printed at the target instead of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    why: String,
    printed: Option<String>,
}

impl Silence {
    /// Why, without what was printed at the target: anything may stand in that.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl From<String> for Silence {
    fn from(why: String) -> Self {
        Self { why, printed: None }
    }
}

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.printed {
            Some(printed) => write!(f, "{}: {printed}.", self.why.trim_end_matches('.')),
            None => f.write_str(&self.why),
        }
    }
}

/// What probes share: how many there are at once, and what was answered just now.
pub(crate) struct Probes {
    places: Semaphore,
    kept: Mutex<HashMap<Digest, Slot>>,
}

/// The last answers to the same questions. Who asks meanwhile waits for them.
type Slot = Arc<tokio::sync::Mutex<Option<(Timestamp, Answers)>>>;

impl Default for Probes {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE), kept: Mutex::default() }
    }
}

impl Probes {
    /// Waits until there is a place for one more look.
    pub async fn place(&self) -> SemaphorePermit<'_> {
        self.places.acquire().await.expect("the semaphore is never closed")
    }

    fn slot(&self, key: Digest) -> Slot {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        Arc::clone(kept.entry(key).or_default())
    }
}

impl Portal {
    /// Asks a target, or hands out what it has answered to the same questions just now.
    pub(crate) async fn ask_lately(
        &self,
        who: &Who,
        target: &PlanTarget,
        purpose: &'static str,
        questions: &[Question],
    ) -> Answers {
        let slot = self.probes().slot(Digest::of_canonical(&(&target.reach, words(target, questions))));
        let mut kept = slot.lock().await;
        match &*kept {
            Some((at, answers)) if self.now().since(*at) < KEPT_MS => answers.clone(),
            _ => {
                // Looks wait for each other, so that a target that is away holds up no start.
                let _place = self.probes().place().await;
                let answers = self.ask(who, target, purpose, questions).await;
                *kept = Some((self.now(), answers.clone()));
                answers
            }
        }
    }

    /// Asks a target, after it is recorded that it will be asked.
    pub(crate) async fn ask(
        &self,
        who: &Who,
        target: &PlanTarget,
        purpose: &'static str,
        questions: &[Question],
    ) -> Answers {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        if let Err(error) = self.note_probe(who, target, purpose).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a probe could not be recorded, and was not started"
            );
            return Err("Nobody looked: the portal could not record that it would.".to_owned().into());
        }
        ask(self.engine(), target, questions).await
    }

    async fn note_probe(&self, who: &Who, target: &PlanTarget, purpose: &str) -> Result<(), store::Error> {
        let body = serde_json::json!({ "purpose": purpose, "target": target.name });
        let mut write = self.store().begin().await?;
        write.audit(Some(who), self.now(), "probe", body).await?;
        write.commit().await
    }
}

/// Asks a target.
pub(crate) async fn ask(engine: &Engine, target: &PlanTarget, questions: &[Question]) -> Answers {
    let probe = Probe { script: ASK, arguments: words(target, questions) };
    let probed = engine.probe(&target.reach, &probe).await.map_err(|error| sentence(&error.to_string()))?;
    let answers = read(&String::from_utf8_lossy(&probed.output), questions);
    if answers.first().is_none_or(|answer| answer.said == Said::Nothing) {
        let errors = String::from_utf8_lossy(&probed.errors).into_owned();
        let printed = Answer { said: Said::No, lines: errors.lines().map(harmless).collect() }.why();
        let code = probed.code.map_or_else(|| "without a code".to_owned(), |code| format!("with {code}"));
        let why = format!("The look at {} ended {code}, and answered nothing.", target.reach);
        return Err(Silence { why, printed: Some(printed) });
    }
    Ok(answers)
}

/// A text as one whole sentence.
pub(crate) fn sentence(text: &str) -> String {
    let text = harmless(text.trim());
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

/// What the program is given: the variables of the target, then the questions.
fn words(target: &PlanTarget, questions: &[Question]) -> Vec<String> {
    let variables = target.environment.iter().map(|(name, value)| format!("{name}={value}"));
    let count = target.environment.len().to_string();
    std::iter::once(count).chain(variables).chain(questions.iter().flat_map(Question::words)).collect()
}

impl Question {
    fn words(&self) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Directory(path) => owned(&["directory", path]),
            Self::File(path) => owned(&["file", path]),
            Self::Content { path, most } => owned(&["content", path, &most.to_string()]),
            Self::Tool(name) => owned(&["tool", name]),
            Self::Services { hyphen, directory, files } => {
                owned(&["services", if *hyphen { "hyphen" } else { "plugin" }, directory, &files.join("\n")])
            }
            Self::Containers => owned(&["containers"]),
            Self::Images => owned(&["images"]),
            Self::Project => owned(&["project"]),
            Self::Branches(directory) => owned(&["branches", directory]),
            Self::Commits(directory) => owned(&["commits", directory]),
            Self::Listing { folder, depth } => owned(&["listing", folder, &depth.to_string()]),
            Self::Identity { path, readable } => owned(&["identity", path, &readable.to_string()]),
            Self::Space(path) => owned(&["space", path]),
            Self::Run(program, argument) => owned(&["run", program, argument]),
            Self::Logind => owned(&["logind"]),
            Self::Home => owned(&["home"]),
            Self::Writable => owned(&["writable"]),
        }
    }
}

/// What the answers to questions are. Only what stands in a file is taken as it is.
fn read(output: &str, questions: &[Question]) -> Vec<Answer> {
    let mut answers = answers(output, questions.len());
    for (question, answer) in questions.iter().zip(&mut answers) {
        if !matches!(question, Question::Content { .. }) {
            answer.lines.iter_mut().for_each(|line| *line = harmless(line));
        }
    }
    answers
}

/// The words of a target, with a visible mark for each character that would steer a terminal.
pub(crate) fn harmless(words: &str) -> String {
    let steers = |character: char| character.is_control() && !matches!(character, '\t' | '\n');
    words.chars().map(|character| if steers(character) { '\u{fffd}' } else { character }).collect()
}

/// Reads what the program prints: exactly as many answers as there were questions. One that was cut is none.
fn answers(output: &str, questions: usize) -> Vec<Answer> {
    let nothing = Answer { said: Said::Nothing, lines: Vec::new() };
    let mut found: Vec<Answer> = Vec::with_capacity(questions);
    let mut whole = false;
    for line in output.lines() {
        if line == "=end" {
            whole = true;
            // A logout may have something to say as well.
            break;
        }
        if let Some(word) = line.strip_prefix('=') {
            found.push(Answer { said: said(word), lines: Vec::new() });
        } else if let (Some(text), Some(last)) = (line.strip_prefix('+'), found.last_mut()) {
            last.lines.push(text.to_owned());
        }
    }
    if let Some(last) = found.last_mut().filter(|_| !whole) {
        *last = nothing.clone();
    }
    found.resize(questions, nothing);
    found
}

fn said(word: &str) -> Said {
    match word {
        "yes" => Said::Yes,
        "no" => Said::No,
        "closed" => Said::Closed,
        "without" => Said::Without,
        _ => Said::Nothing,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use domain::target::Reach;

    use super::Said::{Closed, No, Nothing, Without, Yes};
    use super::*;

    /// Asks this machine, by the same program and without an engine.
    pub(crate) fn asked_here(questions: &[Question]) -> Vec<Answer> {
        asked_by(&mut Command::new("sh"), questions)
    }

    /// The same as somebody whom closed folders keep out, whoever runs the tests.
    pub(crate) fn asked_by_nobody(questions: &[Question]) -> Vec<Answer> {
        if !rustix::process::geteuid().is_root() {
            return asked_here(questions);
        }
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "sh"];
        asked_by(Command::new("setpriv").args(nobody), questions)
    }

    fn asked_by(shell: &mut Command, questions: &[Question]) -> Vec<Answer> {
        let target = PlanTarget {
            name: "local".to_owned(),
            reach: Reach::Local,
            production: false,
            interpreter: Vec::new(),
            environment: vec![("PATH".to_owned(), std::env::var("PATH").unwrap())],
        };
        let asked = shell.args(["-c", ASK, "sh"]).args(words(&target, questions)).output();
        read(&String::from_utf8(asked.unwrap().stdout).unwrap(), questions)
    }

    #[test]
    fn every_question_has_its_own_answer_whatever_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("it's \"$(touch gone)\" here"), "x").unwrap();
        let questions = [
            Question::Directory(path("")),
            Question::Directory(path("$(touch gone)")),
            Question::File(path("it's \"$(touch gone)\" here")),
            Question::Tool("sh".to_owned()),
            Question::Tool("no-such-program".to_owned()),
            Question::Tool("first".to_owned()),
            Question::Run("date", "+%s"),
            Question::Run("rm", "-rf"),
            Question::Writable,
        ];

        let said: Vec<Said> = asked_here(&questions).iter().map(|answer| answer.said).collect();

        assert_eq!(said, [Yes, No, Yes, Yes, No, No, Yes, Without, Yes]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing that was asked became code");
    }

    #[test]
    fn folders_that_take_not_one_byte_are_not_said_to_be_writable() {
        // As on a full disk: files can be made, and nothing can be written into them.
        let full = asked_by(Command::new("prlimit").args(["--fsize=0", "sh"]), &[Question::Writable]);

        assert_eq!((full[0].said, asked_here(&[Question::Writable])[0].said), (No, Yes));
    }

    #[test]
    fn a_name_with_a_line_feed_forges_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let digest = "0".repeat(64);
        let forged = path(&format!("dump\n+file\n+1 2 3 4\n+2026-01-01 00:00:00.0\n+{digest}\n=yes\n+x"));
        std::fs::write(&forged, "x").unwrap();
        std::os::unix::fs::symlink(&forged, path("latest")).unwrap();
        std::fs::write(path("dump\n"), "x").unwrap();
        std::os::unix::fs::symlink(path("dump\n"), path("ends")).unwrap();
        std::fs::write(path("dump"), "another").unwrap();
        let identity = |name: &str| Question::Identity { path: path(name), readable: 100 };

        let answers = asked_here(&[
            identity("latest"),
            identity("ends"),
            Question::Tool("no-such-program".to_owned()),
            Question::Listing { folder: path(""), depth: 1 },
        ]);

        assert_eq!(answers[..3].iter().map(|answer| answer.said).collect::<Vec<_>>(), [Closed, Closed, No]);
        assert!(answers[0].barrier("").contains("a control character"), "{answers:?}");
        let names: BTreeSet<&str> = answers[3].lines.iter().filter_map(|line| line.rsplit('/').next()).collect();
        assert_eq!(names, BTreeSet::from(["dump", "ends", "latest"]), "{answers:?}");
    }

    #[test]
    fn a_home_that_takes_no_file_is_not_said_to_be_writable() {
        // root may write there by its mode, and yet no file system like that takes one.
        let answers = asked_by(Command::new("sh").env("HOME", "/proc"), &[Question::Writable]);

        assert_eq!((answers[0].said, answers[0].lines[0].as_str()), (Yes, "/var/tmp"));
    }

    #[test]
    fn what_lies_behind_a_closed_folder_is_not_said_to_be_gone() {
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("closed");
        std::fs::create_dir(&closed).unwrap();
        std::fs::write(closed.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(closed.join("file"), folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink(&closed, folder.path().join("way")).unwrap();
        std::fs::write(folder.path().join("file"), "x").unwrap();
        for (path, mode) in [(folder.path(), 0o755), (&closed, 0o000)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let said = |name: &str| -> Vec<Said> {
            let questions = [
                Question::File(path(name)),
                Question::Content { path: path(name), most: 10 },
                Question::Identity { path: path(name), readable: 10 },
                Question::Listing { folder: path(name), depth: 1 },
            ];
            asked_by_nobody(&questions).iter().map(|answer| answer.said).collect()
        };

        for behind in ["closed/file", "closed/deeper/file", "closed/../gone", "link", "way/file"] {
            assert_eq!(said(behind), [Closed; 4], "{behind}");
        }
        for gone in ["gone", "gone/deeper/file", "file/below"] {
            assert_eq!(said(gone), [No; 4], "{gone}");
        }
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn what_a_target_prints_reaches_no_terminal_as_its_command() {
        let output = "=yes\n+\u{1b}]0;prod\u{7}\tgone\n=yes\n+A=\u{1b}[1m\n=end\n";
        let content = Question::Content { path: "/srv/.env".to_owned(), most: 10 };

        let answers = read(output, &[Question::Containers, content]);

        assert_eq!(answers[0].lines, ["\u{fffd}]0;prod\u{fffd}\tgone"]);
        assert_eq!(answers[1].lines, ["A=\u{1b}[1m"], "what is masked has to be known as it is");
        assert_eq!(sentence("no \u{1b}[2Jway"), "no \u{fffd}[2Jway.");
    }

    #[test]
    fn what_was_cut_off_is_no_answer() {
        let said = |output: &str| -> Vec<(Said, usize)> {
            answers(output, 3).iter().map(|answer| (answer.said, answer.lines.len())).collect()
        };

        assert_eq!(said("=yes\n+a\n+b\n=no\n+half of a li"), [(Yes, 2), (Nothing, 0), (Nothing, 0)]);
        assert_eq!(said("=yes\n+a\n=no\n=yes\n=end\n"), [(Yes, 1), (No, 0), (Yes, 0)]);
        assert_eq!(said("=yes\n=no\n=yes\n=end\n+bye\n=no\n"), [(Yes, 0), (No, 0), (Yes, 0)]);
        assert_eq!(said(""), [(Nothing, 0); 3]);
    }

    #[test]
    fn a_variable_of_the_target_is_there_when_it_is_asked() {
        let target = PlanTarget {
            name: "local".to_owned(),
            reach: Reach::Local,
            production: false,
            interpreter: Vec::new(),
            environment: vec![("PATH".to_owned(), "/nowhere".to_owned()), ("A".to_owned(), "b c".to_owned())],
        };

        let words = words(&target, &[Question::Home]);

        assert_eq!(words, ["2", "PATH=/nowhere", "A=b c", "home"]);
    }

    #[test]
    fn what_was_printed_instead_of_an_answer_stands_behind_the_reason_and_not_in_it() {
        let why = "The look at prod ended with 1, and answered nothing.".to_owned();
        let silence = Silence { why, printed: Some("PASSWORD=hunter-otter: not found".to_owned()) };

        assert_eq!(silence.why(), "The look at prod ended with 1, and answered nothing.");
        assert_eq!(
            silence.to_string(),
            "The look at prod ended with 1, and answered nothing: PASSWORD=hunter-otter: not found."
        );
        assert_eq!(Silence::from("It is away.".to_owned()).to_string(), "It is away.");
    }

    #[test]
    fn long_words_of_a_target_are_cut() {
        let answer = |line: &str| Answer { said: Said::No, lines: vec![line.to_owned()] }.why();

        assert_eq!(answer(" permission denied."), "permission denied");
        assert_eq!(answer(""), "it said nothing");
        assert_eq!(answer(&"x".repeat(300)).chars().count(), LONGEST_WORDS + 1);
    }
}
