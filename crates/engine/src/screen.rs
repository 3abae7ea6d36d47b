//! Full-screen programs: seen in their output, and drawn from it.
//!
//! [`Sequences`] knows terminals as far as that is needed to tell a program that paints a screen from one that prints text; the
//! shim reads every byte with it. [`Painter`] draws what such a program has painted, for who looks at it.

mod painter;

use domain::keyboard::Modes;
use memchr::memchr;

pub use painter::Painter;

const ESCAPE: u8 = 0x1b;
/// A longer sequence is none of those that are looked for.
const LONGEST: usize = 32;

/// What a control sequence does to the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The cursor is sent to a place, or the screen is cleared.
    Place,
    /// The alternate screen is shown, as `less` and `vim` do.
    Enter,
    /// The alternate screen goes away.
    Leave,
    /// The terminal is set back: both at once.
    Reset,
}

/// Finds the sequences that are about the whole screen, in output that comes in whatever pieces.
#[derive(Debug, Default)]
pub(crate) struct Sequences {
    /// The present sequence, from its escape on, while it is not whole.
    open: Vec<u8>,
    /// The one that was found last.
    last: Vec<u8>,
    /// The cursor will be put back: where it is sent meanwhile is beside the text, as the progress bar of `apt` is.
    saved: bool,
    /// Something was printed since the last act.
    printed: bool,
    /// What the terminal was asked for, as far as it changes what keys send.
    modes: Modes,
}

impl Sequences {
    /// Reads up to the end of the next sequence that counts: how many bytes that took, and what it does.
    pub(crate) fn next(&mut self, bytes: &[u8]) -> (usize, Option<Act>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.open.is_empty() {
                let text = memchr(ESCAPE, rest).unwrap_or(rest.len());
                self.printed |= rest.iter().take(text).any(|byte| *byte > b' ');
                at += text;
                if text < rest.len() {
                    self.open.push(ESCAPE);
                    at += 1;
                }
            } else if let Some(byte) = rest.first() {
                at += 1;
                if let Some(act) = self.step(*byte) {
                    return (at, Some(act));
                }
            }
        }
        (at, None)
    }

    /// The sequence that was found last.
    pub(crate) fn last(&self) -> &[u8] {
        &self.last
    }

    /// Whether something was printed since the last act.
    pub(crate) fn printed(&self) -> bool {
        self.printed
    }

    /// From here on.
    pub(crate) fn forget_printed(&mut self) {
        self.printed = false;
    }

    fn step(&mut self, byte: u8) -> Option<Act> {
        if byte == ESCAPE {
            self.open.truncate(1);
            return None;
        }
        self.open.push(byte);
        let act = match (self.open.get(1)?, self.open.len(), byte) {
            (b'[', 2, _) => return None,
            (b'[', _, b'@'..=b'~') => self.control(byte),
            (b'[', 3..LONGEST, _) => return None,
            (b'c', ..) => Some(self.reset()),
            (b'7', ..) => self.save(true),
            (b'8', ..) => self.save(false),
            _ => None,
        };
        self.last = std::mem::take(&mut self.open);
        act
    }

    fn control(&mut self, last: u8) -> Option<Act> {
        let parameters = self.open.get(2..self.open.len() - 1).unwrap_or_default();
        match last {
            b'h' | b'l' => {
                let mut modes = parameters.strip_prefix(b"?")?.split(|byte| *byte == b';');
                self.modes = with_modes(self.modes, modes.clone(), last == b'h');
                modes.any(|mode| matches!(mode, b"47" | b"1047" | b"1049")).then_some(())?;
                self.saved = false;
                Some(if last == b'h' { Act::Enter } else { Act::Leave })
            }
            b'H' | b'f' => (!self.saved).then_some(Act::Place),
            b'J' => matches!(parameters, b"2" | b"3").then_some(Act::Place),
            b's' | b'u' if parameters.is_empty() => self.save(last == b's'),
            _ => None,
        }
    }

    fn save(&mut self, saved: bool) -> Option<Act> {
        self.saved = saved;
        None
    }

    fn reset(&mut self) -> Act {
        self.modes = Modes::default();
        Act::Reset
    }
}

/// The modes after some of them were set or taken back.
fn with_modes<'a>(mut modes: Modes, named: impl Iterator<Item = &'a [u8]>, on: bool) -> Modes {
    for mode in named {
        match mode {
            b"1" => modes.application_cursor = on,
            b"2004" => modes.bracketed_paste = on,
            _ => {}
        }
    }
    modes
}

/// What the output of a command has done to the screen.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// The alternate screen is shown.
    pub alternate: bool,
    /// The cursor was sent to a place, or the screen was cleared: with single keys that is a full-screen program too, as
    /// `top` is.
    pub paints: bool,
    sequences: Sequences,
}

impl Screen {
    /// Takes output, in whatever pieces it comes.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (count, act) = self.sequences.next(bytes);
            bytes = bytes.get(count..).unwrap_or_default();
            match act {
                Some(Act::Place) => self.paints = true,
                Some(Act::Enter) => self.alternate = true,
                Some(Act::Leave | Act::Reset) => self.alternate = false,
                None => {}
            }
        }
    }

    /// What the command has asked of its terminal.
    pub(crate) fn modes(&self) -> Modes {
        self.sequences.modes
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
        assert_eq!(after(b"\x1b\x1b[?47h"), (true, false));
    }

    #[test]
    fn what_a_program_asks_of_its_keys_is_known_until_it_takes_it_back() {
        let modes = |output: &[u8]| {
            let mut screen = Screen::default();
            output.chunks(1).for_each(|piece| screen.read(piece));
            (screen.modes().application_cursor, screen.modes().bracketed_paste)
        };

        assert_eq!(modes(b"plain \x1b[1h\x1b[31m"), (false, false));
        assert_eq!(modes(b"\x1b[?1h\x1b=\x1b[?2004h"), (true, true));
        assert_eq!(modes(b"\x1b[?1;2004h\x1b[?1l"), (false, true));
        assert_eq!(modes(b"\x1b[?1049;1h\x1bc"), (false, false));
    }

    #[test]
    fn a_program_that_sends_the_cursor_around_paints() {
        assert_eq!(after(b"\x1b[?1h\x1b=\x1b[H\x1b[2J"), (false, true));
        assert_eq!(after(b"\x1b[12;3H"), (false, true));
    }

    #[test]
    fn a_cursor_that_is_put_back_paints_no_screen() {
        assert_eq!(after(b"\x1b7\x1b[48;0f\x1b[42mProgress: [ 12%]\x1b[m\x1b8Unpacking\r\n"), (false, false));
        assert_eq!(after(b"\x1b[s\x1b[1;1Hclock\x1b[u"), (false, false));
        assert_eq!(after(b"\x1b7\x1b[?47h\x1b[H"), (true, true), "the alternate screen begins anew");
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
