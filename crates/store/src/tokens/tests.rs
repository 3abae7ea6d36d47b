use domain::policy::{Role, Scope};
use testkit::{NOW, person};

use super::*;
use crate::tests::{account, store};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn olga() -> Actor {
    person("olga", Role::Lead)
}

fn token(id: &str, role: Role) -> TokenInfo {
    TokenInfo {
        id: id.into(),
        name: format!("the script {id}"),
        role,
        scope: Scope::Role,
        made: NOW,
        expires: NOW.plus(HOUR),
        used: None,
        address: String::new(),
    }
}

/// A database in which Olga has the tokens `reads` and `works`, whose texts are `rbp_reads` and `rbp_works`.
async fn with_tokens() -> (Store, tempfile::TempDir) {
    let (store, folder) = store().await;
    account(&store, &olga()).await;
    let mut write = store.begin().await.unwrap();
    for (id, role) in [("reads", Role::Viewer), ("works", Role::Operator)] {
        write.insert_token(&olga().id, &token(id, role), &format!("rbp_{id}")).await.unwrap();
    }
    write.commit().await.unwrap();
    (store, folder)
}

/// The role with which a text lets a script in at a moment.
async fn role(store: &Store, text: &str, now: Timestamp) -> Option<Role> {
    store.token(text, now).await.unwrap().map(|holder| holder.actor.role)
}

#[tokio::test]
async fn a_token_lets_a_script_in_by_its_text_which_is_not_stored() {
    let (store, _folder) = with_tokens().await;

    let holder = store.token("rbp_works", NOW).await.unwrap().unwrap();

    let named = Token { id: "works".into(), name: "the script works".to_owned(), scope: Scope::Role };
    assert_eq!(holder, TokenHolder { actor: olga().by_token(named, Role::Operator), used: None });
    assert_eq!(store.token_named(&"works".into(), NOW).await.unwrap(), Some(holder));
    assert_eq!(store.token_named(&"other".into(), NOW).await.unwrap(), None);
    let stored: Vec<String> = sqlx::query_scalar("SELECT hash FROM tokens").fetch_all(&store.readers).await.unwrap();
    assert!(stored.iter().all(|hash| hash.len() == 64), "{stored:?}");
    for text in ["rbp_other", "", "works", "' OR '1' = '1", &stored[0]] {
        assert_eq!(role(&store, text, NOW).await, None, "{text}");
    }
}

#[tokio::test]
async fn a_script_has_the_lower_of_the_roles_of_token_and_person_at_every_moment() {
    let (store, _folder) = with_tokens().await;
    let set = async |role| {
        let mut write = store.begin().await.unwrap();
        write.set_role(&olga().id, role).await.unwrap();
        write.commit().await.unwrap();
    };
    assert_eq!(role(&store, "rbp_reads", NOW).await, Some(Role::Viewer));
    assert_eq!(role(&store, "rbp_works", NOW).await, Some(Role::Operator));

    set(Role::Viewer).await;
    assert_eq!(role(&store, "rbp_works", NOW).await, Some(Role::Viewer));

    set(Role::Administrator).await;
    assert_eq!(role(&store, "rbp_works", NOW).await, Some(Role::Operator));
}

#[tokio::test]
async fn a_token_lets_nobody_in_once_it_has_expired_or_its_person_is_disabled() {
    let (store, _folder) = with_tokens().await;

    assert_eq!(role(&store, "rbp_works", NOW.plus(HOUR - 1)).await, Some(Role::Operator));
    assert_eq!(role(&store, "rbp_works", NOW.plus(HOUR)).await, None);
    assert_eq!(store.token_named(&"works".into(), NOW.plus(HOUR)).await.unwrap(), None);
    assert!(store.tokens_of(&olga().id, NOW.plus(HOUR)).await.unwrap().is_empty());

    let mut write = store.begin().await.unwrap();
    write.set_enabled(&olga().id, false).await.unwrap();
    write.commit().await.unwrap();
    assert_eq!(role(&store, "rbp_works", NOW).await, None);
    assert_eq!(store.token_named(&"works".into(), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_person_ends_their_own_tokens_one_by_one_or_all_together() {
    let (store, _folder) = with_tokens().await;
    account(&store, &person("otto", Role::Operator)).await;
    let (otto, works) = ("otto".into(), "works".into());
    let mut write = store.begin().await.unwrap();

    assert_eq!(write.end_token(&otto, &works, NOW).await.unwrap(), None, "not somebody else's");
    assert_eq!(write.end_token(&olga().id, &works, NOW.plus(HOUR)).await.unwrap(), None, "it has expired by then");
    assert_eq!(write.end_token(&olga().id, &works, NOW).await.unwrap(), Some(token("works", Role::Operator)));
    assert_eq!(write.end_token(&olga().id, &works, NOW).await.unwrap(), None, "it has ended");
    assert!(write.end_tokens(&otto, NOW).await.unwrap().is_empty());
    assert_eq!(write.tokens_of(&olga().id, NOW).await.unwrap(), [token("reads", Role::Viewer)]);
    write.commit().await.unwrap();
    assert_eq!(role(&store, "rbp_works", NOW).await, None);

    let mut write = store.begin().await.unwrap();
    assert_eq!(write.end_tokens(&olga().id, NOW).await.unwrap(), [token("reads", Role::Viewer)]);
    write.commit().await.unwrap();
    assert_eq!(role(&store, "rbp_reads", NOW).await, None);
}

#[tokio::test]
async fn a_token_for_suggesting_is_one_whatever_becomes_of_its_person() {
    let (store, _folder) = with_tokens().await;
    let mut write = store.begin().await.unwrap();
    let alerts = TokenInfo { scope: Scope::Suggest, ..token("alerts", Role::Operator) };
    write.insert_token(&olga().id, &alerts, "rbp_alerts").await.unwrap();
    write.set_role(&olga().id, Role::Administrator).await.unwrap();
    write.commit().await.unwrap();

    let holder = store.token("rbp_alerts", NOW).await.unwrap().unwrap();

    assert_eq!(holder.actor.token.as_ref().map(|token| token.scope), Some(Scope::Suggest));
    assert!(holder.actor.suggester().is_ok() && holder.actor.viewer().is_err());
    assert!(store.tokens_of(&olga().id, NOW).await.unwrap().contains(&alerts));
}

#[tokio::test]
async fn no_two_tokens_share_a_name_for_the_record_or_a_text() {
    let (store, _folder) = with_tokens().await;
    let mut write = store.begin().await.unwrap();

    let same_id = write.insert_token(&olga().id, &token("works", Role::Viewer), "rbp_new").await.unwrap_err();
    let same_text = write.insert_token(&olga().id, &token("new", Role::Viewer), "rbp_works").await.unwrap_err();
    let too_much = write.insert_token(&olga().id, &token("leads", Role::Lead), "rbp_leads").await.unwrap_err();

    assert!(matches!((same_id, same_text), (Error::Taken, Error::Taken)));
    assert!(!matches!(too_much, Error::Taken), "the table itself takes no such role: {too_much:?}");
}

#[tokio::test]
async fn the_last_use_of_a_token_is_kept_unless_one_was_kept_lately() {
    let (store, _folder) = with_tokens().await;
    let works = "works".into();
    let uses = async |now: Timestamp, address: &str| {
        let mut write = store.begin().await.unwrap();
        let kept = write.token_used(&works, now, address, now.minus(MINUTE)).await.unwrap();
        write.commit().await.unwrap();
        kept
    };

    assert!(uses(NOW, "10.0.0.7").await);
    assert!(!uses(NOW.plus(MINUTE - 1), "10.0.0.8").await);
    assert!(uses(NOW.plus(MINUTE), "10.0.0.9").await);

    let listed = store.tokens_of(&olga().id, NOW).await.unwrap();
    let told: Vec<_> = listed.iter().map(|token| (&*token.id.0, token.used, &*token.address)).collect();
    assert_eq!(told, [("reads", None, ""), ("works", Some(NOW.plus(MINUTE)), "10.0.0.9")]);
    assert_eq!(store.token("rbp_works", NOW).await.unwrap().unwrap().used, Some(NOW.plus(MINUTE)));
    let counted = store.people(NOW).await.unwrap().iter().map(|row| row.tokens).collect::<Vec<_>>();
    assert_eq!(counted, [2]);
    assert_eq!(store.people(NOW.plus(HOUR)).await.unwrap()[0].tokens, 0);
}

#[tokio::test]
async fn expired_tokens_are_swept_away_with_the_sessions() {
    let (store, _folder) = with_tokens().await;

    let mut write = store.begin().await.unwrap();
    write.sweep_sessions(NOW.plus(HOUR)).await.unwrap();
    write.commit().await.unwrap();

    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM tokens").fetch_one(&store.readers).await.unwrap();
    assert_eq!(left, 0);
}
