//! What a command can do at worst, by fixed rules over the syntax tree.
//!
//! The rules are data: tables of program, subcommand, options, class and a sentence, one file per family. A wrapper
//! (`sudo`, `xargs`, `ssh host`, `compose exec`, `$( )`, a loop) has the class of what it wraps. What no rule knows is
//! *changes*, never *reads*; unknown words that speak of losing something are *destroys*, unknown verbs that speak of
//! stopping something *disrupts*. A line that says *reads* ends at a further verb and at an option that writes.

mod args;
mod code_words;
mod containers;
mod custom;
mod data;
mod deploy;
mod fed;
mod files;
mod free;
mod network;
mod options;
mod services;
mod sql;
mod steering;
mod verbs;
mod words;
mod wrappers;

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::Risk;

use crate::shell::{Call, Constants, Input, Redirect, Shell, Word, calls_fed, evaluated};
use args::Args;
pub(crate) use code_words::{code_words, reads_code};
pub(crate) use free::{Freedom, classify_with};
pub(crate) use wrappers::{code_inside, innermost, is_interactive, is_tunnel, subcommand, unwrapped};

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
/// without options begin; `-` stands for no word at all. Options are separated by blanks and all must hold: `-a|--all` one of them is there,
/// `!--dry-run` it is not there.
pub(crate) type Rule = (&'static str, &'static str, &'static str, Risk, &'static str);

/// Wrappers in wrappers are followed this far.
const DEEPEST: usize = 8;

/// Where words stand: how deep inside other commands, and what feeds them.
#[derive(Clone, Copy)]
struct Within<'i> {
    depth: usize,
    input: &'i Input,
}

impl Within<'_> {
    /// Inside a wrapper, which hands its input on.
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// Classes a command of a block.
pub fn classify(text: &str) -> Verdict {
    script(text, Within { depth: 0, input: &Input::Nothing })
}

/// Classes shell text, wherever it was found.
fn script(text: &str, within: Within<'_>) -> Verdict {
    if within.depth > DEEPEST {
        return Verdict::new(Risk::Destroys, "too deep", "commands inside commands, deeper than the rules follow");
    }
    match Shell::parse(text) {
        Some(shell) => understood(&shell, within),
        None => not_understood(text),
    }
}

/// Text that cannot be parsed: the worst of what its words would start, and at least *changes*.
fn not_understood(text: &str) -> Verdict {
    if let Some(word) = words::destructive(text) {
        return Verdict::new(
            Risk::Destroys,
            format!("not understood, with “{word}”"),
            "shell text that cannot be parsed and speaks of losing something",
        );
    }
    let own =
        Verdict::new(Risk::Changes, "not understood", "shell text that cannot be parsed counts as changing something");
    let written = text.split('>').skip(1).filter_map(|rest| {
        let file = rest.trim_start_matches(['>', '|', '&', ' ']).split([' ', '\n', ';', ')']).next()?;
        files::over(&format!("> {file}"), file.trim_matches(['"', '\'']))
    });
    written.chain(loosely(text)).fold(own, Verdict::or_worse)
}

/// So many pieces of text that is no shell text are looked at.
const PIECES: usize = 2_000;

/// The worst of what the words of any text would start, as if a program began at each of them.
fn loosely(text: &str) -> Option<Verdict> {
    let within = Within { depth: LATER.1, input: &Input::Nothing };
    let pieces = text.split(['\n', ';', '|', '&', '(', ')', '`', '{', '}', ',', '=', '"', '\'', '!']).take(PIECES);
    pieces
        .filter_map(|piece| {
            let words: Vec<Word> = piece.split_whitespace().map(Word::plain).collect();
            let begins = (0..words.len()).take(LATER.0).filter_map(|at| by_rule(&words[at..], within));
            begins.reduce(Verdict::or_worse)
        })
        .reduce(Verdict::or_worse)
}

fn understood(shell: &Shell<'_>, within: Within<'_>) -> Verdict {
    let (calls, redirects) = calls_fed(shell, within.input);
    let constants = Constants::of(shell);
    let nothing = Verdict::new(Risk::Reads, "no program", "starts no program");
    let of_calls = calls.iter().flat_map(|Call { words, input }| {
        let within = Within { depth: within.depth, input };
        constants.forms(words).into_iter().map(move |words| of_words(&words, within))
    });
    let of_redirects = redirects.iter().filter_map(redirect);
    let of_variables = steering::judge(shell, within);
    let of_evaluated = evaluated(shell).into_iter().filter_map(|text| substitutions(&text, within)).collect::<Vec<_>>();
    let all = of_calls.chain(of_redirects).chain(of_variables).chain(of_evaluated);
    all.reduce(Verdict::or_worse).unwrap_or(nothing)
}

/// What the substitutions in a text start that the shell evaluates although it is quoted.
fn substitutions(text: &str, within: Within<'_>) -> Option<Verdict> {
    let puts_in = text.contains("$(") || text.contains('`');
    puts_in.then(|| script(&format!(": \"{}\"", text.replace('"', "")), within.deeper()))
}

/// Classes words: a wrapper by what it wraps, a program by its rules.
fn of_words(words: &[Word], within: Within<'_>) -> Verdict {
    let Some(first) = words.first() else {
        return Verdict::new(Risk::Reads, "no program", "starts no program");
    };
    if within.depth > DEEPEST {
        return Verdict::new(Risk::Destroys, "too deep", "commands inside commands, deeper than the rules follow");
    }
    if first.is_open() && !matches!(first.text.as_str(), "[" | "[[") {
        return named_later(words, within);
    }
    if let Some(verdict) = by_rule(words, within) {
        return verdict;
    }
    let reason = "no rule knows what this does, so it counts as changing something";
    or_what_it_starts(words, within, unknown(words, within, reason))
}

/// A program whose name is only known when it runs. The last part of its path may stand in the text.
fn named_later(words: &[Word], within: Within<'_>) -> Verdict {
    let first = &words[0];
    let name = first.text.rsplit_once('/').map(|(_, name)| name);
    let known = name.filter(|name| !name.is_empty() && !name.contains(['$', '`', '{', '}', '(', ')', '*', '?', '[']));
    let Some(name) = known else {
        let rule = format!("program from {}", first.text);
        return Verdict::new(Risk::Destroys, rule, "starts a program that is only known when it runs");
    };
    let own = Verdict::new(Risk::Changes, name, "starts a program from a folder that is only known when it runs");
    let plain = Word { expands: false, pattern: false, ..first.with(name) };
    let words: Vec<Word> = std::iter::once(plain).chain(words[1..].iter().cloned()).collect();
    own.or_worse(of_words(&words, within.deeper()))
}

/// The class of words whose program some rule knows.
fn by_rule(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    if words.first().is_none_or(Word::is_open) {
        return None;
    }
    let args = Args::of(words);
    let found =
        wrappers::judge(words, within).or_else(|| custom::judge(&args, words, within).or_else(|| by_table(&args)));
    let told = [options::judge(&args, words, within), free::judge(&args, words)];
    // A dry run copies nothing: only what changes something can write over a file.
    let copies = found.as_ref().filter(|found| found.risk == Risk::Changes).and_then(|_| custom::copies_over(&args));
    told.into_iter().flatten().chain(copies).fold(found, |found, told| match found {
        Some(found) => Some(found.or_worse(told)),
        None => Some(told).filter(|told| told.risk > Risk::Changes),
    })
}

/// How many words of an unknown program are looked at as if a program began there, and how deep.
const LATER: (usize, usize) = (12, 2);

/// A program that nobody knows may start one that its words name: the worst that any of them would be.
fn or_what_it_starts(words: &[Word], within: Within<'_>, own: Verdict) -> Verdict {
    let (most, deepest) = LATER;
    if within.depth > deepest {
        return own;
    }
    let later = (1..words.len()).take(most).map(|at| &words[at..]).filter(|later| !later[0].text.starts_with('-'));
    let started = later.filter_map(|later| by_rule(later, within.deeper()));
    // A word in quotes with words of its own may be shell text, as in `pdsh -w HOSTS 'rm …'`, or code of any other kind.
    let inside = words[1..].iter().filter(|word| word.text.contains([' ', '(', '=']));
    started
        .chain(inside.filter_map(|word| loosely(word.text.trim_start_matches([':', '-']))))
        .fold(own, Verdict::or_worse)
}

/// What no rule knows: *changes*, *destroys* when its words or its input speak of losing something, or what its verbs say.
fn unknown(words: &[Word], within: Within<'_>, reason: &str) -> Verdict {
    let shown = words.first().map_or("", |word| args::base(&word.text));
    let spoken = words.iter().map(|word| word.text.as_str()).chain([within.input.said()]).find_map(words::destructive);
    if let Some(word) = spoken {
        let reason = format!("no rule knows what this does, and “{word}” speaks of losing something");
        return Verdict::new(Risk::Destroys, format!("{shown} … {word}"), reason);
    }
    let own = Verdict::new(Risk::Changes, shown, reason);
    verbs::of_unknown(words).into_iter().fold(own, Verdict::or_worse)
}

const TABLES: [&[Rule]; 6] =
    [containers::RULES, deploy::RULES, services::RULES, data::RULES, files::RULES, network::RULES];

/// The lines of the tables by program, in their order.
static BY_PROGRAM: LazyLock<HashMap<&'static str, Vec<&'static Rule>>> = LazyLock::new(|| {
    let mut found: HashMap<&str, Vec<&Rule>> = HashMap::new();
    for rule in TABLES.iter().flat_map(|table| table.iter()) {
        for program in rule.0.split('|') {
            found.entry(program).or_default().push(rule);
        }
    }
    found
});

/// The first line of the tables that fits.
fn by_table(args: &Args) -> Option<Verdict> {
    BY_PROGRAM.get(args.program.as_str())?.iter().find_map(|rule| fits(rule, args))
}

/// Whether any line of the tables is about a program.
fn is_known(program: &str) -> bool {
    BY_PROGRAM.contains_key(program) || wrappers::INTERPRETERS.contains(&program)
}

fn fits(line: &Rule, args: &Args) -> Option<Verdict> {
    let (_, subcommand, options, risk, reason) = line;
    let mut rule = args.shown.clone();
    if *subcommand == "-" && !args.positional.is_empty() {
        return None;
    }
    for (index, wanted) in subcommand.split_whitespace().filter(|wanted| *wanted != "-").enumerate() {
        let word = args.positional.get(index)?;
        if !wanted.split('|').any(|wanted| words::matches(wanted, word)) {
            return None;
        }
        rule.push(' ');
        rule.push_str(word);
    }
    for wanted in options.split_whitespace() {
        if let Some(unwanted) = wanted.strip_prefix('!') {
            let there = |option: &str| args.has(option) || *risk == Risk::Reads && args.may_have(option);
            if unwanted.split('|').any(there) {
                return None;
            }
        } else {
            let present =
                wanted.split('|').find(|option| args.has(option) || *risk > Risk::Reads && args.may_have(option))?;
            rule.push(' ');
            rule.push_str(present);
        }
    }
    let acts = looks_by_verb(line).then(|| further(&rule, subcommand, args)).flatten();
    Some(acts.unwrap_or_else(|| Verdict::new(*risk, rule, *reason)))
}

/// Whether a line says by its verb alone that a program only looks.
fn looks_by_verb((_, subcommand, options, risk, _): &Rule) -> bool {
    let by_option = options.split_whitespace().any(|option| !option.starts_with('!'));
    *risk == Risk::Reads && !subcommand.is_empty() && !by_option
}

/// What stands behind the words of a line that only looks, and does more.
fn further(rule: &str, subcommand: &str, args: &Args) -> Option<Verdict> {
    let count = subcommand.split_whitespace().filter(|wanted| *wanted != "-").count();
    let (looks, further) = args.positional.split_at(count.min(args.positional.len()));
    verbs::further(rule, looks, further, &args.options)
}

/// Where output goes.
fn redirect(redirect: &Redirect) -> Option<Verdict> {
    let Redirect { operator, to, bare, beside } = redirect;
    if !operator.contains('>')
        || (operator.ends_with('&') && (to == "-" || to.bytes().all(|byte| byte.is_ascii_digit())))
    {
        return None;
    }
    if matches!(to.as_str(), "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty") || to.starts_with("/dev/fd/") {
        return None;
    }
    let rule = format!("{operator} {to}");
    if let Some(verdict) = files::device(&rule, to) {
        return Some(verdict);
    }
    Some(match operator.as_str() {
        ">>" | "&>>" => Verdict::new(Risk::Changes, rule, "adds to a file"),
        ">|" => Verdict::new(Risk::Destroys, rule, "writes over the file even where that is forbidden"),
        _ if *bare => Verdict::new(Risk::Destroys, rule, "empties the file"),
        _ if beside.iter().skip(1).any(|word| word == to) => {
            Verdict::new(Risk::Destroys, rule, "empties the file before it is read")
        }
        _ if files::is_precious(to) && !files::is_backup(to) && !files::is_export(beside, to) => {
            Verdict::new(Risk::Destroys, rule, "writes over a key, a certificate or a configuration that may be there")
        }
        _ => Verdict::new(Risk::Changes, rule, "writes a file"),
    })
}

#[cfg(test)]
mod tests;
