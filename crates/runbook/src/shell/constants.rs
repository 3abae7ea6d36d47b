//! What the text itself says about its variables: the values that it gives them, and the words that they stand for.

use std::collections::HashMap;

use tree_sitter::Node;

use super::words::word;
use super::{Shell, Word, assigned, calls, children};

/// Every assignment with its value, wherever it stands: before a command, in `export`, alone.
pub(crate) fn assignments(shell: &Shell<'_>) -> Vec<(String, Word)> {
    let mut found = Vec::new();
    walk(shell, &mut |node| match node.kind() {
        "variable_assignment" => {
            let Some(name) = node.child_by_field_name("name") else { return };
            let value = node.child_by_field_name("value").map(|value| word(shell, value)).unwrap_or_default();
            found.push((shell.of(name).to_owned(), value));
        }
        // `export "NAME=value"` is no assignment to the tree.
        "declaration_command" => {
            for child in children(node).into_iter().filter(|child| child.kind() != "variable_assignment") {
                let whole = word(shell, child);
                if let Some((name, value)) = whole.text.split_once('=') {
                    found.push((name.to_owned(), whole.with(value)));
                }
            }
        }
        _ => {}
    });
    found
}

/// Quoted texts that the shell evaluates again, as `'a[$(…)]'` in `[[ … -eq … ]]`.
pub(crate) fn evaluated(shell: &Shell<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if !shell.text().contains(['$', '`']) {
        return found;
    }
    walk(shell, &mut |node| {
        if matches!(node.kind(), "raw_string" | "ansi_c_string") {
            let mut parent = node.parent();
            while let Some(outer) = parent {
                match outer.kind() {
                    "test_command" | "declaration_command" | "unset_command" | "subscript" | "arithmetic_expansion" => {
                        found.push(word(shell, node).text);
                        return;
                    }
                    "command" | "command_substitution" => return,
                    _ => parent = outer.parent(),
                }
            }
        }
    });
    found
}

fn walk<'s>(shell: &'s Shell<'_>, visit: &mut impl FnMut(Node<'s>)) {
    let mut open = vec![shell.root()];
    while let Some(node) = open.pop() {
        visit(node);
        open.extend(children(node));
    }
}

/// The words that a variable can stand for; several where the text gives it several values. `None`: that is not in the text.
pub(crate) struct Constants(HashMap<String, Option<Vec<Vec<Word>>>>);

/// A command is looked at with so many combinations of its variables.
const MOST_FORMS: usize = 64;

impl Constants {
    /// What the text says.
    pub(crate) fn of(shell: &Shell<'_>) -> Self {
        let mut found: HashMap<String, Option<Vec<Vec<Word>>>> = HashMap::new();
        if !shell.text().contains('$') {
            return Self(found);
        }
        let mut counted: HashMap<String, usize> = HashMap::new();
        let (mut functions, mut unsettled) = (false, false);
        walk(shell, &mut |node| {
            functions |= node.kind() == "function_definition";
            // `declare "$name=…"`, and another way to split words.
            let hidden = node.kind() == "declaration_command"
                && children(node)
                    .iter()
                    .any(|child| child.kind() != "variable_assignment" && word(shell, *child).expands);
            let splits = node.kind() == "variable_name" && shell.of(node) == "IFS";
            unsettled |= hidden || splits;
            if let Some((name, values)) = given(shell, node) {
                *counted.entry(name.clone()).or_insert(0) += 1;
                add(&mut found, name, values);
            }
        });
        let calls = calls(shell).0;
        if unsettled || calls.iter().any(|call| is_unsettling(&call.words)) {
            return Self(HashMap::new());
        }
        // A function has words of its own.
        if !functions {
            for call in &calls {
                if let [program, dashes, rest @ ..] = call.words.as_slice()
                    && program.text == "set"
                    && dashes.text == "--"
                {
                    let values = rest.iter().all(|word| !word.is_open()).then(|| vec![rest.to_vec()]);
                    add(&mut found, "@".to_owned(), values);
                }
            }
        }
        // What `read` and its like set as well is not in the text.
        for name in assigned(shell) {
            let known = counted.get_mut(&name);
            match known {
                Some(count) if *count > 0 => *count -= 1,
                _ => drop(found.insert(name, None)),
            }
        }
        Self(found)
    }

    /// The forms that words can have: each variable that is a whole word is replaced by what the text gives it.
    pub(crate) fn forms(&self, words: &[Word]) -> Vec<Vec<Word>> {
        let mut forms: Vec<Vec<Word>> = vec![Vec::with_capacity(words.len())];
        for word in words {
            let values = variable(word).and_then(|name| self.0.get(name)).and_then(Option::as_ref);
            match values {
                Some(values) if forms.len() * values.len() <= MOST_FORMS => {
                    forms = forms
                        .iter()
                        .flat_map(|form| values.iter().map(move |value| joined(form, value, word)))
                        .collect();
                }
                _ => forms.iter_mut().for_each(|form| form.push(word.clone())),
            }
        }
        forms
    }
}

/// Whether a program may set variables, or shift words, in a way that is not in the text.
fn is_unsettling(words: &[Word]) -> bool {
    let Some((program, rest)) = words.split_first() else { return false };
    let sets =
        ["read", "mapfile", "readarray", "getopts", "let", "unset", "wait", "printf", "export", "declare", "local"];
    let by_name = sets.contains(&program.text.as_str()) && rest.iter().any(|word| word.expands);
    let prints = program.text == "printf" && !rest.iter().any(|word| word.text.starts_with("-v"));
    matches!(program.text.as_str(), "eval" | "source" | "." | "trap" | "alias" | "shift" | "builtin")
        || by_name && !prints
}

fn joined(form: &[Word], value: &[Word], at: &Word) -> Vec<Word> {
    let value = value.iter().map(|word| Word { start: at.start, end: at.end, ..word.clone() });
    form.iter().cloned().chain(value).collect()
}

fn add(found: &mut HashMap<String, Option<Vec<Vec<Word>>>>, name: String, values: Option<Vec<Vec<Word>>>) {
    let entry = found.entry(name).or_insert_with(|| Some(Vec::new()));
    match (entry, values) {
        (Some(known), Some(values)) => known.extend(values),
        (entry, _) => *entry = None,
    }
}

/// The values that an assignment or a loop gives.
fn given(shell: &Shell<'_>, node: Node<'_>) -> Option<(String, Option<Vec<Vec<Word>>>)> {
    match node.kind() {
        "variable_assignment" => {
            let name = shell.of(node.child_by_field_name("name")?).to_owned();
            let adds = shell.of(node)[name.len()..].starts_with("+=");
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let value = node.child_by_field_name("value");
            let values = value.map_or_else(|| Some(Vec::new()), |value| words_of(shell, value));
            Some((
                name.split('[').next().unwrap_or_default().to_owned(),
                values.filter(|_| plain && !adds).map(|one| vec![one]),
            ))
        }
        "for_statement" => {
            let name = shell.of(node.child_by_field_name("variable")?).to_owned();
            let mut cursor = node.walk();
            let values: Vec<Word> =
                node.children_by_field_name("value", &mut cursor).map(|value| word(shell, value)).collect();
            let known = !values.is_empty() && values.iter().all(|word| !word.is_open());
            Some((name, known.then(|| values.into_iter().map(|word| vec![word]).collect())))
        }
        _ => None,
    }
}

/// The words of a value: those of an array, or of a text as the shell splits it.
fn words_of(shell: &Shell<'_>, value: Node<'_>) -> Option<Vec<Word>> {
    if value.kind() == "array" {
        let words: Vec<Word> = children(value).into_iter().map(|child| word(shell, child)).collect();
        return words.iter().all(|word| !word.is_open()).then_some(words);
    }
    let whole = word(shell, value);
    (!whole.expands).then(|| whole.text.split_whitespace().map(|text| whole.with(text)).collect())
}

/// The variable that a word is as a whole: `$x`, `${x}`, `"${x[@]}"`, `"$@"`.
fn variable(word: &Word) -> Option<&str> {
    if !word.expands {
        return None;
    }
    let inner = word.text.strip_prefix('$')?;
    let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
    let inner = inner.strip_suffix("[@]").or_else(|| inner.strip_suffix("[*]")).unwrap_or(inner);
    match inner {
        "*" => Some("@"),
        "@" => Some(inner),
        _ => inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(inner),
    }
}
