//! People and their roles.

use domain::PersonId;
use leptos::server;

use crate::AppError;

/// Makes an account.
#[server(endpoint = "people/create")]
pub async fn create_person(
    login: String,
    name: String,
    role: String,
    password: String,
    #[server(default)] mail: String,
    #[server(default)] groups: String,
) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, groups_named, role_named};

    answer(
        async {
            let caller = caller().await?;
            let (role, groups) = (role_named(&role)?, groups_named(&groups)?);
            let person = portal::NewPerson { login, name, role, password, mail, groups };
            caller.portal.create_person(caller.actor.administrator()?, person).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}

/// Gives a person another role.
#[server(endpoint = "people/role")]
pub async fn set_role(person: PersonId, role: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, role_named};

    answer(
        async {
            let caller = caller().await?;
            let role = role_named(&role)?;
            caller.portal.set_role(caller.actor.administrator()?, &person, role).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}

/// Puts a person into groups: names with commas between them; empty: into none.
#[server(endpoint = "people/groups")]
pub async fn set_groups(person: PersonId, #[server(default)] groups: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, groups_named};

    answer(
        async {
            let caller = caller().await?;
            let groups = groups_named(&groups)?;
            caller.portal.set_groups(caller.actor.administrator()?, &person, &groups).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}

/// Keeps a person out. Their sessions and their tokens end.
#[server(endpoint = "people/disable")]
pub async fn disable_person(person: PersonId) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            let proof = caller.actor.administrator()?;
            caller.portal.set_standing(proof, &person, portal::Standing::Disabled).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}

/// Lets a person in again.
#[server(endpoint = "people/enable")]
pub async fn enable_person(person: PersonId) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            let proof = caller.actor.administrator()?;
            caller.portal.set_standing(proof, &person, portal::Standing::Enabled).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}

/// Ends all sessions of a person.
#[server(endpoint = "people/end-sessions")]
pub async fn end_sessions_of(person: PersonId) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.end_sessions_of(caller.actor.administrator()?, &person).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}

/// Ends all tokens of a person.
#[server(endpoint = "people/end-tokens")]
pub async fn end_tokens_of(person: PersonId) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.end_tokens_of(caller.actor.administrator()?, &person).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}

/// Says where mail reaches a person; empty: nowhere.
#[server(endpoint = "people/mail")]
pub async fn set_mail(person: PersonId, mail: String) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller};

    answer(
        async {
            let caller = caller().await?;
            caller.portal.set_mail(caller.actor.administrator()?, &person, &mail).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}

/// Makes the code by which somebody whom the proxy names sets their first second factor up. The page of people shows it once.
#[server(endpoint = "people/enrolment-code")]
pub async fn give_enrolment_code(person: PersonId) -> Result<(), AppError> {
    use crate::ssr::{answer, back_to, caller, session_id};

    answer(
        async {
            let caller = caller().await?;
            let proof = caller.actor.administrator()?;
            caller.portal.show_enrolment_code(proof, &session_id()?, &person).await?;
            back_to("/people");
            Ok(())
        }
        .await,
    )
}
