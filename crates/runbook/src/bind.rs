//! Placeholders replaced by references to variables, once, when a plan is made.
//!
//! A value never becomes part of a script: what is put in is a variable reference, quoted as its place in the syntax tree
//! requires, and the value travels in the environment. Where a value would be read as code again, nothing is put in.

use tree_sitter::Node;

use crate::placeholder::{is_expansion, occurrences, variable_name};
use crate::risk;
use crate::shell::{Input, Shell, assigned, calls};

/// Why a placeholder cannot be filled where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Its place takes text as it is: a quoted here-document, a comment, a name.
    #[error("“{placeholder}” cannot be filled here: it stands in {place}, where a shell puts nothing in")]
    NotHere {
        /// The words in the document.
        placeholder: String,
        /// Where they stand.
        place: &'static str,
    },
    /// The value would be read as code by another program.
    #[error(
        "“{placeholder}” cannot be filled here: {program} would read the value as code; let the value stand outside, or pass it as an argument"
    )]
    Code {
        /// The words in the document.
        placeholder: String,
        /// The program.
        program: String,
    },
    /// The command is no shell text.
    #[error("“{placeholder}” cannot be filled here: the command cannot be parsed")]
    Unparsable {
        /// The words in the document.
        placeholder: String,
    },
    /// The command sets the variable itself, so the value would be lost.
    #[error(
        "“{placeholder}” cannot be filled here: the command sets a variable called {name} itself; rename the parameter in the side file"
    )]
    Captured {
        /// The words in the document.
        placeholder: String,
        /// The variable.
        name: String,
    },
    /// The command opens a shell on another machine.
    #[error(
        "it opens a shell on another machine, where nobody types, and what follows would run on this one; write ssh HOST 'command', or give ssh a step of its own"
    )]
    Interactive,
    /// The name is no name of a variable.
    #[error("“{name}” is no name of a variable")]
    Name {
        /// The name.
        name: String,
    },
}

/// Where bash would evaluate the value itself.
const ARITHMETIC: &str = "arithmetic";

/// One replacement.
#[derive(Debug)]
struct Replacement {
    start: usize,
    end: usize,
    with: String,
}

/// A command with each placeholder replaced by a quoted reference to its variable.
///
/// `bindings` are pairs of a placeholder's words and a variable's name. Where one placeholder is part of another, the longer
/// one counts. A placeholder that is a variable (`$TOKEN`) is replaced where the shell would put that variable in.
pub fn bind(text: &str, bindings: &[(&str, &str)]) -> Result<String, BindError> {
    let mut longest_first: Vec<&(&str, &str)> = bindings.iter().collect();
    longest_first.sort_by_key(|(placeholder, _)| std::cmp::Reverse(placeholder.len()));
    if risk::is_interactive(text) {
        return Err(BindError::Interactive);
    }
    let mut shell = None;
    let mut replacements: Vec<Replacement> = Vec::new();
    for (placeholder, name) in longest_first {
        if !is_name(name) {
            return Err(BindError::Name { name: (*name).to_owned() });
        }
        for (start, end) in occurrences(text, placeholder) {
            if replacements.iter().any(|other| start < other.end && other.start < end) {
                continue;
            }
            let parsed = match &shell {
                Some(shell) => shell,
                None => shell.insert(
                    Shell::parse(text)
                        .ok_or_else(|| BindError::Unparsable { placeholder: (*placeholder).to_owned() })?,
                ),
            };
            if assigned(parsed).iter().any(|assigned| assigned == name) {
                return Err(BindError::Captured { placeholder: (*placeholder).to_owned(), name: (*name).to_owned() });
            }
            let place = Occurrence { placeholder, start, end, name };
            replacements.extend(place.replacement(parsed, text)?);
        }
    }
    replacements.sort_by_key(|replacement| replacement.start);
    let mut bound = String::with_capacity(text.len() + 16 * replacements.len());
    let mut at = 0;
    for Replacement { start, end, with } in replacements {
        bound.push_str(&text[at..start]);
        bound.push_str(&with);
        at = end;
    }
    bound.push_str(&text[at..]);
    Ok(bound)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A placeholder at one place.
struct Occurrence<'o> {
    placeholder: &'o str,
    start: usize,
    end: usize,
    name: &'o str,
}

impl Occurrence<'_> {
    fn replacement(&self, shell: &Shell<'_>, text: &str) -> Result<Option<Replacement>, BindError> {
        let variable = variable_name(self.placeholder).is_some();
        if variable && !is_expansion(shell, self.start) {
            // To the shell this is plain text, so it is no use of the variable.
            return Ok(None);
        }
        let path = shell.path(self.start);
        let path = if variable { without_own_expansion(&path, self.start) } else { &path };
        self.refuse_code(shell, path)?;
        self.refuse_names(path, text)?;
        let with = self.reference(path, text)?;
        Ok(Some(Replacement { start: self.start, end: self.end, with }))
    }

    /// The reference that fits the innermost quoting around the place.
    fn reference(&self, path: &[Node<'_>], text: &str) -> Result<String, BindError> {
        let name = self.name;
        for node in path.iter().rev() {
            match node.kind() {
                "comment" => return self.not_here("a comment"),
                "heredoc_start" | "heredoc_end" => return self.not_here("the mark of a here-document"),
                "heredoc_body" | "simple_heredoc_body" => {
                    return if is_quoted_heredoc(*node, text) {
                        self.not_here("a quoted here-document")
                    } else {
                        Ok(format!("${{{name}}}"))
                    };
                }
                "raw_string" => return self.within(*node, "'", format!("'\"${{{name}}}\"'")),
                "ansi_c_string" => return self.within(*node, "$'", format!("'\"${{{name}}}\"$'")),
                "string" | "translated_string" => return self.within(*node, "\"", format!("${{{name}}}")),
                "variable_name" | "special_variable_name" => return self.not_here("the name of a variable"),
                "expansion" => return self.not_here("a parameter expansion"),
                "arithmetic_expansion" | "subscript" | "c_style_for_statement" => return self.not_here(ARITHMETIC),
                "compound_statement" if text[node.start_byte()..].starts_with("((") => {
                    return self.not_here(ARITHMETIC);
                }
                "command_substitution" | "process_substitution" | "subshell" => break,
                _ => {}
            }
        }
        Ok(format!("\"${{{name}}}\""))
    }

    /// A reference inside quotes; the placeholder must not reach beyond them.
    fn within(&self, node: Node<'_>, opening: &str, reference: String) -> Result<String, BindError> {
        let inside = self.start >= node.start_byte() + opening.len() && self.end < node.end_byte();
        if inside { Ok(reference) } else { self.not_here("words that are quoted only in part") }
    }

    fn not_here(&self, place: &'static str) -> Result<String, BindError> {
        Err(BindError::NotHere { placeholder: self.placeholder.to_owned(), place })
    }

    /// Refuses a place whose text another program reads as code: `sh -c`, `ssh HOST …`, `psql -c`, a program of awk, what is
    /// fed to a shell.
    fn refuse_code(&self, shell: &Shell<'_>, path: &[Node<'_>]) -> Result<(), BindError> {
        let document = path
            .iter()
            .any(|node| matches!(node.kind(), "heredoc_body" | "simple_heredoc_body" | "herestring_redirect"));
        for call in calls(shell).0 {
            // A value that chooses the program would choose what the rules have judged.
            let program = risk::innermost(&call.words).first();
            if program.is_some_and(|word| word.start <= self.start && self.end <= word.end) {
                return self.not_here("the name of a program").map(drop);
            }
            let code = risk::code_words(&call.words);
            let mut words = code.iter().filter_map(|index| call.words.get(*index));
            let inside = words.any(|word| word.start <= self.start && self.end <= word.end);
            if inside || ((matches!(call.input, Input::Program { .. }) || document) && risk::reads_code(&call.words)) {
                let program = risk::innermost(&call.words).first().map_or_else(String::new, |word| word.text.clone());
                return Err(BindError::Code { placeholder: self.placeholder.to_owned(), program });
            }
        }
        Ok(())
    }

    /// Refuses names of variables and arithmetic in the shell's own commands: `[[ 1 -eq … ]]`, `export …`, `unset …`.
    fn refuse_names(&self, path: &[Node<'_>], text: &str) -> Result<(), BindError> {
        for node in path {
            let words = || text[node.byte_range()].split_whitespace();
            let place = match node.kind() {
                "unset_command" => Some("the name of a variable"),
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
                return self.not_here(place).map(drop);
            }
        }
        Ok(())
    }
}

/// The path to a variable's expansion, without that expansion itself.
fn without_own_expansion<'p, 'n>(path: &'p [Node<'n>], start: usize) -> &'p [Node<'n>] {
    let own = path
        .iter()
        .position(|node| matches!(node.kind(), "simple_expansion" | "expansion") && node.start_byte() == start);
    &path[..own.unwrap_or(path.len())]
}

fn is_quoted_heredoc(body: Node<'_>, text: &str) -> bool {
    let mut cursor = body.walk();
    let Some(redirect) = body.parent() else { return true };
    let start = redirect.children(&mut cursor).find(|child| child.kind() == "heredoc_start");
    start.is_none_or(|start| text[start.byte_range()].contains(['\'', '"', '\\']))
}
