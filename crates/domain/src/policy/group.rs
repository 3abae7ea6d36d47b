//! Groups of people: names that an administrator gives to people, and to which a side file limits a procedure.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a group: 1 to 40 lower-case letters a to z, digits, hyphens and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupName(String);

/// Groups, each once, by name.
pub type Groups = BTreeSet<GroupName>;

impl GroupName {
    /// The most characters.
    pub const LONGEST: usize = 40;

    /// The group with this name; `None` when it is no name of a group.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        let good = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(fits);
        good.then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The groups that a person typed: names with commas or blanks between them, in whatever case.
///
/// # Errors
///
/// The first word that is no name.
pub fn typed_groups(text: &str) -> Result<Groups, String> {
    let words = text.split(|character: char| character == ',' || character.is_whitespace());
    let named = |word: &str| GroupName::parse(&word.to_lowercase()).ok_or_else(|| word.to_owned());
    words.filter(|word| !word.is_empty()).map(named).collect()
}

/// The names with commas between them, as people read and type them; empty for no group.
pub fn group_names(groups: &Groups) -> String {
    groups.iter().map(GroupName::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        let longest = "x".repeat(GroupName::LONGEST);

        for good in ["platform", "dba", "team-7", "night_shift", "0", &longest] {
            assert!(GroupName::parse(good).is_some(), "{good}");
        }
        for bad in ["", " ", "Platform", "a b", "a,b", "a.b", "gr\u{fc}n", "%", "a!", &format!("{longest}x")] {
            assert!(GroupName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_is_typed_is_read_with_commas_and_blanks_and_told_in_order() {
        let typed = typed_groups(" Platform,dba  ops,, dba\n").unwrap();

        assert_eq!(group_names(&typed), "dba, ops, platform");
        assert_eq!(typed_groups(" , "), Ok(Groups::new()));
        assert_eq!(typed_groups("dba, on.call"), Err("on.call".to_owned()));
        assert_eq!(typed_groups(&group_names(&typed)), Ok(typed));
    }
}
