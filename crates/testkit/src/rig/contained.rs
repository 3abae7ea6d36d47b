//! A container with a shell, on an engine that has no registry.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::target::Which;
use tempfile::TempDir;

use super::{Dockerd, Process, program, skipped};

/// What a container is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// The programs of this machine, which the container sees as its own: bash, script, ps and whatever else there is.
    Host,
    /// One static busybox, with its `sh`, and nothing else.
    Busybox,
    /// One static program, which sleeps: not even a shell.
    Static,
}

/// A container that runs, and that is removed with this value. Its first process does nothing, and reaps nobody.
#[derive(Debug)]
pub struct Contained {
    engine: &'static Dockerd,
    name: String,
    /// The words of the client that made it.
    made: Vec<String>,
}

impl Contained {
    /// Starts one on the engine that the tests share. It sees these folders at the same places as this machine does. `None`
    /// where there is no engine, or nothing of which the image could be made.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn start(image: Image, folders: &[&Path]) -> Option<Self> {
        Self::labelled(image, folders, &[])
    }

    /// The same with labels, as `key=value`.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn labelled(image: Image, folders: &[&Path], labels: &[&str]) -> Option<Self> {
        Self::on(Dockerd::shared()?, image, folders, labels)
    }

    /// The same on another engine.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn on(engine: &'static Dockerd, image: Image, folders: &[&Path], labels: &[&str]) -> Option<Self> {
        let labels = labels.iter().flat_map(|label| ["--label", label]).collect::<Vec<_>>();
        Self::with(engine, image, folders, &labels, &[])
    }

    /// The same with options of `docker run`, and with what its first process does when it is not to do nothing.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn with(
        engine: &'static Dockerd,
        image: Image,
        folders: &[&Path],
        options: &[&str],
        program: &[&str],
    ) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        image.make(engine)?;
        let name = format!("portal-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let network = if options.contains(&"--network") { &[][..] } else { &["--network", "none"] };
        let folders = folders.iter().map(|folder| format!("{0}:{0}", folder.display()));
        let mounts: Vec<String> = image.mounts().into_iter().chain(folders).collect();
        let mut words = vec!["run", "--detach", "--name", &name];
        words.extend(network);
        words.extend(mounts.iter().flat_map(|mount| ["--volume", mount]));
        words.extend(options);
        words.push(image.name());
        words.extend(program);
        let made = words.into_iter().map(str::to_owned).collect();
        let contained = Self { engine, name, made };
        contained.make();
        Some(contained)
    }

    /// The words of the client that make it, after `docker`.
    pub fn made(&self) -> &[String] {
        &self.made
    }

    fn make(&self) {
        let words: Vec<&str> = self.made.iter().map(String::as_str).collect();
        self.engine.client(&words);
    }

    /// Removes it, and makes another one of the same name in its place.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn make_anew(&self) {
        self.remove();
        self.make();
    }

    /// Kills its first process, and waits until that is gone.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn kill_first(&self) {
        let pid = self.engine.client(&["inspect", "--format", "{{.State.Pid}}", &self.name]);
        if let Some(first) = pid.parse().ok().and_then(Process::look) {
            first.kill();
        }
    }

    /// How a portal finds it.
    pub fn target(&self) -> domain::target::Container {
        domain::target::Container { which: Which::Name(self.name.clone()), user: None }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its engine.
    pub fn engine(&self) -> &'static Dockerd {
        self.engine
    }

    /// The command lines of everything that runs in it.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn programs(&self) -> Vec<String> {
        let listed = self.engine.client(&["top", &self.name, "-eo", "pid,args"]);
        let line = |line: &str| Some(line.trim_start().split_once(' ')?.1.trim().to_owned());
        listed.lines().skip(1).filter_map(line).collect()
    }

    /// Ends it, and leaves it there.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn stop(&self) {
        self.engine.client(&["stop", "--time", "0", &self.name]);
    }

    /// Starts it again.
    ///
    /// # Panics
    ///
    /// When the engine refuses.
    pub fn start_again(&self) {
        self.engine.client(&["start", &self.name]);
    }

    /// Removes it, with whatever runs in it.
    pub fn remove(&self) {
        self.engine.ask(&["rm", "--force", "--volumes", &self.name]);
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The folders of programs and libraries, where they are no links into `/usr`.
const PROGRAMS: [&str; 4] = ["/bin", "/sbin", "/lib", "/lib64"];

impl Image {
    const fn name(self) -> &'static str {
        match self {
            Self::Host => "portal-host",
            Self::Busybox => "portal-busybox",
            Self::Static => "portal-static",
        }
    }

    fn mounts(self) -> Vec<String> {
        match self {
            Self::Host => {
                let real =
                    PROGRAMS.into_iter().filter(|path| Path::new(path).is_dir() && !Path::new(path).is_symlink());
                ["/usr"].into_iter().chain(real).map(|path| format!("{path}:{path}:ro")).collect()
            }
            Self::Busybox | Self::Static => Vec::new(),
        }
    }

    /// Gives it to the engine, which knows no registry: as the archive of a small file system.
    fn make(self, engine: &Dockerd) -> Option<()> {
        let mut made = engine.images.lock().unwrap_or_else(PoisonError::into_inner);
        if made.contains(&self.name()) {
            return Some(());
        }
        let root = TempDir::new().expect("a place for temporary files");
        lay_out(root.path());
        match self {
            Self::Host => links_to_the_host(root.path()),
            Self::Busybox => busybox(root.path())?,
            Self::Static => std::fs::rename(&alone(root.path())?, root.path().join("bin/sleep")).expect("it is there"),
        }
        import(engine, root.path(), self.name());
        made.push(self.name());
        Some(())
    }
}

fn lay_out(root: &Path) {
    for folder in ["dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "usr", "var/tmp"] {
        std::fs::create_dir_all(root.join(folder)).expect("the folder can be written");
    }
    for folder in ["tmp", "var/tmp"] {
        std::fs::set_permissions(root.join(folder), std::fs::Permissions::from_mode(0o1777)).expect("it is ours");
    }
    for file in ["passwd", "group", "services"] {
        let _ = std::fs::copy(Path::new("/etc").join(file), root.join("etc").join(file));
    }
}

fn links_to_the_host(root: &Path) {
    for path in PROGRAMS.map(Path::new) {
        let inside = root.join(path.strip_prefix("/").expect("it is absolute"));
        match std::fs::read_link(path) {
            Ok(to) => symlink(to, inside).expect("the folder can be written"),
            Err(_) => std::fs::create_dir_all(inside).expect("the folder can be written"),
        }
    }
    // Which of several programs is meant by a name, and where the libraries are.
    for name in ["alternatives", "ld.so.cache"] {
        copy(&Path::new("/etc").join(name), &root.join("etc"));
    }
}

fn copy(from: &Path, into: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(into).stderr(Stdio::null()).status();
    copied.expect("cp is a program");
}

fn busybox(root: &Path) -> Option<()> {
    let busybox = alone(root)?;
    let listed = std::process::Command::new(&busybox).arg("--list").output().expect("busybox is a program");
    for name in String::from_utf8_lossy(&listed.stdout).lines().filter(|name| *name != "busybox") {
        symlink("busybox", root.join("bin").join(name)).expect("the folder can be written");
    }
    Some(())
}

/// The one program, without its other names; gives its place.
fn alone(root: &Path) -> Option<PathBuf> {
    let Some(busybox) = program("busybox") else {
        skipped("no busybox is installed of which a container could be made (Debian: busybox-static)");
        return None;
    };
    let place = root.join("bin/busybox");
    std::fs::create_dir(root.join("bin")).expect("the folder can be written");
    std::fs::copy(&busybox, &place).expect("the folder can be written");
    Some(place)
}

fn import(engine: &Dockerd, root: &Path, name: &str) {
    let mut tar = std::process::Command::new("tar");
    let mut tar = tar.arg("-C").arg(root).args(["-c", "."]).stdout(Stdio::piped()).spawn().expect("tar is a program");
    let archive = tar.stdout.take().expect("it was asked for");
    let words = ["import", "--change", r#"CMD ["sleep","infinity"]"#, "-", name];
    let imported = engine.command(&words).stdin(archive).output().expect("the client is a program");
    assert!(imported.status.success(), "docker import: {}", String::from_utf8_lossy(&imported.stderr));
    tar.wait().expect("a child can be waited for");
}
