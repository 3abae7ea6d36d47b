//! Which words of a program another program reads as code. A value never goes there.

use super::args::{Args, base, canonical, given, values};
use super::options::{Does, of_program};
use super::wrappers::{INTERPRETERS, SHELLS, innermost, is_wrapper, ssh_command, takes_command};
use crate::shell::Word;

/// Options of database clients and interpreters behind which code stands.
const LONG: [&str; 6] = ["--command", "--execute", "--eval", "--query", "--expression", "--print"];
/// Clients that read statements from what they are fed.
const CLIENTS: [&str; 10] =
    ["psql", "mysql", "mongo", "mongosh", "sqlite3", "redis-cli", "cqlsh", "clickhouse-client", "influx", "sqlplus"];

/// The words, by index, that are read as code: by a shell, an interpreter, a database, or by the shell itself as a name.
pub(crate) fn code_words(words: &[Word]) -> Vec<usize> {
    let inner = innermost(words);
    let offset = words.len() - inner.len();
    let found = in_program(inner).into_iter().map(|index| index + offset);
    let told = told(inner).into_iter().map(|index| index + offset);
    found.chain(told).chain(shell_inside(words)).chain(split_by_env(words)).collect()
}

/// The values of options that a program starts: a pager, a hook, `ssh -o ProxyCommand=…`, `git -c alias.x=…`.
fn told(words: &[Word]) -> Vec<usize> {
    let args = Args::of(words);
    let starts = of_program(&args).filter(|(.., does, _)| matches!(does, Does::Starts | Does::Carries));
    let settings = match args.program.as_str() {
        "ssh" | "scp" | "sftp" => Some("-o"),
        "git" => Some("-c|--config-env"),
        "ansible" => Some("-a|--args"),
        _ => None,
    };
    let names = starts.map(|(_, _, names, ..)| *names).chain(settings);
    let found = names.flat_map(|names| given(words, names, values(&args.program)));
    found.filter_map(|value| words.iter().position(|word| word.start == value.start)).collect()
}

/// `env -S …` takes its word apart again.
fn split_by_env(words: &[Word]) -> Vec<usize> {
    let env = words.iter().position(|word| base(&word.text) == "env");
    env.map(|at| behind(&words[at..], &["-S", "--split-string"]).into_iter().map(|found| found + at).collect())
        .unwrap_or_default()
}

/// The words behind `-c`, `-lc`, `--command`, and those in which the code stands behind `=`.
fn commands(words: &[Word]) -> Vec<usize> {
    let found = words.iter().enumerate().filter(|(_, word)| takes_command(word) || word.text.starts_with("--command"));
    found.flat_map(|(at, _)| [at, at + 1]).collect()
}

/// Whether a program reads what it is fed, or a here-document, as code.
pub(crate) fn reads_code(words: &[Word]) -> bool {
    let name = innermost(words).first().map(|word| canonical(base(&word.text)).to_owned()).unwrap_or_default();
    super::wrappers::runs_its_input(words)
        || CLIENTS.contains(&name.as_str())
        || name == "ssh"
        || name == "at"
        || name == "crontab"
}

fn all(words: &[Word], from: usize) -> Vec<usize> {
    (from.min(words.len())..words.len()).collect()
}

fn in_program(words: &[Word]) -> Vec<usize> {
    let Some(first) = words.first() else { return Vec::new() };
    let program = canonical(base(&first.text));
    match program {
        // To a shell these words are names of variables, arithmetic, or commands for later.
        "eval" | "let" | "read" | "mapfile" | "readarray" | "getopts" | "trap" | "alias" | "unset" | "parallel"
        | "watch"
        // To make the value of a variable is text in which `$( … )` starts programs.
        | "make" => all(words, 1),
        "test" | "[" if words.iter().any(|word| word.text == "-v" || word.text == "-R") => all(words, 1),
        "printf" | "wait" => behind(words, &["-v", "-p"]),
        "ssh" => all(words, words.len() - ssh_command(words).len()),
        "source" | "." => substitutions(words),
        "su" | "runuser" | "script" | "flock" => commands(words),
        "git" if words.iter().any(|word| matches!(word.text.as_str(), "foreach" | "run")) => all(words, 2),
        "psql" => options(words, 'c'),
        "mysql" | "cqlsh" | "mongo" | "mongosh" => options(words, 'e'),
        "clickhouse-client" | "influx" => options(words, 'q'),
        "sqlite3" => all(words, 2),
        "redis-cli" => behind(words, &["eval", "EVAL"]),
        "awk" | "gawk" | "mawk" | "sed" | "jq" | "yq" | "xmlstarlet" => {
            let first = words.iter().skip(1).position(|word| !word.text.starts_with('-')).map(|at| at + 1);
            first.into_iter().chain(options(words, 'e')).collect()
        }
        _ if INTERPRETERS.contains(&program) => {
            ['c', 'e', 'E', 'r', 'p'].into_iter().flat_map(|letter| options(words, letter)).collect()
        }
        _ => Vec::new(),
    }
}

fn behind(words: &[Word], names: &[&str]) -> Vec<usize> {
    let found = words.iter().enumerate().filter(|(_, word)| names.contains(&word.text.as_str()));
    found.map(|(at, _)| at + 1).collect()
}

/// The words behind `-c`, `-tAc`, `--command`, and those in which the code is glued to the option.
fn options(words: &[Word], letter: char) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().skip(1) {
        let text = word.text.as_str();
        let name = text.split('=').next().unwrap_or(text);
        if LONG.contains(&name) {
            found.extend([at, at + 1]);
        } else if let Some(cluster) = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'))
            && let Some(place) = cluster.find(letter)
            && cluster[..place].chars().all(|c| c.is_ascii_alphabetic())
        {
            found.push(if place + letter.len_utf8() == cluster.len() { at + 1 } else { at });
        }
    }
    found
}

fn substitutions(words: &[Word]) -> Vec<usize> {
    words.iter().enumerate().filter(|(_, word)| word.text.starts_with("<(")).map(|(at, _)| at).collect()
}

/// A shell with `-c`, or fed by a substitution, wherever it stands among the words of a wrapper.
fn shell_inside(words: &[Word]) -> Vec<usize> {
    let wraps = words.first().is_some_and(|word| is_wrapper(base(&word.text)));
    let Some(at) = words.iter().position(|word| SHELLS.contains(&base(&word.text))) else {
        let later = |word: &Word| matches!(base(&word.text), "ssh" | "eval" | "su");
        return words
            .iter()
            .position(later)
            .filter(|at| wraps && *at > 0)
            .map_or_else(Vec::new, |at| all(words, at + 2));
    };
    match words[at..].iter().position(takes_command) {
        Some(option) => all(words, at + option + 1),
        None => substitutions(words),
    }
}
