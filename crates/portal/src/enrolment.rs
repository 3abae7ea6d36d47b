//! Enrolment codes: by what people whom the proxy names set their first second factor up.
//!
//! The word of the proxy comes with each request of an open browser, so it does not say who sits before it. A second factor that was
//! enrolled by that word alone would prove no more than the word. The first one takes a code, therefore, which an administrator hands over
//! by another way. It begins one set-up. Later changes take a proof by the second factor that is there, and so do tokens.

use domain::PersonId;
use domain::identity::Source;
use domain::policy::{Actor, Administrator};
use domain::run::Who;
use domain::view::MadeCode;
use serde_json::json;
use store::{Tried, Write};

use crate::factors::{recovery_hash, spelled_secret};
use crate::people::still_administers;
use crate::{Error, Portal};

/// A code holds for so long.
const HOLDS_MS: u64 = 24 * 60 * 60_000;

const CODE_WANTED: &str = "The first second factor of somebody whom the proxy names takes an enrolment code. Nothing was changed; have an administrator \
     give you one from the page of people, and type it here.";

const WRONG_CODE: &str = "The enrolment code is wrong, was used already, or is older than a day. Nothing was changed; type it as you got it, or have an \
     administrator give you a new one.";

const FACTOR_FIRST: &str = "Whom the proxy names makes tokens with a second factor only. No token was made; set a second factor up on this page first.";

/// An enrolment code that has been counted and not been looked at.
pub(crate) struct CodeGuess {
    /// What would be stored of it; `None` when the text is no code.
    hash: Option<String>,
    /// The number under which it is counted.
    number: i64,
}

impl Portal {
    /// Makes the code by which a person sets their first second factor up. It replaces an earlier one.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the person needs none, or it is oneself; [`Error::NotFound`] when there is no such person.
    pub async fn make_enrolment_code(
        &self,
        administrator: Administrator<'_>,
        person: &PersonId,
    ) -> Result<MadeCode, Error> {
        let known = self.store().credentials(person).await?.ok_or(Error::NotFound)?;
        if administrator.actor().id == *person {
            // Whoever sits at an administrator's open browser would be through at once.
            return Err(Error::Invalid(
                "Nobody gives an enrolment code to themselves. Nothing was made; another administrator does it, or the console by `user \
                 enrolment-code`."
                    .to_owned(),
            ));
        }
        if self.store().source_of(person).await? != Some(Source::Proxy) {
            return Err(Error::Invalid(format!(
                "The proxy does not name {}, who sets a second factor up without an enrolment code. Nothing was made.",
                known.login
            )));
        }
        let text = spelled_secret();
        let hash = recovery_hash(person, &text).ok_or(Error::Broken("making a code"))?;
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        if write.factors(person).await?.any() {
            return Err(Error::Invalid(format!(
                "{} has a second factor already. Nothing was made; when it is lost, remove it at the console by `user reset-factor`.",
                known.login
            )));
        }
        write.set_enrolment(person, &hash, self.expiry_now().plus(HOLDS_MS)).await?;
        self.finish_for(write, administrator, "enrolment_code_made", json!({ "person": person })).await?;
        Ok(MadeCode { name: known.name, text })
    }

    /// The same for a page: [`Self::take_made_code`] hands it out, once and to this session.
    ///
    /// # Errors
    ///
    /// As [`Self::make_enrolment_code`].
    pub async fn show_enrolment_code(
        &self,
        administrator: Administrator<'_>,
        session: &str,
        person: &PersonId,
    ) -> Result<(), Error> {
        let made = self.make_enrolment_code(administrator, person).await?;
        self.made_codes().keep(session, made, self.expiry_now());
        Ok(())
    }

    /// The enrolment code that was just made in a session, for the one page that shows it.
    pub fn take_made_code(&self, session: &str) -> Option<MadeCode> {
        self.made_codes().take(session, self.expiry_now())
    }

    /// Counts a code before it is looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when there is none, or there were too many wrong ones.
    pub(crate) async fn guess_code(&self, person: &PersonId, text: &str) -> Result<CodeGuess, Error> {
        if text.trim().is_empty() {
            return Err(Error::Invalid(CODE_WANTED.to_owned()));
        }
        let number = self.count_try(person, Tried::Factor).await?;
        Ok(CodeGuess { hash: recovery_hash(person, text), number })
    }

    /// Uses a code up, in the transaction that begins the set-up.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when it is wrong. It stays counted; the caller drops the transaction.
    pub(crate) async fn use_code(&self, write: &mut Write, actor: &Actor, guess: CodeGuess) -> Result<(), Error> {
        let CodeGuess { hash, number } = guess;
        let good = match hash {
            Some(hash) => write.use_enrolment(&actor.id, &hash, self.expiry_now()).await?,
            None => false,
        };
        if !good {
            return Err(Error::Invalid(WRONG_CODE.to_owned()));
        }
        write.take_back_try(number).await?;
        let by = Who::Person(actor.clone());
        Ok(write.audit(Some(&by), self.now(), "enrolment_code_used", json!({})).await?)
    }

    /// Refuses a token to whom the proxy names, as long as they have no second factor.
    pub(crate) async fn factor_for_tokens(&self, actor: &Actor) -> Result<(), Error> {
        let named = self.store().source_of(&actor.id).await? == Some(Source::Proxy);
        if named && !self.factors(&actor.id).await?.any() {
            return Err(Error::Invalid(FACTOR_FIRST.to_owned()));
        }
        Ok(())
    }
}
