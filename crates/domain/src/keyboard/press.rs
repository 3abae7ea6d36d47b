//! One key with what is held down beside it: its name in forms, its word on pages, its bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Modes;

/// A key of the keyboard that is not simply typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The end of a line.
    Enter,
    /// Tab.
    Tab,
    /// Escape.
    Escape,
    /// Takes back the character before the cursor.
    Backspace,
    /// Takes away the character at the cursor.
    Delete,
    /// Insert.
    Insert,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// The begin.
    Home,
    /// The end.
    End,
    /// A screen back.
    PageUp,
    /// A screen on.
    PageDown,
    /// F1 to F12.
    Function(u8),
    /// A character, together with Ctrl or Alt.
    Sign(char),
}

/// The keys with a fixed name: as forms write them, as browsers call them, as people do.
const NAMES: [(Named, &str, &str, &str); 14] = [
    (Named::Enter, "enter", "Enter", "Enter"),
    (Named::Tab, "tab", "Tab", "Tab"),
    (Named::Escape, "escape", "Escape", "Esc"),
    (Named::Backspace, "backspace", "Backspace", "Backspace"),
    (Named::Delete, "delete", "Delete", "Delete"),
    (Named::Insert, "insert", "Insert", "Insert"),
    (Named::Up, "up", "ArrowUp", "Up"),
    (Named::Down, "down", "ArrowDown", "Down"),
    (Named::Left, "left", "ArrowLeft", "Left"),
    (Named::Right, "right", "ArrowRight", "Right"),
    (Named::Home, "home", "Home", "Home"),
    (Named::End, "end", "End", "End"),
    (Named::PageUp, "page-up", "PageUp", "Page up"),
    (Named::PageDown, "page-down", "PageDown", "Page down"),
];

impl Named {
    /// The key with this name among those of browsers (`KeyboardEvent.key`); `None` for a character and for what is no key.
    pub(super) fn of_browser(name: &str) -> Option<Self> {
        let fixed = NAMES.iter().find(|(_, _, browser, _)| *browser == name).map(|(key, ..)| *key);
        fixed.or_else(|| function(name, 'F'))
    }

    fn of_form(name: &str) -> Option<Self> {
        let fixed = NAMES.iter().find(|(_, form, ..)| *form == name).map(|(key, ..)| *key);
        let mut signs = name.chars();
        let sign = signs.next().filter(|sign| signs.next().is_none() && !sign.is_control());
        fixed.or_else(|| function(name, 'f')).or(sign.map(Self::Sign))
    }

    fn fixed(self) -> Option<(&'static str, &'static str)> {
        NAMES.iter().find(|(key, ..)| *key == self).map(|(_, form, _, word)| (*form, *word))
    }
}

/// `F7` or `f7`
fn function(name: &str, letter: char) -> Option<Named> {
    let digits = name.strip_prefix(letter).filter(|digits| !digits.starts_with(['0', '+']))?;
    digits.parse().ok().filter(|number| (1..=12).contains(number)).map(Named::Function)
}

/// What is held down with a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four keys, each of which is down or is not")]
pub struct Held {
    /// Shift.
    pub shift: bool,
    /// Alt.
    pub alt: bool,
    /// Ctrl.
    pub ctrl: bool,
    /// The key that is the browser's own: Cmd, or the one with the system's sign.
    pub meta: bool,
}

/// One key, pressed once. Forms and scripts write it as `ctrl-c`, `alt-x`, `shift-f3`, `up`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Press {
    /// The key.
    pub key: Named,
    /// What is held down with it.
    pub held: Held,
}

/// There is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such key; write it as ctrl-c, alt-x, shift-f3, page-up or escape")]
pub struct NoSuchKey;

impl Press {
    /// A key with nothing held down.
    pub const fn plain(key: Named) -> Self {
        Self { key, held: Held { shift: false, alt: false, ctrl: false, meta: false } }
    }

    /// A letter with Ctrl.
    pub const fn ctrl(letter: char) -> Self {
        Self { key: Named::Sign(letter), held: Held { shift: false, alt: false, ctrl: true, meta: false } }
    }

    /// A character with what is held down: Shift has made the character what it is.
    pub(super) fn of(sign: char, held: Held) -> Self {
        let sign = if held.ctrl { sign.to_ascii_lowercase() } else { sign };
        Self { key: Named::Sign(sign), held: Held { shift: false, ..held } }
    }

    /// The key as forms and scripts write it.
    pub fn parse(name: &str) -> Result<Self, NoSuchKey> {
        let mut held = Held::default();
        let mut rest = name;
        loop {
            let (flag, after) = match rest.split_once('-') {
                Some(("ctrl", after)) => (&mut held.ctrl, after),
                Some(("alt", after)) => (&mut held.alt, after),
                Some(("shift", after)) => (&mut held.shift, after),
                _ => break,
            };
            *flag = true;
            rest = after;
        }
        Ok(Self { key: Named::of_form(rest).ok_or(NoSuchKey)?, held })
    }

    /// The key as forms and scripts write it.
    pub fn name(self) -> String {
        let key = match self.key {
            Named::Function(number) => format!("f{number}"),
            Named::Sign(sign) => sign.to_string(),
            key => key.fixed().map(|(form, _)| form.to_owned()).unwrap_or_default(),
        };
        [self.held_words(["ctrl-", "alt-", "shift-"]), key].concat()
    }

    /// The key as people call it: `Ctrl+C`.
    pub fn word(self) -> String {
        let key = match self.key {
            Named::Function(number) => format!("F{number}"),
            Named::Sign(sign) => sign.to_ascii_uppercase().to_string(),
            key => key.fixed().map(|(_, word)| word.to_owned()).unwrap_or_default(),
        };
        [self.held_words(["Ctrl+", "Alt+", "Shift+"]), key].concat()
    }

    fn held_words(self, words: [&str; 3]) -> String {
        let held = [self.held.ctrl, self.held.alt, self.held.shift];
        held.into_iter().zip(words).filter(|(held, _)| *held).map(|(_, word)| word).collect()
    }

    /// What xterm sends for it.
    pub(super) fn bytes(self, modes: Modes) -> Vec<u8> {
        match self.key {
            Named::Enter => self.with_alt(b"\r"),
            Named::Escape => self.with_alt(b"\x1b"),
            Named::Tab if self.held.shift => b"\x1b[Z".to_vec(),
            Named::Tab => self.with_alt(b"\t"),
            Named::Backspace if self.held.ctrl => self.with_alt(b"\x08"),
            Named::Backspace => self.with_alt(b"\x7f"),
            Named::Up => self.cursor('A', modes),
            Named::Down => self.cursor('B', modes),
            Named::Right => self.cursor('C', modes),
            Named::Left => self.cursor('D', modes),
            Named::Home => self.cursor('H', modes),
            Named::End => self.cursor('F', modes),
            Named::Insert => self.numbered(2),
            Named::Delete => self.numbered(3),
            Named::PageUp => self.numbered(5),
            Named::PageDown => self.numbered(6),
            Named::Function(number) => self.function(number),
            Named::Sign(sign) => self.sign(sign),
        }
    }

    /// An escape before it stands for Alt.
    fn with_alt(self, bytes: &[u8]) -> Vec<u8> {
        let escape: &[u8] = if self.held.alt { b"\x1b" } else { b"" };
        [escape, bytes].concat()
    }

    /// How xterm counts what is held down: 1 is nothing.
    fn held_number(self) -> Option<u8> {
        let number = 1 + u8::from(self.held.shift) + 2 * u8::from(self.held.alt) + 4 * u8::from(self.held.ctrl);
        (number > 1).then_some(number)
    }

    fn cursor(self, letter: char, modes: Modes) -> Vec<u8> {
        let plain = if modes.application_cursor { 'O' } else { '[' };
        self.lettered(plain, letter)
    }

    /// `ESC O A`, and with something held down `ESC [ 1 ; 5 A`
    fn lettered(self, plain: char, letter: char) -> Vec<u8> {
        let text = match self.held_number() {
            Some(held) => format!("\x1b[1;{held}{letter}"),
            None => format!("\x1b{plain}{letter}"),
        };
        text.into_bytes()
    }

    /// `ESC [ 3 ~`, and with something held down `ESC [ 3 ; 5 ~`
    fn numbered(self, number: u8) -> Vec<u8> {
        let text = match self.held_number() {
            Some(held) => format!("\x1b[{number};{held}~"),
            None => format!("\x1b[{number}~"),
        };
        text.into_bytes()
    }

    fn function(self, number: u8) -> Vec<u8> {
        match number {
            1 => self.lettered('O', 'P'),
            2 => self.lettered('O', 'Q'),
            3 => self.lettered('O', 'R'),
            4 => self.lettered('O', 'S'),
            5 => self.numbered(15),
            6..=10 => self.numbered(number + 11),
            _ => self.numbered(number + 12),
        }
    }

    fn sign(self, sign: char) -> Vec<u8> {
        let controlled = if self.held.ctrl { control(sign) } else { None };
        match controlled {
            Some(byte) => self.with_alt(&[byte]),
            None => self.with_alt(sign.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// The control character that Ctrl makes of a character, if there is one.
fn control(sign: char) -> Option<u8> {
    let byte = u8::try_from(sign).ok()?;
    Some(match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'['..=b'_' => byte & 0x1f,
        b' ' | b'2' => 0,
        b'3'..=b'7' => byte - b'3' + 0x1b,
        b'/' => 0x1f,
        b'8' | b'?' => 0x7f,
        _ => return None,
    })
}

impl TryFrom<String> for Press {
    type Error = NoSuchKey;

    fn try_from(name: String) -> Result<Self, NoSuchKey> {
        Self::parse(&name)
    }
}

impl From<Press> for String {
    fn from(press: Press) -> Self {
        press.name()
    }
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word())
    }
}
