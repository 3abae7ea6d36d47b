//! Suggestions. What alerts suggest, and what people do about it.

use domain::SuggestionId;
use domain::view::AlertView;
use leptos::server;

use crate::AppError;

/// The page of an alert by its name: which procedures name it, and what is suggested by it now.
#[server(name = AskAlert, endpoint = "pages/alert")]
pub async fn alert(#[server(default)] name: String) -> Result<AlertView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.alert_page(caller.actor.viewer()?, &name).await?)
        }
        .await,
    )
}

/// Dismisses a suggestion, with a reason. It comes back when something else of the same name and service begins to fire.
#[server(endpoint = "suggestions/dismiss")]
pub async fn dismiss_suggestion(suggestion: SuggestionId, reason: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.dismiss_suggestion(caller.actor.operator()?, suggestion, &reason).await?;
            back_to("/");
            Ok(())
        }
        .await,
    )
}
