//! Places whose text is read as code: by another shell, an interpreter, a database, a program that takes commands as options.

use domain::steering::steers;
use tree_sitter::Node;

use super::{BindError, Occurrence};
use crate::placeholder::is_expansion;
use crate::risk;
use crate::shell::{Call, Input, Shell, Word, calls, children};

/// Builtins whose words are names, code, or files to load.
const BUILTINS: &[&str] = &["enable", "complete", "compgen", "bind", "hash", "fc", "history", "source", "."];
/// Programs that run the file that their first word names.
const RUNNERS: &[&str] =
    &["sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "python", "python3", "perl", "ruby", "node", "php", "lua"];
/// Options that hold a program to run: for whom, and how the word begins.
const OPTIONS: &[(&[&str], &[&str])] = &[
    (&["ssh", "scp", "sftp"], &["-o", "-F", "-S", "-D"]),
    (&["rsync"], &["-e", "--rsh", "--rsync-path"]),
    (&["tar"], &["--to-command", "--checkpoint-action", "--use-compress-program", "-I", "--rsh-command"]),
    (&["git"], &["-c", "--config-env", "--upload-pack", "--receive-pack", "--exec", "-x"]),
    (&["find"], &["-exec", "-execdir", "-ok", "-okdir"]),
    (&["vim", "vi", "nvim"], &["-c", "--cmd", "+"]),
    (&["make", "gmake"], &["--eval"]),
];
/// Refuses a place whose text is read as code, or decides which program runs.
pub(super) fn refuse(occurrence: &Occurrence<'_>, shell: &Shell<'_>, path: &[Node<'_>]) -> Result<(), BindError> {
    if let Some(variable) = assigned_to(shell, path).filter(|name| steers(name)) {
        return Err(occurrence.steers(&variable));
    }
    let calls = calls(shell).0;
    let document =
        path.iter().any(|node| matches!(node.kind(), "heredoc_body" | "simple_heredoc_body" | "herestring_redirect"));
    for call in &calls {
        if chooses_program(occurrence, call) {
            return occurrence.not_here("the name of a program").map(drop);
        }
        if let Some(variable) = before_program(occurrence, call).filter(|name| steers(name)) {
            return Err(occurrence.steers(variable));
        }
        let fed = matches!(call.input, Input::Program { .. }) || document;
        if is_code(occurrence, call) || fed && reads_code(call) {
            return Err(occurrence.is_code_of(call));
        }
    }
    refuse_carried(occurrence, shell, path, &calls)
}

impl Occurrence<'_> {
    fn is_in(&self, word: &Word) -> bool {
        word.start <= self.start && self.end <= word.end
    }

    fn steers(&self, variable: &str) -> BindError {
        BindError::Steers { placeholder: self.placeholder.to_owned(), variable: variable.to_owned() }
    }

    fn is_code_of(&self, call: &Call) -> BindError {
        BindError::Code { placeholder: self.placeholder.to_owned(), program: program(call).to_owned() }
    }
}

fn program(call: &Call) -> &str {
    risk::innermost(&call.words).first().map_or("", |word| base(&word.text))
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The variable whose value the place is a part of.
fn assigned_to(shell: &Shell<'_>, path: &[Node<'_>]) -> Option<String> {
    let assignment = path.iter().rev().find(|node| node.kind() == "variable_assignment")?;
    Some(shell.of(assignment.child_by_field_name("name")?).to_owned())
}

/// The same for a word before a program: `env NAME=…`, `sudo NAME=…`.
fn before_program<'c>(occurrence: &Occurrence<'_>, call: &'c Call) -> Option<&'c str> {
    let before = call.words.len() - risk::innermost(&call.words).len();
    let word = call.words[..before].iter().find(|word| occurrence.is_in(word))?;
    word.text.split_once('=').map(|(name, _)| name)
}

/// A value that chooses the program would choose what the rules have judged: as its name, or as the file that a shell runs.
fn chooses_program(occurrence: &Occurrence<'_>, call: &Call) -> bool {
    let words = risk::innermost(&call.words);
    let runs = RUNNERS.contains(&program(call));
    let script = words.iter().skip(1).find(|word| !word.text.starts_with('-') || word.text == "-").filter(|_| runs);
    let fed =
        runs && matches!(&call.input, Input::File(file) if script.is_none() && file.contains(occurrence.placeholder));
    fed || words.first().into_iter().chain(script).any(|word| occurrence.is_in(word))
}

fn is_code(occurrence: &Occurrence<'_>, call: &Call) -> bool {
    let code = risk::code_words(&call.words);
    let mut words = code.iter().filter_map(|index| call.words.get(*index));
    words.any(|word| occurrence.is_in(word)) || is_code_of_option(occurrence, call)
}

/// Words that the program takes as a command although they stand behind an option, and those of builtins that load code.
fn is_code_of_option(occurrence: &Occurrence<'_>, call: &Call) -> bool {
    let words = risk::innermost(&call.words);
    let Some(at) = words.iter().skip(1).position(|word| occurrence.is_in(word)).map(|at| at + 1) else { return false };
    let name = program(call);
    let options = OPTIONS.iter().filter(|(programs, _)| programs.contains(&name)).flat_map(|(_, options)| *options);
    let (word, before) = (&words[at].text, &words[at - 1].text);
    BUILTINS.contains(&name)
        // `make X=…` reads the value as its own language, in which `$(shell …)` runs.
        || matches!(name, "make" | "gmake") && word.contains('=')
        || options.into_iter().any(|option| before == option || word.starts_with(option) && word.len() > option.len())
}

/// Whether a program runs what it is fed, or hands it to a shell word by word.
fn reads_code(call: &Call) -> bool {
    let hands_on = call.words.iter().any(|word| matches!(base(&word.text), "xargs" | "parallel"));
    risk::reads_code(&call.words) || hands_on && !risk::code_words(&call.words).is_empty()
}

/// Refuses a value that a variable of the command's own takes to a place where it is code: `x=PLACE; ssh host "ls $x"`.
fn refuse_carried(
    occurrence: &Occurrence<'_>,
    shell: &Shell<'_>,
    path: &[Node<'_>],
    calls: &[Call],
) -> Result<(), BindError> {
    let carriers = carriers(shell, path);
    for call in calls {
        for word in risk::code_words(&call.words).into_iter().filter_map(|index| call.words.get(index)) {
            let reads = |name: &&String| expansions(shell, word.start, word.end, name).next().is_some();
            if let Some(variable) = carriers.iter().find(reads) {
                return Err(BindError::Carried {
                    placeholder: occurrence.placeholder.to_owned(),
                    variable: variable.clone(),
                    program: program(call).to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// The variables of the command that hold the value, or a part of it, or what came of it.
fn carriers(shell: &Shell<'_>, path: &[Node<'_>]) -> Vec<String> {
    let holds = |pair: &[Node<'_>]| pair[0].kind() == "variable_assignment" || is_loop(pair[0]) && !is_body(pair[1]);
    let mut found: Vec<String> =
        path.windows(2).filter(|pair| holds(pair)).filter_map(|pair| name_of(shell, pair[0])).collect();
    let all = assignments(shell);
    let mut known = 0;
    while known < found.len() {
        let name = found[known].clone();
        known += 1;
        let hold = all.iter().filter(|node| {
            let end = children(**node).into_iter().find(|child| is_loop(**node) && is_body(*child));
            let end = end.map_or(node.end_byte(), |body| body.start_byte());
            expansions(shell, node.start_byte(), end, &name).next().is_some()
        });
        for carrier in hold.filter_map(|node| name_of(shell, *node)) {
            if !found.contains(&carrier) {
                found.push(carrier);
            }
        }
    }
    found
}

fn is_loop(node: Node<'_>) -> bool {
    node.kind() == "for_statement"
}

fn is_body(node: Node<'_>) -> bool {
    matches!(node.kind(), "do_group" | "compound_statement")
}

/// Everything in the text that gives a variable a value.
fn assignments<'s>(shell: &'s Shell<'_>) -> Vec<Node<'s>> {
    let mut found = Vec::new();
    let mut open = vec![shell.root()];
    while let Some(node) = open.pop() {
        if node.kind() == "variable_assignment" || is_loop(node) {
            found.push(node);
        }
        open.extend(children(node));
    }
    found
}

fn name_of(shell: &Shell<'_>, node: Node<'_>) -> Option<String> {
    let field = if node.kind() == "for_statement" { "variable" } else { "name" };
    let name = shell.of(node.child_by_field_name(field)?);
    Some(name.split('[').next().unwrap_or(name).to_owned())
}

/// Where the shell puts a variable in, between two bytes.
fn expansions(shell: &Shell<'_>, start: usize, end: usize, name: &str) -> impl Iterator<Item = usize> {
    let text = shell.text().get(start..end).unwrap_or_default();
    text.match_indices('$').map(move |(at, _)| start + at).filter(move |at| {
        let rest = &shell.text()[at + 1..];
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let whole = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        rest.strip_prefix(name).is_some_and(whole) && is_expansion(shell, *at)
    })
}
