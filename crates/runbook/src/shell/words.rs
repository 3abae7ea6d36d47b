//! Words of a command as the shell makes them: quotes taken away, escapes and braces worked out.

use tree_sitter::Node;

use super::{Shell, children};

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// Its text without quotes; what the shell would put in place of `$…` stays as written.
    pub(crate) text: String,
    /// Where it begins in the text, in bytes.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// Whether the shell puts something in.
    pub(crate) expands: bool,
    /// Whether any of it is in quotes.
    pub(crate) quoted: bool,
    /// Whether it is a pattern that stands for the names of files.
    pub(crate) pattern: bool,
}

impl Word {
    /// A word that stands in no tree.
    pub(crate) fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), expands: text.starts_with('$'), ..Self::default() }
    }

    /// The same word with another text.
    pub(crate) fn with(&self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self.clone() }
    }

    /// Whether what it is can only be known when it runs.
    pub(crate) fn is_open(&self) -> bool {
        self.expands || self.pattern
    }
}

/// The words of a command without its assignments and redirections.
pub(super) fn words(shell: &Shell<'_>, command: Node<'_>) -> Vec<Word> {
    children(command)
        .into_iter()
        .filter(|child| {
            !matches!(child.kind(), "variable_assignment" | "herestring_redirect" | "file_redirect" | "comment")
        })
        .map(|child| if child.kind() == "command_name" { child.named_child(0).unwrap_or(child) } else { child })
        .flat_map(|child| several(shell, child))
        .collect()
}

/// One word, with its braces as they are written.
pub(super) fn word(shell: &Shell<'_>, node: Node<'_>) -> Word {
    let mut word = marked(shell, node);
    word.text = unmarked(&word.text);
    word
}

/// The words that one word is after its braces are worked out: `-{a,b}` is `-a` and `-b`.
fn several(shell: &Shell<'_>, node: Node<'_>) -> Vec<Word> {
    let word = marked(shell, node);
    if !word.text.contains(OPEN) {
        return vec![word.with(unmarked(&word.text))];
    }
    let mut found = vec![word.text.clone()];
    for _ in 0..MOST_BRACES {
        let Some(at) = found.iter().position(|text| alternatives(text).is_some()) else { break };
        let more = alternatives(&found[at]).unwrap_or_default();
        found.splice(at..=at, more);
    }
    found.iter().map(|text| word.with(unmarked(text))).collect()
}

/// Braces in one word are worked out so many times.
const MOST_BRACES: usize = 32;
/// The signs of braces that are not quoted, while a word is put together.
const OPEN: char = '\u{F0000}';
const COMMA: char = '\u{F0001}';
const CLOSE: char = '\u{F0002}';

fn unmarked(text: &str) -> String {
    text.replace(OPEN, "{").replace(COMMA, ",").replace(CLOSE, "}")
}

/// The texts that the innermost first pair of braces stands for.
fn alternatives(text: &str) -> Option<Vec<String>> {
    let close = text.find(CLOSE)?;
    let open = text[..close].rfind(OPEN)?;
    let inner = &text[open + OPEN.len_utf8()..close];
    let (before, after) = (&text[..open], &text[close + CLOSE.len_utf8()..]);
    let parts: Vec<String> = if inner.contains(COMMA) {
        inner.split(COMMA).map(str::to_owned).collect()
    } else if let Some(range) = range(inner) {
        range
    } else {
        // A pair that stands for nothing else is text.
        vec![format!("{{{}}}", unmarked(inner))]
    };
    Some(parts.into_iter().map(|part| format!("{before}{part}{after}")).collect())
}

/// `a..e` and `1..3`, when they are short.
fn range(inner: &str) -> Option<Vec<String>> {
    let (from, to) = inner.split_once("..")?;
    let single = |text: &str| text.chars().next().filter(|first| first.len_utf8() == text.len());
    if let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) {
        return (from <= to && to - from < 64).then(|| (from..=to).map(|number| number.to_string()).collect());
    }
    let (from, to) = (single(from)?, single(to)?);
    (from <= to).then(|| (from..=to).map(String::from).collect())
}

/// A word in which braces and commas that are not quoted carry a mark.
fn marked(shell: &Shell<'_>, node: Node<'_>) -> Word {
    let mut word = Word { start: node.start_byte(), end: node.end_byte(), ..Word::default() };
    add(shell, node, &mut word);
    word
}

fn add(shell: &Shell<'_>, node: Node<'_>, word: &mut Word) {
    let raw = shell.of(node);
    match node.kind() {
        "word" | "number" | "extglob_pattern" | "test_operator" => {
            word.pattern |= is_pattern(raw);
            word.text.push_str(&unescape(raw, |_| true, true));
        }
        "raw_string" => {
            word.quoted = true;
            word.text.push_str(raw.trim_matches('\''));
        }
        "ansi_c_string" => {
            word.quoted = true;
            word.text.push_str(&ansi(raw.strip_prefix("$'").and_then(|raw| raw.strip_suffix('\'')).unwrap_or(raw)));
        }
        "string" | "translated_string" => {
            word.quoted = true;
            word.expands |= children(node).iter().any(|child| child.kind() != "string_content");
            let inner = raw.trim_start_matches('$');
            let inner = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(inner);
            word.text.push_str(&unescape(inner, |c| matches!(c, '"' | '\\' | '$' | '`' | '\n'), false));
        }
        "concatenation" => {
            let from = word.start;
            for child in children(node) {
                add(shell, child, word);
            }
            // The tree has `[r]m` in several words.
            word.pattern |= !word.quoted && shell.of(node).contains('[') && shell.of(node).contains(']');
            word.start = from;
        }
        _ => {
            word.expands = true;
            word.text.push_str(raw);
        }
    }
}

/// Whether text that is not quoted stands for names of files.
fn is_pattern(raw: &str) -> bool {
    let mut characters = raw.chars();
    let mut open = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '*' | '?' => return true,
            '[' => open = true,
            ']' if open => return true,
            _ => {}
        }
    }
    false
}

/// Text without the backslashes that quote the next character; `braces` marks those that are not quoted.
fn unescape(text: &str, quotes: impl Fn(char) -> bool, braces: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(next)) if quotes(*next) => {
                let next = *next;
                characters.next();
                if next != '\n' {
                    plain.push(next);
                }
            }
            ('{', _) if braces => plain.push(OPEN),
            (',', _) if braces => plain.push(COMMA),
            ('}', _) if braces => plain.push(CLOSE),
            _ => plain.push(character),
        }
    }
    plain
}

/// The text that `$'…'` stands for. It ends at a NUL, as in the shell.
fn ansi(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character != '\\' {
            plain.push(character);
            continue;
        }
        let Some(sign) = rest.chars().next() else { break };
        let (found, used) = escape(sign, rest);
        rest = &rest[used..];
        match found {
            Some('\0') => break,
            Some(found) => plain.push(found),
            None => {
                plain.push('\\');
                plain.push(sign);
            }
        }
    }
    plain
}

/// What an escape stands for, and how many bytes of the text behind the backslash belong to it.
fn escape(sign: char, rest: &str) -> (Option<char>, usize) {
    let one = sign.len_utf8();
    let digits = |from: usize, most: usize, radix: u32| {
        let count = rest[from..].chars().take(most).take_while(|c| c.is_digit(radix)).count();
        let value = u32::from_str_radix(&rest[from..from + count], radix).ok();
        (value.and_then(char::from_u32), from + count)
    };
    match sign {
        'n' => (Some('\n'), one),
        't' => (Some('\t'), one),
        'r' => (Some('\r'), one),
        'a' => (Some('\x07'), one),
        'b' => (Some('\x08'), one),
        'e' | 'E' => (Some('\x1b'), one),
        'f' => (Some('\x0c'), one),
        'v' => (Some('\x0b'), one),
        '\\' | '\'' | '"' | '?' => (Some(sign), one),
        'x' => digits(1, 2, 16),
        'u' => digits(1, 4, 16),
        'U' => digits(1, 8, 16),
        '0'..='7' => digits(0, 3, 8),
        _ => (None, one),
    }
}
