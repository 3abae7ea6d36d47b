//! The part of the configuration about where runs can run: `[target.NAME]`.
//!
//! Some keys belong to every target, the others to one kind. A step gets a list of variables and nothing else; what the portal
//! has itself (its `PATH`, its `HOME`) is in that list on its own machine only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::plan::PlanTarget;
use domain::target::{Container, Reach, Ssh, Which};
use portal::TargetSettings;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Surroundings;

/// The keys of every target.
const SHARED: &[&str] =
    &["kind", "about", "production", "shell", "path", "home", "directory", "environment", "mask_files"];

/// The keys of one kind alone.
const OF_KIND: [(&str, &[&str]); 3] = [
    ("local", &[]),
    ("ssh", &["host", "user", "port", "identity_file", "agent", "known_hosts", "jump"]),
    ("container", &["container", "label", "project", "service", "user"]),
];

/// What a key of a target is.
pub(super) enum Key {
    /// A setting of it.
    Known,
    /// A setting of targets of another kind.
    OfKind(&'static str),
    /// No setting; the names that it can have.
    Unknown(Vec<&'static str>),
}

/// What a key is in a target of a kind. A kind that there is not takes the keys of all: the kind is the mistake then.
pub(super) fn key(name: &str, kind: &str) -> Key {
    let own = |(known, _): &&(&str, &[&str])| *known == kind || OF_KIND.iter().all(|(known, _)| *known != kind);
    let known: Vec<&str> = OF_KIND.iter().filter(own).flat_map(|(_, keys)| *keys).chain(SHARED).copied().collect();
    if known.contains(&name) {
        return Key::Known;
    }
    match OF_KIND.iter().find(|(_, keys)| keys.contains(&name)) {
        Some((other, _)) => Key::OfKind(other),
        None => Key::Unknown(known),
    }
}

/// One `[target.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawTarget")]
pub(super) struct TargetTable {
    about: String,
    production: bool,
    shell: Option<Vec<String>>,
    path: Option<String>,
    home: Option<String>,
    directory: Option<String>,
    environment: BTreeMap<String, String>,
    mask_files: Vec<String>,
    place: Place,
}

/// Where it is, as the file says it: its own paths may be below the folder of the file.
#[derive(Debug)]
enum Place {
    Local,
    Ssh { ssh: Ssh, files: SshFiles },
    Container(Container),
}

/// The files that lie with the portal.
#[derive(Debug)]
struct SshFiles {
    identity: Option<PathBuf>,
    agent: Option<PathBuf>,
    known_hosts: PathBuf,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Local,
    Ssh,
    Container,
}

#[derive(Deserialize)]
struct RawTarget {
    kind: Kind,
    #[serde(default)]
    about: String,
    #[serde(default)]
    production: bool,
    #[serde(default, deserialize_with = "shell")]
    shell: Option<Vec<String>>,
    path: Option<String>,
    #[serde(default, deserialize_with = "absolute")]
    home: Option<String>,
    #[serde(default, deserialize_with = "absolute")]
    directory: Option<String>,
    #[serde(default, deserialize_with = "variables")]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    mask_files: Vec<String>,
    // The keys by which one kind or another is reached.
    host: Option<String>,
    user: Option<String>,
    port: Option<u16>,
    identity_file: Option<PathBuf>,
    agent: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
    #[serde(default)]
    jump: Vec<String>,
    container: Option<String>,
    label: Option<String>,
    project: Option<String>,
    service: Option<String>,
}

impl TryFrom<RawTarget> for TargetTable {
    type Error = String;

    fn try_from(raw: RawTarget) -> Result<Self, String> {
        let place = match raw.kind {
            Kind::Local => Place::Local,
            Kind::Ssh => ssh(&raw)?,
            Kind::Container => Place::Container(container(&raw)?),
        };
        Ok(Self {
            about: raw.about,
            production: raw.production,
            shell: raw.shell,
            path: raw.path,
            home: raw.home,
            directory: raw.directory,
            environment: raw.environment,
            mask_files: raw.mask_files,
            place,
        })
    }
}

fn ssh(raw: &RawTarget) -> Result<Place, String> {
    let host = raw.host.clone().ok_or("a target of the kind \"ssh\" has a \"host\", its name or address")?;
    let user = raw.user.clone().ok_or("a target of the kind \"ssh\" has a \"user\", who the portal is there")?;
    if !is_host(&host) {
        return Err(format!("\"{host}\" is not the name or the address of a machine"));
    }
    if !is_user(&user) {
        return Err(format!("\"{user}\" is not the name of a user"));
    }
    if raw.port == Some(0) {
        return Err("\"port\" is a number from 1 to 65535".to_owned());
    }
    if let Some(wrong) = raw.jump.iter().find(|jump| !is_jump(jump)) {
        return Err(format!(
            "\"{wrong}\" is not a machine on the way; write it as \"user@host\" or \"user@host:port\""
        ));
    }
    let (port, jump) = (raw.port.unwrap_or(22), raw.jump.clone());
    let ssh = Ssh { host, user, port, identity_file: None, agent: None, known_hosts: String::new(), jump };
    Ok(Place::Ssh { ssh, files: SshFiles::of(raw)? })
}

impl SshFiles {
    fn of(raw: &RawTarget) -> Result<Self, String> {
        let known_hosts = raw.known_hosts.clone().ok_or(
            "a target of the kind \"ssh\" has \"known_hosts\", the file with the keys of machines that you have compared; a \
             machine that is not in there is refused",
        )?;
        if raw.identity_file.is_none() && raw.agent.is_none() {
            let what = "a target of the kind \"ssh\" has an \"identity_file\", or an \"agent\", by which the portal proves itself";
            return Err(what.to_owned());
        }
        let files = Self { identity: raw.identity_file.clone(), agent: raw.agent.clone(), known_hosts };
        files.check()?;
        Ok(files)
    }

    /// What a shell would expand nobody expands here.
    fn check(&self) -> Result<(), String> {
        let all = self.identity.iter().chain(&self.agent).chain([&self.known_hosts]);
        for path in all {
            let text = path.display().to_string();
            if text.is_empty() || text.starts_with(['~', '$']) || text.contains(['"', '\n', '%']) {
                return Err(format!(
                    "\"{text}\" is not taken as a path; write the whole path, without ~, $, % or quotes"
                ));
            }
        }
        Ok(())
    }
}

/// The user and the machine go into a configuration and an argument list: nothing in them may be taken for anything else there.
fn is_host(host: &str) -> bool {
    is_word(host, ".-_:")
}

fn is_user(user: &str) -> bool {
    is_word(user, ".-_+")
}

fn is_word(text: &str, also: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || also.contains(character);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(fits)
}

/// `user@host`, `user@host:port`, `user@[address]:port`
fn is_jump(jump: &str) -> bool {
    let Some((user, place)) = jump.split_once('@') else { return false };
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':').or(rest.is_empty().then_some("22"))),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, Some("22")),
        },
    };
    let port_fits = port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    is_user(user) && is_host(host) && port_fits
}

fn container(raw: &RawTarget) -> Result<Container, String> {
    let named = (raw.container.clone(), raw.label.clone(), raw.project.clone(), raw.service.clone());
    let which = match named {
        (Some(name), None, None, None) => Which::Name(name),
        (None, Some(label), None, None) => Which::Label(label),
        (None, None, Some(project), Some(service)) => Which::Service { project, service },
        (None, None, Some(_), None) => {
            return Err("\"project\" stands together with \"service\", which names one container of it".to_owned());
        }
        (None, None, None, Some(_)) => {
            return Err("\"service\" stands together with \"project\", the name of its Compose project".to_owned());
        }
        _ => {
            let what = "a target of the kind \"container\" has exactly one of \"container\", \"label\", or \"project\" with \"service\"";
            return Err(what.to_owned());
        }
    };
    let words: Vec<&String> = match &which {
        Which::Name(word) | Which::Label(word) => vec![word],
        Which::Service { project, service } => vec![project, service],
    };
    if words.iter().any(|word| word.trim().is_empty() || word.chars().any(char::is_control)) {
        return Err("what names a container is not empty and has no control characters".to_owned());
    }
    if raw.user.as_ref().is_some_and(|user| !is_word(user, ".-_+:")) {
        return Err(
            "\"user\" is a name or a number inside the container, with \":\" and a group where one is meant".to_owned()
        );
    }
    Ok(Container { which, user: raw.user.clone() })
}

impl TargetTable {
    /// The target of a portal without a configuration.
    pub fn local() -> Self {
        Self {
            about: "this machine, as the portal's own user".to_owned(),
            production: false,
            shell: None,
            path: None,
            home: None,
            directory: None,
            environment: BTreeMap::new(),
            mask_files: Vec::new(),
            place: Place::Local,
        }
    }

    /// The target, with the files of the portal below the folder of the configuration.
    pub fn settings(&self, name: &str, folder: &Path, surroundings: &Surroundings) -> TargetSettings {
        let reach = self.place.reach(folder);
        let home = self.home.clone().or_else(|| home(&reach, surroundings));
        let begins = match reach {
            Reach::Local => Some(surroundings.directory.display().to_string()),
            Reach::Ssh(_) => home.clone(),
            Reach::Container(_) => None,
        };
        let plan = PlanTarget {
            name: name.to_owned(),
            production: self.production,
            interpreter: self.shell.clone().unwrap_or_else(|| default_shell(&reach)),
            environment: self.environment(&reach, home, surroundings),
            reach,
        };
        TargetSettings {
            plan,
            about: self.about.clone(),
            directory: self.directory.clone().or(begins).unwrap_or_else(|| "/".to_owned()),
            mask_files: self.mask_files.clone(),
        }
    }

    /// The list of variables that a step gets. The administrator's own go before those that are there for quiet.
    fn environment(&self, reach: &Reach, home: Option<String>, surroundings: &Surroundings) -> Vec<(String, String)> {
        let here = Some(surroundings).filter(|_| reach.is_local());
        let path = self.path.as_deref().or(here.and_then(|here| here.path.as_deref())).unwrap_or(SYSTEM_PATH);
        let mut list = vec![("PATH".to_owned(), path.to_owned())];
        list.extend(home.map(|home| ("HOME".to_owned(), home)));
        list.extend(QUIET.map(|(name, value)| (name.to_owned(), value.to_owned())));
        list.extend(here.and_then(|here| here.docker_host.clone()).map(|host| ("DOCKER_HOST".to_owned(), host)));
        list.retain(|(name, _)| !self.environment.contains_key(name));
        list.extend(self.environment.clone());
        list
    }
}

impl Place {
    fn reach(&self, folder: &Path) -> Reach {
        let placed = |path: &PathBuf| folder.join(path).display().to_string();
        match self {
            Self::Local => Reach::Local,
            Self::Container(container) => Reach::Container(container.clone()),
            Self::Ssh { ssh, files } => Reach::Ssh(Ssh {
                identity_file: files.identity.as_ref().map(placed),
                agent: files.agent.as_ref().map(placed),
                known_hosts: placed(&files.known_hosts),
                ..ssh.clone()
            }),
        }
    }
}

/// The home directory of steps, where the file names none: in a container the engine knows it.
fn home(reach: &Reach, surroundings: &Surroundings) -> Option<String> {
    match reach {
        Reach::Local => Some(surroundings.home.clone().unwrap_or_else(|| "/".to_owned())),
        Reach::Ssh(Ssh { user, .. }) if user == "root" => Some("/root".to_owned()),
        Reach::Ssh(Ssh { user, .. }) => Some(format!("/home/{user}")),
        Reach::Container(_) => None,
    }
}

/// Bash: runbooks are written for it. Only of this machine it is known whether it has one.
fn default_shell(reach: &Reach) -> Vec<String> {
    let bash = Path::new("/bin/bash");
    vec![if reach.is_local() && !bash.exists() { "/bin/sh" } else { "/bin/bash" }.to_owned()]
}

/// Nothing waits in a pager, an editor or a question, and programs speak one language.
const QUIET: [(&str, &str); 11] = [
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("TERM", "xterm-256color"),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("MANPAGER", "cat"),
    ("EDITOR", ":"),
    ("GIT_EDITOR", ":"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LESSSECURE", "1"),
    ("DEBIAN_FRONTEND", "noninteractive"),
];

const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn shell<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(Some(words)),
        _ => Err(D::Error::custom("a shell is a list of a program and its arguments, such as [\"/bin/bash\"]")),
    }
}

fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let directory = String::deserialize(deserializer)?;
    if directory.starts_with('/') {
        Ok(Some(directory))
    } else {
        Err(D::Error::custom(format!("\"{directory}\" is not absolute; a target's directory begins with /")))
    }
}

fn variables<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let list = BTreeMap::<String, String>::deserialize(deserializer)?;
    for (name, value) in &list {
        if let Some(own) = ["PATH", "HOME"].into_iter().find(|own| own == name) {
            let what = format!("\"{own}\" has a key of its own, \"{}\"", own.to_ascii_lowercase());
            return Err(D::Error::custom(what));
        }
        if !is_variable(name) || value.contains('\0') {
            let what = format!("\"{name}\" cannot be a variable: letters, digits and _, and no PORTAL_ before them");
            return Err(D::Error::custom(what));
        }
    }
    Ok(list)
}

fn is_variable(name: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins && name.chars().all(fits) && !name.starts_with("PORTAL_")
}

#[cfg(test)]
mod tests;
