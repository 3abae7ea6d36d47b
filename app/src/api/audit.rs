//! The audit: what the chain of events holds, and whether it is as it was recorded.

use domain::view::AuditView;
use leptos::server;

use crate::AppError;

/// The page of the audit: the events before a place, of everything or only of what happened to no run.
#[server(name = AskAudit, endpoint = "pages/audit")]
pub async fn audit(before: Option<u64>, portal_only: bool) -> Result<AuditView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.audit(caller.actor.auditor()?, before, portal_only).await?)
        }
        .await,
    )
}

/// Begins to read everything that is kept again.
#[server(endpoint = "audit/verify")]
pub async fn verify() -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.begin_verification(caller.actor.auditor()?).await?;
            back_to("/audit");
            Ok(())
        }
        .await,
    )
}
