//! Passkeys in the browser: the questions and answers travel as the JSON that browsers read and write themselves.

use js_sys::{Function, JSON, Object, Promise, Reflect};
use leptos::prelude::window;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Whether this browser can read and write that JSON.
pub fn known_here() -> bool {
    interface().is_some_and(|interface| Reflect::has(&interface, &"parseRequestOptionsFromJSON".into()) == Ok(true))
}

/// Lets the browser make a passkey; `None` when its person, or the browser, did not want to.
pub async fn create(question: &str) -> Option<String> {
    ask("create", "parseCreationOptionsFromJSON", question).await.ok()
}

/// Lets a passkey prove its person; `None` when they, or the browser, did not want to.
pub async fn prove(question: &str) -> Option<String> {
    ask("get", "parseRequestOptionsFromJSON", question).await.ok()
}

async fn ask(method: &str, reader: &str, question: &str) -> Result<String, JsValue> {
    let interface = interface().ok_or(JsValue::NULL)?;
    let question = Reflect::get(&JSON::parse(question)?, &"publicKey".into())?;
    let read = called(&interface, reader, Some(&question))?;
    let options = Object::new();
    Reflect::set(&options, &"publicKey".into(), &read)?;
    let credentials = Reflect::get(&window().navigator(), &"credentials".into())?;
    let answer = JsFuture::from(called(&credentials, method, Some(&options))?.dyn_into::<Promise>()?).await?;
    let written = called(&answer, "toJSON", None)?;
    JSON::stringify(&written).map(String::from)
}

fn interface() -> Option<JsValue> {
    Reflect::get(&window(), &"PublicKeyCredential".into()).ok().filter(JsValue::is_truthy)
}

/// Calls a method of an object.
fn called(object: &JsValue, method: &str, argument: Option<&JsValue>) -> Result<JsValue, JsValue> {
    let method: Function = Reflect::get(object, &method.into())?.dyn_into()?;
    match argument {
        Some(argument) => method.call1(object, argument),
        None => method.call0(object),
    }
}
