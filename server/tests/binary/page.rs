//! What a page has of a run: it follows the stream from where it is, over as many portals as it takes.

use domain::run::{Entry, Event};
use serde_json::Value;

use crate::browser::{Browser, lines};

/// A page that shows attempt 1 of step 1.
#[derive(Default)]
pub struct Page {
    /// Every event that it was told.
    pub told: Vec<Entry>,
    /// The output, which has to tile.
    pub output: String,
    /// Where each piece of the output stands, and how many bytes it is.
    pieces: Vec<(u64, u64)>,
    /// The byte up to which it was told of the output, with what was left out because it was far behind.
    pub offset: u64,
    /// The build of the portal that it spoke to last.
    pub build: String,
}

impl Page {
    /// Follows a run until `enough` says so after a frame, the attempt has ended and is shown whole, or the portal goes away. How long
    /// that may take without anything new is the business of [`lines`].
    pub fn follow(&mut self, browser: &mut Browser, run: u64, mut enough: impl FnMut(&Self) -> bool) {
        let (run, version, offset) = (run.to_string(), self.told.len().to_string(), self.offset.to_string());
        let cursor = [
            ("run", run.as_str()),
            ("cursor[version]", &version),
            ("cursor[step]", "1"),
            ("cursor[attempt]", "1"),
            ("cursor[offset]", &offset),
        ];
        let Ok(stream) = browser.try_call("runs/watch", &cursor) else { return };
        for line in lines(stream) {
            // The last line of a portal that died may be half a line.
            let Ok(frame) = serde_json::from_str::<Value>(&line) else { return };
            self.take(&frame);
            if self.is_whole() || enough(self) {
                return;
            }
        }
    }

    fn take(&mut self, frame: &Value) {
        match frame["frame"].as_str() {
            Some("hello") => frame["build"].as_str().unwrap().clone_into(&mut self.build),
            Some("output") => {
                assert_eq!(frame["offset"].as_u64(), Some(self.offset), "the same byte, no gap and no repetition");
                let bytes = frame["bytes"].as_u64().unwrap();
                self.pieces.push((self.offset, bytes));
                self.offset += bytes;
                self.output.push_str(frame["text"].as_str().unwrap());
            }
            Some("left") => {
                assert_eq!(frame["from"].as_u64(), Some(self.offset));
                self.offset = frame["to"].as_u64().unwrap();
            }
            Some("event") => {
                let entry: Entry = serde_json::from_value(frame["entry"].clone()).unwrap();
                assert_eq!(entry.version, self.told.len() as u64 + 1, "every event once and in order");
                self.told.push(entry);
            }
            _ => {}
        }
    }

    /// The bytes of output that the attempt had in the end, once it has ended.
    fn length(&self) -> Option<u64> {
        self.told.iter().find_map(|entry| match &entry.event {
            Event::AttemptEnded { exit, .. } => Some(exit.bytes),
            Event::AttemptInterrupted { bytes, .. } => Some(*bytes),
            _ => None,
        })
    }

    /// Whether the attempt has ended and the page has all of it.
    pub fn is_whole(&self) -> bool {
        self.length().is_some_and(|length| self.offset >= length)
    }

    /// Whether each piece of the output is what is stored at its place. Characters of more than a byte are not for this.
    pub fn is_true_to(&self, stored: &[u8]) -> bool {
        let mut output = self.output.as_bytes();
        self.pieces.iter().all(|&(offset, bytes)| {
            let (piece, rest) = output.split_at(usize::try_from(bytes).unwrap());
            output = rest;
            stored.get(usize::try_from(offset).unwrap()..).is_some_and(|stored| stored.starts_with(piece))
        })
    }

    /// The exit codes of the commands, in order.
    pub fn codes(&self) -> Vec<Option<i32>> {
        let codes = self.told.iter().filter_map(|entry| match &entry.event {
            Event::CommandEnded { end, .. } => Some(end.code),
            _ => None,
        });
        codes.collect()
    }
}
