//! What went wrong, and what to do.

use leptos::prelude::*;
use leptos_meta::Title;

use super::glyph::{Glyph, Sign};
use crate::AppError;
use crate::base::portal_path;

/// A page that could not be shown.
#[component]
pub fn Problem(error: AppError) -> impl IntoView {
    let head = match &error {
        AppError::NotFound => "There is no such page",
        AppError::Denied(_) => "This is not for your role",
        AppError::Unreachable => "The portal cannot be reached",
        AppError::Busy(_) => "The portal is busy",
        _ => "This page could not be shown",
    };
    let sentence = match &error {
        AppError::NotFound => {
            "Nothing stands at this address, or it is not for you. Nothing was changed. Look for it on the start page or in the history."
                .to_owned()
        }
        error => error.to_string(),
    };
    view! {
        <Title text=head />
        <main id="main" class="page" data-kind="alone" tabindex="-1">
            <div class="callout" data-tone="warn" role="alert">
                <Glyph sign=Sign::Warning />
                <h1 class="head">{head}</h1>
                <p>{sentence}</p>
                <div class="actions">
                    <a class="btn" href=portal_path("/")>"Open the start page"</a>
                    <a class="btn" data-kind="quiet" href=portal_path("/history")>"Open the history"</a>
                </div>
            </div>
        </main>
    }
    .into_any()
}

/// Why what was just asked for was not done. Stays until it is read.
#[component]
pub fn Refused(#[prop(into)] problem: Signal<Option<String>>) -> impl IntoView {
    view! {
        <div class="alerts" role="alert">
            {move || {
                problem
                    .get()
                    .map(|sentence| {
                        view! {
                            <div class="callout" data-tone="danger">
                                <Glyph sign=Sign::Warning />
                                <p class="head">"Not done"</p>
                                <p>{sentence}</p>
                            </div>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}
