//! The page of a run: a live instrument while it is open, a record when it is closed.

mod actions;
mod card;
mod facts;
mod finish;
mod head;
mod notices;
mod rail;
mod record;
mod stage;
mod ticks;

use domain::RunId;
use domain::view::{RunView, Session};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::AppError;
use crate::api::pages::run;
use crate::components::problem::Refused;
use crate::deeds::Deeds;
use crate::live::{Live, follow};
use crate::loaded::loaded;
use card::StepCard;
use facts::Facts;
use finish::Finishing;
use head::{Announcements, Head};
use notices::Notices;
use rail::{Rail, Strip};
use record::Record;
use stage::Stage;

/// What the address asks for besides the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    step: Option<u32>,
    attempt: Option<u32>,
    from: Option<u64>,
}

/// `/runs/{id}`
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        Asked {
            step: query.get_str("step").and_then(|step| step.parse().ok()),
            attempt: query.get_str("attempt").and_then(|attempt| attempt.parse().ok()),
            from: query.get_str("from").and_then(|from| from.parse().ok()),
        }
    });
    let id = Memo::new(move |_| params.read().get_str("id").and_then(|id| id.parse().ok()).map(RunId));
    // Another step of the same run is not another page: only a piece of stored output is asked for anew.
    let from = Memo::new(move |_| asked.get().from);
    let view = Resource::new(
        move || (id.get(), from.get()),
        move |(id, from)| {
            let Asked { step, attempt, .. } = asked.get_untracked();
            async move {
                let id = id.ok_or(AppError::NotFound)?;
                run(id, step, attempt, from).await
            }
        },
    );
    loaded(view, move |session, view| view! { <RunBody session view asked /> })
}

#[component]
fn RunBody(session: Session, view: RunView, asked: Memo<Asked>) -> impl IntoView {
    let first = asked.get_untracked();
    let live = Live::provide(&view, session.actor, session.build, first.step, first.from);
    let deeds = Deeds::provide();
    if view.run.end.is_none() {
        follow::keep(live);
    }
    Effect::new(move |before: Option<Asked>| {
        let now = asked.get();
        if before.is_some_and(|before| before != now) {
            let step =
                now.step.unwrap_or_else(|| live.run.with_untracked(|run| crate::live::opens_on(run, None, None).0));
            live.show(step, now.attempt);
        }
        now
    });
    let problem = Signal::derive(move || deeds.problem().map(|error| error.to_string()));
    let closed = Memo::new(move |_| live.run.with(|run| run.end.is_some()));
    let view = StoredValue::new(view);
    move || {
        if closed.get() {
            view! { <Record usual=view.with_value(|view| view.usual) newer=view.with_value(|view| view.newer.clone()) /> }
                .into_any()
        } else {
            view! { <Working view=view.get_value() problem /> }.into_any()
        }
    }
}

/// The page of an open run.
#[component]
fn Working(view: RunView, problem: Signal<Option<String>>) -> impl IntoView {
    view! {
        <main id="main" class="page" data-kind="run" tabindex="-1">
            <Head />
            <Strip />
            <div class="main stack">
                <Notices newer=view.newer />
                <Refused problem />
                <Stage />
                <StepCard />
                <Finishing />
            </div>
            <nav class="rail stack" data-gap="tight" aria-label="Steps of this run">
                <Rail />
            </nav>
            <Facts usual=view.usual />
            <Announcements />
        </main>
    }
    .into_any()
}
