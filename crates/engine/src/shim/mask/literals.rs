//! Finds the values of secrets in a stream, in all their forms, and puts words in their place.

use std::collections::VecDeque;

use memchr::{memchr, memchr_iter, memrchr};

use super::csi::{Csi, Is, codes};
use super::forms::{SHORTEST, forms};
use super::patterns::Patterns;
use super::tree::{ROOT, Tree};

/// Colour codes may stand between the bytes of a secret, but not without end: then it is no secret.
const MOST_HELD: usize = 1 << 20;
/// A line of at least so many digits, and nothing else, goes on in the next line.
const WRAPPED: usize = 16;

/// The values that are looked for, and where the search stands.
pub(super) struct Literals {
    /// What stands in the place of each value.
    words: Vec<String>,
    /// Text, and digits that may be broken into lines.
    views: [View; 2],
    near: Near,
    csi: Csi,
    /// How many digits the present line has, if it has nothing else.
    digits: Option<usize>,
    /// Bytes that were not handed on.
    raw: Vec<u8>,
    /// As far as they were looked at.
    at: usize,
    /// Stretches of them that are masked, in order, apart from each other.
    masked: Vec<Masked>,
}

struct Masked {
    from: usize,
    to: usize,
    owner: u32,
}

/// One way of looking at the bytes: without codes, or also without line ends.
struct View {
    tree: Tree,
    state: u32,
    /// Where the bytes stand of which words may be made, the last ones last.
    starts: VecDeque<usize>,
}

impl View {
    fn new(words: &[(Vec<u8>, u32)]) -> Self {
        let tree = Tree::new(words.iter().map(|(word, owner)| (word.as_slice(), *owner)));
        Self { tree, state: ROOT, starts: VecDeque::new() }
    }

    fn reset(&mut self) {
        self.state = ROOT;
        self.starts.clear();
    }

    /// Takes a byte; gives the word that ends with it.
    fn step(&mut self, byte: u8, at: usize) -> Option<Masked> {
        self.state = self.tree.next(self.state, byte);
        if self.state == ROOT {
            self.starts.clear();
            return None;
        }
        self.starts.push_back(at);
        let depth = self.tree.depth(self.state);
        self.starts.drain(..self.starts.len() - depth);
        let (length, owner) = self.tree.ends(self.state)?;
        Some(Masked { from: *self.starts.get(depth - length)?, to: at + 1, owner })
    }

    /// Where that begins which may still become a word.
    fn open(&self) -> Option<usize> {
        let open = self.tree.open(self.state);
        (open > 0).then(|| self.starts.get(self.starts.len() - open).copied()).flatten()
    }
}

/// The first four bytes of all words, as far as a small table tells them from others.
struct Near(Box<[u64; 1024]>);

impl Near {
    fn new<'a>(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut near = Self(Box::new([0; 1024]));
        for word in words {
            if let Some(head) = word.first_chunk() {
                let (cell, bit) = Self::place(*head);
                near.0[cell] |= bit;
            }
        }
        near
    }

    fn place(head: [u8; SHORTEST]) -> (usize, u64) {
        let hash = u32::from_le_bytes(head).wrapping_mul(0x9e37_79b1) >> 16;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }

    /// How many bytes there are before a word could begin; the last three are not judged.
    fn skip(&self, bytes: &[u8]) -> usize {
        let could = |head: &[u8]| {
            let (cell, bit) = Self::place(head.try_into().expect("a window has four bytes"));
            self.0[cell] & bit != 0
        };
        let windows = bytes.windows(SHORTEST);
        let all = windows.len();
        windows.into_iter().position(could).unwrap_or(all)
    }
}

impl Literals {
    /// Values with the word that stands in the place of each.
    pub(super) fn new<'a>(values: impl Iterator<Item = (&'a str, String)>) -> Option<Self> {
        let (mut words, mut texts, mut digits) = (Vec::new(), Vec::new(), Vec::new());
        for (owner, (value, word)) in (0..).zip(values) {
            words.push(word);
            for form in forms(value) {
                if form.wrapped { &mut digits } else { &mut texts }.push((form.bytes, owner));
            }
        }
        let near = Near::new(texts.iter().chain(&digits).map(|(word, _)| word.as_slice()));
        (!texts.is_empty()).then(|| Self {
            words,
            views: [View::new(&texts), View::new(&digits)],
            near,
            csi: Csi::None,
            digits: Some(0),
            raw: Vec::new(),
            at: 0,
            masked: Vec::new(),
        })
    }

    /// Takes bytes, and hands on what is certain.
    pub(super) fn push(&mut self, bytes: &[u8], next: &mut Patterns, out: &mut Vec<u8>) {
        self.raw.extend_from_slice(bytes);
        self.scan();
        let open = self.views.iter().filter_map(View::open).min().unwrap_or(self.raw.len());
        if self.raw.len() - open > MOST_HELD {
            return self.flush(next, out);
        }
        self.hand_on(open, next, out);
    }

    /// Hands on what was held back, now that nothing more belongs to it.
    pub(super) fn flush(&mut self, next: &mut Patterns, out: &mut Vec<u8>) {
        self.hand_on(self.raw.len(), next, out);
        self.views.iter_mut().for_each(View::reset);
        self.csi = Csi::None;
        self.digits = Some(0);
    }

    fn scan(&mut self) {
        let mut special = self.at;
        while self.at < self.raw.len() {
            if self.csi == Csi::None && self.views.iter().all(|view| view.state == ROOT) {
                if special <= self.at {
                    special = self.at + self.before_special();
                }
                self.skip_to(special);
            }
            let Some(byte) = self.raw.get(self.at) else { return };
            self.step(*byte);
            self.at += 1;
        }
    }

    /// How many bytes there are before one that words may have in their middle: a code, or the end of a line of digits.
    fn before_special(&self) -> usize {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let rest = memchr(0x1b, rest).and_then(|code| rest.get(..code)).unwrap_or(rest);
        let (mut before, mut from) = (self.digits, 0);
        for end in memchr_iter(b'\n', rest) {
            let line = rest.get(from..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let long = before.is_some_and(|count| count + line.len() >= WRAPPED);
            if long && line.iter().copied().all(is_digit) {
                return from + line.len();
            }
            (before, from) = (Some(0), end + 1);
        }
        rest.len()
    }

    /// Passes over what cannot be the beginning of a word.
    fn skip_to(&mut self, end: usize) {
        let stretch = self.raw.get(self.at..end).unwrap_or_default();
        let skipped = self.near.skip(stretch);
        let passed = stretch.get(..skipped).unwrap_or_default();
        let (before, line) = match memrchr(b'\n', passed) {
            Some(end) => (Some(0), passed.get(end + 1..).unwrap_or_default()),
            None => (self.digits, passed),
        };
        self.digits = before.filter(|_| line.iter().copied().all(is_digit)).map(|count| count + line.len());
        self.at += skipped;
    }

    fn step(&mut self, byte: u8) {
        match self.csi.step(byte) {
            Is::Code => return,
            Is::Text => {}
            Is::Broken => self.views.iter_mut().for_each(View::reset),
        }
        let wraps = matches!(byte, b'\n' | b'\r') && self.digits.is_some_and(|count| count >= WRAPPED);
        self.digits = match byte {
            b'\n' => Some(0),
            b'\r' => self.digits,
            _ => self.digits.filter(|_| is_digit(byte)).map(|count| count + 1),
        };
        let [texts, digits] = &mut self.views;
        let found = [texts.step(byte, self.at), if wraps { None } else { digits.step(byte, self.at) }];
        found.into_iter().flatten().for_each(|masked| self.mask(masked));
    }

    /// Notes a stretch; what it covers or touches inside becomes one with it.
    fn mask(&mut self, mut new: Masked) {
        while let Some(last) = self.masked.pop_if(|last| last.to > new.from) {
            if last.from < new.from {
                (new.from, new.owner) = (last.from, last.owner);
            }
            new.to = new.to.max(last.to);
        }
        self.masked.push(new);
    }

    fn hand_on(&mut self, open: usize, next: &mut Patterns, out: &mut Vec<u8>) {
        // A stretch in whose middle something is open is not cut.
        let cut = self.masked.iter().find(|masked| masked.to > open).map_or(open, |masked| masked.from.min(open));
        let mut from = 0;
        let whole = self.masked.iter().take_while(|masked| masked.to <= cut).count();
        for masked in self.masked.drain(..whole) {
            next.text(self.raw.get(from..masked.from).unwrap_or_default(), out);
            next.word(self.words.get(masked.owner as usize).map_or("", String::as_str), out);
            let inside = self.raw.get(masked.from..masked.to).unwrap_or_default();
            next.text(&codes(inside).collect::<Vec<u8>>(), out);
            from = masked.to;
        }
        next.text(self.raw.get(from..cut).unwrap_or_default(), out);
        self.raw.drain(..cut);
        self.at -= cut;
        for masked in &mut self.masked {
            masked.from -= cut;
            masked.to -= cut;
        }
        for view in &mut self.views {
            // What was handed on is no longer part of anything open.
            view.starts.iter_mut().for_each(|start| *start = start.saturating_sub(cut));
        }
    }
}

/// What base64 and hexadecimal digits are made of.
fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}
