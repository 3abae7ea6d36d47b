//! Starts the binary with nothing of this machine's environment but a PATH, and ends it with the test.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::waiting::processes;

/// A document with one procedure: a slow step, a step that fails, and a line to tick.
pub const DOCUMENT: &str = "# Count slowly

Counts, and says so.

## Steps

1. **Count**

   ```bash
   # Count to three
   for i in 1 2 3; do echo \"line $i\"; sleep 0.1; done

   # Say where
   pwd
   ```

2. **Look twice**

   - The lines are there

## Expected outcome

- Three lines were counted
";

/// A folder for one portal: documents, and a place for data.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// With one good document.
    pub fn with_document() -> Self {
        let place = Self::empty();
        place.write("runbooks/count.md", DOCUMENT);
        place
    }

    /// With an empty folder of documents.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("runbooks")).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The names of everything below a folder, to see that nothing was written.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    /// A step outlives its portal, and so a test that failed in the middle; nothing of it is left on the machine.
    fn drop(&mut self) {
        for left in processes(self.folder.path(), "") {
            let _ = kill_process(left, Signal::KILL);
        }
    }
}

/// The binary that is tested.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_runbook-portal");

/// The binary, in a folder, with a bare environment.
pub fn binary(place: &Path) -> Command {
    program(Path::new(PROGRAM), place)
}

fn program(path: &Path, place: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear().current_dir(place).stdin(Stdio::null());
    for name in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Runs the binary to its end.
pub fn run(place: &Place, arguments: &[&str]) -> Output {
    binary(place.folder.path()).args(arguments).output().unwrap()
}

/// What was said on standard error.
pub fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Serves until the portal has refused: its exit code and what it said. A portal that starts after all is ended.
pub fn refused(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = binary(place.folder.path());
    command.arg("serve").args(arguments);
    if !arguments.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    refused_by(command)
}

/// The same of a command that is to end by itself.
pub fn refused_by(mut command: Command) -> (Option<i32>, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if let Some(line) = BufReader::new(child.stdout.take().unwrap()).lines().next() {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("the portal started: {}", line.unwrap());
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), complaint(&output))
}

/// Whether somebody made an account here: the mark that a browser of these tests leaves.
fn is_set_up(place: &Place) -> bool {
    place.path("set-up").exists()
}

/// A portal that serves.
pub struct Served {
    child: Child,
    /// As `http://127.0.0.1:PORT`.
    pub address: String,
    /// The token of the set-up link, while nobody had an account.
    pub token: Option<String>,
}

impl Served {
    /// Starts on a free port and waits until it is ready.
    pub fn start(place: &Place) -> Self {
        Self::start_with(place, &[])
    }

    /// The same, with more arguments.
    pub fn start_with(place: &Place, arguments: &[&str]) -> Self {
        Self::start_program(place, Path::new(PROGRAM), arguments, &[])
    }

    /// The same, with more variables.
    pub fn start_among(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_program(place, Path::new(PROGRAM), arguments, variables)
    }

    /// The same from a binary that lies elsewhere.
    pub fn start_program(place: &Place, path: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = program(path, place.folder.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(place.path("portal.log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let Some(first) = lines.next() else {
            panic!("the portal did not start: {}", std::fs::read_to_string(place.path("portal.log")).unwrap());
        };
        let address = first.rsplit(' ').next().unwrap().to_owned();
        // While nobody has an account a sentence and the link follow, in the same write as the first line.
        let token = (!is_set_up(place)).then(|| lines.nth(1).unwrap().split_once("token=").unwrap().1.to_owned());
        Self { child, address, token }
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        self.address.strip_prefix("http://").unwrap()
    }

    /// A connection by hand.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.host()).unwrap()
    }

    /// The most memory that it has had so far, in KiB.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// Its memory by the name of a line in its status, in KiB.
    pub fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
