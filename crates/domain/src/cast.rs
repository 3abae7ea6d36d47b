//! A recording of a terminal, as asciicast v3: what players such as asciinema's show with its timing.
//!
//! The first line is a header, each other one an event: seconds since the event before, what it is, and its text.

use serde_json::json;

use crate::Timestamp;

/// The name of the format among types of content.
pub const MEDIA_TYPE: &str = "application/x-asciicast";

/// The first line.
pub fn header((columns, rows): (u16, u16), at: Timestamp, title: &str) -> String {
    let term = json!({ "cols": columns, "rows": rows, "type": "xterm-256color" });
    let header = json!({ "version": 3, "term": term, "timestamp": at.0.div_euclid(1000), "title": title });
    format!("{header}\n")
}

/// Writes events one after the other.
#[derive(Clone, Debug)]
pub struct Events {
    /// When the last event was.
    last: Timestamp,
    /// Whether what was printed last ends with a carriage return.
    returned: bool,
}

impl Events {
    /// From a moment on.
    pub const fn from_moment(at: Timestamp) -> Self {
        Self { last: at, returned: false }
    }

    /// Something is printed. The terminal of a step is left alone with its line feeds; a player's has to be told to return as well.
    pub fn output(&mut self, at: Timestamp, text: &str) -> String {
        let mut returning = String::with_capacity(text.len() + 16);
        for character in text.chars() {
            if character == '\n' && !self.returned {
                returning.push('\r');
            }
            returning.push(character);
            self.returned = character == '\r';
        }
        self.event(at, "o", &returning)
    }

    /// A place that a player can jump to.
    pub fn marker(&mut self, at: Timestamp, label: &str) -> String {
        self.event(at, "m", label)
    }

    /// The end, with the code with which it ended.
    pub fn exit(&mut self, at: Timestamp, code: i32) -> String {
        self.event(at, "x", &code.to_string())
    }

    fn event(&mut self, at: Timestamp, kind: &str, text: &str) -> String {
        let since = at.since(self.last);
        self.last = self.last.max(at);
        format!("[{}.{:03}, \"{kind}\", {}]\n", since / 1000, since % 1000, json!(text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const AT: Timestamp = Timestamp(1_795_471_084_250);

    #[test]
    fn the_header_says_how_large_the_terminal_is_and_when_it_was() {
        let header: Value = serde_json::from_str(&header((160, 48), AT, "Say \"hello\"")).unwrap();

        assert_eq!(header["version"], 3);
        assert_eq!((&header["term"]["cols"], &header["term"]["rows"]), (&json!(160), &json!(48)));
        assert_eq!((&header["timestamp"], &header["title"]), (&json!(1_795_471_084), &json!("Say \"hello\"")));
    }

    #[test]
    fn each_event_says_how_long_after_the_one_before_it_was() {
        let mut events = Events::from_moment(AT);

        let lines = [
            events.marker(AT, "echo one"),
            events.output(AT.plus(1_005), "one\n"),
            events.output(AT.plus(1_000), "the clock was set back\r\n"),
            events.output(AT.plus(61_005), "\u{1b}[31mred\r"),
            events.output(AT.plus(61_005), "\nx"),
            events.exit(AT.plus(61_006), 7),
        ];

        assert_eq!(lines[0], "[0.000, \"m\", \"echo one\"]\n");
        assert_eq!(lines[1], "[1.005, \"o\", \"one\\r\\n\"]\n");
        assert_eq!(lines[2], "[0.000, \"o\", \"the clock was set back\\r\\n\"]\n");
        assert_eq!(lines[3], "[60.000, \"o\", \"\\u001b[31mred\\r\"]\n");
        assert_eq!(lines[4], "[0.000, \"o\", \"\\nx\"]\n");
        assert_eq!(lines[5], "[0.001, \"x\", \"7\"]\n");
        for line in lines {
            serde_json::from_str::<Value>(&line).unwrap();
        }
    }
}
