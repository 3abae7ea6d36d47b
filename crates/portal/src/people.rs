//! People: the first account, signing in, roles.

use domain::PersonId;
use domain::factor::Factors;
use domain::policy::{Actor, Administrator, Groups, Owner, Role};
use domain::run::{Refusal, Who};
use domain::view::{PeopleView, SessionInfo};
use rand::RngCore as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::Credentials;

use crate::account::session_info;
use crate::knocking::{Counter, Knock};
use crate::notices::typed_address;
use crate::{Error, Portal, passwords};

/// The longest login and name, in characters.
pub(crate) const NAME_LIMIT: usize = 64;

/// What it takes to make an account.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The name to sign in with.
    pub login: String,
    /// The name that others see.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The first password.
    pub password: String,
    /// Where mail reaches them; empty: nowhere.
    pub mail: String,
    /// The groups that they are in.
    pub groups: Groups,
}

impl std::fmt::Debug for NewPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPerson").field("login", &self.login).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Whether a person may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They may.
    Enabled,
    /// They may not, and their sessions and tokens are over.
    Disabled,
}

impl Portal {
    /// Whether nobody has an account yet.
    pub async fn welcome(&self) -> Result<bool, Error> {
        Ok(self.store().fresh().await?)
    }

    /// A new token for the first account, while there is none. It replaces the one of an earlier start.
    pub async fn set_up_token(&self) -> Result<Option<String>, Error> {
        if !self.store().fresh().await? {
            return Ok(None);
        }
        let token = random_hex();
        let mut write = self.store().begin().await?;
        write.set_meta(SET_UP, &fingerprint(&token)).await?;
        write.commit().await?;
        Ok(Some(token))
    }

    /// Makes the first account, an administrator, for whoever holds the one-time token.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the token is not the one of the console or was used.
    pub async fn set_up(&self, token: &str, login: &str, name: &str, password: &str) -> Result<Actor, Error> {
        let new = NewPerson {
            login: login.to_owned(),
            name: name.to_owned(),
            role: Role::Administrator,
            password: password.to_owned(),
            mail: String::new(),
            groups: Groups::new(),
        };
        let login = checked(&new)?;
        self.token_is_good(token).await?;
        let hash = self.passwords().hash(password).await?;
        let actor = Actor::new(PersonId(random_hex()), new.name.trim().to_owned(), new.role);
        let who = Who::Person(actor.clone());
        let mut write = self.store().begin().await?;
        // Checked again inside the transaction: two people with one link make one account.
        if write.count_people().await? > 0 || write.meta(SET_UP).await?.as_deref() != Some(&fingerprint(token)) {
            return Err(Error::Invalid(USED.to_owned()));
        }
        write.insert_person(&actor, &login, &hash, self.now()).await?;
        write.clear_meta(SET_UP).await?;
        write.audit(Some(&who), self.now(), "set_up", json!({ "login": login })).await?;
        write.commit().await?;
        tracing::info!(user.id = %actor.id, "made the first account");
        Ok(actor)
    }

    async fn token_is_good(&self, token: &str) -> Result<(), Error> {
        let stored = self.store().meta(SET_UP).await?;
        let good = stored.as_deref() == Some(&fingerprint(token)) && self.store().fresh().await?;
        if good { Ok(()) } else { Err(Error::Invalid(USED.to_owned())) }
    }

    /// Checks login and password: the person, and the token by which this device is known from now on. Takes as long for an
    /// unknown login as for a wrong password.
    ///
    /// # Errors
    ///
    /// [`Error::SignIn`], one text for unknown, wrong and disabled; [`Error::TooOften`] without having looked at the password.
    pub async fn sign_in(&self, login: &str, password: &str, knock: &Knock) -> Result<(Actor, String), Error> {
        let login = login.trim().to_lowercase();
        let known = self.store().person_by_login(&login).await?;
        let token = known.as_ref().zip(knock.device.as_deref());
        let device = token.and_then(|(known, token)| self.devices().known(&known.id, token, self.expiry_now()));
        let counters = Counter::all(&login, knock, device);
        self.knocks().count(&counters, self.expiry_now()).map_err(|until| {
            tracing::info!("a try to sign in came too early and was not looked at");
            Error::TooOften(until.since(self.expiry_now()))
        })?;
        let actor = self.check_sign_in(&login, password, known).await?;
        self.knocks().forgive(&counters);
        let token = self.devices().token(&actor.id, self.expiry_now());
        Ok((actor, token))
    }

    async fn check_sign_in(&self, login: &str, password: &str, known: Option<Credentials>) -> Result<Actor, Error> {
        let fits = self.passwords().check(password, known.as_ref().and_then(|known| known.hash.as_deref())).await?;
        let mut write = self.store().begin().await?;
        let now = self.now();
        // Read again: hashing takes its time, and somebody may have disabled the account meanwhile.
        let standing = match &known {
            Some(known) => write.standing(&known.id).await?,
            None => None,
        };
        let actor = match known.zip(standing) {
            Some((known, role)) if fits => {
                let actor = Actor::new(known.id, known.name, role);
                write.seen(&actor.id, now).await?;
                write.audit(Some(&Who::Person(actor.clone())), now, "signed_in", json!({})).await?;
                Some(actor)
            }
            _ => {
                write.audit(None, now, "sign_in_refused", json!({ "login": shortened(login) })).await?;
                None
            }
        };
        write.commit().await?;
        actor.ok_or(Error::SignIn)
    }

    /// Records that a person ends their session.
    pub async fn signed_out(&self, owner: Owner<'_>) -> Result<(), Error> {
        let mut write = self.store().begin().await?;
        let who = Who::Person(owner.actor().clone());
        write.audit(Some(&who), self.now(), "signed_out", json!({})).await?;
        Ok(write.commit().await?)
    }

    /// Records that a person was refused something that no run knows about.
    pub async fn note_refused(&self, actor: &Actor, what: &str) -> Result<(), Error> {
        let mut write = self.store().begin().await?;
        write.audit(Some(&Who::Person(actor.clone())), self.now(), "refused", json!({ "what": what })).await?;
        Ok(write.commit().await?)
    }

    /// The person as their account stands now; `None` when it is disabled or gone.
    pub async fn actor(&self, id: &PersonId) -> Result<Option<Actor>, Error> {
        Ok(self.store().actor(id).await?)
    }

    /// Everyone with an account; but for the enrolment code that was just made, which is taken out by [`Self::take_made_code`].
    pub async fn people(&self, _administrator: Administrator<'_>) -> Result<PeopleView, Error> {
        let people = self.store().people(self.expiry_now()).await?;
        let used = people.iter().flat_map(|person| &person.groups).cloned();
        let groups = self.documents().last().groups().into_iter().chain(used).collect();
        Ok(PeopleView { now: self.now(), people, groups, made: None })
    }

    /// Makes an account.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the login is taken or malformed, or the password does not do.
    pub async fn create_person(&self, administrator: Administrator<'_>, new: NewPerson) -> Result<PersonId, Error> {
        let login = checked(&new)?;
        let mail = typed_address(&new.mail).map_err(Error::Invalid)?;
        let hash = self.passwords().hash(&new.password).await?;
        let actor = Actor::new(PersonId(random_hex()), new.name.trim().to_owned(), new.role);
        let by = Who::Person(administrator.actor().clone());
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        match write.insert_person(&actor, &login, &hash, self.now()).await {
            Err(store::Error::Taken) => {
                return Err(Error::Invalid(format!(
                    "Somebody signs in as {login} already. No account was made; choose another sign-in name."
                )));
            }
            inserted => inserted?,
        }
        write.set_mail(&actor.id, mail.as_deref()).await?;
        write.set_groups(&actor.id, &new.groups).await?;
        let body = json!({
            "person": actor.id,
            "login": login,
            "role": actor.role,
            "mail": mail.is_some(),
            "groups": new.groups,
        });
        write.audit(Some(&by), self.now(), "person_created", body).await?;
        write.commit().await?;
        Ok(actor.id)
    }

    /// Gives a person another role. It holds from the next request on.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when nobody would be left to look after people, or the role is the map's to give.
    pub async fn set_role(&self, administrator: Administrator<'_>, person: &PersonId, role: Role) -> Result<(), Error> {
        if let Some(source) = self.store().source_of(person).await? {
            return Err(Error::Invalid(format!(
                "Others vouch for this person, {source}, and the map of roles in the configuration says what they may do. Nothing was changed; \
                 change the map, or their groups there."
            )));
        }
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        let before = write.count_administrators().await?;
        write.set_role(person, role).await.map_err(unknown_person)?;
        let body = json!({ "person": person, "role": role });
        self.finish_change(write, before, administrator, "role_changed", body).await
    }

    /// Puts a person into these groups and into no others. What they saw by others they do not see any more, also where they look
    /// at it just now.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such person, [`Error::Invalid`] when the groups are the map's to give.
    pub async fn set_groups(
        &self,
        administrator: Administrator<'_>,
        person: &PersonId,
        groups: &Groups,
    ) -> Result<(), Error> {
        if self.map().rules_groups()
            && let Some(source) = self.store().source_of(person).await?
        {
            return Err(Error::Invalid(format!(
                "Others vouch for this person, {source}, and the map in the configuration says in which groups they are. Nothing was changed; \
                 change the map, or their groups there."
            )));
        }
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        let before = write.set_groups(person, groups).await.map_err(unknown_person)?;
        let body = json!({ "person": person, "from": before, "to": groups });
        self.finish_for(write, administrator, "groups_changed", body).await
    }

    /// Lets a person sign in again, or no longer; disabling ends their sessions and their tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when nobody would be left to look after people.
    pub async fn set_standing(
        &self,
        administrator: Administrator<'_>,
        person: &PersonId,
        standing: Standing,
    ) -> Result<(), Error> {
        let enabled = standing == Standing::Enabled;
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        let before = write.count_administrators().await?;
        write.set_enabled(person, enabled).await.map_err(unknown_person)?;
        if !enabled {
            write.end_sessions(person, None).await?;
            self.end_all_tokens(&mut write, administrator, person).await?;
        }
        let body = json!({ "person": person, "enabled": enabled });
        self.finish_change(write, before, administrator, "standing_changed", body).await
    }

    async fn finish_change(
        &self,
        mut write: store::Write,
        before: u64,
        administrator: Administrator<'_>,
        kind: &'static str,
        body: serde_json::Value,
    ) -> Result<(), Error> {
        if before > 0 && write.count_administrators().await? == 0 {
            return Err(Error::Invalid(
                "Nobody with a password of the portal would be left to look after people. Nothing was changed; make somebody else with one an \
                 administrator first.".to_owned(),
            ));
        }
        self.finish_for(write, administrator, kind, body).await
    }

    /// The sessions of a person, the last used first.
    pub async fn sessions_of(
        &self,
        _administrator: Administrator<'_>,
        person: &PersonId,
    ) -> Result<Vec<SessionInfo>, Error> {
        let listed = self.store().sessions_of(person, self.expiry_now()).await?;
        Ok(listed.into_iter().map(|listed| session_info(listed, "")).collect())
    }

    /// Ends all sessions of a person.
    pub async fn end_sessions_of(&self, administrator: Administrator<'_>, person: &PersonId) -> Result<u64, Error> {
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        let count = write.end_sessions(person, None).await?;
        let body = json!({ "person": person, "count": count });
        self.finish_for(write, administrator, "sessions_ended", body).await?;
        Ok(count)
    }

    /// Gives a person another password, when they have forgotten theirs. Their sessions end.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when the password does not do, or the person has none of the portal.
    pub async fn set_password(
        &self,
        administrator: Administrator<'_>,
        person: &PersonId,
        password: &str,
    ) -> Result<(), Error> {
        let known = self.store().credentials(person).await?.ok_or(Error::NotFound)?;
        if known.hash.is_none() {
            return Err(Error::Invalid(format!(
                "{} has no password of the portal: others vouch for them. Nothing was changed; have the password changed where they sign in.",
                known.login
            )));
        }
        passwords::judge(password, &known.login, &known.name)?;
        let hash = self.passwords().hash(password).await?;
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        write.set_password(person, &hash).await.map_err(unknown_person)?;
        write.end_sessions(person, None).await?;
        write.forget_tries(person).await?;
        self.finish_for(write, administrator, "password_set", json!({ "person": person })).await
    }

    /// Removes all second factors of a person, when they have lost theirs. Their sessions end.
    pub async fn reset_factors(&self, administrator: Administrator<'_>, person: &PersonId) -> Result<Factors, Error> {
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        let before = write.factors(person).await?;
        write.remove_authenticator(person).await?;
        write.clear_offer(person).await?;
        write.remove_passkeys(person).await?;
        write.clear_enrolment(person).await?;
        write.end_sessions(person, None).await?;
        write.forget_tries(person).await?;
        let body = json!({ "person": person, "removed": before });
        self.finish_for(write, administrator, "factors_reset", body).await?;
        Ok(before)
    }

    /// Records what an administrator did to somebody's account, and tells whoever has it open.
    pub(crate) async fn finish_for(
        &self,
        mut write: store::Write,
        administrator: Administrator<'_>,
        kind: &'static str,
        body: serde_json::Value,
    ) -> Result<(), Error> {
        let by = Who::Person(administrator.actor().clone());
        write.audit(Some(&by), self.now(), kind, body).await?;
        write.commit().await?;
        self.tell_people_changed();
        Ok(())
    }
}

const SET_UP: &str = "set_up_token";

const USED: &str = "This set-up link is not valid: it was used, or the portal was started again since. \
     No account was made; take the newest link from the portal's console, or sign in.";

/// Checks a right again inside the transaction that uses it: it may have been taken away while a password was hashed. Whoever
/// works at the console has no account.
pub(crate) async fn still_administers(write: &mut store::Write, administrator: Administrator<'_>) -> Result<(), Error> {
    let actor = administrator.actor();
    if *actor == Actor::console() {
        return Ok(());
    }
    let role = write.standing(&actor.id).await?.ok_or(Refusal::Disabled)?;
    actor.with_role(role).administrator()?;
    Ok(())
}

pub(crate) fn unknown_person(error: store::Error) -> Error {
    match error {
        store::Error::Gone => Error::NotFound,
        other => other.into(),
    }
}

/// The login in the form in which it is stored, when everything about the new person does.
fn checked(new: &NewPerson) -> Result<String, Error> {
    let login = new.login.trim().to_lowercase();
    let allowed =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || "._-".contains(character);
    if login.is_empty() || login.len() > NAME_LIMIT || !login.chars().all(allowed) {
        return Err(Error::Invalid(format!(
            "A sign-in name has 1 to {NAME_LIMIT} letters a to z, digits, dots, hyphens or underscores. No account was made; choose another."
        )));
    }
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > NAME_LIMIT || name.chars().any(char::is_control) {
        return Err(Error::Invalid(format!("A name has 1 to {NAME_LIMIT} characters. No account was made.")));
    }
    passwords::judge(&new.password, &login, name)?;
    Ok(login)
}

fn shortened(login: &str) -> String {
    login.chars().take(NAME_LIMIT).collect()
}

/// 256 random bits, written as 64 hexadecimal digits.
pub(crate) fn random_hex() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

fn fingerprint(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
