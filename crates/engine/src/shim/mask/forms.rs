//! The forms in which a program may print a secret.
//!
//! Every line of a secret is looked for by itself: so a secret of several lines is found however its lines are joined, and
//! also inside a longer text that was encoded as a whole.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter ones would be found everywhere, and would make a log unreadable.
pub(crate) const SHORTEST: usize = 4;

/// One way to write a line of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    pub bytes: Vec<u8>,
    /// Whether programs break it into lines, as they do with base64 and hexadecimal digits.
    pub wrapped: bool,
}

/// All forms of a value. None when no line of it is long enough.
pub(super) fn forms(value: &str) -> BTreeSet<Form> {
    let mut found = BTreeSet::new();
    for line in lines(value) {
        let texts = [vec![line.to_owned()], json(line), url(line), shell(line)].concat();
        found.extend(texts.into_iter().map(|text| Form { bytes: text.into_bytes(), wrapped: false }));
        let digits = [base64(line.as_bytes()), hexadecimal(line.as_bytes())].concat();
        found.extend(digits.into_iter().map(|text| Form { bytes: text.into_bytes(), wrapped: true }));
    }
    found
}

/// Whether a value has a line that can be looked for.
pub fn can_be_masked(value: &str) -> bool {
    lines(value).next().is_some()
}

fn lines(value: &str) -> impl Iterator<Item = &str> {
    value.split(['\n', '\r']).filter(|line| line.len() >= SHORTEST && !line.trim().is_empty())
}

/// As the libraries of the common languages write a string: as it is, in ASCII only, safe inside HTML, with `\/`.
fn json(line: &str) -> Vec<String> {
    let plain = serde_json::to_string(line).expect("a text is always JSON");
    let plain = plain.get(1..plain.len() - 1).unwrap_or_default().to_owned();
    let html = plain.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    let ascii = in_ascii(&plain);
    [plain.replace('/', "\\/"), in_ascii(&html), html, ascii.replace('/', "\\/"), ascii, plain].into()
}

/// Text with what is not ASCII as `\u00e4`.
fn in_ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(ascii, "\\u{unit:04x}").expect("a string takes every text");
            }
        }
    }
    ascii
}

/// What each encoder of URLs leaves as it is, apart from letters and digits.
const LEFT: [&str; 7] = ["", "-_.", "-_.~", "-_.~/", "-_.~!*'()", "-_.~!*'();/?:@&=+$,#", "-_.~!$&'()*+,;=:@/"];

fn url(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for left in LEFT {
        for blank in ["%20", "+"] {
            let upper = percent(line, left, blank, false);
            found.extend([percent(line, left, blank, true), upper]);
        }
    }
    found
}

fn percent(line: &str, left: &str, blank: &str, lower: bool) -> String {
    let mut text = String::with_capacity(3 * line.len());
    for byte in line.bytes() {
        let character = char::from(byte);
        if byte == b' ' {
            text.push_str(blank);
        } else if character.is_ascii_alphanumeric() || left.contains(character) {
            text.push(character);
        } else if lower {
            write!(text, "%{byte:02x}").expect("a string takes every text");
        } else {
            write!(text, "%{byte:02X}").expect("a string takes every text");
        }
    }
    text
}

/// At each of the three places that a line can have in a longer text: those digits that depend on nothing else. Alone or
/// with the line feed of `echo`, to the last digit.
fn base64(line: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for (before, skipped) in [(0, 0), (1, 2), (2, 3)] {
            let digits = engine.encode([&vec![0; before], line].concat());
            let whole = 8 * (before + line.len()) / 6;
            found.extend(digits.get(skipped..whole).map(str::to_owned));
        }
        found.push(engine.encode(line));
        found.push(engine.encode([line, b"\n"].concat()));
    }
    // A short line leaves few digits, and those of one byte less than the shortest secret would be found everywhere.
    found.retain(|digits| digits.len() >= SHORTEST);
    found
}

fn hexadecimal(line: &[u8]) -> Vec<String> {
    vec![hex::encode(line), hex::encode_upper(line)]
}

/// As shells print a word in a trace, with `export -p` and with `printf %q`.
fn shell(line: &str) -> Vec<String> {
    let backslashed = |special: &dyn Fn(char) -> bool| {
        let mut text = String::with_capacity(2 * line.len());
        for character in line.chars() {
            if special(character) {
                text.push('\\');
            }
            text.push(character);
        }
        text
    };
    let quotes = |character: char| " \t\"'\\|&;()<>!{}*[]?^$`,".contains(character);
    let odd = |character: char| {
        character.is_ascii() && !character.is_ascii_alphanumeric() && !"@%+=:,./-_".contains(character)
    };
    vec![
        line.replace('\'', "'\\''"),
        line.replace('\'', "'\"'\"'"),
        backslashed(&quotes),
        backslashed(&odd),
        backslashed(&|character| "\"\\$`".contains(character)),
        backslashed(&|character| "\"\\$`!".contains(character)),
        ansi_c(line, false),
        ansi_c(line, true),
    ]
}

/// `$'…'`, with what is not ASCII as it is or in octal digits.
fn ansi_c(line: &str, in_octal: bool) -> String {
    let mut text = String::with_capacity(2 * line.len());
    for character in line.chars() {
        match character {
            '\'' | '\\' => text.extend(['\\', character]),
            '\t' => text.push_str("\\t"),
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\u{b}' => text.push_str("\\v"),
            '\u{c}' => text.push_str("\\f"),
            '\u{1b}' => text.push_str("\\E"),
            _ if character.is_ascii_control() || (in_octal && !character.is_ascii()) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    write!(text, "\\{byte:03o}").expect("a string takes every text");
                }
            }
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, form: &str) -> bool {
        forms(value).iter().any(|known| known.bytes == form.as_bytes())
    }

    #[test]
    fn a_secret_is_known_in_every_form_in_which_programs_write_it() {
        let secret = "it's a \"p/w\" & more";
        for form in [
            "it's a \"p/w\" & more",
            r#"it's a \"p/w\" & more"#,
            r#"it's a \"p/w\" \u0026 more"#,
            r#"it's a \"p\/w\" & more"#,
            "it%27s%20a%20%22p%2Fw%22%20%26%20more",
            "it%27s+a+%22p%2fw%22+%26+more",
            "it's%20a%20%22p%2Fw%22%20%26%20more",
            "aXQncyBhICJwL3ciICYgbW9yZQ",
            "aXQncyBhICJwL3ciICYgbW9yZQo",
            "697427732061202270",
            r"it'\''s a",
            r#"it'"'"'s a "p/w" & more"#,
            r#"it\'s\ a\ \"p/w\"\ \&\ more"#,
            r#"it\'s a "p/w" & more"#,
        ] {
            let found = forms(secret).iter().any(|known| String::from_utf8_lossy(&known.bytes).contains(form));
            assert!(found, "{form}");
        }
        assert!(has("grüße", r"gr\u00fc\u00dfe") && has("grüße", r"gr\303\274\303\237e"));
    }

    #[test]
    fn base64_is_known_at_every_place_in_a_longer_text() {
        for before in 0..6 {
            for after in 0..4 {
                let text = ["x".repeat(before), "hunter2!".to_owned(), "y".repeat(after)].concat();
                let encoded = STANDARD_NO_PAD.encode(text);
                assert!(
                    base64(b"hunter2!").iter().any(|digits| encoded.contains(digits)),
                    "{before} before, {after} after: {encoded}"
                );
            }
        }
    }

    #[test]
    fn every_long_line_of_a_secret_is_looked_for_and_short_ones_are_not() {
        assert!(
            has("first line\r\nab\nsecond line\n", "first line") && has("first line\n\nsecond line", "second line")
        );
        assert!(forms("abc").is_empty() && forms("ab\ncd\n").is_empty() && forms("     ").is_empty());
        assert!(can_be_masked("abcd") && !can_be_masked("abc\nx"));
    }
}
