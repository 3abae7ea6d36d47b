//! The frames of the one stream that a run's page follows.
//!
//! A stream is newline-delimited JSON, one [`Framed`] a line. State travels as the run's own events, which the browser
//! folds with the same [`crate::run::evolve`] as the server; output travels as pieces that tile the stored bytes without a
//! gap. Whoever reconnects sends the [`Cursor`] up to which it has everything.

use serde::{Deserialize, Serialize};

use crate::attempt::Condition;
use crate::run::Entry;
use crate::screen::Repaint;
use crate::terminal::Style;
use crate::{Timestamp, is_default};

/// Up to where a page has everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The version of the run that the page shows.
    pub version: u64,
    /// The step whose output the page shows; 0 for none.
    pub step: u32,
    /// The attempt of that step; 0 for none.
    pub attempt: u32,
    /// The first byte of that attempt's output that the page does not have.
    pub offset: u64,
}

/// A frame with its number in the stream, from 1: a page that misses a number asks again from its cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framed {
    /// The number.
    pub seq: u64,
    /// The frame.
    #[serde(flatten)]
    pub frame: Frame,
}

/// One thing that a page is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
pub enum Frame {
    /// The first frame.
    Hello {
        /// The build of the portal: a page of another build offers to be loaded again.
        build: String,
        /// The portal's time, so that a page need not trust its own clock.
        now: Timestamp,
    },
    /// Something happened to the run.
    Event {
        /// What.
        entry: Box<Entry>,
    },
    /// A piece of output. Its bytes follow those of the piece before.
    Output {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number.
        attempt: u32,
        /// The first byte of the piece in the stored output.
        offset: u64,
        /// How many stored bytes it stands for.
        bytes: u64,
        /// The bytes as text; what is not UTF-8 stands as U+FFFD.
        text: String,
        /// When it was printed, or later, if it is sent to a page that goes along with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Output that is stored but not sent, because there is too much of it for a page.
    Left {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number.
        attempt: u32,
        /// The first byte that is not sent.
        from: u64,
        /// The first byte that is sent again.
        to: u64,
        /// The number of the line in which that stands, from 1, when it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u64>,
        /// The style in which it begins.
        #[serde(default, skip_serializing_if = "is_default")]
        style: Style,
    },
    /// What the command that runs is found to be doing.
    Condition {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number.
        attempt: u32,
        /// What.
        condition: Condition,
    },
    /// What the screen of a full-screen program shows now, or showed when the program left it.
    Screen {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number.
        attempt: u32,
        /// What is different since the frame before.
        repaint: Box<Repaint>,
    },
    /// Who looks at this run now.
    Watchers {
        /// Their names.
        names: Vec<String>,
    },
    /// Nothing happened; the connection lives.
    Beat {
        /// The portal's time.
        now: Timestamp,
    },
    /// Something that a later portal tells and this page does not know: it is passed over.
    #[serde(other)]
    Unknown,
}

/// Cuts a stream of network chunks into lines. Chunks may be merged and split anywhere, also inside a character.
#[derive(Debug, Default)]
pub struct LineDecoder {
    rest: Vec<u8>,
}

impl LineDecoder {
    /// Adds a chunk and gives the lines that are whole now, without their ends.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(chunk);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_whole_however_the_network_cuts_them() {
        let text = "{\"a\":1}\n{\"b\":\"ü\"}\n{\"c\"";

        for cut in 0..text.len() {
            let mut decoder = LineDecoder::default();
            let (head, tail) = text.as_bytes().split_at(cut);

            let mut lines = decoder.push(head);
            lines.extend(decoder.push(tail));

            assert_eq!(lines, ["{\"a\":1}", "{\"b\":\"ü\"}"], "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_of_a_later_portal_is_passed_over() {
        let line = r#"{"seq":7,"frame":"weather","sky":"blue"}"#;

        assert_eq!(serde_json::from_str::<Framed>(line).unwrap(), Framed { seq: 7, frame: Frame::Unknown });
    }

    #[test]
    fn what_was_left_out_by_an_older_portal_says_nothing_about_lines() {
        let line = r#"{"seq":7,"frame":"left","step":1,"attempt":2,"from":3,"to":9}"#;
        let frame = Frame::Left { step: 1, attempt: 2, from: 3, to: 9, line: None, style: Style::default() };

        assert_eq!(serde_json::from_str::<Framed>(line).unwrap(), Framed { seq: 7, frame: frame.clone() });
        assert_eq!(serde_json::to_string(&Framed { seq: 7, frame }).unwrap(), line);
    }

    #[test]
    fn a_frame_is_one_flat_object() {
        let framed = Framed { seq: 7, frame: Frame::Beat { now: Timestamp(1) } };

        let line = serde_json::to_string(&framed).unwrap();

        assert_eq!(line, r#"{"seq":7,"frame":"beat","now":1}"#);
        assert_eq!(serde_json::from_str::<Framed>(&line).unwrap(), framed);
    }
}
