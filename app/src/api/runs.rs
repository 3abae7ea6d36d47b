//! Starting runs, working in them, following them.
//!
//! All that happens inside a run goes through one use case and one gate; the functions differ only in what they read
//! from their form.

use std::collections::BTreeMap;

use domain::find::{Found, Wanted};
use domain::frame::Cursor;
use domain::view::{LinesView, LogView, PlainText};
use domain::{ActionKey, RunId, Slug, SuggestionId, Timestamp};
use leptos::server;
use serde::{Deserialize, Serialize};
use server_fn::codec::{ByteStream, Streaming};

use crate::AppError;

/// Starts a run and opens its page. The same key starts one run, however often the form is sent. A run that is started by a suggestion
/// names it.
#[server(endpoint = "runs/start")]
pub async fn start_run(
    slug: Slug,
    target: String,
    #[server(default)] reason: String,
    key: ActionKey,
    #[server(default)] values: BTreeMap<String, String>,
    #[server(default)] suggestion: Option<SuggestionId>,
) -> Result<RunId, AppError> {
    use crate::ssr::{answer, caller, go_to};

    answer(
        async {
            let caller = caller().await?;
            // An empty field is a value that stays open until a step needs it.
            let values = values.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let start = portal::StartRun { slug, target, reason, values, key, suggestion };
            let run = caller.portal.start_run(caller.actor.operator()?, start).await?;
            go_to(&format!("/runs/{run}"));
            Ok(run)
        }
        .await,
    )
}

/// Gives a parameter its value.
#[server(endpoint = "runs/value")]
pub async fn set_value(run: RunId, name: String, value: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, 0, Command::SetValue { name, value }).await }.await)
}

/// Runs commands of a step.
#[server(endpoint = "runs/run")]
pub async fn run_commands(
    run: RunId,
    step: u32,
    attempt: u32,
    commands: String,
    #[server(default)] confirmation: String,
    #[server(default)] outage: String,
) -> Result<(), AppError> {
    use crate::ssr::{act, answer, numbers};
    use domain::run::Command;

    answer(
        async {
            let (commands, confirmation, outage) = (numbers(&commands)?, Some(confirmation), Some(outage));
            act(run, step, Command::RunCommands { step, attempt, commands, confirmation, outage }).await
        }
        .await,
    )
}

/// Passes over one command.
#[server(endpoint = "runs/skip-command")]
pub async fn skip_command(run: RunId, step: u32, command: u32, reason: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, step, Command::SkipCommand { step, command, reason }).await }.await)
}

/// Passes over a step.
#[server(endpoint = "runs/skip-step")]
pub async fn skip_step(run: RunId, step: u32, reason: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, 0, Command::SkipStep { step, reason }).await }.await)
}

/// Marks a manual step as done.
#[server(endpoint = "runs/complete")]
pub async fn complete_step(run: RunId, step: u32) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, 0, Command::CompleteStep { step }).await }.await)
}

/// Ends a watch while it runs; the next command goes on.
#[server(endpoint = "runs/end-watch")]
pub async fn end_watch(run: RunId, step: u32, attempt: u32, command: u32) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, step, Command::EndWatch { step, attempt, command }).await }.await)
}

/// Stops the attempt that runs.
#[server(endpoint = "runs/stop")]
pub async fn stop(run: RunId, step: u32, attempt: u32) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, step, Command::Stop { step, attempt }).await }.await)
}

/// Ticks a line. Step 0 is the expected outcome.
#[server(endpoint = "runs/tick")]
pub async fn tick(run: RunId, step: u32, item: u32, #[server(default)] note: String) -> Result<(), AppError> {
    use crate::ssr::{about, act, answer};
    use domain::run::Command;

    answer(async { act(run, step, Command::Tick { step: about(step), item, note }).await }.await)
}

/// Takes a tick back. Step 0 is the expected outcome.
#[server(endpoint = "runs/untick")]
pub async fn untick(run: RunId, step: u32, item: u32) -> Result<(), AppError> {
    use crate::ssr::{about, act, answer};
    use domain::run::Command;

    answer(async { act(run, step, Command::Untick { step: about(step), item }).await }.await)
}

/// Asks for a check now. Step 0 is the expected outcome, and line 0 all of its checks. What comes of them stands in the run.
#[server(endpoint = "runs/check")]
pub async fn check_now(run: RunId, step: u32, item: u32) -> Result<(), AppError> {
    use crate::ssr::{about, answer, back_to, caller};
    use domain::check::CheckId;

    answer(
        async {
            let caller = caller().await?;
            let check = (item > 0).then_some(CheckId { step: about(step), number: item });
            // On the heap, as every deed in a run.
            Box::pin(caller.portal.ask_for_checks(caller.actor.operator()?, run, check)).await?;
            back_to(&format!("/runs/{run}"));
            Ok(())
        }
        .await,
    )
}

/// Says why a check that did not hold does not stand against the outcome. Step 0 is the expected outcome.
#[server(endpoint = "runs/overrule")]
pub async fn overrule(run: RunId, step: u32, item: u32, reason: String) -> Result<(), AppError> {
    use crate::ssr::{about, act, answer};
    use domain::check::CheckId;
    use domain::run::Command;

    answer(
        async {
            let check = CheckId { step: about(step), number: item };
            act(run, step, Command::OverruleCheck { check, reason }).await
        }
        .await,
    )
}

/// Writes a note. Step 0 is the whole run.
#[server(endpoint = "runs/note")]
pub async fn add_note(run: RunId, step: u32, text: String) -> Result<(), AppError> {
    use crate::ssr::{about, act, answer};
    use domain::run::Command;

    answer(async { act(run, step, Command::AddNote { step: about(step), text }).await }.await)
}

/// Calls somebody whom the procedure names into a run, by its words for them. Without a hand-over the portal writes one.
#[server(endpoint = "runs/escalate")]
pub async fn escalate(
    run: RunId,
    number: u32,
    contact: String,
    #[server(default)] text: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            // On the heap, as every deed in a run.
            Box::pin(caller.portal.escalate(caller.actor.operator()?, run, number, &contact, &text)).await?;
            back_to(&format!("/runs/{run}"));
            Ok(())
        }
        .await,
    )
}

/// Goes on with a run that another person works in.
#[server(endpoint = "runs/take-over")]
pub async fn take_over(run: RunId, reason: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, 0, Command::TakeOver { reason }).await }.await)
}

/// Takes the target's lock from the run that holds it.
#[server(endpoint = "runs/take-lock")]
pub async fn take_lock(run: RunId, reason: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, 0, Command::TakeLock { reason }).await }.await)
}

/// Lets the next attempt begin in another directory; at a step that has its own it is for that step alone.
#[server(endpoint = "runs/directory")]
pub async fn set_directory(run: RunId, path: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, 0, Command::SetDirectory { path }).await }.await)
}

/// Adds a step that is not in the document, after another one. Runs nothing yet.
#[server(endpoint = "runs/add-step")]
pub async fn add_step(run: RunId, after: u32, place: u32, text: String, reason: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            let added = portal::Added { text, reason, after, place };
            let step = caller.portal.add_step(caller.actor.operator()?, run, added).await?;
            back_to(&format!("/runs/{run}?step={step}"));
            Ok(())
        }
        .await,
    )
}

/// Sends something to the command that runs: a key by its name, else a line, which may be empty.
#[server(endpoint = "runs/input")]
pub async fn send_input(
    run: RunId,
    step: u32,
    attempt: u32,
    command: u32,
    number: u32,
    #[server(default)] line: String,
    #[server(default)] key: String,
) -> Result<(), AppError> {
    use crate::ssr::{act, answer, input_of};
    use domain::run::Command;

    answer(
        async {
            let input = input_of(&key, line)?;
            act(run, step, Command::SendInput { step, attempt, command, number, input }).await
        }
        .await,
    )
}

/// What a form or the page types with a full keyboard: keys by the page, one key by its name, or a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// Everything that was typed, as JSON: `[{"text":"ls"},{"key":"enter"},{"key":"ctrl-c"},{"paste":"…"}]`.
    pub keys: String,
    /// One key, as `ctrl-c`.
    pub key: String,
    /// A line, when there is neither.
    pub line: String,
    /// Not empty when Enter follows the line.
    pub enter: String,
}

/// Types into an interactive step with a full keyboard.
#[server(endpoint = "runs/keys")]
pub async fn type_keys(
    run: RunId,
    step: u32,
    attempt: u32,
    command: u32,
    number: u32,
    #[server(default)] typed: Typed,
) -> Result<(), AppError> {
    use crate::ssr::{act, answer, strokes_of};
    use domain::attempt::Input;
    use domain::run::Command;

    answer(
        async {
            let input = Input::Keys { strokes: strokes_of(typed)? };
            act(run, step, Command::SendInput { step, attempt, command, number, input }).await
        }
        .await,
    )
}

/// Gives the run up: what runs is stopped, and the run is closed.
#[server(endpoint = "runs/abort")]
pub async fn abort(run: RunId, reason: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, 0, Command::Abort { reason }).await }.await)
}

/// Closes the run.
#[server(endpoint = "runs/finish")]
pub async fn finish(run: RunId, verdict: String, #[server(default)] comment: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer, verdict_named};
    use domain::run::Command;

    answer(async { act(run, 0, Command::Finish { verdict: verdict_named(&verdict)?, comment }).await }.await)
}

/// The output of an attempt from a byte on, at most 256 KiB; without a byte its tail.
#[server(endpoint = "runs/log")]
pub async fn log(run: RunId, step: u32, attempt: u32, from: Option<u64>) -> Result<LogView, AppError> {
    use crate::ssr::{answer, caller};
    use domain::AttemptId;

    answer(
        async {
            let caller = caller().await?;
            let id = AttemptId { run, step, attempt };
            Ok(caller.portal.log(caller.actor.viewer()?, id, from.unwrap_or(u64::MAX)).await?)
        }
        .await,
    )
}

/// Lines of the output of an attempt: from a line on, counted from 1; or, when one of them is named, around the one in which a byte
/// stands, or around the first that was printed at a moment (milliseconds since 1970) or later. At most 1,000.
#[server(endpoint = "runs/lines")]
pub async fn lines(
    run: RunId,
    step: u32,
    attempt: u32,
    #[server(default)] line: u64,
    #[server(default)] byte: Option<u64>,
    #[server(default)] moment: Option<Timestamp>,
    #[server(default)] most: u64,
) -> Result<LinesView, AppError> {
    use crate::ssr::{answer, caller, place_of};
    use domain::AttemptId;

    answer(
        async {
            let caller = caller().await?;
            let (id, place) = (AttemptId { run, step, attempt }, place_of(line, byte, moment));
            Ok(caller.portal.log_lines(caller.actor.viewer()?, id, place, most).await?)
        }
        .await,
    )
}

/// The lines of the whole output of an attempt that have a text, in capitals or not, or to which a regular expression applies; named
/// are those around a line. What runs is looked through as far as it is stored.
#[server(endpoint = "runs/find")]
pub async fn find(run: RunId, step: u32, attempt: u32, wanted: Wanted, around: u64) -> Result<Found, AppError> {
    use crate::ssr::{answer, caller};
    use domain::AttemptId;

    answer(
        async {
            let caller = caller().await?;
            let id = AttemptId { run, step, attempt };
            Ok(caller.portal.search_log(caller.actor.viewer()?, id, &wanted, around).await?)
        }
        .await,
    )
}

/// Lines of the output of an attempt as plain text, from one to another, both with it: as a page shows them, without colours.
#[server(endpoint = "runs/text")]
pub async fn text(run: RunId, step: u32, attempt: u32, from: u64, to: u64) -> Result<PlainText, AppError> {
    use crate::ssr::{answer, caller};
    use domain::AttemptId;

    answer(
        async {
            let caller = caller().await?;
            let id = AttemptId { run, step, attempt };
            Ok(caller.portal.log_text(caller.actor.viewer()?, id, from, to).await?)
        }
        .await,
    )
}

/// Follows a run as newline-delimited JSON, one frame a line, from just after the cursor.
///
/// A failure after the first byte cannot change the status any more: the stream ends, and the page asks again from where
/// it is. The stream is one of bytes, because the network cuts it anywhere, also inside a character.
#[server(endpoint = "runs/watch", output = Streaming)]
pub async fn watch_run(run: RunId, cursor: Cursor) -> Result<ByteStream<AppError>, AppError> {
    use crate::ssr::{answer, as_line, caller};
    use futures::StreamExt as _;

    let frames = answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.watch(caller.actor.viewer()?, run, cursor).await?)
        }
        .await,
    )?;
    Ok(ByteStream::new(frames.map(|framed| as_line(&framed))))
}

/// Shows an attempt that has ended once more, as frames like those of a run that is followed, at the pace of then: from so many
/// milliseconds after its begin on, and up to 100 times as fast. Nothing that was printed is waited for longer than 2 seconds.
#[server(endpoint = "runs/replay", output = Streaming)]
pub async fn replay(
    run: RunId,
    step: u32,
    attempt: u32,
    from: u64,
    speed: u32,
) -> Result<ByteStream<AppError>, AppError> {
    use crate::ssr::{answer, as_line, caller};
    use domain::AttemptId;
    use futures::StreamExt as _;

    let frames = answer(
        async {
            let caller = caller().await?;
            let id = AttemptId { run, step, attempt };
            Ok(caller.portal.replay(caller.actor.viewer()?, id, from, speed).await?)
        }
        .await,
    )?;
    Ok(ByteStream::new(frames.map(|framed| as_line(&framed))))
}
