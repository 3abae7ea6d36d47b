//! The server's half: who is asking, how a failure is answered, and what pages find in their context.
//!
//! The one module that knows HTTP, sessions and the use cases together.

mod answers;
mod browser;
mod forms;
mod sessions;

use std::sync::Arc;

use domain::policy::Actor;
use domain::run::{Command, Run};
use domain::view::RedactionView;
use domain::{AttemptId, PersonId, RunId, TokenId};
use http::StatusCode;
use http::request::Parts;
use leptos::prelude::{provide_context, use_context, use_nonce};
use leptos_axum::ResponseOptions;
use leptos_router::location::RequestUrl;
use portal::Portal;

pub use answers::{answer, as_line, back_to, go_to, go_to_sign_in, status};
pub use browser::{DeviceCookie, Peer, cookie_problem, host_name, is_this_machine, knock, remember_device};
pub use forms::{
    about, decision_named, groups_named, handed, input_of, numbers, place_of, role_named, sought, strokes_of, sure,
    token_named, verdict_named, wanted,
};
pub use sessions::{
    ADDRESS, AGENT, Begun, NAMED, PERSON, PROVEN, TakenOut, Ways, begin, made_code, made_token, session_id, sign_in,
    sign_out, ways,
};
use sessions::{session, session_failed};

use crate::AppError;
use crate::base::Base;
pub use crate::base::inside;
use crate::loaded::PageStatus;

/// Who is asking, and whom they ask.
pub struct Caller {
    /// The use cases.
    pub portal: Portal,
    /// The person as their account stands now.
    pub actor: Actor,
}

/// Puts into the context what pages and server functions look for there. Called once per request.
pub fn provide(portal: &Portal, base: &Base) {
    provide_context(portal.clone());
    provide_context(base.clone());
    provide_address(base);
    provide_context(PageStatus(Arc::new(|code| {
        if let (Some(response), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(code)) {
            response.set_status(status);
        }
    })));
}

/// Lets the router see the address that the browser has: a request gets here without the base.
fn provide_address(base: &Base) {
    let path = parts().and_then(|parts| Some(parts.uri.path_and_query()?.as_str().to_owned()));
    if let Some(path) = path.filter(|_| !base.is_root()) {
        provide_context(RequestUrl::new(&base.path(&path)));
    }
}

/// The policy for what a page may load and run: only the portal's own files, and scripts that carry this request's nonce.
/// To be sent with every page, from inside its context.
pub fn content_security_policy() -> Option<String> {
    let nonce = use_nonce()?;
    Some(format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ))
}

/// The use cases, for what a stranger may call.
pub fn portal() -> Result<Portal, AppError> {
    use_context::<Portal>().ok_or_else(|| {
        tracing::error!("no portal was put into the context of this request");
        AppError::Internal
    })
}

/// Who is asking, by their session or their script's token, and by their account as it stands at this moment.
pub async fn caller() -> Result<Caller, AppError> {
    let portal = portal()?;
    let actor = match token() {
        Some(token) => portal.holder_of_token(&token).await?,
        None => signed_in(&portal).await?,
    };
    Ok(Caller { actor: actor.ok_or(AppError::SignedOut)?, portal })
}

/// The token that the gate has found in this request. Where there is one, a session counts for nothing.
fn token() -> Option<TokenId> {
    let found = parts()?.extensions.get::<Actor>()?.token.clone()?;
    Some(found.id)
}

async fn signed_in(portal: &Portal) -> Result<Option<Actor>, AppError> {
    let person: Option<String> = session()?.get(PERSON).await.map_err(session_failed)?;
    match person {
        Some(person) => Ok(portal.actor(&PersonId(person)).await?),
        None => Ok(None),
    }
}

fn parts() -> Option<Parts> {
    use_context::<Parts>()
}

/// Does something in a run, and sends a browser without scripts back to its page: at a step, or where the run stands (0).
pub async fn act(run: RunId, step: u32, command: Command) -> Result<(), AppError> {
    let caller = caller().await?;
    // On the heap: every function that does something in a run carries it.
    Box::pin(caller.portal.act(caller.actor.operator()?, run, command)).await?;
    back_to(&match step {
        0 => format!("/runs/{run}"),
        _ => format!("/runs/{run}?step={step}"),
    });
    Ok(())
}

/// What waits to be covered in an output, for whoever may decide on it. A page that lacks it asks for it by itself, and tells its
/// reader why it cannot be had.
pub async fn redaction_to_decide(caller: &Caller, run: &Run, id: AttemptId) -> Option<RedactionView> {
    let approver = caller.actor.approver().ok()?;
    let (number, _) = run.waiting_redaction(id)?;
    caller.portal.redaction(approver, run.id, number).await.map_err(AppError::from).ok()
}
