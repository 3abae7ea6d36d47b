//! Second factors: how a person proves themselves beside a session, once for each decision.
//!
//! A proof is looked at in two parts. [`Portal::guess`] counts it in a transaction of its own, *before* anybody looks whether it
//! is right: a thousand guesses sent at once are counted like a thousand in a row, and a decision that is taken back takes no
//! wrong guess back with it. [`Portal::prove`] then checks and uses up the proof inside the transaction that records what it was
//! given for, and there takes the count back. So a proof serves one decision, and one that was not recorded has used up nothing.

mod authenticator;
mod passkeys;
mod vault;

use domain::factor::{FactorKind, Factors, Proof};
use domain::{PersonId, Timestamp};
use store::{Tried, Write};
use webauthn_rs::prelude::PasskeyAuthentication;

pub use authenticator::spelled_secret;
pub(crate) use authenticator::{Draft, recovery_hash};
pub(crate) use passkeys::Passkeys;
pub(crate) use vault::Vault;

use crate::{Error, Portal};

/// So many wrong guesses are free.
const FREE: usize = 5;

/// Within so many milliseconds.
const WINDOW_MS: u64 = 5 * 60_000;

/// What is said to somebody without a second factor.
pub(crate) const NONE_YET: &str =
    "You have no second factor yet. Nothing was decided; set one up on your account page.";

const WRONG_CODE: &str = "The code is wrong, or was used already. Nothing was decided; wait for the next code of your authenticator app, \
     or use a recovery code.";

const WRONG_PASSKEY: &str = "The passkey did not prove that it is you: it is not one of yours, or was asked more than 5 min ago. Nothing was \
     decided; use it again, or a code of your authenticator app.";

/// A proof that has been counted and not been looked at.
pub(crate) struct Guess {
    person: PersonId,
    proof: Proof,
    /// What the passkey was asked.
    asked: Option<PasskeyAuthentication>,
    /// The number under which it is counted.
    number: i64,
}

impl Portal {
    /// Which second factors a person has, for pages.
    pub async fn factors(&self, person: &PersonId) -> Result<Factors, Error> {
        Ok(self.store().factors(person).await?)
    }

    /// Counts a proof before it is looked at. What a passkey was asked in this session is used up by that.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the person has no second factor, or has guessed wrong too often.
    pub(crate) async fn guess(&self, person: &PersonId, session: &str, proof: Proof) -> Result<Guess, Error> {
        if !self.factors(person).await?.any() {
            return Err(Error::Invalid(NONE_YET.to_owned()));
        }
        let number = self.count_try(person, Tried::Factor).await?;
        let asked = match proof {
            Proof::Passkey { .. } => self.passkeys().asked(person, session, self.expiry_now()),
            Proof::Code { .. } => None,
        };
        Ok(Guess { person: person.clone(), proof, asked, number })
    }

    /// Checks a proof and uses it up, in the transaction that records what it was given for. Whoever calls this decides first:
    /// a refusal that has other reasons is to cost nobody a try.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the proof is wrong. It stays counted; the caller drops the transaction.
    pub(crate) async fn prove(&self, write: &mut Write, guess: Guess) -> Result<FactorKind, Error> {
        let Guess { person, proof, asked, number } = guess;
        let (kind, wrong) = match proof {
            Proof::Code { code } => (self.prove_by_code(write, &person, &code).await?, WRONG_CODE),
            Proof::Passkey { answer } => (self.prove_by_passkey(write, &person, asked, &answer).await?, WRONG_PASSKEY),
        };
        let kind = kind.ok_or_else(|| Error::Invalid(wrong.to_owned()))?;
        write.take_back_try(number).await?;
        Ok(kind)
    }

    async fn prove_by_passkey(
        &self,
        write: &mut Write,
        person: &PersonId,
        asked: Option<PasskeyAuthentication>,
        answer: &str,
    ) -> Result<Option<FactorKind>, Error> {
        let Some(asked) = asked else { return Ok(None) };
        let stored = write.passkeys(person).await?;
        let credential =
            |id: &str| stored.iter().find(|passkey| passkey.id == id).map(|passkey| passkey.credential.clone());
        let Some(proven) = self.passkeys().proves(&asked, answer, credential) else { return Ok(None) };
        write.passkey_used(&proven.id, &proven.credential, self.now()).await?;
        Ok(Some(FactorKind::Passkey))
    }

    async fn prove_by_code(
        &self,
        write: &mut Write,
        person: &PersonId,
        code: &str,
    ) -> Result<Option<FactorKind>, Error> {
        let Some(sealed) = write.authenticator(person).await? else { return Ok(None) };
        if let Some(hash) = recovery_hash(person, code) {
            let used = write.use_recovery_code(person, &hash).await?;
            return Ok(used.then_some(FactorKind::RecoveryCode));
        }
        let secret = self.vault().open(person, &sealed)?;
        let Some(step) = authenticator::step(&secret, code, self.now()) else { return Ok(None) };
        Ok(write.use_step(person, step).await?.then_some(FactorKind::Code))
    }

    /// Counts a try at what a person knows; gives its number, by which it is taken back when it succeeds.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence that says until when nothing is looked at.
    pub(crate) async fn count_try(&self, person: &PersonId, what: Tried) -> Result<i64, Error> {
        let now = self.expiry_now();
        let mut write = self.store().begin().await?;
        let tries = write.tries(person, what, before(now)).await?;
        if let Some(first) = tries.len().checked_sub(FREE).and_then(|free| tries.get(free)) {
            return Err(Error::Invalid(too_often(first.plus(WINDOW_MS))));
        }
        let number = write.count_try(person, what, now).await?;
        write.commit().await?;
        Ok(number)
    }
}

fn before(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub_unsigned(WINDOW_MS))
}

fn too_often(until: Timestamp) -> String {
    format!(
        "There were {FREE} wrong tries within 5 min. Nothing was looked at and nothing was done; try again after {} UTC.",
        // A second is cut off where it began.
        until.plus(999).time_of_day()
    )
}

#[cfg(test)]
pub(crate) mod tests;
