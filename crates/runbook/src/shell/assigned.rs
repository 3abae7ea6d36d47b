//! The variables that a piece of shell text sets, in any way that its tree shows.

use tree_sitter::Node;

use super::{Shell, Word, calls, children};

/// The names, in the order in which they are found.
pub(crate) fn assigned(shell: &Shell<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let mut open = vec![shell.root()];
    while let Some(node) = open.pop() {
        names.extend(by_node(shell, node));
        open.extend(children(node));
    }
    names.extend(calls(shell).0.iter().flat_map(|call| by_program(&call.words)));
    names
}

/// `for name in …`, `name=…`, `local name`, `unset name`, `${name:=…}`, `(( name = … ))`.
fn by_node(shell: &Shell<'_>, node: Node<'_>) -> Vec<String> {
    match node.kind() {
        "for_statement" => {
            node.child_by_field_name("variable").map(|name| shell.of(name).to_owned()).into_iter().collect()
        }
        "variable_assignment" => assignment(shell, node),
        "declaration_command" if shell.of(node).starts_with("export") => Vec::new(),
        "declaration_command" | "unset_command" | "postfix_expression" | "unary_expression" => names_below(shell, node),
        "expansion" if sets_default(shell.of(node)) => names_below(shell, node),
        "binary_expression" if in_arithmetic(node) && has_assignment(shell, node) => names_below(shell, node),
        _ => Vec::new(),
    }
}

/// The name, and with `declare -n other=name` what it stands for.
fn assignment(shell: &Shell<'_>, node: Node<'_>) -> Vec<String> {
    let name = node.child_by_field_name("name").map(|name| shell.of(name));
    let name = name.map(|name| name.split('[').next().unwrap_or(name).to_owned());
    let refers = node.parent().is_some_and(|parent| {
        parent.kind() == "declaration_command"
            && shell.of(parent).split_whitespace().any(|word| word.starts_with('-') && word.contains('n'))
    });
    let value = node.child_by_field_name("value").filter(|_| refers).map(|value| shell.of(value).to_owned());
    name.into_iter().chain(value).collect()
}

fn names_below(shell: &Shell<'_>, node: Node<'_>) -> Vec<String> {
    let names = children(node).into_iter().filter(|child| matches!(child.kind(), "variable_name" | "word"));
    names.map(|name| shell.of(name).to_owned()).collect()
}

/// `${name=…}` and `${name:=…}`.
fn sets_default(text: &str) -> bool {
    let rest = text.trim_start_matches("${").trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    rest.starts_with('=') || rest.starts_with(":=")
}

fn in_arithmetic(node: Node<'_>) -> bool {
    let mut parent = node.parent();
    while let Some(node) = parent {
        match node.kind() {
            "arithmetic_expansion" | "compound_statement" | "c_style_for_statement" => return true,
            "test_command" => return false,
            _ => parent = node.parent(),
        }
    }
    false
}

fn has_assignment(shell: &Shell<'_>, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    let operator = node.children(&mut cursor).find(|child| !child.is_named());
    let operator = operator.map_or("", |operator| shell.of(operator));
    operator.ends_with('=') && !matches!(operator, "==" | "!=" | "<=" | ">=")
}

/// `read name`, `mapfile name`, `getopts … name`, `printf -v name`, `let name=…`, `select`, `exec {name}>…`.
fn by_program(words: &[Word]) -> Vec<String> {
    let Some((program, rest)) = words.split_first() else { return Vec::new() };
    let texts = || rest.iter().map(|word| word.text.as_str());
    let plain = || texts().filter(|word| !word.starts_with('-')).map(name_in).collect();
    match program.text.as_str() {
        "read" | "mapfile" | "readarray" | "getopts" | "let" | "coproc" | "select" => plain(),
        "printf" | "wait" => {
            let at = rest.iter().position(|word| matches!(word.text.as_str(), "-v" | "-p"));
            at.and_then(|at| rest.get(at + 1)).map(|word| name_in(&word.text)).into_iter().collect()
        }
        "exec" => texts().filter_map(|word| word.strip_prefix('{')?.strip_suffix('}')).map(str::to_owned).collect(),
        "builtin" | "command" => by_program(rest),
        _ => Vec::new(),
    }
}

/// The name at the beginning of a word, as in `name[1]`, `name=1` or `name++`.
fn name_in(word: &str) -> String {
    word.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}
