//! The look at a run's target: before its first step the page looks by itself, later when somebody asks.

use leptos::prelude::*;

use crate::api::looks::look_in_run;
use crate::components::look::{LookList, Seen};
use crate::deeds::Hands;
use crate::live::Live;

/// The panel, for who works in the run.
#[component]
pub fn Looking(hands: Hands) -> impl IntoView {
    let live = Live::here();
    let seen = expect_context::<Seen>();
    let id = live.id();
    let begun = live.run.with_untracked(|run| run.steps.iter().any(|step| !step.attempts.is_empty()));
    let asked = RwSignal::new(0_u32);
    let works = hands == Hands::On;
    // Without scripts there is the link.
    let awake = RwSignal::new(false);
    Effect::new(move |_| awake.set(true));
    Effect::new(move |_| {
        if asked.get() > 0 || (works && !begun) {
            seen.ask(look_in_run(id));
        }
    });
    let again = move || {
        let deed = view! {
            <button class="btn" data-kind="quiet" type="button" on:click=move |_| asked.update(|asked| *asked += 1)>
                "Look at the target again"
            </button>
        };
        awake.get().then_some(deed)
    };
    let links = vec![(format!("/runs/{id}?look=target#look"), "Look at the target".to_owned())];
    hands.then(|| {
        view! {
            <LookList seen links />
            {again}
        }
    })
}
