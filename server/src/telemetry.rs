//! The log: on standard error, for people or for collectors.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// The variable that filters the log, as in `info,portal=debug`.
const FILTER: &str = "PORTAL_LOG";

/// Begins the log of this process, and writes panics into it.
pub fn begin(format: LogFormat) {
    let filter = EnvFilter::try_from_env(FILTER)
        .unwrap_or_else(|_| EnvFilter::new("info,tower_sessions=error,tower_sessions_core=error"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let begun = match format {
        LogFormat::Text => log.with_ansi(false).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    // A second log in one process happens in tests only: the first one stays.
    drop(begun);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        let what = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(panic.place = place, panic.message = what, "a task of the portal panicked");
    }));
}
