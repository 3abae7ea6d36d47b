//! From a configuration to a listening process, and back.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use portal::{OpenError, Portal, Settings, SystemClock};
use rustix::process::DumpableBehavior;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, IdentitySettings};
use crate::connections::{self, Limits};
use crate::http::assets::Assets;
use crate::http::routes::Undeclared;
use crate::http::{self, Site, Surroundings};
use crate::outliving;

/// After a signal, requests get so long to end.
const FAREWELL: Duration = Duration::from_secs(3);

/// Between two looks for sessions that have run out. Each look also remembers the time, so that a restart together with a
/// clock that was turned back gives a session no more than this.
const FORGETTING: Duration = Duration::from_mins(10);

/// Why the portal did not start: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nobody can listen there.
    #[error(
        "The address {address} cannot be used: {why}. Nothing was started; stop the other program, or choose another address with --listen"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        why: String,
    },
    /// Data or documents cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The build is broken.
    #[error(transparent)]
    Undeclared(#[from] Undeclared),
    /// A use case failed before the first request.
    #[error("{}", .0.sentence())]
    Portal(#[from] portal::Error),
    /// The system refuses what every process gets.
    #[error("The portal cannot work here: {0}. Nothing was started")]
    System(#[from] std::io::Error),
}

/// Serves until a signal asks to stop.
///
/// # Errors
///
/// One sentence when it could not begin. Steps that run stay with their shims in any case.
pub async fn serve(config: Config) -> Result<(), ServeError> {
    // Secrets and keys are in its memory and its environment: no other process of its user reads them there.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(std::io::Error::from)?;
    let stop = stop_signal()?;
    // The cheapest and most frequent mistake first: nothing is made on the disk for an address that is taken.
    let listener = listen(config.listen).await?;
    let assets = Assets::embedded();
    let portal = open(&config, assets.build().to_owned()).await?;
    portal.begin_work().await?;
    let site = Site::new(portal.clone(), assets.clone(), Surroundings::of(&config));
    let router = http::router(&site)?;
    // Compressing takes a moment of one core; until then a file is compressed for whoever asks first.
    std::thread::spawn(move || assets.warm_up());
    let cleaning = tokio::spawn(forget_old_sessions(site.clone()));
    announce(&config, listener.local_addr()?, &portal).await?;
    tokio::spawn(warn_of_restarts());
    let open = site.metrics().connections();
    let graceful = connections::serve(listener, router, Limits::USUAL, open, stop).await;
    farewell(&portal, graceful).await;
    cleaning.abort();
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
            std::io::ErrorKind::AddrNotAvailable => "this machine does not have it".to_owned(),
            _ => error.to_string(),
        };
        ServeError::Listen { address, why }
    })
}

/// Opens the portal of a configuration, which does nothing by itself yet.
///
/// # Errors
///
/// One sentence for the console.
pub async fn open(config: &Config, build: String) -> Result<Portal, ServeError> {
    let settings = Settings {
        data: config.data.clone(),
        runbooks: config.runbooks.clone(),
        // The very file that this process was started from, also after another one was put into its place.
        shim: "/proc/self/exe".into(),
        targets: config.targets.clone(),
        lowerings: config.lowerings.clone(),
        approvals: config.approvals.clone(),
        secrets: config.secrets.clone(),
        public: config.public_url.as_ref().map(|url| url.origin().to_owned()),
        map: config.identity.map.clone(),
        channels: config.channels.clone(),
        checkpoints: config.checkpoints.clone(),
        build,
        clock: Arc::new(SystemClock),
    };
    Ok(Portal::open(settings).await?)
}

/// Says on the console where the portal is, and how the first account is made.
async fn announce(config: &Config, address: SocketAddr, portal: &Portal) -> Result<(), ServeError> {
    let here = reachable(address);
    let base = config.public_url.as_ref().map_or(here, ToString::to_string);
    let ready = format!("Runbook Portal {} is ready on {base}\n", env!("CARGO_PKG_VERSION"));
    let link = portal.set_up_token().await?.map(|token| {
        format!(
            "Nobody has an account yet. Make the first one here; the link works once:\n  {base}/set-up?token={token}\n"
        )
    });
    say(&(ready + &link.unwrap_or_default()));
    for command in portal.idle_lowerings().await? {
        say(&format!(
            "The configuration lowers the class of \u{201c}{command}\u{201d}, which is no command of any document here: the rule has no \
             effect. Copy the command's text from its page, or remove the rule.\n"
        ));
    }
    if let Some(line) = of_no_issuer(&portal.issuers().await?, &config.identity) {
        say(&line);
    }
    warn_of_channels(portal, config).await;
    tracing::info!(listen.address = %address, portal.build = portal.build(), "listening on {address}");
    Ok(())
}

/// What is said about accounts into which nobody can sign in: they are bound to an issuer that is not configured.
fn of_no_issuer(issuers: &[(String, u64)], identity: &IdentitySettings) -> Option<String> {
    let unknown = issuers.iter().filter(|(key, _)| !identity.vouches(key));
    let unknown: Vec<String> = unknown.map(|(key, accounts)| format!("{key} ({accounts})")).collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "Accounts are bound to who vouches for nobody by this configuration: {}. Nobody signs in to them; bind them anew by `user rebind`, or \
             disable them.\n",
            unknown.join(", ")
        )
    })
}

/// Says on the console why people would not be told, or not be told where to look.
async fn warn_of_channels(portal: &Portal, config: &Config) {
    let channels = portal.channel_infos().await;
    if !channels.is_empty() && config.public_url.is_none() {
        say(
            "The configuration has no public_url: whoever is told of a request gets no link, only words that say where to look. \
             Set public_url to the address that people use.\n",
        );
    }
    for channel in channels {
        if let Some(problem) = channel.problem {
            say(&format!(
                "Nobody can be told by {} now: {problem}. Notices wait for a day; set the secret by [secret.NAME] or PORTAL_SECRET_NAME.\n",
                channel.name
            ));
        }
    }
}

/// Says on the console what would happen to running steps at a restart. It may have to ask for that; nobody waits for it.
async fn warn_of_restarts() {
    if let Some(sentence) = outliving::look().await {
        say(&format!("{sentence}\n"));
    }
}

/// Writes to the console. One that nobody reads is no reason to stop.
fn say(text: &str) {
    let mut console = std::io::stdout().lock();
    drop(console.write_all(text.as_bytes()).and_then(|()| console.flush()));
}

/// An address that a browser on this machine can open.
fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

async fn forget_old_sessions(site: Site) {
    let mut often = tokio::time::interval(FORGETTING);
    loop {
        often.tick().await;
        if let Err(error) = site.sessions().forget_old().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "old sessions could not be removed");
        }
    }
}

/// Ends when this process is asked to end. It is heard from the call on.
pub(crate) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Lets go of everybody: streams end, and what is being answered gets a moment.
async fn farewell(portal: &Portal, graceful: GracefulShutdown) {
    tracing::info!("stopping: streams end, steps stay with their shims");
    let farewell = async {
        portal.close().await;
        graceful.shutdown().await;
        // What was written last moves from the log beside the database into the database itself.
        portal.store().close().await;
    };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        tracing::warn!("some connections did not end in time and were cut");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProxyIdentity;

    #[test]
    fn the_printed_address_can_be_opened_on_this_machine() {
        assert_eq!(reachable("0.0.0.0:3000".parse().unwrap()), "http://127.0.0.1:3000");
        assert_eq!(reachable("[::]:3000".parse().unwrap()), "http://127.0.0.1:3000");
        assert_eq!(reachable("[::1]:3000".parse().unwrap()), "http://[::1]:3000");
        assert_eq!(reachable("10.0.0.5:3000".parse().unwrap()), "http://10.0.0.5:3000");
    }

    #[test]
    fn one_line_says_to_whom_accounts_are_bound_who_vouches_for_nobody() {
        let bound = [("https://old.example.com".to_owned(), 3), ("proxy".to_owned(), 2)];
        let proxy = ProxyIdentity {
            user: "x-user".parse().unwrap(),
            groups: None,
            secret: "x-secret".parse().unwrap(),
            shared: String::new(),
            sign_out: None,
        };
        let named = IdentitySettings { proxy: Some(proxy), ..IdentitySettings::default() };

        let line = of_no_issuer(&bound, &IdentitySettings::default()).unwrap();
        assert!(line.contains("https://old.example.com (3), proxy (2)") && line.lines().count() == 1, "{line}");
        assert!(!of_no_issuer(&bound, &named).unwrap().contains("proxy (2)"));
        assert_eq!(of_no_issuer(&bound[1..], &named), None);
        assert_eq!(of_no_issuer(&[], &IdentitySettings::default()), None);
    }
}
