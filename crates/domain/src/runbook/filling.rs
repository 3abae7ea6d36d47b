//! Placeholders in text that people read: where their words stand, and what a value makes of them.

use std::collections::BTreeMap;

use super::Placeholder;

/// A piece of prose or inline code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words of the document.
    Plain(String),
    /// Words that stand for the value of a parameter.
    Filled {
        /// The words.
        text: String,
        /// The parameter's name.
        parameter: String,
    },
}

/// Where a word stands in a text as a whole word.
pub fn whole_words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
    let starts_in_word = word.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let ends_in_word = word.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices(word).map(|(start, whole)| (start, start + whole.len())).filter(move |(start, end)| {
        let before = text[..*start].chars().next_back();
        let after = text[*end..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        // `${name:-word}`: that hyphen is the shell's own.
        let before = if text[..*start].ends_with(":-") { None } else { before };
        !(starts_in_word && (inside(before) || before == Some('$'))
            || ends_in_word && inside(after)
            || before == Some('\\'))
    })
}

/// The pieces of inline code or of an address. The longest of two placeholders at one place counts.
pub fn pieces_of_code(text: &str, placeholders: &[Placeholder]) -> Vec<Piece> {
    let mut longest_first: Vec<(&Placeholder, &String)> =
        placeholders.iter().filter_map(|placeholder| Some((placeholder, placeholder.parameter.as_ref()?))).collect();
    longest_first.sort_by_key(|(placeholder, _)| std::cmp::Reverse(placeholder.text.len()));
    let mut found: Vec<(usize, usize, &String)> = Vec::new();
    for (placeholder, parameter) in longest_first {
        for (start, end) in whole_words(text, &placeholder.text) {
            if found.iter().all(|(from, to, _)| end <= *from || start >= *to) {
                found.push((start, end, parameter));
            }
        }
    }
    found.sort_by_key(|(start, ..)| *start);
    cut(text, &found)
}

/// The pieces of prose: there a word of letters alone, as `domain` or `username`, is a word like any other.
pub fn pieces_of_prose(text: &str, placeholders: &[Placeholder]) -> Vec<Piece> {
    let telling: Vec<Placeholder> =
        placeholders.iter().filter(|placeholder| is_telling(&placeholder.text)).cloned().collect();
    pieces_of_code(text, &telling)
}

/// Whether words can be nothing but a placeholder, also in a sentence.
pub fn is_telling(placeholder: &str) -> bool {
    placeholder.chars().any(|c| !c.is_alphabetic()) || placeholder.chars().all(char::is_uppercase)
}

/// An address with its placeholders filled; `None` when a value is not known, or when the address leads anywhere but to the web.
///
/// Of a value only letters, digits and `-._~/:` stand in an address as they are: it fills its place and nothing else.
pub fn filled_address(
    address: &str,
    placeholders: &[Placeholder],
    values: &BTreeMap<String, String>,
) -> Option<String> {
    let mut filled = String::with_capacity(address.len());
    for piece in pieces_of_code(address, placeholders) {
        match piece {
            Piece::Plain(text) => filled.push_str(&text),
            Piece::Filled { parameter, .. } => encode(values.get(&parameter)?, &mut filled),
        }
    }
    let web = ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme) && filled.starts_with(scheme));
    (web && !filled.contains(char::is_whitespace)).then_some(filled)
}

fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.extend([byte >> 4, byte & 15].map(digit));
        }
    }
}

/// Half a byte as a digit of an address.
fn digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase()
}

fn cut(text: &str, found: &[(usize, usize, &String)]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for (start, end, parameter) in found {
        if at < *start {
            pieces.push(Piece::Plain(text[at..*start].to_owned()));
        }
        pieces.push(Piece::Filled { text: text[*start..*end].to_owned(), parameter: (*parameter).clone() });
        at = *end;
    }
    if at < text.len() {
        pieces.push(Piece::Plain(text[at..].to_owned()));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Placeholder> {
        [("your-domain.com", Some("domain")), ("domain", Some("domain")), ("SERVICE", Some("service")), ("HOST", None)]
            .map(|(text, parameter)| Placeholder { text: text.to_owned(), parameter: parameter.map(str::to_owned) })
            .to_vec()
    }

    fn shown(pieces: Vec<Piece>) -> String {
        let show = |piece| match piece {
            Piece::Plain(text) => text,
            Piece::Filled { text, parameter } => format!("[{text}={parameter}]"),
        };
        pieces.into_iter().map(show).collect()
    }

    #[test]
    fn a_word_of_letters_is_a_placeholder_in_code_and_a_word_in_prose() {
        let text = "SERVICE of the domain at your-domain.com, SERVICES, HOST";

        assert_eq!(
            shown(pieces_of_code(text, &all())),
            "[SERVICE=service] of the [domain=domain] at [your-domain.com=domain], SERVICES, HOST"
        );
        assert_eq!(
            shown(pieces_of_prose(text, &all())),
            "[SERVICE=service] of the domain at [your-domain.com=domain], SERVICES, HOST"
        );
    }

    #[test]
    fn a_value_fills_its_place_in_an_address_and_nothing_else() {
        let address = "https://grafana.your-domain.com/d?x=1";
        let filled = |value: &str| filled_address(address, &all(), &[("domain".to_owned(), value.to_owned())].into());

        assert_eq!(filled("example.org").as_deref(), Some("https://grafana.example.org/d?x=1"));
        assert_eq!(filled("a b?\"#@ü").as_deref(), Some("https://grafana.a%20b%3F%22%23%40%C3%BC/d?x=1"));
        assert_eq!(filled_address(address, &all(), &BTreeMap::new()), None);
    }

    #[test]
    fn a_value_never_chooses_the_scheme_of_an_address() {
        let values = [("service".to_owned(), "javascript:alert(1)".to_owned())].into();

        for address in ["SERVICE", "SERVICE://x", "javascript:SERVICE", "/SERVICE", "mailto:SERVICE"] {
            assert_eq!(filled_address(address, &all(), &values), None, "{address}");
        }
    }
}
