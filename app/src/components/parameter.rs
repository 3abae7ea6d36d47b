//! The input of a parameter.

use domain::look::Pick;
use domain::plan::PlanParameter;
use domain::runbook::ParameterKind;
use domain::view::SecretInfo;
use leptos::prelude::*;

use super::command_text::visible;
use super::look::Seen;

/// The field of one parameter in the form that starts a run.
#[component]
pub fn ParameterField(parameter: PlanParameter) -> impl IntoView {
    let id = format!("value-{}", parameter.name);
    view! {
        <div class="field">
            <label for=id.clone()>{parameter.label()}</label>
            {parameter_input(&parameter, parameter.default.clone(), format!("values[{}]", parameter.name), id)}
            {parameter_help(&parameter)}
        </div>
    }
    .into_any()
}

/// A secret in the form that starts a run: its name and where it comes from. There is nothing to fill in.
#[component]
pub fn SecretField(parameter: PlanParameter, secret: SecretInfo) -> impl IntoView {
    let label = parameter.label();
    let state = if secret.problem.is_some() { "not set" } else { "set" };
    let problem = secret.problem.map(|why| {
        view! { <span class="help">{format!("Commands that use it cannot start: {why}.")}</span> }
    });
    view! {
        <div class="field">
            <span class="label">{label}</span>
            <span class="value">{format!("a secret, {state}")}</span>
            <span class="help">{format!("Comes from {} and is never shown.", secret.origin)}</span>
            {problem}
            {parameter_help(&parameter)}
        </div>
    }
    .into_any()
}

/// What to know about a parameter: its help, and the words of the document that it fills.
pub fn parameter_help(parameter: &PlanParameter) -> AnyView {
    let help = parameter.help.clone().map(|help| format!("{help} "));
    view! {
        <span class="help">
            {help} "Stands for " <code>{parameter.placeholder.clone()}</code>
        </span>
    }
    .into_any()
}

/// The input of a parameter's kind: a list where everything is known that can be meant, else a field, with what is known below it.
pub fn parameter_input(parameter: &PlanParameter, value: Option<String>, name: String, id: String) -> AnyView {
    if let ParameterKind::Choice { choices } = &parameter.kind {
        let picks = choices.iter().map(|choice| Pick { value: choice.clone(), about: String::new() }).collect();
        return picker(picks, &RwSignal::new(value.unwrap_or_default()), name, id);
    }
    let example = parameter.example.clone().map(|example| format!("as {example}"));
    let value = RwSignal::new(value.unwrap_or_default());
    let Some(seen) = use_context::<Seen>() else { return field(value, name, id, example, Vec::new()) };
    let choices = seen.choices_of(parameter.name.clone());
    let input = move || {
        let (name, id, example) = (name.clone(), id.clone(), example.clone());
        match choices.get() {
            Some(choices) if choices.whole => picker(choices.list, &value, name, id),
            Some(choices) => field(value, name, id, example, choices.list),
            None => field(value, name, id, example, Vec::new()),
        }
    };
    let problem = move || {
        let why = choices.with(|choices| choices.as_ref()?.problem.clone());
        why.map(|why| view! { <span class="help">{visible(format!("Nothing to choose from: {why}"))}</span> })
    };
    view! {
        {input}
        {problem}
    }
    .into_any()
}

/// A list. The value that is there stays in it, also when the target does not have it any more.
fn picker(mut picks: Vec<Pick>, value: &RwSignal<String>, name: String, id: String) -> AnyView {
    let value = *value;
    let now = value.get_untracked();
    if !now.is_empty() && !picks.iter().any(|pick| pick.value == now) {
        picks.push(Pick { value: now.clone(), about: "not listed".to_owned() });
    }
    let options = picks
        .into_iter()
        .map(|pick| {
            let selected = pick.value == now;
            let words = words_of(&pick);
            view! { <option value=pick.value selected=selected>{words}</option> }
        })
        .collect_view();
    view! {
        <select class="input" id=id name=name on:change=move |event| value.set(event_target_value(&event))>
            <option value="">"left open"</option>
            {options}
        </select>
    }
    .into_any()
}

/// `latest.dump · 7 h old, 1.2 GB`
fn words_of(pick: &Pick) -> String {
    if pick.about.is_empty() { pick.value.clone() } else { format!("{} · {}", pick.value, pick.about) }
}

/// A field, with what is known to choose from.
fn field(value: RwSignal<String>, name: String, id: String, example: Option<String>, picks: Vec<Pick>) -> AnyView {
    let list = (!picks.is_empty()).then(|| format!("{id}-picks"));
    let options =
        picks.iter().map(|pick| view! { <option value=pick.value.clone()>{words_of(pick)}</option> }).collect_view();
    let now = value.get_untracked();
    view! {
        <input
            class="input"
            data-mono=""
            id=id
            name=name
            value=(!now.is_empty()).then_some(now)
            placeholder=example
            list=list.clone()
            autocomplete="off"
            spellcheck="false"
            on:input=move |event| value.set(event_target_value(&event))
        />
        {list.map(|list| view! { <datalist id=list>{options}</datalist> })}
    }
    .into_any()
}
