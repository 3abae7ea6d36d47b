//! From a request to a page: waiting, failing, being sent to sign in.

use std::sync::Arc;

use domain::view::Session;
use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_location;
use leptos_router::location::Url;

use crate::AppError;
use crate::base::{self, path_inside, portal_path};
use crate::components::arrival::Arrival;
use crate::components::problem::Problem;
use crate::components::skeleton::Skeleton;

/// Who is signed in, as every page asks for it.
pub type SessionResource = Resource<Result<Session, AppError>>;

/// Sets the HTTP status of the page that is being rendered. In the browser there is none, and nothing happens.
#[derive(Clone)]
pub struct PageStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

impl PageStatus {
    /// Sets the status, where there is one.
    pub fn set(code: u16) {
        if let Some(status) = use_context::<Self>() {
            (status.0)(code);
        }
    }
}

/// Shows a page when its data and the session are there, and what is wrong when they are not.
///
/// The page stays while its data is asked for again.
pub fn loaded<T, V>(
    data: Resource<Result<T, AppError>>,
    page: impl Fn(Session, T) -> V + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let session = expect_context::<SessionResource>();
    let arrival = use_context::<Arrival>();
    view! {
        <Transition fallback=Skeleton>
            {move || {
                let page = page.clone();
                Suspend::new(async move {
                    let answers = (session.await, data.await);
                    if let Some(arrival) = arrival {
                        arrival.is_here();
                    }
                    match answers {
                        (Ok(session), Ok(data)) => page(session, data).into_any(),
                        (Err(error), _) | (_, Err(error)) => refused(error),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

/// What a part of a page asks for by itself, in the browser: `None` until the answer is there.
///
/// On the server nothing is asked. A page loads there what it shows in one answer: what begins to load inside of what is loaded was seen
/// never to arrive, and the page with it.
pub fn loaded_later<T, F>(ask: impl Fn() -> F + 'static) -> ReadSignal<Option<T>>
where
    T: Send + Sync + 'static,
    F: Future<Output = T> + 'static,
{
    let (answer, set_answer) = signal(None);
    Effect::new(move |_| {
        let asked = ask();
        spawn_local_scoped_with_cancellation(async move { set_answer.set(Some(asked.await)) });
    });
    answer
}

/// Sends a stranger to sign in, and tells everybody else what is wrong.
pub fn refused(error: AppError) -> AnyView {
    match error {
        AppError::SignedOut => {
            let location = use_location();
            let (path, query) = (path_inside(&location.pathname.get_untracked()), location.search.get_untracked());
            let wanted = if query.is_empty() { path } else { format!("{path}?{query}") };
            let sign_in = portal_path(format!("/sign-in?next={}", Url::escape(&wanted)));
            view! { <Redirect path=sign_in options=base::as_it_stands() /> }.into_any()
        }
        error => {
            PageStatus::set(match error {
                AppError::NotFound => 404,
                AppError::Denied(_) => 403,
                AppError::Busy(_) => 503,
                _ => 500,
            });
            view! { <Problem error /> }.into_any()
        }
    }
}
