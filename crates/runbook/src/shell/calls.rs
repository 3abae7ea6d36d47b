//! Every program that a piece of shell text starts, wherever it stands in it, with its words.

use std::rc::Rc;

use tree_sitter::Node;

use super::words::{word, words};
use super::{Shell, Word, children};

/// One program with its words; the first is the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The words.
    pub(crate) words: Vec<Word>,
    /// What it reads.
    pub(crate) input: Input,
}

/// What a program reads on its standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Input {
    /// What stands around it gives it nothing.
    #[default]
    Nothing,
    /// What another program writes.
    Program {
        /// What of that stands in the text: the words of `echo`, a here-document.
        says: String,
        /// Whether that is all of it.
        all: bool,
        /// The words of the program, and of those before it.
        by: String,
    },
    /// A here-document or a here-string; empty when nothing at all comes.
    Text {
        /// What it says.
        says: String,
        /// Whether the shell puts something in before the program sees it.
        put_in: bool,
    },
    /// A file.
    File(String),
}

impl Input {
    /// Nothing, although something feeds it: `< /dev/null`, `true | …`.
    fn empty() -> Self {
        Self::Text { says: String::new(), put_in: false }
    }

    /// Whatever a program writes.
    fn of_program() -> Self {
        Self::Program { says: String::new(), all: false, by: String::new() }
    }

    /// What of the input stands in the text: words, or the name of the file.
    pub(crate) fn said(&self) -> &str {
        match self {
            Self::Nothing => "",
            Self::Program { says: said, .. } | Self::Text { says: said, .. } | Self::File(said) => said,
        }
    }
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// `>`, `>>`, `<` …
    pub(crate) operator: String,
    /// The file, or the number of a descriptor.
    pub(crate) to: String,
    /// Whether nothing stands before it that writes something.
    pub(crate) bare: bool,
    /// The words of the programs whose output it takes, those before them in the pipeline included.
    pub(crate) beside: Rc<[String]>,
}

/// The programs and redirections in a piece of text, in the order in which they are written.
pub(crate) fn calls(shell: &Shell<'_>) -> (Vec<Call>, Vec<Redirect>) {
    calls_fed(shell, &Input::Nothing)
}

/// The same for text that is itself fed.
pub(crate) fn calls_fed(shell: &Shell<'_>, input: &Input) -> (Vec<Call>, Vec<Redirect>) {
    let mut found = Found { shell, calls: Vec::new(), redirects: Vec::new(), beside: None };
    found.visit(shell.root(), input);
    (found.calls, found.redirects)
}

struct Found<'s, 't> {
    shell: &'s Shell<'t>,
    calls: Vec<Call>,
    redirects: Vec<Redirect>,
    /// The statement whose redirection was met last, by its number, and the words in it.
    beside: Option<(usize, Rc<[String]>)>,
}

impl Found<'_, '_> {
    fn visit(&mut self, node: Node<'_>, input: &Input) {
        match node.kind() {
            "command" => self.command(node, input),
            "declaration_command" | "unset_command" | "test_command" => {
                let first = self.shell.of(node).split_whitespace().next().unwrap_or_default();
                self.calls.push(Call { words: vec![bare_word(node, first)], input: input.clone() });
                self.children(node, input);
            }
            "file_redirect" => {
                let beside = self.beside(node);
                self.redirects.push(Redirect { beside, ..redirect(self.shell, node) });
                self.children(node, input);
            }
            "pipeline" => self.pipeline(node, input),
            "redirected_statement" => self.redirected(node, input),
            // What is written in a substitution is fed by nothing that stands around it, but `>( … )` is.
            "process_substitution" if self.shell.of(node).starts_with('>') => {
                self.children(node, &Input::of_program());
            }
            "command_substitution" | "process_substitution" => self.children(node, &Input::Nothing),
            _ => self.children(node, input),
        }
    }

    /// What stands beside a redirection; one statement may have many.
    fn beside(&mut self, node: Node<'_>) -> Rc<[String]> {
        let Some(whole) = whole(node) else { return Rc::default() };
        match &self.beside {
            Some((id, known)) if *id == whole.id() => Rc::clone(known),
            _ => {
                let found = beside(self.shell, whole);
                self.beside = Some((whole.id(), Rc::clone(&found)));
                found
            }
        }
    }

    fn children(&mut self, node: Node<'_>, input: &Input) {
        for child in children(node) {
            self.visit(child, input);
        }
    }

    fn command(&mut self, node: Node<'_>, input: &Input) {
        let own = fed_by(self.shell, &children(node));
        let input = own.unwrap_or_else(|| input.clone());
        self.calls.push(Call { words: words(self.shell, node), input: input.clone() });
        self.children(node, &input);
    }

    /// Each member reads what the one before it writes.
    fn pipeline(&mut self, node: Node<'_>, input: &Input) {
        self.members(&flat(node), input.clone());
    }

    fn members(&mut self, members: &[Node<'_>], mut input: Input) {
        for member in members {
            let from = self.calls.len();
            self.visit(*member, &input);
            input = self.written(from, *member);
        }
    }

    /// What the programs since a place write, as far as it stands in the text.
    fn written(&self, from: usize, member: Node<'_>) -> Input {
        let calls = &self.calls[from..];
        if let [call] = calls
            && member.kind() == "command"
            && writes_nothing(&call.words)
        {
            return Input::empty();
        }
        let says: Vec<String> = calls.iter().map(says).collect();
        let all = calls.len() == 1 && !says[0].is_empty() && !calls[0].words.iter().any(|word| word.expands);
        let plain = matches!(member.kind(), "command" | "redirected_statement" | "heredoc_redirect");
        let by = by(calls);
        Input::Program { says: says.join("\n").trim().to_owned(), all: all && plain, by }
    }

    /// A redirection of the input belongs to the last member of a pipeline or of a list, and to all of anything else.
    fn redirected(&mut self, node: Node<'_>, input: &Input) {
        let all = children(node);
        let body = node.child_by_field_name("body");
        let redirects: Vec<Node<'_>> = all.into_iter().filter(|child| Some(*child) != body).collect();
        let own = fed_by(self.shell, &redirects);
        let from = self.calls.len();
        if let Some(body) = body {
            self.body(body, input, own.as_ref());
        }
        for redirect in redirects {
            if redirect.kind() == "heredoc_redirect" {
                self.heredoc(redirect, from, input);
            } else {
                self.visit(redirect, input);
            }
        }
    }

    fn body(&mut self, node: Node<'_>, input: &Input, own: Option<&Input>) {
        let parts = flat(node);
        match (node.kind(), own, parts.split_last()) {
            ("list", Some(own), Some((last, before))) => {
                for part in before {
                    self.visit(*part, input);
                }
                self.body(*last, input, Some(own));
            }
            ("pipeline", Some(own), Some((last, before))) => {
                self.members(before, input.clone());
                self.visit(*last, own);
            }
            _ => self.visit(node, own.unwrap_or(input)),
        }
    }

    /// What stands on the line behind the mark: more words of the program, a pipeline it feeds, another command.
    fn heredoc(&mut self, node: Node<'_>, from: usize, input: &Input) {
        let mut cursor = node.walk();
        let more: Vec<Word> =
            node.children_by_field_name("argument", &mut cursor).map(|word_of| word(self.shell, word_of)).collect();
        if let Some(last) = self.calls.get_mut(from..).and_then(<[Call]>::last_mut) {
            last.words.extend(more);
        }
        for child in children(node) {
            match child.kind() {
                "pipeline" => {
                    let written = self.written(from, node);
                    self.members(&flat(child), written);
                }
                _ => self.visit(child, input),
            }
        }
    }
}

/// The members of a pipeline; behind the mark of a here-document the tree has one in another.
fn flat(node: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    for child in children(node) {
        if child.kind() == "pipeline" && node.kind() == "pipeline" {
            found.extend(children(child));
        } else {
            found.push(child);
        }
    }
    found
}

/// What redirections feed a program, the last one first.
fn fed_by(shell: &Shell<'_>, redirects: &[Node<'_>]) -> Option<Input> {
    redirects.iter().rev().find_map(|node| match node.kind() {
        "heredoc_redirect" => {
            let body = children(*node).into_iter().find(|child| child.kind().ends_with("heredoc_body"));
            let put_in = body.is_some_and(|body| !children(body).iter().all(|child| child.kind() == "heredoc_content"));
            Some(Input::Text { says: body.map(|body| shell.of(body).to_owned()).unwrap_or_default(), put_in })
        }
        "herestring_redirect" => {
            let text = node.named_child(0).map(|text| word(shell, text)).unwrap_or_default();
            Some(Input::Text { says: text.text, put_in: text.expands })
        }
        "file_redirect" => {
            let Redirect { operator, to, .. } = redirect(shell, *node);
            match operator.as_str() {
                "<" | "<>" if to.starts_with("<(") => Some(Input::of_program()),
                "<" | "<>" if to == "/dev/null" => Some(Input::empty()),
                "<" | "<>" => Some(Input::File(to)),
                _ => None,
            }
        }
        _ => None,
    })
}

/// What stood before in a pipeline is handed on up to this length.
const FAR: usize = 1_000;

/// The words of programs, the files that they read, and what stood before them in the pipeline.
fn by(calls: &[Call]) -> String {
    let before = calls.first().and_then(|call| match &call.input {
        Input::Program { by, .. } => Some(by.as_str()).filter(|by| by.len() < FAR),
        _ => None,
    });
    let files = calls.iter().filter_map(|call| match &call.input {
        Input::File(file) => Some(file.as_str()),
        _ => None,
    });
    let words = calls.iter().flat_map(|call| call.words.iter().map(|word| word.text.as_str()));
    before.into_iter().chain(words).chain(files).collect::<Vec<_>>().join(" ")
}

/// What a program writes, as far as it stands in the text.
fn says(call: &Call) -> String {
    let name = call.words.first().map_or("", |word| word.text.rsplit('/').next().unwrap_or_default());
    match name {
        "echo" | "printf" => {
            let words = call.words[1..].iter().map(|word| word.text.as_str());
            let said = words.skip_while(|word| matches!(*word, "-e" | "-n" | "-ne" | "-en" | "-E" | "--"));
            said.collect::<Vec<_>>().join(" ").replace("\\n", "\n")
        }
        "cat" | "tee" | "sed" | "envsubst" => match &call.input {
            Input::File(_) => String::new(),
            input => input.said().to_owned(),
        },
        _ => String::new(),
    }
}

fn bare_word(node: Node<'_>, text: &str) -> Word {
    let start = node.start_byte();
    Word { text: text.to_owned(), start, end: start + text.len(), ..Word::default() }
}

/// Whether the output of a program is empty, or as good as empty: what it is written over is emptied.
fn writes_nothing(words: &[Word]) -> bool {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    match texts.as_slice() {
        [":" | "true" | "false", ..] => true,
        ["cat", files @ ..] => !files.is_empty() && files.iter().all(|file| *file == "/dev/null"),
        ["echo", rest @ ..] => rest.iter().all(|word| matches!(*word, "" | "-n")),
        ["printf", rest @ ..] => matches!(rest, ["" | "%s"] | ["%s", ""]),
        _ => false,
    }
}

fn redirect(shell: &Shell<'_>, node: Node<'_>) -> Redirect {
    let mut cursor = node.walk();
    let operator = node.children(&mut cursor).find(|child| !child.is_named()).map(|child| shell.of(child).to_owned());
    let to = node.child_by_field_name("destination").map(|child| word(shell, child).text);
    let bare = node.parent().is_none_or(|parent| {
        parent.kind() == "redirected_statement"
            && parent
                .child_by_field_name("body")
                .is_none_or(|body| body.kind() == "command" && writes_nothing(&words(shell, body)))
    });
    Redirect { operator: operator.unwrap_or_default(), to: to.unwrap_or_default(), bare, beside: Rc::default() }
}

/// The statement, or the pipeline, whose output a redirection takes.
fn whole(node: Node<'_>) -> Option<Node<'_>> {
    let statement = node.parent().filter(|parent| parent.kind() == "redirected_statement")?;
    Some(statement.parent().filter(|parent| parent.kind() == "pipeline").unwrap_or(statement))
}

/// So many words beside a redirection are looked at.
const BESIDE: usize = 1_000;

/// The words of the programs in a statement; what `echo` and `printf` say are no files.
fn beside(shell: &Shell<'_>, whole: Node<'_>) -> Rc<[String]> {
    let members = members(shell, whole).into_iter().filter(|words| {
        let program = words.first().map_or("", |word| word.text.as_str());
        !matches!(program, "echo" | "printf")
    });
    members.flatten().take(BESIDE).map(|word| word.text).collect()
}

/// The members of the pipeline that the text is, each with its words; none when the text is anything else, as a list or a loop.
///
/// A member that is no simple command has no words.
pub(crate) fn pipeline(shell: &Shell<'_>) -> Vec<Vec<Word>> {
    let statements: Vec<Node<'_>> =
        children(shell.root()).into_iter().filter(|child| child.kind() != "comment").collect();
    match statements.as_slice() {
        [one] => members(shell, *one),
        _ => Vec::new(),
    }
}

/// The members of one statement.
fn members(shell: &Shell<'_>, statement: Node<'_>) -> Vec<Vec<Word>> {
    match statement.kind() {
        "pipeline" => flat(statement).into_iter().map(|member| member_words(shell, member)).collect(),
        "redirected_statement" => {
            let redirects = children(statement);
            let heredoc = redirects.iter().find(|child| child.kind() == "heredoc_redirect");
            let mut found = statement.child_by_field_name("body").map(|body| members(shell, body)).unwrap_or_default();
            let Some(heredoc) = heredoc else { return found };
            if heredoc.child_by_field_name("right").is_some() {
                return Vec::new();
            }
            for child in children(*heredoc).into_iter().filter(|child| child.kind() == "pipeline") {
                found.extend(flat(child).into_iter().map(|member| member_words(shell, member)));
            }
            found
        }
        "command" | "declaration_command" | "unset_command" | "test_command" => vec![member_words(shell, statement)],
        _ => Vec::new(),
    }
}

fn member_words(shell: &Shell<'_>, node: Node<'_>) -> Vec<Word> {
    match node.kind() {
        "command" => words(shell, node),
        "redirected_statement" => {
            node.child_by_field_name("body").map(|body| member_words(shell, body)).unwrap_or_default()
        }
        "declaration_command" | "unset_command" | "test_command" => {
            let first = shell.of(node).split_whitespace().next().unwrap_or_default();
            vec![bare_word(node, first)]
        }
        _ => Vec::new(),
    }
}

/// Every pipeline of a text that is run as a part of it, wherever it stands, with the words of its members. A member that is a
/// loop or a group has no words here; its own pipelines follow.
pub(crate) fn pipelines(shell: &Shell<'_>) -> Vec<Vec<Vec<Word>>> {
    let mut found = Vec::new();
    let mut open = vec![shell.root()];
    while let Some(node) = open.pop() {
        match node.kind() {
            "command" | "pipeline" => {
                found.push(members(shell, node));
                open.extend(
                    children(node).into_iter().filter(|child| node.kind() == "pipeline" && child.kind() != "command"),
                );
            }
            "command_substitution" | "process_substitution" | "function_definition" => {}
            _ => open.extend(children(node)),
        }
    }
    found
}
