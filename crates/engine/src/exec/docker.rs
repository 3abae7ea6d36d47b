//! Where the Docker engine is, and what it says when it refuses.

use std::error::Error as _;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};

const USUAL_SOCKET: &str = "unix:///var/run/docker.sock";

/// Seconds until a request counts as not answered. It does not count the streams of a program: those may be silent for days.
const PATIENCE: u64 = 15;

/// The engine of which `DOCKER_HOST` speaks, or the one at the usual place. Nothing is asked yet.
pub(super) fn connect() -> Result<Docker, String> {
    let host = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    let host = host.as_deref().unwrap_or(USUAL_SOCKET);
    if !host.starts_with("unix://") {
        return Err(format!(
            "DOCKER_HOST says {host}, and the portal speaks to a Docker engine at a unix socket only. Nothing was run; for an \
             engine on another machine use a target that is reached by ssh."
        ));
    }
    let connected = Docker::connect_with_unix(host, PATIENCE, API_DEFAULT_VERSION);
    connected.map_err(|error| format!("There is no Docker engine at {host}: {}. Nothing was run.", reason(&error)))
}

/// What went wrong, as the end of a sentence.
pub(super) fn reason(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().trim_end_matches('.').to_owned(),
        Error::RequestTimeoutError => format!("the Docker engine did not answer within {PATIENCE} s"),
        Error::SocketNotFoundError(path) => format!("there is no Docker engine at {path}"),
        // The innermost cause says it: "connection refused", "permission denied".
        other => {
            let mut cause = other.source();
            let mut said = other.to_string();
            while let Some(error) = cause {
                said = error.to_string();
                cause = error.source();
            }
            format!("the Docker engine does not answer ({})", said.trim_end_matches('.'))
        }
    }
}
