//! The bytes of a command or a value, with references marked and nothing hidden in it.

use domain::runbook::Placeholder;
use domain::text::deceives;
use leptos::prelude::*;

/// A piece of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// What it says.
    Plain(String),
    /// A reference to a value.
    Value(String),
    /// A word that stands for a value that nobody declared.
    Missing(String),
    /// A character that could deceive the eye, as `U+202E`.
    Hidden(String),
}

/// A value as it is, with nothing hidden in it.
#[component]
pub fn Visible(text: String) -> impl IntoView {
    view! { <CommandText text placeholders=Vec::new() /> }
}

/// A command as it will run.
#[component]
pub fn CommandText(text: String, placeholders: Vec<Placeholder>) -> impl IntoView {
    pieces(&text, &placeholders)
        .into_iter()
        .map(|piece| match piece {
            Piece::Plain(text) => words(&text),
            Piece::Value(text) => view! { <var>{text}</var> }.into_any(),
            Piece::Missing(text) => view! { <var data-missing="">{text}</var> }.into_any(),
            Piece::Hidden(code) => {
                view! { <b class="hidden-character" title="a character that does not show">{code}</b> }.into_any()
            }
        })
        .collect_view()
}

/// Each word that has a hyphen or a slash is kept whole where it fits, so that a line breaks between words.
fn words(text: &str) -> AnyView {
    text.split_inclusive([' ', '\n'])
        .map(|word| {
            let bare = word.trim_end_matches([' ', '\n']);
            let rest = word[bare.len()..].to_owned();
            if bare.contains(['-', '/', '.', ':']) {
                view! { <span class="w">{bare.to_owned()}</span>{rest} }.into_any()
            } else {
                word.to_owned().into_any()
            }
        })
        .collect_view()
        .into_any()
}

fn pieces(text: &str, placeholders: &[Placeholder]) -> Vec<Piece> {
    let mut marks: Vec<(String, bool)> = placeholders.iter().flat_map(forms).collect();
    // The longest first: `"$name"` before `$name`.
    marks.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mark =
            marks.iter().find(|(form, _)| rest.starts_with(form.as_str()) && ends_there(&rest[form.len()..], form));
        if let Some((form, declared)) = mark {
            flush(&mut plain, &mut pieces);
            pieces.push(if *declared { Piece::Value(form.clone()) } else { Piece::Missing(form.clone()) });
            rest = &rest[form.len()..];
            continue;
        }
        if deceives(character) {
            flush(&mut plain, &mut pieces);
            pieces.push(Piece::Hidden(format!("U+{:04X}", u32::from(character))));
        } else {
            plain.push(character);
        }
        rest = &rest[character.len_utf8()..];
    }
    flush(&mut plain, &mut pieces);
    pieces
}

/// The forms in which a placeholder can stand in what the shell gets, and whether it has a parameter.
fn forms(placeholder: &Placeholder) -> Vec<(String, bool)> {
    match &placeholder.parameter {
        Some(name) => [format!("\"${{{name}}}\""), format!("\"${name}\""), format!("${{{name}}}"), format!("${name}")]
            .into_iter()
            .chain([placeholder.text.clone()])
            .map(|form| (form, true))
            .collect(),
        None => vec![(placeholder.text.clone(), false)],
    }
}

/// `$name` is not `$name_more`.
fn ends_there(after: &str, form: &str) -> bool {
    let open = form.starts_with('$') && !form.ends_with('}');
    !open || !after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
}

fn flush(plain: &mut String, pieces: &mut Vec<Piece>) {
    if !plain.is_empty() {
        pieces.push(Piece::Plain(std::mem::take(plain)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholder(text: &str, parameter: Option<&str>) -> Placeholder {
        Placeholder { text: text.to_owned(), parameter: parameter.map(str::to_owned) }
    }

    #[test]
    fn a_reference_is_marked_whole_and_its_longer_namesake_is_not() {
        let all = [placeholder("/path/to/backup", Some("backup"))];

        let pieces = pieces("ls \"${backup}\" $backup_dir $backup", &all);

        assert_eq!(
            pieces,
            [
                Piece::Plain("ls ".to_owned()),
                Piece::Value("\"${backup}\"".to_owned()),
                Piece::Plain(" $backup_dir ".to_owned()),
                Piece::Value("$backup".to_owned()),
            ]
        );
    }

    #[test]
    fn a_word_that_nobody_declared_is_marked_as_missing() {
        let pieces = pieces("up -d service_name", &[placeholder("service_name", None)]);

        assert_eq!(pieces[1], Piece::Missing("service_name".to_owned()));
    }

    #[test]
    fn nothing_can_hide_in_a_command() {
        let pieces = pieces("rm\u{202e}a\u{200b}\r", &[]);

        let hidden: Vec<&Piece> = pieces.iter().filter(|piece| matches!(piece, Piece::Hidden(_))).collect();
        assert_eq!(hidden.len(), 3);
        assert_eq!(*hidden[0], Piece::Hidden("U+202E".to_owned()));
    }
}
