//! git: what becomes of work that is not committed, and settings that are programs.

use domain::Risk::{Changes, Destroys, Reads};

use super::super::args::{Args, given, values};
use super::super::{Verdict, Within, by_table, script};
use crate::shell::Word;

/// What git does to files that are not committed.
pub(super) fn git(args: &Args, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let told = git_settings(words, within);
    let by_word = git_by_word(args, words, within);
    match (told, by_word.or_else(|| by_table(args))) {
        (Some(told), Some(own)) => Some(own.or_worse(told)),
        (told, own) => own.or(told),
    }
}

/// Settings behind `-c` that only say how something looks.
const GIT_LOOKS: &[&str] = &[
    "color.",
    "column.",
    "advice.",
    "user.",
    "log.",
    "i18n.",
    "safe.",
    "status.",
    "blame.",
    "core.quotepath",
    "core.abbrev",
    "http.",
    "gc.auto",
    "init.defaultbranch",
    "diff.renames",
    "diff.algorithm",
];
/// Settings behind `-c`, by how they begin or end, whose value is a program.
const GIT_STARTS: &[&str] = &[
    "alias.",
    "pager.",
    "core.pager",
    "core.editor",
    "core.sshcommand",
    "core.askpass",
    "core.fsmonitor",
    "diff.external",
    "sequence.editor",
    "credential.helper",
    "gpg.program",
];

/// `git -c NAME=VALUE`, and a repository that is a program (`ext::…`).
fn git_settings(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let settings = given(words, "-c|--config-env", values("git"));
    let told = settings.iter().filter_map(|word| {
        let (name, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        let name = name.to_lowercase();
        if GIT_LOOKS.iter().any(|known| name.starts_with(known)) {
            return None;
        }
        let own = Verdict::new(Changes, format!("git -c {name}"), "a setting may start a program");
        let starts = GIT_STARTS.iter().any(|known| name.starts_with(known))
            || name.ends_with("command")
            || name.ends_with("cmd");
        let code = value.trim_start_matches('!');
        if code == "cat" || !starts {
            return (code != "cat").then_some(own);
        }
        Some(own.or_worse(script(code, within.deeper())))
    });
    let transports = words.iter().filter(|word| word.text.starts_with("ext::"));
    let starts = transports.map(|word| script(&word.text["ext::".len()..], within.deeper()));
    let elsewhere = words.iter().any(|word| word.text.starts_with("--exec-path="));
    let elsewhere = elsewhere.then(|| Verdict::new(Changes, "git --exec-path", "finds its programs in another folder"));
    told.chain(starts).chain(elsewhere).reduce(Verdict::or_worse)
}

fn git_by_word(args: &Args, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let after: Vec<&str> = args.positional.iter().skip(1).map(String::as_str).collect();
    if let ("submodule" | "bisect", Some(&("foreach" | "run"))) = (args.word(0), after.first()) {
        let starts = Verdict::new(Changes, format!("git {}", args.word(0)), "starts another program");
        return Some(script(&after[1..].join(" "), within.deeper()).or_worse(starts));
    }
    match args.word(0) {
        "checkout" if args.has("-f") || args.has("--force") || args.has("-B") => None,
        "checkout" if args.has("-b") || args.has("--orphan") => {
            Some(Verdict::new(Changes, "git checkout -b", "makes a branch"))
        }
        "checkout" => {
            let dashes = words.iter().any(|word| word.text == "--");
            let path = after
                .iter()
                .any(|word| *word == "." || word.ends_with('/') || word.starts_with("./") || word.starts_with(':'));
            Some(
                if dashes
                    || path
                    || args.has("-p")
                    || args.has("--patch")
                    || args.has("--theirs")
                    || args.has("--ours")
                    || after.len() > 1
                {
                    Verdict::new(Destroys, "git checkout --", "uncommitted work in these files is lost")
                } else {
                    Verdict::new(
                        Changes,
                        "git checkout",
                        "changes the files to another commit; uncommitted work is kept or it refuses",
                    )
                },
            )
        }
        "push" if after.iter().any(|word| word.starts_with('+') || word.starts_with(':')) => {
            Some(Verdict::new(Destroys, "git push +", "history of the other repository is lost"))
        }
        "tag" | "remote" | "config" if after.is_empty() && args.options.is_empty() => {
            Some(Verdict::new(Reads, format!("git {}", args.word(0)), "only looks at the repository"))
        }
        "config" if after.len() == 1 && args.options.is_empty() => {
            Some(Verdict::new(Reads, "git config", "only looks at the repository"))
        }
        _ => None,
    }
}
