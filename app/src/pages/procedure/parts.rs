//! The parts of a procedure.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use domain::Risk;
use domain::escalation::Escalation;
use domain::plan::{Plan, PlanCommand, PlanParameter, PlanStep};
use domain::runbook::{Check, Finding, Item, Part, PartContent, PartKind, Step, StepKind};
use domain::view::{ContactInfo, ProcedureView};
use leptos::context::Provider;
use leptos::prelude::*;

use super::{heading, line_anchor};
use crate::components::command::{CommandCard, as_written};
use crate::components::command_text::visible;
use crate::components::filled::Filling;
use crate::components::glyph::{Glyph, Sign};
use crate::components::prose::{Items, ProseView, inline};
use crate::components::step_content::{step_content, tick_item};

/// One part, in its place.
#[component]
pub fn PartView(part: Part, anchor: String, view: ProcedureView) -> impl IntoView {
    let title = heading(&part);
    let id = format!("{anchor}-title");
    let label = id.clone();
    let stray = (part.kind == PartKind::Stray).then(|| stray_notice(part.line, part.end_line));
    let content = content_of(&part, &anchor, &view);
    let first_step = part.steps().map(|step| step.line).min();
    let anchors = line_anchors(&view.findings, part.line..=first_step.map_or(part.end_line, |line| line - 1));
    view! {
        <section class="part" id=anchor aria-labelledby=label>
            <h2 id=id>{anchors}{title}</h2>
            {stray}
            {content}
        </section>
    }
    .into_any()
}

fn stray_notice(first: u32, last: u32) -> impl IntoView {
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">{format!("Lines {first} to {last} belong to no procedure")}</p>
            <p>"They are shown in their place and never run here. Give them a heading of their own, or delete them."</p>
        </div>
    }
    .into_any()
}

/// What a part says, as prose.
pub fn prose_of(part: &Part) -> Vec<AnyView> {
    part.content
        .iter()
        .map(|content| match content {
            PartContent::Prose { prose } => view! { <ProseView prose=vec![prose.clone()] /> }.into_any(),
            PartContent::Item { item } => view! { <Items items=vec![item.clone()] /> }.into_any(),
            PartContent::Step { .. } => ().into_any(),
        })
        .collect()
}

fn content_of(part: &Part, anchor: &str, view: &ProcedureView) -> Vec<AnyView> {
    let mut views = Vec::new();
    let mut items: Vec<Item> = Vec::new();
    for content in &part.content {
        if !matches!(content, PartContent::Item { .. }) && !items.is_empty() {
            views.push(items_of(part.kind, std::mem::take(&mut items), view));
        }
        match content {
            PartContent::Prose { prose } => {
                views.push(view! { <div class="prose"><ProseView prose=vec![prose.clone()] /></div> }.into_any());
            }
            PartContent::Item { item } => items.push(item.clone()),
            PartContent::Step { step } => views.push(step_card(part, step, anchor, view)),
        }
    }
    if !items.is_empty() {
        views.push(items_of(part.kind, items, view));
    }
    if part.kind == PartKind::Escalation {
        views.push(contacts(view));
    }
    views
}

fn items_of(kind: PartKind, items: Vec<Item>, view: &ProcedureView) -> AnyView {
    match kind {
        PartKind::Outcome => {
            let checks = &view.procedure.settings.outcome;
            lines(&items, |item| match checked(checks, item) {
                Some(check) => (Sign::Search, format!("checked: {}", check.words())),
                None => (Sign::Person, "ticked by a person".to_owned()),
            })
        }
        PartKind::Escalation => {
            // Without a plan it is not known which steps are meant.
            let steps = view.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
            let escalation = Escalation::of(&view.procedure, steps);
            lines(&items, move |item| (Sign::Person, called(&escalation, item)))
        }
        _ => view! { <div class="prose"><Items items /></div> }.into_any(),
    }
}

/// Who is meant by a line of the escalation, and when the portal tells them by itself.
fn called(escalation: &Escalation, item: &Item) -> String {
    let words = domain::runbook::plain(&item.words);
    let Some(line) = escalation.lines.iter().find(|line| line.words == words.trim()) else { return String::new() };
    let names = line.to.iter().map(|contact| contact.name.as_str()).collect::<Vec<_>>().join(", ");
    if line.is_by_itself() { format!("{names}, told {}", line.due.words()) } else { names }
}

/// How everybody is told whom the side file binds, and when, as far as the side file says so.
fn contacts(view: &ProcedureView) -> AnyView {
    let ways = view.contacts.iter().map(|contact| {
        let ContactInfo { words, name, ways, problem } = contact.clone();
        let told = problem.unwrap_or_else(|| format!("{name} is told {ways}."));
        format!("{words}: {told}")
    });
    let rules = view.procedure.settings.escalate.iter();
    let rules = rules.map(|rule| format!("The portal tells {} {}.", rule.to.join(" and "), rule.due.words()));
    let note = |text: String| view! { <p class="note">{visible(text)}</p> }.into_any();
    ways.chain(rules).map(note).collect::<Vec<AnyView>>().into_any()
}

/// The check of a line of the expected outcome.
fn checked<'c>(checks: &'c [(String, Check)], item: &Item) -> Option<&'c Check> {
    let words = domain::runbook::plain(&item.words);
    checks.iter().find(|(line, _)| line == words.trim()).map(|(_, check)| check)
}

fn lines(items: &[Item], about: impl Fn(&Item) -> (Sign, String)) -> AnyView {
    let line = |_: u32, item: &Item| {
        let (sign, by) = about(item);
        view! {
            <li>
                <Glyph sign />
                <span>{inline(item.words.clone())}</span>
                <span class="by">{by}</span>
            </li>
        }
        .into_any()
    };
    let mut count = 0;
    let lines: Vec<AnyView> = items.iter().map(|item| tick_item(item, &mut count, &line)).collect();
    view! { <ul class="checks">{lines}</ul> }.into_any()
}

fn step_card(part: &Part, step: &Step, anchor: &str, view: &ProcedureView) -> AnyView {
    let id = format!("{anchor}-{}", step.number);
    let label = format!("{id}-title");
    let title = label.clone();
    let plan = view.plan.as_ref().ok();
    let commands = commands_of(plan, part.kind, step);
    let values = values_of(&view.parameters);
    let risk = planned(plan, part.kind, step).map_or_else(|| step.risk(), |planned| planned.risk);
    let badge = badge(step, risk);
    let anchors = line_anchors(&view.findings, lines_of(part, step));
    let filling = filling(plan, part.kind, step, &values);
    let secrets: Vec<String> = plan.map(|plan| plan.secret_names().map(str::to_owned).collect()).unwrap_or_default();
    let (content, card_values) = (step.content.clone(), values);
    let content = move || {
        step_content(
            &content,
            &commands,
            |_, command| {
                view! { <CommandCard command=command.clone() values=card_values.clone() secrets=secrets.clone() /> }
                    .into_any()
            },
            |_, item| {
                view! {
                    <li>
                        <span class="box" aria-hidden="true"></span>
                        <span>{inline(item.words.clone())}</span>
                        <span class="by">"ticked in a run"</span>
                    </li>
                }
                .into_any()
            },
        )
    };
    view! {
        <article class="step" id=id aria-labelledby=label>
            <header>
                <span class="no">{step.number}</span>
                <h3 id=title>{anchors}{step.title.clone()}</h3>
                {badge}
            </header>
            <Provider value=filling>{content()}</Provider>
            {class_note(risk, view)}
            {directory_note(step)}
            {after_note(step)}
        </article>
    }
    .into_any()
}

/// What the words in the text of a step stand for, with the values that a run would begin with.
fn filling(plan: Option<&Plan>, part: PartKind, step: &Step, values: &BTreeMap<String, String>) -> Filling {
    let place = plan.and_then(|plan| {
        let mut numbered = (1..).zip(&plan.steps);
        numbered
            .find(|(_, planned)| planned.part == part && planned.line == step.line)
            .map(|(place, _)| plan.words_of(place))
    });
    Filling { placeholders: place.unwrap_or_default(), values: Signal::stored(values.clone()) }
}

/// The lines of a step: up to the next one, or to the end of its part.
fn lines_of(part: &Part, step: &Step) -> RangeInclusive<u32> {
    let next = part.steps().map(|other| other.line).filter(|line| *line > step.line).min();
    step.line..=next.map_or(part.end_line, |line| line - 1)
}

/// Places that links to findings lead to: one for each line of these that has a finding.
pub fn line_anchors(findings: &[Finding], lines: RangeInclusive<u32>) -> Vec<AnyView> {
    let here = findings.iter().filter(|finding| lines.contains(&finding.line));
    let anchors: BTreeSet<String> = here.filter_map(line_anchor).collect();
    anchors.into_iter().map(|anchor| view! { <span id=anchor></span> }.into_any()).collect()
}

fn badge(step: &Step, risk: Risk) -> Option<AnyView> {
    match step.kind {
        StepKind::Manual => {
            Some(view! { <span class="badge"><Glyph sign=Sign::Person />"by a person"</span> }.into_any())
        }
        StepKind::Connect => {
            Some(view! { <span class="badge"><Glyph sign=Sign::Target />"selects the target"</span> }.into_any())
        }
        StepKind::Commands if risk == Risk::Destroys => Some(
            view! { <span class="badge" data-tone="warn"><Glyph sign=Sign::NeedsApproval />"needs a lead"</span> }
                .into_any(),
        ),
        StepKind::Commands => None,
    }
}

/// What the portal checks when the step has ended well.
fn after_note(step: &Step) -> Vec<AnyView> {
    let note =
        |check: &Check| view! { <p class="note">{format!("Checked afterwards: {}.", check.words())}</p> }.into_any();
    step.settings.after.iter().map(note).collect()
}

fn directory_note(step: &Step) -> Option<AnyView> {
    let directory = step.settings.directory.as_ref()?;
    let words = format!("Begins in {directory}; what comes after it begins where the run was before.");
    Some(view! { <p class="note">{visible(words)}</p> }.into_any())
}

fn class_note(risk: Risk, view: &ProcedureView) -> Option<AnyView> {
    let production: Vec<String> =
        view.targets.iter().filter(|target| target.production).map(|target| target.name.clone()).collect();
    (risk == Risk::Disrupts && !production.is_empty()).then(|| {
        view! { <p class="note">{format!("Asks once for the name of the target, typed, on {}.", production.join(", "))}</p> }
            .into_any()
    })
}

/// The step of the plan that a step of the document became.
fn planned<'p>(plan: Option<&'p Plan>, kind: PartKind, step: &Step) -> Option<&'p PlanStep> {
    let is_it =
        |planned: &&PlanStep| planned.part == kind && planned.number == step.number && planned.line == step.line;
    plan?.steps.iter().find(is_it)
}

/// The commands of a step as they will run; as they are written when no plan can be made.
fn commands_of(plan: Option<&Plan>, kind: PartKind, step: &Step) -> Vec<PlanCommand> {
    planned(plan, kind, step)
        .map_or_else(|| step.commands().map(as_written).collect(), |planned| planned.commands.clone())
}

fn values_of(parameters: &[PlanParameter]) -> BTreeMap<String, String> {
    parameters.iter().filter_map(|parameter| Some((parameter.name.clone(), parameter.default.clone()?))).collect()
}
