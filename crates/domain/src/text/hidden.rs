//! Characters that show nothing, or show something where it does not stand.

use std::collections::BTreeSet;

use icu_properties::props::{DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory as Category};
use icu_properties::{CodePointMapData, CodePointSetData};

use super::Reading;

/// More marks on one letter than any language needs: UTS 39, 5.4.
const STACKED: u32 = 4;

/// The selector that asks for the coloured picture of a sign.
const AS_EMOJI: char = '\u{fe0f}';

/// Whether a character makes text look like another one, wherever it stands.
///
/// By the properties of Unicode (UAX 44) and not by a list of our own: controls but for tab and line end, everything of
/// format (bidirectional controls, zero width, tags, invisible operators), every blank but the blank, line and paragraph
/// separators, what may be ignored (variation selectors, fillers, soft hyphen), and what each font draws as it likes (private
/// use, unassigned). Two signs are drawn and show nothing all the same: the empty Braille pattern and the null notehead.
pub fn deceives(character: char) -> bool {
    match CodePointMapData::<Category>::new().get(character) {
        Category::Control => !matches!(character, '\t' | '\n'),
        Category::SpaceSeparator => character != ' ',
        Category::Format
        | Category::LineSeparator
        | Category::ParagraphSeparator
        | Category::PrivateUse
        | Category::Unassigned => true,
        _ => matches!(character, '\u{2800}' | '\u{1d159}') || is_ignorable(character),
    }
}

fn is_ignorable(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

/// Whether a character is a picture, or can be one.
pub(super) fn is_picture(character: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(character)
}

fn is_combining(character: char) -> bool {
    let category = CodePointMapData::<Category>::new().get(character);
    matches!(category, Category::NonspacingMark | Category::EnclosingMark | Category::SpacingMark)
}

/// The bytes at which something begins that does not show where it stands: characters that deceive, and combining marks that
/// stand on nothing or grow out of their line.
pub(super) fn places(text: &str, reading: Reading) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut before = None;
    let mut stacked = 0;
    for (at, character) in text.char_indices() {
        if reading == Reading::Prose && character == AS_EMOJI && before.is_some_and(is_picture) {
            continue;
        }
        let combines = is_combining(character);
        stacked = if combines { stacked + 1 } else { 0 };
        if deceives(character) || combines && (before.is_none() || stacked > STACKED) {
            found.insert(at);
        }
        if !combines {
            before = Some(character).filter(|base| !base.is_whitespace() && !deceives(*base));
        }
    }
    found
}
