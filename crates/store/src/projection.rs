//! The row of a run in the lists, derived from the folded run by one pure function.

use domain::RunId;
use domain::health;
use domain::run::{Run, StepStatus, Verdict, Who};
use domain::view::RunRow;

use crate::words::word;
use crate::{Connection, Error, approvals, escalations, redactions, sight, stored};

/// What lists say about a run.
pub(crate) fn row(run: &Run) -> RunRow {
    // What runs right now is where the run stands, also when its operator went ahead of the order.
    let current = run.stands_at();
    let step = current.and_then(|step| run.plan.step(step));
    let steps = run.plan.steps.iter().filter(|step| step.is_on_the_way()).count();
    RunRow {
        id: run.id,
        slug: run.plan.slug.clone(),
        title: run.plan.title.clone(),
        target: run.plan.target.name.clone(),
        by: run.started.by.name().to_owned(),
        reason: run.reason.clone(),
        started: run.started.at,
        ended: run.end.as_ref().map(|end| end.stamp.at),
        verdict: run.end.as_ref().map(|end| end.verdict),
        status: current.map_or(StepStatus::Done, |step| run.status(step)),
        step: step.map_or(0, |step| step.number),
        step_title: step.map(|step| step.title.clone()).unwrap_or_default(),
        steps: u32::try_from(steps).unwrap_or(u32::MAX),
        risk: run.plan.risk(),
    }
}

/// The id of who started a run; nobody's when it was the portal itself.
fn starter(run: &Run) -> &str {
    match &run.started.by {
        Who::Person(actor) => actor.id.as_str(),
        Who::Portal => "",
    }
}

/// The words that the history searches, in lower case: title and reason.
fn words(row: &RunRow) -> String {
    format!("{}\n{}", row.title, row.reason).to_lowercase()
}

/// The marks of the steps that were worked through, as a JSON list.
fn worked(run: &Run) -> String {
    serde_json::Value::from(health::worked(run)).to_string()
}

/// The target whose lock a run holds, by what is known of it.
pub(crate) fn target_held(run: &Run) -> Option<String> {
    run.holds_lock().then(|| run.plan.target.name.clone())
}

/// The target whose lock a run holds, by its row.
pub(crate) async fn target_noted(connection: &mut Connection, run: RunId) -> Result<Option<String>, Error> {
    let noted: Option<Option<String>> =
        sqlx::query_scalar("SELECT holds FROM runs WHERE id = $1").bind(run.0).fetch_optional(connection).await?;
    Ok(noted.flatten())
}

/// Writes the whole row, with the target whose lock the run holds, if the run still stands at the version that was `seen`; 0
/// means that there is none yet.
///
/// # Errors
///
/// [`Error::Moved`] when it does not.
pub(crate) async fn write(
    connection: &mut Connection,
    run: &Run,
    seen: u64,
    holds: Option<String>,
) -> Result<(), Error> {
    let row = row(run);
    let query = sqlx::query(if seen == 0 { INSERT } else { UPDATE });
    let written = query
        .bind(row.id.0)
        .bind(stored(run.version))
        .bind(row.slug.as_str())
        .bind(&row.title)
        .bind(&row.target)
        .bind(starter(run))
        .bind(&row.by)
        .bind(&row.reason)
        .bind(words(&row))
        .bind(row.started.0)
        .bind(row.ended.map(|ended| ended.0))
        .bind(row.verdict.map(Verdict::name))
        .bind(word(&row.status))
        .bind(row.step)
        .bind(&row.step_title)
        .bind(row.steps)
        .bind(word(&row.risk))
        .bind(holds)
        .bind(sight::limit(run))
        .bind(worked(run))
        .bind(stored(seen))
        .execute(&mut *connection)
        .await
        .map_err(|error| Error::unless_unique(error, Error::Moved))?;
    if written.rows_affected() != 1 {
        return Err(Error::Moved);
    }
    approvals::write(connection, run).await?;
    redactions::write(connection, run).await?;
    escalations::write(connection, run).await
}

// Both take the same values in the same order. The last one is the version that was seen: nothing is inserted over it.
const INSERT: &str = "INSERT INTO runs (id, version, slug, title, target, by_id, by_name, reason, words, started, ended, \
     verdict, status, step, step_title, steps, risk, holds, visible_to, worked) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20 WHERE $21 = 0";

const UPDATE: &str = "UPDATE runs SET version = $2, slug = $3, title = $4, target = $5, by_id = $6, by_name = $7, \
     reason = $8, words = $9, started = $10, ended = $11, verdict = $12, status = $13, step = $14, step_title = $15, \
     steps = $16, risk = $17, holds = $18, visible_to = $19, worked = $20 WHERE id = $1 AND version = $21";
