//! A command: the bytes as they will run, the values beside them, the class and the rule that gave it.

use std::collections::BTreeMap;

use domain::plan::PlanCommand;
use domain::runbook::Command;
use leptos::prelude::*;

use super::command_text::{CommandText, Visible, visible};
use super::copy::Copy;
use super::glyph::{Glyph, Sign};
use super::risk::RiskMark;
use super::with_values::with_values;

/// A command of the document as a plan would hold it, for pages without a plan.
pub fn as_written(command: &Command) -> PlanCommand {
    PlanCommand {
        text: command.text.clone(),
        script: command.text.clone(),
        label: command.label.clone(),
        risk: command.risk,
        rule: command.rule.clone(),
        reason: command.reason.clone(),
        lowered: None,
        watch: command.watch,
        screen: command.screen,
        choice: command.choice.clone(),
        placeholders: command.placeholders.clone(),
        pipeline: command.pipeline.clone(),
        by_portal: None,
        blocked: None,
        exports: Vec::new(),
    }
}

/// The card of a command. `state` stands at its head, `below` at its foot.
#[component]
pub fn CommandCard(
    command: PlanCommand,
    /// The values that are known.
    values: BTreeMap<String, String>,
    /// The parameters that are secrets.
    secrets: Vec<String>,
    /// The folder in which it will run, where that is known.
    #[prop(optional)]
    directory: Option<String>,
    #[prop(optional_no_strip)] state: Option<AnyView>,
    #[prop(optional_no_strip)] below: Option<AnyView>,
) -> impl IntoView {
    let head = heading(&command);
    let to_copy = with_values(&command, &values, directory.as_deref());
    let values = value_list(&command, &values, &secrets);
    let notes = notes(&command);
    let rule = view! {
        <footer>
            <RiskMark risk=command.risk />
            {command.watch.then(|| view! { <span>"a watch, ends when you stop it"</span> })}
            {command.screen.then(|| view! { <span>"draws a full screen"</span> })}
            <span class="rule" title=format!("rule: {}", command.rule)>{command.reason.clone()}</span>
            {lowered_note(&command)}
            {below}
        </footer>
    };
    view! {
        <div class="cmd" data-choice=command.choice.is_some().then_some("")>
            {head}
            {state}
            <div class="line">
                <pre><code><CommandText text=command.script placeholders=command.placeholders /></code></pre>
                <Copy text=to_copy />
            </div>
            {values}
            {notes}
            {rule}
        </div>
    }
    .into_any()
}

/// What an administrator lowered says so wherever the command is shown.
pub fn lowered_note(command: &PlanCommand) -> Option<AnyView> {
    let sentence = command.lowered.as_ref()?.sentence(command.risk);
    Some(view! { <span class="lowered"><Glyph sign=Sign::Warning />{sentence}</span> }.into_any())
}

fn heading(command: &PlanCommand) -> Option<AnyView> {
    match (&command.choice, &command.label) {
        (Some(choice), _) => {
            let word = if choice.exclusive { "one of several" } else { "only if needed" };
            Some(
                view! { <p class="label"><span class="badge">{word}</span>" "{visible(choice.when.clone())}</p> }
                    .into_any(),
            )
        }
        (None, Some(label)) => Some(view! { <p class="label">"# "{visible(label.clone())}</p> }.into_any()),
        (None, None) => None,
    }
}

fn value_list(command: &PlanCommand, values: &BTreeMap<String, String>, secrets: &[String]) -> Option<AnyView> {
    let rows: Vec<AnyView> = command
        .placeholders
        .iter()
        .map(|placeholder| match &placeholder.parameter {
            Some(name) => {
                let stands = format!("stands for {}", placeholder.text);
                let value = match values.get(name) {
                    Some(value) => view! { <dd><Visible text=value.clone() /></dd> }.into_any(),
                    None if secrets.contains(name) => view! { <dd>"a secret, never shown"</dd> }.into_any(),
                    None => view! { <dd data-open="">"no value yet, "{stands.clone()}</dd> }.into_any(),
                };
                view! {
                    <dt title=stands>"$"{name.clone()}</dt>
                    {value}
                }
                .into_any()
            }
            None => view! {
                <dt data-missing="">{visible(placeholder.text.clone())}</dt>
                <dd data-missing="">"stands for a value that the side file does not declare: cannot start"</dd>
            }
            .into_any(),
        })
        .collect();
    (!rows.is_empty()).then(|| view! { <dl class="values">{rows}</dl> }.into_any())
}

fn notes(command: &PlanCommand) -> Option<AnyView> {
    let portal = command.by_portal.clone().map(|sentence| {
        view! {
            <p class="hint">
                <Glyph sign=Sign::Info />
                <span>{sentence}</span>
            </p>
        }
    });
    let blocked = command.blocked.clone().map(|sentence| {
        view! {
            <p class="hint" data-tone="danger">
                <Glyph sign=Sign::Warning />
                <span>{sentence}</span>
            </p>
        }
    });
    (portal.is_some() || blocked.is_some()).then(|| view! { <div class="notes">{portal} {blocked}</div> }.into_any())
}
