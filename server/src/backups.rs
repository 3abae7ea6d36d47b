//! The commands `backup` and `restore`. The portal itself is not opened: what runs is left alone.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::time::{counted, size, span, thousands};
use portal::{Backup, Course, Manifest, Restore, SystemClock};

use crate::cli::PlaceArguments;
use crate::config::Config;
use crate::serve::stop_signal;
use crate::{complain, load, run};

/// Between two words about how far it is: to a person who looks, and to a file.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(10);

/// Makes a backup.
pub fn make(to: PathBuf, place: PlaceArguments) -> ExitCode {
    run(async move {
        let (config, begun, course) = (load(&place.into())?, Instant::now(), Arc::new(Course::default()));
        let backup = Backup {
            data: config.data,
            checkpoints: config.checkpoints,
            to,
            portal: env!("CARGO_PKG_VERSION").to_owned(),
            clock: Arc::new(SystemClock),
            course: Arc::clone(&course),
        };
        let made = watched(&course, backup.make()).await.map_err(|error| error.to_string())?;
        made.notes.iter().for_each(|note| complain(note));
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        say(&format!("{} is a backup now: {}. It took {}.\n", backup.to.display(), made.words(), span(took)));
        Ok(())
    })
}

/// Checks a backup.
pub fn check(from: PathBuf) -> ExitCode {
    run(async move {
        let restore = Restore { from, course: Arc::default() };
        let manifest = watched(&restore.course, restore.check()).await.map_err(|error| error.to_string())?;
        say(&format!("{} is whole: {}.\n{}", restore.from.display(), origin(&manifest), noted(&manifest)));
        Ok(())
    })
}

/// Checks a backup and puts it into its place.
pub fn restore(from: PathBuf, place: PlaceArguments) -> ExitCode {
    run(async move {
        let config = load(&place.into())?;
        let restore = Restore { from, course: Arc::default() };
        let put = watched(&restore.course, restore.put(&config.data)).await;
        let manifest = put.map_err(|error| error.to_string())?;
        say(&restored(&manifest, &config));
        Ok(())
    })
}

/// When a backup was made, by what, and what is in it.
fn origin(manifest: &Manifest) -> String {
    format!("the backup of {} by runbook-portal {}, with {}", manifest.at.absolute(), manifest.portal, manifest.words())
}

/// What was not as it should be when it was made.
fn noted(manifest: &Manifest) -> String {
    manifest.notes.iter().fold(String::new(), |told, note| told + "When it was made: " + note + "\n")
}

/// What is in the data folder now, and what to do next.
fn restored(manifest: &Manifest, config: &Config) -> String {
    let data = config.data.display();
    let mut text = format!("{data} is {}.\n{}", origin(manifest), noted(manifest));
    if let Some(checkpoint) = Restore::checkpoint_behind(manifest, &config.checkpoints) {
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "The checkpoints outside know event {} of {}: what happened after event {} is not in this backup, and `audit verify` \
             says so.",
            thousands(checkpoint.seq),
            checkpoint.at.absolute(),
            thousands(manifest.events)
        );
    }
    let _ = writeln!(
        text,
        "Next: `runbook-portal audit verify --data {data}`, with the checkpoints that lie elsewhere ([audit] in the configuration) \
         and your copy of the public key (--key). Then start the portal. No other one may work with this data any more: this \
         one takes up what was open."
    );
    text
}

/// Does long work, says on standard error how far it is, and ends it when it is asked to by a signal.
async fn watched<T>(course: &Arc<Course>, work: impl Future<Output = T>) -> T {
    let telling = tokio::spawn(tell(Arc::clone(course)));
    // Heard from here on. A system that does not let anybody hear it ends the process itself.
    let stopping = stop_signal().ok().map(|stop| tokio::spawn(stop_after(stop, Arc::clone(course))));
    let outcome = work.await;
    telling.abort();
    stopping.iter().for_each(tokio::task::JoinHandle::abort);
    if std::io::stderr().is_terminal() {
        drop(write!(std::io::stderr(), "\r\x1b[K"));
    }
    outcome
}

async fn stop_after(stop: impl Future<Output = ()>, course: Arc<Course>) {
    stop.await;
    course.stop();
}

async fn tell(course: Arc<Course>) {
    let terminal = std::io::stderr().is_terminal();
    let mut ticks = tokio::time::interval(if terminal { OFTEN } else { SELDOM });
    // The first one comes at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let far = format!("{} with {} so far", counted(course.files(), "file"), size(course.bytes()));
        let (begin, end) = if terminal { ("\r", "\x1b[K") } else { ("", "\n") };
        // Without standard error there is nobody to tell.
        drop(write!(std::io::stderr(), "{begin}{far}{end}"));
    }
}

/// Prints to standard output. A reader that went away is no failure: it is done.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

#[cfg(test)]
mod tests {
    use domain::{Digest, Timestamp};

    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            format: 1,
            portal: "0.1.0".to_owned(),
            schema: 8,
            at: Timestamp(1_795_471_084_000),
            time: String::new(),
            events: 12,
            head: Digest::of(b"x").as_str().to_owned(),
            runs: 1,
            attempts: 1,
            open: 0,
            files: 9,
            bytes: 4096,
            sums: Digest::of(b""),
            notes: vec!["There was no checkpoint.".to_owned()],
        }
    }

    #[test]
    fn a_backup_is_told_by_its_time_its_portal_and_what_is_in_it() {
        let told = origin(&manifest());

        assert!(
            told.starts_with("the backup of Mon 23 Nov 2026, 21:58:04 UTC by runbook-portal 0.1.0, with 12 events")
        );
        assert_eq!(noted(&manifest()), "When it was made: There was no checkpoint.\n");
    }
}
