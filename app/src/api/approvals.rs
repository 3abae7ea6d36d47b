//! Asking for approval and deciding.

use std::collections::BTreeMap;

use domain::RunId;
use domain::view::{DecisionView, InboxView};
use leptos::server;
use server_fn::codec::{ByteStream, Streaming};

use crate::AppError;

/// The inbox.
#[server(endpoint = "pages/approvals")]
pub async fn inbox() -> Result<InboxView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.inbox(caller.actor.viewer()?).await?)
        }
        .await,
    )
}

/// The page of a request.
#[server(name = AskDecision, endpoint = "pages/approval")]
pub async fn decision(run: RunId, request: u32) -> Result<DecisionView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.decision(caller.actor.viewer()?, run, request).await?)
        }
        .await,
    )
}

/// How many requests wait for a decision, now and whenever that changes: a number in each line.
#[server(endpoint = "approvals/watch", output = Streaming)]
pub async fn watch_waiting() -> Result<ByteStream<AppError>, AppError> {
    use crate::ssr::{answer, caller};
    use futures::StreamExt as _;

    let counts = answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.watch_waiting(caller.actor.viewer()?))
        }
        .await,
    )?;
    Ok(ByteStream::new(counts.map(|count| Ok(format!("{count}\n")))))
}

/// Asks leads to approve commands: each key of `wanted` is a step with its commands, as `s4.1-2`.
#[server(endpoint = "approvals/ask")]
pub async fn request_approval(
    run: RunId,
    request: u32,
    #[server(default)] wanted: BTreeMap<String, String>,
    reason: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, wanted as read};

    answer(
        async {
            let caller = caller().await?;
            let wanted = read(&wanted)?;
            caller.portal.request_approval(caller.actor.operator()?, run, request, wanted, reason).await?;
            back_to(&format!("/runs/{run}"));
            Ok(())
        }
        .await,
    )
}

/// Takes a request back.
#[server(endpoint = "approvals/cancel")]
pub async fn cancel_approval(run: RunId, request: u32, #[server(default)] reason: String) -> Result<(), AppError> {
    use crate::ssr::{act, answer};
    use domain::run::Command;

    answer(async { act(run, 0, Command::CancelApproval { request, reason }).await }.await)
}

/// Decides a request by a second factor: `approve`, or `reject` with a reason. `also` has the keys `retry` and `rollback` where
/// these are approved, too.
#[server(endpoint = "approvals/decide")]
pub async fn decide(
    run: RunId,
    request: u32,
    decision: String,
    #[server(default)] reason: String,
    #[server(default)] also: BTreeMap<String, String>,
    #[server(default)] code: String,
    #[server(default)] passkey: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, decision_named, handed};
    use domain::view::approval_address;

    answer(
        async {
            let caller = caller().await?;
            let decision = decision_named(&decision, &also, reason)?;
            let proof = handed(&code, &passkey)?;
            caller.portal.decide_approval(caller.actor.approver()?, run, request, decision, proof).await?;
            back_to(&approval_address(run, request));
            Ok(())
        }
        .await,
    )
}

/// Lets commands start without an approval, in an emergency.
#[server(endpoint = "approvals/break-glass")]
pub async fn break_glass(
    run: RunId,
    request: u32,
    #[server(default)] wanted: BTreeMap<String, String>,
    reason: String,
    #[server(default)] code: String,
    #[server(default)] passkey: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, handed, wanted as read};

    answer(
        async {
            let caller = caller().await?;
            let (wanted, proof) = (read(&wanted)?, handed(&code, &passkey)?);
            caller.portal.break_glass(caller.actor.operator()?, run, request, wanted, reason, proof).await?;
            back_to(&format!("/runs/{run}"));
            Ok(())
        }
        .await,
    )
}

/// Reviews what somebody else started without an approval.
#[server(endpoint = "approvals/review")]
pub async fn review_glass(run: RunId, request: u32, comment: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};
    use domain::view::approval_address;

    answer(
        async {
            let caller = caller().await?;
            caller.portal.review_glass(caller.actor.approver()?, run, request, comment).await?;
            back_to(&approval_address(run, request));
            Ok(())
        }
        .await,
    )
}
