//! From bytes to text: what is not UTF-8 is refused, and text that was decoded as Windows-1252 and encoded again is
//! repaired for display.
//!
//! The repair never changes the number of lines and never touches the file. Code keeps its bytes: only what people
//! read is repaired.

use encoding_rs::WINDOWS_1252;

/// How text of one document is repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repair {
    /// Whether sequences that could be honest text (two letters, or letters of far alphabets) are repaired too.
    bold: bool,
}

impl Repair {
    /// Looks at a whole document. A file that was encoded twice holds hardly any honest character beyond ASCII, so
    /// doubtful sequences are repaired only where such sequences outnumber the rest.
    pub(crate) fn of(text: &str) -> Self {
        let (mut sequences, mut honest) = (0_usize, 0_usize);
        for piece in pieces(text) {
            match piece {
                Piece::Plain(plain) => honest += plain.chars().filter(|c| !c.is_ascii()).count(),
                Piece::Twice { .. } => sequences += 1,
            }
        }
        Self { bold: sequences > honest }
    }

    /// The text as its author wrote it.
    pub(crate) fn text(self, text: &str) -> String {
        let mut repaired = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Twice { meant, .. } if self.bold || certain(meant) => repaired.push(meant),
                Piece::Twice { raw, .. } | Piece::Plain(raw) => repaired.push_str(raw),
            }
        }
        repaired
    }

    /// Whether [`Repair::text`] would change it.
    pub(crate) fn changes(self, text: &str) -> bool {
        pieces(text).any(|piece| matches!(piece, Piece::Twice { meant, .. } if self.bold || certain(meant)))
    }
}

/// Characters that nobody gets by writing two or three characters of Windows-1252 beside each other on purpose.
fn certain(meant: char) -> bool {
    matches!(meant, '\u{2010}'..='\u{2BFF}' | '\u{FE0F}' | '\u{FEFF}' | '\u{1F000}'..='\u{1FAFF}')
}

enum Piece<'a> {
    /// Text as it is.
    Plain(&'a str),
    /// One character that was encoded twice.
    Twice { raw: &'a str, meant: char },
}

/// Cuts text into characters that were encoded twice and all the rest.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (length, piece) = if let Some((length, meant)) = twice(rest) {
            (length, Piece::Twice { raw: &rest[..length], meant })
        } else {
            let length = plain_length(rest);
            (length, Piece::Plain(&rest[..length]))
        };
        rest = &rest[length..];
        Some(piece)
    })
}

/// How far the text goes on before another character beyond ASCII could begin a sequence; at least one character.
fn plain_length(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let ascii = text.as_bytes()[first..].iter().take_while(|byte| byte.is_ascii()).count();
    first + ascii
}

/// The character that the text begins with, if it was encoded twice, and how many bytes it takes now.
fn twice(text: &str) -> Option<(usize, char)> {
    let mut characters = text.char_indices();
    let lead = byte_of(characters.next()?.1)?;
    let wanted = match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [lead, 0, 0, 0];
    let mut length = text.chars().next()?.len_utf8();
    for slot in bytes.iter_mut().take(wanted).skip(1) {
        let (at, character) = characters.next()?;
        *slot = byte_of(character).filter(|byte| (0x80..0xC0).contains(byte))?;
        length = at + character.len_utf8();
    }
    let meant = std::str::from_utf8(&bytes[..wanted]).ok()?.chars().next()?;
    (!meant.is_control()).then_some((length, meant))
}

/// The byte of Windows-1252 that a character beyond ASCII stands for.
fn byte_of(character: char) -> Option<u8> {
    if character.is_ascii() {
        return None;
    }
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = WINDOWS_1252.encode(character.encode_utf8(&mut buffer));
    match (unmappable, bytes.as_ref()) {
        (false, [byte]) => Some(*byte),
        _ => None,
    }
}

/// Text from bytes: without a byte order mark, with `\n` at the end of each line.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, NotText> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| NotText {
        line: String::from_utf8_lossy(&bytes[..error.valid_up_to()]).matches('\n').count() + 1,
        sixteen: bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF"),
    })?;
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() })
}

/// The bytes are not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotText {
    /// The line of the first byte that does not belong, 1-based.
    pub(crate) line: usize,
    /// Whether the file begins like UTF-16.
    pub(crate) sixteen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded_twice(text: &str) -> String {
        WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn every_emoji_that_was_encoded_twice_comes_back() {
        for emoji in ["🚀", "📋", "🔄", "⚡", "💾", "🔒", "🧪", "👤", "⚠️", "→", "–", "“quoted”", "…"]
        {
            let broken = encoded_twice(emoji);

            assert_eq!(Repair::of(&broken).text(&broken), emoji, "{broken}");
        }
    }

    #[test]
    fn letters_come_back_when_the_whole_text_was_encoded_twice() {
        let broken = encoded_twice("Prüfe den Zustand – über alles, später größer");

        assert_eq!(Repair::of(&broken).text(&broken), "Prüfe den Zustand – über alles, später größer");
    }

    #[test]
    fn honest_text_stays() {
        for honest in ["„Ä“ und „Ö“, ß, é", "déjà\u{a0}» vu", "Ãngela Â°C straße", "日本語 🚀 ✓", "naïve café"]
        {
            let repair = Repair::of(honest);

            assert_eq!(repair.text(honest), honest);
            assert!(!repair.changes(honest));
        }
    }

    #[test]
    fn a_byte_that_is_not_utf_8_is_named_by_its_line() {
        assert_eq!(decode(b"one\ntwo \xFF"), Err(NotText { line: 2, sixteen: false }));
        assert_eq!(decode(b"\xFF\xFEo\0"), Err(NotText { line: 1, sixteen: true }));
        assert_eq!(decode(b"\xEF\xBB\xBFa\r\nb\rc"), Ok("a\nb\nc".to_owned()));
    }
}
