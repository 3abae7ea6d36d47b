//! What pages show: one function per page.

use domain::view::{
    AccountView, DeliveriesView, DocumentsView, HistoryFilter, HistoryView, HomeView, PeopleView, ProcedureView,
    RunView, SearchView,
};
use domain::{RunId, Slug, SuggestionId};
use leptos::server;

use crate::AppError;

/// The start page.
#[server(endpoint = "pages/home")]
pub async fn home() -> Result<HomeView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.home(caller.actor.viewer()?).await?)
        }
        .await,
    )
}

/// What the search knows.
#[server(endpoint = "pages/search")]
pub async fn search() -> Result<SearchView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.search(caller.actor.viewer()?).await?)
        }
        .await,
    )
}

/// The page of a procedure; with the number of a suggestion also what that fills in its form.
#[server(endpoint = "pages/procedure")]
pub async fn procedure(
    slug: Slug,
    #[server(default)] suggestion: Option<SuggestionId>,
) -> Result<ProcedureView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            let viewer = caller.actor.viewer()?;
            let view = caller.portal.procedure(viewer, &slug).await?;
            let prefill = match suggestion {
                Some(id) => caller.portal.prefill(viewer, &slug, id).await?,
                None => None,
            };
            Ok(ProcedureView { prefill, ..view })
        }
        .await,
    )
}

/// The page of a run, with the output of one attempt: from a byte when one is named, else its tail.
#[server(name = AskRun, endpoint = "pages/run")]
pub async fn run(run: RunId, step: Option<u32>, attempt: Option<u32>, from: Option<u64>) -> Result<RunView, AppError> {
    use crate::live::opens_on;
    use crate::ssr::{answer, caller, redaction_to_decide};
    use domain::AttemptId;

    answer(
        async {
            let caller = caller().await?;
            let viewer = caller.actor.viewer()?;
            let mut view = caller.portal.run(viewer, run, None).await?;
            let (step, attempt) = opens_on(&view.run, step, attempt);
            let id = AttemptId { run, step, attempt };
            view.log = match attempt {
                0 => None,
                _ => Some(caller.portal.log(viewer, id, from.unwrap_or(u64::MAX)).await?),
            };
            view.redaction = redaction_to_decide(&caller, &view.run, id).await;
            Ok(view)
        }
        .await,
    )
}

/// The history.
#[server(endpoint = "pages/history")]
pub async fn history(#[server(default)] filter: HistoryFilter) -> Result<HistoryView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.history(caller.actor.viewer()?, &filter).await?)
        }
        .await,
    )
}

/// The page of documents.
#[server(endpoint = "pages/documents")]
pub async fn documents() -> Result<DocumentsView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.documents_page(caller.actor.viewer()?).await?)
        }
        .await,
    )
}

/// The page of people.
#[server(endpoint = "pages/people")]
pub async fn people() -> Result<PeopleView, AppError> {
    use crate::ssr::{answer, caller, made_code, session_id};

    answer(
        async {
            let caller = caller().await?;
            let view = caller.portal.people(caller.actor.administrator()?).await?;
            Ok(PeopleView { made: made_code(&caller.portal, &session_id()?), ..view })
        }
        .await,
    )
}

/// The page of one's own account.
#[server(name = AskAccount, endpoint = "pages/account")]
pub async fn account() -> Result<AccountView, AppError> {
    use crate::ssr::{answer, caller, host_name, made_token, session_id};

    answer(
        async {
            let caller = caller().await?;
            let session = session_id()?;
            let view = caller.portal.account(caller.actor.owner()?, &session, &host_name()).await?;
            Ok(AccountView { made: made_token(&caller.portal, &session), ..view })
        }
        .await,
    )
}

/// What became of the notices to people.
#[server(endpoint = "pages/deliveries")]
pub async fn deliveries() -> Result<DeliveriesView, AppError> {
    use crate::ssr::{answer, caller};

    answer(
        async {
            let caller = caller().await?;
            Ok(caller.portal.deliveries(caller.actor.administrator()?).await?)
        }
        .await,
    )
}
