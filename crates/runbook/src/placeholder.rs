//! Words that stand for a value: which words of a command or of prose they are.
//!
//! A side file names them. Those that it does not name are found by a fixed lexicon, so that a command with
//! `/path/to/…` in it never starts as it is written.

use std::borrow::Cow;
use std::sync::LazyLock;

use domain::runbook::Placeholder;
use regex::Regex;

use crate::markdown;
use crate::shell::{Call, Shell, calls};

/// A placeholder that the side file declares for a command: its words and its parameter's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared<'a> {
    pub(crate) text: &'a str,
    pub(crate) parameter: &'a str,
}

/// A word in angle brackets: no blank at its edges, and not followed by what makes it two redirections.
static ANGLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<[A-Za-z][A-Za-z0-9_.:/-]*(?: [A-Za-z0-9_.:/-]+){0,4}>").expect("a fixed pattern"));

/// `user@production-server` and its like.
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    let hosts = r"(?:[a-z]+-)?(?:server|host|hostname|vps|machine|bastion)(?:-(?:name|ip|address))?";
    Regex::new(&format!(r"(?:user|username|admin|root|deploy|ubuntu|you)@{hosts}")).expect("a fixed pattern")
});
static PATH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"/path/to(?:/[A-Za-z0-9_.+-]+)*/?").expect("a fixed pattern"));
static YOUR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:your|YOUR)[-_][A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*").expect("a fixed pattern"));
static VERSION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[a-z]+(?:-[a-z]+)*-version").expect("a fixed pattern"));
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[a-z]+(?:_[a-z]+)*_name").expect("a fixed pattern"));
static LONE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"username|user-name|hostname|ip-address|domain|commit-hash|container-id|pod-name")
        .expect("a fixed pattern")
});
static CAPITALS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)*$").expect("a fixed pattern"));
static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\$(?:\{[A-Z][A-Z0-9_]*\}|[A-Z][A-Z0-9_]*)").expect("a fixed pattern"));

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
/// Names of settings that end like placeholders.
const SETTINGS: &[&str] = &["server_name", "proxy_ssl_name", "cookie_name", "field_name"];
/// Programs whose first word is a pattern or a program of its own.
const PATTERN_PROGRAMS: &[&str] =
    &["grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ack", "sed", "awk", "gawk", "jq", "yq"];
/// Words in capitals that are words of a program, not values.
const CAPITAL_WORDS: &[&str] = &[
    "HEAD",
    "FETCH_HEAD",
    "ORIG_HEAD",
    "MERGE_HEAD",
    "HUP",
    "INT",
    "QUIT",
    "KILL",
    "TERM",
    "USR1",
    "USR2",
    "STOP",
    "CONT",
    "CHLD",
    "PIPE",
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "UTC",
    "GMT",
    "NULL",
    "TRUE",
    "FALSE",
    "ERROR",
    "WARN",
    "WARNING",
    "INFO",
    "DEBUG",
    "FATAL",
    "CRITICAL",
    "EOF",
    "END",
    "BEGIN",
    "INPUT",
    "OUTPUT",
    "FORWARD",
    "PREROUTING",
    "POSTROUTING",
    "ACCEPT",
    "DROP",
    "REJECT",
    "RETURN",
    "LOG",
    "DOCKER",
    "MASQUERADE",
    "ESTABLISHED",
    "RELATED",
    "NEW",
    "LISTEN",
    "UNCONN",
    "MX",
    "TXT",
    "NS",
    "SOA",
    "AAAA",
    "CNAME",
    "PTR",
    "SRV",
    "ANY",
    "README",
    "Makefile",
    "ALL",
    "NOPASSWD",
    "OOM",
    "UP",
    "DOWN",
    "TCP",
    "UDP",
    "SELECT",
    "PING",
    "CONFIG",
    "KEYS",
];
/// Programs whose words in capitals are names of their own.
const CAPITAL_PROGRAMS: &[&str] = &[
    "redis-cli",
    "iptables",
    "ip6tables",
    "dig",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "awk",
    "sed",
    "trap",
    "export",
    "unset",
    "read",
    "printenv",
    "psql",
    "mysql",
    "sqlite3",
    "mongo",
    "mongosh",
    "jq",
    "echo",
    "printf",
    "declare",
    "local",
    "readonly",
    "kill",
    "pkill",
    "test",
    "[",
    "make",
    "nft",
    "host",
    "nslookup",
    "valkey-cli",
];
/// Variables that every shell has.
const KNOWN_VARIABLES: &[&str] = &[
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "PWD",
    "OLDPWD",
    "SHELL",
    "HOSTNAME",
    "TMPDIR",
    "TERM",
    "LANG",
    "LC_ALL",
    "UID",
    "EUID",
    "PPID",
    "RANDOM",
    "SECONDS",
    "LINENO",
    "IFS",
    "PIPESTATUS",
    "BASH_SOURCE",
    "BASH_VERSION",
    "FUNCNAME",
    "REPLY",
    "OSTYPE",
    "EDITOR",
    "PAGER",
    "SHLVL",
    "OPTARG",
    "OPTIND",
    "COLUMNS",
    "LINES",
    "PORTAL_RUN",
    "PORTAL_ACTOR",
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

/// Where the words in angle brackets stand.
fn angles(text: &str) -> impl Iterator<Item = (usize, usize)> {
    ANGLE
        .find_iter(text)
        .filter(|found| is_angle(text, found.start(), found.end()))
        .map(|found| (found.start(), found.end()))
}

fn is_angle(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    let twofold = before.is_some_and(|c| matches!(c, '<' | '&') || c.is_ascii_digit());
    let goes_on = after.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '>' | '&' | '(' | '_'));
    let to_device = text[end..].starts_with("/dev/");
    !twofold
        && !goes_on
        && !to_device
        && !markdown::is_tag(&text[start..end])
        && !is_ordinary(&text[start + 1..end - 1])
}

/// Whether words in angle brackets are what a program writes, or a section of a configuration file.
fn is_ordinary(inner: &str) -> bool {
    let first = inner.split(' ').next().unwrap_or(inner);
    ANGLE_WORDS.contains(&inner.to_lowercase().as_str())
        || (SECTIONS.contains(&first) && (inner.contains(' ') || first.starts_with(char::is_uppercase)))
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

/// Where the lexicon finds placeholders in a command.
fn lexicon(text: &str, assigned: &[String]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = angles(text).collect();
    let Some(shell) = Shell::parse(text) else {
        found.extend(strong(text));
        return found;
    };
    found.extend(strong(text));
    found.extend(unset_variables(&shell, assigned));
    for call in calls(&shell).0 {
        words_of_call(shell.text(), &call, &mut found);
    }
    found
}

/// What is a placeholder wherever it stands, in prose as well.
fn strong(text: &str) -> impl Iterator<Item = (usize, usize)> {
    [&*HOST, &*PATH, &*YOUR]
        .into_iter()
        .flat_map(|pattern| pattern.find_iter(text))
        .map(|found| (found.start(), found.end()))
        .filter(|(start, end)| stands_alone(text, *start, *end))
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let before = text[..start].chars().next_back();
    let first = text[start..].chars().next();
    !(joins(before) || before == Some('$') || joins(text[end..].chars().next()))
        || (first == Some('/') && !joins(text[end..].chars().next()) && !before.is_some_and(char::is_alphanumeric))
}

/// Variables that nobody sets: to the shell they are empty, and `rm -rf $DIR/` is something else then.
fn unset_variables(shell: &Shell<'_>, assigned: &[String]) -> Vec<(usize, usize)> {
    let text = shell.text();
    VARIABLE
        .find_iter(text)
        .filter(|found| {
            let name = variable_name(found.as_str()).unwrap_or_default();
            let known = KNOWN_VARIABLES.contains(&name) || assigned.iter().any(|assigned| assigned == name);
            !known && is_expansion(shell, found.start())
        })
        .map(|found| (found.start(), found.end()))
        .collect()
}

/// Whether the `$` at a place is one to the shell: not quoted, not in a comment.
pub(crate) fn is_expansion(shell: &Shell<'_>, at: usize) -> bool {
    let path = shell.path(at);
    let quoted = path.iter().any(|node| matches!(node.kind(), "raw_string" | "comment" | "ansi_c_string"));
    !quoted && path.iter().any(|node| matches!(node.kind(), "simple_expansion" | "expansion"))
}

fn words_of_call(text: &str, call: &Call, found: &mut Vec<(usize, usize)>) {
    let program = call.words.first().map_or("", |word| base(&word.text));
    let pattern = PATTERN_PROGRAMS
        .contains(&program)
        .then(|| call.words.iter().skip(1).position(|word| !word.text.starts_with('-')).map(|at| at + 1))
        .flatten();
    let capitals = !call.words.iter().take(8).any(|word| CAPITAL_PROGRAMS.contains(&base(&word.text)));
    for (index, word) in call.words.iter().enumerate().skip(1) {
        if word.quoted {
            continue;
        }
        let raw = &text[word.start..word.end];
        let option = call.words[index - 1].text.as_str();
        let of_environment = matches!(option, "-e" | "--env") || (program == "env" && option == "-u");
        if capitals && !of_environment && CAPITALS.is_match(raw) && is_lone(raw, option) {
            found.push((word.start, word.end));
        }
        if pattern != Some(index) && (!raw.starts_with('-') || raw.contains('=')) {
            weak(raw, word.start, found);
        }
    }
}

fn is_lone(raw: &str, option: &str) -> bool {
    let signal = raw.starts_with("SIG") || matches!(option, "-s" | "--signal" | "-X" | "--request");
    raw.len() > 2 && !signal && !CAPITAL_WORDS.contains(&raw)
}

/// Words that are placeholders only as arguments.
fn weak(raw: &str, start: usize, found: &mut Vec<(usize, usize)>) {
    for (pattern, lone) in [(&*VERSION, false), (&*NAME, false), (&*LONE, true)] {
        for word in pattern.find_iter(raw) {
            let before = raw[..word.start()].chars().next_back();
            let after = raw[word.end()..].chars().next();
            let begins = before.is_none_or(|c| matches!(c, ':' | '/' | '@' | '=' | ','));
            let ends = after.is_none_or(|c| matches!(c, ':' | '/' | '@' | ',' | '.'));
            let path_like = matches!(after, Some('.')) && !lone;
            let named = raw.starts_with('-') && before.is_none();
            // `domain` alone may be a subcommand; as a part of a path it stands for one.
            let alone = word.as_str() == "domain" && (before != Some('/') || after != Some('/'));
            let setting = SETTINGS.contains(&word.as_str());
            if begins && ends && !path_like && !named && !alone && !setting {
                found.push((start + word.start(), start + word.end()));
            }
        }
    }
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
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
