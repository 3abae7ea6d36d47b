//! One's own account: password, second factor, sessions. Scripts have their tokens in [`crate::tokens`].
//!
//! What a thief of a session could use to stay takes more than the session: the present password, and a proof by the second
//! factor as soon as there is one. Otherwise the second factor would be worth no more than the password. Whom others vouch for has no
//! password: what stands for it is a sign-in at the provider a moment ago, or, for whom the proxy names, a code of [`crate::enrolment`].

use domain::PersonId;
use domain::factor::Proof;
use domain::identity::Source;
use domain::policy::{Actor, Owner};
use domain::run::{Refusal, Who};
use domain::view::{AccountView, PasskeyInfo, SessionInfo};
use serde_json::{Value, json};
use store::{StoredOffer, StoredPasskey, Tried, Write, fingerprint};
use webauthn_rs::prelude::Passkey;

use crate::factors::Draft;
use crate::people::{NAME_LIMIT, unknown_person};
use crate::{Error, Portal, passwords};

/// How long what is shown while an authenticator app is set up stays.
const OFFERED_MS: u64 = 15 * 60_000;

/// What a change of the second factor takes beside a session.
#[derive(Clone, Default)]
pub struct Sure {
    /// The present password, or the enrolment code where the proxy names the person and there is no second factor yet; else empty where
    /// others vouch for them.
    pub password: String,
    /// The proof by a second factor; needed as soon as there is one.
    pub proof: Option<Proof>,
}

impl std::fmt::Debug for Sure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sure").finish_non_exhaustive()
    }
}

impl Portal {
    /// The page of one's own account, as it is for one's session on a page of this host; but for the token that was just made in it,
    /// which is taken out by [`Self::take_made_token`].
    pub async fn account(&self, owner: Owner<'_>, session: &str, host: &str) -> Result<AccountView, Error> {
        let actor = owner.actor();
        let store = self.store();
        let this = fingerprint(session);
        let listed = store.sessions_of(&actor.id, self.expiry_now()).await?;
        let mut sessions: Vec<SessionInfo> = listed.into_iter().map(|listed| session_info(listed, &this)).collect();
        sessions.sort_by_key(|session| !session.this);
        Ok(AccountView {
            now: self.now(),
            factors: store.factors(&actor.id).await?,
            authenticator_since: store.authenticator_since(&actor.id).await?,
            offer: self.shown_offer(actor, session).await?,
            passkeys: store.passkeys(&actor.id).await?.into_iter().map(passkey_info).collect(),
            no_passkeys: self.passkeys().problem(host),
            sessions,
            tokens: store.tokens_of(&actor.id, self.expiry_now()).await?,
            made: None,
            groups: store.groups_of(&actor.id).await?,
            outside: self.outside(&actor.id, session).await?,
        })
    }

    /// Changes one's own password and ends one's other sessions.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the old password is wrong or the new one does not do.
    pub async fn change_password(
        &self,
        owner: Owner<'_>,
        old: &str,
        new: &str,
        keep: Option<&str>,
    ) -> Result<(), Error> {
        let actor = owner.actor();
        let known = self.store().credentials(&actor.id).await?.ok_or(Error::NotFound)?;
        if known.hash.is_none() {
            return Err(Error::Invalid(NO_PASSWORD.to_owned()));
        }
        self.present_password(actor, old).await?;
        passwords::judge(new, &known.login, &known.name)?;
        if old == new {
            return Err(Error::Invalid(
                "The new password is the present one. Nothing was changed; choose another.".to_owned(),
            ));
        }
        let hash = self.passwords().hash(new).await?;
        let mut write = self.store().begin().await?;
        write.set_password(&actor.id, &hash).await.map_err(unknown_person)?;
        write.end_sessions(&actor.id, keep).await?;
        self.finish_account(write, actor, "password_changed", json!({})).await?;
        self.tell_people_changed();
        Ok(())
    }

    /// Makes the secret of a new authenticator app, and shows it on the page of the account. It replaces the one in use once
    /// [`Self::switch_on_authenticator`] has seen a code of it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the password or the proof is wrong.
    pub async fn offer_authenticator(&self, owner: Owner<'_>, session: &str, sure: Sure) -> Result<(), Error> {
        let actor = owner.actor();
        let mut write = self.sure(actor, session, sure).await?;
        let draft = serde_json::to_vec(&Draft::new()).map_err(|_| Error::Broken("making a secret"))?;
        let sealed = self.vault().seal(&actor.id, &draft)?;
        let offer = StoredOffer { sealed, ends: self.expiry_now().plus(OFFERED_MS) };
        write.set_offer(&actor.id, session, &offer).await?;
        self.finish_account(write, actor, "authenticator_offered", json!({})).await
    }

    /// Puts away what is shown for a new authenticator app.
    pub async fn discard_offer(&self, owner: Owner<'_>) -> Result<(), Error> {
        let actor = owner.actor();
        let mut write = self.store().begin().await?;
        write.clear_offer(&actor.id).await?;
        self.finish_account(write, actor, "authenticator_discarded", json!({})).await
    }

    /// Switches the offered authenticator app on, for somebody whose app shows the right code. The recovery codes that were
    /// shown with it hold from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the code is wrong, or the offer is over.
    pub async fn switch_on_authenticator(&self, owner: Owner<'_>, session: &str, code: &str) -> Result<(), Error> {
        let actor = owner.actor();
        let number = self.count_try(&actor.id, Tried::Factor).await?;
        let mut write = self.store().begin().await?;
        let offer = write.offer(&actor.id, session, self.expiry_now()).await?;
        let offer = offer.ok_or_else(|| Error::Invalid(OFFER_OVER.to_owned()))?;
        let draft = self.draft(&actor.id, &offer)?;
        let Some(step) = draft.step(code, self.now()) else {
            drop(write);
            self.note_refused(actor, "authenticator_code").await?;
            return Err(Error::Invalid(WRONG_FIRST_CODE.to_owned()));
        };
        let secret = self.vault().seal(&actor.id, draft.secret())?;
        write.set_authenticator(&actor.id, &secret, step, self.now()).await?;
        write.set_recovery_codes(&actor.id, &draft.hashes(&actor.id)).await?;
        write.clear_offer(&actor.id).await?;
        write.take_back_try(number).await?;
        self.finish_account(write, actor, "authenticator_set", json!({})).await
    }

    /// Removes one's authenticator app and its recovery codes.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the password or the proof is wrong.
    pub async fn remove_authenticator(&self, owner: Owner<'_>, session: &str, sure: Sure) -> Result<(), Error> {
        let actor = owner.actor();
        let mut write = self.sure(actor, session, sure).await?;
        if !write.remove_authenticator(&actor.id).await? {
            return Err(Error::Invalid(
                "There is no authenticator app. Nothing was changed; load the page again.".to_owned(),
            ));
        }
        self.finish_account(write, actor, "authenticator_removed", json!({})).await
    }

    /// Asks for a new passkey: what the browser is to be asked, in JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the password or the proof is wrong.
    pub async fn ask_for_new_passkey(&self, owner: Owner<'_>, session: &str, sure: Sure) -> Result<String, Error> {
        let actor = owner.actor();
        let login = self.store().credentials(&actor.id).await?.ok_or(Error::NotFound)?.login;
        let mut write = self.sure(actor, session, sure).await?;
        let known = keys(&write.passkeys(&actor.id).await?);
        let names = (&*login, &*actor.name);
        let question = self.passkeys().ask_for_new(&actor.id, names, session, &known, self.expiry_now())?;
        self.finish_account(write, actor, "passkey_asked_for", json!({})).await?;
        json_of(&question)
    }

    /// Adds the passkey that answered [`Self::ask_for_new_passkey`] in this session.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the answer does not hold.
    pub async fn add_passkey(&self, owner: Owner<'_>, session: &str, name: &str, answer: &str) -> Result<(), Error> {
        let actor = owner.actor();
        let name = own_name("passkey", name)?;
        let Some(made) = self.passkeys().new_one(&actor.id, session, answer, self.expiry_now()) else {
            self.note_refused(actor, "passkey").await?;
            return Err(Error::Invalid(NO_PASSKEY_MADE.to_owned()));
        };
        let new = StoredPasskey {
            id: made.id,
            name: name.to_owned(),
            credential: made.credential,
            since: self.now(),
            used: None,
        };
        let mut write = self.store().begin().await?;
        write.standing(&actor.id).await?.ok_or(Refusal::Disabled)?;
        match write.insert_passkey(&actor.id, &new).await {
            Err(store::Error::Taken) => return Err(Error::Invalid(NO_PASSKEY_MADE.to_owned())),
            inserted => inserted?,
        }
        self.finish_account(write, actor, "passkey_added", json!({ "name": new.name })).await
    }

    /// Removes one of one's passkeys.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the password or the proof is wrong.
    pub async fn remove_passkey(&self, owner: Owner<'_>, session: &str, id: &str, sure: Sure) -> Result<(), Error> {
        let actor = owner.actor();
        let mut write = self.sure(actor, session, sure).await?;
        let name = write.remove_passkey(&actor.id, id).await?.ok_or(Error::NotFound)?;
        self.finish_account(write, actor, "passkey_removed", json!({ "name": name })).await
    }

    /// Asks for a proof by one of one's passkeys: what the browser is to be asked, in JSON. The answer is a
    /// [`Proof::Passkey`], for one decision in this session within five minutes.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when there is none.
    pub async fn ask_for_passkey(&self, owner: Owner<'_>, session: &str) -> Result<String, Error> {
        let actor = owner.actor();
        let known = keys(&self.store().passkeys(&actor.id).await?);
        if known.is_empty() {
            return Err(Error::Invalid(
                "You have no passkey. Nothing was done; add one on your account page, or use a code.".to_owned(),
            ));
        }
        json_of(&self.passkeys().ask_for_proof(&actor.id, session, &known, self.expiry_now())?)
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it has ended, or is not one's own.
    pub async fn end_session(&self, owner: Owner<'_>, fingerprint: &str) -> Result<(), Error> {
        let actor = owner.actor();
        let mut write = self.store().begin().await?;
        if !write.end_session(&actor.id, fingerprint).await? {
            return Err(Error::NotFound);
        }
        self.finish_account(write, actor, "sessions_ended", json!({ "person": actor.id, "count": 1 })).await?;
        self.tell_people_changed();
        Ok(())
    }

    /// Ends all of one's own sessions but the one to keep.
    pub async fn end_other_sessions(&self, owner: Owner<'_>, keep: &str) -> Result<(), Error> {
        let actor = owner.actor();
        let mut write = self.store().begin().await?;
        let count = write.end_sessions(&actor.id, Some(keep)).await?;
        self.finish_account(write, actor, "sessions_ended", json!({ "person": actor.id, "count": count })).await?;
        self.tell_people_changed();
        Ok(())
    }

    async fn shown_offer(&self, actor: &Actor, session: &str) -> Result<Option<domain::view::ShownOffer>, Error> {
        let Some(offer) = self.store().offer(&actor.id, session, self.expiry_now()).await? else { return Ok(None) };
        let login = self.store().credentials(&actor.id).await?.ok_or(Error::NotFound)?.login;
        self.draft(&actor.id, &offer)?.shown(&login, offer.ends).map(Some)
    }

    fn draft(&self, person: &PersonId, offer: &StoredOffer) -> Result<Draft, Error> {
        let opened = self.vault().open(person, &offer.sealed)?;
        serde_json::from_slice(&opened).map_err(|_| Error::Broken("reading a secret"))
    }

    /// Checks the present password. Wrong ones are counted: a session that somebody found is no place to guess at.
    async fn present_password(&self, actor: &Actor, password: &str) -> Result<(), Error> {
        let number = self.count_try(&actor.id, Tried::Password).await?;
        let known = self.store().credentials(&actor.id).await?.ok_or(Error::NotFound)?;
        if !self.passwords().check(password, known.hash.as_deref()).await? {
            self.note_refused(actor, "present_password").await?;
            return Err(Error::Invalid("The present password is wrong. Nothing was changed.".to_owned()));
        }
        let mut write = self.store().begin().await?;
        write.take_back_try(number).await?;
        Ok(write.commit().await?)
    }

    /// The transaction of a change that takes more than a session: begun when it is really the person who asks. That is known by their
    /// password, or, where others vouch for them, by a session in which they have proven it a moment ago, and by their second factor.
    /// Whom the proxy names and who has no second factor yet brings an enrolment code.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the password, the code or the proof is wrong, or the proof is missing.
    pub(crate) async fn sure(&self, actor: &Actor, session: &str, sure: Sure) -> Result<Write, Error> {
        let outside = self.outside(&actor.id, session).await?;
        let named = outside.is_some_and(|outside| outside.source == Source::Proxy);
        match outside {
            None => self.present_password(actor, &sure.password).await?,
            Some(outside) if named || outside.proven => {}
            Some(_) => return Err(Error::Invalid(NOT_PROVEN.to_owned())),
        }
        let has_factor = self.factors(&actor.id).await?.any();
        let guess = match (has_factor, sure.proof) {
            (false, _) => None,
            (true, Some(proof)) => Some(self.guess(&actor.id, session, proof).await?),
            (true, None) => return Err(Error::Invalid(PROOF_WANTED.to_owned())),
        };
        let code = if named && !has_factor { Some(self.guess_code(&actor.id, &sure.password).await?) } else { None };
        let mut write = self.store().begin().await?;
        write.standing(&actor.id).await?.ok_or(Refusal::Disabled)?;
        let proven = match (guess, code) {
            (Some(guess), _) => self.prove(&mut write, guess).await.map(drop),
            // Somebody has just added one in another session.
            (None, _) if write.factors(&actor.id).await?.any() => Err(Error::Invalid(PROOF_WANTED.to_owned())),
            (None, Some(code)) => self.use_code(&mut write, actor, code).await,
            (None, None) => Ok(()),
        };
        if let Err(wrong) = proven {
            drop(write);
            let what = if named && !has_factor { "enrolment_code" } else { "second_factor" };
            self.note_refused(actor, what).await?;
            return Err(wrong);
        }
        Ok(write)
    }

    pub(crate) async fn finish_account(
        &self,
        mut write: Write,
        actor: &Actor,
        kind: &'static str,
        body: Value,
    ) -> Result<(), Error> {
        write.audit(Some(&Who::Person(actor.clone())), self.now(), kind, body).await?;
        Ok(write.commit().await?)
    }
}

const NO_PASSWORD: &str = "You have no password of the portal: others vouch for you. Nothing was changed; change the password where you sign in.";

const NOT_PROVEN: &str = "This takes a sign-in of the last 5 min. Nothing was changed; sign in again at the identity provider by the link on this \
     page, and then once more here.";

const PROOF_WANTED: &str = "This takes your second factor as well. Nothing was changed; give a code of your authenticator app, a recovery \
     code, or your passkey.";

const NO_PASSKEY_MADE: &str = "The browser's passkey could not be taken: it is one that you have, or it was asked for more than 5 min ago. \
     Nothing was changed; begin again with your password.";

const OFFER_OVER: &str =
    "What was shown for the authenticator app is over. Nothing was changed; begin again with your password.";

const WRONG_FIRST_CODE: &str = "The code is not the one of this secret. Nothing was changed; look whether the clock of your device is right, \
     and type the code that the app shows now.";

/// The name that somebody gives to a passkey or a token of theirs, when it does.
pub(crate) fn own_name<'a>(what: &str, name: &'a str) -> Result<&'a str, Error> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_LIMIT && !name.chars().any(char::is_control);
    fits.then_some(name).ok_or_else(|| {
        Error::Invalid(format!(
            "The name of a {what} has 1 to {NAME_LIMIT} characters. Nothing was changed; choose another."
        ))
    })
}

/// What is stored of passkeys, as the library knows them. One that a later version wrote is none for this one.
fn keys(stored: &[StoredPasskey]) -> Vec<Passkey> {
    stored.iter().filter_map(|passkey| serde_json::from_str(&passkey.credential).ok()).collect()
}

fn json_of(question: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(question).map_err(|_| Error::Broken("asking for a passkey"))
}

fn passkey_info(passkey: StoredPasskey) -> PasskeyInfo {
    PasskeyInfo { id: passkey.id, name: passkey.name, since: passkey.since, used: passkey.used }
}

/// A session as pages list it, seen from the one with this fingerprint.
pub(crate) fn session_info(listed: store::ListedSession, this: &str) -> SessionInfo {
    SessionInfo {
        this: listed.fingerprint == this,
        id: listed.fingerprint,
        begun: listed.created,
        seen: listed.seen,
        address: listed.device.address,
        agent: listed.device.agent,
    }
}
