//! One's own account.

use leptos::server;

use crate::AppError;

/// Changes one's own password.
#[server(endpoint = "account/password")]
pub async fn change_password(old: String, new: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.change_password(&caller.actor, &old, &new).await?;
            back_to("/account?changed=password");
            Ok(())
        }
        .await,
    )
}
