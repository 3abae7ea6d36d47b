//! What a command can do at worst, by fixed rules over the syntax tree.
//!
//! The rules are data: tables of program, subcommand, options, class and a sentence, one file per family. A wrapper
//! (`sudo`, `xargs`, `ssh host`, `compose exec`, `$( )`, a loop) has the class of what it wraps. What no rule knows is
//! *changes*, never *reads*; unknown words that speak of losing something are *destroys*.

mod args;
mod code_words;
mod containers;
mod custom;
mod data;
mod files;
mod network;
mod services;
mod sql;
mod words;
mod wrappers;

use domain::Risk;

use crate::shell::{Call, Redirect, Shell, Word, calls};
use args::Args;

/// A class with the rule that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The class.
    pub risk: Risk,
    /// The words that gave it, as `mongorestore --drop`.
    pub rule: String,
    /// The rule in a sentence.
    pub reason: String,
}

impl Verdict {
    fn new(risk: Risk, rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { risk, rule: rule.into(), reason: reason.into() }
    }

    /// The worse of two; the first when they are equal.
    fn or_worse(self, other: Self) -> Self {
        if other.risk > self.risk { other } else { self }
    }
}

/// One line of a table: programs, subcommand, options, class, reason.
///
/// Programs and each word of the subcommand may be alternatives (`rm|remove`); the subcommand must be how the words
/// without options begin. Options are separated by blanks and all must hold: `-a|--all` one of them is there,
/// `!--dry-run` it is not there.
pub(crate) type Rule = (&'static str, &'static str, &'static str, Risk, &'static str);

/// Wrappers in wrappers are followed this far.
const DEEPEST: usize = 8;

/// Classes a command of a block.
pub fn classify(text: &str) -> Verdict {
    script(text, 0)
}

/// Classes shell text, wherever it was found.
fn script(text: &str, depth: usize) -> Verdict {
    if depth > DEEPEST {
        return Verdict::new(Risk::Destroys, "too deep", "commands inside commands, deeper than the rules follow");
    }
    match Shell::parse(text) {
        Some(shell) => understood(&shell, depth),
        None => not_understood(text),
    }
}

fn not_understood(text: &str) -> Verdict {
    match words::destructive(text) {
        Some(word) => Verdict::new(
            Risk::Destroys,
            format!("not understood, with “{word}”"),
            "shell text that cannot be parsed and speaks of losing something",
        ),
        None => Verdict::new(
            Risk::Changes,
            "not understood",
            "shell text that cannot be parsed counts as changing something",
        ),
    }
}

fn understood(shell: &Shell<'_>, depth: usize) -> Verdict {
    let (calls, redirects) = calls(shell);
    let nothing = Verdict::new(Risk::Reads, "no program", "starts no program");
    let of_calls = calls.iter().map(|call| of_call(call, depth));
    let of_redirects = redirects.iter().filter_map(redirect);
    of_calls.chain(of_redirects).reduce(Verdict::or_worse).unwrap_or(nothing)
}

/// Classes one program with its words, whatever reads its output.
fn of_call(call: &Call, depth: usize) -> Verdict {
    let verdict = of_words(&call.words, depth);
    if call.fed && wrappers::runs_its_input(&call.words) {
        let program = wrappers::innermost_name(&call.words);
        return Verdict::new(
            Risk::Destroys,
            format!("| {program}"),
            "runs as commands whatever the program before it writes",
        );
    }
    verdict
}

/// Classes words: a wrapper by what it wraps, a program by its rules.
fn of_words(words: &[Word], depth: usize) -> Verdict {
    let Some(first) = words.first() else {
        return Verdict::new(Risk::Reads, "no program", "starts no program");
    };
    if depth > DEEPEST {
        return Verdict::new(Risk::Destroys, "too deep", "commands inside commands, deeper than the rules follow");
    }
    if first.expands {
        return unknown(&first.text, words, "the program's name is only known when it runs");
    }
    if let Some(verdict) = wrappers::judge(words, depth) {
        return verdict;
    }
    let args = Args::of(words);
    custom::judge(&args, words).or_else(|| by_table(&args)).unwrap_or_else(|| {
        unknown(&args.shown, words, "no rule knows what this does, so it counts as changing something")
    })
}

/// What no rule knows: *changes*, or *destroys* when its words speak of losing something.
fn unknown(shown: &str, words: &[Word], reason: &str) -> Verdict {
    let spoken = words.iter().find_map(|word| words::destructive(&word.text));
    match spoken {
        Some(word) => Verdict::new(
            Risk::Destroys,
            format!("{shown} … {word}"),
            format!("no rule knows what this does, and “{word}” speaks of losing something"),
        ),
        None => Verdict::new(Risk::Changes, shown, reason),
    }
}

/// The first line of the tables that fits.
fn by_table(args: &Args) -> Option<Verdict> {
    let tables = [containers::RULES, services::RULES, data::RULES, files::RULES, network::RULES];
    tables.iter().flat_map(|table| table.iter()).find_map(|rule| fits(rule, args))
}

fn fits(rule: &Rule, args: &Args) -> Option<Verdict> {
    let (programs, subcommand, options, risk, reason) = rule;
    if !programs.split('|').any(|program| program == args.program) {
        return None;
    }
    let mut rule = args.shown.clone();
    for (index, wanted) in subcommand.split_whitespace().enumerate() {
        let word = args.positional.get(index)?;
        if !wanted.split('|').any(|wanted| words::matches(wanted, word)) {
            return None;
        }
        rule.push(' ');
        rule.push_str(word);
    }
    for wanted in options.split_whitespace() {
        if let Some(unwanted) = wanted.strip_prefix('!') {
            if unwanted.split('|').any(|option| args.has(option)) {
                return None;
            }
        } else {
            let present = wanted.split('|').find(|option| args.has(option))?;
            rule.push(' ');
            rule.push_str(present);
        }
    }
    Some(Verdict::new(*risk, rule, *reason))
}

/// Where output goes.
fn redirect(redirect: &Redirect) -> Option<Verdict> {
    let Redirect { operator, to, bare } = redirect;
    if !operator.contains('>')
        || (operator.ends_with('&') && (to == "-" || to.bytes().all(|byte| byte.is_ascii_digit())))
    {
        return None;
    }
    if matches!(to.as_str(), "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty") || to.starts_with("/dev/fd/") {
        return None;
    }
    let rule = format!("{operator} {to}");
    if to.starts_with("/dev/") {
        return Some(Verdict::new(Risk::Destroys, rule, "writes over a device"));
    }
    Some(match operator.as_str() {
        ">>" | "&>>" => Verdict::new(Risk::Changes, rule, "adds to a file"),
        ">|" => Verdict::new(Risk::Destroys, rule, "writes over the file even where that is forbidden"),
        _ if *bare => Verdict::new(Risk::Destroys, rule, "empties the file"),
        _ if files::is_precious(to) && !files::is_backup(to) => {
            Verdict::new(Risk::Destroys, rule, "writes over a key, a certificate or a configuration that may be there")
        }
        _ => Verdict::new(Risk::Changes, rule, "writes a file"),
    })
}

pub(crate) use code_words::{code_words, reads_code};
pub(crate) use wrappers::{innermost, ssh_command, unwrapped};
