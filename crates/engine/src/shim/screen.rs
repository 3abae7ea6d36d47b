//! Whether a program paints a whole screen: seen in its output, as far as terminals need to be known for that.

use memchr::memchr;

const ESCAPE: u8 = 0x1b;
/// A longer sequence is none of those that are looked for.
const LONGEST: usize = 32;

/// What the output of a command has done to the screen.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// The alternate screen is shown, as `less` and `vim` do.
    pub alternate: bool,
    /// The cursor was sent to a place, or the screen was cleared: with single keys that is a full-screen program too, as
    /// `top` is.
    pub paints: bool,
    /// A control sequence that is not whole yet, from its bracket on.
    open: Option<Vec<u8>>,
    /// The last byte was an escape.
    escaped: bool,
}

impl Screen {
    /// Takes output, in whatever pieces it comes.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.open.is_none() && !self.escaped {
                let Some(at) = memchr(ESCAPE, bytes) else { return };
                self.escaped = true;
                bytes = bytes.get(at + 1..).unwrap_or_default();
            } else if let Some((byte, rest)) = bytes.split_first() {
                self.step(*byte);
                bytes = rest;
            }
        }
    }

    fn step(&mut self, byte: u8) {
        if std::mem::take(&mut self.escaped) {
            self.open = (byte == b'[').then(Vec::new);
            self.escaped = byte == ESCAPE;
            self.alternate &= byte != b'c';
            return;
        }
        let Some(open) = &mut self.open else { return };
        match byte {
            ESCAPE => (self.open, self.escaped) = (None, true),
            b'@'..=b'~' => {
                let parameters = std::mem::take(open);
                self.open = None;
                self.sequence(&parameters, byte);
            }
            _ if open.len() < LONGEST => open.push(byte),
            _ => self.open = None,
        }
    }

    fn sequence(&mut self, parameters: &[u8], last: u8) {
        match last {
            b'h' | b'l' => {
                let modes = parameters.strip_prefix(b"?").unwrap_or_default();
                if modes.split(|byte| *byte == b';').any(|mode| matches!(mode, b"47" | b"1047" | b"1049")) {
                    self.alternate = last == b'h';
                }
            }
            b'H' | b'f' => self.paints = true,
            b'J' => self.paints |= matches!(parameters, b"2" | b"3"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(output: &[u8]) -> (bool, bool) {
        let whole = {
            let mut screen = Screen::default();
            screen.read(output);
            (screen.alternate, screen.paints)
        };
        let mut pieces = Screen::default();
        output.chunks(1).for_each(|piece| pieces.read(piece));
        assert_eq!((pieces.alternate, pieces.paints), whole, "however it is cut");
        whole
    }

    #[test]
    fn the_alternate_screen_is_seen_as_it_comes_and_goes() {
        assert_eq!(after(b"\x1b[?1049h\x1b[22;0;0t"), (true, false));
        assert_eq!(after(b"\x1b[?1;1049h text \x1b[?25l"), (true, false));
        assert_eq!(after(b"\x1b[?1049h text \x1b[?1049l"), (false, false));
        assert_eq!(after(b"\x1b[?47h\x1bc"), (false, false));
    }

    #[test]
    fn a_program_that_sends_the_cursor_around_paints() {
        assert_eq!(after(b"\x1b[?1h\x1b=\x1b[H\x1b[2J"), (false, true));
        assert_eq!(after(b"\x1b[12;3H"), (false, true));
    }

    #[test]
    fn colours_progress_and_nonsense_are_no_screen() {
        for output in [
            b"\x1b[1;32mgreen\x1b[0m\x1b[K\r\x1b[2A\x1b[?2004h".as_slice(),
            b"1049h 47h [?1049h",
            b"\x1b[?1049",
            b"\x1b]0;title [?1049h\x07",
            b"\x1b[0123456789012345678901234567890123456789;1049h",
        ] {
            assert_eq!(after(output), (false, false), "{output:?}");
        }
    }
}
