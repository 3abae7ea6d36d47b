//! The reference that fits a place in the syntax tree, and the places where none does.

use tree_sitter::Node;

use super::{BindError, Occurrence};

/// Where bash would evaluate the value itself.
const ARITHMETIC: &str = "arithmetic";

/// The reference that fits the innermost quoting around the place.
pub(super) fn reference(occurrence: &Occurrence<'_>, path: &[Node<'_>], text: &str) -> Result<String, BindError> {
    let name = occurrence.name;
    if let Some(node) = path.iter().find(|node| is_backtick(**node, text))
        && text[node.byte_range()].contains('\\')
    {
        // Each level of backticks takes one level of backslashes away before the quotes are read.
        return occurrence.not_here("backticks with a backslash in them; write $( … ) instead");
    }
    for node in path.iter().rev() {
        match node.kind() {
            "comment" => return occurrence.not_here("a comment"),
            "heredoc_start" | "heredoc_end" => return occurrence.not_here("the mark of a here-document"),
            "heredoc_body" | "simple_heredoc_body" => {
                return if is_quoted_heredoc(*node, text) {
                    occurrence.not_here("a quoted here-document; take the quotes off its mark")
                } else {
                    Ok(format!("${{{name}}}"))
                };
            }
            "raw_string" => return within(occurrence, *node, "'", format!("'\"${{{name}}}\"'")),
            "ansi_c_string" => return within(occurrence, *node, "$'", format!("'\"${{{name}}}\"$'")),
            "string" | "translated_string" => return within(occurrence, *node, "\"", format!("${{{name}}}")),
            "variable_name" | "special_variable_name" => return occurrence.not_here("the name of a variable"),
            "expansion" => return occurrence.not_here("a parameter expansion"),
            "arithmetic_expansion" | "subscript" | "c_style_for_statement" => return occurrence.not_here(ARITHMETIC),
            "compound_statement" if text[node.start_byte()..].starts_with("((") => {
                return occurrence.not_here(ARITHMETIC);
            }
            "command_substitution" | "process_substitution" | "subshell" => break,
            _ => {}
        }
    }
    if text[..occurrence.start].ends_with('~') {
        return occurrence.not_here("a word behind ~, where a shell looks up only a name that it reads itself");
    }
    Ok(format!("\"${{{name}}}\""))
}

/// A reference inside quotes; the placeholder must not reach beyond them.
fn within(occurrence: &Occurrence<'_>, node: Node<'_>, opening: &str, reference: String) -> Result<String, BindError> {
    let inside = occurrence.start >= node.start_byte() + opening.len() && occurrence.end < node.end_byte();
    if inside { Ok(reference) } else { occurrence.not_here("words that are quoted only in part") }
}

fn is_backtick(node: Node<'_>, text: &str) -> bool {
    node.kind() == "command_substitution" && text[node.start_byte()..].starts_with('`')
}

/// Refuses names of variables and functions, and arithmetic in the shell's own commands: `[[ 1 -eq … ]]`, `export …`, `unset …`.
pub(super) fn refuse_names(occurrence: &Occurrence<'_>, path: &[Node<'_>], text: &str) -> Result<(), BindError> {
    for (at, node) in path.iter().enumerate() {
        let words = || text[node.byte_range()].split_whitespace();
        let place = match node.kind() {
            "unset_command" => Some("the name of a variable"),
            "function_definition" if path.get(at + 1).is_some_and(|child| child.kind() == "word") => {
                Some("the name of a function")
            }
            "array" if is_subscript(occurrence, *node, text) => Some(ARITHMETIC),
            "variable_assignment" if counts(path, text) => Some(ARITHMETIC),
            "declaration_command" => {
                let steers = words().any(|word| word.starts_with('-') && word.contains(['i', 'n', 'a', 'A']));
                let valued = path.iter().any(|node| node.kind() == "variable_assignment");
                (steers || !valued).then_some("the declaration of a variable")
            }
            "test_command" => {
                let counts = ["-v", "-R", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"];
                words().any(|word| counts.contains(&word)).then_some(ARITHMETIC)
            }
            _ => None,
        };
        if let Some(place) = place {
            return occurrence.not_here(place).map(drop);
        }
    }
    Ok(())
}

/// Whether the place is in the brackets of `( [ … ]=… )`: bash calculates what stands there, and runs what stands in that.
fn is_subscript(occurrence: &Occurrence<'_>, array: Node<'_>, text: &str) -> bool {
    let before = &text[array.start_byte()..occurrence.start];
    let closing = |text: &str| text.rfind("]=").max(text.rfind("]+="));
    before.rfind('[') > closing(before) && closing(&text[occurrence.end..array.end_byte()]).is_some()
}

/// Whether a variable in the text is declared as a number (`declare -i`): an assignment to it is arithmetic.
fn counts(path: &[Node<'_>], text: &str) -> bool {
    let Some(root) = path.first() else { return false };
    let mut open = vec![*root];
    while let Some(node) = open.pop() {
        let declares = node.kind() == "declaration_command"
            && text[node.byte_range()].split_whitespace().any(|word| word.starts_with('-') && word.contains('i'));
        if declares {
            return true;
        }
        open.extend(crate::shell::children(node));
    }
    false
}

fn is_quoted_heredoc(body: Node<'_>, text: &str) -> bool {
    let mut cursor = body.walk();
    let Some(redirect) = body.parent() else { return true };
    let start = redirect.children(&mut cursor).find(|child| child.kind() == "heredoc_start");
    start.is_none_or(|start| text[start.byte_range()].contains(['\'', '"', '\\']))
}
