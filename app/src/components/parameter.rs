//! The input of a parameter.

use domain::look::{Choices, Pick};
use domain::plan::PlanParameter;
use domain::runbook::ParameterKind;
use domain::view::SecretInfo;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::{HtmlInputElement, HtmlSelectElement};

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

/// What stands in an input, and whether somebody is in it.
#[derive(Clone, Copy)]
struct Entry {
    value: RwSignal<String>,
    held: RwSignal<bool>,
}

impl Entry {
    fn of(value: Option<String>) -> Self {
        Self { value: RwSignal::new(value.unwrap_or_default()), held: RwSignal::new(false) }
    }

    /// Takes in what was done before there were scripts that could be told. In the browser.
    fn meet(self, id: &str) {
        let Some(element) = document().get_element_by_id(id) else { return };
        let value = match (element.dyn_ref::<HtmlInputElement>(), element.dyn_ref::<HtmlSelectElement>()) {
            (Some(input), _) => input.value(),
            (_, Some(select)) => select.value(),
            _ => return,
        };
        self.value.set(value);
        self.held.set(document().active_element().is_some_and(|active| active == element));
    }
}

/// The input of a parameter's kind: a list where everything is known that can be meant, else a field, with what is known below it.
pub fn parameter_input(parameter: &PlanParameter, value: Option<String>, name: String, id: String) -> AnyView {
    let entry = Entry::of(value);
    if let ParameterKind::Choice { choices } = &parameter.kind {
        let picks = choices.iter().map(|choice| Pick { value: choice.clone(), about: String::new() }).collect();
        return picker(picks, entry, name, id);
    }
    let example = parameter.example.clone().map(|example| format!("as {example}"));
    let Some(seen) = use_context::<Seen>() else { return field(entry, name, id, example, Vec::new()) };
    let met = id.clone();
    Effect::new(move |_| entry.meet(&met));
    let offered = offered(seen.choices_of(parameter.name.clone()), entry.held);
    let input = move || {
        let (name, id, example) = (name.clone(), id.clone(), example.clone());
        match offered.get() {
            Some(choices) if choices.whole => picker(choices.list, entry, name, id),
            Some(choices) => field(entry, name, id, example, choices.list),
            None => field(entry, name, id, example, Vec::new()),
        }
    };
    let note = move || {
        let words = offered.with(|choices| choices.as_ref().and_then(note_of));
        words.map(|words| view! { <span class="help">{visible(words)}</span> })
    };
    view! {
        {input}
        {note}
    }
    .into_any()
}

/// What is to be said of the choices below an input. A list speaks for itself.
fn note_of(choices: &Choices) -> Option<String> {
    match &choices.problem {
        Some(why) => Some(format!("Nothing to choose from: {why}")),
        None if choices.whole || choices.list.is_empty() => None,
        None => Some(format!("Known there: {}, offered as you type.", choices.list.len())),
    }
}

/// What there is to choose from, for an input that is not exchanged while somebody is in it: the next letters would go to the page,
/// which takes them for its keys.
fn offered(choices: Memo<Option<Choices>>, held: RwSignal<bool>) -> Memo<Option<Choices>> {
    Memo::new(
        move |before: Option<&Option<Choices>>| {
            if held.get() { before.cloned().flatten() } else { choices.get() }
        },
    )
}

/// A list. The value that is there stays in it, also when the target does not have it any more.
fn picker(mut picks: Vec<Pick>, entry: Entry, name: String, id: String) -> AnyView {
    let Entry { value, held } = entry;
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
        <select
            class="input"
            id=id
            name=name
            on:change=move |event| value.set(event_target_value(&event))
            on:focus=move |_| held.set(true)
            on:blur=move |_| held.set(false)
        >
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
fn field(entry: Entry, name: String, id: String, example: Option<String>, picks: Vec<Pick>) -> AnyView {
    let Entry { value, held } = entry;
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
            on:focus=move |_| held.set(true)
            on:blur=move |_| held.set(false)
        />
        {list.map(|list| view! { <datalist id=list>{options}</datalist> })}
    }
    .into_any()
}
