//! Folding the output of commands away.

use std::collections::BTreeSet;

use domain::AttemptId;
use domain::run::{CommandState, Run};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Window;
use super::asking::{Aim, Anchor};
use crate::api::runs::lines;

/// The first line of a command stands so far below the top of the box that the command is seen as well, in pixels.
const BELOW_THE_COMMAND: f64 = 48.0;

impl Window {
    /// Folds the output of a command away, or shows it again.
    pub fn fold(self, command: u32) {
        let mut shown = None;
        self.folded.update(|folded| {
            if folded.remove(&command) {
                shown = Some(command);
            } else {
                folded.insert(command);
            }
        });
        self.learn_commands(shown);
    }

    /// Folds the output of all commands that have ended away, or shows all of it.
    pub fn fold_all(self) {
        let ended = |run: &Run| ended_commands(run, self.live.on_stage());
        let all: BTreeSet<u32> = self.live.run.with_untracked(ended);
        self.folded.update(|folded| *folded = if folded.is_empty() { all } else { BTreeSet::new() });
        self.learn_commands(None);
    }

    /// Where the lines of commands are is asked when somebody wants to fold them. Then there are others to look at: those of a command
    /// that is shown again, else those around the first that is seen.
    fn learn_commands(self, shown: Option<u32>) {
        // The rows of a stored piece fold by their bytes.
        if !self.windowed.get_untracked() {
            return;
        }
        let (id, went) = (self.live.on_stage(), self.goes());
        spawn_local(async move {
            let answer = lines(id.run, id.step, id.attempt, 1, None, None, 1).await;
            if self.has_gone(went) || self.live.on_stage() != id {
                return;
            }
            let view = match answer {
                Ok(view) => view,
                Err(error) => return self.said.set(error.to_string()),
            };
            let first = view.commands.iter().find(|lines| Some(lines.command) == shown).map(|lines| lines.first);
            self.commands.set(view.commands);
            self.let_go();
            let begin = Anchor { line: first.unwrap_or(1), offset: BELOW_THE_COMMAND, aim: Aim::Goes };
            let seen = self.first_in_sight().filter(|_| first.is_none());
            self.ask(seen.map_or(begin, |seen| Anchor { aim: Aim::Goes, ..seen }));
        });
    }
}

/// Whether a command of a step runs now.
pub(super) fn runs(run: &Run, step: u32, command: u32) -> bool {
    let state = run.step(step).and_then(|step| step.command(command));
    matches!(state, Some(CommandState::Running { .. }))
}

/// The commands of an attempt that have ended.
fn ended_commands(run: &Run, id: AttemptId) -> BTreeSet<u32> {
    let states = run.step(id.step).map(|step| step.commands.as_slice()).unwrap_or_default();
    let ended =
        |state: &CommandState| matches!(state.as_run(), CommandState::Ended { attempt, .. } if *attempt == id.attempt);
    (1..).zip(states).filter(|(_, state)| ended(state)).map(|(number, _)| number).collect()
}
