//! What a form says, read into what the use cases take. What does not fit is refused with a sentence, and nothing was done then.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::attempt::{Input, Key};
use domain::factor::Proof;
use domain::keyboard::{Named, Press, Stroke};
use domain::policy::{GroupName, Groups, Role, Scope, typed_groups};
use domain::run::{Verdict, Wanted};
use portal::{Decision, Handed, Place, Sought, Sure};

use super::session_id;
use crate::AppError;
use crate::api::runs::Typed;
use crate::components::words::capital;

/// What a form's step is about: 0 is the run as a whole.
pub fn about(step: u32) -> Option<u32> {
    (step > 0).then_some(step)
}

/// The numbers that a form lists, as `1,2,3`.
pub fn numbers(list: &str) -> Result<Vec<u32>, AppError> {
    let unreadable =
        |_| AppError::Invalid("The form was not understood. Nothing was started; load the page again.".into());
    list.split(',').map(|number| number.trim().parse().map_err(unreadable)).collect()
}

/// The steps and commands that a form has ticked: each key is a step with its commands, as `s4.1-2`.
pub fn wanted(ticked: &BTreeMap<String, String>) -> Result<Vec<Wanted>, AppError> {
    let read = |key: &String| {
        let (step, commands) = key.strip_prefix('s')?.split_once('.')?;
        let commands = commands.split('-').map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
        Some((step.parse().ok()?, commands))
    };
    let unreadable =
        || AppError::Invalid("The form was not understood. Nothing was asked; load the page again.".to_owned());
    ticked.keys().map(|key| read(key).ok_or_else(unreadable)).collect()
}

/// The second factor that a form hands over, if it does.
pub fn handed(code: &str, passkey: &str) -> Result<Option<Handed>, AppError> {
    let Some(proof) = Proof::of_form(code, passkey) else { return Ok(None) };
    Ok(Some(Handed { session: session_id()?, proof }))
}

/// The decision that a form names.
pub fn decision_named(name: &str, also: &BTreeMap<String, String>, text: String) -> Result<Decision, AppError> {
    let has = |what| also.contains_key(what);
    match name {
        "approve" => Ok(Decision::Approve { retry: has("retry"), rollback: has("rollback"), comment: text }),
        "reject" => Ok(Decision::Reject { reason: text }),
        _ => Err(AppError::Invalid("Say whether you approve or reject. Nothing was decided.".to_owned())),
    }
}

/// What a form wants to have covered: a text, or lines or bytes in a range, as `12-15`.
pub fn sought(text: String, unit: &str, range: &str) -> Result<Sought, AppError> {
    match (text.is_empty(), range.trim().is_empty(), unit) {
        (false, true, _) => Ok(Sought::Text(text)),
        (true, false, "bytes") => ranged(range).map(|(from, to)| Sought::Bytes(from, to.unwrap_or(from + 1))),
        (true, false, _) => ranged(range).map(|(from, to)| Sought::Lines(from, to.unwrap_or(from))),
        _ => Err(AppError::Invalid("Name either the text or where it stands. Nothing was asked.".to_owned())),
    }
}

/// Which lines of a log are asked for.
pub fn place_of(line: u64, byte: Option<u64>, moment: Option<Timestamp>) -> Place {
    match (byte, moment) {
        (Some(byte), _) => Place::Byte(byte),
        (None, Some(moment)) => Place::Moment(moment),
        (None, None) => Place::Line(line),
    }
}

/// One number, or two with a hyphen between them.
fn ranged(range: &str) -> Result<(u64, Option<u64>), AppError> {
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|number| *number < u64::MAX);
    let read = match range.split_once('-') {
        Some((from, to)) => number(from).zip(number(to)).map(|(from, to)| (from, Some(to))),
        None => number(range).map(|from| (from, None)),
    };
    read.ok_or_else(|| AppError::Invalid("A place is a number, or two as 12-15. Nothing was asked.".to_owned()))
}

/// What a form sends to a command: the key that it names, else its line.
pub fn input_of(key: &str, line: String) -> Result<Input, AppError> {
    if key.is_empty() {
        return Ok(Input::Line { text: line });
    }
    let known = Key::ALL.into_iter().find(|known| known.name() == key);
    let key = known.ok_or_else(|| AppError::Invalid("There is no such key. Nothing was sent.".to_owned()))?;
    Ok(Input::Key { key })
}

/// What was typed with a full keyboard.
pub fn strokes_of(typed: Typed) -> Result<Vec<Stroke>, AppError> {
    let Typed { keys, key, line, enter } = typed;
    if !keys.is_empty() {
        let unreadable = |_| AppError::Invalid("The keys were not understood. Nothing was sent.".to_owned());
        return serde_json::from_str(&keys).map_err(unreadable);
    }
    if !key.is_empty() {
        let press = Press::parse(&key)
            .map_err(|error| AppError::Invalid(format!("{}. Nothing was sent.", capital(&error.to_string()))))?;
        return Ok(vec![Stroke::Key(press)]);
    }
    let enter = (!enter.is_empty()).then_some(Stroke::Key(Press::plain(Named::Enter)));
    Ok([Stroke::Text(line)].into_iter().chain(enter).collect())
}

/// What a form says to a change of the second factor.
pub fn sure(password: String, code: &str, passkey: &str) -> Sure {
    Sure { password, proof: Proof::of_form(code, passkey) }
}

/// The verdict that a form names.
pub fn verdict_named(name: &str) -> Result<Verdict, AppError> {
    Verdict::parse(name)
        .ok_or_else(|| AppError::Invalid("Choose what came of the run. Nothing was changed.".to_owned()))
}

/// The role that a form names.
pub fn role_named(word: &str) -> Result<Role, AppError> {
    Role::parse(word).ok_or_else(|| {
        AppError::Invalid("There is no such role. Nothing was changed; choose one of the list.".to_owned())
    })
}

/// What a form lets a token do: the word of a role, or of suggesting alone.
pub fn token_named(word: &str) -> Result<(Scope, Role), AppError> {
    if word == Scope::Suggest.word() {
        return Ok((Scope::Suggest, Role::Operator));
    }
    Ok((Scope::Role, role_named(word)?))
}

/// The groups that a form names.
pub fn groups_named(text: &str) -> Result<Groups, AppError> {
    typed_groups(text).map_err(|_| {
        AppError::Invalid(format!(
            "A group has 1 to {} lower-case letters, digits, hyphens and underscores; between two stands a comma. Nothing was changed; \
             correct the names.",
            GroupName::LONGEST
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_covered_is_a_text_or_a_range_and_not_both() {
        let read = |text: &str, unit: &str, range: &str| {
            sought(text.to_owned(), unit, range).map(|sought| format!("{sought:?}")).unwrap_or_default()
        };

        assert_eq!([read("secret", "lines", ""), read("", "lines", "12-15")], ["Text", "Lines(12, 15)"]);
        assert_eq!(
            [read("", "", " 7 "), read("", "bytes", "7"), read("", "bytes", "0-4")],
            ["Lines(7, 7)", "Bytes(7, 8)", "Bytes(0, 4)"]
        );
        for (text, range) in
            [("secret", "1"), ("", ""), ("", "x"), ("", "1-"), ("", "-1"), ("", "18446744073709551615")]
        {
            assert_eq!(read(text, "bytes", range), "", "{text} {range}");
        }
    }
}
