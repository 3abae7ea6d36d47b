//! Whom a text names: as whole words, and of two names that share words the longer one.

use std::cmp::Reverse;

/// Stands where a name was cut out, so that the words around it do not become neighbours.
pub(super) const GAP: &str = "";

/// Names that texts are searched for.
#[derive(Clone, Debug)]
pub struct Names {
    /// The words of each with its place among those that were given, the longest first.
    names: Vec<(usize, Vec<String>)>,
}

impl Names {
    /// These names; each is known by its place among them.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let words = names.into_iter().map(|name| trimmed(&words_of(name)).to_vec()).enumerate();
        let mut names: Vec<(usize, Vec<String>)> = words.filter(|(_, words)| !words.is_empty()).collect();
        names.sort_by_key(|(_, words)| Reverse(words.len()));
        Self { names }
    }

    /// The places of the names that stand in a text. Words that are one name are no part of another: who names the senior DBA
    /// does not name the DBA.
    pub fn in_text(&self, text: &str) -> Vec<usize> {
        let words = words_of(text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.cut(&words).1
    }

    /// Words without the names among them, and the places of these names.
    pub(super) fn cut<'t>(&self, words: &[&'t str]) -> (Vec<&'t str>, Vec<usize>) {
        let mut left = words.to_vec();
        let mut found = Vec::new();
        for (place, name) in &self.names {
            while let Some(at) = left.windows(name.len()).position(|words| words == name.as_slice()) {
                left.splice(at..at + name.len(), [GAP]);
                found.push(*place);
            }
        }
        found.sort_unstable();
        found.dedup();
        (left, found)
    }
}

/// The words in lower case; `:` stands for everything that divides a line into a label and the rest, `,` for other borders.
pub(super) fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.to_lowercase().chars() {
        let character = if character == '\u{2019}' { '\'' } else { character };
        if character.is_alphanumeric() || "'-_#@".contains(character) {
            word.push(character);
            continue;
        }
        words.push(std::mem::take(&mut word));
        match character {
            ':' | '\u{2013}' | '\u{2014}' => words.push(":".to_owned()),
            ',' | ';' | '.' | '(' | ')' => words.push(",".to_owned()),
            _ => {}
        }
    }
    words.push(word);
    for word in &mut words {
        if word == "-" {
            ":".clone_into(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

pub(super) fn is_border(word: &str) -> bool {
    word == ":" || word == ","
}

/// Without borders at both ends.
pub(super) fn trimmed<W: AsRef<str>>(mut words: &[W]) -> &[W] {
    while let [first, rest @ ..] = words
        && is_border(first.as_ref())
    {
        words = rest;
    }
    while let [rest @ .., last] = words
        && is_border(last.as_ref())
    {
        words = rest;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str], text: &str) -> Vec<usize> {
        Names::of(names.iter().copied()).in_text(text)
    }

    #[test]
    fn a_name_is_found_as_whole_words_whatever_their_case() {
        assert_eq!(named(&["ops", "DevOps team"], "Tell the DEVOPS  team, and Ops"), [0, 1]);
        assert_eq!(named(&["ops"], "If the service stops: tell DevOps"), [0; 0]);
        assert_eq!(named(&["#ops", "on-call engineer"], "Page on-call engineer in #ops."), [0, 1]);
        assert_eq!(named(&["team lead (Berlin)"], "Call the team lead (Berlin)."), [0]);
        assert_eq!(named(&["team lead"], "Call the team, lead them"), [0; 0]);
    }

    #[test]
    fn of_two_names_that_share_words_the_longer_one_is_meant() {
        let names = ["DBA", "senior DBA"];

        assert_eq!(named(&names, "If restore fails: escalate to senior DBA"), [1]);
        assert_eq!(named(&names, "Escalate to the DBA"), [0]);
        assert_eq!(named(&names, "Call the DBA, then the senior DBA, then the DBA again"), [0, 1]);
    }

    #[test]
    fn what_stands_around_a_name_does_not_become_another_one() {
        assert_eq!(named(&["senior DBA", "call lead"], "call senior DBA lead"), [0]);
    }

    #[test]
    fn a_name_without_words_is_nowhere() {
        assert_eq!(named(&["", ":", "!"], "Call: the keeper!"), [0; 0]);
    }
}
