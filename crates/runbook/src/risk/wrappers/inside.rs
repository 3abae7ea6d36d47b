//! Which program stands inside wrappers, and what it is told.

use super::super::args::{base, canonical};
use super::containers::{EXEC_VALUES, subcommand};
use super::{INTERPRETERS, PLAIN, SHELLS, after_options, is_input, joined, skip_while, takes_command};
use crate::shell::{Input, Shell, Word, calls};

/// The options of ssh that take the next word.
pub(super) const SSH_VALUES: &str = "-i -p -l -o -F -J -b -c -D -E -e -I -L -m -O -Q -R -S -W -w -B";

/// The words that ssh hands to the other side, if any.
pub(crate) fn ssh_command(words: &[Word]) -> &[Word] {
    let rest = after_options(words.get(1..).unwrap_or_default(), SSH_VALUES);
    let rest = rest.get(1..).unwrap_or_default();
    // Options may stand after the host, too.
    after_options(rest, SSH_VALUES)
}

/// Whether the words of an ssh open a way for others.
pub(crate) fn is_tunnel(words: &[Word]) -> bool {
    let opens =
        |word: &Word| word.text.strip_prefix('-').is_some_and(|rest| rest.starts_with(['L', 'R', 'D', 'N', 'w']));
    words.iter().skip(1).any(opens)
}

/// The words of the program inside wrappers that change nothing about what it is: `sudo`, `env`, `timeout`, `nohup` …
pub(crate) fn unwrapped(words: &[Word]) -> &[Word] {
    let mut words = words;
    for _ in 0..super::super::DEEPEST {
        let Some(first) = words.first() else { return words };
        let program = base(&first.text);
        // What these start is one program among others, or shell text.
        let as_somebody = program == "runuser" && !words.iter().any(|word| word.text == "-u" || word.text == "--user");
        let light = !as_somebody
            && !matches!(
                program,
                "xargs" | "parallel" | "chroot" | "watch" | "nsenter" | "systemd-run" | "npx" | "bundle" | "flock"
            );
        let Some((_, options, before)) = PLAIN.iter().find(|(name, ..)| *name == program && light) else {
            return words;
        };
        let rest = after_options(&words[1..], options).get(*before..).unwrap_or_default();
        let rest = match program {
            "env" | "sudo" | "doas" => skip_while(rest, |word| word.text.contains('=')),
            _ => rest,
        };
        if rest.is_empty() {
            return words;
        }
        words = rest;
    }
    words
}

/// The program inside all wrappers that take a command as words, containers and pods included.
pub(crate) fn innermost(words: &[Word]) -> &[Word] {
    let mut words = unwrapped(words);
    for _ in 0..super::super::DEEPEST {
        let Some((verb, rest)) = subcommand(words) else { return words };
        let program = words.first().map(|word| canonical(base(&word.text)).to_owned()).unwrap_or_default();
        let inside = match (program.as_str(), verb.as_str()) {
            ("docker" | "compose", "exec" | "run") => after_options(rest, EXEC_VALUES).get(1..).unwrap_or_default(),
            ("kubectl", "exec") => {
                let at = rest.iter().position(|word| word.text == "--").map_or(rest.len(), |at| at + 1);
                &rest[at..]
            }
            _ => return words,
        };
        if inside.is_empty() {
            return words;
        }
        words = unwrapped(inside);
    }
    words
}

/// Whether a program runs what it is fed as commands: a shell or an interpreter without a script of its own.
pub(in super::super) fn runs_its_input(words: &[Word]) -> bool {
    let mut words = innermost(words);
    let name = |words: &[Word]| words.first().map(|word| canonical(base(&word.text)).to_owned()).unwrap_or_default();
    let mut program = name(words);
    if program == "ssh" {
        let command = ssh_command(words);
        if command.is_empty() {
            return true;
        }
        words = unwrapped(command);
        program = name(words);
    }
    // `sh -s -- words` reads its input whatever its words are.
    let reads_anyway = words.iter().any(|word| word.text == "-s") && SHELLS.contains(&program.as_str());
    let runs = SHELLS.contains(&program.as_str()) || INTERPRETERS.contains(&program.as_str());
    let opens = matches!(program.as_str(), "su" | "sudo" | "doas" | "parallel" | "at" | "batch" | "sftp");
    opens || runs && (!has_own_script(words) || reads_anyway)
}

/// Whether a shell or an interpreter is told by its words what to run.
pub(in super::super) fn has_own_script(words: &[Word]) -> bool {
    let shell = words.first().is_some_and(|program| SHELLS.contains(&base(&program.text)));
    let inline = |word: &Word| {
        let option = word.text.starts_with('-') && !word.text.starts_with("--");
        takes_command(word)
            || !shell && (option && word.text.ends_with(['e', 'E', 'r', 'p', 'm']) || word.text == "--eval")
    };
    let rest = words.get(1..).unwrap_or_default();
    rest.iter().any(inline) || after_options(rest, "-o -O").first().is_some_and(|file| !is_input(file))
}

/// Whether a text opens a shell on another machine into which nobody types, and nothing else.
pub(crate) fn is_interactive(text: &str) -> bool {
    // Most commands name no ssh: they need not be parsed for this.
    text.contains("ssh")
        && Shell::parse(text).is_some_and(|shell| {
            calls(&shell).0.iter().any(|call| {
                let words = unwrapped(&call.words);
                let ssh = words.first().is_some_and(|program| base(&program.text) == "ssh");
                ssh && call.input == Input::Nothing && opens_shell(words)
            })
        })
}

/// Whether the words of an ssh name a host, and neither a command nor a tunnel nor a question to the master.
fn opens_shell(words: &[Word]) -> bool {
    let other = |word: &Word| {
        word.text.strip_prefix('-').is_some_and(|rest| rest.starts_with(['N', 'O', 'V', 'Q', 'W', 'G', 'f']))
    };
    ssh_command(words).is_empty() && words.len() > 1 && !words[1..].iter().any(other)
}

/// The shell text that words hand to a shell, on this machine or another: `sh -c …`, `ssh host …`.
pub(crate) fn code_inside(words: &[Word]) -> Option<String> {
    let words = innermost(words);
    let program = base(&words.first()?.text);
    if program == "ssh" {
        return Some(joined(ssh_command(words))).filter(|code| !code.is_empty());
    }
    let at = words.iter().position(takes_command).filter(|_| SHELLS.contains(&program))?;
    words.get(at + 1).map(|code| code.text.clone())
}
