//! The values of `NAME=value` files, such as `.env`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::trivial::is_trivial;

/// Of a file nothing behind this is read: each byte of a value costs the filter some hundred.
const LARGEST: u64 = 64 << 10;
/// More values than this are not masked: each costs memory and time for every byte of output.
const MOST: usize = 500;

/// The names and values in a file that are worth masking; none when it cannot be read.
pub(super) fn values(path: &Path) -> Vec<(String, String)> {
    read(path).map(|text| parse(&text)).unwrap_or_default()
}

fn read(path: &Path) -> Option<String> {
    // Never waiting for the far end of a pipe.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    let mut bytes = Vec::new();
    is_file.then(|| file.take(LARGEST).read_to_end(&mut bytes).ok()).flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn parse(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && found.len() < MOST {
        let line = rest.split('\n').next().unwrap_or_default();
        let mut read = line.len();
        if let Some((name, value)) = assignment(line) {
            let begins = line.len() - value.len();
            let values = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    // A quoted value may go on in the next lines.
                    let (inside, length) = quoted(rest.get(begins + 1..).unwrap_or_default(), quote);
                    read = read.max(begins + 1 + length);
                    forms_of(inside, quote)
                }
                _ => vec![bare(value).to_owned()],
            };
            let secret = values.into_iter().filter(|value| !is_trivial(value));
            found.extend(secret.map(|value| (name.to_owned(), value)));
        }
        rest = rest.get(read..).and_then(|rest| rest.split_once('\n')).map_or("", |(_, after)| after);
    }
    found
}

/// The name of a line and what stands behind its `=`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (!name.is_empty() && name.chars().all(is_name)).then(|| (name, value.trim_start()))
}

/// What stands before the closing quotation mark, or in the line if there is none; and how far that goes.
fn quoted(text: &str, quote: char) -> (&str, usize) {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if character == quote && !escaped {
            return (text.get(..at).unwrap_or_default(), at + 1);
        }
        escaped = character == '\\' && quote == '"' && !escaped;
    }
    let line = text.split('\n').next().unwrap_or_default();
    (line.trim_end(), line.len())
}

/// A quoted value as it is written and, where that differs, as programs read it.
fn forms_of(inside: &str, quote: char) -> Vec<String> {
    let mut found = vec![inside.to_owned()];
    if quote == '"' && inside.contains('\\') {
        let mut read = String::with_capacity(inside.len());
        let mut characters = inside.chars();
        while let Some(character) = characters.next() {
            match (character, character == '\\') {
                (_, true) => match characters.next() {
                    Some('n') => read.push('\n'),
                    Some('t') => read.push('\t'),
                    Some(other) => read.push(other),
                    None => {}
                },
                (character, false) => read.push(character),
            }
        }
        found.push(read);
    }
    found
}

/// A value without quotation marks ends before a remark.
fn bare(value: &str) -> &str {
    let remark = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
    value.get(..remark).unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_dotenv_files_have_them() {
        let text = "# a remark = no value\n\
                    export DB_PASSWORD=plain-value # and a remark\n\
                    A = 'single # quoted'\n\
                    B=\"with \\\"quotes\\\" and\\nlines\" # remark\n\
                    EMPTY=\nPORT=3333\nMODE=production\n\
                    KEY=\"-----BEGIN\nmiddle line\n-----END\"\n\
                    not an assignment\nOPEN=\"never closed\nLAST=windows-line\r\n";

        let found = parse(text);

        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            found,
            [
                ("DB_PASSWORD", "plain-value"),
                ("A", "single # quoted"),
                ("B", "with \\\"quotes\\\" and\\nlines"),
                ("B", "with \"quotes\" and\nlines"),
                ("KEY", "-----BEGIN\nmiddle line\n-----END"),
                ("OPEN", "never closed"),
                ("LAST", "windows-line"),
            ]
        );
    }

    #[test]
    fn what_is_no_file_has_no_values() {
        let folder = tempfile::TempDir::new().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();

        assert!(values(&pipe).is_empty());
        assert!(values(folder.path()).is_empty());
        assert!(values(&folder.path().join("absent")).is_empty());
    }
}
