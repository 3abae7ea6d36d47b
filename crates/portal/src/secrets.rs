//! The values of secrets: read when they are needed, from where the configuration says, and never kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::AttemptId;
use domain::plan::Plan;
use domain::run::Run;
use domain::view::SecretInfo;
use engine::Secret;

use crate::masking::Unread;
use crate::{Error, Portal};

/// The beginning of the variables that hold secrets; the rest is the secret's name in capitals.
const VARIABLE: &str = "PORTAL_SECRET_";

/// Longer values are refused: each byte costs the filter of the output some hundred.
const LONGEST: u64 = 16 << 10;

/// Where the values of secrets come from. A variable of the portal goes before a file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretSources {
    variables: BTreeMap<String, String>,
    files: BTreeMap<String, PathBuf>,
    /// Those that are the portal's own: no step gets them, whatever a document names.
    own: BTreeSet<String>,
}

/// Names only: this stands in a configuration that is printed.
impl std::fmt::Debug for SecretSources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let variables: Vec<&String> = self.variables.keys().collect();
        let mut sources = f.debug_struct("SecretSources");
        sources.field("variables", &variables).field("files", &self.files).field("own", &self.own).finish()
    }
}

impl SecretSources {
    /// Those among the variables of an environment, by their names.
    pub fn of_environment(environment: impl Iterator<Item = (String, String)>) -> Self {
        let named = |(name, value): (String, String)| Some((name.strip_prefix(VARIABLE)?.to_ascii_lowercase(), value));
        Self { variables: environment.filter_map(named).collect(), ..Self::default() }
    }

    /// The same with files, by the names of the secrets.
    #[must_use]
    pub fn with_files(mut self, files: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        self.files.extend(files.into_iter().map(|(name, path)| (name.to_ascii_lowercase(), path)));
        self
    }

    /// Takes some of them out, for the portal itself. What is left refuses them.
    #[must_use]
    pub fn take(&mut self, names: BTreeSet<String>) -> Self {
        let taken = Self { own: BTreeSet::new(), ..self.clone() };
        self.own.extend(names);
        taken
    }

    /// The value of a secret now.
    ///
    /// # Errors
    ///
    /// Why it cannot be used, as the end of a sentence; never a path or a value.
    pub fn read(&self, name: &str) -> Result<String, String> {
        if self.own.contains(name) {
            return Err("it is the portal's own, and no step gets it".to_owned());
        }
        let value = match (self.variables.get(name), self.files.get(name)) {
            (Some(value), _) => value.clone(),
            (None, Some(path)) => read_file(path)?,
            (None, None) => {
                return Err(format!(
                    "the portal has no variable {}, and portal.toml names no file for it",
                    variable(name)
                ));
            }
        };
        if value.is_empty() {
            return Err("its value is empty".to_owned());
        }
        if value.contains('\0') || value.len() as u64 > LONGEST {
            return Err("its value is longer than 16 KiB or has a NUL byte".to_owned());
        }
        if !engine::can_be_masked(&value) {
            return Err(
                "its value has less than 4 bytes, and every log would be unreadable if that were masked".to_owned()
            );
        }
        Ok(value)
    }

    fn origin(&self, name: &str) -> String {
        if !self.variables.contains_key(name) && self.files.contains_key(name) {
            return "a file that portal.toml names".to_owned();
        }
        format!("the portal's variable {}", variable(name))
    }
}

/// The variable of the portal that holds a secret.
fn variable(name: &str) -> String {
    format!("{VARIABLE}{}", name.to_ascii_uppercase())
}

/// The text of a file without the line feed at its end.
fn read_file(path: &Path) -> Result<String, String> {
    let unreadable =
        |error: std::io::Error| format!("the file that portal.toml names cannot be read ({})", error.kind());
    // A pipe, or a terminal, would be waited for.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("what portal.toml names is no file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(LONGEST + 2).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| "the file that portal.toml names is not UTF-8".to_owned())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("the file that portal.toml names is empty".to_owned());
    }
    Ok(text.to_owned())
}

/// The version of each secret, or why it cannot be used.
pub(crate) type Versions = BTreeMap<String, Result<String, String>>;

/// A file that is not read by then is on a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(5);

impl Portal {
    /// The secrets of a plan as they are now: the version of each, or why it cannot be used.
    pub(crate) async fn secret_versions(&self, plan: &Plan) -> Result<Versions, Error> {
        let values = self.read_secrets(plan).await?;
        let version = |(name, value): (String, Result<String, String>)| {
            let version = value.map(|value| self.engine().secret_version(&name, &value));
            (name, version)
        };
        Ok(values.into_iter().map(version).collect())
    }

    /// What the shim of an attempt is handed: all secrets of the run, for masking, and those that its commands use.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when one that is used is not what the intent names, or one that the run has known cannot
    /// be read and so not be masked.
    pub(crate) async fn secrets_for(&self, run: &Run, id: AttemptId) -> Result<Vec<Secret>, Error> {
        let commands = run.attempt(id).map(|attempt| attempt.commands.clone()).unwrap_or_default();
        let used = run.secrets_of(id.step, &commands);
        let mut handed = Vec::new();
        for (name, value) in self.read_secrets(&run.plan).await? {
            let wanted = used.get(&name);
            match value {
                Ok(value) if wanted.is_none_or(|version| *version == self.engine().secret_version(&name, &value)) => {
                    handed.push(Secret { used: wanted.is_some(), name, value });
                }
                Ok(_) => return Err(not_started(&name, "it changed in this very moment; start the step again")),
                // What was there once may be printed by any step, and cannot be masked now.
                Err(why) if wanted.is_some() || run.secrets.contains_key(&name) => {
                    return Err(not_started(&name, &why));
                }
                Err(_) => {}
            }
        }
        handed.extend(Box::pin(self.masked_elsewhere(run)).await?);
        Ok(handed)
    }

    /// What is masked in what a check of a run says: all secrets of the run, and the values of its files.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when something that has to be masked cannot be read.
    pub(crate) async fn secrets_to_mask(&self, run: &Run) -> Result<Vec<Secret>, Error> {
        let mut masked = Vec::new();
        for (name, value) in self.read_secrets(&run.plan).await? {
            match value {
                Ok(value) => masked.push(Secret { name, value, used: false }),
                Err(why) if run.secrets.contains_key(&name) => {
                    return Err(not_masked(&format!("the secret {name}"), &why));
                }
                Err(_) => {}
            }
        }
        masked.extend(Box::pin(self.masked_there(run)).await.map_err(not_read)?);
        Ok(masked)
    }

    /// What pages say about the secrets of a plan.
    pub(crate) async fn secret_infos(&self, plan: &Plan) -> Result<Vec<SecretInfo>, Error> {
        let values = self.read_secrets(plan).await?;
        let info = |(name, value): (String, Result<String, String>)| SecretInfo {
            origin: self.secret_sources().origin(&name),
            problem: value.err(),
            name,
        };
        Ok(values.into_iter().map(info).collect())
    }

    async fn read_secrets(&self, plan: &Plan) -> Result<Vec<(String, Result<String, String>)>, Error> {
        let read = |name: &str| {
            let (sources, name) = (self.secret_sources().clone(), name.to_owned());
            async move {
                let wanted = name.clone();
                let value = within(PATIENCE, move || sources.read(&wanted)).await?;
                Ok((name, value))
            }
        };
        // Each for itself: one file that hangs says nothing about the other secrets.
        futures::future::try_join_all(plan.secret_names().map(read)).await
    }
}

/// Reads a secret, and lets go of it when that takes too long.
async fn within(
    limit: Duration,
    read: impl FnOnce() -> Result<String, String> + Send + 'static,
) -> Result<Result<String, String>, Error> {
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(read)).await {
        Ok(read) => read.map_err(|_| Error::Broken("reading secrets")),
        Err(_) => Ok(Err(format!("it could not be read within {} s", PATIENCE.as_secs()))),
    }
}

fn not_masked(what: &str, why: &str) -> Error {
    Error::Invalid(format!("Nothing was asked: {what} has to be masked in what is said, and {why}."))
}

/// What it means for a check that the values of files are not known.
fn not_read(unread: Unread) -> Error {
    match unread {
        Unread::Away(why) => Error::Invalid(format!("Nothing was asked: {why}")),
        Unread::File { path, why } => not_masked(&path, &why),
    }
}

fn not_started(name: &str, why: &str) -> Error {
    Error::Invalid(format!("The step was not started: the secret {name} cannot be used, because {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> SecretSources {
        SecretSources::of_environment(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_variable_goes_before_a_file_and_a_file_is_read_when_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let sources = variables(&[("PORTAL_SECRET_DB_PASSWORD", "hunter2"), ("PATH", "/bin")])
            .with_files([("TOKEN".to_owned(), path.clone()), ("db_password".to_owned(), path.clone())]);

        assert_eq!(sources.read("db_password"), Ok("hunter2".to_owned()));
        assert_eq!(
            sources.read("token").unwrap_err(),
            "the file that portal.toml names cannot be read (entity not found)"
        );
        std::fs::write(&path, "ghp_first\n").unwrap();
        assert_eq!(sources.read("token"), Ok("ghp_first".to_owned()));
        std::fs::write(&path, "line one\nline two\r\n").unwrap();
        assert_eq!(sources.read("token"), Ok("line one\nline two".to_owned()));
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(sources.read("token").unwrap_err(), "the file that portal.toml names is empty");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(sources.read("token").unwrap_err(), "what portal.toml names is no file");
        assert_eq!(sources.origin("token"), "a file that portal.toml names");
        assert_eq!(sources.origin("db_password"), "the portal's variable PORTAL_SECRET_DB_PASSWORD");
    }

    #[tokio::test]
    async fn a_pipe_that_nobody_writes_to_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let sources = SecretSources::default().with_files([("token".to_owned(), path)]);

        let read = within(PATIENCE, move || sources.read("token")).await.unwrap();

        assert_eq!(read.unwrap_err(), "what portal.toml names is no file");
    }

    #[tokio::test]
    async fn a_file_that_hangs_is_let_go_of_and_the_person_is_told() {
        let (release, hangs) = std::sync::mpsc::channel::<String>();

        let read =
            within(Duration::from_millis(20), move || hangs.recv().map_err(|_| "it never came".to_owned())).await;

        let why = read.unwrap().unwrap_err();
        drop(release);
        assert_eq!(
            not_started("token", &why).to_string(),
            "The step was not started: the secret token cannot be used, because it could not be read within 5 s."
        );
    }

    #[test]
    fn what_the_portal_needs_itself_no_step_gets() {
        let mut sources = variables(&[("PORTAL_SECRET_MAIL", "hunter2"), ("PORTAL_SECRET_TOKEN", "ghp_first")]);

        let own = sources.take(BTreeSet::from(["mail".to_owned()]));

        assert_eq!(own.read("mail"), Ok("hunter2".to_owned()));
        assert!(sources.read("mail").unwrap_err().contains("the portal's own"));
        assert_eq!(sources.read("token"), Ok("ghp_first".to_owned()));
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused_with_the_reason() {
        let sources = variables(&[("PORTAL_SECRET_SHORT", "abc"), ("PORTAL_SECRET_EMPTY", "")]);

        assert!(sources.read("short").unwrap_err().contains("less than 4 bytes"));
        assert_eq!(sources.read("empty").unwrap_err(), "its value is empty");
        assert_eq!(
            sources.read("absent").unwrap_err(),
            "the portal has no variable PORTAL_SECRET_ABSENT, and portal.toml names no file for it"
        );
    }

    #[test]
    fn a_configuration_that_is_printed_holds_no_value() {
        let printed = format!("{:?}", variables(&[("PORTAL_SECRET_TOKEN", "hunter2")]));

        assert!(printed.contains("token") && !printed.contains("hunter2"), "{printed}");
    }
}
