//! What a value that a person gives may turn a command into: an option where the program reads one, or its subcommand.
//!
//! The value's bytes arrive as they are, and never as code (`crate::bind`). But a program that is given `-delete` reads an option.
//! So the words that such a value begins carry a mark while the command is classed, and each program is taken for the
//! worst that its options could make of it.

use domain::Risk::{self, Changes, Destroys};
use domain::runbook::ParameterKind;
use regex_syntax::hir::{Hir, HirKind};

use super::args::{Args, takes_next, values};
use super::options::{Does, of_program};
use super::{BY_PROGRAM, Rule, Verdict, classify, words, wrappers};
use crate::placeholder::occurrences;
use crate::shell::Word;

/// What a value can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Freedom {
    /// Anything: it may begin with a dash.
    Any,
    /// Anything that begins with no dash.
    NoOption,
    /// One of these.
    OneOf(Vec<String>),
    /// Nothing that a person gives.
    Fixed,
}

impl Freedom {
    /// What a parameter's kind lets through.
    pub(crate) fn of(kind: &ParameterKind) -> Self {
        match kind {
            ParameterKind::Text { pattern: Some(pattern) } => match regex_syntax::parse(pattern) {
                Ok(pattern) if !begins(&pattern).dash => Self::NoOption,
                _ => Self::Any,
            },
            ParameterKind::Text { pattern: None } => Self::Any,
            ParameterKind::Number { min, .. } if min.is_none_or(|min| min < 0) => Self::Any,
            ParameterKind::Choice { choices } => Self::OneOf(choices.clone()),
            ParameterKind::Secret => Self::Fixed,
            // The portal takes no value of these that begins with a dash.
            ParameterKind::Number { .. }
            | ParameterKind::Path { .. }
            | ParameterKind::BackupFile { .. }
            | ParameterKind::ComposeService { .. }
            | ParameterKind::Container
            | ParameterKind::Image
            | ParameterKind::GitRevision => Self::NoOption,
        }
    }
}

/// How the texts that a pattern matches can begin.
#[derive(Clone, Copy)]
struct Begins {
    dash: bool,
    empty: bool,
}

fn begins(pattern: &Hir) -> Begins {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Begins { dash: false, empty: true },
        HirKind::Literal(literal) => Begins { dash: literal.0.first() == Some(&b'-'), empty: false },
        HirKind::Class(class) => {
            let dash = match class {
                regex_syntax::hir::Class::Unicode(class) => {
                    class.iter().any(|range| range.start() <= '-' && '-' <= range.end())
                }
                regex_syntax::hir::Class::Bytes(class) => {
                    class.iter().any(|range| range.start() <= b'-' && b'-' <= range.end())
                }
            };
            Begins { dash, empty: false }
        }
        HirKind::Repetition(repeated) => {
            let inner = begins(&repeated.sub);
            Begins { empty: repeated.min == 0 || inner.empty, ..inner }
        }
        HirKind::Capture(capture) => begins(&capture.sub),
        HirKind::Concat(parts) => {
            let mut all = Begins { dash: false, empty: true };
            for part in parts {
                let part = begins(part);
                all = Begins { dash: all.dash || part.dash, empty: part.empty };
                if !part.empty {
                    break;
                }
            }
            all
        }
        HirKind::Alternation(parts) => {
            parts.iter().map(begins).fold(Begins { dash: false, empty: false }, |all, part| Begins {
                dash: all.dash || part.dash,
                empty: all.empty || part.empty,
            })
        }
    }
}

/// The mark of a word that may begin with a dash.
const OPTION: char = '\u{F0010}';
/// The mark of a word that is a value, but no option.
const VALUE: char = '\u{F0011}';
/// So many choices are looked at one by one.
const MOST_CHOICES: usize = 64;

/// Classes a command with values in it: `values` are the words of each placeholder with what may stand for them.
pub(crate) fn classify_with(text: &str, values: &[(&str, Freedom)]) -> Verdict {
    let mut texts = vec![text.to_owned()];
    for (placeholder, freedom) in values {
        texts = texts.iter().flat_map(|text| with_value(text, placeholder, freedom)).collect();
        texts.truncate(MOST_CHOICES * 4);
    }
    let verdicts = texts.iter().map(|text| {
        let Verdict { risk, rule, reason } = classify(text);
        Verdict { risk, rule: rule.replace([OPTION, VALUE], ""), reason: reason.replace([OPTION, VALUE], "") }
    });
    verdicts.fold(classify(text), Verdict::or_worse)
}

/// The texts that a command is with a value in the place of a placeholder.
fn with_value(text: &str, placeholder: &str, freedom: &Freedom) -> Vec<String> {
    let replaced = |value: &str| {
        let mut text = text.to_owned();
        for (start, end) in occurrences(&text.clone(), placeholder).into_iter().rev() {
            text.replace_range(start..end, value);
        }
        text
    };
    let marked = |mark: char| vec![replaced(&format!("{mark}{}", placeholder.trim_matches(['$', '{', '}', '<', '>'])))];
    match freedom {
        Freedom::NoOption => marked(VALUE),
        // What stands in a choice is the document's own text; a word of it is judged where it is one.
        Freedom::OneOf(choices) if choices.len() <= MOST_CHOICES && choices.iter().all(|choice| is_word(choice)) => {
            choices.iter().map(|choice| replaced(choice)).collect()
        }
        Freedom::Any | Freedom::OneOf(_) => marked(OPTION),
        Freedom::Fixed => vec![text.to_owned()],
    }
}

fn is_word(choice: &str) -> bool {
    !choice.is_empty()
        && choice.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | '@' | '+'))
}

/// A word that any input of a program may be, as xargs puts it in.
pub(super) fn given_word() -> Word {
    Word::plain(&OPTION.to_string())
}

/// What a value makes of a program at worst; `None` when none of its words is one.
pub(super) fn judge(args: &Args, words: &[Word]) -> Option<Verdict> {
    let free = |word: &Word| word.text.starts_with(OPTION);
    // What only a variable holds is the document's own, but it is not in the text.
    let open = |word: &Word| word.expands && is_whole(&word.text);
    if !words.iter().any(|word| word.text.starts_with([OPTION, VALUE]) || open(word)) {
        return None;
    }
    let reaches = reaching(args, words);
    let chooses = args.positional.iter().take(2).position(|word| word.starts_with([OPTION, VALUE]));
    let by_choice = chooses.and_then(|at| worst_subcommand(args, at));
    let by_option = reaches.iter().copied().find(|word| free(word)).and_then(|word| worst_option(args, word));
    let by_variable = reaches.iter().copied().find(|word| open(word)).and_then(|word| {
        let worst = worst_option(args, word)?;
        Some(Verdict { risk: worst.risk.min(Changes), ..worst })
    });
    [by_choice, by_option, by_variable].into_iter().flatten().reduce(Verdict::or_worse)
}

/// Whether a word is a variable or a substitution and nothing else.
fn is_whole(text: &str) -> bool {
    let name = text.strip_prefix('$').map(|inner| inner.trim_start_matches('{').trim_end_matches('}'));
    let variable =
        name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_@*".contains(&byte)));
    variable || text.starts_with("$(") && text.ends_with(')') || text.starts_with('`') && text.ends_with('`')
}

/// The words in whose place the program itself reads an option. Of a wrapper these are the words before the program that it starts.
fn reaching<'w>(args: &Args, words: &'w [Word]) -> Vec<&'w Word> {
    let with_value = values(&args.program);
    let own = match args.program.as_str() {
        "ssh" => 1,
        // `docker compose` has a word more than `docker-compose`.
        "docker" | "compose" | "kubectl" if matches!(args.word(0), "exec" | "run") => {
            2 + usize::from(args.shown.ends_with(" compose"))
        }
        // It reads options before its first word only.
        "redis-cli" => 0,
        program if wrappers::is_plain(program) || wrappers::runs_scripts(program) => 0,
        _ => usize::MAX,
    };
    let mut found = Vec::new();
    let mut positional = 0;
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        if positional > own || word.text == "--" && args.program != "find" {
            break;
        }
        if word.text.starts_with('-') {
            if takes_next(&word.text, with_value) {
                rest.next();
            }
            continue;
        }
        found.push(word);
        positional += 1;
    }
    found.truncate(own.max(1));
    found
}

/// The worst that a program's subcommands can do, of which the word at a place is a value.
fn worst_subcommand(args: &Args, at: usize) -> Option<Verdict> {
    let rules = BY_PROGRAM.get(args.program.as_str())?.iter();
    let worst = rules.filter(|(_, subcommand, ..)| {
        let mut before = subcommand.split_whitespace().zip(&args.positional).take(at);
        let fits = |(wanted, word): (&str, &String)| wanted.split('|').any(|wanted| words::matches(wanted, word));
        subcommand.split_whitespace().nth(at).is_some_and(|wanted| wanted != "-") && before.all(fits)
    });
    let (_, subcommand, _, risk, reason) = worst.max_by_key(|(.., risk, _)| *risk)?;
    let first = subcommand.split_whitespace().nth(at)?.split('|').next().unwrap_or_default();
    Some(Verdict::new(
        *risk,
        format!("{} with a value", args.shown),
        format!("a value chooses what {} does, and it may be {first}: {reason}", args.shown),
    ))
}

/// The worst that an option could make of a program; `None` when it has none that does more than look.
fn worst_option(args: &Args, word: &Word) -> Option<Verdict> {
    let by_table = BY_PROGRAM.get(args.program.as_str()).into_iter().flatten().filter_map(|rule| positive(rule, args));
    let by_option = of_program(args).map(|(_, _, names, does, _)| match does {
        Does::Is(risk) => (*risk, first_of(names)),
        _ => (Destroys, first_of(names)),
    });
    let special =
        SPECIAL.iter().filter(|(program, ..)| *program == args.program).map(|(_, option, risk)| (*risk, *option));
    let worst = by_table.chain(by_option).chain(special).max_by_key(|(risk, _)| *risk);
    let shown = word.text.trim_start_matches(OPTION);
    let shown = if shown.is_empty() { "a word of its input" } else { shown };
    match worst.filter(|(risk, _)| *risk > Risk::Reads) {
        Some((risk, option)) => Some(Verdict::new(
            risk,
            format!("{} {option}, by a value", args.shown),
            format!("“{shown}” may begin with a dash, and {} would read it as an option such as {option}", args.shown),
        )),
        None if only_looks(args) => None,
        None => Some(Verdict::new(
            Changes,
            format!("{} with a value", args.shown),
            format!(
                "“{shown}” may begin with a dash, and {} would read it as an option that no rule knows",
                args.shown
            ),
        )),
    }
}

/// Options that a closer look knows and no line of a table has.
const SPECIAL: &[(&str, &str, Risk)] = &[
    ("find", "-delete", Destroys),
    ("fd", "--exec", Destroys),
    ("ssh", "-oProxyCommand", Destroys),
    ("sed", "-i", Changes),
    ("awk", "-f", Changes),
    ("psql", "-c", Destroys),
    ("mysql", "-e", Destroys),
    ("curl", "-o", Destroys),
    ("tar", "--to-command", Destroys),
];

fn first_of(names: &'static str) -> &'static str {
    names.split('|').next().unwrap_or(names)
}

/// The class and the option of a line whose option could be the value.
fn positive(rule: &'static Rule, args: &Args) -> Option<(Risk, &'static str)> {
    let (_, subcommand, options, risk, _) = rule;
    let fits = subcommand.split_whitespace().filter(|wanted| *wanted != "-").enumerate().all(|(index, wanted)| {
        args.positional.get(index).is_none_or(|word| wanted.split('|').any(|wanted| words::matches(wanted, word)))
    });
    let option = options.split_whitespace().find(|option| !option.starts_with('!'))?;
    fits.then(|| (*risk, first_of(option)))
}

/// Programs, and `program subcommand`, none of whose options does more than look.
const ONLY_LOOKS: &[&str] = &[
    "ls",
    "ll",
    "cat",
    "tac",
    "nl",
    "head",
    "tail",
    "wc",
    "cut",
    "tr",
    "grep",
    "egrep",
    "fgrep",
    "zgrep",
    "zcat",
    "rev",
    "cmp",
    "comm",
    "join",
    "paste",
    "fold",
    "fmt",
    "expand",
    "unexpand",
    "column",
    "base64",
    "base32",
    "md5sum",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "cksum",
    "sum",
    "od",
    "hexdump",
    "strings",
    "stat",
    "df",
    "du",
    "basename",
    "dirname",
    "realpath",
    "readlink",
    "pwd",
    "which",
    "whereis",
    "type",
    "seq",
    "sleep",
    "echo",
    "printf",
    "test",
    "[",
    "true",
    "false",
    ":",
    "cd",
    "id",
    "groups",
    "who",
    "w",
    "whoami",
    "users",
    "last",
    "lastlog",
    "uptime",
    "free",
    "ps",
    "pgrep",
    "pidof",
    "pstree",
    "nproc",
    "uname",
    "getent",
    "locale",
    "printenv",
    "diff",
    "jq",
    "ping",
    "ping6",
    "traceroute",
    "tracepath",
    "nslookup",
    "host",
    "dig",
    "whois",
    "netstat",
    "arping",
    "lsblk",
    "blkid",
    "findmnt",
    "lsof",
    "vmstat",
    "iostat",
    "mpstat",
    "env",
    "sudo",
    "timeout",
    "nice",
    "nohup",
    "stdbuf",
    "date",
    "git status",
    "git ls-files",
    "git rev-parse",
    "git describe",
    "docker ps",
    "docker logs",
    "docker inspect",
    "docker images",
    "docker stats",
    "docker top",
    "docker port",
    "docker diff",
    "docker history",
    "docker version",
    "docker info",
    "docker container",
    "docker image",
    "docker volume",
    "docker network",
    "compose ps",
    "compose ls",
    "compose logs",
    "compose top",
    "compose images",
    "compose port",
    "compose events",
    "compose stats",
    "compose volumes",
    "compose version",
    "kubectl get",
    "kubectl describe",
    "kubectl logs",
    "kubectl top",
    "kubectl explain",
    "kubectl wait",
    "kubectl events",
    "kubectl rollout",
    "kubectl version",
    "helm list",
    "helm status",
    "helm get",
    "helm history",
    "helm show",
    "systemctl status",
    "systemctl is-active",
    "systemctl is-enabled",
    "systemctl is-failed",
    "systemctl show",
    "systemctl cat",
    "systemctl list-units",
    "systemctl list-timers",
];

fn only_looks(args: &Args) -> bool {
    let whole = format!("{} {}", args.program, args.word(0));
    ONLY_LOOKS.contains(&args.program.as_str()) || ONLY_LOOKS.contains(&whole.as_str())
}
