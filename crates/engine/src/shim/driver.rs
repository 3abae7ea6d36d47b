//! The program that runs inside the shell, and the language in which it is fed.
//!
//! It is POSIX text for bash, dash and busybox alike, and travels in the shell's arguments; the commands never do. They come
//! over standard input, one at a time, each with a fresh token, and the shell answers in its own output with marks
//! `ESC ] 133 ; … BEL` that carry that token:
//!
//! | the shim writes | meaning | the shell marks | meaning |
//! | --- | --- | --- | --- |
//! | `SESSION+text` | add to the command | `A;SESSION` | ready |
//! | `SESSION!TOKEN` | run it | `C;TOKEN` | it begins |
//! | `SESSION=NAME` | tell a variable | `V;NAME;LENGTH;SESSION` | its value follows, up to a NUL; without a name: all were told |
//! | | with `where` among the words | `V;PWD;…` | before each `D` and `X`: the directory |
//! | `SESSION.` | leave | `D;CODE;STATUSES;TOKEN` | it ended |
//! | anything else | dropped: typed ahead | `X;CODE;;TOKEN` | it ended, and the shell with it |
//!
//! Why it looks as it does:
//! - Descriptors 8 and 9 are the feed and the marks, so that `exec >file` does not silence them; errors join the output, for
//!   one ordered stream. A mark is one write: no background job can tear it.
//! - `command eval` because a mistake in the syntax would end dash otherwise.
//! - `trap … INT` with `break 9999`: Ctrl-C ends the whole command, also a loop or a list, as it does at a prompt, and not
//!   the shell. The loop is text in a variable so that it can be entered again after that.
//! - In bash the text of a command gets one more line that keeps `PIPESTATUS`, which `eval` would overwrite. Only after bash
//!   itself has read the text (`set -n`) without a word of complaint: an open here-document would swallow the line.
//! - `set -x` of a command is switched off while the driver works, so that no token shows in a trace.
//! - The text between is sent in lines of at most 1000 bytes, because a terminal's line holds 4095.

use domain::attempt::Work;
use domain::steering::can_be_carried;

const START: &str = include_str!("driver/start.sh");
const LOOP: &str = include_str!("driver/loop.sh");

/// Bytes of a command in one line of the feed.
const PIECE: usize = 1000;

/// The arguments after the interpreter's own ones.
pub(crate) fn arguments(work: &Work, session: &str) -> [String; 6] {
    let name = work.interpreter.first().map_or("sh", String::as_str);
    let mut modes = Vec::new();
    modes.extend(work.pipefail.then_some("pipefail"));
    // Where nobody can look from outside, the shell says where it is.
    modes.extend((!work.reach.is_local()).then_some("where"));
    ["-c", START, name, session, &modes.join(" "), LOOP].map(str::to_owned)
}

/// The lines that make the shell run a command. The empty one before ends whatever half a line somebody typed.
pub(crate) fn feed(session: &str, token: &str, script: &str) -> Vec<u8> {
    let mut lines = vec![b'\n'];
    let mut piece = Vec::with_capacity(PIECE + 8);
    let mut push = |piece: &mut Vec<u8>| {
        if !piece.is_empty() {
            lines.extend_from_slice(session.as_bytes());
            lines.push(b'+');
            lines.append(piece);
            lines.push(b'\n');
        }
    };
    for byte in script.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'\\' {
            piece.push(byte);
        } else {
            piece.extend_from_slice(format!("\\0{byte:03o}").as_bytes());
        }
        if piece.len() >= PIECE {
            push(&mut piece);
        }
    }
    push(&mut piece);
    lines.extend_from_slice(format!("{session}!{token}\n").as_bytes());
    lines
}

/// The lines that make the shell tell some variables, as far as they are set, and leave.
pub(crate) fn leave(session: &str, names: &[String]) -> Vec<u8> {
    let told = names.iter().map(String::as_str).filter(|name| can_be_carried(name));
    let none = (!names.is_empty()).then_some("");
    let asked: String = told.chain(none).map(|name| [session, "=", name, "\n"].concat()).collect();
    format!("\n{asked}{session}.\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_travels_as_printable_lines() {
        let lines = feed("S", "T", "echo 'ä\\n'\n");

        assert_eq!(String::from_utf8(lines).unwrap(), "\nS+echo '\\0303\\0244\\0134n'\\0012\nS!T\n");
    }

    #[test]
    fn no_line_is_longer_than_a_terminal_takes() {
        let session = "0".repeat(32);
        let lines = feed(&session, "T", &"ä".repeat(100_000));

        assert!(lines.split(|byte| *byte == b'\n').all(|line| line.len() < 1100));
    }
}
