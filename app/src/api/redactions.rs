//! Covering something in stored output.

use domain::RunId;
use domain::view::RedactionView;
use leptos::server;

use crate::AppError;

/// What there is to see about a redaction that waits.
#[server(name = AskAboutRedaction, endpoint = "pages/redaction")]
pub async fn redaction(run: RunId, number: u32) -> Result<RedactionView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.redaction(caller.actor.approver()?, run, number).await?)
        }
        .await,
    )
}

/// Asks for something in the output of an attempt to be covered: a text, or `lines` or `bytes` in a range, as `12-15`.
#[server(endpoint = "redactions/ask")]
pub async fn ask_redaction(
    run: RunId,
    step: u32,
    attempt: u32,
    #[server(default)] text: String,
    #[server(default)] unit: String,
    #[server(default)] range: String,
    reason: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, sought};
    use domain::AttemptId;
    use domain::view::covering_address;

    answer(
        async {
            let caller = caller().await?;
            let redactor = caller.actor.redactor()?;
            let sought = sought(text, &unit, &range)?;
            let id = AttemptId { run, step, attempt };
            caller.portal.ask_redaction(redactor, id, sought, reason).await?;
            back_to(&covering_address(id));
            Ok(())
        }
        .await,
    )
}

/// Decides on a redaction by a second factor: `confirm`, or `reject` with a reason. Who asked takes it back by `reject`, without one.
#[server(endpoint = "redactions/decide")]
pub async fn decide_redaction(
    run: RunId,
    number: u32,
    decision: String,
    #[server(default)] reason: String,
    #[server(default)] code: String,
    #[server(default)] passkey: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, handed};
    use domain::view::covering_address;

    answer(
        async {
            let caller = caller().await?;
            let approver = caller.actor.approver()?;
            let proof = handed(&code, &passkey)?;
            let id = match decision.as_str() {
                "confirm" => caller.portal.confirm_redaction(approver, run, number, proof).await?,
                "reject" => caller.portal.reject_redaction(approver, run, number, reason, proof).await?,
                _ => {
                    let sentence = "Say whether you confirm or reject. Nothing was decided.";
                    return Err(AppError::Invalid(sentence.to_owned()));
                }
            };
            back_to(&covering_address(id));
            Ok(())
        }
        .await,
    )
}
