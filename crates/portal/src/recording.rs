//! An attempt as a recording with its timing, for players of terminals.
//!
//! It is made while it is sent, from the output and the moments that the shim has noted beside it; an attempt of an older portal
//! has only the moments at which its commands began and ended.

use bytes::Bytes;
use domain::attempt::Mark;
use domain::cast::{self, Events};
use domain::policy::Viewer;
use domain::run::Run;
use domain::terminal::whole_characters;
use domain::{AttemptId, Timestamp};
use engine::{PIECE, WINDOW};
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::readable::Readable;
use crate::watching::AHEAD;
use crate::{Error, Portal};

/// From a byte on, output was printed at a moment or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    pub byte: u64,
    pub at: Timestamp,
    /// Whether a command begins or ends here.
    pub is_border: bool,
    /// The command that begins here.
    pub label: Option<String>,
}

impl Portal {
    /// An attempt as asciicast v3, as far as it is stored now.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such attempt, or it is not for this person.
    pub async fn recording(
        &self,
        viewer: Viewer<'_>,
        id: AttemptId,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, Error> {
        let run = self.run_for(viewer.actor(), id.run).await?;
        let intent = run.intent(id).ok_or(Error::NotFound)?;
        let marks = self.engine().read_marks(&intent, 0).await.unwrap_or_default();
        let times = self.engine().all_times(&id).await.unwrap_or_default();
        let begun = run.attempt(id).ok_or(Error::NotFound)?.started.at;
        let recording = Recording {
            portal: self.clone(),
            output: self.readable_for_long(&run, id),
            length: self.engine().length(&id),
            beats: beats(begun, times, &marks, |command| label(&run, id, command)),
            end: end(&marks).filter(|_| run.open_attempt() != Some(id)),
            header: header(&run, id, begun),
            events: Events::from_moment(begun),
        };
        let (sender, receiver) = mpsc::channel(AHEAD);
        self.tasks().spawn(async move {
            if let Err(error) = recording.send(&sender).await {
                // The reader learns that it broke off.
                drop(sender.send(Err(error)).await);
            }
        });
        Ok(self.while_seen(viewer, id.run, ReceiverStream::new(receiver)))
    }
}

fn header(run: &Run, id: AttemptId, at: Timestamp) -> String {
    let step = run.plan.step(id.step).map(|step| step.title.as_str()).unwrap_or_default();
    cast::header(WINDOW, at, &format!("{}, run {}: {step}, attempt {}", run.plan.title, id.run, id.attempt))
}

/// The first line of a command.
fn label(run: &Run, id: AttemptId, command: u32) -> String {
    let plan = run.plan.step(id.step).and_then(|step| step.command(command));
    plan.and_then(|plan| plan.script.lines().next()).unwrap_or_default().to_owned()
}

/// When the last command ended, and with which code.
fn end(marks: &[Mark]) -> Option<(Timestamp, i32)> {
    match marks.last()? {
        Mark::Ended { at, end, .. } => Some((Timestamp(*at), end.code?)),
        Mark::Started { .. } => None,
    }
}

/// Everything that is known about when something was printed, by its bytes.
pub fn beats(
    begun: Timestamp,
    times: Vec<(u64, Timestamp)>,
    marks: &[Mark],
    label: impl Fn(u32) -> String,
) -> Vec<Beat> {
    let of_mark = |mark: &Mark| match mark {
        Mark::Started { command, offset, at } => {
            Beat { byte: *offset, at: Timestamp(*at), is_border: true, label: Some(label(*command)) }
        }
        Mark::Ended { offset, at, .. } => Beat { byte: *offset, at: Timestamp(*at), is_border: true, label: None },
    };
    let first = Beat { byte: 0, at: begun, is_border: false, label: None };
    let printed = times.into_iter().map(|(byte, at)| Beat { byte, at, is_border: false, label: None });
    let mut beats: Vec<Beat> = std::iter::once(first).chain(marks.iter().map(of_mark)).chain(printed).collect();
    beats.sort_by_key(|beat| (beat.byte, beat.at));
    beats
}

struct Recording {
    portal: Portal,
    output: Readable,
    length: u64,
    beats: Vec<Beat>,
    end: Option<(Timestamp, i32)>,
    header: String,
    events: Events,
}

impl Recording {
    async fn send(mut self, sender: &mpsc::Sender<std::io::Result<Bytes>>) -> std::io::Result<()> {
        let header = std::mem::take(&mut self.header);
        let mut goes_on = self.told(sender, header).await;
        let beats = std::mem::take(&mut self.beats);
        let mut at = 0;
        for (place, beat) in beats.iter().enumerate() {
            if !goes_on {
                return Ok(());
            }
            if let Some(label) = &beat.label {
                let line = self.events.marker(beat.at, label);
                goes_on = self.told(sender, line).await;
            }
            let until = beats.get(place + 1).map_or(self.length, |next| next.byte.min(self.length));
            while goes_on && at < until {
                let most = usize::try_from(until - at).unwrap_or(PIECE).min(PIECE);
                let piece = self.output.read(at, most).await?;
                let count = whole_characters(&piece, at + piece.len() as u64 >= self.length);
                if count == 0 {
                    // The rest of a character comes with the next moment.
                    break;
                }
                at += count as u64;
                let line = self.events.output(beat.at, &String::from_utf8_lossy(&piece[..count]));
                goes_on = self.told(sender, line).await;
            }
        }
        if let Some((at, code)) = self.end {
            let line = self.events.exit(at, code);
            self.told(sender, line).await;
        }
        Ok(())
    }

    /// Whether somebody still wants it.
    async fn told(&self, sender: &mpsc::Sender<std::io::Result<Bytes>>, line: String) -> bool {
        tokio::select! {
            sent = sender.send(Ok(line.into())) => sent.is_ok(),
            () = self.portal.closing() => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::attempt::{CommandEnd, Outcome};

    use super::*;

    fn started(command: u32, offset: u64, at: i64) -> Mark {
        Mark::Started { command, offset, at }
    }

    fn ended(command: u32, offset: u64, at: i64) -> Mark {
        let end = CommandEnd {
            code: Some(3),
            statuses: Vec::new(),
            duration_ms: 1,
            outcome: Outcome::Failure,
            explanation: None,
        };
        Mark::Ended { command, offset, at, end }
    }

    fn all(times: &[(u64, i64)], marks: &[Mark]) -> Vec<(u64, i64, Option<String>)> {
        let times = times.iter().map(|(byte, at)| (*byte, Timestamp(*at))).collect();
        let beats = beats(Timestamp(5), times, marks, |command| format!("command {command}"));
        beats.into_iter().map(|beat| (beat.byte, beat.at.0, beat.label)).collect()
    }

    #[test]
    fn moments_and_commands_stand_in_the_order_of_their_bytes() {
        let marks = [started(1, 0, 10), ended(1, 40, 90), started(2, 40, 91)];

        let found = all(&[(0, 20), (30, 80), (40, 95)], &marks);

        let expected = [
            (0, 5, None),
            (0, 10, Some("command 1".to_owned())),
            (0, 20, None),
            (30, 80, None),
            (40, 90, None),
            (40, 91, Some("command 2".to_owned())),
            (40, 95, None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn it_ends_with_the_code_of_the_last_command_unless_that_runs() {
        assert_eq!(end(&[started(1, 0, 10), ended(1, 40, 90)]), Some((Timestamp(90), 3)));
        assert_eq!(end(&[started(1, 0, 10)]), None);
        assert_eq!(end(&[]), None);
    }
}
