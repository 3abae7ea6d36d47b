//! Words that stand for a value: which words of a command or of prose they are.
//!
//! A side file names them. Those that it does not name are found by a fixed lexicon, so that a command with
//! `/path/to/…` in it never starts as it is written.

mod angles;
mod lexicon;

use domain::runbook::Placeholder;

use angles::angles;
pub(crate) use angles::without_angles;
pub(crate) use lexicon::is_expansion;
use lexicon::{lexicon, strong};

/// A placeholder that the side file declares for a command: its words and its parameter's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared<'a> {
    pub(crate) text: &'a str,
    pub(crate) parameter: &'a str,
}

/// The placeholders of a command, in order of first appearance, each once.
pub(crate) fn of_command(
    text: &str,
    declared: &[Declared<'_>],
    literal: &[String],
    assigned: &[String],
) -> Vec<Placeholder> {
    let mut found: Vec<(usize, usize, Placeholder)> = Vec::new();
    let mut longest_first: Vec<&Declared<'_>> = declared.iter().collect();
    longest_first.sort_by_key(|declared| std::cmp::Reverse(declared.text.len()));
    for declared in longest_first {
        for (start, end) in occurrences(text, declared.text) {
            let placeholder =
                Placeholder { text: declared.text.to_owned(), parameter: Some(declared.parameter.to_owned()) };
            keep(&mut found, start, end, placeholder);
        }
    }
    for (start, end) in lexicon(text, assigned) {
        let word = &text[start..end];
        if !literal.iter().any(|literal| literal == word || text_holds(text, literal, start, end)) {
            keep(&mut found, start, end, Placeholder { text: word.to_owned(), parameter: None });
        }
    }
    found.sort_by_key(|(start, ..)| *start);
    let mut once: Vec<Placeholder> = Vec::new();
    for (_, _, placeholder) in found {
        if !once.iter().any(|other| other.text == placeholder.text) {
            once.push(placeholder);
        }
    }
    once
}

/// Keeps a placeholder unless its place is taken.
fn keep(found: &mut Vec<(usize, usize, Placeholder)>, start: usize, end: usize, placeholder: Placeholder) {
    if found.iter().all(|(from, to, _)| end <= *from || start >= *to) {
        found.push((start, end, placeholder));
    }
}

/// Whether a literal that is longer than the word covers it.
fn text_holds(text: &str, literal: &str, start: usize, end: usize) -> bool {
    !literal.is_empty() && text.match_indices(literal).any(|(from, whole)| from <= start && end <= from + whole.len())
}

/// Where the words of a declared placeholder stand in a command.
///
/// A placeholder that is a variable (`$TOKEN`) stands where that variable is used, in either form.
pub(crate) fn occurrences(text: &str, placeholder: &str) -> Vec<(usize, usize)> {
    if placeholder.is_empty() {
        return Vec::new();
    }
    if let Some(name) = variable_name(placeholder) {
        let forms = [format!("${name}"), format!("${{{name}}}")];
        return forms.iter().flat_map(|form| whole_words(text, form)).collect();
    }
    whole_words(text, placeholder).collect()
}

/// The name in `$NAME` or `${NAME}`.
pub(crate) fn variable_name(placeholder: &str) -> Option<&str> {
    let inner = placeholder.strip_prefix('$')?;
    let name = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    valid.then_some(name)
}

fn whole_words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
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

/// The placeholders in prose or inline code, which is no shell text.
pub(crate) fn of_prose(text: &str, declared: &[Declared<'_>], literal: &[String]) -> Vec<Placeholder> {
    let mut found: Vec<(usize, usize, Placeholder)> = Vec::new();
    for declared in declared.iter().filter(|declared| variable_name(declared.text).is_none()) {
        for (start, end) in occurrences(text, declared.text) {
            let placeholder =
                Placeholder { text: declared.text.to_owned(), parameter: Some(declared.parameter.to_owned()) };
            keep(&mut found, start, end, placeholder);
        }
    }
    for (start, end) in strong(text).chain(angles(text)) {
        let word = &text[start..end];
        if !literal.iter().any(|literal| literal == word || text_holds(text, literal, start, end)) {
            keep(&mut found, start, end, Placeholder { text: word.to_owned(), parameter: None });
        }
    }
    found.into_iter().map(|(_, _, placeholder)| placeholder).collect()
}
