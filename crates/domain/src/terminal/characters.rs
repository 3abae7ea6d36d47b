//! Characters as a page can show them, and never cut in two.

/// A character as a page can show it: a line must read as it was written, so what would change its direction is shown as a mark.
pub const fn readable(character: char) -> char {
    match character {
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ => character,
    }
}

/// How many bytes of a piece can be shown without cutting a character in two. At the very end, all of them.
pub fn whole_characters(piece: &[u8], last: bool) -> usize {
    if last {
        return piece.len();
    }
    // A character has at most four bytes: an unfinished one begins in the last three.
    let begins = (1..=piece.len().min(3)).find(|back| piece[piece.len() - back] & 0xC0 != 0x80);
    match begins {
        Some(back) if width(piece[piece.len() - back]) > back => piece.len() - back,
        _ => piece.len(),
    }
}

const fn width(first: u8) -> usize {
    match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_never_cut_in_two() {
        let text = "a€ß🚀".as_bytes();

        let whole: Vec<usize> = (0..=text.len()).map(|cut| whole_characters(&text[..cut], false)).collect();

        assert_eq!(whole, [0, 1, 1, 1, 4, 4, 6, 6, 6, 6, 10]);
        assert_eq!(whole_characters(&text[..2], true), 2, "at the end the rest is shown as it is");
    }

    #[test]
    fn bytes_that_are_no_text_are_not_held_back() {
        assert_eq!(whole_characters(&[0xFF, 0xFE], false), 2);
        assert_eq!(whole_characters(&[b'a', 0x80, 0x80, 0x80, 0x80], false), 5);
    }
}
