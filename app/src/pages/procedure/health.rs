//! The health of a procedure on its page: how far it can be relied on, why, and how to look again.

use domain::Slug;
use domain::health::{Concern, Health, Sighting};
use domain::policy::Verb;
use domain::run::StepStatus;
use domain::runbook::Level;
use domain::view::{ProcedureView, Session, TargetInfo, Usual};
use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

use crate::api::looks::LookAtHealth;
use crate::api::pages::procedure;
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::command_text::{Visible, visible};
use crate::components::glyph::{Glyph, Sign};
use crate::components::health_badge::HealthBadge;
use crate::components::pace::usual_words;

/// The part of the page. Nothing at the target is looked at by opening it.
#[component]
pub fn HealthPart(session: Session, view: ProcedureView) -> impl IntoView {
    let slug = view.procedure.slug.clone();
    let ProcedureView { health, usual, targets, .. } = view;
    let look = ServerAction::<LookAtHealth>::new();
    let problem = Signal::derive(move || look.value().get().and_then(Result::err).map(|error| error.to_string()));
    let health = RwSignal::new(health);
    ask_again(look, health, slug.clone());
    let can_look = session.actor.may(Verb::StartRun).is_ok() && !targets.is_empty();
    let form = can_look.then(|| view! { <LookForm slug targets look /> });
    view! {
        <section class="part" id="health" aria-labelledby="health-title">
            <div class="spread">
                <h2 id="health-title">"Health"</h2>
                {move || health.with(|health| view! { <HealthBadge mark=health.mark() /> })}
            </div>
            <div aria-live="polite">{move || health.with(|health| told(health, usual))}</div>
            {move || problem.get().map(refused)}
            {form}
        </section>
    }
    .into_any()
}

/// Why nobody looked. It is there only then: a page has one place for what its main form was refused.
fn refused(sentence: String) -> AnyView {
    view! {
        <div class="callout" data-tone="danger" role="alert">
            <Glyph sign=Sign::Warning />
            <p class="head">"Not done"</p>
            <p>{sentence}</p>
        </div>
    }
    .into_any()
}

/// Shows what a look has found, without drawing the rest of the page anew: somebody may be filling its form.
fn ask_again(look: ServerAction<LookAtHealth>, health: RwSignal<Health>, slug: Slug) {
    Effect::new(move |_| {
        let looked = look.version().get() > 0 && matches!(look.value().get_untracked(), Some(Ok(())));
        if looked {
            let slug = slug.clone();
            spawn_local_scoped_with_cancellation(async move {
                if let Ok(view) = procedure(slug, None).await {
                    health.set(view.health);
                }
            });
        }
    });
}

/// What is known, in words.
fn told(health: &Health, usual: Option<Usual>) -> AnyView {
    let success = match health.last_success {
        Some(at) => view! { <span>"last success " <Ago at /></span> }.into_any(),
        None => view! { <span>"no success yet"</span> }.into_any(),
    };
    let runs = (health.closed > 0)
        .then(|| view! { <span>{format!("{} of the last {} reached", health.reached, health.closed)}</span> });
    let usual = usual.map(|usual| view! { <span>{format!("usual {}", usual_words(usual))}</span> });
    let concerns = health.concerns.iter().map(concern).collect_view();
    let looks = if health.looks.is_empty() {
        view! { <p class="quiet small">"Nobody has looked whether what it names is still there, since it reads as it does."</p> }
            .into_any()
    } else {
        let looks = health.looks.iter().map(sighting).collect_view();
        view! { <ul class="words quiet small">{looks}</ul> }.into_any()
    };
    view! {
        <p class="facts-line">{success} {runs} {usual}</p>
        {(!health.concerns.is_empty()).then(|| view! { <ul class="checks">{concerns}</ul> })}
        {looks}
    }
    .into_any()
}

fn concern(concern: &Concern) -> AnyView {
    let (sign, word) = match concern.level {
        Level::Error => (Sign::State(StepStatus::Failed), "error"),
        Level::Warning => (Sign::Warning, "warning"),
        Level::Note => (Sign::Info, "note"),
    };
    let seen = concern.seen.clone().map(|Sighting { target, at }| {
        view! {
            <span class="by">
                "seen at "
                {visible(target)}
                " "
                <Ago at />
            </span>
        }
    });
    view! {
        <li title=format!("finding: {}", concern.code)>
            <Glyph sign />
            <span>
                <span class="sr">{format!("{word}: ")}</span>
                <Visible text=concern.message.clone() />
            </span>
            {seen}
        </li>
    }
    .into_any()
}

fn sighting(sighting: &Sighting) -> AnyView {
    let Sighting { target, at } = sighting.clone();
    view! {
        <li>
            "Looked at "
            {visible(target)}
            " "
            <Ago at />
            ", by reading only."
        </li>
    }
    .into_any()
}

/// What lets the portal look. It works without scripts.
#[component]
fn LookForm(slug: Slug, targets: Vec<TargetInfo>, look: ServerAction<LookAtHealth>) -> impl IntoView {
    let target = if let [only] = targets.as_slice() {
        view! { <input type="hidden" name="target" value=only.name.clone() /> }.into_any()
    } else {
        let options = targets
            .iter()
            .map(|target| view! { <option value=target.name.clone()>{target.name.clone()}</option> })
            .collect_view();
        view! {
            <div class="field">
                <label for="health-target">"Where to look"</label>
                <select class="input" id="health-target" name="target">
                    {options}
                </select>
            </div>
        }
        .into_any()
    };
    view! {
        <ActionForm action=look attr:class="deed">
            <input type="hidden" name="slug" value=slug.0 />
            {target}
            <button class="btn" type="submit" disabled=look.pending()>
                <Glyph sign=Sign::Search />
                "Look now"
            </button>
        </ActionForm>
    }
    .into_any()
}
