//! Signing in people for whom others vouch: the proxy, or an identity provider.
//!
//! Whether what they say is to be believed was looked at before; here it becomes an account, with the role that the map says at
//! this moment. An account of the portal's own is never taken over, and the map never changes one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::identity::{Admission, Identity, Issuer, Unwelcome};
use domain::policy::{Actor, Administrator, Groups, Role};
use domain::run::Who;
use domain::text::one_line;
use domain::view::Outside;
use domain::{Digest, PersonId, Timestamp};
use serde_json::{Value, json};
use store::{Credentials, Write};

use crate::people::{random_hex, still_administers};
use crate::{Error, Portal};

/// The same is recorded once in so many milliseconds: a proxy names somebody with every request.
const SAID_MS: u64 = 10 * 60_000;

/// More than that is not remembered; what is forgotten is recorded again.
const MOST: usize = 1_000;

/// The most characters that the record takes of what nobody has proven.
const CLAIMED_LIMIT: usize = 64;

/// What was recorded lately, and is not recorded again for a while.
#[derive(Debug, Default)]
pub(crate) struct Lately(Mutex<HashMap<Digest, Timestamp>>);

impl Lately {
    /// Whether this was recorded lately.
    fn said(&self, what: &str, now: Timestamp) -> bool {
        self.lately(now).contains_key(&Digest::of(what.as_bytes()))
    }

    /// Remembers that this is recorded: to be called when it is, and not before.
    fn say(&self, what: &str, now: Timestamp) {
        let mut lately = self.lately(now);
        if lately.len() >= MOST {
            lately.clear();
        }
        lately.insert(Digest::of(what.as_bytes()), now);
    }

    /// What is not too long ago.
    fn lately(&self, now: Timestamp) -> MutexGuard<'_, HashMap<Digest, Timestamp>> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.retain(|_, at| now < at.plus(SAID_MS));
        lately
    }
}

impl Portal {
    /// Signs somebody in for whom others vouch: the account that is bound to them, or a new one, with the role that the map gives. What
    /// comes with the same `words` is recorded once in a while: a browser that keeps no cookie begins anew with each request.
    ///
    /// # Errors
    ///
    /// [`Error::Unwelcome`] with the reason; that is recorded.
    pub async fn sign_in_from_outside(&self, identity: &Identity, words: Option<&str>) -> Result<Actor, Error> {
        let admitted = self.admit(identity, words).await;
        if let Err(Error::Unwelcome(why)) = &admitted {
            self.note_unwelcome(identity, *why).await?;
        }
        admitted
    }

    /// Records that what a provider said does not hold: from which network it came, and whom it claimed to be about, which nobody has
    /// proven.
    pub async fn note_untrue(&self, from: &str, claimed: Option<&str>) -> Result<(), Error> {
        let (why, claimed) = (Unwelcome::Untrue.word(), claimed.map(|claimed| one_line(claimed, CLAIMED_LIMIT)));
        let refusal = [why, from, claimed.as_deref().unwrap_or_default()].join("\n");
        self.note_refused_sign_in(&refusal, json!({ "why": why, "from": from, "claimed": claimed })).await
    }

    /// Binds an account for which others vouch to another subject, perhaps of another issuer: its person is somebody else there from now
    /// on. Their sessions end; what else they have stays.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when nobody vouches for the person, the subject can be none, or an account is bound to it.
    pub async fn rebind(
        &self,
        administrator: Administrator<'_>,
        person: &PersonId,
        issuer: &Issuer,
        subject: &str,
    ) -> Result<(), Error> {
        let known = self.store().credentials(person).await?.ok_or(Error::NotFound)?;
        let identity = match issuer {
            Issuer::Proxy => Identity::of_proxy(subject, Vec::new()),
            Issuer::Provider(address) => {
                Identity::of_provider(address.clone(), subject, &known.login, &known.name, Vec::new())
            }
        };
        let identity = identity.map_err(|_| Error::Invalid(NO_SUBJECT.to_owned()))?;
        let to = (identity.issuer.key(), identity.subject.as_str());
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        let Some(from) = write.identity_of(person).await? else {
            return Err(Error::Invalid(format!(
                "{} has a password of the portal, and nobody vouches for them. Nothing was changed.",
                known.login
            )));
        };
        if let Some(owner) = write.person_outside(to.0, to.1).await? {
            return Err(Error::Invalid(format!(
                "The account of {} is bound to {} at {} already. Nothing was changed.",
                owner.login, to.1, to.0
            )));
        }
        write.rebind(person, to).await?;
        let ended = write.end_sessions(person, None).await?;
        let body = json!({
            "person": person,
            "from": { "issuer": from.0, "subject": from.1 },
            "to": { "issuer": to.0, "subject": to.1 },
            "sessions": ended,
        });
        self.finish_for(write, administrator, "identity_rebound", body).await
    }

    /// To whom accounts are bound, by key, and how many to each.
    pub async fn issuers(&self) -> Result<Vec<(String, u64)>, Error> {
        Ok(self.store().issuers().await?)
    }

    /// Who vouches for a person, and whether it was proven lately in their session who they are; `None` for one with a password.
    pub(crate) async fn outside(&self, person: &PersonId, session: &str) -> Result<Option<Outside>, Error> {
        let Some(source) = self.store().source_of(person).await? else { return Ok(None) };
        let proven = self.store().is_proven(session, person, self.expiry_now()).await?;
        Ok(Some(Outside { source, proven }))
    }

    async fn admit(&self, identity: &Identity, words: Option<&str>) -> Result<Actor, Error> {
        let mut write = self.store().begin().await?;
        // The first account is an administrator with a password: nobody else could look after people when the others are away.
        if write.count_people().await? == 0 {
            return Err(Unwelcome::Fresh.into());
        }
        let known = write.person_outside(identity.issuer.key(), &identity.subject).await?;
        if known.as_ref().is_some_and(|known| !known.enabled) {
            return Err(Unwelcome::Disabled.into());
        }
        // The map means the name that the account has here: at many a provider people may call themselves as they like.
        let here = known.as_ref().map(|known| Identity { login: known.login.clone(), ..identity.clone() });
        let admission = self.map().admits(here.as_ref().unwrap_or(identity));
        let actor = match (known, admission) {
            (Some(known), Some(admission)) => self.follow_map(&mut write, known, &admission).await?,
            (None, Some(admission)) => self.make_account(&mut write, identity, &admission).await?,
            (known, None) => {
                if let Some(known) = known {
                    self.take_away(write, known).await?;
                }
                return Err(Unwelcome::Unmapped.into());
            }
        };
        write.seen(&actor.id, self.now()).await?;
        let (words, now) = (words.map(|words| [actor.id.as_str(), words].join("\n")), self.expiry_now());
        if words.as_deref().is_none_or(|words| !self.sign_ins().said(words, now)) {
            let body = json!({ "by": identity.issuer.source() });
            write.audit(Some(&Who::Person(actor.clone())), self.now(), "signed_in", body).await?;
            write.commit().await?;
            if let Some(words) = words {
                self.sign_ins().say(&words, now);
            }
        } else {
            write.commit().await?;
        }
        self.tell_people_changed();
        Ok(actor)
    }

    /// Takes from a known account what the map gives it no longer: its sessions end, and the least role is what is left of what its
    /// tokens could do. With a line in the map its person gets their role back, and their tokens with it.
    async fn take_away(&self, mut write: Write, known: Credentials) -> Result<(), Error> {
        let left = Admission { role: Role::Viewer, groups: self.map().rules_groups().then(Groups::new) };
        let ended = write.end_sessions(&known.id, None).await?;
        let in_groups = left.groups.is_some() && !write.groups_of(&known.id).await?.is_empty();
        if ended == 0 && known.role == left.role && !in_groups {
            return Ok(());
        }
        if ended > 0 {
            let body = json!({ "person": known.id, "count": ended });
            write.audit(None, self.now(), "sessions_ended", body).await?;
        }
        self.follow_map(&mut write, known, &left).await?;
        write.commit().await?;
        self.tell_people_changed();
        Ok(())
    }

    /// Gives a known account the role and the groups that the map says now.
    async fn follow_map(&self, write: &mut Write, known: Credentials, admission: &Admission) -> Result<Actor, Error> {
        if known.role != admission.role {
            write.set_role(&known.id, admission.role).await?;
            let body = json!({ "person": known.id, "role": admission.role });
            write.audit(None, self.now(), "role_changed", body).await?;
        }
        if let Some(groups) = &admission.groups {
            let before = write.set_groups(&known.id, groups).await?;
            if before != *groups {
                let body = json!({ "person": known.id, "from": before, "to": groups });
                write.audit(None, self.now(), "groups_changed", body).await?;
            }
        }
        Ok(Actor::new(known.id, known.name, admission.role))
    }

    async fn make_account(
        &self,
        write: &mut Write,
        identity: &Identity,
        admission: &Admission,
    ) -> Result<Actor, Error> {
        let Identity { issuer, subject, login, name, .. } = identity;
        let actor = Actor::new(PersonId(random_hex()), name.clone(), admission.role);
        match write.insert_outside(&actor, login, (issuer.key(), subject), self.now()).await {
            Err(store::Error::Taken) => return Err(Unwelcome::Taken.into()),
            inserted => inserted?,
        }
        let groups = admission.groups.clone().unwrap_or_default();
        write.set_groups(&actor.id, &groups).await?;
        let body = json!({
            "person": actor.id,
            "login": login,
            "role": actor.role,
            "mail": false,
            "groups": groups,
            "by": issuer.source(),
            "issuer": issuer.key(),
            "subject": subject,
        });
        write.audit(None, self.now(), "person_created", body).await?;
        Ok(actor)
    }

    async fn note_unwelcome(&self, identity: &Identity, why: Unwelcome) -> Result<(), Error> {
        let Identity { issuer, subject, login, .. } = identity;
        let refusal = [issuer.key(), subject.as_str(), login.as_str(), why.word()].join("\n");
        self.note_refused_sign_in(&refusal, json!({ "login": login, "by": issuer.source(), "why": why.word() })).await
    }

    /// Records a refusal, unless it was recorded lately. It counts as recorded once it is.
    async fn note_refused_sign_in(&self, refusal: &str, body: Value) -> Result<(), Error> {
        let now = self.expiry_now();
        if self.refusals().said(refusal, now) {
            return Ok(());
        }
        let mut write = self.store().begin().await?;
        write.audit(None, self.now(), "sign_in_refused", body).await?;
        write.commit().await?;
        self.refusals().say(refusal, now);
        Ok(())
    }
}

const NO_SUBJECT: &str = "This can name nobody there. Nothing was changed; give the name that the proxy sends, or the sub of the provider, which has 1 to \
     255 bytes.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_recorded_once_in_a_while_and_what_is_remembered_is_bounded() {
        let (lately, now) = (Lately::default(), Timestamp(1_795_471_084_000));

        assert!(!lately.said("olga: unmapped", now));
        assert!(!lately.said("olga: unmapped", now), "it was not recorded yet");
        lately.say("olga: unmapped", now);
        assert!(lately.said("olga: unmapped", now.plus(SAID_MS - 1)));
        assert!(!lately.said("olga: taken", now));
        assert!(!lately.said("olga: unmapped", now.plus(SAID_MS)));
        for number in 0..3 * MOST {
            lately.say(&number.to_string(), now);
        }
        assert!(lately.0.lock().unwrap().len() <= MOST);
    }
}
