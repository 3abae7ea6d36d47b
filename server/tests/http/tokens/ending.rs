//! Who ends a token, and what ends with it.

use axum::body::Body;
use futures::StreamExt as _;
use http::{Method, StatusCode};

use super::{REPORT, RUN, asks, id, made, script, staffed};
use crate::account::{done, post, view};
use crate::site::{AT_ONCE, Served, WATCH, is_over};

/// Opens the stream of run 1 by a token, does something, and says whether the stream is over within two seconds.
async fn ends_after(site: &Served, token: &str, deed: impl Future<Output = ()>) -> bool {
    let request = script(Method::POST, "/api/runs/watch", token).body(Body::from(WATCH.replace("RUN", "1"))).unwrap();
    let mut frames = site.stream(request).await;
    assert!(frames.next().await.is_some(), "the stream has begun");
    deed.await;
    is_over(&mut frames, AT_ONCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_ends_at_once_with_its_token() {
    let (site, _, ada, olga) = staffed().await;
    assert_eq!(post(&site, "/api/runs/start", RUN, &ada).await.status, StatusCode::OK);
    let person = format!("person={}", id(&site, "olga").await);

    let token = made(&site, REPORT, &olga).await;
    let other = made(&site, "name=other&role=viewer&days=1", &olga).await;
    let named =
        async |name: &str| view(&site, &olga).await.tokens.into_iter().find(|token| token.name == name).unwrap().id;
    let end_other = format!("token={}", named("other").await);
    let end = async { done(&site, "/api/account/tokens/end", &end_other, &olga).await };
    assert!(!ends_after(&site, &token, end).await, "another token of the same person was ended");
    assert_eq!(asks(&site, &other).await, None);
    let end_this = format!("token={}", named("nightly report").await);
    let end = async { done(&site, "/api/account/tokens/end", &end_this, &olga).await };
    assert!(ends_after(&site, &token, end).await, "it was ended");

    let token = made(&site, REPORT, &olga).await;
    let end = async { done(&site, "/api/people/end-tokens", &person, &ada).await };
    assert!(ends_after(&site, &token, end).await, "an administrator ended it");

    let token = made(&site, REPORT, &olga).await;
    let demote = async { done(&site, "/api/people/role", &format!("{person}&role=viewer"), &ada).await };
    assert!(ends_after(&site, &token, demote).await, "it may do less");
    let promote = async { done(&site, "/api/people/role", &format!("{person}&role=lead"), &ada).await };
    assert!(!ends_after(&site, &token, promote).await, "it may do more");

    let disable = async { done(&site, "/api/people/disable", &person, &ada).await };
    assert!(ends_after(&site, &token, disable).await, "its person was disabled");
    done(&site, "/api/people/enable", &person, &ada).await;
    assert_eq!(asks(&site, &token).await, None, "it does not come back with the account");
}

#[tokio::test]
async fn an_administrator_alone_ends_the_tokens_of_others_and_the_record_names_each() {
    let (site, _, ada, olga) = staffed().await;
    let lena = site.person("lena", "Lena", "lead", &ada).await;
    let tokens = [made(&site, REPORT, &olga).await, made(&site, "name=deploys&role=viewer&days=7", &olga).await];
    let ids = view(&site, &olga).await.tokens;
    let form = format!("person={}", id(&site, "olga").await);

    let theirs = post(&site, "/api/account/tokens/end", &format!("token={}", ids[0].id), &lena).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND, "somebody else's is not there");
    assert_eq!(post(&site, "/api/people/end-tokens", &form, &lena).await.status, StatusCode::FORBIDDEN);
    assert!(asks(&site, &tokens[0]).await.is_some());
    assert!(site.get("/people", &ada).await.body.contains("End 2 tokens of Olga"));
    done(&site, "/api/people/end-tokens", &form, &ada).await;

    assert_eq!((asks(&site, &tokens[0]).await, asks(&site, &tokens[1]).await), (None, None));
    let audit = site.get("/audit?of=portal", &ada).await.body;
    for words in ["token made", "token ended", "nightly report", "deploys", "Olga", &ids[0].expires.iso()] {
        assert!(audit.contains(words), "{words}: {audit}");
    }
    assert_eq!(audit.matches("token ended").count(), 2, "{audit}");
    assert!(!audit.contains("rbp_"), "{audit}");
}
