//! How text looks: colours, pieces in one style, lines.

use serde::{Deserialize, Serialize};

use crate::is_default;

/// A colour as programs ask for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "is", content = "value", rename_all = "snake_case")]
pub enum Colour {
    /// The page's own.
    #[default]
    Plain,
    /// One of 256: sixteen with names, a cube of 216, 24 greys.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

impl Colour {
    /// The nearest of the 256, so that a stylesheet can keep it readable in both themes.
    pub fn index(self) -> Option<u8> {
        match self {
            Self::Plain => None,
            Self::Indexed(index) => Some(index),
            Self::Rgb(red, green, blue) => Some(nearest(red, green, blue)),
        }
    }
}

/// The nearest colour of the cube, or the nearest grey when there is no colour in it.
fn nearest(red: u8, green: u8, blue: u8) -> u8 {
    let (least, most) = (red.min(green).min(blue), red.max(green).max(blue));
    if most - least < 12 {
        return match most {
            0..=7 => 16,
            239..=255 => 231,
            _ => 232 + (most - 8) / 10,
        };
    }
    let level = |value: u8| match value {
        0..=47 => 0,
        48..=114 => 1,
        _ => (value - 35) / 40,
    };
    16 + 36 * level(red) + 6 * level(green) + level(blue)
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "a terminal's attributes are independent switches")]
pub struct Style {
    /// The colour of the text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: Colour,
    /// The colour behind it.
    #[serde(skip_serializing_if = "is_default")]
    pub ground: Colour,
    /// Bold.
    #[serde(skip_serializing_if = "is_default")]
    pub bold: bool,
    /// Dim.
    #[serde(skip_serializing_if = "is_default")]
    pub dim: bool,
    /// Italic.
    #[serde(skip_serializing_if = "is_default")]
    pub italic: bool,
    /// Underlined.
    #[serde(skip_serializing_if = "is_default")]
    pub underline: bool,
    /// Text and ground change places.
    #[serde(skip_serializing_if = "is_default")]
    pub inverse: bool,
}

/// A piece of text in one style.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// How it looks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub style: Style,
    /// The text, without any control character.
    pub text: String,
}

/// A line as it looks in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its text, piece by piece.
    pub spans: Vec<Span>,
    /// How often it was written over, as progress bars do.
    pub redraws: u32,
    /// Whether it goes on from the line before, which was too long.
    pub continued: bool,
    /// How many of the lines before it are not finished any more: the cursor went back to them, and they come again from here on.
    pub back: u32,
}

impl Line {
    /// The text without its looks.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }
}

/// Cells as pieces of text in one style.
pub fn spans(cells: impl IntoIterator<Item = (char, Style)>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (character, style) in cells {
        match spans.last_mut() {
            Some(span) if span.style == style => span.text.push(character),
            _ => spans.push(Span { style, text: character.to_string() }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_true_colour_has_a_place_in_the_palette() {
        let places = [(255, 0, 0), (0, 0, 0), (128, 128, 128), (95, 135, 175)]
            .map(|(red, green, blue)| Colour::Rgb(red, green, blue).index());

        assert_eq!(places, [Some(196), Some(16), Some(244), Some(67)]);
        assert_eq!(Colour::Plain.index(), None);
    }
}
