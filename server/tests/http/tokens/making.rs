//! Who makes a token, and what is shown and kept of it.

use axum::body::Body;
use domain::TokenId;
use domain::policy::{Role, Scope};
use domain::view::TokenInfo;
use http::header;

use super::{DAY, MAKE, MINUTE, REPORT, asks, id, staffed};
use crate::account::{code, done, password, refused, view, with_authenticator};
use crate::site::{ORIGIN, call};

#[tokio::test]
async fn a_token_is_shown_once_to_its_session_and_only_its_digest_is_stored() {
    let (site, _, _, olga) = staffed().await;
    let other = site.sign_in("olga").await;
    done(&site, MAKE, &format!("{REPORT}&password={}", password()), &olga).await;

    assert_eq!(view(&site, &other).await.made, None, "it is for the session in which it was made");
    let shown = view(&site, &olga).await;
    let token = shown.made.unwrap();
    assert_eq!(view(&site, &olga).await.made, None);

    assert!(token.text.starts_with("rbp_") && token.text.len() == 47, "{}", token.text);
    let told: Vec<_> = shown.tokens.iter().map(|token| (&*token.name, token.role, token.used)).collect();
    assert_eq!(told, [("nightly report", Role::Operator, None)]);
    assert_eq!(shown.tokens[0].expires, shown.tokens[0].made.plus(90 * DAY.unsigned_abs()));
    site.portal.close().await;
    site.portal.store().close().await;
    let bytes = std::fs::read(site.path("data/portal.db")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("token_made") && text.contains("nightly report"));
    assert!(!text.contains(&token.text) && !text.contains(&token.text[4..]));
}

#[tokio::test]
async fn without_scripts_a_token_is_made_by_a_form_and_shown_on_the_page_behind_it() {
    let (site, _, _, olga) = staffed().await;
    let form = format!("{REPORT}&password={}", password());
    let plain = call(MAKE)
        .header(header::ACCEPT, "text/html")
        .header(header::REFERER, format!("{ORIGIN}/account"))
        .header(header::COOKIE, &olga)
        .body(Body::from(form))
        .unwrap();

    let answer = site.send(plain).await;

    assert_eq!(answer.header("location"), "/account?changed=token");
    assert!(!answer.body.contains("rbp_"), "{}", answer.body);
    let page = site.get("/account?changed=token", &olga).await.body;
    let token = &page[page.find("rbp_").unwrap()..][..47];
    assert_eq!(asks(&site, token).await, Some(("Olga".to_owned(), Role::Operator)));
    assert!(page.contains("Token made") && page.contains("this once"), "{page}");
    let again = site.get("/account?changed=token", &olga).await.body;
    assert!(again.contains("nightly report") && !again.contains("rbp_"), "{again}");
}

#[tokio::test]
async fn a_token_takes_the_password_a_second_factor_as_soon_as_there_is_one_and_no_more_than_its_person_has() {
    let (site, clock, ada, olga) = staffed().await;
    let vera = site.person("vera", "Vera", "viewer", &ada).await;
    let with = |form: &str| format!("{form}&password={}", password());

    refused(&site, MAKE, &format!("{REPORT}&password=wrong"), &olga, "The present password is wrong").await;
    refused(&site, MAKE, &with("name=+&role=viewer&days=90"), &olga, "The name of a token has 1 to 64").await;
    for days in ["0", "366"] {
        let form = with(&format!("name=x&role=viewer&days={days}"));
        refused(&site, MAKE, &form, &olga, "A token holds for 1 to 365 days").await;
    }
    refused(&site, MAKE, &with("name=x&role=viewer&days=-1"), &olga, "The form was not understood").await;
    for role in ["lead", "administrator"] {
        let form = with(&format!("name=x&role={role}&days=1"));
        refused(&site, MAKE, &form, &ada, &format!("You cannot give a token the role {role}")).await;
    }
    refused(&site, MAKE, &with(REPORT), &vera, "You cannot give a token the role operator").await;
    assert!(view(&site, &olga).await.tokens.is_empty() && view(&site, &vera).await.tokens.is_empty());

    let (secret, _) = with_authenticator(&site, &olga).await;
    clock.advance(MINUTE);
    refused(&site, MAKE, &with(REPORT), &olga, "takes your second factor as well").await;
    refused(&site, MAKE, &with(&format!("{REPORT}&code=000000")), &olga, "The code is wrong").await;
    let proven = format!("{REPORT}&code={}", code(&site, &secret));
    done(&site, MAKE, &with(&proven), &olga).await;
    refused(&site, MAKE, &with(&proven), &olga, "The code is wrong, or was used already").await;
    assert_eq!(view(&site, &olga).await.tokens.len(), 1);
}

#[tokio::test]
async fn a_person_has_twenty_tokens_at_most() {
    let (site, _, _, olga) = staffed().await;
    let person = id(&site, "olga").await;
    let mut write = site.portal.store().begin().await.unwrap();
    for number in 0..20 {
        let now = site.portal.expiry_now();
        let token = TokenInfo {
            id: TokenId(number.to_string()),
            name: "one of many".to_owned(),
            role: Role::Viewer,
            scope: Scope::Role,
            made: now,
            expires: now.plus(DAY.unsigned_abs()),
            used: None,
            address: String::new(),
        };
        write.insert_token(&person, &token, &format!("rbp_{number}")).await.unwrap();
    }
    write.commit().await.unwrap();

    let form = format!("{REPORT}&password={}", password());
    refused(&site, MAKE, &form, &olga, "You have 20 tokens").await;

    done(&site, "/api/account/tokens/end", "token=7", &olga).await;
    done(&site, MAKE, &form, &olga).await;
}
