//! The values of `NAME=value` files, such as `.env`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::trivial::is_trivial;

/// Of a file nothing behind this is read: each byte of a value costs the filter some hundred.
const LARGEST: u64 = 64 << 10;
/// More values than this are not masked: each costs memory and time for every byte of output.
const MOST: usize = 500;

/// What a file has to be masked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The names and values that are worth masking.
    pub values: Vec<(String, String)>,
    /// What is not masked although the file may hold it, each in a sentence.
    pub unmasked: Vec<String>,
}

/// Looks into a file. One that is not there has no values.
pub(super) fn values(path: &Path) -> Found {
    let name = path.display();
    let mut bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::default(),
        Err(error) => {
            let why = if error.raw_os_error().is_some() {
                format!("cannot be read ({})", error.kind())
            } else {
                error.to_string()
            };
            return Found { unmasked: vec![format!("{name} {why}: its values were not masked.")], ..Found::default() };
        }
    };
    let mut unmasked = Vec::new();
    if bytes.len() as u64 > LARGEST {
        bytes.pop();
        unmasked.push(format!("{name} is longer than 64 KiB: the values behind that were not masked."));
    }
    let mut values = parse(&String::from_utf8_lossy(&bytes));
    if values.len() > MOST {
        values.truncate(MOST);
        unmasked.push(format!("{name} has more than {MOST} values: the ones behind that were not masked."));
    }
    Found { values, unmasked }
}

/// The names and values in the text of such a file that are worth masking; of a file at a target, whose text the portal has read.
pub fn listed_values(text: &str) -> Vec<(String, String)> {
    let mut values = parse(text);
    values.truncate(MOST);
    values
}

/// The beginning of a file, and one byte more where it is longer.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Never waiting for the far end of a pipe.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
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
            let secret = values.into_iter().filter(|value| !is_of_compose(name) && !is_trivial(value));
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

/// What Docker Compose reads for itself, without `COMPOSE_`: none of it is a secret
/// (<https://docs.docker.com/compose/how-tos/environment-variables/envvars/>).
const OF_COMPOSE: [&str; 16] = [
    "ANSI",
    "BAKE",
    "CONVERT_WINDOWS_PATHS",
    "DISABLE_ENV_FILE",
    "ENV_FILES",
    "EXPERIMENTAL",
    "FILE",
    "IGNORE_ORPHANS",
    "MENU",
    "PARALLEL_LIMIT",
    "PATH_SEPARATOR",
    "PROFILES",
    "PROGRESS",
    "PROJECT_NAME",
    "REMOVE_ORPHANS",
    "STATUS_STDOUT",
];

/// Whether a name is one of Compose's own settings, as `COMPOSE_PROJECT_NAME`, which is in the name of every container.
fn is_of_compose(name: &str) -> bool {
    name.strip_prefix("COMPOSE_").is_some_and(|name| OF_COMPOSE.contains(&name))
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
                    EMPTY=\nPORT=3333\nMODE=production\nCOMPOSE_PROJECT_NAME=brainbytes\n\
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

        for path in [&pipe, folder.path()] {
            let found = values(path);
            assert!(found.values.is_empty());
            let sentence = format!("{} is not a file: its values were not masked.", path.display());
            assert_eq!(found.unmasked, [sentence]);
        }
        assert_eq!(values(&folder.path().join("absent")), Found::default());
    }

    #[test]
    fn what_is_cut_of_a_file_is_said() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("env");
        let lines = |count: usize| (0..count).map(|n| format!("NAME_{n}=value-{n}")).collect::<Vec<_>>().join("\n");
        let told = |text: String| {
            std::fs::write(&file, text).unwrap();
            let found = values(&file);
            (
                found.values.len(),
                found.unmasked.iter().map(|told| told.replace(file.to_str().unwrap(), "env")).collect(),
            )
        };
        let [none, many, long]: [(usize, Vec<String>); 3] =
            [told(lines(500)), told(lines(501)), told("A=abcde\n#".to_owned() + &"x".repeat(64 << 10) + "\nB=fghij\n")];

        assert_eq!(none, (500, vec![]));
        assert_eq!(many, (500, vec!["env has more than 500 values: the ones behind that were not masked.".to_owned()]));
        assert_eq!(long, (1, vec!["env is longer than 64 KiB: the values behind that were not masked.".to_owned()]));
        assert_eq!(told("A=abcde\n".repeat(8192).chars().take(64 << 10).collect()).1.len(), 1, "only for their number");
    }
}
