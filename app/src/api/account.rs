//! One's own account.

use leptos::server;

use crate::AppError;

/// Changes one's own password.
#[server(endpoint = "account/password")]
pub async fn change_password(old: String, new: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, session_id};

    answer(
        async {
            let caller = caller().await?;
            let keep = session_id()?;
            caller.portal.change_password(&caller.actor, &old, &new, Some(&keep)).await?;
            back_to("/account?changed=password");
            Ok(())
        }
        .await,
    )
}
