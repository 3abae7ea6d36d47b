//! What is looked for, marked where it stands in a line.

use domain::terminal::Span;

/// Pieces of a line in which a text is marked, in capitals or not.
pub fn marked(spans: &[Span], wanted: &str) -> Vec<(Span, bool)> {
    let places = places(spans, wanted);
    if places.is_empty() {
        return spans.iter().map(|span| (span.clone(), false)).collect();
    }
    let mut pieces: Vec<(Span, bool)> = Vec::with_capacity(spans.len() + 2 * places.len());
    let (mut at, mut places) = (0, places.into_iter().peekable());
    for span in spans {
        for character in span.text.chars() {
            while places.next_if(|(_, to)| *to <= at).is_some() {}
            let is_marked = places.peek().is_some_and(|(from, _)| *from <= at);
            at += 1;
            match pieces.last_mut() {
                Some((last, marked)) if last.style == span.style && *marked == is_marked => last.text.push(character),
                _ => pieces.push((Span { style: span.style, text: character.to_string() }, is_marked)),
            }
        }
    }
    pieces
}

/// Where a text stands in a line, in characters: from one up to and without another.
fn places(spans: &[Span], wanted: &str) -> Vec<(usize, usize)> {
    let wanted: Vec<char> = wanted.chars().map(plain).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let line: Vec<char> = spans.iter().flat_map(|span| span.text.chars()).map(plain).collect();
    let (mut places, mut at) = (Vec::new(), 0);
    while at + wanted.len() <= line.len() {
        if line[at..].starts_with(&wanted) {
            places.push((at, at + wanted.len()));
            at += wanted.len();
        } else {
            at += 1;
        }
    }
    places
}

/// A character without its capitals; one that would become several stays as it is.
fn plain(character: char) -> char {
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use domain::terminal::{Colour, Style};

    use super::*;

    fn span(text: &str, colour: Option<u8>) -> Span {
        let text_colour = colour.map_or(Colour::Plain, Colour::Indexed);
        Span { style: Style { text: text_colour, ..Style::default() }, text: text.to_owned() }
    }

    fn told(spans: &[Span], wanted: &str) -> Vec<(String, bool)> {
        marked(spans, wanted).into_iter().map(|(span, marked)| (span.text, marked)).collect()
    }

    fn expected(pieces: &[(&str, bool)]) -> Vec<(String, bool)> {
        pieces.iter().map(|(text, marked)| ((*text).to_owned(), *marked)).collect()
    }

    #[test]
    fn a_text_is_marked_wherever_it_stands_in_capitals_or_not() {
        let line = [span("Error: no errors", None)];

        assert_eq!(told(&line, "ERROR"), expected(&[("Error", true), (": no ", false), ("error", true), ("s", false)]));
        assert_eq!(
            told(&[span("GRÖSSE größe", None)], "grö"),
            expected(&[("GRÖ", true), ("SSE ", false), ("grö", true), ("ße", false)])
        );
    }

    #[test]
    fn colours_stay_and_a_mark_goes_over_them() {
        let line = [span("time", Some(1)), span("out after", None)];

        let pieces = marked(&line, "meou");

        let styles: Vec<(Colour, bool, &str)> =
            pieces.iter().map(|(span, marked)| (span.style.text, *marked, span.text.as_str())).collect();
        let red = Colour::Indexed(1);
        assert_eq!(
            styles,
            [(red, false, "ti"), (red, true, "me"), (Colour::Plain, true, "ou"), (Colour::Plain, false, "t after")]
        );
    }

    #[test]
    fn what_is_not_there_or_not_looked_for_changes_nothing() {
        let line = [span("one", None), span("two", Some(2))];

        for wanted in ["", "three", "onetwothree"] {
            assert_eq!(told(&line, wanted), expected(&[("one", false), ("two", false)]), "{wanted}");
        }
    }
}
