//! The full keyboard of an interactive step: what a person types, and the bytes that a terminal sends for it.
//!
//! The bytes are those of xterm with its usual settings, which is what `TERM=xterm-256color` promises to the programs of a step.
//! A program chooses between two forms of the arrow keys and says whether it wants to know what was pasted ([`Modes`]).

mod outbox;
mod press;

use serde::{Deserialize, Serialize};

pub use outbox::Outbox;
pub use press::{Held, Named, Press};

/// The most bytes that are typed at once: a terminal holds 4,095 that nobody has read yet (measured on Linux).
pub const LIMIT: usize = 4_000;

/// What a program has asked of its terminal, as far as it changes what keys send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Modes {
    /// Arrows, Home and End come in their application form (`ESC [ ? 1 h`).
    pub application_cursor: bool,
    /// What is pasted is told from what is typed (`ESC [ ? 2004 h`).
    pub bracketed_paste: bool,
}

/// One thing that a person does with a keyboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stroke {
    /// Types text. An end of a line in it is Enter; other control characters do not come from typing, and are left out.
    Text(String),
    /// Presses a key.
    Key(Press),
    /// Pastes text, of several lines perhaps. Control characters but tabs and ends of lines are left out: a text that is pasted
    /// must not press keys.
    Paste(String),
}

/// What becomes of a key that is pressed while the keys go to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It goes to the step.
    Stroke(Stroke),
    /// It gives the keys back to the page.
    Leave,
    /// It stays with the browser: pasting, zooming, and whatever is no key by itself.
    Browser,
}

/// What becomes of a key, by the name that browsers give it (`KeyboardEvent.key`) and what is held down with it.
///
/// Ctrl+] and Ctrl+Enter give the keys back: the one is the way out of consoles since telnet, the other is on every keyboard,
/// and a terminal has no bytes of its own for it.
pub fn take(key: &str, held: Held) -> Taken {
    let ctrl_alone = held == Held { ctrl: true, ..Held::default() };
    match key {
        "]" | "Enter" if ctrl_alone => return Taken::Leave,
        "+" | "-" | "=" | "0" if held.ctrl && !held.alt => return Taken::Browser,
        "Insert" if held.shift => return Taken::Browser,
        _ if held.meta => return Taken::Browser,
        _ => {}
    }
    if let Some(named) = Named::of_browser(key) {
        return Taken::Stroke(Stroke::Key(Press { key: named, held }));
    }
    let mut signs = key.chars();
    match (signs.next(), signs.next()) {
        (Some(_), None) if held.ctrl && held.shift => Taken::Browser,
        (Some(sign), None) if held.ctrl || held.alt => Taken::Stroke(Stroke::Key(Press::of(sign, held))),
        (Some(_), None) => Taken::Stroke(Stroke::Text(key.to_owned())),
        _ => Taken::Browser,
    }
}

/// The bytes that a terminal sends for what was typed.
pub fn bytes(strokes: &[Stroke], modes: Modes) -> Vec<u8> {
    strokes.iter().flat_map(|stroke| stroke.bytes(modes)).collect()
}

impl Stroke {
    fn bytes(&self, modes: Modes) -> Vec<u8> {
        match self {
            Self::Key(press) => press.bytes(modes),
            Self::Paste(text) if modes.bracketed_paste => [b"\x1b[200~", &*plain(text), b"\x1b[201~"].concat(),
            Self::Text(text) | Self::Paste(text) => plain(text),
        }
    }

    /// The most bytes that it can be, whatever a program has asked for.
    fn longest(&self) -> usize {
        self.bytes(Modes { application_cursor: true, bracketed_paste: true }).len()
    }
}

/// Text as it is typed: each end of a line is one Enter.
fn plain(text: &str) -> Vec<u8> {
    let typed = text.replace("\r\n", "\r").replace('\n', "\r");
    let keeps = |sign: &char| matches!(sign, '\r' | '\t') || !sign.is_control();
    typed.chars().filter(keeps).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests;
