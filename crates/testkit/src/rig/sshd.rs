//! A real OpenSSH server of its own: its keys, its port and its log in a folder that goes away with it.

use std::fmt::Write as _;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use domain::target::Ssh;
use tempfile::TempDir;

use super::{Process, program, skipped};

/// Ports from here to the ephemeral ones: while the server is stopped, no outgoing connection takes its port.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A server that lets in the user who runs the tests, with one key.
#[derive(Debug)]
pub struct Sshd {
    folder: TempDir,
    program: PathBuf,
    user: String,
    port: u16,
    listener: Option<Child>,
    /// Sessions that have outlived a listener.
    left: Vec<Process>,
}

impl Sshd {
    /// Starts one; `None` where OpenSSH is not installed.
    ///
    /// # Panics
    ///
    /// When it is installed and does not start.
    pub fn start() -> Option<Self> {
        let Some(program) = program("sshd").filter(|_| super::program("ssh-keygen").is_some()) else {
            skipped("no OpenSSH server is installed (Debian: openssh-server)");
            return None;
        };
        prepare_separation();
        let folder = TempDir::new().expect("a place for temporary files");
        for key in ["host", "client"] {
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"])
                .arg(folder.path().join(key)));
        }
        let at = |name: &str| folder.path().join(name);
        std::fs::copy(at("client.pub"), at("authorized_keys")).expect("the folder can be written");
        let host = std::fs::read_to_string(at("host.pub")).expect("the key was made");
        std::fs::write(at("known_hosts"), format!("* {host}")).expect("the folder can be written");
        let user = run(Command::new("id").arg("-un")).trim().to_owned();
        let mut sshd = Self { folder, program, user, port: free_port(), listener: None, left: Vec::new() };
        sshd.configure();
        sshd.start_again();
        Some(sshd)
    }

    /// How a portal reaches it.
    pub fn target(&self) -> Ssh {
        self.target_through(self.address())
    }

    /// How a portal reaches it through something that stands before it.
    pub fn target_through(&self, address: SocketAddr) -> Ssh {
        Ssh {
            host: address.ip().to_string(),
            user: self.user.clone(),
            port: address.port(),
            identity_file: Some(self.path("client")),
            agent: None,
            known_hosts: self.path("known_hosts"),
            jump: Vec::new(),
        }
    }

    /// Lets in who has another private key as well.
    ///
    /// # Panics
    ///
    /// When there is no public key beside it.
    pub fn let_in(&self, identity: &Path) {
        let key =
            std::fs::read_to_string(identity.with_extension("pub")).expect("a public key lies beside a private one");
        let known = std::fs::read_to_string(self.path("authorized_keys")).expect("it was written");
        std::fs::write(self.path("authorized_keys"), known + &key).expect("the folder can be written");
    }

    /// From now on every session runs a script before what it was asked for, in a file system of its own: what is mounted there is
    /// seen by nobody else.
    ///
    /// # Panics
    ///
    /// When its folder cannot be written.
    pub fn before_sessions(&self, script: &str) {
        let before = self.path("before");
        std::fs::write(&before, format!("{script}\nexec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\n"))
            .expect("the folder can be written");
        let key = std::fs::read_to_string(self.path("client.pub")).expect("it was made");
        let line = format!("command=\"exec unshare --mount /bin/sh -e {before}\" {key}");
        std::fs::write(self.path("authorized_keys"), line).expect("the folder can be written");
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends the listener, as a restart of the service does: sessions live on, nobody new is let in.
    ///
    /// # Panics
    ///
    /// Never: the listener is a child of this process.
    pub fn stop(&mut self) {
        if let Some(mut listener) = self.listener.take() {
            let pid = listener.id().try_into().expect("a process number");
            self.left.extend(sessions(pid));
            if let Some(listener) = Process::look(pid) {
                listener.signal(rustix::process::Signal::TERM);
            }
            listener.wait().expect("a child can be waited for");
        }
        self.left.retain(Process::lives);
    }

    /// Ends the listener and every session, as the end of the machine would. What runs in a session is not killed, but
    /// loses its terminal and its pipes.
    pub fn stop_with_sessions(&mut self) {
        self.stop();
        self.left.drain(..).for_each(|session| session.kill());
    }

    /// Starts it again on the same port, and waits until it says its name there.
    ///
    /// # Panics
    ///
    /// When it runs, or ends at once.
    pub fn start_again(&mut self) {
        assert!(self.listener.is_none(), "it runs already");
        let mut command = Command::new(&self.program);
        // In a group of its own: Ctrl-C is for the tests, which end it themselves.
        command.arg("-D").arg("-f").arg(self.path("config")).arg("-E").arg(self.path("log")).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut listener = command.spawn().expect("the server is a program");
        while !answers(self.address()) {
            let ended = listener.try_wait().expect("a child can be waited for");
            assert!(ended.is_none(), "the server ended: {}", self.log());
            std::thread::yield_now();
        }
        self.listener = Some(listener);
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn configure(&self) {
        let mut text = String::new();
        let own = [
            ("ListenAddress", self.address().to_string()),
            ("HostKey", self.path("host")),
            ("AuthorizedKeysFile", self.path("authorized_keys")),
        ];
        let common = COMMON.iter().map(|(name, value)| (*name, (*value).to_owned()));
        for (name, value) in own.into_iter().chain(common) {
            let _ = writeln!(text, "{name} {value}");
        }
        let config = self.path("config");
        std::fs::write(&config, &text).expect("the folder can be written");
        // Newer servers shut out an address from which connections are broken off, as tests do all the time.
        let penalties = "PerSourcePenalties no";
        let tried = Command::new(&self.program).args(["-t", "-o", penalties, "-f", &config]).output();
        if tried.is_ok_and(|tried| tried.status.success()) {
            std::fs::write(&config, text + penalties + "\n").expect("the folder can be written");
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop_with_sessions();
    }
}

const COMMON: [(&str, &str); 11] = [
    ("PidFile", "none"),
    // The folder of a test may lie below one that everybody can write.
    ("StrictModes", "no"),
    ("UsePAM", "no"),
    ("PasswordAuthentication", "no"),
    ("KbdInteractiveAuthentication", "no"),
    ("PermitRootLogin", "prohibit-password"),
    ("AllowTcpForwarding", "yes"),
    ("MaxStartups", "100"),
    ("MaxSessions", "100"),
    ("UseDNS", "no"),
    ("LogLevel", "VERBOSE"),
];

/// Run by root, the server wants an empty folder in which its unprivileged half is locked up. The service's unit makes it; here
/// there may be no service.
fn prepare_separation() {
    let folder = Path::new("/run/sshd");
    if rustix::process::geteuid().is_root() && !folder.is_dir() {
        std::fs::create_dir_all(folder).expect("root can make a folder in /run");
    }
}

/// The server's own processes below the listener: the sessions, and not what runs in them.
fn sessions(listener: i32) -> Vec<Process> {
    Process::below(listener).into_iter().filter(|process| process.name.starts_with("sshd")).collect()
}

/// Whether a server says there that it is one for ssh.
fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut banner = [0; 4];
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    stream.read_exact(&mut banner).is_ok() && banner == *b"SSH-"
}

/// A port of this machine at which nobody listens, and which no outgoing connection takes.
///
/// # Panics
///
/// When there is none.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let many = PORTS.end - PORTS.start;
    let first = u16::try_from(std::process::id() % u32::from(many)).expect("less than all ports");
    let port = |_| PORTS.start + (first + NEXT.fetch_add(1, Ordering::SeqCst)) % many;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (0..many).map(port).find(is_free).expect("a free port")
}

/// What a command prints.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program is there");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
