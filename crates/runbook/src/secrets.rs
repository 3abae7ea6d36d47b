//! The way of a secret through shell text.
//!
//! A secret reaches a program over its standard input or in its environment. As an argument it could be read by every process of
//! the machine, so that is refused, wherever the syntax tree shows it: also through a variable that was set from it and through
//! a substitution. What is not known to be safe is refused.

use std::collections::BTreeSet;

use domain::runbook::{Parameter, ParameterKind};
use tree_sitter::Node;

use crate::placeholder::{is_expansion, occurrences, variable_name};
use crate::risk;
use crate::shell::{Shell, calls, children};

/// Commands of the shell itself: their arguments are in no list of processes.
const BUILTINS: &[&str] = &["echo", "printf", "test", "[", ":", "true", "false"];
/// Programs that make arguments of what they read.
const ARGUMENT_MAKERS: &[&str] = &["xargs", "parallel"];
/// Commands of the shell that put what they read into variables.
const READERS: &[&str] = &["read", "mapfile", "readarray"];

/// The secrets of a procedure, and the variables that carry one of them from some command on.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    placeholders: Vec<(String, String)>,
    variables: BTreeSet<String>,
}

/// Where a value comes to stand.
enum Way {
    /// Nowhere where it could be seen.
    Safe,
    /// In a variable.
    Variable(String),
    /// Where it may not.
    Seen(String),
}

impl Secrets {
    /// The secrets among parameters.
    pub fn of<'p>(parameters: impl IntoIterator<Item = &'p Parameter>) -> Self {
        let secrets = parameters.into_iter().filter(|parameter| parameter.kind == ParameterKind::Secret);
        let mut found = Self::default();
        for Parameter { name, placeholder, .. } in secrets {
            found.variables.insert(name.clone());
            found.variables.extend(variable_name(placeholder).map(str::to_owned));
            found.placeholders.push((placeholder.clone(), name.clone()));
        }
        found
    }

    /// Whether a variable carries a secret, after the commands that were followed.
    pub fn carries(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }

    /// Follows the secrets through the next command. Gives what is wrong with it, in a sentence without a full stop.
    pub fn follow(&mut self, text: &str) -> Option<String> {
        let named = || self.placeholders.iter().find(|(placeholder, _)| !occurrences(text, placeholder).is_empty());
        let Some(shell) = Shell::parse(text) else {
            let (_, name) = named()?;
            return Some(format!("The way of the secret {name} cannot be followed, because this is no shell text"));
        };
        let mut wrong = None;
        // A variable that is set from a secret may stand before its own use in a loop.
        loop {
            let before = self.variables.len();
            for (at, name) in self.uses(&shell, text) {
                match way(&shell, at) {
                    Way::Safe => {}
                    Way::Variable(variable) => drop(self.variables.insert(variable)),
                    Way::Seen(place) => wrong = wrong.or(Some(format!("It puts the secret {name} into {place}"))),
                }
                self.variables.extend(read_into(&shell));
                wrong = wrong.or_else(|| as_arguments(&shell, &name));
            }
            if self.variables.len() == before {
                return wrong;
            }
        }
    }

    /// Where a secret, or a variable that carries one, is used: the byte and a name for people.
    fn uses(&self, shell: &Shell<'_>, text: &str) -> Vec<(usize, String)> {
        let placeholders = self.placeholders.iter().filter(|(placeholder, _)| variable_name(placeholder).is_none());
        let mut found: Vec<(usize, String)> = placeholders
            .flat_map(|(placeholder, name)| {
                occurrences(text, placeholder).into_iter().map(|(at, _)| (at, name.clone()))
            })
            .collect();
        let mut open = vec![shell.root()];
        while let Some(node) = open.pop() {
            if matches!(node.kind(), "simple_expansion" | "expansion") && is_expansion(shell, node.start_byte()) {
                let names = children(node).into_iter().filter(|child| child.kind() == "variable_name");
                let carries = names.map(|name| shell.of(name)).find(|name| self.carries(name));
                found.extend(carries.map(|name| (node.start_byte(), name.to_owned())));
            }
            open.extend(children(node));
        }
        found
    }
}

/// Where a value at a byte goes: from the innermost node outwards.
fn way(shell: &Shell<'_>, at: usize) -> Way {
    let path = shell.path(at);
    for (index, node) in path.iter().enumerate().rev() {
        let inner = path.get(index + 1).copied();
        match node.kind() {
            // A program gets the name of a descriptor; the value goes through it.
            "process_substitution" | "heredoc_body" | "simple_heredoc_body" | "herestring_redirect" | "comment" => {
                return Way::Safe;
            }
            "file_redirect" => return Way::Seen("the name of a file".to_owned()),
            "variable_assignment" => {
                let name = node.child_by_field_name("name").map(|name| shell.of(name).to_owned());
                let of_command = node.parent().is_some_and(|parent| parent.kind() == "command");
                return name.filter(|_| !of_command).map_or(Way::Safe, Way::Variable);
            }
            "for_statement" | "select_statement" if inner.is_none_or(|inner| inner.kind() != "do_group") => {
                let name = node.child_by_field_name("variable").map(|name| shell.of(name).to_owned());
                return name.map_or_else(|| Way::Seen("a loop".to_owned()), Way::Variable);
            }
            "command" => {
                if let Some(place) = seen_by(shell, *node, inner) {
                    return Way::Seen(place);
                }
            }
            _ => {}
        }
    }
    Way::Safe
}

/// What a command does with a value among its words that others could see.
fn seen_by(shell: &Shell<'_>, command: Node<'_>, inner: Option<Node<'_>>) -> Option<String> {
    let words: Vec<Node<'_>> =
        children(command).into_iter().filter(|child| child.kind() != "variable_assignment").collect();
    let own = words.iter().position(|word| {
        let text = shell.of(*word);
        !matches!(text, "builtin" | "command")
    })?;
    let program = words.get(own)?;
    if inner == Some(*program) {
        return Some("the name of a program".to_owned());
    }
    let name = shell.of(*program).trim_matches(['"', '\'', '\\']);
    if BUILTINS.contains(&name) {
        return None;
    }
    let name = name.rsplit('/').next().unwrap_or(name);
    Some(format!(
        "an argument of {name}, where every process of the target can read it; give it to {name} over its standard input or in its environment"
    ))
}

/// The variables into which a command reads, whatever it reads.
fn read_into(shell: &Shell<'_>) -> Vec<String> {
    let (calls, _) = calls(shell);
    let mut names = Vec::new();
    for call in &calls {
        let Some((program, rest)) = call.words.split_first() else { continue };
        let plain = |word: &str| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let words = rest.iter().map(|word| word.text.as_str());
        if READERS.contains(&program.text.as_str()) {
            names.extend(words.filter(|word| plain(word)).map(str::to_owned));
            names.push("REPLY".to_owned());
        } else if program.text == "printf" {
            names.extend(
                words.clone().zip(words.skip(1)).find(|(option, _)| *option == "-v").map(|(_, name)| name.to_owned()),
            );
        }
    }
    names
}

/// A command that makes arguments of what it reads, somewhere beside a secret.
fn as_arguments(shell: &Shell<'_>, name: &str) -> Option<String> {
    let (calls, _) = calls(shell);
    let program = calls.iter().find_map(|call| {
        let words = [risk::innermost(&call.words).first(), call.words.first()];
        words
            .into_iter()
            .flatten()
            .map(|word| word.text.rsplit('/').next().unwrap_or_default())
            .find(|it| ARGUMENT_MAKERS.contains(it))
            .map(str::to_owned)
    })?;
    Some(format!("It uses the secret {name} beside {program}, which makes arguments of what it reads"))
}

#[cfg(test)]
mod tests {
    use domain::runbook::ParameterScope;

    use super::*;

    fn secrets() -> Secrets {
        let parameter = |name: &str, placeholder: &str| Parameter {
            name: name.to_owned(),
            placeholder: placeholder.to_owned(),
            kind: ParameterKind::Secret,
            scope: ParameterScope::Document,
            default: None,
            help: None,
            example: None,
        };
        Secrets::of(&[parameter("token", "$TOKEN"), parameter("password", "<password>")])
    }

    fn wrong(text: &str) -> Option<String> {
        secrets().follow(text)
    }

    #[test]
    fn a_secret_may_go_over_standard_input_and_through_the_environment() {
        for text in [
            "echo $TOKEN | docker login ghcr.io -u USERNAME --password-stdin",
            "printf '%s' \"${TOKEN}\" | docker login --password-stdin",
            "docker login --password-stdin <<< \"$TOKEN\"",
            "docker login --password-stdin <<EOF\n$TOKEN\nEOF",
            "GH_TOKEN=$TOKEN gh release list",
            "GH_TOKEN=\"<password>\" gh release list",
            "export GH_TOKEN=$TOKEN",
            "AUTH=$(printf 'user:%s' \"$TOKEN\" | base64)",
            "curl -K <(printf 'header = \"Authorization: Bearer %s\"' \"$TOKEN\") https://api",
            "[ -n \"$TOKEN\" ] || echo missing",
            "[[ -z $TOKEN ]] && echo missing",
            "test -n \"$TOKEN\"; builtin echo \"$TOKEN\" > .netrc",
            "if [ -n \"$TOKEN\" ]; then echo \"$TOKEN\" | cat; fi",
            "case $TOKEN in ghp_*) echo right ;; esac",
            "curl -d 'costs $TOKEN' https://api",
            "docker ps # with $TOKEN",
            "docker ps",
        ] {
            assert_eq!(wrong(text), None, "{text}");
        }
    }

    #[test]
    fn a_secret_is_no_argument_of_a_program() {
        for text in [
            "docker login -p $TOKEN",
            "docker login -p \"<password>\"",
            "docker login --password=\"${TOKEN}\" ghcr.io",
            "curl -H \"Authorization: Bearer $TOKEN\" https://api",
            "curl -H \"Authorization: Bearer ${TOKEN:-none}\" https://api",
            "sudo echo $TOKEN",
            "env GH_TOKEN=$TOKEN gh release list",
            "docker run -e GH_TOKEN=$TOKEN image",
            "/bin/echo \"$TOKEN\"",
            "curl -d \"$(echo $TOKEN)\" https://api",
            "curl -d `echo $TOKEN` https://api",
            "ssh host \"echo $TOKEN\"",
            "echo $TOKEN | xargs docker login -p",
            "echo $TOKEN | sudo xargs -n1 docker login -p",
            "echo hello > $TOKEN",
            "\"$TOKEN\" --help",
            "for i in 1 2; do docker login -p $TOKEN; done",
            "X=$TOKEN; docker login -p $X",
            "for x in $TOKEN; do curl $x; done",
            "read x <<< $TOKEN; curl $x",
            "printf -v x '%s' \"$TOKEN\"; curl $x",
            "while curl $x; do x=$y; y=$TOKEN; done",
            "if true; then (cd / && docker login -p $TOKEN); fi",
            "time docker login -p $TOKEN",
            "command docker login -p $TOKEN",
            "set -- $TOKEN",
            "docker login -p $TOKEN $((",
        ] {
            assert!(wrong(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_variable_that_was_set_from_a_secret_is_followed_into_later_commands() {
        let mut secrets = secrets();

        assert_eq!(secrets.follow("AUTH=\"Bearer $TOKEN\""), None);
        assert_eq!(secrets.follow("export HEADER=$AUTH MODE=fast"), None);
        assert!(secrets.carries("AUTH") && secrets.carries("HEADER") && !secrets.carries("MODE"));
        assert_eq!(
            secrets.follow("curl -H \"$HEADER\" https://api").unwrap(),
            "It puts the secret HEADER into an argument of curl, where every process of the target can read it; \
             give it to curl over its standard input or in its environment"
        );
        assert_eq!(secrets.follow("curl https://api/$MODE"), None);
    }
}
