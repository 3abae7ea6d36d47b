//! The form of a server function.
//!
//! As the framework's own, but that its address is below the base: that one writes the function's path as it was compiled, which
//! without scripts leads out of a portal that has a base.

use leptos::either::Either;
use leptos::ev::{SubmitEvent, submit};
use leptos::html::{self, form};
use leptos::prelude::*;
use serde::de::DeserializeOwned;
use server_fn::codec::PostUrl;
use server_fn::{Http, ServerFn};

use crate::AppError;
use crate::base::portal_path;

/// A form that calls a server function: with scripts from the page, without them by sending the browser there.
#[component]
pub fn ActionForm<Function, Answered>(
    /// The action of the function.
    action: ServerAction<Function>,
    /// Where the element is kept.
    #[prop(optional)]
    node_ref: Option<NodeRef<html::Form>>,
    /// The fields and buttons.
    children: Children,
) -> impl IntoView
where
    Function: ServerFn<Error = AppError, Protocol = Http<PostUrl, Answered>>
        + DeserializeOwned
        + Clone
        + Send
        + Sync
        + 'static,
    Function::Output: Send + Sync + 'static,
{
    let (version, value) = (action.version(), action.value());
    let submitted = move |event: SubmitEvent| {
        if event.default_prevented() {
            return;
        }
        event.prevent_default();
        if let Ok(input) = Function::from_event(&event) {
            action.dispatch(input);
        } else {
            value.set(Some(Err(AppError::not_understood())));
            version.update(|version| *version += 1);
        }
    };
    let element = form().action(portal_path(Function::url())).method("post").on(submit, submitted).child(children());
    match node_ref {
        Some(node_ref) => Either::Left(element.node_ref(node_ref)),
        None => Either::Right(element),
    }
}

/// Empties a form whenever what it asked for was done: else a page that is drawn anew keeps what was typed, a password as well.
pub fn emptied_by<Function>(form: NodeRef<html::Form>, action: ServerAction<Function>)
where
    Function: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
    Function::Output: Send + Sync + 'static,
{
    let (version, answer) = (action.version(), action.value());
    Effect::new(move |before: Option<usize>| {
        let count = version.get();
        let is_done = answer.with_untracked(|answer| matches!(answer, Some(Ok(_))));
        let is_new = before.is_some_and(|before| before != count);
        if let Some(form) = form.get_untracked().filter(|_| is_new && is_done) {
            form.reset();
        }
        count
    });
}
