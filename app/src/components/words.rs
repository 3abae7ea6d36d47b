//! Small words: how many, and how a sentence begins.

use domain::policy::{Groups, group_names};
use domain::time;

/// `1 run`, `2 runs`.
pub fn counted(count: usize, noun: &str) -> String {
    time::counted(count as u64, noun)
}

/// The text with its first letter as a capital.
pub fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Who sees what is limited to some groups: `dba, platform and administrators`.
pub fn readers(groups: &Groups) -> String {
    if groups.is_empty() { "administrators".to_owned() } else { format!("{} and administrators", group_names(groups)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_everything_else_is_plural() {
        let words = [0, 1, 2].map(|count| counted(count, "procedure"));

        assert_eq!(words, ["0 procedures", "1 procedure", "2 procedures"]);
    }
}
