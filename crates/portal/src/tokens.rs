//! Tokens for scripts: made and ended by their person, ended by an administrator, and looked up for every request that carries one.
//!
//! A token is made like a second factor is changed: by the present password, and a proof as soon as there is one; whom the proxy names
//! makes none without a second factor. Its text is shown
//! on one page and then known to nobody but whoever keeps it there; between the form and that page it waits in memory alone.
//! What a script may do is said in [`domain::policy`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::policy::{Actor, Administrator, Owner, Role, Scope, Verb, allows, token_roles};
use domain::run::{Refusal, Who};
use domain::view::{MadeToken, TokenInfo};
use domain::{PersonId, Timestamp, TokenId};
use rand::RngCore as _;
use serde_json::{Value, json};
use store::Write;

use crate::account::own_name;
use crate::people::still_administers;
use crate::{Error, Portal, Sure};

/// By this, programs that look for secrets in files find a token.
const PREFIX: &str = "rbp_";

/// The most tokens of a person at a time.
const MOST: usize = 20;

/// The longest that a token holds, in days.
const LONGEST_DAYS: u32 = 365;

const DAY_MS: u64 = 24 * 60 * 60_000;

/// A use is kept once in so many milliseconds.
const USE_KEPT_MS: u64 = 60_000;

/// What it takes to make a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// As its person calls it.
    pub name: String,
    /// What it lets a script do.
    pub role: Role,
    /// What it is for.
    pub scope: Scope,
    /// For how many days.
    pub days: u32,
}

impl Portal {
    /// Makes a token. [`Self::take_made_token`] hands its text out, once and to this session.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when something about it does not do, or the password or the proof is wrong.
    pub async fn make_token(&self, owner: Owner<'_>, session: &str, new: NewToken, sure: Sure) -> Result<(), Error> {
        let actor = owner.actor();
        let (name, days) = (own_name("token", &new.name)?, checked_days(new.days)?);
        self.factor_for_tokens(actor).await?;
        let mut write = self.sure(actor, session, sure).await?;
        // Read again: it took its time to check the password, and somebody may have taken the role away meanwhile.
        let role = write.standing(&actor.id).await?.ok_or(Refusal::Disabled)?;
        let may_give = match new.scope {
            Scope::Role => token_roles(role).any(|given| given == new.role),
            Scope::Suggest => allows(role, Verb::Suggest) && new.role == Role::Operator,
            Scope::Schedule => false,
        };
        if !may_give {
            return Err(Error::Invalid(no_such_role(new.role)));
        }
        let now = self.expiry_now();
        if write.tokens_of(&actor.id, now).await?.len() >= MOST {
            return Err(Error::Invalid(too_many()));
        }
        let text = new_text();
        let token = TokenInfo {
            id: new_id(),
            name: name.to_owned(),
            role: new.role,
            scope: new.scope,
            made: now,
            expires: now.plus(u64::from(days) * DAY_MS),
            used: None,
            address: String::new(),
        };
        write.insert_token(&actor.id, &token, &text).await?;
        self.finish_account(write, actor, "token_made", told(&actor.id, &token)).await?;
        self.made_tokens().keep(session, MadeToken { name: token.name, text }, now);
        Ok(())
    }

    /// The token that was just made in a session, for the one page that shows it.
    pub fn take_made_token(&self, session: &str) -> Option<MadeToken> {
        self.made_tokens().take(session, self.expiry_now())
    }

    /// Ends one of one's own tokens.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it has ended, or is not one's own.
    pub async fn end_token(&self, owner: Owner<'_>, id: &TokenId) -> Result<(), Error> {
        let actor = owner.actor();
        let mut write = self.store().begin().await?;
        let ended = write.end_token(&actor.id, id, self.expiry_now()).await?.ok_or(Error::NotFound)?;
        self.finish_account(write, actor, "token_ended", told(&actor.id, &ended)).await?;
        self.tell_people_changed();
        Ok(())
    }

    /// Ends all tokens of a person.
    pub async fn end_tokens_of(&self, administrator: Administrator<'_>, person: &PersonId) -> Result<(), Error> {
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        self.end_all_tokens(&mut write, administrator, person).await?;
        write.commit().await?;
        self.tell_people_changed();
        Ok(())
    }

    /// The same inside a transaction: one event for each, so that the record says which.
    pub(crate) async fn end_all_tokens(
        &self,
        write: &mut Write,
        administrator: Administrator<'_>,
        person: &PersonId,
    ) -> Result<(), Error> {
        let by = Who::Person(administrator.actor().clone());
        for ended in write.end_tokens(person, self.expiry_now()).await? {
            write.audit(Some(&by), self.now(), "token_ended", told(person, &ended)).await?;
        }
        Ok(())
    }

    /// The person for whom a script acts by what it has sent, as their account stands now and with what the token lets it do.
    /// `None` when that lets nobody in. Why it does not is not asked: whatever was sent is looked for in the same way, so that
    /// nobody learns from the time that it takes either.
    ///
    /// Tries are not counted: nobody guesses 256 random bits.
    pub async fn by_token(&self, text: &str, address: &str) -> Result<Option<Actor>, Error> {
        let now = self.expiry_now();
        let Some(holder) = self.store().token(text, now).await? else { return Ok(None) };
        if let Some(token) = &holder.actor.token
            && holder.used.is_none_or(|used| now.since(used) >= USE_KEPT_MS)
        {
            self.keep_use(token.id.clone(), now, address.to_owned());
        }
        Ok(Some(holder.actor))
    }

    /// The person for whom a script acts by this token, as things stand now; `None` when it lets nobody in any more.
    pub async fn holder_of_token(&self, id: &TokenId) -> Result<Option<Actor>, Error> {
        Ok(self.store().token_named(id, self.expiry_now()).await?.map(|holder| holder.actor))
    }

    /// Keeps when and from where a token was used. No request waits for that.
    fn keep_use(&self, id: TokenId, now: Timestamp, address: String) {
        let store = self.store().clone();
        self.tasks().spawn(async move {
            let kept = async {
                let mut write = store.begin().await?;
                write.token_used(&id, now, &address, now.minus(USE_KEPT_MS)).await?;
                write.commit().await
            };
            if let Err(error) = kept.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "the use of a token was not kept");
            }
        });
    }
}

fn checked_days(days: u32) -> Result<u32, Error> {
    if (1..=LONGEST_DAYS).contains(&days) {
        return Ok(days);
    }
    Err(Error::Invalid(format!(
        "A token holds for 1 to {LONGEST_DAYS} days. No token was made; choose a number between them."
    )))
}

fn no_such_role(role: Role) -> String {
    format!("You cannot give a token the role {role}. No token was made; choose one of the list.")
}

fn too_many() -> String {
    format!("You have {MOST} tokens, which is the most. No token was made; end one that no script uses any more.")
}

/// What the record says about a token: never what lets a script in.
fn told(person: &PersonId, token: &TokenInfo) -> Value {
    json!({
        "person": person,
        "token": token.id,
        "name": token.name,
        "role": token.role,
        "scope": token.scope,
        "expires": token.expires.iso(),
    })
}

/// 256 random bits behind the prefix.
fn new_text() -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>()))
}

fn new_id() -> TokenId {
    TokenId(hex::encode(random::<8>()))
}

fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_prefix_and_32_random_bytes_that_need_no_quotes_in_a_shell() {
        let texts = [new_text(), new_text()];

        assert_ne!(texts[0], texts[1]);
        for text in texts {
            let random = text.strip_prefix("rbp_").unwrap();
            assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), 32);
            assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
        }
    }

    #[test]
    fn a_token_holds_for_a_day_to_a_year() {
        assert!(checked_days(1).is_ok() && checked_days(365).is_ok());
        for days in [0, 366, u32::MAX] {
            let sentence = checked_days(days).unwrap_err().sentence();
            assert!(sentence.starts_with("A token holds for 1 to 365 days"), "{sentence}");
        }
    }
}
