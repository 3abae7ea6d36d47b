//! The bytes of a command, and any text that somebody else wrote, with references marked and nothing hidden in it.

use std::collections::BTreeMap;

use domain::runbook::Placeholder;
use domain::text::{Mark, Reading, marks};
use domain::time;
use leptos::prelude::*;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// What it says.
    Plain(String),
    /// A reference to a value.
    Value(String),
    /// A word that stands for a value that nobody declared.
    Missing(String),
    /// Something at which the eye has to be helped.
    Marked(char, Mark),
}

/// What somebody else wrote, as it is, with nothing hidden in it: a title, a reason, a name, a value.
#[component]
pub fn Visible(text: String) -> impl IntoView {
    visible(text)
}

/// The same inside other words.
pub fn visible(text: impl Into<String>) -> AnyView {
    let text = text.into();
    let marks = marks(&text, Reading::Prose);
    if marks.is_empty() {
        return text.into_any();
    }
    pieces(&text, &[], &marks)
        .into_iter()
        .map(|piece| shown(piece, |text| text.to_owned().into_any()))
        .collect_view()
        .into_any()
}

/// A command as it will run.
#[component]
pub fn CommandText(text: String, placeholders: Vec<Placeholder>) -> impl IntoView {
    let marks = marks(&text, Reading::Command);
    pieces(&text, &placeholders, &marks).into_iter().map(|piece| shown(piece, words)).collect_view()
}

/// The bytes of a script with blanks and line ends drawn as marks.
#[component]
pub fn Bytes(text: String) -> impl IntoView {
    let marks = marks(&text, Reading::Command);
    pieces(&text, &[], &marks).into_iter().map(|piece| shown(piece, drawn)).collect_view()
}

fn shown(piece: Piece, plain: impl Fn(&str) -> AnyView) -> AnyView {
    match piece {
        Piece::Plain(text) => plain(&text),
        Piece::Value(text) => view! { <var>{text}</var> }.into_any(),
        Piece::Missing(text) => view! { <var data-missing="">{text}</var> }.into_any(),
        Piece::Marked(character, mark) => {
            let (words, title) = told(character, mark);
            view! { <b class="marked" title=title>{words}</b> }.into_any()
        }
    }
}

/// What stands in the place of a character, and what it means.
fn told(character: char, mark: Mark) -> (String, &'static str) {
    let code = format!("U+{:04X}", u32::from(character));
    match mark {
        Mark::Hidden => (code, "a character that does not show"),
        Mark::Alike => {
            (format!("{character}\u{2009}{code}"), "not an ASCII character: it can be taken for another one")
        }
        Mark::Blanks { blanks, lines: 0 } => (counted(blanks, "blanks"), "more blanks than a line shows"),
        Mark::Blanks { blanks: 0, lines } => (counted(lines, "line ends"), "more line ends than a page shows"),
        Mark::Blanks { blanks, lines } => {
            (format!("{}, {}", counted(blanks, "blanks"), counted(lines, "line ends")), "more blanks than a page shows")
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{} {what}", time::thousands(count as u64))
}

/// Each word that has a hyphen or a slash is kept whole where it fits, so that a line breaks between words.
fn words(text: &str) -> AnyView {
    text.split_inclusive([' ', '\n'])
        .map(|word| {
            let bare = word.trim_end_matches([' ', '\n']);
            // A text without a letter would reach the page as a blank.
            let rest = word.get(bare.len()..).filter(|rest| !rest.is_empty()).map(str::to_owned);
            if bare.contains(['-', '/', '.', ':']) {
                view! { <span class="w">{bare.to_owned()}</span>{rest} }.into_any()
            } else {
                word.to_owned().into_any()
            }
        })
        .collect_view()
        .into_any()
}

fn drawn(text: &str) -> AnyView {
    text.split_inclusive([' ', '\n'])
        .map(|word| {
            let bare = Some(word.trim_end_matches([' ', '\n']).to_owned()).filter(|bare| !bare.is_empty());
            let mark = match word.chars().next_back() {
                Some(' ') => view! { <i>"·"</i> }.into_any(),
                Some('\n') => view! { <i>"⏎"</i>"\n" }.into_any(),
                _ => ().into_any(),
            };
            view! { {bare} {mark} }
        })
        .collect_view()
        .into_any()
}

/// A text in pieces. What is marked is never part of a reference.
fn pieces(text: &str, placeholders: &[Placeholder], marks: &BTreeMap<usize, Mark>) -> Vec<Piece> {
    let mut known: Vec<(String, bool)> = placeholders.iter().flat_map(forms).collect();
    // The longest first: `"$name"` before `$name`.
    known.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let (length, piece) = match (marks.get(&at), reference(text, at, &known, marks)) {
            (Some(mark), _) => (mark_length(character, *mark), Some(Piece::Marked(character, *mark))),
            (None, Some((form, true))) => (form.len(), Some(Piece::Value(form.clone()))),
            (None, Some((form, false))) => (form.len(), Some(Piece::Missing(form.clone()))),
            (None, None) => (character.len_utf8(), None),
        };
        match piece {
            Some(piece) => {
                flush(&mut plain, &mut pieces);
                pieces.push(piece);
            }
            None => plain.push(character),
        }
        at += length;
    }
    flush(&mut plain, &mut pieces);
    pieces
}

const fn mark_length(character: char, mark: Mark) -> usize {
    match mark {
        Mark::Hidden | Mark::Alike => character.len_utf8(),
        Mark::Blanks { blanks, lines } => blanks + lines,
    }
}

/// The reference that stands at a place, and whether it has a parameter.
fn reference<'k>(
    text: &str,
    at: usize,
    known: &'k [(String, bool)],
    marks: &BTreeMap<usize, Mark>,
) -> Option<&'k (String, bool)> {
    let rest = &text[at..];
    let is_here = |form: &str| rest.starts_with(form) && ends_there(&rest[form.len()..], form);
    let is_clear = |form: &str| marks.range(at..at + form.len()).next().is_none();
    known.iter().find(|(form, _)| is_here(form) && is_clear(form))
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

        let pieces = pieces("ls \"${backup}\" $backup_dir $backup", &all, &BTreeMap::new());

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
        let pieces = pieces("up -d service_name", &[placeholder("service_name", None)], &BTreeMap::new());

        assert_eq!(pieces[1], Piece::Missing("service_name".to_owned()));
    }

    fn html(view: impl FnOnce() -> AnyView) -> String {
        Owner::new_root(None).with(|| view().to_html())
    }

    fn command(text: &str, placeholders: &[Placeholder]) -> String {
        let (text, placeholders) = (text.to_owned(), placeholders.to_vec());
        html(|| view! { <CommandText text placeholders /> }.into_any())
    }

    /// What a reader sees: the text without its marks.
    fn read(html: &str) -> String {
        html.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect()
    }

    #[test]
    fn a_command_reads_as_its_bytes_with_no_blank_more_or_less() {
        let service = [placeholder("SERVICE", Some("service")), placeholder("FILE", Some("file"))];
        for text in [
            "docker tag kept/\"${service}\":before kept/${service}",
            "tar -xf docker/$file -C /srv/a-b  x",
            "a/b\n  c-d $service\n",
            "$service-$file/ ",
        ] {
            assert_eq!(read(&command(text, &service)), text);
        }
    }

    #[test]
    fn nothing_can_hide_in_a_command() {
        let shown = command("rm\u{202e}a\u{200b}\r", &[]);

        for code in ["U+202E", "U+200B", "U+000D"] {
            assert!(shown.contains(code), "{shown}");
        }
        assert!(!shown.contains(['\u{202e}', '\u{200b}', '\r']), "{shown}");
    }

    #[test]
    fn a_look_alike_stands_beside_its_code_and_is_no_reference() {
        let shown = command("ls $bаckup; r\u{43c} x", &[placeholder("x", Some("bаckup"))]);

        assert!(shown.contains("а\u{2009}U+0430") && shown.contains("м\u{2009}U+043C"), "{shown}");
        assert!(!shown.contains("<var>$b"), "{shown}");
    }

    #[test]
    fn a_command_behind_thousands_of_blanks_stands_beside_their_number() {
        let shown = command(&format!("ls;{}rm -r /srv", " ".repeat(3000)), &[]);

        assert!(shown.contains("3,000 blanks"), "{shown}");
        assert!(shown.contains("rm ") && shown.len() < 400, "{shown}");
    }

    #[test]
    fn words_without_a_trap_are_one_piece_of_text() {
        assert_eq!(html(|| visible("Größe prüfen: /srv/data, 10 €")), "Größe prüfen: /srv/data, 10 €");
        assert!(html(|| visible("Lеna")).contains("U+0435"));
    }

    #[test]
    fn every_blank_and_line_end_of_exact_bytes_is_drawn() {
        let shown = html(|| view! { <Bytes text="a  b\nrm –x\n".to_owned() /> }.into_any());

        assert_eq!(read(&shown), "a··b⏎\nrm·–\u{2009}U+2013x⏎\n");
        assert_eq!(shown.matches("·").count(), 3, "{shown}");
        assert_eq!(shown.matches("⏎").count(), 2, "{shown}");
        assert!(shown.contains("U+2013"), "{shown}");
    }
}
