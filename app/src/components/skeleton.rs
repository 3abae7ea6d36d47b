//! The shape of what comes.

use leptos::prelude::*;

/// Stands still where a page will be.
#[component]
pub fn Skeleton() -> impl IntoView {
    view! {
        <main id="main" class="page" tabindex="-1">
            <div class="skeleton" role="status" aria-busy="true" aria-label="The page is on its way">
                {(0..6).map(|_| view! { <span></span> }).collect_view()}
            </div>
        </main>
    }
    .into_any()
}
