//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::identity::Issuer;
use domain::policy::GroupName;

use crate::config::{LogFormat, Networks, PublicUrl, is_safe, parse_span};

/// Keeps an operations team's runbooks as plain Markdown and works through them together.
#[derive(Debug, Parser)]
#[command(name = "runbook-portal", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct CommandLine {
    /// What to do; nothing means `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `serve`.
    #[command(flatten)]
    pub serve: ServeArguments,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the portal (this is also what happens without a command)
    Serve(ServeArguments),
    /// Check documents: one finding a line, as `file:line: level: message`
    #[command(
        after_help = "Exit code: 0 nothing found, 1 something found, 2 a file could not be read, or nobody could look."
    )]
    Lint(LintArguments),
    /// Print what the reader sees in documents: procedures, parts, steps, commands with their risk
    #[command(after_help = "Exit code: 0, or 2 when a file could not be read. The JSON is a stable interface.")]
    Show(ReadArguments),
    /// Look after accounts while the portal is not running
    #[command(subcommand)]
    User(UserCommand),
    /// Look at every target and at the identity provider, or at the way from outside, and say in words what is missing there; the portal
    /// may run
    #[command(
        after_help = "Exit code: 0 runs can work on all of them, or the way is good; 1 not; 2 nobody could look."
    )]
    Doctor {
        /// Open a page and a stream by the public address, through the proxy, instead of looking at targets
        #[arg(long, conflicts_with = "targets")]
        from_outside: bool,
        /// Only these targets [default: all]
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Check that nobody has changed what is kept of the past
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copy the whole data folder into a new folder, with the keys in it; the portal may run
    #[command(after_help = "Exit code: 0 the backup is made, 1 it is not, and nothing is left of it.")]
    Backup {
        /// The folder that becomes the backup: it is not there yet, or empty
        #[arg(value_name = "TO")]
        to: PathBuf,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Check a backup and put it into a data folder that is not there yet, or empty
    #[command(after_help = "Exit code: 0 it is restored, or whole with --check; 1 it is not, and nothing was changed.")]
    Restore {
        /// The folder of the backup
        #[arg(value_name = "FROM")]
        from: PathBuf,
        /// Only check it, and restore nothing
        #[arg(long)]
        check: bool,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
}

/// What `audit` can do.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Read all events, checkpoints and outputs again, and name the first of each that was changed; the portal may run
    #[command(
        after_help = "Exit code: 0 everything is as it was recorded, 1 something is not, 2 it could not be read."
    )]
    Verify {
        /// The public key that you trust [default: the one of the key in the data folder]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Print the public key that checks this portal's checkpoints: keep it where nobody who can change the data can change it
    Key {
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Check the evidence bundle of a run and say what it proves; no portal and no data folder is needed
    #[command(after_help = "Exit code: 0 it proves what is printed, 1 it proves nothing, 2 it could not be read.")]
    Check {
        /// The bundle, as the page of a run offers it
        file: PathBuf,
        /// The public key that you trust; without it the one in the bundle is used, and its fingerprint is for you to compare
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

/// The arguments of `serve`.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArguments {
    /// The folder of runbook documents [default: ./runbooks]
    #[arg(long, value_name = "DIR", env = "PORTAL_RUNBOOKS", hide_env_values = true)]
    pub runbooks: Option<PathBuf>,
    /// The data folder: database, keys, output [default: ./data]
    #[arg(long, value_name = "DIR", env = "PORTAL_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR", env = "PORTAL_LISTEN", hide_env_values = true)]
    pub listen: Option<SocketAddr>,
    /// The configuration [default: ./portal.toml when it is there]
    #[arg(long, value_name = "FILE", env = "PORTAL_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// The address that people type, when a proxy stands before the portal
    #[arg(long, value_name = "URL", env = "PORTAL_PUBLIC_URL", hide_env_values = true)]
    pub public_url: Option<PublicUrl>,
    /// The proxies that say truthfully whose request they bring: addresses and networks, with commas [default: none]
    #[arg(long, value_name = "NETWORKS", env = "PORTAL_TRUSTED_PROXIES", hide_env_values = true)]
    pub trusted_proxies: Option<Networks>,
    /// From where /metrics may be read: addresses and networks, with commas [default: this machine]
    #[arg(long, value_name = "NETWORKS", env = "PORTAL_METRICS_FROM", hide_env_values = true)]
    pub metrics_from: Option<Networks>,
    /// A session ends after so long without a request [default: 12h]
    #[arg(long, value_name = "SPAN", env = "PORTAL_SESSION_IDLE", hide_env_values = true, value_parser = parse_span)]
    pub session_idle: Option<Duration>,
    /// A session ends after so long in any case [default: 7d]
    #[arg(long, value_name = "SPAN", env = "PORTAL_SESSION_ABSOLUTE", hide_env_values = true, value_parser = parse_span)]
    pub session_absolute: Option<Duration>,
    /// How the log is written [default: text]
    #[arg(long, value_enum, value_name = "FORMAT", env = "PORTAL_LOG_FORMAT", hide_env_values = true)]
    pub log_format: Option<LogFormat>,
    /// Print a configuration with every key, its default and its meaning, and serve nothing
    #[arg(long)]
    pub write_config: bool,
}

/// Where a portal keeps its data.
#[derive(Debug, Args)]
pub struct PlaceArguments {
    /// The data folder: database, keys, output [default: ./data]
    #[arg(long, value_name = "DIR", env = "PORTAL_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,
    /// The folder of runbook documents [default: ./runbooks]
    #[arg(long, value_name = "DIR", env = "PORTAL_RUNBOOKS", hide_env_values = true)]
    pub runbooks: Option<PathBuf>,
    /// The configuration [default: ./portal.toml when it is there]
    #[arg(long, value_name = "FILE", env = "PORTAL_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
}

impl From<PlaceArguments> for ServeArguments {
    fn from(place: PlaceArguments) -> Self {
        Self { data: place.data, runbooks: place.runbooks, config: place.config, ..Self::default() }
    }
}

/// The arguments of `lint`.
#[derive(Debug, Args)]
pub struct LintArguments {
    /// What is read
    #[command(flatten)]
    pub read: ReadArguments,
    /// Look at the targets, too, by reading only: retired software, and what commands name and is not there; the portal may run
    #[arg(long)]
    pub live: bool,
    /// The target to look at [default: the first that each procedure may use]
    #[arg(long, value_name = "NAME", requires = "live")]
    pub target: Option<String>,
    /// The configuration that has the targets [default: ./portal.toml when it is there]
    #[arg(long, value_name = "FILE", env = "PORTAL_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
}

/// The arguments of `lint` and `show`.
#[derive(Debug, Args)]
pub struct ReadArguments {
    /// Markdown files; the side file beside each (NAME.portal.toml) is read too
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How `lint` and `show` print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// What `user` can do.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account; the password is read from standard input
    Add {
        /// The name to sign in with
        login: String,
        /// The name that others see [default: the login]
        #[arg(long)]
        name: Option<String>,
        /// viewer, operator, lead or administrator
        #[arg(long, default_value = "operator", value_parser = parse_role)]
        role: domain::policy::Role,
        /// A group that they are in: procedures that are limited to it are theirs to see; may be given several times
        #[arg(long = "group", value_name = "NAME", value_parser = parse_group)]
        groups: Vec<GroupName>,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// List all accounts
    List {
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Give somebody another password, when theirs is forgotten: it is read from standard input; their sessions end
    Password {
        /// The name to sign in with
        login: String,
        /// Make a password and print it, instead of reading one
        #[arg(long)]
        make: bool,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Remove all second factors of somebody who has lost theirs; their sessions end
    ResetFactor {
        /// The name to sign in with
        login: String,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Make and print the code by which somebody whom the proxy names sets their first second factor up; it holds for a day
    EnrolmentCode {
        /// The name to sign in with
        login: String,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Bind an account for which others vouch to another subject: when the issuer has a new address, or people move from the proxy to a
    /// provider; their sessions end
    Rebind {
        /// The name to sign in with
        login: String,
        /// Who vouches for them from now on: `proxy`, or the address of the provider, exactly as it calls itself
        #[arg(long, value_name = "ISSUER", value_parser = parse_issuer)]
        issuer: Issuer,
        /// What names them there: the name that the proxy sends, or the `sub` of the provider
        #[arg(long, value_name = "SUBJECT")]
        subject: String,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// List the sessions of somebody
    Sessions {
        /// The name to sign in with
        login: String,
        /// End them all
        #[arg(long)]
        end: bool,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
    /// Close an account and end its sessions
    Disable {
        /// The name to sign in with
        login: String,
        /// Where the portal keeps its data
        #[command(flatten)]
        place: PlaceArguments,
    },
}

fn parse_role(word: &str) -> Result<domain::policy::Role, String> {
    domain::policy::Role::parse(word).ok_or_else(|| "a role is viewer, operator, lead or administrator".to_owned())
}

fn parse_issuer(key: &str) -> Result<Issuer, String> {
    match Issuer::of_key(key) {
        Issuer::Provider(address) if !is_safe(&address) => {
            Err("an issuer is proxy, or an address of the form https://host/path".to_owned())
        }
        issuer => Ok(issuer),
    }
}

fn parse_group(name: &str) -> Result<GroupName, String> {
    GroupName::parse(name).ok_or_else(|| {
        format!("a group has 1 to {} lower-case letters, digits, hyphens and underscores", GroupName::LONGEST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn nothing_means_serve() {
        let line = CommandLine::parse_from(["runbook-portal", "--data", "/d"]);

        assert!(line.command.is_none());
        assert_eq!(line.serve.data, Some(PathBuf::from("/d")));
    }

    #[test]
    fn an_account_is_bound_anew_to_the_proxy_or_to_an_address() {
        let parsed = |issuer: &str| {
            let line = ["runbook-portal", "user", "rebind", "olga", "--issuer", issuer, "--subject", "7"];
            CommandLine::try_parse_from(line).map(|line| line.command)
        };

        for (key, expected) in
            [("proxy", Issuer::Proxy), ("https://id.example.com", Issuer::of_key("https://id.example.com"))]
        {
            let Ok(Some(Command::User(UserCommand::Rebind { issuer, .. }))) = parsed(key) else { panic!("{key}") };
            assert_eq!(issuer, expected);
        }
        assert!(parsed("Proxy").unwrap_err().to_string().contains("https://host/path"));
    }

    #[test]
    fn a_new_account_may_be_in_several_groups() {
        let line = ["runbook-portal", "user", "add", "olga", "--group", "dba", "--group", "on-call"];
        let line = CommandLine::parse_from(line);
        let wrong = CommandLine::try_parse_from(["runbook-portal", "user", "add", "olga", "--group", "On call"]);

        let Some(Command::User(UserCommand::Add { groups, .. })) = line.command else { panic!("{line:?}") };
        assert_eq!(groups.iter().map(GroupName::as_str).collect::<Vec<_>>(), ["dba", "on-call"]);
        assert!(wrong.unwrap_err().to_string().contains("lower-case letters"));
    }
}
