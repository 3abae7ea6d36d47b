//! Where one is signed in.

use domain::view::SessionInfo;
use leptos::prelude::*;

use super::deeds::AccountDeeds;
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;

/// The sessions of an account, each of which can be ended.
#[component]
pub fn Sessions(sessions: Vec<SessionInfo>, deeds: AccountDeeds) -> impl IntoView {
    let several = sessions.len() > 1;
    let rows = sessions.into_iter().map(|session| view! { <OneSession session deeds /> }).collect_view();
    view! {
        <section class="panel" data-box="" aria-labelledby="sessions">
            <header>
                <h2 id="sessions">"Sessions"</h2>
            </header>
            <p class="soft">"Where you are signed in. End what is not yours, and change your password then."</p>
            <ul class="lines sessions">{rows}</ul>
            {several
                .then(|| {
                    view! {
                        <ActionForm action=deeds.end_others>
                            <button class="btn" type="submit" disabled=deeds.end_others.pending()>
                                "End all other sessions"
                            </button>
                        </ActionForm>
                    }
                })}
        </section>
    }
    .into_any()
}

#[component]
fn OneSession(session: SessionInfo, deeds: AccountDeeds) -> impl IntoView {
    let browser = session.browser();
    let label = format!("End session of {browser}");
    let end = if session.this {
        view! { <span class="quiet small">"this one"</span> }.into_any()
    } else {
        view! {
            <ActionForm action=deeds.end>
                <input type="hidden" name="session" value=session.id />
                <button class="btn" data-kind="quiet" type="submit" aria-label=label>
                    "End session"
                </button>
            </ActionForm>
        }
        .into_any()
    };
    let address = (!session.address.is_empty()).then(|| view! { <span>"from "{session.address}</span> });
    view! {
        <li>
            <div>
                <span class="name">{browser}</span>
                {end}
                <span class="sub">
                    <span>"begun "<Ago at=session.begun /></span>
                    <span>"last seen "<Ago at=session.seen /></span>
                    {address}
                </span>
            </div>
        </li>
    }
    .into_any()
}
