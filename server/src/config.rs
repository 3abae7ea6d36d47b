//! The configuration: a file, overridden by the environment, overridden by the command line.
//!
//! Everything is parsed here; what comes out can be used as it is. A mistake is one sentence with its place, and nothing is
//! started then.

mod approval;
mod file;
mod identity;
mod networks;
mod public_url;
mod target;
mod telling;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Lowering;
use domain::approval::ApprovalRules;
use portal::{Channels, CheckpointSettings, Keep, SecretSources, TargetSettings};

use crate::cli::ServeArguments;
use file::ConfigFile;
use identity::IdentityTable;
use target::TargetTable;

pub use file::{ConfigError, DOCUMENTED};
pub(crate) use identity::is_safe;
pub use identity::{IdentitySettings, OidcSettings, ProxyIdentity};
pub use networks::Networks;
pub use public_url::PublicUrl;

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "portal.toml";

/// What a server needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// The folder of runbook documents.
    pub runbooks: PathBuf,
    /// The address that people use, when it is not the one to listen on.
    pub public_url: Option<PublicUrl>,
    /// The proxies that are believed when they say whose request they bring.
    pub proxies: Networks,
    /// From where the figures of the portal may be read.
    pub metrics: Networks,
    /// How long a session lasts.
    pub sessions: SessionLimits,
    /// The targets, in the order of the file.
    pub targets: Vec<TargetSettings>,
    /// The commands whose class an administrator lowered.
    pub lowerings: Vec<Lowering>,
    /// What needs an approval, and how long one holds.
    pub approvals: ApprovalRules,
    /// Where the values of secrets come from.
    pub secrets: SecretSources,
    /// How people are told of what waits for them.
    pub channels: Channels,
    /// Where and how often checkpoints are kept.
    pub checkpoints: CheckpointSettings,
    /// How the log is written.
    pub log: LogFormat,
    /// Who vouches for people, and what they may do then.
    pub identity: IdentitySettings,
}

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request.
    pub idle: Duration,
    /// At most, whatever happens.
    pub absolute: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: Duration::from_hours(12), absolute: Duration::from_hours(7 * 24) }
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// What the portal takes over from its own environment into that of a local target.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `PATH`.
    pub path: Option<String>,
    /// `HOME`.
    pub home: Option<String>,
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// The directory in which the portal was started.
    pub directory: PathBuf,
    /// The secrets among its variables.
    pub secrets: SecretSources,
}

impl Surroundings {
    /// Those of this process.
    ///
    /// # Errors
    ///
    /// When the directory in which it was started is gone.
    pub fn of_this_process() -> std::io::Result<Self> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Ok(Self {
            path: variable("PATH"),
            home: variable("HOME"),
            docker_host: variable("DOCKER_HOST"),
            directory: std::env::current_dir()?,
            // What is not UTF-8 can be neither a name nor a value.
            secrets: SecretSources::of_environment(
                std::env::vars_os()
                    .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
            ),
        })
    }
}

impl Config {
    /// Puts the configuration together.
    ///
    /// # Errors
    ///
    /// One sentence with the place of the mistake.
    pub fn load(arguments: &ServeArguments, surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let named = arguments.config.as_deref();
        let path = surroundings.directory.join(named.unwrap_or(Path::new(DEFAULT_FILE)));
        let shown = named.unwrap_or(Path::new(DEFAULT_FILE)).display().to_string();
        let mut file = match std::fs::read_to_string(&path) {
            Ok(text) => Some(ConfigFile::parse(&text, &shown)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => None,
            Err(error) => return Err(ConfigError::unreadable(&shown, &error)),
        };
        let folder = path.parent().unwrap_or(Path::new("/"));
        let identity = file.as_mut().map(|file| std::mem::take(&mut file.identity)).unwrap_or_default();
        Self::assemble(file, folder, arguments, surroundings)
            .vouched_for(identity)
            .map_err(|what| ConfigError::identity(&shown, what))
    }

    /// The same with who vouches for people; the secrets of that are the portal's own.
    fn vouched_for(mut self, identity: IdentityTable) -> Result<Self, String> {
        let secrets = self.secrets.take(identity.secret_names().collect());
        self.identity = identity.settings(&secrets, &self.proxies, self.public_url.as_ref())?;
        Ok(self)
    }

    fn assemble(
        file: Option<ConfigFile>,
        folder: &Path,
        arguments: &ServeArguments,
        surroundings: &Surroundings,
    ) -> Self {
        let targets = match &file {
            Some(file) => file.targets.iter().map(|(name, table)| table.settings(name, folder, surroundings)).collect(),
            None => vec![TargetTable::local().settings("local", folder, surroundings)],
        };
        let file = file.unwrap_or_default();
        let here = &surroundings.directory;
        let place = |argument: &Option<PathBuf>, in_file: &Option<PathBuf>, default: &str| match (argument, in_file) {
            (Some(path), _) => here.join(path),
            (None, Some(path)) => folder.join(path),
            (None, None) => here.join(default),
        };
        let limits = SessionLimits::default();
        let public_url = arguments.public_url.clone().or(file.public_url);
        let files = file.secrets.into_iter().map(|(name, path)| (name, folder.join(path)));
        let mut secrets = surroundings.secrets.clone().with_files(files);
        let portal = public_url.as_ref().map(ToString::to_string);
        let mut channels = Channels { mail: file.mail, webhooks: file.webhooks, portal, ..Channels::default() };
        channels.keep = file.notices_keep.map_or_else(Keep::default, Keep);
        channels.secrets = secrets.take(channels.secret_names());
        Self {
            listen: arguments.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000))),
            data: place(&arguments.data, &file.data, "data"),
            runbooks: place(&arguments.runbooks, &file.runbooks, "runbooks"),
            public_url,
            proxies: arguments.trusted_proxies.clone().or(file.proxies).unwrap_or_default(),
            metrics: arguments.metrics_from.clone().or(file.metrics).unwrap_or_else(Networks::this_machine),
            sessions: SessionLimits {
                idle: arguments.session_idle.or(file.session_idle).unwrap_or(limits.idle),
                absolute: arguments.session_absolute.or(file.session_absolute).unwrap_or(limits.absolute),
            },
            targets,
            lowerings: file.lowerings,
            approvals: file.approvals,
            secrets,
            channels,
            checkpoints: CheckpointSettings {
                folder: file.checkpoints.folder.map(|path| folder.join(path)),
                ..file.checkpoints
            },
            log: arguments.log_format.or(file.log_format).unwrap_or_default(),
            identity: IdentitySettings::default(),
        }
    }
}

/// A span as it is written in a configuration: `45s`, `30m`, `12h`, `7d`.
///
/// # Errors
///
/// A phrase that says what is expected.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{text}\" is not a length of time; write a number with s, m, h or d, such as \"12h\"");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        Some(seconds) if seconds > 0 && number < 100_000 => Ok(Duration::from_secs(seconds)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(folder: &Path) -> Surroundings {
        Surroundings {
            path: Some("/bin".to_owned()),
            home: Some("/home/o".to_owned()),
            docker_host: None,
            directory: folder.to_owned(),
            secrets: SecretSources::default(),
        }
    }

    fn load(text: Option<&str>, arguments: &ServeArguments) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            std::fs::write(folder.path().join("portal.toml"), text).unwrap();
        }
        Config::load(arguments, &surroundings(folder.path()))
    }

    #[test]
    fn without_a_file_there_is_the_local_target_and_everything_has_its_default() {
        let folder = tempfile::tempdir().unwrap();

        let config = Config::load(&ServeArguments::default(), &surroundings(folder.path())).unwrap();

        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.data, folder.path().join("data"));
        assert_eq!(config.runbooks, folder.path().join("runbooks"));
        assert_eq!(config.sessions, SessionLimits::default());
        assert_eq!(config.proxies, Networks::default());
        assert_eq!(config.metrics, Networks::this_machine());
        assert_eq!(config.targets.len(), 1);
        assert_eq!(config.targets[0].plan.name, "local");
    }

    #[test]
    fn a_file_that_names_no_target_is_refused() {
        let refusal = load(Some("listen = \"127.0.0.1:4000\"\n"), &ServeArguments::default()).unwrap_err().to_string();

        assert!(refusal.contains("portal.toml"), "{refusal}");
        assert!(refusal.contains("names no target"), "{refusal}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_name() {
        let cases = [
            ("lisen = \"127.0.0.1:4000\"\n", "portal.toml:1: ", "\"lisen\"", "\"listen\""),
            ("[proxy]\ntrust = []\n", "portal.toml:2: ", "\"proxy.trust\"", "\"proxy.trusted\""),
            ("[session]\nidel = \"1h\"\n", "portal.toml:2: ", "\"session.idel\"", "\"session.idle\""),
            (
                "[target.a]\nkind = \"local\"\nprodution = true\n",
                "portal.toml:3: ",
                "\"target.a.prodution\"",
                "\"target.a.production\"",
            ),
            ("[secret.token]\nflie = \"x\"\n", "portal.toml:2: ", "\"secret.token.flie\"", "\"secret.token.file\""),
            (
                "[mail]\npasword_secret = \"x\"\n",
                "portal.toml:2: ",
                "\"mail.pasword_secret\"",
                "\"mail.password_secret\"",
            ),
            ("[[webhook]]\nurl = \"x\"\n", "portal.toml:2: ", "\"webhook.url\"", "\"webhook.url_secret\""),
        ];

        for (text, place, wrong, near) in cases {
            let refusal = load(Some(text), &ServeArguments::default()).unwrap_err().to_string();

            assert!(refusal.starts_with(place), "{refusal}");
            assert!(refusal.contains(wrong) && refusal.contains(near), "{refusal}");
        }
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_line() {
        let cases = [
            "[target.a]\nkind = \"local\"\n[session]\nidle = \"soon\"\n",
            "[target.a]\nkind = \"local\"\n[proxy]\ntrusted = [\"10.0.0.0/99\"]\n",
            "[target.a]\nkind = \"local\"\n[log]\nformat = \"loud\"\n",
            "[target.a]\nkind = \"local\"\nabout = \"x\"\nproduction = \"yes\"\n",
            "[target.a]\nkind = \"local\"\n\ndirectory = \"relative/path\"\n",
        ];

        for text in cases {
            let refusal = load(Some(text), &ServeArguments::default()).unwrap_err().to_string();

            assert!(refusal.starts_with("portal.toml:4: "), "{refusal}");
        }
    }

    #[test]
    fn a_target_of_an_unknown_kind_is_refused() {
        let refusal =
            load(Some("[target.a]\nkind = \"teleport\"\n"), &ServeArguments::default()).unwrap_err().to_string();

        assert!(refusal.starts_with("portal.toml:2: "), "{refusal}");
        assert!(refusal.contains("teleport") && refusal.contains("local"), "{refusal}");
    }

    #[test]
    fn what_is_not_toml_is_refused_with_its_line() {
        let refusal = load(Some("listen = \n"), &ServeArguments::default()).unwrap_err().to_string();

        assert!(refusal.starts_with("portal.toml:1: "), "{refusal}");
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let text = "listen = \"127.0.0.1:4000\"\n[target.local]\nkind = \"local\"\n";
        let arguments = ServeArguments { listen: Some("127.0.0.1:5000".parse().unwrap()), ..ServeArguments::default() };

        let config = load(Some(text), &arguments).unwrap();

        assert_eq!(config.listen.port(), 5000);
    }

    #[test]
    fn targets_keep_the_order_of_the_file() {
        let text = "[target.zeta]\nkind = \"local\"\n[target.alpha]\nkind = \"local\"\nproduction = true\n";

        let config = load(Some(text), &ServeArguments::default()).unwrap();

        let names: Vec<&str> = config.targets.iter().map(|target| target.plan.name.as_str()).collect();
        assert_eq!(names, ["zeta", "alpha"]);
        assert!(config.targets[1].plan.production);
    }

    #[test]
    fn a_command_is_lowered_with_a_reason_or_the_file_is_refused() {
        let with = |rule: &str| {
            let text = format!("[target.a]\nkind = \"local\"\n\n[[lower]]\n{rule}");
            load(Some(&text), &ServeArguments::default())
        };

        let config = with("command = \"make check\"\nclass = \"reads\"\nreason = \"only tests\"\n").unwrap();
        assert_eq!(config.lowerings[0].command, "make check");
        assert_eq!(config.lowerings[0].class, domain::Risk::Reads);
        let cases = [
            ("command = \"x\"\nclass = \"destroys\"\nreason = \"y\"\n", "the highest class"),
            ("command = \"x\"\nclass = \"reads\"\nreason = \" \"\n", "a reason"),
            ("command = \"\"\nclass = \"reads\"\nreason = \"y\"\n", "exact text"),
            ("command = \"x\"\nclass = \"reads\"\n", "reason"),
            ("command = \"x\"\nclass = \"harmless\"\nreason = \"y\"\n", "harmless"),
            ("comand = \"x\"\n", "\"lower.command\""),
            (
                "command = \"x\"\nclass = \"reads\"\nreason = \"y\"\n[[lower]]\ncommand = \"x\"\nclass = \"changes\"\nreason = \"z\"\n",
                "keep one",
            ),
        ];
        for (rule, says) in cases {
            let refusal = with(rule).unwrap_err().to_string();

            assert!(refusal.contains(says) && refusal.contains("Nothing was started"), "{rule}: {refusal}");
        }
    }

    #[test]
    fn the_documented_file_is_accepted_and_says_the_defaults() {
        let config = load(Some(DOCUMENTED), &ServeArguments::default()).unwrap();

        let default = load(None, &ServeArguments::default()).unwrap();
        assert_eq!(config.listen, default.listen);
        assert_eq!(config.sessions, default.sessions);
        assert_eq!(config.proxies, default.proxies);
        assert_eq!(config.metrics, default.metrics);
        assert_eq!(config.log, default.log);
        assert_eq!(config.targets[0].plan.name, "local");
        assert_eq!(config.targets[0].plan.environment, default.targets[0].plan.environment);
    }

    #[test]
    fn what_a_channel_needs_is_kept_from_steps() {
        let folder = tempfile::tempdir().unwrap();
        let text = "public_url = \"https://ops.example.com/runbooks/\"\n[target.a]\nkind = \"local\"\n\
                    [[webhook]]\nname = \"ops\"\nkind = \"slack\"\nurl_secret = \"ops_url\"\n[secret.ops_url]\nfile = \"url\"\n";
        std::fs::write(folder.path().join("portal.toml"), text).unwrap();

        let config = Config::load(&ServeArguments::default(), &surroundings(folder.path())).unwrap();

        assert_eq!(config.channels.portal.as_deref(), Some("https://ops.example.com/runbooks"));
        assert_eq!(config.channels.webhooks[0].url, "ops_url");
        let (steps, own) = (format!("{:?}", config.secrets), format!("{:?}", config.channels.secrets));
        assert!(steps.contains("own: {\"ops_url\"}") && own.contains("own: {}"), "{steps} {own}");
    }

    #[test]
    fn a_span_is_a_number_with_a_unit() {
        assert_eq!(parse_span("12h"), Ok(Duration::from_hours(12)));
        assert_eq!(parse_span("7d"), Ok(Duration::from_hours(168)));
        for wrong in ["", "h", "12", "-1h", "0s", "1w", "9999999999999999999d", "1ü"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }
}
