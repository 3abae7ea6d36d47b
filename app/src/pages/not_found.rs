//! An address where nothing stands.

use leptos::prelude::*;

use crate::AppError;
use crate::components::problem::Problem;
use crate::loaded::PageStatus;

/// Every address that no page has.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    PageStatus::set(404);
    view! { <Problem error=AppError::NotFound /> }.into_any()
}
