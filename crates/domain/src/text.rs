//! Text that somebody else wrote, on its way to somebody's eyes.

/// Control characters, marks without width, and marks that turn text around: they make text look like another one.
pub const fn deceives(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// The text in one line of at most so many characters. What could deceive the eye is a visible mark, and what was cut off is
/// three dots.
pub fn one_line(text: &str, most: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown = words.chars().map(|character| if deceives(character) { '\u{fffd}' } else { character });
    let mut line: String = shown.by_ref().take(most).collect();
    if shown.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_lines_is_one_line_of_a_bounded_length() {
        assert_eq!(one_line(" data\r\n is\tcorrupt \u{2028}now ", 40), "data is corrupt now");
        assert_eq!(one_line("äöüäöü", 6), "äöüäöü");
        assert_eq!(one_line("äöüäöü!", 6), "äöüäö…");
    }

    #[test]
    fn what_deceives_the_eye_is_visible() {
        assert_eq!(one_line("ok\u{202e}ko\u{200b}\0", 40), "ok\u{fffd}ko\u{fffd}\u{fffd}");
    }
}
