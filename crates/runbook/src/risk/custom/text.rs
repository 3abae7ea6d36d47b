//! sed and awk: little languages that can write files and start programs.

use domain::Risk::{Changes, Destroys, Reads};

use super::super::args::{Args, given, values};
use super::super::{Verdict, Within, files, script};
use crate::shell::Word;

/// What a script does besides reading.
#[derive(Debug, Default, PartialEq, Eq)]
struct Deeds {
    /// The files that it writes; `None` for one whose name is not in the text.
    writes: Vec<Option<String>>,
    /// What it starts: shell text.
    starts: Vec<String>,
    /// Whether it starts what it reads or works out.
    starts_what_it_reads: bool,
}

impl Deeds {
    fn verdict(&self, shown: &str, within: Within<'_>) -> Verdict {
        let reads = Verdict::new(Reads, shown, "only reads");
        let writes = self.writes.iter().filter_map(|file| match file.as_deref() {
            Some("/dev/stdout" | "/dev/stderr" | "/dev/null" | "-") => None,
            Some(file) => Some(files::written(&format!("{shown} writes {file}"), file)),
            None => Some(Verdict::new(Changes, format!("{shown} >"), "writes a file")),
        });
        let starts = self.starts.iter().map(|code| {
            let own = Verdict::new(Changes, format!("{shown} with a command"), "starts a program");
            own.or_worse(script(code, within.deeper()))
        });
        let reads_code = self
            .starts_what_it_reads
            .then(|| Verdict::new(Destroys, format!("{shown} with commands"), "runs as commands whatever it reads"));
        writes.chain(starts).chain(reads_code).fold(reads, Verdict::or_worse)
    }
}

pub(super) fn sed(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    if args.has("-f") || args.may_have("--file") {
        return Verdict::new(Changes, "sed -f", "runs a script that no rule has read");
    }
    let mut scripts: Vec<String> =
        given(words, "-e|--expression", values("sed")).into_iter().map(|word| word.text).collect();
    if scripts.is_empty() {
        scripts.push(args.word(0).to_owned());
    }
    let in_place = args.has("-i") || args.may_have("--in-place");
    let access = args.positional.iter().find(|path| files::is_access(path)).filter(|_| in_place);
    if let Some(file) = access {
        return Verdict::new(Destroys, format!("sed -i {file}"), "changes who may sign in: access may be lost");
    }
    let own = if in_place {
        Verdict::new(Changes, "sed -i", "changes files in their place")
    } else {
        Verdict::new(Reads, "sed", "only reads")
    };
    match sed_script(&scripts.join("\n")) {
        Some(deeds) => own.or_worse(deeds.verdict("sed", within)),
        None => own.or_worse(Verdict::new(Changes, "sed", "runs a script that the rules do not understand")),
    }
}

/// What a script of sed does; `None` when it is not understood.
fn sed_script(text: &str) -> Option<Deeds> {
    let mut rest = Cursor(text);
    let mut deeds = Deeds::default();
    loop {
        rest.skip(|c| c.is_whitespace() || matches!(c, ';' | '{' | '}'));
        if rest.0.is_empty() {
            return Some(deeds);
        }
        rest.address()?;
        match rest.next()? {
            's' => rest.substitution(&mut deeds)?,
            'y' => {
                let delimiter = rest.next()?;
                rest.delimited(delimiter)?;
                rest.delimited(delimiter)?;
            }
            'a' | 'i' | 'c' | 'r' | 'R' | '#' => drop(rest.line()),
            'w' | 'W' => deeds.writes.push(Some(rest.line())),
            'e' => match rest.line() {
                code if code.is_empty() => deeds.starts_what_it_reads = true,
                code => deeds.starts.push(code),
            },
            'b' | 't' | 'T' | ':' | 'l' | 'L' | 'q' | 'Q' | 'v' => rest.skip(|c| !matches!(c, ';' | '\n' | '}')),
            '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z' | 'F' | '{' | '}' => {}
            _ => return None,
        }
    }
}

/// The rest of a script.
struct Cursor<'t>(&'t str);

impl Cursor<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.0.chars().next()?;
        self.0 = &self.0[next.len_utf8()..];
        Some(next)
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(skipped);
    }

    /// The rest of the line, without blanks around it.
    fn line(&mut self) -> String {
        let (line, rest) = self.0.split_once('\n').unwrap_or((self.0, ""));
        self.0 = rest;
        line.trim().to_owned()
    }

    /// What stands before a delimiter that is not escaped.
    fn delimited(&mut self, delimiter: char) -> Option<()> {
        let mut in_brackets = false;
        loop {
            match self.next()? {
                '\\' => drop(self.next()?),
                '[' if delimiter != '[' => in_brackets = true,
                ']' => in_brackets = false,
                c if c == delimiter && !in_brackets => return Some(()),
                // A bracket that is never closed is a plain one.
                '\n' => in_brackets = false,
                _ => {}
            }
        }
    }

    /// `12,$`, `/…/I`, `\c…c`, `0~4`, `!`.
    fn address(&mut self) -> Option<()> {
        loop {
            self.skip(|c| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '$' | ',' | '~' | '+' | '!'));
            match self.0.chars().next() {
                Some('/') => {
                    self.next();
                    self.delimited('/')?;
                }
                Some('\\') => {
                    self.next();
                    let delimiter = self.next()?;
                    self.delimited(delimiter)?;
                }
                _ => return Some(()),
            }
            self.skip(|c| matches!(c, 'I' | 'M'));
        }
    }

    fn substitution(&mut self, deeds: &mut Deeds) -> Option<()> {
        let delimiter = self.next()?;
        self.delimited(delimiter)?;
        self.delimited(delimiter)?;
        while let Some(flag) = self.0.chars().next() {
            match flag {
                'e' => deeds.starts_what_it_reads = true,
                'w' => {
                    self.next();
                    deeds.writes.push(Some(self.line()));
                    return Some(());
                }
                'g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9' => {}
                _ => return Some(()),
            }
            self.next();
        }
        Some(())
    }
}

pub(super) fn awk(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    let loads = ["-f", "-E", "-i", "-l"].iter().any(|option| args.has(option))
        || ["--file", "--exec", "--include", "--load"].iter().any(|option| args.may_have(option));
    if loads {
        return Verdict::new(Changes, args.shown.clone(), "runs a script that no rule has read");
    }
    let sources = given(words, "-e|--source", values("awk"));
    let sources: Vec<&str> = match sources.as_slice() {
        [] => vec![args.word(0)],
        given => given.iter().map(|word| word.text.as_str()).collect(),
    };
    let writes = ["-o", "-d", "-p", "--pretty-print", "--dump-variables", "--profile"];
    let own = match writes.iter().find(|option| args.has(option)) {
        Some(option) => Verdict::new(Changes, format!("{} {option}", args.shown), "writes a file"),
        None => Verdict::new(Reads, args.shown.clone(), "only reads"),
    };
    sources.iter().fold(own, |own, source| own.or_worse(awk_program(source).verdict(&args.shown, within)))
}

/// A piece of a program of awk.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Name(String),
    Sign(char),
    Other,
}

/// What a program of awk does: `system( … )`, pipes, `print > …`, `@load`.
fn awk_program(text: &str) -> Deeds {
    let tokens = tokens(text);
    let mut deeds = Deeds::default();
    let mut prints = false;
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        match token {
            Token::Name(name) if name == "print" || name == "printf" => prints = true,
            Token::Name(name) if name == "system" => start(&mut deeds, tokens.get(at + 2)),
            Token::Sign(';' | '\n' | '{' | '}') => prints = false,
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Sign('|') if next != Some(&Token::Sign('|')) && before != Some(&Token::Sign('|')) => {
                let behind = if next == Some(&Token::Sign('&')) { tokens.get(at + 2) } else { next };
                let reads = behind == Some(&Token::Name("getline".to_owned()));
                start(&mut deeds, if reads { before } else { behind });
            }
            Token::Sign('>') if prints && depth == 0 && next != Some(&Token::Sign('>')) => {
                deeds.writes.push(match next {
                    Some(Token::Text(file)) => Some(file.clone()),
                    _ => None,
                });
            }
            Token::Sign('@') => deeds.writes.push(None),
            _ => {}
        }
    }
    deeds
}

/// A command whose beginning stands in the program, or one that is worked out.
fn start(deeds: &mut Deeds, command: Option<&Token>) {
    match command {
        Some(Token::Text(code)) => deeds.starts.push(code.clone()),
        _ => deeds.starts_what_it_reads = true,
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut rest = Cursor(text);
    while let Some(character) = rest.next() {
        match character {
            '"' => found.push(Token::Text(quoted(&mut rest, '"'))),
            '#' => rest.skip(|c| c != '\n'),
            '/' if !ends_value(found.last()) => {
                quoted(&mut rest, '/');
                found.push(Token::Other);
            }
            c if c.is_alphanumeric() || matches!(c, '_' | '.') => {
                let length =
                    rest.0.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(rest.0.len());
                let name = format!("{c}{}", &rest.0[..length]);
                rest.0 = &rest.0[length..];
                found.push(Token::Name(name));
            }
            '\n' => found.push(Token::Sign('\n')),
            c if c.is_whitespace() => {}
            c => found.push(Token::Sign(c)),
        }
    }
    found
}

/// Whether a `/` behind a piece divides.
fn ends_value(last: Option<&Token>) -> bool {
    match last {
        Some(Token::Text(_) | Token::Other | Token::Sign(')' | ']')) => true,
        Some(Token::Name(name)) => !matches!(name.as_str(), "return" | "print" | "printf" | "in" | "getline"),
        _ => false,
    }
}

fn quoted(rest: &mut Cursor<'_>, end: char) -> String {
    let mut text = String::new();
    while let Some(character) = rest.next() {
        match character {
            '\\' => text.extend(rest.next()),
            c if c == end => break,
            c => text.push(c),
        }
    }
    text
}
