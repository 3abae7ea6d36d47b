//! A real Docker engine of its own, with its socket, its images and its containers in a folder that goes away with it.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::{Process, program, skipped};

/// An engine that other engines of this machine do not notice: it has no network of its own.
#[derive(Debug)]
pub struct Dockerd {
    folder: PathBuf,
    program: PathBuf,
    client: PathBuf,
    driver: &'static str,
    extra: &'static [&'static str],
    daemon: Mutex<Option<Child>>,
    /// Ends everything when this process has ended, in whatever way: it holds the other end of its standard input.
    keeper: Child,
    pub(super) images: Mutex<Vec<&'static str>>,
}

/// Waits for the end of the tests; then ends the containers, the engine and its helper by their ids, and removes the folder.
const KEEPER: &str = r#"
cat >/dev/null
ended() { while [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status"; do sleep 0.1; done 2>/dev/null; }
"$2" -H "unix://$1/docker.sock" ps -aq 2>/dev/null | xargs -r "$2" -H "unix://$1/docker.sock" rm -f -v >/dev/null 2>&1
for name in docker.pid exec/containerd/containerd.pid; do
  [ -s "$1/$name" ] || continue
  read -r pid <"$1/$name" || [ -n "$pid" ] || continue
  case $(cat "/proc/$pid/comm" 2>/dev/null) in dockerd | containerd) kill "$pid" && ended "$pid" ;; esac
done
# What an engine that was killed has left: its containers with the helpers that hold them, and their file systems.
for helper in $(grep -lsF "$1/exec" /proc/[0-9]*/cmdline | cut -d/ -f3); do
  case $(cat "/proc/$helper/comm" 2>/dev/null) in
  containerd-shim*) kill -KILL $(cat "/proc/$helper/task/$helper/children") "$helper" ;;
  esac
done 2>/dev/null
awk -v folder="$1/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l
rm -rf --one-file-system "$1"
"#;

/// Longer than that no engine takes to begin.
const BEGIN: Duration = Duration::from_mins(1);

impl Dockerd {
    /// The one engine that all tests of this process share; `None` where there can be none. Its containers end with the tests.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Dockerd>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[])).as_ref()
    }

    /// An engine of one's own, which may be stopped, with options of `dockerd`.
    ///
    /// # Panics
    ///
    /// When this machine has no place for temporary files.
    pub fn start(extra: &'static [&'static str]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skipped("only root can start a Docker engine for tests");
            return None;
        }
        let (Some(program), Some(client)) = (program("dockerd"), super::program("docker")) else {
            skipped("no Docker engine is installed (Debian: docker.io)");
            return None;
        };
        // The path of a socket is short, and the folder outlives this value: it is the keeper's.
        let folder = TempDir::with_prefix("portal-docker-").expect("a place for temporary files").keep();
        let keeper = keeper(&folder, &client);
        let mut engine = Self {
            folder,
            program,
            client,
            driver: "overlay2",
            extra,
            daemon: Mutex::default(),
            keeper,
            images: Mutex::default(),
        };
        for driver in ["overlay2", "vfs"] {
            engine.driver = driver;
            if engine.begin().is_ok() {
                return Some(engine);
            }
        }
        skipped(&format!("the Docker engine does not start here: {}", engine.last_words()));
        None
    }

    /// What `DOCKER_HOST` has to say.
    pub fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.display())
    }

    /// Stops it, and waits until it is gone. Its containers end with it, unless it was started with `--live-restore`.
    pub fn stop(&self) {
        self.end(Signal::TERM);
    }

    /// Kills it, and waits until it is gone. Its containers live on.
    pub fn kill(&self) {
        self.end(Signal::KILL);
    }

    /// From now on it takes requests, and answers none.
    pub fn halt(&self) {
        self.signal(Signal::STOP);
    }

    /// It answers again.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts it again, and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn start_again(&self) {
        self.begin().unwrap_or_else(|error| panic!("the engine did not start again ({error}): {}", self.last_words()));
    }

    /// Asks its client for something, and gives what that has printed.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn client(&self, words: &[&str]) -> String {
        let output = self.ask(words);
        assert!(output.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same, whatever comes of it.
    pub(super) fn ask(&self, words: &[&str]) -> Output {
        self.command(words).stdin(Stdio::null()).output().expect("the client is a program")
    }

    /// Its client with these words.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.client);
        command.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT").args(["-H", &self.host()]).args(words);
        command
    }

    fn begin(&self) -> io::Result<()> {
        let ready = self.folder.join("ready");
        let _ = std::fs::remove_file(&ready);
        let notices = UnixDatagram::bind(&ready)?;
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log"))?;
        let mut daemon = self
            .dockerd()
            .env("NOTIFY_SOCKET", &ready)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        notices.set_read_timeout(Some(Duration::from_millis(200)))?;
        let begun = std::time::Instant::now();
        let mut notice = [0; 256];
        // It tells when it is ready, as it would tell the system's service manager.
        while !notices.recv(&mut notice).is_ok_and(|length| notice[..length].starts_with(b"READY=1")) {
            if daemon.try_wait()?.is_some() || begun.elapsed() > BEGIN {
                let _ = daemon.kill();
                let _ = daemon.wait();
                return Err(io::Error::other("it ended, or was not ready within a minute"));
            }
        }
        *self.daemon.lock().unwrap_or_else(PoisonError::into_inner) = Some(daemon);
        Ok(())
    }

    /// An engine that was killed takes its helper with it, a moment later. The next engine would find it on its way out, or, where
    /// nobody reaps it, as a remnant, and would wait for it in vain.
    fn await_helper(&self) {
        let noted = self.folder.join("exec/containerd/containerd.pid");
        let pid = std::fs::read_to_string(&noted).ok().and_then(|pid| pid.trim().parse().ok());
        if let Some(helper) = pid.and_then(Process::look).filter(|found| found.name == "containerd") {
            helper.wait();
        }
        let _ = std::fs::remove_file(noted);
    }

    fn dockerd(&self) -> Command {
        let at = |name: &str| self.folder.join(name);
        let _ = std::fs::write(at("daemon.json"), "{}");
        // An engine without a network takes the bridge of every other one away. In a network of its own it finds none.
        let mut command = Command::new("unshare");
        command.arg("--net").arg(&self.program);
        command.arg("--config-file").arg(at("daemon.json")).arg("--data-root").arg(at("data"));
        command
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("docker.pid"))
            .arg("--host")
            .arg(self.host());
        command.args(["--bridge", "none", "--iptables=false", "--log-level", "warn", "--storage-driver", self.driver]);
        command.args(self.extra).process_group(0);
        command
    }

    fn end(&self, signal: Signal) {
        let daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut daemon) = daemon {
            if let Some(process) = daemon.id().try_into().ok().and_then(Process::look) {
                process.signal(signal);
            }
            let _ = daemon.wait();
            self.await_helper();
        }
    }

    fn signal(&self, signal: Signal) {
        let daemon = self.daemon.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = daemon.as_ref().and_then(|daemon| daemon.id().try_into().ok());
        if let Some(process) = pid.and_then(Process::look) {
            process.signal(signal);
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        log.lines().last().unwrap_or("it said nothing").to_owned()
    }
}

fn keeper(folder: &std::path::Path, client: &std::path::Path) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "portal-docker-keeper"]).arg(folder).arg(client).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("a shell")
}

/// Ends the engine; the keeper sees to the rest.
impl Drop for Dockerd {
    fn drop(&mut self) {
        self.resume();
        self.keeper.stdin.take();
        let _ = self.keeper.wait();
        self.end(Signal::TERM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_of_the_tests_takes_no_bridge_away_from_others() {
        let Some(engine) = Dockerd::start(&[]) else { return };
        let pid = engine.daemon.lock().unwrap().as_ref().unwrap().id();
        let network = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();

        assert_ne!(network(&pid.to_string()), network("self"));
    }
}
