//! Words in angle brackets (`<commit-hash>`): to a shell they are redirections, to a reader they stand for a value.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::markdown;

/// A word in angle brackets: no blank at its edges, and not followed by what makes it two redirections.
static ANGLE: LazyLock<Regex> = LazyLock::new(|| {
    let sign = "[A-Za-z0-9_.:/@=,+|-]";
    Regex::new(&format!("<[A-Za-z]{sign}*(?: {sign}+){{0,4}}>")).expect("a fixed pattern")
});

/// Words in angle brackets that programs write themselves.
const ANGLE_WORDS: &[&str] = &[
    "none",
    "pending",
    "unknown",
    "nil",
    "null",
    "default",
    "empty",
    "missing",
    "invalid",
    "unset",
    "self",
    "stdin",
    "stdout",
    "nodata",
    "eof",
    "invalid date",
    "no value",
    "not set",
    "auto",
    "anonymous",
    "error",
    "undefined",
];
/// Sections of configuration files that are written like tags.
const SECTIONS: &[&str] = &[
    "Directory",
    "DirectoryMatch",
    "Files",
    "FilesMatch",
    "Location",
    "LocationMatch",
    "VirtualHost",
    "IfModule",
    "IfDefine",
    "IfVersion",
    "Limit",
    "LimitExcept",
    "Proxy",
    "ProxyMatch",
    "RequireAll",
    "RequireAny",
    "RequireNone",
    "If",
    "ElseIf",
    "Else",
    "Macro",
    "Plugin",
    "source",
    "match",
    "filter",
    "store",
    "buffer",
    "parse",
    "system",
    "label",
];

/// Shell text in which words in angle brackets are plain words of the same length.
pub(crate) fn without_angles(text: &str) -> Cow<'_, str> {
    let mut found = angles(text).peekable();
    if found.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for (start, end) in found {
        for byte in &mut bytes[start..end] {
            if !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.' | b'/' | b':') {
                *byte = b'_';
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Where the words in angle brackets stand in shell text.
pub(super) fn angles(text: &str) -> impl Iterator<Item = (usize, usize)> {
    places(text).filter(move |(start, end)| !markdown::is_tag(&text[*start..*end]) || is_bare(text, *start, *end))
}

/// The same for prose, where `<b>` is markup.
pub(super) fn angles_of_prose(text: &str) -> impl Iterator<Item = (usize, usize)> {
    places(text).filter(move |(start, end)| !markdown::is_tag(&text[*start..*end]))
}

fn places(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let found = ANGLE.find_iter(text).map(|found| (found.start(), found.end()));
    found.filter(move |(start, end)| is_angle(text, *start, *end))
}

fn is_angle(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let rest = &text[end..];
    let twofold = before.is_some_and(|c| matches!(c, '<' | '&') || c.is_ascii_digit());
    let goes_on = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '>' | '&' | '(' | '_'));
    let to_device = rest.starts_with("/dev/");
    !twofold && (!goes_on || rest.starts_with("&&")) && !to_device && !is_ordinary(&text[start + 1..end - 1])
}

/// Whether what could be a tag of HTML is a word of the shell: nothing closes it, and no quotes and no here-document hold it.
fn is_bare(text: &str, start: usize, end: usize) -> bool {
    let name = &text[start + 1..end - 1];
    let quotes = |quote: char| text[..start].matches(quote).count() % 2;
    !text.contains(&format!("</{name}")) && !text[..start].contains("<<") && quotes('\'') == 0 && quotes('"') == 0
}

/// Whether words in angle brackets are what a program writes, or a section of a configuration file.
fn is_ordinary(inner: &str) -> bool {
    let first = inner.split(' ').next().unwrap_or(inner);
    ANGLE_WORDS.contains(&inner.to_lowercase().as_str())
        || (SECTIONS.contains(&first) && (inner.contains(' ') || first.starts_with(char::is_uppercase)))
}
