//! Words that stand for a value: which words of a command or of prose they are.
//!
//! A side file names them. Those that it does not name are found by a fixed lexicon, so that a command with
//! `/path/to/…` in it never starts as it is written.

mod angles;
mod lexicon;

use domain::runbook::{Placeholder, whole_words};

use crate::shell::Shell;

use angles::angles_of_prose;
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
        let plain = literal.iter().any(|literal| literal == word || text_holds(text, literal, start, end));
        // To the rules these brackets are a word, to a shell two redirections: a side file cannot have it both ways.
        if !plain || is_redirection(text, start) {
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

/// Whether a shell would read what stands here as a redirection: a bracket outside quotes.
fn is_redirection(text: &str, start: usize) -> bool {
    let quoted = ["string", "raw_string", "ansi_c_string", "translated_string", "heredoc_body", "comment"];
    text[start..].starts_with('<')
        && Shell::parse(text).is_none_or(|shell| !shell.path(start).iter().any(|node| quoted.contains(&node.kind())))
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
    for (start, end) in strong(text).chain(angles_of_prose(text)) {
        let word = &text[start..end];
        if !literal.iter().any(|literal| literal == word || text_holds(text, literal, start, end)) {
            keep(&mut found, start, end, Placeholder { text: word.to_owned(), parameter: None });
        }
    }
    found.into_iter().map(|(_, _, placeholder)| placeholder).collect()
}
