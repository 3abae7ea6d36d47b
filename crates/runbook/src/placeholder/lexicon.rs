//! The fixed lexicon: what looks like a placeholder although no side file names it.

use std::sync::LazyLock;

use regex::Regex;

use super::angles::angles;
use super::variable_name;
use crate::shell::{Call, Shell, calls};

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
/// Variables that every shell has, or that Bash sets by itself (its manual, "Bash Variables").
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
    "BASH",
    "BASHOPTS",
    "BASHPID",
    "BASH_ALIASES",
    "BASH_ARGC",
    "BASH_ARGV",
    "BASH_ARGV0",
    "BASH_CMDS",
    "BASH_COMMAND",
    "BASH_EXECUTION_STRING",
    "BASH_LINENO",
    "BASH_LOADABLES_PATH",
    "BASH_REMATCH",
    "BASH_SOURCE",
    "BASH_SUBSHELL",
    "BASH_VERSINFO",
    "BASH_VERSION",
    "COMP_WORDBREAKS",
    "COPROC",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "HOSTTYPE",
    "MACHTYPE",
    "MAPFILE",
    "OPTERR",
    "PS4",
    "SHELLOPTS",
    "SRANDOM",
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

/// Where the lexicon finds placeholders in a command.
pub(super) fn lexicon(text: &str, assigned: &[String]) -> Vec<(usize, usize)> {
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
pub(super) fn strong(text: &str) -> impl Iterator<Item = (usize, usize)> {
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_bash_sets_by_itself_stands_for_no_value() {
        let mut bash = Command::new("bash");
        let listed = bash.args(["--norc", "--noprofile", "-c", "compgen -v"]).env_clear().output().unwrap();
        let names = String::from_utf8(listed.stdout).unwrap();
        assert!(names.lines().count() > 30, "bash lists its variables: {names}");

        let names = names.lines().filter(|name| *name != "_");
        let script = names.map(|name| format!("echo \"${name}\"")).collect::<Vec<_>>().join("\n");
        let shell = Shell::parse(&script).unwrap();
        let found: Vec<&str> = unset_variables(&shell, &[]).into_iter().map(|(from, to)| &script[from..to]).collect();
        assert_eq!(found, Vec::<&str>::new());
        assert_eq!(unset_variables(&Shell::parse("echo \"$EPOCH\"").unwrap(), &[]), [(6, 12)]);
    }
}
