//! Comments that make what follows a choice: a step pauses there, and alternatives never run in a row.

use std::sync::LazyLock;

use domain::runbook::{Choice, Command};
use regex::Regex;

static EXCLUSIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^\s*(?:option|alternative|variant|choice|method|approach|possibility)\s+(?:[0-9]+|[a-z])\b|^\s*(?:alternatively|alternative|or|either|otherwise|instead)\b(?:\s*[:,.-]|\s*$|\s+\w)|\binstead\s*[:.]?\s*$|^\s*\(?[a-d]\)\s",
    )
    .expect("a fixed pattern")
});
static SWITCH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*(?:alternatively|alternative\b|or\b|otherwise|instead)|\binstead\s*[:.]?\s*$")
        .expect("a fixed pattern")
});
static OPTIONAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:if|unless|optional|optionally|when needed|as needed|when necessary|as necessary|where needed|only when)\b")
        .expect("a fixed pattern")
});

/// Words behind which "if" asks a question: the command below answers it and always runs.
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:check|checks|see|verify|verifies|test|tests|find out|know|make sure|look|confirm|determine|ask|tell)\s+(?:again\s+)?if\b")
        .expect("a fixed pattern")
});

/// How words make what follows a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// One of several that exclude each other, all of which say so.
    Option,
    /// Excludes what stands before it.
    Switch,
    /// May be left out.
    Optional,
}

/// Whether words make what follows a choice.
pub(crate) fn turn(words: &str) -> Option<Turn> {
    if SWITCH.is_match(words) {
        Some(Turn::Switch)
    } else if EXCLUSIVE.is_match(words) {
        Some(Turn::Option)
    } else {
        OPTIONAL.is_match(&ASKS.replace_all(words, "")).then_some(Turn::Optional)
    }
}

/// The choices of one step, counted through all its blocks.
#[derive(Debug, Default)]
pub(crate) struct Step {
    groups: u32,
    blocks: u32,
    /// What prose before the next block says.
    prose: Option<(Turn, String)>,
}

impl Step {
    /// Takes note of a short paragraph before a block. "If …" before the first block belongs to the whole step.
    pub(crate) fn prose(&mut self, words: &str) {
        let short = words.chars().count() <= 120;
        let turn = turn(words).filter(|turn| short && (*turn != Turn::Optional || self.blocks > 0));
        self.prose = turn.map(|turn| (turn, words.trim().trim_end_matches(':').to_owned()));
    }

    /// Begins a block.
    pub(crate) fn block(&mut self) -> Choices<'_> {
        self.blocks += 1;
        let mut choices = Choices { step: self, current: None, of_commands: Vec::new(), blocks: Vec::new() };
        if let Some((turn, when)) = choices.step.prose.take() {
            choices.begin(turn, when);
        }
        choices
    }

    /// When prose makes the next block an alternative to the one before it: the choice that the one before it becomes.
    pub(crate) fn excluded_before(&mut self) -> Option<Choice> {
        let switches = matches!(self.prose, Some((Turn::Switch, _))) && self.blocks > 0;
        switches.then(|| Choice { group: self.group(), when: String::new(), exclusive: true })
    }

    fn group(&mut self) -> u32 {
        self.groups += 1;
        self.groups
    }
}

/// The choices of one block.
#[derive(Debug)]
pub(crate) struct Choices<'s> {
    step: &'s mut Step,
    current: Option<Choice>,
    of_commands: Vec<Option<Choice>>,
    /// The first command of each run of commands without a comment between them.
    blocks: Vec<usize>,
}

impl Choices<'_> {
    fn begin(&mut self, turn: Turn, when: String) {
        let exclusive = turn != Turn::Optional;
        self.current = Some(Choice { group: self.step.group(), when, exclusive });
    }

    /// Takes the next command with the comments above it and behind it.
    pub(crate) fn next(&mut self, above: &[String], behind: &[String], apart: bool) {
        let speaks = above.iter().find_map(|comment| turn(comment).map(|turn| (turn, comment.clone())));
        match speaks {
            Some((turn, when)) => {
                if turn == Turn::Switch {
                    self.exclude_what_is_before();
                }
                self.blocks.push(self.of_commands.len());
                self.begin(turn, when);
            }
            // A comment of its own after a blank line speaks about something else.
            None if !above.is_empty() => {
                self.blocks.push(self.of_commands.len());
                if apart || self.current.as_ref().is_some_and(|choice| !choice.exclusive) {
                    self.current = None;
                }
            }
            None => {}
        }
        let own = behind.iter().find_map(|comment| turn(comment).map(|turn| (turn, comment.clone())));
        let choice = match own {
            Some((turn, when)) => {
                if turn == Turn::Switch {
                    self.exclude_what_is_before();
                }
                Some(Choice { group: self.step.group(), when, exclusive: turn != Turn::Optional })
            }
            None => self.current.clone(),
        };
        self.of_commands.push(choice);
    }

    /// "Alternatively" makes the commands before it an alternative, too.
    fn exclude_what_is_before(&mut self) {
        let from = self.blocks.last().copied().unwrap_or(0);
        if self.of_commands.len() <= from || self.of_commands[from..].iter().any(Option::is_some) {
            return;
        }
        let choice = Choice { group: self.step.group(), when: String::new(), exclusive: true };
        for slot in &mut self.of_commands[from..] {
            *slot = Some(choice.clone());
        }
    }

    /// Writes the choices into the block's commands.
    pub(crate) fn settle(self, commands: &mut [Command]) {
        for (command, choice) in commands.iter_mut().zip(self.of_commands) {
            command.choice = choice.map(|choice| named(choice, command));
        }
    }
}

/// A choice about which no comment says anything is called by its command.
pub(crate) fn named(mut choice: Choice, command: &Command) -> Choice {
    if choice.when.is_empty() {
        let first = command.text.lines().next().unwrap_or_default();
        choice.when = command.label.clone().unwrap_or_else(|| first.to_owned());
    }
    choice
}
