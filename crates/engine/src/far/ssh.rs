//! The system's OpenSSH: its configuration for one target, and the one connection that all links to it share.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::Digest;
use domain::target::Ssh;
use rustix::fs::FlockOperation;

use super::reason;

/// The name under which the configuration knows the target.
const HOST: &str = "target";

/// Characters of a digest that tell connections apart.
const NAME: usize = 16;

/// Longer than that no path of a socket may be, with what ssh appends while it makes it.
const LONGEST_SOCKET: usize = 90;

/// One target, with its configuration written and the socket of its connection named.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    config: PathBuf,
    log: PathBuf,
    lock: PathBuf,
}

impl Connection {
    /// Writes the configuration into a folder that only the portal can read. What belongs together (`group`: a run, or what the
    /// portal looks at for itself) shares one connection.
    pub(crate) fn prepare(target: &Ssh, folder: &Path, group: &str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let digest = Digest::of(format!("{group}\n{}", serde_json::to_string(target)?).as_bytes()).to_string();
        // Short, for the socket's sake, and without a space: ssh hands the name of its configuration on unquoted.
        let name = digest.get(..NAME).unwrap_or(&digest);
        let at = |end: &str| folder.join(format!("{name}{end}"));
        let text = config(target, &at(""));
        if std::fs::read_to_string(at(".conf")).ok().as_ref() != Some(&text) {
            write(&at(".conf"), &text)?;
        }
        Ok(Self { config: at(".conf"), log: at(".log"), lock: at(".lock") })
    }

    /// The client, over the connection that is there, or one that is made now.
    ///
    /// # Errors
    ///
    /// With the reason in a sentence, when there is no way to the target.
    pub(crate) fn client(&self, line: &str) -> Result<Command, String> {
        self.connect()?;
        let mut command = self.ssh();
        command.args(["-T", "-o", "ControlMaster=no", HOST, line]);
        Ok(command)
    }

    /// Sees to it that there is a connection. Whoever comes meanwhile waits for it.
    fn connect(&self) -> Result<(), String> {
        let unready = |error: io::Error| format!("ssh could not be started here ({}).", error.kind());
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&self.lock);
        let lock = lock.map_err(unready)?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|error| unready(error.into()))?;
        if self.is_connected() {
            return Ok(());
        }
        let _ = std::fs::remove_file(&self.log);
        write(&self.log, "").map_err(unready)?;
        // The connection goes into the background when it stands, and must not keep anything of ours.
        let made = self
            .ssh()
            .args(["-f", "-N", "-T", "-o", "ControlMaster=yes", "-o", "LogLevel=DEBUG1", "-E"])
            .arg(&self.log)
            .arg(HOST)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(unready)?;
        if made.success() {
            return Ok(());
        }
        Err(reason::of(&std::fs::read_to_string(&self.log).unwrap_or_default()))
    }

    fn is_connected(&self) -> bool {
        let mut asked = self.ssh();
        asked.args(["-O", "check", HOST]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    }

    fn ssh(&self) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.config);
        command
    }
}

/// The configuration: nothing of the user's own, nothing is asked, nothing is forwarded, nothing unknown is trusted.
fn config(target: &Ssh, socket: &Path) -> String {
    let Ssh { host, user, port, identity_file, agent, known_hosts, jump } = target;
    let socket = Some(socket.display().to_string()).filter(|path| path.len() <= LONGEST_SOCKET);
    let own = [
        ("HostName", Some(host.clone())),
        ("User", Some(user.clone())),
        ("Port", Some(port.to_string())),
        ("ControlPath", socket.or_else(|| Some("none".to_owned()))),
    ];
    let common = [
        ("UserKnownHostsFile", Some(known_hosts.clone())),
        ("GlobalKnownHostsFile", Some("/dev/null".to_owned())),
        ("StrictHostKeyChecking", Some("yes".to_owned())),
        ("IdentityFile", identity_file.clone()),
        ("IdentitiesOnly", Some(if identity_file.is_some() { "yes" } else { "no" }.to_owned())),
        ("IdentityAgent", Some(agent.clone().unwrap_or_else(|| "none".to_owned()))),
    ];
    // This one must not stand in quotes.
    let jump = if jump.is_empty() { String::new() } else { format!("  ProxyJump {}\n", jump.join(",")) };
    let mut text = format!("Host {HOST}\n{}{jump}Host *\n{}", lines(&own), lines(&common));
    text.push_str(COMMON);
    text
}

const COMMON: &str = "  BatchMode yes
  UpdateHostKeys no
  PasswordAuthentication no
  KbdInteractiveAuthentication no
  ForwardAgent no
  ForwardX11 no
  ClearAllForwardings yes
  PermitLocalCommand no
  RequestTTY no
  EscapeChar none
  ConnectTimeout 10
  ConnectionAttempts 1
  ServerAliveInterval 5
  ServerAliveCountMax 3
  ControlPersist 60
  LogLevel ERROR
";

fn lines(settings: &[(&str, Option<String>)]) -> String {
    let set = settings.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    set.fold(String::new(), |text, (name, value)| text + &format!("  {name} \"{value}\"\n"))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("draft-{}", crate::shim::token()));
    let mut file: File = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_trusts_nothing_that_is_not_written_down_and_forwards_nothing() {
        let target = Ssh {
            host: "prod.example.com".to_owned(),
            user: "deploy".to_owned(),
            port: 2222,
            identity_file: Some("/etc/portal keys/id".to_owned()),
            agent: None,
            known_hosts: "/etc/portal/known".to_owned(),
            jump: vec!["gate@bastion:22".to_owned(), "inner".to_owned()],
        };

        let text = config(&target, Path::new("/data/ssh/abc"));

        for line in [
            "  HostName \"prod.example.com\"\n",
            "  Port \"2222\"\n",
            "  ProxyJump gate@bastion:22,inner\n",
            "  ControlPath \"/data/ssh/abc\"\n",
            "  IdentityFile \"/etc/portal keys/id\"\n",
            "  IdentityAgent \"none\"\n",
            "  StrictHostKeyChecking \"yes\"\n",
            "  ClearAllForwardings yes\n",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_socket_with_too_long_a_path_is_not_tried() {
        let target = Ssh {
            host: "h".to_owned(),
            user: "u".to_owned(),
            port: 22,
            identity_file: None,
            agent: Some("/run/agent".to_owned()),
            known_hosts: "/k".to_owned(),
            jump: Vec::new(),
        };

        let text = config(&target, &Path::new("/").join("x".repeat(100)));

        assert!(text.contains("ControlPath \"none\"") && text.contains("IdentityAgent \"/run/agent\""), "{text}");
    }
}
