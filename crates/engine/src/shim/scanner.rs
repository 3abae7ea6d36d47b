//! Finds the shell's marks in its output, without knowing anything else about terminals.

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

use memchr::memchr;

const OPENING: &[u8] = b"\x1b]133;";
/// No mark of ours is longer, not even that of a pipeline with a thousand members.
const LONGEST: usize = 4096;
const BUFFER: usize = 256 << 10;
/// Of a longer value nothing more is kept: no environment takes it.
const LONGEST_VALUE: usize = 256 << 10;

/// What the shell says about itself between the bytes of its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ShellMark {
    /// It is ready for commands.
    Ready,
    /// The command begins.
    Begins,
    /// The command ended.
    Ends {
        code: i32,
        statuses: Vec<i32>,
        /// Whether the shell ends with it.
        shell_too: bool,
    },
    /// A variable, of which the shell says that its value is so long. Without a name: all were told.
    Told { name: String, length: usize, value: Vec<u8> },
    /// The shell at a target has ended, says its supervisor.
    Over { code: i32 },
    /// Nothing more comes: the shim's own mark, written after everything else.
    Drained,
    /// One that was already taken.
    Stale,
}

/// A stretch of output, or a mark.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// These bytes of [`Scanner::bytes`].
    Output(Range<usize>),
    Mark(ShellMark),
}

/// The tokens that make a mark ours. Every other mark is output.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub session: String,
    pub command: String,
    /// The command before: its end can be told twice when it is interrupted at the wrong moment.
    pub former: String,
}

/// Reads output and cuts it at the marks. Holds back nothing but what may still become a mark.
pub(crate) struct Scanner {
    buffer: Vec<u8>,
    /// Where the next piece begins.
    from: usize,
    /// Where the bytes that were read end.
    to: usize,
    /// The variable whose value is being read.
    telling: Option<(String, usize, Vec<u8>)>,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; BUFFER], from: 0, to: 0, telling: None }
    }

    /// Reads once. Every piece of what was read before must have been taken.
    pub(crate) fn fill(&mut self, output: impl AsFd) -> io::Result<usize> {
        self.buffer.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        let count = rustix::io::read(output, self.buffer.get_mut(self.to..).expect("the end lies in the buffer"))?;
        self.to += count;
        Ok(count)
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).expect("ranges come from this buffer")
    }

    /// The next piece; `None` when more has to be read first.
    pub(crate) fn next(&mut self, tokens: &Tokens) -> Option<Piece> {
        if self.telling.is_some() {
            return self.told();
        }
        let mut at = self.from;
        loop {
            let Some(escape) = memchr(b'\x1b', self.bytes(at..self.to)) else { return self.output_to(self.to) };
            let escape = at + escape;
            match candidate(self.bytes(escape..self.to)) {
                Candidate::No => at = escape + 1,
                Candidate::Unfinished => return self.output_to(escape),
                Candidate::Whole(length) => match parse(self.bytes(escape..escape + length), tokens) {
                    None => at = escape + 1,
                    Some(_) if escape > self.from => return self.output_to(escape),
                    Some(ShellMark::Told { name, length: of_value, value }) => {
                        self.from = escape + length;
                        self.telling = Some((name, of_value, value));
                        return self.told();
                    }
                    Some(mark) => {
                        self.from = escape + length;
                        return Some(Piece::Mark(mark));
                    }
                },
            }
        }
    }

    /// Reads a value up to its end, if that is there. What is too long to be one is not remembered.
    fn told(&mut self) -> Option<Piece> {
        let rest = self.from..self.to;
        let end = memchr(0, self.bytes(rest.clone()));
        let part = rest.start..end.map_or(rest.end, |end| rest.start + end);
        let Self { buffer, telling, .. } = self;
        let (_, _, value) = telling.as_mut()?;
        if value.len() <= LONGEST_VALUE {
            value.extend_from_slice(buffer.get(part.clone()).expect("ranges come from this buffer"));
        }
        self.from = part.end + usize::from(end.is_some());
        end?;
        let (name, length, value) = self.telling.take()?;
        Some(Piece::Mark(ShellMark::Told { name, length, value }))
    }

    /// What was held back, now that no more will come.
    pub(crate) fn rest(&mut self) -> Option<Piece> {
        self.output_to(self.to)
    }

    fn output_to(&mut self, end: usize) -> Option<Piece> {
        let range = self.from..end;
        self.from = end;
        (!range.is_empty()).then_some(Piece::Output(range))
    }
}

enum Candidate {
    No,
    Unfinished,
    Whole(usize),
}

/// Whether bytes that begin with an escape are a mark's, as far as they are there.
fn candidate(bytes: &[u8]) -> Candidate {
    let Some(body) = bytes.strip_prefix(OPENING) else {
        return if OPENING.starts_with(bytes) { Candidate::Unfinished } else { Candidate::No };
    };
    let inside = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b';' | b' ' | b'_');
    let length = body.iter().take(LONGEST).take_while(inside).count();
    match body.get(length) {
        Some(7) => Candidate::Whole(OPENING.len() + length + 1),
        None if length < LONGEST => Candidate::Unfinished,
        _ => Candidate::No,
    }
}

fn parse(mark: &[u8], tokens: &Tokens) -> Option<ShellMark> {
    let text = std::str::from_utf8(mark.get(OPENING.len()..mark.len() - 1)?).ok()?;
    let fields: Vec<&str> = text.split(';').collect();
    match *fields.as_slice() {
        ["A", session] if session == tokens.session => Some(ShellMark::Ready),
        ["E", session] if session == tokens.session => Some(ShellMark::Drained),
        ["S", code, session] if session == tokens.session => Some(ShellMark::Over { code: code.parse().ok()? }),
        ["C", token] if is(token, &tokens.command) => Some(ShellMark::Begins),
        [kind @ ("D" | "X"), code, statuses, token] if is(token, &tokens.command) => {
            let statuses = statuses.split(' ').filter_map(|status| status.parse().ok()).collect();
            Some(ShellMark::Ends { code: code.parse().ok()?, statuses, shell_too: kind == "X" })
        }
        ["D" | "X", _, _, token] if is(token, &tokens.former) => Some(ShellMark::Stale),
        ["V", name, length, session] if session == tokens.session => {
            Some(ShellMark::Told { name: name.to_owned(), length: length.parse().ok()?, value: Vec::new() })
        }
        _ => None,
    }
}

fn is(token: &str, known: &str) -> bool {
    !known.is_empty() && token == known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens { session: "5e55".to_owned(), command: "c0de".to_owned(), former: "01d".to_owned() }
    }

    /// What comes out when the bytes arrive in pieces of a length.
    fn scanned(bytes: &[u8], step: usize) -> (Vec<u8>, Vec<(usize, ShellMark)>) {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let mut scanner = Scanner::new();
        let (mut output, mut marks) = (Vec::new(), Vec::new());
        for chunk in bytes.chunks(step) {
            rustix::io::write(&writer, chunk).unwrap();
            scanner.fill(&reader).unwrap();
            while let Some(piece) = scanner.next(&tokens()) {
                match piece {
                    Piece::Output(range) => output.extend_from_slice(scanner.bytes(range)),
                    Piece::Mark(mark) => marks.push((output.len(), mark)),
                }
            }
        }
        if let Some(Piece::Output(range)) = scanner.rest() {
            output.extend_from_slice(scanner.bytes(range));
        }
        (output, marks)
    }

    #[test]
    fn marks_are_found_however_the_bytes_are_cut() {
        let stream =
            b"\x1b]133;A;5e55\x07\x1b]133;C;c0de\x07one\x1b[0m\x1b]133;D;3;0 7 141;c0de\x07\x1b]133;X;1;;c0de\x07";
        for step in 1..=stream.len() {
            let (output, marks) = scanned(stream, step);

            assert_eq!(output, b"one\x1b[0m", "{step}");
            let kinds: Vec<usize> = marks.iter().map(|(at, _)| *at).collect();
            assert_eq!(kinds, [0, 0, 7, 7], "{step}");
            let ends = ShellMark::Ends { code: 3, statuses: vec![0, 7, 141], shell_too: false };
            assert_eq!(marks.get(2).map(|(_, mark)| mark), Some(&ends), "{step}");
        }
    }

    #[test]
    fn values_are_taken_out_of_the_output_however_they_are_cut() {
        let stream = b"a\x1b]133;V;NAME_1;5;5e55\x07b\x1b\n\xc3\xa4\0c\x1b]133;V;;0;5e55\x07\0d\x1b]133;V;X;1;0\x07e\0";
        for step in 1..=stream.len() {
            let (output, marks) = scanned(stream, step);

            assert_eq!(output, b"acd\x1b]133;V;X;1;0\x07e\0", "{step}");
            let told = |name: &str, length, value: &[u8]| ShellMark::Told {
                name: name.to_owned(),
                length,
                value: value.to_vec(),
            };
            assert_eq!(marks, [(1, told("NAME_1", 5, b"b\x1b\n\xc3\xa4")), (2, told("", 0, b""))], "{step}");
        }
    }

    #[test]
    fn foreign_and_broken_marks_are_output() {
        for text in [
            "\x1b]133;D;0;;ffff\x07",
            "\x1b]133;D;0;;\x07",
            "\x1b]133;D;x;;c0de\x07",
            "\x1b]133;\x1b\x1b]13",
            "\x1b]0;title\x07\x1b",
            "\x1b]133;C;c0d\x1be\x07",
        ] {
            assert_eq!(scanned(text.as_bytes(), 3), (text.as_bytes().to_vec(), Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn a_mark_behind_an_unfinished_one_is_found() {
        let (output, marks) = scanned(b"\x1b]133;D;0\x1b]133;D;0;;c0de\x07", 5);

        assert_eq!(output, b"\x1b]133;D;0");
        assert_eq!(marks.len(), 1);
    }

    #[test]
    fn an_endless_mark_is_output_and_keeps_no_memory() {
        let text = [b"\x1b]133;".as_slice(), &vec![b'x'; 3 * LONGEST]].concat();

        assert_eq!(scanned(&text, 1000), (text, Vec::new()));
    }

    #[test]
    fn the_end_of_the_former_command_is_told_twice_and_taken_once() {
        assert_eq!(scanned(b"a\x1b]133;D;0;;01d\x07b", 4), (b"ab".to_vec(), vec![(1, ShellMark::Stale)]));
    }
}
