//! The command `audit`: what is kept of the past is read again, and judged. Nothing is started, nothing is written.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use audit::PublicKey;
use audit::bundle::{self, BadBundle, BoundOutput, Proof};
use domain::audit::{Finding, Verification};
use domain::run::{Run, evolve};
use domain::time::{counted, size, span, thousands};
use portal::KeptRecord;

use crate::cli::{AuditCommand, PlaceArguments};
use crate::config::Config;
use crate::{complain, load, print};

/// Something was changed.
const CHANGED: u8 = 1;

/// Something could not be read.
const UNREADABLE: u8 = 2;

/// Does what was asked.
pub fn run(command: AuditCommand) -> ExitCode {
    let judged = match command {
        AuditCommand::Verify { key, place } => verify(key.as_deref(), place),
        AuditCommand::Key { place } => public_key(place),
        AuditCommand::Check { file, key } => check(&file, key.as_deref()),
    };
    match judged {
        Ok(Judged { text, good: true }) => print(&text),
        Ok(Judged { text, good: false }) => {
            print(&text);
            ExitCode::from(CHANGED)
        }
        Err(sentence) => {
            complain(&sentence);
            ExitCode::from(UNREADABLE)
        }
    }
}

/// What is printed, and whether everything is as it was.
struct Judged {
    text: String,
    good: bool,
}

fn config(place: PlaceArguments) -> Result<Config, String> {
    load(&place.into())
}

fn on_a_runtime<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("Nothing can be read here: {error}. Nothing was verified"))?.block_on(work)
}

fn verify(key: Option<&Path>, place: PlaceArguments) -> Result<Judged, String> {
    let config = config(place)?;
    let begun = std::time::Instant::now();
    let verification = on_a_runtime(async {
        let record =
            KeptRecord::open(&config.data, &config.checkpoints, key).await.map_err(|error| error.to_string())?;
        record.verify(|_, _| {}).await.map_err(|error| error.to_string())
    })?;
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let good = verification.findings.is_empty();
    Ok(Judged { text: verdict(&verification, took), good })
}

/// What verification has found, for people.
fn verdict(verification: &Verification, took_ms: u64) -> String {
    let Verification { events, checkpoints, proven, outputs, bytes, findings } = verification;
    let mut text = format!(
        "{} events hold, {} and {} with {} as well. Read in {}.\n",
        thousands(*events),
        counted(*checkpoints, "checkpoint"),
        counted(*outputs, "output"),
        size(*bytes),
        span(took_ms)
    );
    // Writing into a string cannot fail.
    if proven < events {
        let _ = writeln!(text, "Events {} to {events} are younger than the last checkpoint.", proven + 1);
    }
    for Finding { part, why, .. } in findings {
        let _ = writeln!(text, "CHANGED, {}: {why}", part.word());
    }
    text += if findings.is_empty() {
        "Everything is as it was recorded.\n"
    } else {
        "NOT everything is as it was recorded.\n"
    };
    text
}

fn public_key(place: PlaceArguments) -> Result<Judged, String> {
    let config = config(place)?;
    let key = KeptRecord::public_key(&config.data).map_err(|error| error.to_string())?;
    Ok(Judged { text: key.pem(), good: true })
}

fn check(file: &Path, key: Option<&Path>) -> Result<Judged, String> {
    let trusted = key.map(read_key).transpose()?;
    let opened =
        File::open(file).map_err(|error| format!("{} cannot be read: {error}. Nothing was checked", file.display()))?;
    match bundle::check(BufReader::new(opened), trusted.as_ref()) {
        Ok(proof) => Ok(Judged { good: proof.missing.is_empty(), text: proven(&proof) }),
        Err(BadBundle::False(why)) => Ok(Judged { text: format!("{why}\nThis bundle proves nothing.\n"), good: false }),
        Err(error @ BadBundle::Unreadable(_)) => Err(format!("{}: {error}", file.display())),
    }
}

fn read_key(file: &Path) -> Result<PublicKey, String> {
    let unreadable =
        |why: String| format!("The public key {} cannot be used: {why}. Nothing was checked", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    PublicKey::from_pem(&text).map_err(|error| unreadable(error.to_string()))
}

/// What a bundle proves, and the story that its events tell.
fn proven(proof: &Proof) -> String {
    let run = proof.entries.iter().fold(None, |run: Option<Run>, entry| evolve(proof.run, run, entry));
    let mut text = String::new();
    let title = run.as_ref().map(|run| format!(", \u{201c}{}\u{201d}", run.plan.title)).unwrap_or_default();
    let _ = writeln!(text, "Evidence of run {}{title}", proof.run);
    let _ = writeln!(text, "\nProven with the key {}{}:", proof.fingerprint, trust(proof));
    let _ = writeln!(
        text,
        "- These {} events of the run, numbered without a gap, stood in the portal's chain of events on {} at the latest, and \
         not one of them was changed since.",
        proof.events, proof.checkpoint.at
    );
    let _ = writeln!(text, "- {}", ending(run.as_ref()));
    for BoundOutput { id, bytes } in &proof.outputs {
        let _ = writeln!(text, "- Step {}, attempt {}, printed these {bytes} bytes.", id.step, id.attempt);
    }
    for BoundOutput { id, bytes } in &proof.missing {
        let _ = writeln!(text, "\nMISSING: the {bytes} bytes that step {}, attempt {}, printed.", id.step, id.attempt);
    }
    let _ = writeln!(
        text,
        "\nNot proven: that the portal's clock was right, and who used the account of a person.\n\nThe story:"
    );
    for moment in run.iter().flat_map(app::record::timeline) {
        let more = moment.more.map(|more| format!(": {}", more.replace('\n', " "))).unwrap_or_default();
        let _ = writeln!(text, "{}  {}{more}", moment.at.iso(), moment.words);
    }
    text
}

fn trust(proof: &Proof) -> &'static str {
    if proof.trusted {
        ", which you named"
    } else {
        ", which lies in the bundle itself: compare it with the one that the portal's administrators gave you"
    }
}

fn ending(run: Option<&Run>) -> String {
    match run.and_then(|run| run.end.as_ref()) {
        Some(end) => format!("It was closed by {}: {}.", end.stamp.by.name(), end.verdict.word()),
        None => "It was still open then: what came after is not in here.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::audit::Part;

    use super::*;

    #[test]
    fn a_verdict_names_what_was_changed_and_how_far_the_proof_goes() {
        let finding = Finding { part: Part::Chain, seq: Some(7), attempt: None, why: "Event 7 is missing.".to_owned() };
        let verification =
            Verification { events: 6, checkpoints: 1, proven: 4, findings: vec![finding], ..Verification::default() };

        let text = verdict(&verification, 1500);

        assert!(text.contains("Events 5 to 6 are younger"), "{text}");
        assert!(text.contains("CHANGED, events: Event 7 is missing.\nNOT everything"), "{text}");
    }
}
