//! What a program does with what it is fed: a here-document, a here-string, a file, what another program writes.

use domain::Risk;

use super::{Verdict, Within, script, unknown, words};
use crate::shell::{Input, Word};

/// A shell, on this machine or another, that has no commands of its own.
pub(super) fn shell(words: &[Word], shown: &str, within: Within<'_>) -> Verdict {
    match within.input {
        Input::Nothing => Verdict::new(Risk::Changes, shown, "opens a shell, in which anything can be typed"),
        Input::Program { .. } => {
            Verdict::new(Risk::Destroys, format!("| {shown}"), "runs as commands whatever the program before it writes")
        }
        Input::Text { says, put_in } => {
            let verdict = script(says, Within { depth: within.depth + 1, input: &Input::Nothing });
            if *put_in { verdict.or_worse(put_into(shown)) } else { verdict }
        }
        Input::File(_) => unknown(words, within, UNREAD_SCRIPT),
    }
}

/// Code into which the shell puts something: what that is is read as code, too.
pub(super) fn put_into(shown: &str) -> Verdict {
    Verdict::new(Risk::Changes, format!("{shown} with a variable"), "what a variable holds is read as commands")
}

/// Why a script counts as changing something.
pub(super) const UNREAD_SCRIPT: &str = "runs a script that no rule has read";

/// A client that reads its statements from what it is fed; `None` when nothing feeds it.
pub(super) fn statements(shown: &str, within: Within<'_>, judge: impl Fn(&str) -> Verdict) -> Option<Verdict> {
    match within.input {
        Input::Nothing => None,
        Input::Text { says: text, .. } | Input::Program { says: text, all: true, .. } => Some(judge(text)),
        Input::Program { says, .. } if !says.is_empty() => Some(judge(says).or_worse(unread(shown, says))),
        Input::Program { says: said, .. } | Input::File(said) => Some(unread(shown, said)),
    }
}

fn unread(shown: &str, said: &str) -> Verdict {
    match words::destructive(said) {
        Some(word) => Verdict::new(
            Risk::Destroys,
            format!("{shown} … {word}"),
            "runs statements that no rule has read, from something that speaks of losing something",
        ),
        None => Verdict::new(Risk::Changes, shown, "runs statements that no rule has read"),
    }
}

/// Lines of a client whose statements are lines.
pub(super) fn lines(text: &str, judge: impl Fn(&str) -> Verdict) -> Option<Verdict> {
    text.lines().filter(|line| !line.trim().is_empty()).map(judge).reduce(Verdict::or_worse)
}
