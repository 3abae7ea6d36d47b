//! Placeholders replaced by references to variables, once, when a plan is made.
//!
//! A value never becomes part of a script: what is put in is a variable reference, quoted as its place in the syntax tree
//! requires, and the value travels in the environment. Where a value would be read as code again, nothing is put in.

mod code;
mod option;
mod place;

use tree_sitter::Node;

pub use option::option_of;

use crate::placeholder::{is_expansion, occurrences, variable_name};
use crate::risk;
use crate::shell::{Shell, assigned};

/// Why a placeholder cannot be filled where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Its place takes text as it is, or makes something else of it: a quoted here-document, a comment, a name.
    #[error("“{placeholder}” cannot be filled here: no value arrives as it is in {place}")]
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
    /// The value would be read as code later, by way of a variable of the command's own.
    #[error(
        "“{placeholder}” cannot be filled here: ${variable} takes it to {program}, which would read the value as code; pass it as an argument"
    )]
    Carried {
        /// The words in the document.
        placeholder: String,
        /// The variable that the command itself sets.
        variable: String,
        /// The program.
        program: String,
    },
    /// It would be the value of a variable by which a shell or a program decides what to run.
    #[error(
        "“{placeholder}” cannot be filled here: {variable} decides what a shell or a program runs, and a value must not"
    )]
    Steers {
        /// The words in the document.
        placeholder: String,
        /// The variable.
        variable: String,
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
        code::refuse(self, shell, path)?;
        place::refuse_names(self, path, text)?;
        let with = place::reference(self, path, text)?;
        Ok(Some(Replacement { start: self.start, end: self.end, with }))
    }

    fn not_here(&self, place: &'static str) -> Result<String, BindError> {
        Err(BindError::NotHere { placeholder: self.placeholder.to_owned(), place })
    }
}

/// The path to a variable's expansion, without that expansion itself.
fn without_own_expansion<'p, 'n>(path: &'p [Node<'n>], start: usize) -> &'p [Node<'n>] {
    let own = path
        .iter()
        .position(|node| matches!(node.kind(), "simple_expansion" | "expansion") && node.start_byte() == start);
    &path[..own.unwrap_or(path.len())]
}
