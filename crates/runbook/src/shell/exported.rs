//! The variables that a piece of shell text exports by name.

use super::{Shell, children};

/// The names in `export NAME`, `export NAME=value` and `declare -x NAME`, each once, in the order of the text.
pub(crate) fn exported(shell: &Shell<'_>) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = vec![shell.root()];
    while let Some(node) = open.pop() {
        if node.kind() == "declaration_command" && exports(shell.of(node)) {
            for child in children(node) {
                let name = match child.kind() {
                    "variable_assignment" => child.child_by_field_name("name"),
                    "variable_name" => Some(child),
                    _ => None,
                };
                // A subscript is an array, and no environment takes one.
                found.extend(name.map(|name| (name.start_byte(), shell.of(name).to_owned())));
            }
        }
        open.extend(children(node));
    }
    found.sort();
    let mut names: Vec<String> = Vec::new();
    for (_, name) in found {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `export` without `-f` (functions), `-n` (no longer) and `-p` (prints); `declare` and `typeset` with `-x`.
fn exports(declaration: &str) -> bool {
    let mut words = declaration.split_whitespace();
    let program = words.next();
    let options: String = words.take_while(|word| word.starts_with('-')).collect();
    match program {
        Some("export") => !options.contains(['f', 'n', 'p']),
        Some("declare" | "typeset") => options.contains('x') && !options.contains(['f', 'a', 'A', 'p']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        exported(&Shell::parse(text).unwrap())
    }

    #[test]
    fn only_what_is_exported_by_its_name_is_found() {
        assert_eq!(names("export A=1 B; if true; then export C=$(date); fi"), ["A", "B", "C"]);
        assert_eq!(names("declare -x D=1; declare -rx E; typeset -x A; export A"), ["D", "E", "A"]);
        for text in [
            "A=1",
            "A=1 command",
            "export -f f",
            "export -n A",
            "export -p",
            "declare A=1",
            "echo export A",
            "local -x A",
        ] {
            assert!(names(text).is_empty(), "{text}");
        }
    }
}
