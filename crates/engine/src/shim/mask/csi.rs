//! Colour codes and their like, which stand between the bytes of a word without being part of it.

/// The longest sequence that is believed.
const LONGEST: u8 = 64;

/// Where a reader is in a sequence `ESC [ … letter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Csi {
    /// Outside.
    #[default]
    None,
    /// After the escape.
    Escape,
    /// After the bracket, with so many bytes.
    Inside(u8),
}

/// What a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// Part of a sequence.
    Code,
    /// Text.
    Text,
    /// Text, and what looked like a sequence before it was none.
    Broken,
}

impl Csi {
    /// Takes the next byte.
    pub(super) fn step(&mut self, byte: u8) -> Is {
        let (next, is) = match (*self, byte) {
            (Self::None, 0x1b) => (Self::Escape, Is::Code),
            (Self::None, _) => (Self::None, Is::Text),
            (Self::Escape, b'[') => (Self::Inside(0), Is::Code),
            (Self::Inside(length), 0x20..=0x3f) if length < LONGEST => (Self::Inside(length + 1), Is::Code),
            (Self::Inside(_), 0x40..=0x7e) => (Self::None, Is::Code),
            // A new escape begins anew; what was before it stays text.
            (_, 0x1b) => (Self::Escape, Is::Broken),
            _ => (Self::None, Is::Broken),
        };
        *self = next;
        is
    }
}

/// The sequences among some bytes, without the text.
pub(super) fn codes(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let mut csi = Csi::default();
    bytes.iter().copied().filter(move |byte| csi.step(*byte) == Is::Code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_sequences_are_codes() {
        let text: Vec<u8> = codes(b"a\x1b[01;31m\x1b[Kb\x1b[mc").collect();

        assert_eq!(text, b"\x1b[01;31m\x1b[K\x1b[m");
        let mut csi = Csi::default();
        let is: Vec<Is> = b"\x1bX\x1b[\n".iter().map(|byte| csi.step(*byte)).collect();
        assert_eq!(is, [Is::Code, Is::Broken, Is::Code, Is::Code, Is::Broken]);
    }
}
