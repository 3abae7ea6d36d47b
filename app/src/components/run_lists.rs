//! Runs in lists.

use domain::run::{StepStatus, Verdict};
use domain::time;
use domain::view::RunRow;
use leptos::prelude::*;

use super::ago::{Ago, Elapsed};
use super::risk::RiskMark;
use super::state::RunMark;
use crate::base::portal_path;

/// Where an open run stands, as `step 3, Restore database`.
pub fn step_words(row: &RunRow) -> String {
    match row.step {
        0 => "all steps are over".to_owned(),
        step => format!("step {step} of {}, {}", row.steps, row.step_title),
    }
}

/// How long a closed run took.
pub fn duration_words(row: &RunRow) -> Option<String> {
    Some(time::span(row.ended?.since(row.started)))
}

/// Whether a person has to look before an open run goes on.
pub fn waits_for_a_person(row: &RunRow) -> bool {
    row.verdict.is_none()
        && matches!(row.status, StepStatus::Failed | StepStatus::Interrupted | StepStatus::Stopped | StepStatus::Paused)
}

/// Open runs, one line each: what, where, state, time.
#[component]
pub fn OpenRuns(runs: Vec<RunRow>) -> impl IntoView {
    let rows = runs
        .into_iter()
        .map(|row| {
            let words = step_words(&row);
            view! {
                <li>
                    <a class="name" href=portal_path(format!("/runs/{}", row.id))>
                        {row.title.clone()}
                    </a>
                    <span class="where">{format!("{} · {} · run {}", row.target, row.by, row.id)}</span>
                    <span class="what">
                        <RunMark row=row.clone() />
                        <span class="soft">{words}</span>
                    </span>
                    <span class="time">
                        <b>
                            <Elapsed since=row.started />
                        </b>
                        <span class="quiet">{(!row.reason.is_empty()).then(|| row.reason.clone())}</span>
                    </span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="runs">{rows}</ul> }.into_any()
}

/// Closed runs, two lines each.
#[component]
pub fn RecentRuns(runs: Vec<RunRow>) -> impl IntoView {
    let rows = runs
        .into_iter()
        .map(|row| {
            let duration = duration_words(&row);
            view! {
                <li>
                    <a href=portal_path(format!("/runs/{}", row.id))>
                        <span class="name">{row.title.clone()}</span>
                        <RunMark row=row.clone() />
                        <span class="sub">
                            <span>{row.id.to_string()}</span>
                            <span>{row.target.clone()}</span>
                            <span>{row.by.clone()}</span>
                            <Ago at=row.started />
                            <span>{duration}</span>
                        </span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="lines">{rows}</ol> }.into_any()
}

/// The last runs of one procedure.
#[component]
pub fn LastRuns(runs: Vec<RunRow>) -> impl IntoView {
    let rows = runs
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <th scope="row">
                        <a href=portal_path(format!("/runs/{}", row.id))>{row.id.to_string()}</a>
                        " "
                        {row.target.clone()}
                    </th>
                    <td>
                        <RunMark row=row.clone() />
                    </td>
                    <td class="soft">{row.by.clone()}</td>
                    <td class="quiet">
                        <Ago at=row.started />
                    </td>
                    <td class="num">{duration_words(&row)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="table" data-cards>
            <caption class="sr">"The last runs of this procedure"</caption>
            <thead>
                <tr>
                    <th scope="col">"Run"</th>
                    <th scope="col">"Verdict"</th>
                    <th scope="col">"Who"</th>
                    <th scope="col">"Started"</th>
                    <th scope="col" class="num">"Duration"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// Runs of the history, grouped by day.
#[component]
pub fn RunsTable(runs: Vec<RunRow>) -> impl IntoView {
    let mut days: Vec<(String, Vec<RunRow>)> = Vec::new();
    for row in runs {
        let day = day_of(&row);
        match days.last_mut() {
            Some((last, rows)) if *last == day => rows.push(row),
            _ => days.push((day, vec![row])),
        }
    }
    let bodies = days
        .into_iter()
        .map(|(day, rows)| {
            let rows = rows.into_iter().map(history_row).collect_view();
            view! {
                <tbody>
                    <tr class="group">
                        <th colspan="8" scope="colgroup">
                            {day}
                        </th>
                    </tr>
                    {rows}
                </tbody>
            }
        })
        .collect_view();
    view! {
        <table class="table runs-table" data-cards>
            <caption class="sr">"Runs, newest first, grouped by day"</caption>
            <thead>
                <tr>
                    <th scope="col" aria-sort="descending">"Started"</th>
                    <th scope="col">"Run"</th>
                    <th scope="col">"Procedure"</th>
                    <th scope="col">"Verdict"</th>
                    <th scope="col">"Class"</th>
                    <th scope="col">"Target"</th>
                    <th scope="col">"Person"</th>
                    <th scope="col" class="num">"Duration"</th>
                </tr>
            </thead>
            {bodies}
        </table>
    }
    .into_any()
}

/// `Mon 23 Nov 2026`, which is what stands before the comma of the moment in words.
fn day_of(row: &RunRow) -> String {
    row.started.absolute().split(',').next().unwrap_or_default().to_owned()
}

fn history_row(row: RunRow) -> impl IntoView {
    let time = row.started.time_of_day();
    let verdict = match (row.verdict, row.status) {
        (Some(Verdict::Reached), StepStatus::Difference) => Some(", with differences"),
        _ => None,
    };
    let duration = duration_words(&row);
    view! {
        <tr>
            <td class="quiet">
                <time datetime=row.started.iso() title=row.started.absolute()>
                    {time[..5].to_owned()}
                </time>
            </td>
            <td class="soft">{row.id.to_string()}</td>
            <th scope="row">
                <a href=portal_path(format!("/runs/{}", row.id))>{row.title.clone()}</a>
                {(!row.reason.is_empty()).then(|| view! { <span class="sub">{row.reason.clone()}</span> })}
            </th>
            <td>
                <RunMark row=row.clone() />
                {verdict}
            </td>
            <td>
                <RiskMark risk=row.risk />
            </td>
            <td class="soft">{row.target.clone()}</td>
            <td class="soft">{row.by.clone()}</td>
            <td class="num">{duration}</td>
        </tr>
    }
    .into_any()
}
