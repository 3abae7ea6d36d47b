//! The page of a run: a live instrument while it is open, a record when it is closed.

mod actions;
mod approval;
mod card;
mod checks;
mod control;
mod escalation;
pub mod facts;
mod finish;
mod head;
mod keyboard;
mod look;
mod moment;
mod next;
mod notices;
pub mod rail;
mod record;
mod redaction;
mod stage;
mod stopping;
mod ticks;

use domain::RunId;
use domain::look::Look;
use domain::view::{RunView, Session};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::AppError;
use crate::api::looks::look_in_run;
use crate::api::pages::run;
use crate::components::look::Seen;
use crate::deeds::Deeds;
use crate::live::{Live, follow};
use crate::loaded::loaded;
use approval::Approvals;
use card::StepCard;
use control::{LockLost, LockNotice};
use facts::Facts;
use finish::Finishing;
use head::{Announcements, Head};
use next::ThumbBar;
use notices::{Notices, RefusedElsewhere};
use rail::{Rail, Strip};
use record::Record;
use redaction::WaitingRedactions;
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
            let look = query.read_untracked().get("look");
            async move {
                let id = id.ok_or(AppError::NotFound)?;
                let view = run(id, step, attempt, from).await?;
                let look = match look {
                    Some(_) => Some(look_in_run(id).await),
                    None => None,
                };
                Ok((view, look))
            }
        },
    );
    loaded(view, move |session, (view, look)| view! { <RunBody session view look asked /> })
}

#[component]
fn RunBody(session: Session, view: RunView, look: Option<Result<Look, AppError>>, asked: Memo<Asked>) -> impl IntoView {
    Seen::provide(look);
    let first = asked.get_untracked();
    let live = Live::provide(&view, session.actor, session.build, first.step, first.from);
    let deeds = Deeds::provide();
    follow::keep(live);
    show_what_is_asked_for(live, asked);
    remember_what_is_started(live, &deeds);
    control::show_what_is_added(live);
    let view = StoredValue::new(view);
    move || {
        if live.closed.get() {
            view! { <Record
                usual=view.with_value(|view| view.usual)
                newer=view.with_value(|view| view.newer.clone())
                patch=view.with_value(|view| view.patch.clone())
                suggestion=view.with_value(|view| view.suggestion.clone())
            /> }
            .into_any()
        } else {
            view! { <Working view=view.get_value() /> }.into_any()
        }
    }
}

/// Another step of the same run in the address, also by the browser's back and forward.
fn show_what_is_asked_for(live: Live, asked: Memo<Asked>) {
    Effect::new(move |before: Option<Asked>| {
        let now = asked.get();
        if before.is_some_and(|before| before != now) {
            let step =
                now.step.unwrap_or_else(|| live.run.with_untracked(|run| crate::live::opens_on(run, None, None).0));
            live.show(step, now.attempt);
        }
        now
    });
}

/// What is started from this page takes its reader along.
fn remember_what_is_started(live: Live, deeds: &Deeds) {
    let sent = deeds.run.input();
    Effect::new(move |_| {
        sent.with(|sent| {
            if let Some(sent) = sent {
                live.starts(sent.step, sent.attempt);
            }
        });
    });
}

/// The page of an open run.
#[component]
fn Working(view: RunView) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let problem = Signal::derive(move || deeds.problem_elsewhere(live.shown.get()).map(|error| error.to_string()));
    view! {
        <main id="main" class="page" data-kind="run" tabindex="-1">
            <Head />
            <Strip />
            <div class="main stack">
                <Notices newer=view.newer />
                {view.locked.map(|locked| view! { <LockNotice locked /> })}
                <LockLost />
                <WaitingRedactions />
                <Approvals />
                <RefusedElsewhere problem />
                <Stage />
                <StepCard />
                <ThumbBar />
                <Finishing />
            </div>
            <nav class="rail stack" data-gap="tight" aria-label="Steps of this run">
                <Rail />
            </nav>
            <Facts usual=view.usual suggestion=view.suggestion escalation=view.escalation />
            <Announcements />
        </main>
    }
    .into_any()
}
