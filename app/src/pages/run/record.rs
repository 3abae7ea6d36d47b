//! A closed run: verdict before detail.

use domain::policy::Verb;
use domain::run::{CommandState, End, Run, StepStatus, downtime};
use domain::view::{Newer, Patch, SuggestedBy, Usual};
use domain::{AttemptId, Timestamp, time};
use leptos::prelude::*;
use leptos_meta::Title;

use super::control::{LatePatch, PatchPanel};
use super::facts::{Notes, ThisRun, lines};
use super::finish::{outcome_list, outcome_words};
use super::head::elsewhere;
use super::moment::{Moment, day};
use super::notices::{NewerNotice, RefusedElsewhere};
use super::rail::{command_status, number};
use super::redaction::{Covered, Covering, WaitingRedactions};
use super::stage::{Pages, ending};
use super::stopping::EndRestOfClosed;
use crate::base::portal_path;
use crate::components::ago::{Ago, TimeOfDay};
use crate::components::command_text::visible;
use crate::components::glyph::{Glyph, Sign};
use crate::components::log_view::LogView;
use crate::components::pace::{Pace, usual_words};
use crate::components::risk::RiskMark;
use crate::components::state::{StateMark, verdict_name};
use crate::deeds::{Deeds, Hands};
use crate::live::{Live, raw_output};
use crate::record::{self, Mark, timeline};

/// The page of a closed run.
#[component]
pub fn Record(
    usual: Option<Usual>,
    newer: Option<Newer>,
    patch: Option<Patch>,
    suggestion: Option<SuggestedBy>,
) -> impl IntoView {
    let live = Live::here();
    let run = live.run.get_untracked();
    let Some(end) = run.end.clone() else { return ().into_any() };
    let title = format!("Run {}, {}", run.id, end.verdict.word());
    let deeds = Deeds::here();
    let problem = Signal::derive(move || deeds.problem().map(|error| error.to_string()));
    let was_added = run.plan.steps.iter().any(|step| step.ad_hoc.is_some());
    let steps: Vec<AnyView> = (1..).zip(&run.plan.steps).map(|(step, _)| step_rows(&run, step)).collect();
    view! {
        <Title text=title />
        <main id="main" class="page" data-kind="record" tabindex="-1">
            <RecordHead run=run.clone() end=end.clone() />
            <div class="main stack" data-gap="large">
                <RefusedElsewhere problem />
                {alone(&run)}
                <WaitingRedactions />
                <VerdictBlock run=run.clone() end=end.clone() />
                {outcome_list(live, Hands::Off)
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
                {match patch {
                    Some(patch) => Some(view! { <PatchPanel patch /> }.into_any()),
                    None => was_added.then(|| view! { <LatePatch /> }.into_any()),
                }}
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
                <ThisRun hands=Hands::Off suggestion />
                {(!run.notes.is_empty()).then(|| view! { <Notes hands=Hands::Off /> })}
            </aside>
        </main>
    }
    .into_any()
}

/// The red mark of a run in which somebody went on without an approval.
fn alone(run: &Run) -> Option<AnyView> {
    let (number, request) = (1..).zip(&run.requests).find(|(_, request)| request.glass.is_some())?;
    let reviewed = match request.glass.as_ref().and_then(|glass| glass.review.as_ref()) {
        Some((stamp, _)) => format!("{} has reviewed it.", stamp.by.name()),
        None => "Nobody has reviewed it yet.".to_owned(),
    };
    let head = format!("{} went on without an approval", request.asked.by.name());
    let address = portal_path(domain::view::approval_address(run.id, number));
    Some(
        view! {
            <div class="callout" data-tone="danger">
                <Glyph sign=Sign::Warning />
                <p class="head">{head}</p>
                <p>
                    <q>{visible(request.reason.clone())}</q>
                    " "
                    {reviewed}
                    " "
                    <a href=address>{format!("Request {}-{number}", run.id)}</a>
                </p>
            </div>
        }
        .into_any(),
    )
}

/// For how long the run took services away; whether they were back at its end.
fn away_words(run: &Run, end: Timestamp) -> Option<String> {
    let last = run.away.last()?;
    let span = time::span(downtime(&run.away, end));
    let still = if last.until.is_none() { ", and still away when the run was closed" } else { "" };
    Some(format!("services away for {span}{still}"))
}

#[component]
fn RecordHead(run: Run, end: End) -> impl IntoView {
    view! {
        <header class="page-head">
            <nav class="crumb" aria-label="Breadcrumb">
                <ol>
                    <li>
                        <a href=portal_path("/history")>"History"</a>
                    </li>
                    <li>{format!("Run {}", run.id)}</li>
                </ol>
            </nav>
            <h1>{format!("{} on {}", run.plan.title, run.plan.target.name)}</h1>
            <div class="actions">
                <a class="btn" href=portal_path(format!("/procedures/{}", run.plan.slug))>
                    <Glyph sign=Sign::Play />
                    "Run again…"
                </a>
                <a class="btn" data-kind="quiet" href=portal_path(format!("/runs/{}/evidence", run.id)) download rel="external">
                    "Evidence"
                </a>
            </div>
            <div class="facts-line">
                <span>{run.started.by.name().to_owned()}</span>
                {elsewhere(&run)}
                <span>
                    <Moment at=run.started.at />
                </span>
                <span>
                    <Ago at=run.started.at />
                </span>
                <span>{time::span(end.stamp.at.since(run.started.at))}</span>
                {away_words(&run, end.stamp.at).map(|words| view! { <span>{words}</span> })}
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
                <Moment at=end.stamp.at />
                {(!end.comment.is_empty()).then(|| view! { ": "<q>{lines(&end.comment)}</q> })}
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
    let may_stop = Live::here().actor().may(Verb::Stop).is_ok();
    let attempts: Vec<AnyView> = (1..)
        .zip(&state.attempts)
        .map(|(number, attempt)| {
            let words = if number == 1 { "output".to_owned() } else { format!("output of attempt {number}") };
            view! {
                <a href=format!("?step={step}&attempt={number}#output")>{words}</a>
                " "
                {ending(attempt)}
                {(may_stop && attempt.left_something())
                    .then(|| view! { <EndRestOfClosed id=AttemptId { run: run.id, step, attempt: number } /> })}
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
        CommandState::Skipped(skip) => {
            let end = state.last_end();
            let code = end.and_then(|end| end.code).map_or_else(String::new, |code| format!(", exit {code} before"));
            (format!("skipped{code}"), end.map(|end| time::span(end.duration_ms)), Some(skip.reason.clone()))
        }
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
                {crate::components::command::lowered_note(command)}
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

/// The output of the attempt that was chosen.
#[component]
fn Output() -> impl IntoView {
    let live = Live::here();
    let shown = Memo::new(move |_| live.log.with(|log| (log.step(), log.attempt())));
    view! {
        <For each=move || Some(shown.get()).filter(|shown| shown.1 > 0) key=|shown| *shown let((step, attempt))>
            <AttemptOutput id=AttemptId { run: live.id(), step, attempt } />
        </For>
    }
    .into_any()
}

#[component]
fn AttemptOutput(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let AttemptId { step, attempt, .. } = id;
    let title = live.run.with_untracked(|run| {
        let words = |plan| format!("{} {}, output of attempt {attempt}", number(plan), plan.title);
        run.plan.step(step).map(words)
    });
    view! {
        <section class="part" id="output" aria-labelledby="output-title">
            <div class="spread">
                <h2 id="output-title">{title}</h2>
                <a class="small" href=raw_output(id) rel="external">
                    "Raw output, "
                    {move || live.log.with(|log| time::size(log.length()))}
                </a>
            </div>
            <Trouble />
            <Covered id />
            <div class="boxed">
                <LogView step attempt />
            </div>
            <Pages />
            <Covering id />
        </section>
    }
    .into_any()
}

/// Stored output that could not be fetched.
#[component]
fn Trouble() -> impl IntoView {
    let live = Live::here();
    move || {
        live.trouble.get().map(|error| {
            view! {
                <div class="callout" data-tone="warn" role="alert">
                    <Glyph sign=Sign::Warning />
                    <p class="head">"The output was not loaded"</p>
                    <p>{error.to_string()}</p>
                    <div class="actions">
                        <button class="btn" type="button" on:click=move |_| live.try_again()>
                            "Load the output again"
                        </button>
                    </div>
                </div>
            }
        })
    }
}

/// What happened, day by day.
#[component]
fn Timeline(run: Run) -> impl IntoView {
    let moments = timeline(&run);
    let days: Vec<AnyView> = moments
        .chunk_by(|one, next| day(one.at) == day(next.at))
        .filter_map(|moments| {
            let date = day(moments.first()?.at);
            let rows: Vec<AnyView> = moments.iter().map(timeline_row).collect();
            Some(
                view! {
                    <p class="rail-head">{date}</p>
                    <ol class="timeline">{rows}</ol>
                }
                .into_any(),
            )
        })
        .collect();
    view! {
        <section class="panel">
            <header>
                <h2>"Timeline"</h2>
                <span>"UTC"</span>
            </header>
            {days}
        </section>
    }
    .into_any()
}

fn timeline_row(moment: &record::Moment) -> AnyView {
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
                {moment.words.clone()}
                {moment.more.as_deref().map(|more| view! { <span class="sub">{lines(more)}</span> })}
            </span>
        </li>
    }
    .into_any()
}
