//! The form that starts a run. Starting runs nothing yet.

use domain::plan::{PlanCommand, PlanParameter, PlanStep};
use domain::policy::Verb;
use domain::view::{Prefill, ProcedureView, Session, TargetInfo, alert_words};
use domain::{Risk, Slug, text};
use leptos::html;
use leptos::prelude::*;
use leptos_router::location::Url;

use crate::api::looks::look_before_start;
use crate::api::runs::StartRun;
use crate::components::action_form::ActionForm;
use crate::components::command_text::visible;
use crate::components::glyph::{Glyph, Sign};
use crate::components::look::{LookList, Seen};
use crate::components::parameter::{ParameterField, SecretField};
use crate::components::problem::Refused;
use crate::record::step_name;

/// The most characters of a reason that the form begins with.
const REASON: usize = 200;

/// Target, values, reason; and why there is no such form when there is none.
#[component]
pub fn StartForm(session: Session, view: ProcedureView) -> impl IntoView {
    view! {
        <aside class="aside sticky stack" aria-label="Start a run" id="start">
            {match (&view.plan, session.actor.may(Verb::StartRun)) {
                (Err(why), _) => cannot("No run can start", why.clone()),
                (_, Err(forbidden)) => cannot("You can read this procedure", format!("{forbidden}.")),
                (Ok(_), Ok(())) => view! { <Form session view=view.clone() /> }.into_any(),
            }}
        </aside>
    }
    .into_any()
}

fn cannot(head: &'static str, why: String) -> AnyView {
    view! {
        <div class="callout">
            <Glyph sign=Sign::Info />
            <h2 class="head">{head}</h2>
            <p>{why}</p>
        </div>
    }
    .into_any()
}

#[component]
fn Form(session: Session, view: ProcedureView) -> impl IntoView {
    let start = ServerAction::<StartRun>::new();
    let problem = Signal::derive(move || start.value().get().and_then(Result::err).map(|error| error.to_string()));
    // Only the browser knows what is chosen: it may have kept an earlier choice, and without scripts nobody tells.
    let chosen = RwSignal::new(None::<String>);
    let seen = expect_context::<Seen>();
    look_at_what_is_chosen(seen, view.procedure.slug.clone(), chosen);
    let links = view.targets.iter().map(|target| look_link(&view.procedure.slug, target)).collect::<Vec<_>>();
    let undeclared = undeclared(&view);
    // The same form sent twice starts one run. Without scripts the server names the form, else the browser each visit.
    let key = RwSignal::new(format!("{}-{}-{}", session.actor.id, view.procedure.slug, view.now.0));
    Effect::new(move |_| key.update(|key| *key = format!("{key}-{}", js_sys::Math::random())));
    let secret_of = |name: &str| view.secrets.iter().find(|secret| secret.name == name).cloned();
    let field = |parameter: &PlanParameter| {
        if let Some(secret) = secret_of(&parameter.name) {
            return view! { <SecretField parameter=parameter.clone() secret /> }.into_any();
        }
        let parameter = filled(parameter, view.prefill.as_ref());
        view! { <ParameterField parameter /> }.into_any()
    };
    let reason = view.prefill.as_ref().map(reason_of);
    let fields = view.parameters.iter().map(field).collect_view();
    view! {
        <ActionForm action=start attr:class="panel" attr:data-box="">
            <header>
                <h2>"Start a run"</h2>
                <span>"as "{session.actor.name}</span>
            </header>
            <Refused problem />
            <input type="hidden" name="slug" value=view.procedure.slug.0.clone() />
            <input type="hidden" name="key" value=move || key.get() />
            {view.prefill.clone().map(|prefill| view! { <Prefilled prefill /> })}
            <TargetField targets=view.targets.clone() chosen seen />
            {fields}
            {undeclared}
            {will_not_run(&view)}
            {needs_a_lead(&view)}
            <div class="field">
                <label for="reason">"Reason or ticket"</label>
                <input class="input" id="reason" name="reason" value=reason autocomplete="off" />
                <span class="help">"Stands in the history."</span>
            </div>
            <button class="btn" data-kind="primary" type="submit" data-wide="" disabled=start.pending()>
                <Glyph sign=Sign::Play />
                {move || chosen.get().map_or_else(|| "Start run".to_owned(), |target| format!("Start run on {target}"))}
            </button>
            <p class="quiet small">"Starting runs nothing yet: each step waits for you."</p>
        </ActionForm>
        <LookList seen links />
    }
    .into_any()
}

/// A parameter that begins with the value which a suggestion gave.
fn filled(parameter: &PlanParameter, prefill: Option<&Prefill>) -> PlanParameter {
    let value = prefill.and_then(|prefill| prefill.values.get(&parameter.name)).cloned();
    let default = value.or_else(|| parameter.default.clone());
    PlanParameter { default, ..parameter.clone() }
}

/// The reason for a run that a suggestion leads to: its alert, with nothing hidden in its name.
fn reason_of(prefill: &Prefill) -> String {
    text::one_line(&format!("Alert {}", alert_words(&prefill.alert, &prefill.service)), REASON)
}

/// What a suggestion has filled, and what it has not and why. Everything from outside is marked where it could deceive.
#[component]
fn Prefilled(prefill: Prefill) -> impl IntoView {
    let Prefill { id, alert, service, values, left } = prefill;
    let told = match values.len() {
        0 => "It fills no value: look at each before you start.",
        _ => "It has filled values below: look at each before you start.",
    };
    let left: Vec<AnyView> = left.into_iter().map(not_filled).collect();
    let left = (!left.is_empty()).then(|| view! { <ul class="words">{left}</ul> });
    view! {
        <div class="callout" data-tone="quiet">
            <Glyph sign=Sign::Info />
            <p class="head">"Suggested by " {visible(alert_words(&alert, &service))}</p>
            <p>{told}</p>
            {left}
            <input type="hidden" name="suggestion" value=id.0 />
        </div>
    }
    .into_any()
}

/// A parameter that a label was to fill, and why it has not.
fn not_filled((name, label, why): (String, String, String)) -> AnyView {
    view! { <li>{visible(format!("{name} was not filled by the label {label}: {why}."))}</li> }.into_any()
}

/// The page looks at the target as soon as it is known which: nobody waits for that.
fn look_at_what_is_chosen(seen: Seen, slug: Slug, chosen: RwSignal<Option<String>>) {
    Effect::new(move |_| {
        let Some(target) = chosen.get() else { return };
        if !seen.is_of(&target) {
            seen.forget();
        }
        seen.ask(look_before_start(slug.clone(), target));
    });
}

fn look_link(slug: &Slug, target: &TargetInfo) -> (String, String) {
    let name = Url::escape(&target.name);
    (format!("/procedures/{slug}?look={name}#look"), format!("Look at {}, {}", target.name, target.place))
}

#[component]
fn TargetField(targets: Vec<TargetInfo>, chosen: RwSignal<Option<String>>, seen: Seen) -> impl IntoView {
    let select = NodeRef::<html::Select>::new();
    Effect::new(move |_| {
        if let Some(select) = select.get() {
            chosen.set(Some(select.value()));
        }
    });
    let help = asks_for_its_name(&targets).map(|help| view! { <span class="help" id="target-about">{help}</span> });
    let described = help.is_some().then_some("target-about");
    let options = targets
        .into_iter()
        .map(|target| {
            let words = target_words(&target);
            let looked_at = seen.is_of(&target.name);
            view! { <option value=target.name selected=looked_at>{words}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="target">"Target"</label>
            <select
                class="input"
                id="target"
                name="target"
                aria-describedby=described
                node_ref=select
                on:change=move |event| chosen.set(Some(event_target_value(&event)))
            >
                {options}
            </select>
            {help}
        </div>
    }
    .into_any()
}

/// `production · deploy@prod.example.com · the production server`
fn target_words(target: &TargetInfo) -> String {
    let about = Some(&target.about).filter(|about| !about.is_empty() && !about.starts_with(&target.place));
    let place = Some(&target.place).filter(|place| !target.about.starts_with(*place));
    std::iter::once(&target.name).chain(place).chain(about).cloned().collect::<Vec<_>>().join(" · ")
}

/// Where steps that disrupt ask first. True whatever is chosen, so that it needs no scripts.
fn asks_for_its_name(targets: &[TargetInfo]) -> Option<String> {
    let production: Vec<&str> =
        targets.iter().filter(|target| target.production).map(|target| target.name.as_str()).collect();
    (!production.is_empty())
        .then(|| format!("Steps that disrupt ask for the target’s name on {}.", production.join(", ")))
}

/// The steps that hold something which the portal will not run, and why: to be known before a run is begun.
fn will_not_run(view: &ProcedureView) -> Option<AnyView> {
    let lines = commands_that(view, |_, command| command.blocked.clone());
    (!lines.is_empty()).then(|| {
        view! {
            <div class="callout" data-tone="warn">
                <Glyph sign=Sign::Warning />
                <p class="head">"Not everything here can run"</p>
                <p>"Skip such a command with a reason, or do it outside and note what you did."</p>
                <ul class="words">{lines}</ul>
            </div>
        }
        .into_any()
    })
}

/// The steps that a lead has to approve.
fn needs_a_lead(view: &ProcedureView) -> Option<AnyView> {
    let destroys = |step: &PlanStep, command: &PlanCommand| {
        let needs = command.risk == Risk::Destroys && !step.scratch && command.blocked.is_none();
        needs.then(|| format!("\u{201c}{}\u{201d} destroys", command.rule))
    };
    let lines = commands_that(view, destroys);
    (!lines.is_empty()).then(|| {
        view! {
            <div class="callout" data-tone="quiet">
                <Glyph sign=Sign::NeedsApproval />
                <p class="head">"Needs a lead"</p>
                <p>"Ask for the approval on the first page of the run, before anything is stopped."</p>
                <ul class="words">{lines}</ul>
            </div>
        }
        .into_any()
    })
}

/// A line for each command about which there is something to say.
fn commands_that(view: &ProcedureView, say: impl Fn(&PlanStep, &PlanCommand) -> Option<String>) -> Vec<AnyView> {
    let steps = view.plan.as_ref().map_or(&[][..], |plan| &plan.steps);
    let said = steps.iter().flat_map(|step| step.commands.iter().map(move |command| (step, command)));
    said.filter_map(|(step, command)| Some((step, say(step, command)?)))
        .map(|(step, why)| view! { <li>{format!("{}, {}: {why}", step_name(step), step.title)}</li> }.into_any())
        .collect()
}

/// Words that stand for a value which nobody declared: their commands cannot start, and the page says so before.
fn undeclared(view: &ProcedureView) -> Option<AnyView> {
    let plan = view.plan.as_ref().ok()?;
    let mut words: Vec<String> = plan
        .steps
        .iter()
        .flat_map(|step| &step.commands)
        .flat_map(|command| &command.placeholders)
        .filter(|placeholder| placeholder.parameter.is_none())
        .map(|placeholder| placeholder.text.clone())
        .collect();
    words.sort();
    words.dedup();
    if words.is_empty() {
        return None;
    }
    let words = words.into_iter().map(|word| view! { <li><code>{word}</code></li> }).collect_view();
    Some(
        view! {
            <div class="callout" data-tone="warn">
                <Glyph sign=Sign::Warning />
                <p class="head">"Values are missing"</p>
                <p>"These words stand for a value that the side file does not declare. Commands with them cannot start."</p>
                <ul class="words">{words}</ul>
            </div>
        }
        .into_any(),
    )
}
