//! The system's OpenSSH: its configuration for one target, and the one connection that all links to it share.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use domain::Digest;
use domain::target::Ssh;
use rustix::fs::FlockOperation;

mod place;

use super::reason;
use place::Place;

/// The name under which the configuration knows the target.
const HOST: &str = "target";

/// The code that ssh keeps for itself: no way was found, and nothing was run.
const NO_WAY: i32 = 255;

/// One target, with its configuration written and the socket of its connection named.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    place: Place,
    config: String,
    /// The key file that the client itself has to read.
    key: Option<String>,
}

impl Connection {
    /// Writes the configuration into a folder that only the portal can read. What belongs together (`group`: a run, or what the
    /// portal looks at for itself) shares one connection.
    pub(crate) fn prepare(target: &Ssh, folder: &Path, group: &str) -> io::Result<Self> {
        let digest = Digest::of(format!("{group}\n{}", serde_json::to_string(target)?).as_bytes()).to_string();
        let place = Place::new(folder, &digest)?;
        let config = config(target, place.socket.as_deref());
        if place.configure(&config)? {
            place::clear(folder, &place);
        }
        let key = target.identity_file.clone().filter(|key| target.agent.is_none() && key.starts_with('/'));
        Ok(Self { place, config, key })
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

    /// Sees to it that there is a connection. Whoever comes meanwhile waits for it, and for nothing more: when it fails, it has
    /// failed for all of them.
    fn connect(&self) -> Result<(), String> {
        let unready = |error: io::Error| format!("ssh could not be started here ({}).", error.kind());
        let before = self.place.failure();
        let lock = self.place.open_lock().map_err(unready)?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|error| unready(error.into()))?;
        // Somebody may have cleared it away.
        self.place.configure(&self.config).map_err(unready)?;
        if self.is_connected() {
            return Ok(());
        }
        let since = self.place.failure().filter(|since| before.as_ref() != Some(since));
        if let Some((_, reason)) = since {
            return Err(reason);
        }
        let made = self.make().map_err(unready)?;
        self.place.note(made.as_ref().err()).map_err(unready)?;
        made
    }

    /// Takes the way once, for a program that does nothing. The client stays in the background where it has a socket, and ends where
    /// it has none: so none is ever left that nobody can use.
    fn make(&self) -> io::Result<Result<(), String>> {
        let way = self.place.fresh_logs()?;
        let ended = self
            .ssh()
            // Unless it is told to say more, nobody hears the clients of the machines on the way.
            .args(["-v", "-T", "-o", "ControlMaster=auto", "-E"])
            .arg(&self.place.log)
            .args([HOST, "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // What the clients of the machines on the way complain of.
            .stderr(way)
            .status()?;
        if ended.code().is_some_and(|code| code != NO_WAY) {
            return Ok(Ok(()));
        }
        let said = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        Ok(Err(reason::of(&said(&self.place.log), &said(&self.place.way), self.complaint().as_deref())))
    }

    /// What `ssh-keygen` says against the key file; the client itself says nothing of most of it.
    fn complaint(&self) -> Option<String> {
        let mut asked = Command::new("ssh-keygen");
        asked.args(["-y", "-P", "", "-f", self.key.as_deref()?]).stdin(Stdio::null()).stdout(Stdio::null());
        let asked = asked.output().ok()?;
        (!asked.status.success()).then(|| String::from_utf8_lossy(&asked.stderr).into_owned())
    }

    fn is_connected(&self) -> bool {
        let mut asked = self.ssh();
        asked.args(["-O", "check", HOST]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    }

    fn ssh(&self) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.place.config);
        command
    }
}

/// The configuration: nothing of the user's own, nothing is asked, nothing is forwarded, nothing unknown is trusted.
fn config(target: &Ssh, socket: Option<&Path>) -> String {
    let Ssh { host, user, port, identity_file, agent, known_hosts, jump } = target;
    let socket = socket.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let own = [
        ("HostName", Some(host.clone())),
        ("User", Some(user.clone())),
        ("Port", Some(port.to_string())),
        ("ControlPath", Some(socket)),
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

        let text = config(&target, Some(Path::new("/data/ssh/abc")));

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
    fn without_a_socket_no_connection_is_shared() {
        let target = Ssh {
            host: "h".to_owned(),
            user: "u".to_owned(),
            port: 22,
            identity_file: None,
            agent: Some("/run/agent".to_owned()),
            known_hosts: "/k".to_owned(),
            jump: Vec::new(),
        };

        let text = config(&target, None);

        assert!(text.contains("ControlPath \"none\"") && text.contains("IdentityAgent \"/run/agent\""), "{text}");
    }
}
