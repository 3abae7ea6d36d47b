//! A folder, an engine, and steps to run with it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::attempt::{
    AttemptResult, Carried, CommandEnd, Exit, FORMAT, Intent, Limits, Mark, Outcome, Spec, Work, WorkCommand,
};
use domain::target::Reach;
use domain::{AttemptId, RunId};
use engine::{Engine, Inspection, Ladder, MasterKey, Progress, Secret};
use tempfile::TempDir;
use testkit::rig::Process;

use crate::sites::{SHIM, before_shim};

/// Nothing here takes so long unless it hangs, on a machine that does ten other things besides.
const PATIENCE: Duration = Duration::from_mins(3);

/// Short, because no test waits for what does not come.
pub const USUAL_LADDER: Ladder = Ladder { interrupt_ms: 150, terminate_ms: 150, held_ms: 100 };

pub struct Place {
    pub engine: Engine,
    pub folder: TempDir,
    reach: Reach,
    next: AtomicU32,
    intents: Mutex<HashMap<AttemptId, domain::Digest>>,
}

/// A step to be run: by default in bash on a terminal.
#[derive(Clone)]
pub struct Step(Work);

pub struct Finished {
    pub id: AttemptId,
    pub exit: Exit,
    pub output: Vec<u8>,
    pub marks: Vec<Mark>,
}

impl Place {
    /// On this machine.
    pub fn new() -> Self {
        Self::at(Reach::Local, TempDir::new().unwrap(), SHIM.into(), USUAL_LADDER)
    }

    /// With a script that stands before the shim and starts it by `exec`.
    pub fn behind(before: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let shim = before_shim(folder.path(), before);
        let ladder = Ladder { interrupt_ms: 5_000, terminate_ms: 150, held_ms: 100 };
        Self::at(Reach::Local, folder, shim, ladder)
    }

    /// At a target.
    pub fn at(reach: Reach, folder: TempDir, shim: PathBuf, ladder: Ladder) -> Self {
        let engine = Engine::with_ladder(folder.path().join("runs"), shim, MasterKey::new([7; 32]), ladder).unwrap();
        Self { engine, folder, reach, next: AtomicU32::new(1), intents: Mutex::default() }
    }

    pub fn spec(&self, step: Step) -> Spec {
        let id = AttemptId { run: RunId(1), step: 1, attempt: self.next.fetch_add(1, Ordering::Relaxed) };
        let work = Work { reach: self.reach.clone(), ..step.0 };
        Spec { v: FORMAT, id, digest: work.digest(), work }
    }

    pub async fn launch(&self, step: Step) -> AttemptId {
        let spec = self.spec(step);
        self.start(&spec, Vec::new()).await;
        spec.id
    }

    pub async fn run(&self, step: Step) -> Finished {
        let id = self.launch(step).await;
        self.end(id).await
    }

    /// With secrets that go to the shim.
    pub async fn run_with(&self, step: Step, secrets: Vec<Secret>) -> Finished {
        let spec = self.spec(step);
        self.start(&spec, secrets).await;
        self.end(spec.id).await
    }

    pub async fn inspect_end(&self, id: AttemptId) -> Inspection {
        tokio::time::timeout(PATIENCE, self.engine.wait_end(&self.intent(id)))
            .await
            .expect("the attempt hangs")
            .unwrap()
    }

    pub async fn end(&self, id: AttemptId) -> Finished {
        let exit = match self.inspect_end(id).await {
            Inspection::Ended(exit) => *exit,
            other => panic!(
                "the attempt did not end: {other:?}; {:?}; {:?}",
                self.engine.trouble(&id),
                std::fs::read_dir(self.engine.folder(&id))
                    .map(|all| all.flatten().map(|one| one.file_name()).collect::<Vec<_>>())
            ),
        };
        let output = std::fs::read(self.engine.folder(&id).join("out.log")).unwrap();
        let marks = self.engine.marks(&self.intent(id), 0).unwrap();
        assert_eq!(exit.bytes, output.len() as u64);
        assert_eq!(exit.output, domain::Digest::of(&output));
        Finished { id, exit, output, marks }
    }

    /// Waits until the output holds some words.
    pub async fn wait_for(&self, id: AttemptId, words: &str) {
        let mut progress = self.engine.follow(&self.intent(id)).unwrap();
        let seen = async {
            loop {
                progress.borrow_and_update();
                let output = std::fs::read(self.engine.folder(&id).join("out.log")).unwrap_or_default();
                if String::from_utf8_lossy(&output).contains(words) {
                    return;
                }
                progress.changed().await.expect("the attempt ended without these words");
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("these words never came");
    }

    /// Waits until an attempt is as far as that.
    pub async fn progress(&self, id: AttemptId, is_so: impl Fn(&Progress) -> bool) -> Progress {
        let mut progress = self.engine.follow(&self.intent(id)).unwrap();
        let seen = async { *progress.wait_for(|progress| is_so(progress)).await.expect("it ended before") };
        tokio::time::timeout(PATIENCE, seen).await.expect("it never came so far")
    }

    /// Stops an attempt and waits for its end.
    pub async fn stop(&self, id: AttemptId) -> Finished {
        self.engine.stop(&id).await.unwrap();
        self.end(id).await
    }

    /// What an attempt is found to be once its shim has gone altogether, which is a moment after its record.
    pub async fn inspect_gone(&self, id: AttemptId) -> Inspection {
        loop {
            match self.engine.inspect(&self.intent(id)).unwrap() {
                Inspection::Running => tokio::task::yield_now().await,
                other => return other,
            }
        }
    }

    /// What was recorded of an attempt when it was launched; of one that was not, some intent.
    pub fn intent(&self, id: AttemptId) -> Intent {
        let digest = self.intents.lock().unwrap().get(&id).cloned();
        Intent { id, digest: digest.unwrap_or_else(|| domain::Digest::of(b"nothing")) }
    }

    /// Launches an attempt, and remembers its intent as the portal does.
    pub async fn start(&self, spec: &Spec, secrets: Vec<Secret>) {
        self.intents.lock().unwrap().insert(spec.id, spec.digest.clone());
        self.engine.launch_with(spec, secrets).await.unwrap();
    }

    /// Waits until the shim itself has gone, which is a moment after its record.
    pub async fn gone(&self, id: AttemptId) {
        while self.find_shim(id).is_some() {
            tokio::task::yield_now().await;
        }
    }

    /// The number of the shim's process: found by its arguments.
    pub fn shim_of(&self, id: AttemptId) -> i32 {
        self.find_shim(id).expect("the shim lives")
    }

    fn find_shim(&self, id: AttemptId) -> Option<i32> {
        let folder = self.engine.folder(&id);
        let of_shim = |pid: &i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0);
            words.any(|word| word == b"__shim") && words.next() == Some(folder.as_os_str().as_encoded_bytes())
        };
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(of_shim)
    }
}

/// A test that fails in the middle leaves an attempt behind. At a target that has gone away with the test, it would never end.
impl Drop for Place {
    fn drop(&mut self) {
        let root = self.folder.path().join("runs").display().to_string();
        let is_shim = |process: &Process| {
            let words = process.words();
            let at = words.iter().position(|word| word == engine::shim::COMMAND);
            at.and_then(|at| words.get(at + 1)).is_some_and(|folder| folder.starts_with(&root))
        };
        Process::all().into_iter().filter(is_shim).for_each(|shim| shim.kill());
    }
}

pub fn engine(folder: &Path, ladder: Ladder) -> Engine {
    Engine::with_ladder(folder.join("runs"), SHIM.into(), MasterKey::new([7; 32]), ladder).unwrap()
}

impl Step {
    pub fn new(scripts: &[&str]) -> Self {
        let command = |(index, script): (usize, &&str)| WorkCommand {
            number: u32::try_from(index).unwrap() + 1,
            script: (*script).to_owned(),
            pipeline: Vec::new(),
            watch: false,
        };
        let environment =
            [("PATH", env!("PATH")), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("HOME", "/nowhere")];
        Self(Work {
            target: "local".to_owned(),
            reach: Reach::Local,
            interpreter: ["bash", "--noprofile", "--norc"].map(str::to_owned).to_vec(),
            pipefail: false,
            tty: true,
            directory: "/tmp".to_owned(),
            environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            commands: scripts.iter().enumerate().map(command).collect(),
            timeout_ms: None,
            output_cap: 1 << 30,
            interactive: false,
            limits: Limits::default(),
            secrets: BTreeMap::new(),
            mask_files: Vec::new(),
            carried: None,
            exports: Vec::new(),
        })
    }

    pub fn pipes(self) -> Self {
        Self(Work { tty: false, ..self.0 })
    }

    pub fn shell(self, interpreter: &[&str]) -> Self {
        Self(Work { interpreter: interpreter.iter().map(|word| (*word).to_owned()).collect(), ..self.0 })
    }

    /// Names the members of a command's pipeline, as the reader of the document does.
    pub fn pipeline(mut self, number: usize, names: &str) -> Self {
        self.0.commands[number - 1].pipeline = names.split(' ').map(str::to_owned).collect();
        self
    }

    pub fn watch(mut self, number: usize) -> Self {
        self.0.commands[number - 1].watch = true;
        self
    }

    pub fn timeout(self, milliseconds: u64) -> Self {
        Self(Work { timeout_ms: Some(milliseconds), ..self.0 })
    }

    pub fn cap(self, bytes: u64) -> Self {
        Self(Work { output_cap: bytes, ..self.0 })
    }

    pub fn interactive(self) -> Self {
        Self(Work { interactive: true, ..self.0 })
    }

    pub fn processes(mut self, limit: u32) -> Self {
        self.0.limits.processes = Some(limit);
        self
    }

    pub fn memory(mut self, limit: u64) -> Self {
        self.0.limits.memory = Some(limit);
        self
    }

    pub fn pipefail(self) -> Self {
        Self(Work { pipefail: true, ..self.0 })
    }

    pub fn directory(self, path: &Path) -> Self {
        Self(Work { directory: path.to_str().unwrap().to_owned(), ..self.0 })
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.0.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn secret(self, name: &str, version: &str) -> Self {
        Self(Work { secrets: [(name.to_owned(), version.to_owned())].into(), ..self.0 })
    }

    pub fn mask_files(self, files: &[&str]) -> Self {
        Self(Work { mask_files: files.iter().map(|file| (*file).to_owned()).collect(), ..self.0 })
    }

    pub fn exports(self, names: &[&str]) -> Self {
        Self(Work { exports: names.iter().map(|name| (*name).to_owned()).collect(), ..self.0 })
    }

    pub fn carried(self, carried: Carried) -> Self {
        Self(Work { carried: Some(carried), ..self.0 })
    }

    pub fn environment(self, environment: BTreeMap<String, String>) -> Self {
        Self(Work { environment, ..self.0 })
    }

    /// The same step in every kind of shell that is here: bash and dash, on a terminal and on pipes.
    pub fn everywhere(&self) -> [(&'static str, Self); 4] {
        let dash = self.clone().shell(&["dash"]);
        [
            ("bash, terminal", self.clone()),
            ("bash, pipes", self.clone().pipes()),
            ("dash, terminal", dash.clone()),
            ("dash, pipes", dash.pipes()),
        ]
    }
}

impl Finished {
    pub fn text(&self) -> String {
        String::from_utf8(self.output.clone()).unwrap()
    }

    pub fn result(&self) -> &AttemptResult {
        &self.exit.result
    }

    /// How a command ended.
    pub fn command(&self, number: u32) -> &CommandEnd {
        let end = self.marks.iter().find_map(|mark| match mark {
            Mark::Ended { command, end, .. } if *command == number => Some(end),
            _ => None,
        });
        end.expect("the command ended")
    }

    pub fn outcome(&self, number: u32) -> Outcome {
        self.command(number).outcome
    }

    pub fn codes(&self) -> Vec<Option<i32>> {
        let code = |mark: &Mark| match mark {
            Mark::Ended { end, .. } => Some(end.code),
            Mark::Started { .. } => None,
        };
        self.marks.iter().filter_map(code).collect()
    }

    /// What a command printed, by the marks alone.
    pub fn printed(&self, number: u32) -> String {
        let place = |is_end: bool| {
            let place = self.marks.iter().find_map(|mark| match mark {
                Mark::Started { command, offset, .. } if *command == number && !is_end => Some(*offset),
                Mark::Ended { command, offset, .. } if *command == number && is_end => Some(*offset),
                _ => None,
            });
            usize::try_from(place.expect("the command has both marks")).unwrap()
        };
        String::from_utf8_lossy(&self.output[place(false)..place(true)]).into_owned()
    }
}

/// Whether a process of this kind with this argument lives.
pub fn lives(argument: &str) -> bool {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.into_iter().any(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}

/// An argument for `sleep` that nobody else on this machine uses, not even the same test at another target.
pub fn unique(number: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{number}.{}{:04}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
