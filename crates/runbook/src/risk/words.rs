//! Words that speak of losing something, and words of the tables.

use std::sync::LazyLock;

use regex::Regex;

static DESTRUCTIVE: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        "drop|delete|destroy|remove|purge|prune|flush|truncate|wipe|reset|force|overwrite|unlink|rmtree|erase|shred";
    let capital = "Drop|Delete|Destroy|Remove|Purge|Prune|Flush|Truncate|Wipe|Reset|Force|Overwrite|Unlink|Erase";
    // At the beginning of a word, also of a word inside a word: `dropDatabase`, `collection.deleteMany`, `forceReset`.
    Regex::new(&format!(r"(?:(?:^|[^A-Za-z])((?i:{words}))|[a-z]({capital}))")).expect("a fixed pattern")
});

/// The first word of a text that speaks of losing something.
pub(super) fn destructive(text: &str) -> Option<String> {
    let found = DESTRUCTIVE.captures(text)?;
    found.get(1).or_else(|| found.get(2)).map(|word| word.as_str().to_lowercase())
}

/// Whether a word is the one of a table; a `*` at its end stands for any rest, one at its beginning for any beginning.
pub(super) fn matches(wanted: &str, word: &str) -> bool {
    if let Some(inner) =
        wanted.strip_prefix('*').and_then(|rest| rest.strip_suffix('*')).filter(|inner| !inner.is_empty())
    {
        return word.contains(inner);
    }
    match wanted.strip_suffix('*') {
        Some(start) => word.starts_with(start),
        None => wanted == word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_loss_are_found_at_the_beginning_of_words_only() {
        assert_eq!(destructive("db.dropDatabase()").as_deref(), Some("drop"));
        assert_eq!(destructive("items.deleteMany({})").as_deref(), Some("delete"));
        assert_eq!(destructive("--FORCE").as_deref(), Some("force"));
        assert_eq!(destructive("enforce reinforced backdrop"), None);
    }
}
