//! The input of a parameter.

use domain::plan::PlanParameter;
use domain::runbook::ParameterKind;
use domain::view::SecretInfo;
use leptos::prelude::*;

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

/// The input of a parameter's kind. What has no picker yet is typed, with its help beside it.
pub fn parameter_input(parameter: &PlanParameter, value: Option<String>, name: String, id: String) -> AnyView {
    if let ParameterKind::Choice { choices } = &parameter.kind {
        let options = choices
            .iter()
            .map(|choice| view! { <option value=choice.clone() selected=value.as_ref() == Some(choice)>{choice.clone()}</option> })
            .collect_view();
        return view! {
            <select class="input" id=id name=name>
                <option value="">"left open"</option>
                {options}
            </select>
        }
        .into_any();
    }
    let placeholder = parameter.example.clone().map(|example| format!("as {example}"));
    view! {
        <input class="input" data-mono="" id=id name=name value=value placeholder=placeholder autocomplete="off" spellcheck="false" />
    }
    .into_any()
}
