//! People at a portal: their accounts, their second factors, and their deeds that have to succeed.

use serde_json::Value;
use ureq::Body;
use ureq::http::{Response, StatusCode};

use crate::browser::{Browser, PASSWORD, text};

/// What was answered to something that was done.
pub fn done(response: Response<Body>) -> String {
    let status = response.status();
    let body = text(response);
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

/// Makes an account; gives its id.
pub fn account(administrator: &mut Browser, login: &str, role: &str) -> String {
    let form = [("login", login), ("name", login), ("role", role), ("password", PASSWORD)];
    done(administrator.call("people/create", &form));
    let people: Value = serde_json::from_str(&done(administrator.call("pages/people", &[]))).unwrap();
    let person = people["people"].as_array().unwrap().iter().find(|person| person["login"] == login).unwrap();
    person["id"].as_str().unwrap().to_owned()
}

/// Sets an authenticator app up: the recovery codes, each of which proves its owner once.
pub fn second_factor(person: &mut Browser) -> Vec<String> {
    done(person.call("account/authenticator/offer", &[("password", PASSWORD)]));
    let view: Value = serde_json::from_str(&done(person.call("pages/account", &[]))).unwrap();
    let secret = view["offer"]["secret"].as_str().unwrap().replace(' ', "");
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap().as_bytes().to_vec();
    let seconds = u64::try_from(view["now"].as_i64().unwrap() / 1000).unwrap();
    let code = totp_rs::Builder::new().with_secret(secret).build_noncompliant().generate(seconds).to_string();
    done(person.call("account/authenticator/switch-on", &[("code", &code)]));
    let codes = view["offer"]["recovery_codes"].as_array().unwrap().iter();
    codes.map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// Makes a token for scripts of an operator; gives its text.
pub fn token(person: &mut Browser) -> String {
    let form = [("name", "nightly"), ("role", "operator"), ("days", "1"), ("password", PASSWORD)];
    done(person.call("account/tokens/make", &form));
    let view: Value = serde_json::from_str(&done(person.call("pages/account", &[]))).unwrap();
    view["made"]["text"].as_str().unwrap().to_owned()
}
