//! What verbs say that no rule knows: a subcommand, the name of a script, the last part of an address.
//!
//! Only whole words count, and only where a verb can stand: no message, no host, no file.

use domain::Risk::{self, Changes, Destroys, Disrupts};

use super::Verdict;
use super::args::{base, canonical};
use super::words::destructive;
use crate::shell::Word;

/// Verbs after which something is lost, beside the words that speak of it anywhere.
const LOSES: &str = "clean cleanup clear rollback downgrade undo fresh decommission invalidate deletion loss undeploy";
/// Verbs after which something goes away for a while.
const GOES: &str = "stop restart reload reboot shutdown down disable suspend failover switchover drain seal kick \
    maintenance power poweroff";
/// Verbs that change something, where a rule would say that the program only looks.
const CHANGES: &str =
    "fix repair set unset write apply start enable edit restore import create add rm del init install update redo";

/// Programs that build again what `clean` removes.
const BUILDERS: [&str; 10] = ["make", "mvn", "mvnw", "gradle", "gradlew", "cargo", "go", "npm", "pnpm", "yarn"];

/// Endings of scripts, whose names are verbs.
const SCRIPTS: [&str; 6] = ["sh", "bash", "py", "rb", "pl", "php"];

/// The words in a name: `safeRestart`, `kafka-server-stop`, `migrate:fresh`.
pub(super) fn pieces(name: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        if !letter.is_ascii_alphabetic() || letter.is_ascii_uppercase() && before.is_ascii_lowercase() {
            found.push(String::new());
        }
        if let Some(last) = found.last_mut().filter(|_| letter.is_ascii_alphabetic()) {
            last.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    found.retain(|piece| !piece.is_empty());
    found
}

/// The class of a verb and the piece of it that says so.
fn class(name: &str) -> Option<(Risk, String)> {
    let among = |verbs: &str, piece: &String| verbs.split_whitespace().any(|verb| verb == piece);
    let found = pieces(name);
    let lost = found.iter().find(|piece| among(LOSES, piece) || destructive(piece).as_ref() == Some(*piece));
    let gone = || found.iter().find(|piece| among(GOES, piece)).map(|piece| (Disrupts, piece.clone()));
    lost.map(|piece| (Destroys, piece.clone())).or_else(gone)
}

/// Whether a word can be a verb: small letters, and what ties them together.
fn is_bare(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_:".contains(&byte))
}

/// The name of a script without its ending.
fn script_name(word: &str) -> Option<&str> {
    let (stem, ending) = base(word).rsplit_once('.')?;
    (SCRIPTS.contains(&ending) && !word.contains(' ')).then_some(stem)
}

/// What a word of an unknown program names, when it can be a verb.
fn named(word: &str) -> Option<&str> {
    if let Some(option) = word.strip_prefix("--") {
        let name = option.split('=').next().unwrap_or_default();
        return Some(name).filter(|name| name.ends_with("-loss"));
    }
    script_name(word).or_else(|| is_bare(word).then_some(word))
}

fn verdict(risk: Risk, rule: String, verb: &str) -> Verdict {
    let reason = match risk {
        Destroys => format!("no rule knows what this does, and “{verb}” speaks of losing something"),
        _ => format!("no rule knows what this does, and “{verb}” speaks of something that goes away for a while"),
    };
    Verdict::new(risk, rule, reason)
}

/// What the verbs of a program say that no rule knows, its own name among them.
pub(super) fn of_unknown(words: &[Word]) -> Option<Verdict> {
    let shown = words.first().map(|word| base(&word.text))?;
    let own = script_name(shown).unwrap_or(shown);
    let built = |word: &&str| *word == "clean" && BUILDERS.contains(&canonical(shown));
    let rest = words[1..].iter().filter_map(|word| named(&word.text)).filter(|word| !built(word));
    let found = std::iter::once(own).chain(rest).filter_map(class);
    found.map(|(risk, verb)| verdict(risk, format!("{shown} … {verb}"), &verb)).reduce(Verdict::or_worse)
}

/// What a line says that a program is fed, by its first word.
pub(super) fn of_line(shown: &str, line: &str) -> Option<Verdict> {
    let (risk, verb) = class(line.split_whitespace().next()?)?;
    Some(verdict(risk, format!("{shown} … {verb}"), &verb))
}

/// Subcommands behind which any word may stand: what is looked for, asked about, waited for or planned.
const FREE: &str = "grep search find help explain diff can-i wait plan";
/// Programs whose words behind the subcommand are values of options.
const ONLY_OPTIONS: [&str; 1] = ["aws"];

/// A further verb, or an option that writes, behind words that only look: `npm audit fix`, `borg check --repair`.
pub(super) fn further(rule: &str, looks: &[String], further: &[String], options: &[String]) -> Option<Verdict> {
    let program = rule.split(' ').next().unwrap_or(rule);
    if ONLY_OPTIONS.contains(&program) || looks.iter().any(|word| FREE.split(' ').any(|free| free == word)) {
        return None;
    }
    let bare = further.iter().map(String::as_str).filter(|word| is_bare(word));
    let long = options.iter().filter_map(|option| option.strip_prefix("--")).filter(|option| is_bare(option));
    bare.chain(long).filter_map(|word| acts(rule, word)).reduce(Verdict::or_worse)
}

fn acts(rule: &str, word: &str) -> Option<Verdict> {
    let changes = || CHANGES.split(' ').any(|verb| verb == word).then_some(Changes);
    let whole = class(word).filter(|(_, piece)| piece == word).map(|(risk, _)| risk);
    let risk = whole.or_else(changes)?;
    Some(Verdict::new(risk, format!("{rule} … {word}"), format!("“{word}” behind it does more than look")))
}

/// Words of an address that are verbs of a server only.
const OF_SERVERS: &[(&str, Risk)] = &[("close", Disrupts), ("quitquitquit", Disrupts), ("unload", Destroys)];

/// The class of a verb in an address.
fn in_address(name: &str) -> Option<(Risk, String)> {
    let found = pieces(name);
    let own = OF_SERVERS.iter().find(|(verb, _)| found.iter().any(|piece| piece == verb));
    own.map(|(verb, risk)| (*risk, (*verb).to_owned())).or_else(|| class(name))
}

/// Names in the query of an address behind which a verb stands.
const ASKS: [&str; 7] = ["stream.body", "action", "cmd", "command", "op", "operation", "do"];

/// What an address tells a server to do, by the last part of its path and by its query.
pub(super) fn of_address(shown: &str, address: &str) -> Option<Verdict> {
    let (before, query) = address.split_once('?').unwrap_or((address, ""));
    let path = before.split_once("://").map_or(before, |(_, rest)| rest);
    let last = path.split_once('/').and_then(|(_, path)| path.trim_end_matches('/').rsplit('/').next());
    // Behind a dot stands the ending of a file.
    let last = last.filter(|last| !last.contains('.')).unwrap_or_default();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let asked = pairs.filter_map(|(name, value)| asked(name, value));
    let started = (last == "build" && query.contains("token=")).then(|| (Disrupts, last.to_owned()));
    let found = in_address(last).into_iter().chain(started).chain(asked);
    found.map(|(risk, verb)| of_server(shown, risk, &verb)).reduce(Verdict::or_worse)
}

/// A pair of a query: the name of what is done, or its value where the name asks for one.
fn asked(name: &str, value: &str) -> Option<(Risk, String)> {
    let off = matches!(value, "false" | "0" | "no");
    let by_name = || class(name).filter(|(_, verb)| !off && name.starts_with(verb.as_str()));
    let by_value = || in_address(&value.replace("%3C", "<")).filter(|_| ASKS.contains(&name));
    by_value().or_else(by_name)
}

fn of_server(shown: &str, risk: Risk, verb: &str) -> Verdict {
    Verdict::new(risk, format!("{shown} … {verb}"), format!("tells the server something that speaks of “{verb}”"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_falls_into_its_words() {
        assert_eq!(pieces("safeRestart"), ["safe", "restart"]);
        assert_eq!(pieces("kafka-server-stop"), ["kafka", "server", "stop"]);
        assert_eq!(pieces("migrate:fresh"), ["migrate", "fresh"]);
        assert!(pieces("_42").is_empty());
    }

    #[test]
    fn a_verb_counts_where_one_can_stand() {
        let of = |text: &str| of_unknown(&text.split(' ').map(Word::plain).collect::<Vec<_>>()).map(|found| found.risk);

        assert_eq!(of("myctl restart api"), Some(Disrupts));
        assert_eq!(of("./stop-all.sh"), Some(Disrupts));
        assert_eq!(of("myctl show restart.log down.example.com /srv/stop"), None);
        assert_eq!(of("myctl upright stopgap"), None);
    }
}
