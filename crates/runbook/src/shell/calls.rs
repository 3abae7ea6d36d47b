//! Every program that a piece of shell text starts, wherever it stands in it, with its words.

use tree_sitter::Node;

use super::{Shell, children};

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Its text without quotes; what the shell would put in place of `$…` stays as written.
    pub(crate) text: String,
    /// Where it begins in the text, in bytes.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// Whether the shell puts something in.
    pub(crate) expands: bool,
    /// Whether any of it is in quotes.
    pub(crate) quoted: bool,
}

/// One program with its words; the first is the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The words.
    pub(crate) words: Vec<Word>,
    /// Whether it reads what another program of the pipeline writes.
    pub(crate) fed: bool,
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// `>`, `>>`, `<` …
    pub(crate) operator: String,
    /// The file, or the number of a descriptor.
    pub(crate) to: String,
    /// Whether a program stands before it.
    pub(crate) bare: bool,
}

/// The programs and redirections in a piece of text, in the order in which they are written.
pub(crate) fn calls(shell: &Shell<'_>) -> (Vec<Call>, Vec<Redirect>) {
    let mut found = (Vec::new(), Vec::new());
    visit(shell, shell.root(), false, &mut found);
    found
}

fn visit(shell: &Shell<'_>, node: Node<'_>, fed: bool, found: &mut (Vec<Call>, Vec<Redirect>)) {
    match node.kind() {
        "command" => found.0.push(Call { words: words(shell, node), fed }),
        "declaration_command" | "unset_command" | "test_command" => {
            let first = shell.of(node).split_whitespace().next().unwrap_or_default();
            found.0.push(Call { words: vec![bare_word(node, first)], fed });
        }
        "file_redirect" => found.1.push(redirect(shell, node)),
        _ => {}
    }
    let piped = node.kind() == "pipeline";
    let in_heredoc = node.kind() == "heredoc_redirect";
    for (index, child) in children(node).into_iter().enumerate() {
        let fed = match child.kind() {
            // What is written in a substitution is fed by nothing that stands around it.
            "command_substitution" | "process_substitution" => false,
            "pipeline" if in_heredoc => true,
            _ => fed || (piped && index > 0),
        };
        visit(shell, child, fed, found);
    }
}

fn bare_word(node: Node<'_>, text: &str) -> Word {
    let start = node.start_byte();
    Word { text: text.to_owned(), start, end: start + text.len(), expands: false, quoted: false }
}

fn words(shell: &Shell<'_>, command: Node<'_>) -> Vec<Word> {
    children(command)
        .into_iter()
        .filter(|child| {
            !matches!(child.kind(), "variable_assignment" | "herestring_redirect" | "file_redirect" | "comment")
        })
        .map(|child| if child.kind() == "command_name" { child.named_child(0).unwrap_or(child) } else { child })
        .map(|child| word(shell, child))
        .collect()
}

fn word(shell: &Shell<'_>, node: Node<'_>) -> Word {
    let mut word =
        Word { text: String::new(), start: node.start_byte(), end: node.end_byte(), expands: false, quoted: false };
    add(shell, node, &mut word);
    word
}

fn add(shell: &Shell<'_>, node: Node<'_>, word: &mut Word) {
    let raw = shell.of(node);
    match node.kind() {
        "word" | "number" | "extglob_pattern" | "test_operator" => word.text.push_str(&unescape(raw, |_| true)),
        "raw_string" => {
            word.quoted = true;
            word.text.push_str(raw.trim_matches('\''));
        }
        "ansi_c_string" => {
            word.quoted = true;
            word.text.push_str(raw.trim_start_matches('$').trim_matches('\''));
        }
        "string" | "translated_string" => {
            word.quoted = true;
            word.expands |= children(node).iter().any(|child| child.kind() != "string_content");
            let inner = raw.trim_start_matches('$');
            let inner = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(inner);
            word.text.push_str(&unescape(inner, |c| matches!(c, '"' | '\\' | '$' | '`' | '\n')));
        }
        "concatenation" => {
            for child in children(node) {
                add(shell, child, word);
            }
        }
        _ => {
            word.expands = true;
            word.text.push_str(raw);
        }
    }
}

/// Text without the backslashes that quote the next character.
fn unescape(text: &str, quotes: impl Fn(char) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(next) if character == '\\' && quotes(*next) => {
                let next = *next;
                characters.next();
                if next != '\n' {
                    plain.push(next);
                }
            }
            _ => plain.push(character),
        }
    }
    plain
}

fn redirect(shell: &Shell<'_>, node: Node<'_>) -> Redirect {
    let mut cursor = node.walk();
    let operator = node.children(&mut cursor).find(|child| !child.is_named()).map(|child| shell.of(child).to_owned());
    let to = node.child_by_field_name("destination").map(|child| word(shell, child).text);
    let bare = node.parent().is_none_or(|parent| {
        parent.kind() == "redirected_statement"
            && parent.child_by_field_name("body").is_none_or(|body| shell.of(body) == ":")
    });
    Redirect { operator: operator.unwrap_or_default(), to: to.unwrap_or_default(), bare }
}

/// The members of the pipeline that the text is, each with its first program; one member when it is no pipeline.
pub(crate) fn pipeline(shell: &Shell<'_>) -> Vec<Vec<Word>> {
    let mut node = shell.root();
    loop {
        let inner = match node.kind() {
            "program" => children(node).into_iter().find(|child| child.kind() != "comment"),
            "redirected_statement" => node.child_by_field_name("body"),
            "negated_command" => node.named_child(0),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    let members = if node.kind() == "pipeline" { children(node) } else { vec![node] };
    members.into_iter().filter(|member| member.kind() != "comment").map(|member| first_program(shell, member)).collect()
}

fn first_program(shell: &Shell<'_>, node: Node<'_>) -> Vec<Word> {
    let mut found = (Vec::new(), Vec::new());
    visit(shell, node, false, &mut found);
    found.0.into_iter().next().map(|call| call.words).unwrap_or_default()
}
