//! A block of code as commands: languages, prompts, labels, choices, watches.

mod choice;
mod watch;

use domain::Risk;
use domain::runbook::{CodeBlock, Command, Inline, Item};
use domain::text::deceives;

use crate::encoding::Repair;
use crate::markdown::Code;
use crate::risk;
use crate::shell::{Input, LONGEST, Shell, Statement, Word, calls, pipeline, statements};
use choice::Choices;

/// What a block of code turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Read {
    /// Commands, or code that is only shown.
    Block(CodeBlock, Vec<Note>),
    /// Comments only: a line that introduces the others, and the ticks.
    Checklist { lead: Option<(u32, String)>, items: Vec<Item> },
}

/// Something to say about a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) line: u32,
    pub(crate) problem: Problem,
}

/// What is the matter with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The fence is never closed.
    OpenFence,
    /// The text is no shell text, although its language says so.
    Unparsable,
    /// The text is no shell text, and no language says what it is.
    UnparsableWithoutLanguage,
    /// The block is too long to be read as commands.
    TooLong,
    /// Nobody knows the language; perhaps another was meant.
    UnknownLanguage { language: String, nearest: Option<&'static str> },
    /// A character that nobody sees stands in a command.
    Hidden { character: char },
}

const SHELLS: &[&str] = &["bash", "sh", "shell", "zsh", "ksh", "dash", "ash"];
const SESSIONS: &[&str] =
    &["console", "shell-session", "shellsession", "sh-session", "terminal", "bash-session", "session"];
/// Languages that are shown and need no word about it.
const OTHERS: &[&str] = &[
    "text",
    "txt",
    "plain",
    "plaintext",
    "output",
    "log",
    "logs",
    "json",
    "jsonc",
    "yaml",
    "yml",
    "toml",
    "ini",
    "conf",
    "cfg",
    "xml",
    "html",
    "css",
    "js",
    "javascript",
    "ts",
    "typescript",
    "jsx",
    "tsx",
    "python",
    "py",
    "ruby",
    "rb",
    "go",
    "rust",
    "rs",
    "java",
    "kotlin",
    "c",
    "cpp",
    "csharp",
    "cs",
    "php",
    "perl",
    "lua",
    "r",
    "sql",
    "promql",
    "logql",
    "graphql",
    "nginx",
    "apache",
    "dockerfile",
    "docker",
    "makefile",
    "make",
    "hcl",
    "terraform",
    "tf",
    "diff",
    "patch",
    "md",
    "markdown",
    "mermaid",
    "dot",
    "csv",
    "env",
    "dotenv",
    "properties",
    "http",
    "powershell",
    "ps1",
    "pwsh",
    "bat",
    "cmd",
    "systemd",
    "service",
    "cron",
    "crontab",
    "vim",
    "awk",
    "sed",
    "jq",
    "kql",
    "regex",
    "mongodb",
    "redis",
    "swift",
    "scala",
    "elixir",
    "haskell",
    "groovy",
    "jinja",
    "jinja2",
    "handlebars",
    "svg",
    "latex",
    "tex",
    "math",
    "fish",
    "caddyfile",
    "caddy",
    "haproxy",
    "ssh-config",
    "rego",
    "jsonnet",
    "starlark",
    "protobuf",
    "proto",
    "plantuml",
    "html+erb",
    "none",
];

/// Whether a block of this language holds commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Shell,
    Session,
    Unnamed,
    Other,
    Unknown,
}

fn language(info: Option<&str>) -> Language {
    let word = info.map(|info| info.split([' ', ',', '{', ':']).next().unwrap_or_default().to_lowercase());
    match word.as_deref() {
        None | Some("") => Language::Unnamed,
        Some(word) if SHELLS.contains(&word) => Language::Shell,
        Some(word) if SESSIONS.contains(&word) => Language::Session,
        Some(word) if OTHERS.contains(&word) => Language::Other,
        Some(_) => Language::Unknown,
    }
}

/// Whether a block is one whose commands could be run.
pub(crate) fn is_shell(code: &Code) -> bool {
    matches!(language(code.language.as_deref()), Language::Shell | Language::Session | Language::Unnamed)
}

/// Whether a language is one whose blocks could be run.
pub(crate) fn is_shell_language(info: &str) -> bool {
    matches!(language(Some(info)), Language::Shell | Language::Session)
}

/// What there is to say about a language that nobody knows.
pub(crate) fn unknown_language(info: &str) -> Option<Problem> {
    (language(Some(info)) == Language::Unknown)
        .then(|| Problem::UnknownLanguage { language: info.to_owned(), nearest: nearest_language(info) })
}

/// Reads a block of a step.
pub(crate) fn read(code: &Code, line: u32, choices: &mut choice::Step, repair: Repair) -> Read {
    let block = CodeBlock { line, language: code.language.clone(), text: code.text.clone(), commands: Vec::new() };
    let language = language(code.language.as_deref());
    let shown = |block, problem: Option<Problem>| {
        Read::Block(block, problem.map(|problem| Note { line, problem }).into_iter().collect())
    };
    if !code.closed {
        return shown(block, Some(Problem::OpenFence));
    }
    match language {
        Language::Other => return shown(block, None),
        Language::Unknown => return shown(block, code.language.as_deref().and_then(unknown_language)),
        _ if code.text.len() > LONGEST => return shown(block, Some(Problem::TooLong)),
        _ => {}
    }
    let pieces = pieces(code, language);
    if let Some(checklist) = checklist(&pieces, &code.text, code.first_line, repair) {
        return checklist;
    }
    commands(block, &pieces, language, code.first_line, choices, repair)
}

fn nearest_language(word: &str) -> Option<&'static str> {
    let all = SHELLS.iter().chain(SESSIONS).chain(OTHERS);
    let word = word.to_lowercase();
    all.map(|known| (strsim::damerau_levenshtein(known, &word), *known))
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len())
        .min()
        .map(|(_, known)| known)
}

/// Shell text in a block, and the line of the block on which it begins.
#[derive(Debug)]
struct Piece {
    row: usize,
    text: String,
}

/// The shell text in a block: all of it, or what stands behind prompts, one piece per prompt.
fn pieces(code: &Code, language: Language) -> Vec<Piece> {
    let whole = || vec![Piece { row: 0, text: code.text.clone() }];
    let first = code.text.lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with("# "));
    let prompted = first.is_some_and(|line| prompt(line, false).is_some());
    match language {
        Language::Session => {
            let dollars = code.text.lines().any(|line| prompt(line, false).is_some());
            let found = prompts(&code.text, !dollars);
            if found.is_empty() { whole() } else { found }
        }
        _ if prompted => prompts(&code.text, false),
        _ => whole(),
    }
}

fn prompts(text: &str, root: bool) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let mut goes_on = false;
    for (row, line) in text.lines().enumerate() {
        if let Some(command) = prompt(line, root) {
            found.push(Piece { row, text: command.to_owned() });
            goes_on = unfinished(command);
        } else if goes_on && let Some(piece) = found.last_mut() {
            let more = line.strip_prefix("> ").unwrap_or(line);
            piece.text.push('\n');
            piece.text.push_str(more);
            goes_on = unfinished(more) || Shell::parse(&piece.text).is_none() && line.starts_with("> ");
        } else if let Some(piece) = found.last_mut()
            && let Some(more) = line.strip_prefix("> ")
            && Shell::parse(&piece.text).is_none()
        {
            piece.text.push('\n');
            piece.text.push_str(more);
        }
    }
    found
}

fn unfinished(line: &str) -> bool {
    line.ends_with('\\') && !line.ends_with("\\\\")
}

/// What stands behind a prompt: `$ `, `user@host:~$ `, and `# ` where that cannot be a comment.
fn prompt(line: &str, root: bool) -> Option<&str> {
    let line = line.trim_start();
    if let Some(command) = line.strip_prefix("$ ") {
        return Some(command);
    }
    if root && let Some(command) = line.strip_prefix("# ") {
        return Some(command);
    }
    let (head, command) = line.split_once("$ ").or_else(|| line.split_once("# "))?;
    let (user, host) = head.trim_start_matches('[').split_once('@')?;
    let named = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let host_part = host.split([':', ' ', ']']).next().unwrap_or(host);
    (named(user) && named(host_part)).then_some(command)
}

/// A block that holds only comments is a list for a person.
fn checklist(pieces: &[Piece], text: &str, first_line: u32, repair: Repair) -> Option<Read> {
    let [Piece { row: 0, text: whole }] = pieces else { return None };
    let mut lines = whole.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    lines.peek()?;
    if text.len() != whole.len() || !lines.clone().all(|(_, line)| line.trim_start().starts_with('#')) {
        return None;
    }
    let mut comments: Vec<(u32, String)> = lines
        .map(|(row, line)| (line_at(first_line, row), repair.text(line.trim().trim_start_matches('#').trim())))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let numbered = |text: &str| {
        text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['.', ')'])
            && text.starts_with(|c: char| c.is_ascii_digit())
    };
    let leads = comments.len() > 1 && !numbered(&comments[0].1) && comments[1..].iter().all(|(_, text)| numbered(text));
    let lead = leads.then(|| comments.remove(0));
    let items = comments
        .into_iter()
        .map(|(line, text)| Item { line, words: vec![Inline::Text { text }], items: Vec::new() })
        .collect();
    Some(Read::Checklist { lead, items })
}

fn line_at(first: u32, row: usize) -> u32 {
    first.saturating_add(u32::try_from(row).unwrap_or(u32::MAX))
}

fn commands(
    mut block: CodeBlock,
    pieces: &[Piece],
    language: Language,
    first_line: u32,
    choices: &mut choice::Step,
    repair: Repair,
) -> Read {
    let mut notes = Vec::new();
    let mut in_block = choices.block();
    for piece in pieces {
        let line = line_at(first_line, piece.row);
        hidden(&piece.text, line, &mut notes);
        if let Some(shell) = Shell::parse(&piece.text) {
            let (found, _) = statements(&shell);
            for statement in &found {
                block.commands.push(command(&piece.text, statement, line, &mut in_block, repair));
            }
        } else if language == Language::Unnamed {
            notes.push(Note { line: block.line, problem: Problem::UnparsableWithoutLanguage });
            block.commands.clear();
            return Read::Block(block, notes);
        } else {
            notes.push(Note { line, problem: Problem::Unparsable });
            block.commands.extend(whole(piece, line, &mut in_block, repair));
        }
    }
    in_block.settle(&mut block.commands);
    Read::Block(block, notes)
}

/// Shell text that could not be parsed is one command: nobody knows where another would begin.
fn whole(piece: &Piece, line: u32, choices: &mut Choices<'_>, repair: Repair) -> Option<Command> {
    let text = piece.text.trim_end();
    let is_lead = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let above: Vec<String> =
        text.lines().take_while(is_lead).map(|line| repair.text(line.trim().trim_start_matches('#').trim())).collect();
    let skipped = above.len();
    let text = text.lines().skip(skipped).collect::<Vec<_>>().join("\n");
    if text.is_empty() {
        return None;
    }
    choices.next(&above, &[], false);
    let verdict = risk::classify(&text);
    let first = text.split_whitespace().next().unwrap_or_default().to_owned();
    Some(Command {
        line: line_at(line, skipped),
        label: None,
        risk: verdict.risk,
        rule: verdict.rule,
        reason: verdict.reason,
        raised: false,
        watch: false,
        screen: false,
        choice: None,
        placeholders: Vec::new(),
        pipeline: vec![first],
        text,
    })
}

fn command(piece: &str, statement: &Statement, first_line: u32, choices: &mut Choices<'_>, repair: Repair) -> Command {
    let text = &piece[statement.start..statement.end];
    let verdict = risk::classify(text);
    let (watch, screen) = watch::of(text);
    let above: Vec<String> =
        statement.comments.iter().filter(|comment| !comment.behind).map(|comment| repair.text(&comment.text)).collect();
    let behind: Vec<String> =
        statement.comments.iter().filter(|comment| comment.behind).map(|comment| repair.text(&comment.text)).collect();
    choices.next(&above, &behind, statement.apart);
    Command {
        line: line_at(first_line, statement.row),
        text: text.to_owned(),
        label: label(statement, repair),
        risk: verdict.risk,
        rule: verdict.rule,
        reason: verdict.reason,
        raised: false,
        watch,
        screen,
        choice: None,
        placeholders: Vec::new(),
        pipeline: programs(text),
    }
}

/// The comments directly above the command, or the one behind it.
fn label(statement: &Statement, repair: Repair) -> Option<String> {
    let above: Vec<_> = statement.comments.iter().filter(|comment| !comment.behind).collect();
    let mut first = above.len();
    for at in (0..above.len()).rev() {
        if at + 1 < above.len() && above[at].row + 1 != above[at + 1].row {
            break;
        }
        first = at;
    }
    let chosen = if above.is_empty() { statement.comments.iter().collect() } else { above[first..].to_vec() };
    let words: Vec<&str> = chosen
        .iter()
        .map(|comment| comment.text.as_str())
        .filter(|text| !text.is_empty() && !text.starts_with("!/"))
        .collect();
    (!words.is_empty()).then(|| repair.text(&words.join(" ")))
}

/// The programs of a command that is one program or one pipeline. Of anything else, as a list, the shell tells only how the
/// last program ended that was run, and that may be any of them.
pub(crate) fn programs(text: &str) -> Vec<String> {
    let Some(shell) = Shell::parse(text) else { return Vec::new() };
    let name = |words: &Vec<Word>| {
        let program = risk::unwrapped(words).first().filter(|program| !program.expands);
        program.map_or_else(String::new, |word| word.text.rsplit('/').next().unwrap_or_default().to_owned())
    };
    pipeline(&shell).iter().map(name).collect()
}

/// Characters that show nothing or turn text around; one finding a line.
fn hidden(text: &str, first_line: u32, notes: &mut Vec<Note>) {
    for (row, line) in text.lines().enumerate() {
        if let Some(character) = line.chars().find(|character| deceives(*character)) {
            notes.push(Note { line: line_at(first_line, row), problem: Problem::Hidden { character } });
        }
    }
}

/// What a command of a connect step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connecting {
    /// `ssh HOST`: the run's target stands for it.
    Host,
    /// `cd DIR`.
    Directory,
}

/// Whether a step's commands only connect: `ssh HOST` at least once, and `cd DIR`.
pub(crate) fn connects(commands: &[&Command]) -> bool {
    let kinds: Option<Vec<Connecting>> = commands.iter().map(|command| connecting(&command.text)).collect();
    kinds.is_some_and(|kinds| kinds.contains(&Connecting::Host))
}

/// A redirection would hand the other machine something to run, or hide what it says: then it does not only connect.
fn connecting(text: &str) -> Option<Connecting> {
    // Most commands are neither: they need not be parsed for this.
    if !text.starts_with("ssh") && !text.starts_with("cd") {
        return None;
    }
    let shell = Shell::parse(text)?;
    let (calls, redirects) = calls(&shell);
    let [call] = calls.as_slice() else { return None };
    if !redirects.is_empty() || call.input != Input::Nothing || pipeline(&shell).len() != 1 {
        return None;
    }
    match call.words.first()?.text.as_str() {
        "ssh" if risk::is_interactive(text) && !risk::is_tunnel(&call.words) => Some(Connecting::Host),
        "cd" if call.words.len() <= 2 => Some(Connecting::Directory),
        _ => None,
    }
}

/// The portal runs no `ssh` of a connect step, so it has the class of looking.
pub(crate) fn only_connect(command: &mut Command) {
    if connecting(&command.text) == Some(Connecting::Host) {
        command.risk = Risk::Reads;
        "ssh HOST".clone_into(&mut command.rule);
        "only connects; the run's target stands for the host".clone_into(&mut command.reason);
    }
}

pub(crate) use choice::{Step as StepChoices, named};
