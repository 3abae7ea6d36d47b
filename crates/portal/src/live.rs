//! Who is to be told what: followers of runs wait here for a new version, and see who else is looking.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::RunId;
use tokio::sync::watch;

/// The runs that somebody looks at. A run that nobody looks at costs nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    runs: Arc<Mutex<HashMap<RunId, Channel>>>,
    next: Arc<std::sync::atomic::AtomicU64>,
    /// Counts the changes of requests for approval, in whatever run.
    approvals: Arc<watch::Sender<u64>>,
    /// Counts what may make a line of an escalation due, in whatever run.
    escalations: Arc<watch::Sender<u64>>,
    /// Counts what was covered in stored output, of whatever run.
    redactions: Arc<watch::Sender<u64>>,
}

#[derive(Debug)]
struct Channel {
    version: watch::Sender<u64>,
    names: watch::Sender<Vec<(u64, String)>>,
}

/// One look at a run; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Look {
    live: Live,
    run: RunId,
    ticket: u64,
    /// The newest version that is known.
    pub version: watch::Receiver<u64>,
    /// Everyone who looks.
    pub names: watch::Receiver<Vec<(u64, String)>>,
}

impl Live {
    /// Tells everyone who looks at a run that it has a new version.
    pub fn tell(&self, run: RunId, version: u64) {
        if let Some(channel) = self.lock().get(&run) {
            channel.version.send_replace(version);
        }
    }

    /// Tells everyone who waits for it that a request for approval was made, decided, or came to an end.
    pub fn tell_of_approvals(&self) {
        self.approvals.send_modify(|changes| *changes += 1);
    }

    /// Tells everyone who waits on the start page that suggestions have come or gone. It goes by the same way: whoever waits for the
    /// one looks again at the other.
    pub fn tell_of_suggestions(&self) {
        self.tell_of_approvals();
    }

    /// Tells whoever calls people that something may be due.
    pub fn tell_of_escalations(&self) {
        self.escalations.send_modify(|changes| *changes += 1);
    }

    /// What may make something due, from now on.
    pub fn escalations(&self) -> watch::Receiver<u64> {
        self.escalations.subscribe()
    }

    /// The changes of requests for approval, from now on.
    pub fn approvals(&self) -> watch::Receiver<u64> {
        self.approvals.subscribe()
    }

    /// Tells everyone who reads stored output that something in one is recorded as covered.
    pub fn tell_of_redactions(&self) {
        self.redactions.send_modify(|changes| *changes += 1);
    }

    /// What is covered, from now on.
    pub fn redactions(&self) -> watch::Receiver<u64> {
        self.redactions.subscribe()
    }

    /// Begins a look at a run, under a name.
    pub fn look(&self, run: RunId, name: &str) -> Look {
        let ticket = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut runs = self.lock();
        let channel = runs
            .entry(run)
            .or_insert_with(|| Channel { version: watch::Sender::new(0), names: watch::Sender::new(Vec::new()) });
        channel.names.send_modify(|names| names.push((ticket, name.to_owned())));
        let (version, names) = (channel.version.subscribe(), channel.names.subscribe());
        drop(runs);
        Look { live: self.clone(), run, ticket, version, names }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Channel>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look {
    /// The names of everyone who looks, each once, in order of arrival.
    pub fn names(&mut self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (_, name) in self.names.borrow_and_update().iter() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let mut runs = self.live.lock();
        let Some(channel) = runs.get(&self.run) else { return };
        channel.names.send_modify(|names| names.retain(|(ticket, _)| *ticket != self.ticket));
        let empty = channel.names.borrow().is_empty();
        if empty {
            runs.remove(&self.run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everyone_who_looks_is_told_and_seen_until_they_go() {
        let live = Live::default();
        let mut olga = live.look(RunId(1), "Olga");
        let otto = live.look(RunId(1), "Otto");

        live.tell(RunId(1), 7);

        olga.version.changed().await.unwrap();
        assert_eq!(*olga.version.borrow(), 7);
        assert_eq!(olga.names(), ["Olga", "Otto"]);
        drop(otto);
        olga.names.changed().await.unwrap();
        assert_eq!(olga.names(), ["Olga"]);
        drop(olga);
        assert!(live.lock().is_empty(), "a run that nobody looks at costs nothing");
    }
}
