//! A closed run: verdict before detail.

use domain::run::{CommandState, End, Run, StepStatus};
use domain::time;
use domain::view::{Newer, Usual};
use leptos::prelude::*;
use leptos_meta::Title;

use super::facts::{Notes, ThisRun};
use super::finish::{outcome_list, outcome_words};
use super::notices::NewerNotice;
use super::rail::{command_status, number};
use super::stage::ending;
use crate::components::ago::{Ago, TimeOfDay};
use crate::components::glyph::{Glyph, Sign};
use crate::components::log_view::LogView;
use crate::components::pace::{Pace, usual_words};
use crate::components::risk::RiskMark;
use crate::components::state::{StateMark, verdict_name};
use crate::deeds::Hands;
use crate::live::Live;
use crate::record::{Mark, timeline};

/// The page of a closed run.
#[component]
pub fn Record(usual: Option<Usual>, newer: Option<Newer>) -> impl IntoView {
    let live = Live::here();
    let run = live.run.get_untracked();
    let Some(end) = run.end.clone() else { return ().into_any() };
    let title = format!("Run {}, {}", run.id, end.verdict.word());
    let steps: Vec<AnyView> = (1..).zip(&run.plan.steps).map(|(step, _)| step_rows(&run, step)).collect();
    view! {
        <Title text=title />
        <main id="main" class="page" data-kind="record" tabindex="-1">
            <RecordHead run=run.clone() end=end.clone() />
            <div class="main stack" data-gap="large">
                <VerdictBlock run=run.clone() end=end.clone() />
                {outcome_list(&run, Hands::Off)
                    .map(|list| {
                        view! {
                            <section class="part" aria-labelledby="outcome-title">
                                <div class="spread">
                                    <h2 id="outcome-title">"Expected outcome"</h2>
                                    <span class="quiet small">{outcome_words(&run)}</span>
                                </div>
                                {list}
                            </section>
                        }
                    })}
                <section class="part" aria-labelledby="steps-title">
                    <h2 id="steps-title">"Steps as they were"</h2>
                    <table class="table steps-table" data-cards>
                        <caption class="sr">{format!("Steps and commands of run {}", run.id)}</caption>
                        <thead>
                            <tr>
                                <th scope="col" class="num">
                                    <span class="sr">"Number"</span>
                                </th>
                                <th scope="col">"Step and command"</th>
                                <th scope="col">"Class"</th>
                                <th scope="col">"Result"</th>
                                <th scope="col" class="num">"Duration"</th>
                                <th scope="col">"Who"</th>
                            </tr>
                        </thead>
                        {steps}
                    </table>
                </section>
                <Output />
            </div>
            <aside class="aside stack" aria-label="Record">
                {newer.map(|newer| view! { <NewerNotice newer /> })}
                <Timeline run=run.clone() />
                <section class="panel">
                    <header>
                        <h2>"Pace"</h2>
                        <span>{usual.map(|usual| format!("usual {}", usual_words(usual)))}</span>
                    </header>
                    <Pace since=run.started.at until=Some(end.stamp.at) usual />
                </section>
                <ThisRun />
                {(!run.notes.is_empty()).then(|| view! { <Notes hands=Hands::Off /> })}
            </aside>
        </main>
    }
    .into_any()
}

#[component]
fn RecordHead(run: Run, end: End) -> impl IntoView {
    view! {
        <header class="page-head">
            <nav class="crumb" aria-label="Breadcrumb">
                <ol>
                    <li>
                        <a href="/history">"History"</a>
                    </li>
                    <li>{format!("Run {}", run.id)}</li>
                </ol>
            </nav>
            <h1>{format!("{} on {}", run.plan.title, run.plan.target.name)}</h1>
            <div class="actions">
                <a class="btn" href=format!("/procedures/{}", run.plan.slug)>
                    <Glyph sign=Sign::Play />
                    "Run again…"
                </a>
            </div>
            <div class="facts-line">
                <span>{run.started.by.name().to_owned()}</span>
                <span>
                    <Ago at=run.started.at />
                </span>
                <span>{time::span(end.stamp.at.since(run.started.at))}</span>
                {(!run.reason.is_empty()).then(|| view! { <span>{run.reason.clone()}</span> })}
            </div>
        </header>
    }
    .into_any()
}

#[component]
fn VerdictBlock(run: Run, end: End) -> impl IntoView {
    view! {
        <div class="verdict" data-verdict=verdict_name(end.verdict)>
            <Glyph sign=Sign::Verdict(end.verdict) />
            <h2>{verdict_sentence(&run, &end)}</h2>
            <p>
                {format!("Closed by {} ", end.stamp.by.name())}
                <Ago at=end.stamp.at />
                {(!end.comment.is_empty()).then(|| view! { ": "<q>{end.comment.clone()}</q> })}
            </p>
        </div>
    }
    .into_any()
}

/// Verdict and exit codes in one line: they are not the same.
fn verdict_sentence(run: &Run, end: &End) -> String {
    let ended: Vec<StepStatus> = run
        .plan
        .steps
        .iter()
        .zip(&run.steps)
        .flat_map(|(plan, state)| plan.commands.iter().zip(&state.commands))
        .filter(|(_, state)| !matches!(state, CommandState::Waiting))
        .map(|(command, state)| command_status(state, command.watch))
        .collect();
    let failed = ended.iter().filter(|status| matches!(status, StepStatus::Failed | StepStatus::Interrupted)).count();
    let commands = match (ended.len(), failed) {
        (0, _) => "No command was run".to_owned(),
        (_, 0) => "No command failed".to_owned(),
        (_, 1) => "1 command failed".to_owned(),
        (_, failed) => format!("{failed} commands failed"),
    };
    match end.verdict {
        domain::run::Verdict::Reached => format!("{commands}, outcome reached"),
        domain::run::Verdict::NotReached => format!("{commands}, outcome not reached"),
        domain::run::Verdict::RolledBack => format!("{commands}, rolled back"),
        domain::run::Verdict::Aborted => format!("{commands}, aborted"),
    }
}

/// A step and its commands, as they were.
fn step_rows(run: &Run, step: u32) -> AnyView {
    let Some((plan, state)) = run.plan.step(step).zip(run.step(step)) else { return ().into_any() };
    let status = run.status(step);
    let who = state.attempts.last().map(|attempt| attempt.started.by.name().to_owned());
    let who = who.or_else(|| state.skipped.as_ref().map(|skip| skip.stamp.by.name().to_owned()));
    let who = who.or_else(|| state.done.as_ref().map(|stamp| stamp.by.name().to_owned()));
    let more = state.skipped.as_ref().map(|skip| skip.reason.clone());
    let attempts: Vec<AnyView> = (1..)
        .zip(&state.attempts)
        .map(|(number, attempt)| {
            let words = if number == 1 { "output".to_owned() } else { format!("output of attempt {number}") };
            view! {
                <a href=format!("?step={step}&attempt={number}#output")>{words}</a>
                " "
                {ending(attempt)}
            }
            .into_any()
        })
        .collect();
    let commands: Vec<AnyView> =
        plan.commands.iter().zip(&state.commands).map(|(command, state)| command_row(command, state)).collect();
    view! {
        <tbody>
            <tr class="of-step">
                <td class="quiet num">{number(plan)}</td>
                <th scope="row">
                    {plan.title.clone()}
                    <span class="sub">{attempts}{more}</span>
                </th>
                <td>
                    <RiskMark risk=plan.risk />
                </td>
                <td>
                    <StateMark status />
                </td>
                <td class="num"></td>
                <td class="soft">{who}</td>
            </tr>
            {commands}
        </tbody>
    }
    .into_any()
}

fn command_row(command: &domain::plan::PlanCommand, state: &CommandState) -> AnyView {
    let status = command_status(state, command.watch);
    let (word, duration, more) = match state {
        CommandState::Ended { end, .. } => {
            let word = end.code.map_or_else(|| "exit unknown".to_owned(), |code| format!("exit {code}"));
            (word, Some(time::span(end.duration_ms)), end.explanation.clone())
        }
        CommandState::Skipped(skip) => ("skipped".to_owned(), None, Some(skip.reason.clone())),
        CommandState::Waiting if command.by_portal.is_some() => ("by the portal".to_owned(), None, None),
        CommandState::Waiting => ("not run".to_owned(), None, None),
        _ => (status.word().to_owned(), None, None),
    };
    view! {
        <tr class="of-command">
            <td></td>
            <td class="command">
                <code>{command.script.clone()}</code>
                {more.map(|more| view! { <span class="sub">{more}</span> })}
            </td>
            <td>
                <RiskMark risk=command.risk />
            </td>
            <td>
                <StateMark status word />
            </td>
            <td class="num">{duration}</td>
            <td></td>
        </tr>
    }
    .into_any()
}

/// The output of one attempt.
#[component]
fn Output() -> impl IntoView {
    let live = Live::here();
    let shown = Memo::new(move |_| live.log.with(|log| (log.step(), log.attempt())));
    move || {
        let (step, attempt) = shown.get();
        (attempt > 0).then(|| {
            let raw = super::card::raw_output(domain::AttemptId { run: live.id(), step, attempt });
            let title = live.run.with(|run| {
                let plan = run.plan.step(step);
                plan.map_or_else(String::new, |plan| {
                    format!("{} {}, output of attempt {attempt}", number(plan), plan.title)
                })
            });
            let size = move || live.log.with(|log| time::size(log.to()));
            view! {
                <section class="part" id="output" aria-labelledby="output-title">
                    <div class="spread">
                        <h2 id="output-title">{title}</h2>
                        <a class="small" href=raw rel="external">
                            "Raw output, "
                            {size}
                        </a>
                    </div>
                    <div class="boxed">
                        <LogView />
                    </div>
                    <super::stage::Pages />
                </section>
            }
        })
    }
}

#[component]
fn Timeline(run: Run) -> impl IntoView {
    let moments: Vec<AnyView> = timeline(&run)
        .into_iter()
        .map(|moment| {
            let (sign, state, verdict) = match moment.mark {
                Mark::Began => (Sign::Play, None, None),
                Mark::Noted => (Sign::Note, None, None),
                Mark::Stands(status) => (Sign::State(status), Some(status.word()), None),
                Mark::Closed(verdict) => (Sign::Verdict(verdict), None, Some(verdict_name(verdict))),
            };
            view! {
                <li data-state=state data-verdict=verdict>
                    <TimeOfDay at=moment.at />
                    <Glyph sign />
                    <span>
                        {moment.words}
                        {moment.more.map(|more| view! { <span class="sub">{more}</span> })}
                    </span>
                </li>
            }
            .into_any()
        })
        .collect();
    view! {
        <section class="panel">
            <header>
                <h2>"Timeline"</h2>
                <span>"UTC"</span>
            </header>
            <ol class="timeline">{moments}</ol>
        </section>
    }
    .into_any()
}
