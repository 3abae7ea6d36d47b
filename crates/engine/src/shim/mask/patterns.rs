//! Masks what stands behind a name that says it is secret: `DB_PASSWORD=…`, `"api_token": "…"`, `secretKey: …`; and what
//! somebody signs in with: `Authorization: Bearer …`.
//!
//! Nothing but the beginning of such a value is held back. A value behind `=` may stand anywhere; one behind a colon only
//! at the beginning of a line of configuration, because prose has colons, too.

use aho_corasick::packed;
use memchr::{memchr, memrchr};

use super::csi::{Csi, Is, codes};
use super::trivial::is_trivial;

/// No name is longer.
const NAME: usize = 128;
/// Of a longer line only the end is remembered.
const LINE: usize = 4096;
/// A value that is longer than this is none of the harmless ones.
const DECIDED: usize = 24;
/// A value that is longer than this and has no blank is no prose.
const LONG: usize = 256;

/// Where such names begin: a stretch without any of these needs no second look.
const HINTS: [&str; 14] =
    ["pass", "Pass", "PASS", "secr", "Secr", "SECR", "toke", "Toke", "TOKE", "key", "Key", "KEY", "riza", "RIZA"];
/// The longest of them.
const HINT: usize = 4;

const WORDS: [&str; 6] = ["password", "passwd", "passphrase", "secret", "token", "key"];
/// The header whose value is a way to sign in and then the secret, and the ways.
const HEADER: &str = "authorization";
const WAYS: [&str; 3] = ["bearer", "basic", "token"];
/// What may stand before `key` without a border, as in `APIKEY`.
const BEFORE_KEY: [&str; 12] = [
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "encrypt",
    "encryption",
    "signing",
    "app",
    "ssh",
    "master",
    "deploy",
];

/// How a value ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// At the same quotation mark, or with the line.
    Quoted(u8),
    /// At a blank: a line of a file with variables.
    Bare,
    /// Also at a quotation mark, `&` or `;`: something inside a line.
    Inline,
    /// With the line: configuration.
    Line,
    /// With the line, and only if it is one word: else it is prose.
    Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No value.
    Scan,
    /// After `=` or a colon.
    Gap { shape: Shape, blank: bool, needs_blank: bool },
    /// In a value that is held back.
    Value(Shape),
    /// After the one word of [`Shape::Word`].
    After,
    /// In a value that is masked already.
    Swallow(Shape),
}

/// Where the search stands.
pub(super) struct Patterns {
    hints: Option<packed::Searcher>,
    csi: Csi,
    state: State,
    /// The present line without codes; a masked value is one byte in it.
    line: Vec<u8>,
    /// Whether its beginning was forgotten.
    long: bool,
    /// Whether it has to be looked at byte by byte.
    hot: bool,
    /// The name whose value comes.
    name: String,
    /// What is held back, with codes and without.
    held: Vec<u8>,
    value: Vec<u8>,
    escaped: bool,
}

impl Patterns {
    pub(super) fn new() -> Self {
        Self {
            hints: packed::Searcher::new(HINTS),
            csi: Csi::None,
            state: State::Scan,
            line: Vec::new(),
            long: false,
            hot: false,
            name: String::new(),
            held: Vec::new(),
            value: Vec::new(),
            escaped: false,
        }
    }

    /// Whether the bytes can be handed on as they are; then they count as seen.
    pub(super) fn passes(&mut self, bytes: &[u8]) -> bool {
        let passes = self.is_calm(bytes);
        if passes {
            self.remember(bytes);
        }
        passes
    }

    /// Takes bytes, and appends what is certain.
    pub(super) fn text(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += self.some(rest, out);
        }
    }

    /// Takes as much as can be taken in one way, and says how much that is.
    fn some(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        if self.passes(bytes) {
            out.extend_from_slice(bytes);
            return bytes.len();
        }
        let fresh = self.line.is_empty() && !self.hot && self.state == State::Scan && self.csi == Csi::None;
        let calm = if fresh { self.first_hint(bytes).unwrap_or(0) } else { 0 };
        let lines = bytes.get(..calm).and_then(|calm| memrchr(b'\n', calm)).map_or(0, |end| end + 1);
        if lines > 0 {
            out.extend_from_slice(bytes.get(..lines).unwrap_or_default());
            return lines;
        }
        let line = memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
        let line = bytes.get(..line).unwrap_or_default();
        if self.passes(line) {
            out.extend_from_slice(line);
        } else {
            self.hot = true;
            for byte in line {
                self.step(*byte, out);
            }
        }
        line.len()
    }

    /// Takes a word that already stands in the place of a secret.
    pub(super) fn word(&mut self, word: &str, out: &mut Vec<u8>) {
        match self.state {
            State::Scan => self.push_line(b'x'),
            State::Gap { shape, .. } => self.state = State::Swallow(shape),
            State::Value(shape) => {
                out.extend(codes(&self.held));
                self.forget_value();
                self.state = State::Swallow(shape);
            }
            State::After => self.release(out),
            // The value has its word.
            State::Swallow(_) => return,
        }
        out.extend_from_slice(word.as_bytes());
    }

    /// Hands on what was held back, now that nothing more belongs to it.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        if matches!(self.state, State::Value(_) | State::After) {
            self.decide(out);
        }
        self.state = State::Scan;
        self.csi = Csi::None;
        self.new_line();
    }

    // ---- what needs no second look

    fn is_calm(&self, bytes: &[u8]) -> bool {
        self.state == State::Scan && self.csi == Csi::None && !self.hot && self.first_hint(bytes).is_none() && {
            let tail = self.line.get(self.line.len().saturating_sub(HINT - 1)..).unwrap_or_default();
            let head = bytes.get(..bytes.len().min(HINT - 1)).unwrap_or_default();
            tail.is_empty() || self.first_hint(&[tail, head].concat()).is_none()
        }
    }

    fn first_hint(&self, bytes: &[u8]) -> Option<usize> {
        let escape = memchr(0x1b, bytes);
        let before = escape.and_then(|end| bytes.get(..end)).unwrap_or(bytes);
        let hint = match &self.hints {
            Some(hints) => hints.find(before).map(|found| found.start()),
            None => Some(0),
        };
        hint.or(escape)
    }

    /// Keeps the present line: names may have begun in it.
    fn remember(&mut self, bytes: &[u8]) {
        let last = match memrchr(b'\n', bytes) {
            Some(end) => {
                self.new_line();
                bytes.get(end + 1..).unwrap_or_default()
            }
            None => bytes,
        };
        if self.line.len() + last.len() > LINE {
            let tail = last.get(last.len().saturating_sub(NAME)..).unwrap_or_default();
            self.line.drain(..self.line.len().saturating_sub(NAME - tail.len()));
            self.line.extend_from_slice(tail);
            self.long = true;
        } else {
            self.line.extend_from_slice(last);
        }
    }

    // ---- byte by byte

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        let holds = matches!(self.state, State::Value(_) | State::After);
        if self.csi.step(byte) == Is::Code {
            // Held with the value whose bytes it stands between.
            if holds { &mut self.held } else { out }.push(byte);
            return;
        }
        let state = self.state;
        let ends = match state {
            State::Value(shape) | State::Swallow(shape) => self.ends(shape, byte),
            _ => false,
        };
        match state {
            State::Scan => self.scan(byte, out),
            State::Gap { shape, blank, needs_blank } => self.gap(byte, shape, blank, needs_blank, out),
            State::Value(shape) if ends => {
                if shape == Shape::Word && matches!(byte, b' ' | b'\t') {
                    self.held.push(byte);
                    self.state = State::After;
                    return;
                }
                self.decide(out);
                self.scan(byte, out);
            }
            State::Value(shape) => {
                self.held.push(byte);
                self.value.push(byte);
                let limit = if shape == Shape::Word { LONG } else { DECIDED };
                if self.value.len() > limit {
                    self.mask(out);
                    self.state = State::Swallow(if shape == Shape::Word { Shape::Line } else { shape });
                }
            }
            State::After => self.after(byte, out),
            State::Swallow(_) if ends => {
                self.push_line(b'x');
                self.state = State::Scan;
                self.scan(byte, out);
            }
            State::Swallow(_) => {}
        }
    }

    fn scan(&mut self, byte: u8, out: &mut Vec<u8>) {
        out.push(byte);
        if matches!(byte, b'\n' | b'\r') {
            return self.new_line();
        }
        self.push_line(byte);
        match byte {
            b'=' => self.after_equals(),
            b':' => self.after_colon(),
            b' ' | b'\t' => self.after_blank(),
            _ => {}
        }
    }

    fn gap(&mut self, byte: u8, shape: Shape, blank: bool, needs_blank: bool, out: &mut Vec<u8>) {
        let wants_blank = needs_blank && !blank;
        match byte {
            b' ' | b'\t' if shape != Shape::Inline && shape != Shape::Bare => {
                out.push(byte);
                self.push_line(byte);
                self.state = State::Gap { shape, blank: true, needs_blank };
            }
            b'"' | b'\'' if !wants_blank => {
                out.push(byte);
                self.escaped = false;
                self.state = State::Value(Shape::Quoted(byte));
            }
            // `==` compares, and a reference, a list or an object is no value.
            b'=' | b' ' | b'\t' | b'\n' | b'\r' | b'{' | b'[' | b'|' | b'>' | b'&' | b'*' | b',' | b'}' => {
                self.state = State::Scan;
                self.scan(byte, out);
            }
            _ if wants_blank => {
                self.state = State::Scan;
                self.scan(byte, out);
            }
            _ => {
                self.held.push(byte);
                self.value.push(byte);
                self.state = State::Value(shape);
            }
        }
    }

    /// A remark may follow the word; anything else makes it prose.
    fn after(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b' ' | b'\t' => self.held.push(byte),
            b'\n' | b'\r' | b'#' => {
                self.decide(out);
                self.scan(byte, out);
            }
            _ => {
                self.release(out);
                self.scan(byte, out);
            }
        }
    }

    fn ends(&mut self, shape: Shape, byte: u8) -> bool {
        if matches!(byte, b'\n' | b'\r') {
            return true;
        }
        match shape {
            Shape::Quoted(quote) => {
                let escaped = self.escaped;
                self.escaped = byte == b'\\' && quote == b'"' && !escaped;
                byte == quote && !escaped
            }
            Shape::Bare | Shape::Word => matches!(byte, b' ' | b'\t'),
            Shape::Inline => matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'&' | b';'),
            Shape::Line => false,
        }
    }

    // ---- values

    /// The value is there as a whole.
    fn decide(&mut self, out: &mut Vec<u8>) {
        let value = String::from_utf8_lossy(&self.value);
        if is_trivial(value.trim_end_matches([',', ' '])) {
            self.release(out);
        } else {
            // The blanks behind it are no part of it.
            let behind = self.held.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let blanks = self.held.split_off(self.held.len() - behind);
            self.mask(out);
            out.extend_from_slice(&blanks);
            self.push_line(b'x');
            self.state = State::Scan;
        }
    }

    fn mask(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(super::word(&self.name).as_bytes());
        out.extend(codes(&self.held));
        self.forget_value();
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.held);
        let value = std::mem::take(&mut self.value);
        for byte in value {
            self.push_line(byte);
        }
        self.forget_value();
        self.state = State::Scan;
    }

    fn forget_value(&mut self) {
        self.held.clear();
        self.value.clear();
    }

    // ---- names

    fn push_line(&mut self, byte: u8) {
        if self.line.len() >= LINE {
            self.line.drain(..self.line.len() - NAME);
            self.long = true;
        }
        self.line.push(byte);
    }

    fn new_line(&mut self) {
        self.line.clear();
        self.long = false;
        self.hot = false;
    }

    fn after_equals(&mut self) {
        let line = self.line.get(..self.line.len() - 1).unwrap_or_default();
        let Some((name, before)) = name_before(line) else { return };
        let begins = !self.long && begins_line(before);
        let apart = line.ends_with(b" ") || line.ends_with(b"\t");
        if apart && !begins {
            return;
        }
        let shape = match (apart, begins) {
            (true, _) => Shape::Line,
            (false, true) => Shape::Bare,
            (false, false) => Shape::Inline,
        };
        self.name = name;
        self.state = State::Gap { shape, blank: false, needs_blank: false };
    }

    /// `Authorization: Bearer …` has its secret behind the second word.
    fn after_blank(&mut self) {
        if let Some(name) = header_before(&self.line) {
            self.name = name;
            self.state = State::Gap { shape: Shape::Inline, blank: false, needs_blank: false };
        }
    }

    fn after_colon(&mut self) {
        let line = self.line.get(..self.line.len() - 1).unwrap_or_default();
        let Some((name, before)) = name_before(line) else { return };
        if self.long || !begins_line(before) {
            return;
        }
        let quoted = line.trim_ascii_end().ends_with(b"\"") || line.trim_ascii_end().ends_with(b"'");
        let plain = name.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
        let shape = if plain && !quoted { Shape::Word } else { Shape::Line };
        self.name = name;
        self.state = State::Gap { shape, blank: false, needs_blank: !quoted };
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The name at the end of a line, bare or quoted, that says that it is secret; and what stands before it.
fn name_before(line: &[u8]) -> Option<(String, &[u8])> {
    let line = line.trim_ascii_end();
    let bare = line.strip_suffix(b"\"").or_else(|| line.strip_suffix(b"'")).unwrap_or(line);
    let length = bare.iter().rev().take(NAME).take_while(|byte| is_name(**byte)).count();
    let (before, name) = bare.split_at_checked(bare.len() - length)?;
    let name = std::str::from_utf8(name).ok()?;
    let name = name.trim_start_matches(['-', '.']);
    is_secret(name).then(|| (name.to_owned(), before))
}

/// The name of the header at the end of a line that has come as far as its way to sign in.
fn header_before(line: &[u8]) -> Option<String> {
    let line = line.get(line.len().saturating_sub(NAME)..)?.trim_ascii_end();
    let (before, way) = last_word(line);
    let is_way = WAYS.iter().any(|known| way.eq_ignore_ascii_case(known.as_bytes()));
    let unquoted = |text: &'_ [u8]| text.iter().rev().take_while(|byte| b" \t\"'\\".contains(byte)).count();
    let before = before.get(..before.len() - unquoted(before))?;
    let before = before.strip_suffix(b":").or_else(|| before.strip_suffix(b"=")).filter(|_| is_way)?;
    let (_, name) = last_word(before.get(..before.len() - unquoted(before))?);
    let is_header = name.to_ascii_lowercase().ends_with(HEADER.as_bytes());
    is_header.then(|| String::from_utf8_lossy(name).into_owned())
}

/// The name at the end of a text, and what stands before it.
fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.len() - text.iter().rev().take_while(|byte| is_name(**byte)).count())
}

/// Whether a name says that its value is secret. A word counts only as a whole: `monkey` and `tokens` say nothing.
fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let (before, rest) = name.split_at(at);
            let (found, after) = rest.split_at(word.len());
            ends_word(found, after) && (*word != "key" || begins_word(&lower, before, found))
        })
    })
}

fn ends_word(word: &str, after: &str) -> bool {
    let lower = word.ends_with(|c: char| c.is_ascii_lowercase());
    after.chars().next().is_none_or(|next| !next.is_ascii_alphabetic() || (lower && next.is_ascii_uppercase()))
}

fn begins_word(lower: &str, before: &str, word: &str) -> bool {
    let upper = word.starts_with(|c: char| c.is_ascii_uppercase());
    before.chars().next_back().is_none_or(|last| !last.is_ascii_alphabetic() || (upper && last.is_ascii_lowercase()))
        || BEFORE_KEY.iter().any(|known| lower.get(..before.len()).is_some_and(|before| before.ends_with(known)))
}

/// Whether nothing stands before a name but what configuration, `diff`, `grep` and a shell's trace put there.
fn begins_line(before: &[u8]) -> bool {
    let mut rest = before;
    loop {
        rest = rest.trim_ascii_end();
        rest = rest.strip_suffix(b"\"").or_else(|| rest.strip_suffix(b"'")).unwrap_or(rest).trim_ascii_end();
        let Some(last) = rest.last() else { return true };
        if matches!(last, b'{' | b',' | b'[' | b'(') {
            return true;
        }
        let word = rest.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
        let marks = word.iter().all(|byte| matches!(byte, b'-' | b'+' | b'<' | b'>' | b'|' | b'#'));
        let declares = matches!(word, b"export" | b"declare" | b"-x" | b"env" | b"set");
        let place = rest.len() == word.len() && matches!(last, b':' | b'-');
        if !(marks || declares || place) {
            return false;
        }
        rest = rest.get(..rest.len() - word.len()).unwrap_or_default();
    }
}
