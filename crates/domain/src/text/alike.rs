//! Letters that look like others.
//!
//! After UTS 39 (Unicode Security Mechanisms): a word of several scripts is suspicious (5.1), and so is a script of which a text
//! has no letter that could not be taken for one of another script (4, whole-script confusables). Han, kana and Hangul are
//! written together with Latin as a matter of course (5.2, highly restrictive).

use std::collections::BTreeSet;

use icu_properties::CodePointMapData;
use icu_properties::props::Script;
use unicode_security::is_potential_mixed_script_confusable_char as is_confusable;

use super::Reading;
use super::hidden::is_picture;
use super::shell::{Span, spans};

/// The bytes at which a letter begins that can be taken for another one.
pub(super) fn places(text: &str, reading: Reading) -> Vec<usize> {
    if text.is_ascii() {
        return Vec::new();
    }
    match reading {
        Reading::Prose => in_prose(text, 0, &suspects(text)),
        Reading::Command => in_command(text),
    }
}

fn in_command(text: &str) -> Vec<usize> {
    let suspects = suspects(text);
    let mut found = Vec::new();
    for Span { from, to, bare } in spans(text) {
        let part = &text[from..to];
        if bare { found.extend(beyond_ascii(part, from)) } else { found.extend(in_prose(part, from, &suspects)) }
    }
    found
}

fn beyond_ascii(text: &str, from: usize) -> impl Iterator<Item = usize> {
    text.char_indices().filter(|(_, character)| !character.is_ascii()).map(move |(at, _)| from + at)
}

/// A path or an address is a name; everything else is words.
fn in_prose(text: &str, from: usize, suspects: &[Script]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = from;
    for part in text.split_inclusive(char::is_whitespace) {
        if is_path(part) {
            found.extend(beyond_ascii(part, at));
        } else {
            found.extend(in_words(part, at, suspects));
        }
        at += part.len();
    }
    found
}

fn is_path(part: &str) -> bool {
    let bare = part.trim_start_matches(['(', '[', '{', '<', '"', '\'', '“', '„', '«', '‘', '`']);
    let is_rooted = bare.starts_with(['/', '.', '~', '$']) && bare.contains('/');
    is_rooted || part.contains("://")
}

fn in_words(text: &str, from: usize, suspects: &[Script]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = from;
    for word in text.split_inclusive(|character: char| !character.is_alphanumeric()) {
        let mixed = word.contains(|character: char| character.is_ascii_alphabetic());
        let alike = word.char_indices().filter(|(_, character)| is_alike(*character, mixed, suspects));
        found.extend(alike.map(|(place, _)| at + place));
        at += word.len();
    }
    found
}

/// Whether a letter can be taken for another one: in a word that has ASCII letters, too, or in any.
fn is_alike(character: char, mixed: bool, suspects: &[Script]) -> bool {
    if character.is_ascii() || !character.is_alphanumeric() {
        return false;
    }
    match script(character) {
        Script::Latin => !is_ordinary_latin(character),
        Script::Common | Script::Inherited => is_dressed_up(character),
        Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul | Script::Bopomofo => {
            mixed && is_confusable(character)
        }
        other => mixed || suspects.contains(&other),
    }
}

fn script(character: char) -> Script {
    CodePointMapData::<Script>::new().get(character)
}

/// The letters of languages: Latin-1 Supplement, Latin Extended-A and -B, Latin Extended Additional. The other blocks hold
/// phonetic, wide and small forms.
const fn is_ordinary_latin(character: char) -> bool {
    matches!(character, '\0'..'\u{250}' | '\u{1e00}'..='\u{1eff}')
}

/// Letters and digits of no script that are others in another dress: mathematical, wide, modifiers. A picture is one, and the
/// signs that kana share are letters of their own.
fn is_dressed_up(character: char) -> bool {
    let letter = character.is_alphabetic() && !matches!(character, '\0'..'\u{100}' | '\u{3000}'..='\u{30ff}');
    let dressed = matches!(character, '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}');
    dressed || letter && !is_picture(character)
}

/// Scripts of which every letter in a text can be taken for one of another script.
fn suspects(text: &str) -> Vec<Script> {
    let letters = || text.chars().filter(|character| !character.is_ascii() && character.is_alphabetic());
    let clear: BTreeSet<Script> = letters().filter(|letter| !is_confusable(*letter)).map(script).collect();
    let all: BTreeSet<Script> = letters().map(script).collect();
    all.difference(&clear).copied().collect()
}
