//! Where a value that begins with a hyphen would be an option to the program that gets it.

use crate::placeholder::occurrences;
use crate::risk;
use crate::shell::{Call, Shell, calls};

/// Programs to which a word that begins with a hyphen is a word like any other, or as good as one.
const HARMLESS: &[&str] = &["echo", "printf", "test", "["];

/// The program that would take a value for one of its options, because the placeholder begins a word of it and no `--` stands
/// before that. `ssh HOST uptime` with the value `-oProxyCommand=…` runs a program.
pub fn option_of(text: &str, placeholder: &str) -> Option<String> {
    let places = occurrences(text, placeholder);
    // Most placeholders stand in no command at all.
    let shell = Shell::parse(text).filter(|_| !places.is_empty())?;
    calls(&shell).0.iter().find_map(|call| places.iter().find_map(|(start, _)| taken_by(&shell, call, *start)))
}

fn taken_by(shell: &Shell<'_>, call: &Call, start: usize) -> Option<String> {
    let words = risk::innermost(&call.words);
    let program = words.first()?.text.rsplit('/').next()?;
    let begins = |from: usize| {
        shell.text().get(from..start).is_some_and(|before| before.trim_matches(['"', '\'', '$']).is_empty())
    };
    let mut before_dashes = call.words.iter().skip(1).take_while(|word| word.text != "--");
    let begun = before_dashes.any(|word| word.start <= start && start < word.end && begins(word.start));
    (begun && !HARMLESS.contains(&program)).then(|| program.to_owned())
}
