//! Who is signed in.

use domain::view::{Session, Welcome};
use leptos::server;

use crate::AppError;

/// The signed-in person, the build of the portal and its time.
#[server(name = AskSession, endpoint = "session")]
pub async fn session() -> Result<Session, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.actor.viewer()?;
            Ok(Session { build: caller.portal.build().to_owned(), now: caller.portal.now(), actor: caller.actor })
        }
        .await,
    )
}

/// What a stranger may know.
#[server(name = AskWelcome, endpoint = "welcome")]
pub async fn welcome() -> Result<Welcome, AppError> {
    use crate::ssr::{Ways, answer, cookie_problem, portal, ways};

    answer(
        async {
            let Ways { provider, named, sign_out } = ways();
            let fresh = portal()?.welcome().await?;
            Ok(Welcome { fresh, cookie_problem: cookie_problem(), provider, named, sign_out })
        }
        .await,
    )
}

/// Signs a person in and sends them to the page that they wanted.
#[server(endpoint = "sign-in")]
pub async fn sign_in(login: String, password: String, #[server(default)] next: String) -> Result<(), AppError> {
    use crate::ssr::{self, answer, go_to, portal};

    answer(
        async {
            let (actor, device) = portal()?.sign_in(&login, &password, &ssr::knock()).await?;
            ssr::sign_in(&actor).await?;
            ssr::remember_device(&device);
            go_to(&next);
            Ok(())
        }
        .await,
    )
}

/// Ends the session.
#[server(endpoint = "sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    use crate::ssr::{self, answer, caller, go_to_sign_in};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.signed_out(caller.actor.owner()?).await?;
            ssr::sign_out().await?;
            go_to_sign_in();
            Ok(())
        }
        .await,
    )
}

/// Makes the first account, with the token that the portal printed on its console.
#[server(endpoint = "set-up")]
pub async fn set_up(token: String, login: String, name: String, password: String) -> Result<(), AppError> {
    use crate::ssr::{self, answer, go_to, portal};

    answer(
        async {
            let actor = portal()?.set_up(&token, &login, &name, &password).await?;
            ssr::sign_in(&actor).await?;
            go_to("/");
            Ok(())
        }
        .await,
    )
}
