//! One's own account.

use domain::view::OwnMail;
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

/// Where mail reaches oneself.
#[server(endpoint = "pages/own-mail")]
pub async fn own_mail() -> Result<OwnMail, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.own_mail(&caller.actor).await?)
        }
        .await,
    )
}

/// Says where mail reaches oneself; empty: nowhere.
#[server(endpoint = "account/mail")]
pub async fn set_own_mail(mail: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.set_own_mail(&caller.actor, &mail).await?;
            back_to("/account");
            Ok(())
        }
        .await,
    )
}
