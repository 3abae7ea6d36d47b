//! The second factor in a form: a field for a code, and a button for whoever has a passkey.

use domain::factor::Factors;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::{Element, HtmlElement, HtmlFormElement, HtmlInputElement};

use super::command_text::visible;
use super::glyph::{Glyph, Sign};
use crate::api::account::ask_for_passkey;
use crate::passkey;

/// Asks for a second factor: the fields `code` and `passkey` of the form around it. The button of the passkey sends that form.
///
/// Nothing is asked for where the person has none. `id` tells several forms of one page apart.
#[component]
pub fn FactorFields(
    factors: Factors,
    #[prop(into)] id: String,
    /// The buttons of the passkey, where the form decides between several things: what each says, and the value of the form's own
    /// button (its `data-proven`) that it presses.
    #[prop(optional)]
    with_passkey: Vec<(String, &'static str)>,
) -> impl IntoView {
    let by_code = factors.authenticator.then(|| {
        view! {
            <CodeField
                id=format!("code-{id}")
                name="code"
                label="Code of your second factor"
                help="The six digits of your authenticator app, or a recovery code."
                required=factors.passkeys == 0
                autocomplete="one-time-code"
            />
        }
    });
    let buttons = if with_passkey.is_empty() { vec![("Go on with a passkey".to_owned(), "")] } else { with_passkey };
    let by_passkey = (factors.passkeys > 0).then(|| view! { <PasskeyButtons buttons /> });
    view! {
        {by_code}
        {by_passkey}
    }
    .into_any()
}

/// A field for a code that is copied from elsewhere as it stands, with what it is below.
#[component]
pub fn CodeField(
    id: String,
    name: &'static str,
    label: &'static str,
    help: &'static str,
    required: bool,
    /// What the browser may fill in, by the word of HTML for it.
    autocomplete: &'static str,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class="input"
                data-mono=""
                id=id
                name=name
                required=required
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
            />
            <span class="help">{help}</span>
        </div>
    }
    .into_any()
}

/// Lets a passkey answer, and then sends the form around the button with the answer in it.
#[component]
fn PasskeyButtons(buttons: Vec<(String, &'static str)>) -> impl IntoView {
    let problem = RwSignal::new(None::<String>);
    let pressed = move |event: MouseEvent, proven: &'static str| {
        let Some(form) = form_of(&event) else { return };
        // What else the form asks for comes first: an answer serves once.
        if !form.report_validity() {
            return;
        }
        problem.set(None);
        spawn_local(async move {
            match answer().await {
                Ok(answer) => send(&form, &answer, proven),
                Err(sentence) => _ = problem.try_set(Some(sentence)),
            }
        });
    };
    let buttons = buttons
        .into_iter()
        .map(|(words, proven)| {
            view! {
                <button class="btn" type="button" on:click=move |event| pressed(event, proven)>
                    {visible(words)}
                </button>
            }
        })
        .collect_view();
    view! {
        <div class="field needs-scripts">
            <input type="hidden" name="passkey" value="" />
            <div class="actions">{buttons}</div>
            <div role="alert">
                {move || {
                    problem
                        .get()
                        .map(|sentence| {
                            view! {
                                <span class="error">
                                    <Glyph sign=Sign::Warning />
                                    {sentence}
                                </span>
                            }
                        })
                }}
            </div>
        </div>
    }
    .into_any()
}

async fn answer() -> Result<String, String> {
    if !passkey::known_here() {
        return Err("This browser is too old for passkeys here. Nothing was done; use a code.".to_owned());
    }
    let question = ask_for_passkey().await.map_err(|error| error.to_string())?;
    passkey::prove(&question).await.ok_or_else(|| "The passkey did not answer. Nothing was done; try again.".to_owned())
}

fn form_of(event: &MouseEvent) -> Option<HtmlFormElement> {
    let button: Element = event.target()?.dyn_into().ok()?;
    button.closest("form").ok().flatten()?.dyn_into().ok()
}

fn send(form: &HtmlFormElement, answer: &str, proven: &str) {
    let field = form.query_selector("input[name=passkey]").ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) {
        field.set_value(answer);
        let button = form.query_selector(&format!("button[data-proven='{proven}']")).ok().flatten();
        let button = button.and_then(|button| button.dyn_into::<HtmlElement>().ok());
        // A form that is not sent any more has gone away with its page.
        drop(form.request_submit_with_submitter(button.as_ref()));
        field.set_value("");
    }
}
