//! Where mail reaches the person who looks: shown, and changed.

use domain::view::OwnMail;
use leptos::prelude::*;

use super::action_form::ActionForm;
use crate::api::account::SetOwnMail;
use crate::components::problem::Refused;

/// The form on one's account page.
#[component]
pub fn MailForm(own: OwnMail, change: ServerAction<SetOwnMail>) -> impl IntoView {
    let problem = Signal::derive(move || change.value().get().and_then(Result::err).map(|error| error.to_string()));
    let standing = match (&own.address, own.sends) {
        (_, false) => "This portal sends no mail. An administrator can switch it on in the configuration.",
        (None, true) => "No mail goes to you: there is no address. Requests wait for you on the page in any case.",
        (Some(_), true) => {
            "Mail goes there when a request waits for you, and when yours is decided. An empty field stops it."
        }
    };
    view! {
        <Refused problem />
        <ActionForm action=change attr:class="panel" attr:data-box="">
            <header>
                <h2>"Mail"</h2>
            </header>
            <div class="field">
                <label for="mail">"Mail address"</label>
                <input
                    class="input"
                    id="mail"
                    name="mail"
                    type="email"
                    autocomplete="email"
                    value=own.address.unwrap_or_default()
                    aria-describedby="mail-help"
                />
                <span class="help" id="mail-help">
                    {standing}
                </span>
            </div>
            <div class="actions">
                <button class="btn" type="submit" disabled=change.pending()>
                    "Set mail address"
                </button>
            </div>
        </ActionForm>
    }
    .into_any()
}
