//! Sending something to the command that runs.

use super::{open, plan_step};
use crate::attempt::{Condition, Input};
use crate::keyboard::{self, Modes, Stroke};
use crate::run::event::Event;
use crate::run::refusal::Refusal;
use crate::run::state::{Run, StepState};

/// The longest line, in bytes: a terminal takes 4,095 with the end of the line (measured on Linux).
const LINE_LIMIT: usize = 4_000;

/// A line goes only to a command that waits for one, a key only to a full-screen program or whatever takes single keys, and a
/// full keyboard only to an interactive step.
pub(super) fn send(
    run: &Run,
    (step, attempt, command): (u32, u32, u32),
    input: &Input,
    found: Condition,
) -> Result<Event, Refusal> {
    open(run, step, attempt)?;
    let runs = run.step(step).and_then(StepState::running) == Some(command);
    if !runs {
        return Err(Refusal::NotRunning);
    }
    let meant = found.command == command;
    let key = match input {
        Input::Line { text } => {
            one_line(text)?;
            (meant && found.waiting && !found.screen).then_some(None).ok_or(Refusal::NotWaiting)?
        }
        Input::Key { key } => (meant && (found.screen || found.raw)).then_some(Some(*key)).ok_or(Refusal::NoScreen)?,
        Input::Keys { strokes } => {
            let bytes = typed(run, step, strokes, found.modes_of(command))?;
            return Ok(Event::KeysTyped { step, attempt, command, bytes });
        }
    };
    Ok(Event::InputSent { step, attempt, command, key })
}

/// How many bytes keys are, if they may go to a step.
fn typed(run: &Run, step: u32, strokes: &[Stroke], modes: Modes) -> Result<u32, Refusal> {
    plan_step(run, step)?.interactive.then_some(()).ok_or(Refusal::NoKeyboard)?;
    match keyboard::bytes(strokes, modes).len() {
        0 => Err(Refusal::Keys("No key was pressed")),
        bytes if bytes > keyboard::LIMIT => Err(Refusal::Keys("At most 4,000 bytes can be typed at once")),
        bytes => Ok(u32::try_from(bytes).unwrap_or(u32::MAX)),
    }
}

fn one_line(text: &str) -> Result<(), Refusal> {
    let misfit = |why: &str| Err(Refusal::Misfit { name: "Input".to_owned(), why: why.to_owned() });
    match text {
        _ if text.contains(|sign: char| sign.is_control() && sign != '\t') => {
            misfit("one line at a time, without control characters")
        }
        _ if text.len() > LINE_LIMIT => misfit("a line has 4,000 bytes at most"),
        _ => Ok(()),
    }
}
