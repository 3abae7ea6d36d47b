//! How what is to be started differs from what was approved, in words for the person who has to decide again.

use std::collections::BTreeMap;

use super::request::is_acting;
use super::state::Attempt;
use crate::Digest;
use crate::approval::{Difference, FileIdentity};
use crate::attempt::Work;

/// All differences between two pieces of work; none exactly when their digests agree.
pub(super) fn differences(approved: &Work, now: &Work) -> Vec<Difference> {
    let mut found = scripts(approved, now);
    found.extend(variables(&approved.environment, &now.environment));
    found.extend(secrets(&approved.secrets, &now.secrets));
    found.extend(texts(&[
        ("the target", &approved.target, &now.target),
        ("where the target is", &approved.reach.to_string(), &now.reach.to_string()),
        ("the directory", &approved.directory, &now.directory),
        ("the shell", &approved.interpreter.join(" "), &now.interpreter.join(" ")),
        ("the carried variables", &carried(approved), &carried(now)),
        ("the masked files", &approved.mask_files.join(", "), &now.mask_files.join(", ")),
        ("the exported variables", &approved.exports.join(", "), &now.exports.join(", ")),
        ("the limits", &limits(approved), &limits(now)),
    ]));
    if found.is_empty() && approved.digest() != now.digest() {
        // A field that this function does not know by name: it still must not pass.
        found.push(difference("what the step does", &approved.digest().short(), &now.digest().short()));
    }
    found
}

/// How one piece of work differs from another, whoever runs them and in whichever run.
pub(super) fn between(before: &Work, now: &Work) -> Vec<Difference> {
    let without = |work: &Work| {
        let mut work = work.clone();
        work.environment.retain(|name, _| !is_acting(name));
        // Which attempt has left the variables is another one in each run; their names count.
        if let Some(carried) = &mut work.carried {
            (carried.step, carried.attempt, carried.digest) = (0, 0, Digest::of(b""));
        }
        work
    };
    differences(&without(before), &without(now))
}

/// The same for what goes on under an approval after an attempt: the rest of the commands from where that attempt has left the
/// shell, or the same ones from where they began. Nothing else may have moved it since.
pub(super) fn continued(approved: &Work, last: &Attempt, now: &Work) -> Vec<Difference> {
    let mut rest = approved.clone();
    let same = last.is_bad() && last.commands.iter().eq(now.commands.iter().map(|command| &command.number));
    let ground = if same { last.began.clone() } else { last.left() };
    (rest.directory, rest.carried) = (ground.directory, ground.carried);
    rest.exports.clone_from(&now.exports);
    rest.commands.retain(|command| now.commands.iter().any(|other| other.number == command.number));
    rest.environment.retain(|name, _| now.environment.contains_key(name));
    rest.secrets.retain(|name, _| now.secrets.contains_key(name));
    differences(&rest, now)
}

fn difference(what: &str, approved: &str, now: &str) -> Difference {
    Difference { what: what.to_owned(), approved: approved.to_owned(), now: now.to_owned() }
}

fn texts(pairs: &[(&str, &String, &String)]) -> Vec<Difference> {
    let differ = pairs.iter().filter(|(_, approved, now)| approved != now);
    differ.map(|(what, approved, now)| difference(what, approved, now)).collect()
}

fn scripts(approved: &Work, now: &Work) -> Vec<Difference> {
    let of = |work: &Work| -> BTreeMap<u32, String> {
        let script = |command: &crate::attempt::WorkCommand| (command.number, command.script.clone());
        work.commands.iter().map(script).collect()
    };
    named(&of(approved), &of(now), |number| format!("command {number}"))
}

fn variables(approved: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<Difference> {
    named(approved, now, |name| match name.as_str() {
        "PORTAL_ACTOR" => "the person who runs it".to_owned(),
        _ => format!("the value of {name}"),
    })
    .into_iter()
    // Whoever runs it is told once, and not by each of the variables that say so.
    .filter(|difference| difference.what.strip_prefix("the value of ").is_none_or(|name| !is_acting(name)))
    .collect()
}

/// Versions say nothing to a person.
fn secrets(approved: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<Difference> {
    let changed = named(approved, now, |name| format!("the secret {name} has another value"));
    changed.into_iter().map(|found| Difference { approved: String::new(), now: String::new(), ..found }).collect()
}

fn named<K: Ord + Clone>(
    approved: &BTreeMap<K, String>,
    now: &BTreeMap<K, String>,
    what: impl Fn(&K) -> String,
) -> Vec<Difference> {
    let mut names: Vec<&K> = approved.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    let text = |of: &BTreeMap<K, String>, name: &K| of.get(name).cloned().unwrap_or_default();
    let differ = names.into_iter().filter(|name| approved.get(name) != now.get(name));
    differ.map(|name| difference(&what(name), &text(approved, name), &text(now, name))).collect()
}

fn carried(work: &Work) -> String {
    work.carried.as_ref().map_or_else(String::new, |carried| {
        format!("{} of step {}, {}", carried.names.join(", "), carried.step, carried.digest.short())
    })
}

fn limits(work: &Work) -> String {
    let Work { timeout_ms, output_cap, tty, pipefail, interactive, limits, .. } = work;
    let flag = |is: bool, word: &str| if is { format!(", {word}") } else { String::new() };
    let number = |of: Option<u64>, word: &str| of.map_or_else(String::new, |of| format!(", {word} {of}"));
    let mut text = format!("output {output_cap}");
    text += &number(*timeout_ms, "timeout");
    text += &number(limits.processes.map(u64::from), "processes");
    text += &number(limits.memory, "memory");
    text += &(flag(*tty, "terminal") + &flag(*pipefail, "pipefail") + &flag(*interactive, "keyboard"));
    text
}

impl FileIdentity {
    /// How another look at the same path differs: what was there, and what is.
    pub fn difference(&self, now: &Self) -> Option<(String, String)> {
        let said = |file: &Self| {
            let content =
                file.content.as_ref().map_or_else(String::new, |content| format!(", SHA-256 {}", content.short()));
            format!("{}, {} bytes, changed at {} ns{content}", file.resolved, file.size, file.modified_ns)
        };
        let same_content = match (&self.content, &now.content) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        let same = (&self.resolved, self.device, self.inode, self.size, self.modified_ns)
            == (&now.resolved, now.device, now.inode, now.size, now.modified_ns);
        (!same || !same_content).then(|| (said(self), said(now)))
    }
}
