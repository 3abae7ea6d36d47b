//! Where a target is, and how its programs are reached.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the programs of a target are started: here, over ssh, or in a container.
///
/// It is frozen with the plan, and the digest of every step covers it: the same bytes on another machine are other work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reach {
    /// As the portal's own user, beside it.
    #[default]
    Local,
    /// On another machine, with the system's OpenSSH.
    Ssh(Ssh),
    /// In a container of a Docker engine.
    Container(Container),
}

/// Another machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ssh {
    /// Its name or address.
    pub host: String,
    /// Who the portal is there.
    pub user: String,
    /// Its port.
    pub port: u16,
    /// The absolute path of the private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_file: Option<String>,
    /// The absolute path of an agent's socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The absolute path of the file with the keys of known machines. One that is not there is refused.
    pub known_hosts: String,
    /// The machines on the way, in their order, as `user@host:port`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jump: Vec<String>,
}

/// A container of the Docker engine of which `DOCKER_HOST`, or its usual socket, speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Which one. It is looked up when a step starts: a container that was made anew is found again.
    pub which: Which,
    /// The user inside, when it is not the container's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// How a container is found. Exactly one that runs must answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// By its name or id.
    Name(String),
    /// By a label, as `key=value`, or a key alone.
    Label(String),
    /// By the names of its Compose project and service.
    Service {
        /// The project.
        project: String,
        /// The service.
        service: String,
    },
}

impl Reach {
    /// Whether it is the portal's own machine and user.
    pub fn is_local(&self) -> bool {
        *self == Self::Local
    }
}

/// For people: `this machine`, `deploy@prod.example.com`, `the container brainbytes-api`.
impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("this machine"),
            Self::Ssh(Ssh { host, user, port: 22, .. }) => write!(f, "{user}@{host}"),
            Self::Ssh(Ssh { host, user, port, .. }) => write!(f, "{user}@{host}:{port}"),
            Self::Container(Container { which, .. }) => write!(f, "{which}"),
        }
    }
}

/// For people.
impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "the container {name}"),
            Self::Label(label) => write!(f, "the container with the label {label}"),
            Self::Service { project, service } => write!(f, "the container of {service} in the project {project}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_stored_so_that_the_next_portal_reads_it() {
        let ssh = Reach::Ssh(Ssh {
            host: "prod.example.com".to_owned(),
            user: "deploy".to_owned(),
            port: 2222,
            identity_file: Some("/etc/portal/id".to_owned()),
            agent: None,
            known_hosts: "/etc/portal/known_hosts".to_owned(),
            jump: vec!["gate@bastion".to_owned()],
        });
        let stored = r#"{"kind":"ssh","host":"prod.example.com","user":"deploy","port":2222,"identity_file":"/etc/portal/id","known_hosts":"/etc/portal/known_hosts","jump":["gate@bastion"]}"#;
        assert_eq!(serde_json::to_string(&ssh).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Reach>(stored).unwrap(), ssh);
        assert_eq!(ssh.to_string(), "deploy@prod.example.com:2222");

        let which = Which::Service { project: "brainbytes".to_owned(), service: "api".to_owned() };
        let container = Reach::Container(Container { which, user: None });
        let stored = r#"{"kind":"container","which":{"service":{"project":"brainbytes","service":"api"}}}"#;
        assert_eq!(serde_json::to_string(&container).unwrap(), stored);
        assert_eq!(container.to_string(), "the container of api in the project brainbytes");
    }
}
