use std::sync::Arc;

use domain::plan::PlanTarget;
use domain::policy::{Actor, Owner};
use testkit::FixedClock;

use super::*;
use crate::{SecretSources, Settings, Sure, TargetSettings};

const PASSWORD: &str = "four quiet otters swim";
const SESSION: &str = "this session";
const MINUTE: i64 = 60_000;

/// A portal with one person, by a clock that stands still.
pub(crate) struct Desk {
    pub(crate) portal: Portal,
    ada: Actor,
    pub(crate) clock: Arc<FixedClock>,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn open() -> Self {
        Self::with(crate::Channels::default()).await
    }

    /// The same with ways by which people are told.
    pub(crate) async fn with(channels: crate::Channels) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::default());
        std::fs::create_dir(folder.path().join("runbooks")).unwrap();
        let plan = PlanTarget {
            name: "local".to_owned(),
            reach: domain::target::Reach::Local,
            production: false,
            interpreter: vec!["/bin/sh".to_owned()],
            environment: Vec::new(),
        };
        let settings = Settings {
            data: folder.path().join("data"),
            runbooks: folder.path().join("runbooks"),
            shim: "/bin/false".into(),
            targets: vec![TargetSettings {
                plan,
                about: String::new(),
                directory: "/".to_owned(),
                mask_files: Vec::new(),
            }],
            approvals: domain::approval::ApprovalRules::DEFAULT,
            lowerings: Vec::new(),
            secrets: SecretSources::default(),
            public: None,
            map: domain::identity::IdentityMap::default(),
            channels,
            checkpoints: crate::CheckpointSettings::default(),
            build: "test".to_owned(),
            clock: clock.clone(),
        };
        let portal = Portal::open(settings).await.unwrap();
        let token = portal.set_up_token().await.unwrap().unwrap();
        let ada = portal.set_up(&token, "ada", "Ada", PASSWORD).await.unwrap();
        Self { portal, ada, clock, folder }
    }

    fn owner(&self) -> Owner<'_> {
        self.ada.owner().unwrap()
    }

    /// Sets an authenticator app up: its secret and the recovery codes.
    async fn with_authenticator(&self) -> (Vec<u8>, Vec<String>) {
        self.portal.offer_authenticator(self.owner(), SESSION, sure(None)).await.unwrap();
        let offer = self.portal.account(self.owner(), SESSION, "localhost").await.unwrap().offer.unwrap();
        let secret = totp_rs::Secret::try_from_base32(offer.secret.replace(' ', "")).unwrap().as_bytes().to_vec();
        self.portal.switch_on_authenticator(self.owner(), SESSION, &self.code(&secret)).await.unwrap();
        (secret, offer.recovery_codes)
    }

    /// What the app shows now.
    fn code(&self, secret: &[u8]) -> String {
        let seconds = u64::try_from(self.portal.now().0 / 1000).unwrap();
        totp_rs::Builder::new().with_secret(secret.to_vec()).build_noncompliant().generate(seconds).to_string()
    }

    /// A decision that is recorded: the time step moves on after each.
    async fn decide(&self, code: &str) -> Result<FactorKind, Error> {
        let guess = self.portal.guess(&self.ada.id, SESSION, typed(code)).await?;
        let mut write = self.portal.store().begin().await?;
        let kind = self.portal.prove(&mut write, guess).await?;
        write.commit().await?;
        Ok(kind)
    }
}

fn sure(proof: Option<Proof>) -> Sure {
    Sure { password: PASSWORD.to_owned(), proof }
}

fn typed(code: &str) -> Proof {
    Proof::Code { code: code.to_owned() }
}

fn sentence<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().sentence()
}

#[tokio::test]
async fn who_has_no_second_factor_is_told_so_and_decides_nothing() {
    let desk = Desk::open().await;

    let told = sentence(desk.decide("123456").await);

    assert_eq!(told, "You have no second factor yet. Nothing was decided; set one up on your account page.");
}

#[tokio::test]
async fn a_code_serves_one_decision() {
    let desk = Desk::open().await;
    let (secret, _) = desk.with_authenticator().await;

    let at_the_set_up = desk.code(&secret);
    assert!(sentence(desk.decide(&at_the_set_up).await).contains("used already"), "the set-up has used it");
    desk.clock.advance(MINUTE);
    let code = desk.code(&secret);
    assert_eq!(desk.decide(&code).await.unwrap(), FactorKind::Code);
    assert!(sentence(desk.decide(&code).await).contains("used already"));
    desk.clock.advance(-MINUTE / 2);
    assert!(desk.decide(&desk.code(&secret)).await.is_err(), "an earlier one is no later one");
}

#[tokio::test]
async fn a_decision_that_was_not_recorded_has_used_up_nothing() {
    let desk = Desk::open().await;
    let (secret, codes) = desk.with_authenticator().await;
    desk.clock.advance(MINUTE);

    for code in [desk.code(&secret), codes[0].clone()] {
        let guess = desk.portal.guess(&desk.ada.id, SESSION, typed(&code)).await.unwrap();
        let mut write = desk.portal.store().begin().await.unwrap();
        desk.portal.prove(&mut write, guess).await.unwrap();
        drop(write);

        assert!(desk.decide(&code).await.is_ok());
    }
}

#[tokio::test]
async fn a_recovery_code_serves_once() {
    let desk = Desk::open().await;
    let (_, codes) = desk.with_authenticator().await;

    assert_eq!(desk.decide(&codes[4]).await.unwrap(), FactorKind::RecoveryCode);
    assert!(desk.decide(&codes[4]).await.is_err());
    assert_eq!(desk.portal.factors(&desk.ada.id).await.unwrap().recovery_codes, 9);
}

#[tokio::test]
async fn after_five_wrong_codes_even_the_right_one_waits_and_the_sentence_says_until_when() {
    let desk = Desk::open().await;
    let (secret, _) = desk.with_authenticator().await;
    desk.clock.advance(MINUTE);
    let until = desk.portal.expiry_now().plus(WINDOW_MS);

    for _ in 0..FREE {
        assert!(sentence(desk.decide("000000").await).contains("wrong"));
    }
    let told = sentence(desk.decide(&desk.code(&secret)).await);

    assert!(told.contains("5 wrong tries"), "{told}");
    let latest = until.plus(5_000);
    let said = told.split("after ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
    assert!(said >= until.time_of_day() && said <= latest.time_of_day(), "{told}");
    desk.clock.advance(5 * MINUTE + 10_000);
    assert_eq!(desk.decide(&desk.code(&secret)).await.unwrap(), FactorKind::Code);
}

#[tokio::test]
async fn guesses_that_come_all_at_once_are_counted_like_guesses_in_a_row() {
    let desk = Desk::open().await;
    desk.with_authenticator().await;

    let guesses = (0..40).map(|_| desk.portal.guess(&desk.ada.id, SESSION, typed("000000")));
    let looked_at = futures::future::join_all(guesses).await.into_iter().flatten().count();

    assert_eq!(looked_at, FREE);
}

#[tokio::test]
async fn right_codes_do_not_count_as_wrong_ones() {
    let desk = Desk::open().await;
    let (secret, _) = desk.with_authenticator().await;

    for _ in 0..2 * FREE {
        desk.clock.advance(MINUTE / 2);
        assert!(desk.decide(&desk.code(&secret)).await.is_ok());
    }
}

#[tokio::test]
async fn what_a_copy_of_the_database_holds_makes_no_code() {
    let desk = Desk::open().await;
    let (secret, codes) = desk.with_authenticator().await;
    desk.portal.close().await;
    desk.portal.store().close().await;

    let bytes = std::fs::read(desk.folder.path().join("data/portal.db")).unwrap();

    let spelled = [hex::encode(&secret), serde_json::to_string(&secret).unwrap(), codes[0].clone()];
    let forms = spelled.iter().map(String::as_bytes).chain([&*secret]);
    for form in forms {
        assert!(!bytes.windows(form.len()).any(|window| window == form));
    }
}

#[tokio::test]
async fn the_present_password_and_the_present_factor_are_asked_for_at_every_change() {
    let desk = Desk::open().await;
    let wrong = Sure { password: "not this one, is it".to_owned(), proof: None };
    let told = sentence(desk.portal.offer_authenticator(desk.owner(), SESSION, wrong.clone()).await);
    assert_eq!(told, "The present password is wrong. Nothing was changed.");
    let (secret, codes) = desk.with_authenticator().await;
    desk.clock.advance(MINUTE);

    let told = sentence(desk.portal.remove_authenticator(desk.owner(), SESSION, wrong).await);
    assert!(told.contains("password is wrong"), "{told}");
    for missing in [None, Some(typed("000000")), Some(typed(""))] {
        assert!(desk.portal.offer_authenticator(desk.owner(), SESSION, sure(missing.clone())).await.is_err());
        assert!(desk.portal.remove_authenticator(desk.owner(), SESSION, sure(missing)).await.is_err());
    }
    assert!(desk.portal.factors(&desk.ada.id).await.unwrap().authenticator);
    desk.clock.advance(6 * MINUTE);
    let proof = Some(typed(&desk.code(&secret)));
    desk.portal.remove_authenticator(desk.owner(), SESSION, sure(proof)).await.unwrap();
    assert_eq!(desk.portal.factors(&desk.ada.id).await.unwrap(), Factors::default());
    assert!(sentence(desk.decide(&codes[0]).await).contains("no second factor"));
}

#[tokio::test]
async fn the_one_in_use_holds_until_the_new_one_has_shown_a_code() {
    let desk = Desk::open().await;
    let (old, old_codes) = desk.with_authenticator().await;
    desk.clock.advance(MINUTE);
    let proof = Some(typed(&desk.code(&old)));
    desk.portal.offer_authenticator(desk.owner(), SESSION, sure(proof)).await.unwrap();
    desk.clock.advance(MINUTE);

    assert!(desk.decide(&desk.code(&old)).await.is_ok());
    assert!(desk.portal.account(desk.owner(), "another session", "localhost").await.unwrap().offer.is_none());
    let told = sentence(desk.portal.switch_on_authenticator(desk.owner(), "another session", "000000").await);
    assert!(told.contains("is over"), "{told}");
    let told = sentence(desk.portal.switch_on_authenticator(desk.owner(), SESSION, "000000").await);
    assert!(told.contains("not the one of this secret"), "{told}");
    let offer = desk.portal.account(desk.owner(), SESSION, "localhost").await.unwrap().offer.unwrap();
    let new = totp_rs::Secret::try_from_base32(offer.secret.replace(' ', "")).unwrap().as_bytes().to_vec();
    desk.portal.switch_on_authenticator(desk.owner(), SESSION, &desk.code(&new)).await.unwrap();

    desk.clock.advance(MINUTE);
    assert!(desk.portal.account(desk.owner(), SESSION, "localhost").await.unwrap().offer.is_none(), "it is shown once");
    assert!(desk.decide(&desk.code(&old)).await.is_err());
    assert!(desk.decide(&old_codes[0]).await.is_err());
    assert!(desk.decide(&desk.code(&new)).await.is_ok());
}

#[tokio::test]
async fn what_is_shown_at_the_set_up_is_over_after_a_quarter_of_an_hour() {
    let desk = Desk::open().await;
    desk.portal.offer_authenticator(desk.owner(), SESSION, sure(None)).await.unwrap();
    assert!(desk.portal.account(desk.owner(), SESSION, "localhost").await.unwrap().offer.is_some());

    // What expires goes on with real time as well.
    desk.clock.advance(16 * MINUTE);

    assert!(desk.portal.account(desk.owner(), SESSION, "localhost").await.unwrap().offer.is_none());
}

#[tokio::test]
async fn the_present_password_cannot_be_guessed_at_for_ever() {
    let desk = Desk::open().await;
    for _ in 0..FREE {
        assert!(desk.portal.change_password(desk.owner(), "wrong", "grandfather clock pelican", None).await.is_err());
    }

    let told = sentence(desk.portal.change_password(desk.owner(), PASSWORD, "grandfather clock pelican", None).await);

    assert!(told.contains("5 wrong tries"), "{told}");
}
