//! Looks at a target: what is there before the first step, and what there is to choose from.

use domain::look::Look;
use domain::{RunId, Slug};
use leptos::server;

use crate::AppError;

/// A look at a target for a run that could start there; an empty name is the first target that the procedure may use.
#[server(endpoint = "looks/start")]
pub async fn look_before_start(slug: Slug, #[server(default)] target: String) -> Result<Look, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.look_before_start(caller.actor.operator()?, &slug, &target).await?)
        }
        .await,
    )
}

/// A look at the target of a run, for what is still to come in it.
#[server(endpoint = "looks/run")]
pub async fn look_in_run(run: RunId) -> Result<Look, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.look_in_run(caller.actor.operator()?, run).await?)
        }
        .await,
    )
}

/// Looks at a target for the health of a procedure, by reading only, and keeps what it found until the next look there; an empty name
/// is the first target that the procedure may use.
#[server(endpoint = "looks/health")]
pub async fn look_at_health(slug: Slug, #[server(default)] target: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.look_at_health(caller.actor.operator()?, &slug, &target).await?;
            back_to(&format!("/procedures/{slug}"));
            Ok(())
        }
        .await,
    )
}
