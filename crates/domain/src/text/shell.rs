//! What of a command's text is a name to the shell, and what is quoted or a comment.
//!
//! Not a parser: it only has to know where a look-alike would be taken as a name. Where it cannot know (the lines of a here
//! document) it says name, and more is marked than has to be.

/// A part of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first byte.
    pub from: usize,
    /// The byte after it.
    pub to: usize,
    /// Whether the shell takes it as names.
    pub bare: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between `(` and `)`.
    Parentheses,
    /// Between backticks.
    Ticks,
    Single,
    Double,
    Comment,
}

impl Place {
    const fn is_bare(self) -> bool {
        matches!(self, Self::Parentheses | Self::Ticks)
    }
}

/// The parts of a command, in order, without a gap.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut places: Vec<Place> = Vec::new();
    let mut before = '\n';
    for (at, character) in text.char_indices() {
        if before == '\\' && !matches!(places.last(), Some(Place::Single | Place::Comment)) {
            before = ' ';
        } else {
            step(&mut places, before, character);
            before = character;
        }
        let to = at + character.len_utf8();
        let bare = places.last().is_none_or(|place| place.is_bare());
        match spans.last_mut() {
            Some(last) if last.bare == bare => last.to = to,
            _ => spans.push(Span { from: at, to, bare }),
        }
    }
    spans
}

/// Goes into a place or out of it.
fn step(places: &mut Vec<Place>, before: char, character: char) {
    let here = places.last().copied();
    match (here, character) {
        (Some(Place::Single), '\'')
        | (Some(Place::Double), '"')
        | (Some(Place::Comment), '\n')
        | (Some(Place::Parentheses), ')')
        | (Some(Place::Ticks), '`') => {
            places.pop();
        }
        (Some(Place::Single | Place::Comment), _) => {}
        (_, '`') => places.push(Place::Ticks),
        (Some(Place::Double), '(') if before == '$' => places.push(Place::Parentheses),
        (Some(Place::Double), _) => {}
        (_, '\'') => places.push(Place::Single),
        (_, '"') => places.push(Place::Double),
        (_, '(') => places.push(Place::Parentheses),
        (_, '#') if before.is_whitespace() || matches!(before, ';' | '&' | '|' | '(' | '`') => {
            places.push(Place::Comment);
        }
        _ => {}
    }
}
