//! One's own account.

use domain::TokenId;
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
            caller.portal.change_password(caller.actor.owner()?, &old, &new, Some(&keep)).await?;
            back_to("/account?changed=password");
            Ok(())
        }
        .await,
    )
}

/// Shows the secret of a new authenticator app on the page of the account.
#[server(endpoint = "account/authenticator/offer")]
pub async fn offer_authenticator(
    password: String,
    #[server(default)] code: String,
    #[server(default)] passkey: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, session_id, sure};

    answer(
        async {
            let caller = caller().await?;
            let sure = sure(password, &code, &passkey);
            caller.portal.offer_authenticator(caller.actor.owner()?, &session_id()?, sure).await?;
            back_to("/account#second-factor");
            Ok(())
        }
        .await,
    )
}

/// Puts away what is shown for a new authenticator app.
#[server(endpoint = "account/authenticator/discard")]
pub async fn discard_offer() -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.discard_offer(caller.actor.owner()?).await?;
            back_to("/account#second-factor");
            Ok(())
        }
        .await,
    )
}

/// Switches the new authenticator app on, once it shows the right code.
#[server(endpoint = "account/authenticator/switch-on")]
pub async fn switch_on_authenticator(code: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, session_id};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.switch_on_authenticator(caller.actor.owner()?, &session_id()?, &code).await?;
            back_to("/account?changed=authenticator");
            Ok(())
        }
        .await,
    )
}

/// Removes one's authenticator app and its recovery codes.
#[server(endpoint = "account/authenticator/remove")]
pub async fn remove_authenticator(
    password: String,
    #[server(default)] code: String,
    #[server(default)] passkey: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, session_id, sure};

    answer(
        async {
            let caller = caller().await?;
            let sure = sure(password, &code, &passkey);
            caller.portal.remove_authenticator(caller.actor.owner()?, &session_id()?, sure).await?;
            back_to("/account?changed=removed");
            Ok(())
        }
        .await,
    )
}

/// What the browser is to ask a passkey, so that it proves its person.
#[server(endpoint = "account/passkeys/ask")]
pub async fn ask_for_passkey() -> Result<String, AppError> {
    use crate::ssr::{answer, caller, session_id};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.ask_for_passkey(caller.actor.owner()?, &session_id()?).await?)
        }
        .await,
    )
}

/// What the browser is to ask for a new passkey.
#[server(endpoint = "account/passkeys/ask-for-new")]
pub async fn ask_for_new_passkey(
    password: String,
    #[server(default)] code: String,
    #[server(default)] passkey: String,
) -> Result<String, AppError> {
    use crate::ssr::{answer, caller, session_id, sure};

    answer(
        async {
            let caller = caller().await?;
            let sure = sure(password, &code, &passkey);
            Ok(caller.portal.ask_for_new_passkey(caller.actor.owner()?, &session_id()?, sure).await?)
        }
        .await,
    )
}

/// Adds a passkey that the browser has made.
#[server(endpoint = "account/passkeys/add")]
pub async fn add_passkey(name: String, made: String) -> Result<(), AppError> {
    use crate::ssr::{answer, caller, session_id};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.add_passkey(caller.actor.owner()?, &session_id()?, &name, &made).await?;
            Ok(())
        }
        .await,
    )
}

/// Removes one of one's passkeys.
#[server(endpoint = "account/passkeys/remove")]
pub async fn remove_passkey(
    id: String,
    password: String,
    #[server(default)] code: String,
    #[server(default)] passkey: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, session_id, sure};

    answer(
        async {
            let caller = caller().await?;
            let sure = sure(password, &code, &passkey);
            caller.portal.remove_passkey(caller.actor.owner()?, &session_id()?, &id, sure).await?;
            back_to("/account?changed=removed");
            Ok(())
        }
        .await,
    )
}

/// Ends one of one's own sessions.
#[server(endpoint = "account/sessions/end")]
pub async fn end_session(session: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.end_session(caller.actor.owner()?, &session).await?;
            back_to("/account#sessions");
            Ok(())
        }
        .await,
    )
}

/// Ends all of one's own sessions but the one that asks.
#[server(endpoint = "account/sessions/end-others")]
pub async fn end_other_sessions() -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, session_id};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.end_other_sessions(caller.actor.owner()?, &session_id()?).await?;
            back_to("/account#sessions");
            Ok(())
        }
        .await,
    )
}

/// Makes a token for scripts, which holds for some days. Its role is one that a token may have, or `suggest` for one that tells of alerts
/// and does nothing else. The page of the account shows it once.
#[server(endpoint = "account/tokens/make")]
pub async fn make_token(
    name: String,
    role: String,
    days: u32,
    password: String,
    #[server(default)] code: String,
    #[server(default)] passkey: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, session_id, sure, token_named};

    answer(
        async {
            let caller = caller().await?;
            let (scope, role) = token_named(&role)?;
            let new = portal::NewToken { name, role, scope, days };
            let sure = sure(password, &code, &passkey);
            caller.portal.make_token(caller.actor.owner()?, &session_id()?, new, sure).await?;
            back_to("/account?changed=token");
            Ok(())
        }
        .await,
    )
}

/// Ends one of one's own tokens.
#[server(endpoint = "account/tokens/end")]
pub async fn end_token(token: TokenId) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.end_token(caller.actor.owner()?, &token).await?;
            back_to("/account#tokens");
            Ok(())
        }
        .await,
    )
}

/// Where mail reaches oneself.
#[server(name = AskOwnMail, endpoint = "pages/own-mail")]
pub async fn own_mail() -> Result<OwnMail, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.own_mail(caller.actor.owner()?).await?)
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
            caller.portal.set_own_mail(caller.actor.owner()?, &mail).await?;
            back_to("/account");
            Ok(())
        }
        .await,
    )
}
