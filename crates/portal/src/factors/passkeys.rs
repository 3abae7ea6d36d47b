//! Passkeys (`WebAuthn`): what the portal asks for, and whether an answer holds.
//!
//! A question is kept in memory, for the person and the session that it was put to: it serves one answer within five minutes, and
//! a portal that was started again puts a new one. The public keys are in the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{PersonId, Timestamp};
use store::fingerprint;
use webauthn_rs::prelude::{
    CreationChallengeResponse, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, RequestChallengeResponse, Url, Uuid,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::Error;

/// How long a question waits for its answer.
const PATIENCE_MS: u64 = 5 * 60_000;

/// The name under which a portal without a public address takes passkeys: browsers make none for an address of numbers.
const HERE: &str = "localhost";

/// A question that waits for its answer.
enum Question {
    Registration(PasskeyRegistration),
    Proof(PasskeyAuthentication),
}

/// Puts questions and checks answers.
#[derive(Clone)]
pub(crate) struct Passkeys(Arc<Inner>);

struct Inner {
    /// The name to which passkeys are bound, with what checks them; or why there are none here.
    party: Result<(String, Webauthn), String>,
    questions: Mutex<HashMap<(PersonId, String), (Question, Timestamp)>>,
}

/// A new passkey that has answered.
pub(crate) struct NewPasskey {
    /// Its id.
    pub(crate) id: String,
    /// What is stored of it.
    pub(crate) credential: String,
}

impl Passkeys {
    /// Passkeys of a portal at this address; without one, of a portal on the person's own machine.
    pub(crate) fn new(public: Option<&str>) -> Self {
        Self(Arc::new(Inner { party: party(public), questions: Mutex::default() }))
    }

    /// Why no passkey can be made or used on a page of this host; `None` when it can.
    pub(crate) fn problem(&self, host: &str) -> Option<String> {
        match &self.0.party {
            Err(why) => Some(why.clone()),
            Ok((name, _)) if name == host => None,
            Ok((name, _)) => Some(format!(
                "Passkeys of this portal are bound to the name {name}, and this page was opened under {host}. Open it under \
                 {name} to use them."
            )),
        }
    }

    /// Asks for a new passkey, not for one that the person has already.
    pub(crate) fn ask_for_new(
        &self,
        person: &PersonId,
        names: (&str, &str),
        session: &str,
        known: &[Passkey],
        now: Timestamp,
    ) -> Result<CreationChallengeResponse, Error> {
        let known = known.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let asked = self.party()?.start_passkey_registration(handle(person), names.0, names.1, Some(known));
        let (question, state) = asked.map_err(|_| Error::Broken("asking for a passkey"))?;
        self.keep(person, session, Question::Registration(state), now);
        Ok(question)
    }

    /// Takes the answer to [`Self::ask_for_new`]; `None` when it does not hold, or nothing was asked.
    pub(crate) fn new_one(&self, person: &PersonId, session: &str, answer: &str, now: Timestamp) -> Option<NewPasskey> {
        let Some(Question::Registration(state)) = self.take(person, session, now) else { return None };
        let answer: RegisterPublicKeyCredential = serde_json::from_str(answer).ok()?;
        let made = self.party().ok()?.finish_passkey_registration(&answer, &state);
        let made =
            made.inspect_err(|error| tracing::warn!(user.id = %person, "a new passkey was refused: {error}")).ok()?;
        Some(NewPasskey { id: hex::encode(made.cred_id()), credential: serde_json::to_string(&made).ok()? })
    }

    /// Asks for a proof by one of these passkeys.
    pub(crate) fn ask_for_proof(
        &self,
        person: &PersonId,
        session: &str,
        known: &[Passkey],
        now: Timestamp,
    ) -> Result<RequestChallengeResponse, Error> {
        let asked = self.party()?.start_passkey_authentication(known);
        let (question, state) = asked.map_err(|_| Error::Broken("asking for a passkey"))?;
        self.keep(person, session, Question::Proof(state), now);
        Ok(question)
    }

    /// What was asked for a proof last. It is used up by that, whatever the answer is.
    pub(crate) fn asked(&self, person: &PersonId, session: &str, now: Timestamp) -> Option<PasskeyAuthentication> {
        match self.take(person, session, now)? {
            Question::Proof(state) => Some(state),
            Question::Registration(_) => None,
        }
    }

    /// Whether an answer proves the person: the id of the passkey, and what is to be stored of it from now on.
    ///
    /// The library has checked origin, challenge, signature, that the passkey has verified its person, and its counter. The
    /// counter is compared once more with what is stored at this moment: somebody may have answered with a copy meanwhile.
    pub(crate) fn proves(
        &self,
        asked: &PasskeyAuthentication,
        answer: &str,
        stored: impl Fn(&str) -> Option<String>,
    ) -> Option<NewPasskey> {
        let answer: PublicKeyCredential = serde_json::from_str(answer).ok()?;
        let checked = self.party().ok()?.finish_passkey_authentication(&answer, asked);
        let result = checked.inspect_err(|error| tracing::warn!("a passkey's answer was refused: {error}")).ok()?;
        let id = hex::encode(result.cred_id());
        let mut passkey: Passkey = serde_json::from_str(&stored(&id)?).ok()?;
        let moved_on = passkey.update_credential(&result)?;
        if !result.user_verified() || (result.counter() > 0 && !moved_on) {
            return None;
        }
        Some(NewPasskey { id, credential: serde_json::to_string(&passkey).ok()? })
    }

    fn party(&self) -> Result<&Webauthn, Error> {
        self.0.party.as_ref().map(|(_, party)| party).map_err(|why| Error::Invalid(why.clone()))
    }

    fn keep(&self, person: &PersonId, session: &str, question: Question, now: Timestamp) {
        let mut questions = self.0.questions.lock().unwrap_or_else(PoisonError::into_inner);
        questions.retain(|_, (_, ends)| *ends > now);
        questions.insert((person.clone(), fingerprint(session)), (question, now.plus(PATIENCE_MS)));
    }

    fn take(&self, person: &PersonId, session: &str, now: Timestamp) -> Option<Question> {
        let mut questions = self.0.questions.lock().unwrap_or_else(PoisonError::into_inner);
        let (question, ends) = questions.remove(&(person.clone(), fingerprint(session)))?;
        (ends > now).then_some(question)
    }
}

/// What a passkey stores as its person. It tells nothing and never changes.
fn handle(person: &PersonId) -> Uuid {
    let digest = domain::Digest::of(person.as_str().as_bytes());
    let bytes = hex::decode(digest.as_str()).unwrap_or_default();
    Uuid::from_bytes(bytes.first_chunk().copied().unwrap_or_default())
}

fn party(public: Option<&str>) -> Result<(String, Webauthn), String> {
    let no_name = || {
        "Passkeys need an address with a name and https. The portal's public address has none; use an authenticator app."
            .to_owned()
    };
    let origin = Url::parse(public.unwrap_or("http://localhost")).map_err(|_| no_name())?;
    let name = origin.domain().ok_or_else(no_name)?.to_owned();
    let this_machine = name == HERE || name.ends_with(".localhost");
    if origin.scheme() != "https" && !this_machine {
        return Err(no_name());
    }
    let party = WebauthnBuilder::new(&name, &origin)
        .map(|builder| builder.rp_name("Runbook Portal").allow_any_port(public.is_none()))
        .and_then(WebauthnBuilder::build)
        .map_err(|_| no_name())?;
    Ok((name, party))
}

#[cfg(test)]
mod tests {
    use testkit::NOW;

    use super::*;

    #[test]
    fn passkeys_are_bound_to_the_name_of_the_public_address() {
        let problem = |public, host| Passkeys::new(public).problem(host);

        assert_eq!(problem(Some("https://portal.example.com"), "portal.example.com"), None);
        assert_eq!(problem(None, "localhost"), None);
        assert!(problem(None, "127.0.0.1").unwrap().contains("Open it under localhost"));
        assert!(problem(Some("http://portal.example.com"), "portal.example.com").unwrap().contains("https"));
        assert!(problem(Some("https://10.0.0.7"), "10.0.0.7").unwrap().contains("a name"));
    }

    #[test]
    fn a_question_is_for_one_person_in_one_session_once_and_for_five_minutes() {
        let passkeys = Passkeys::new(None);
        let [ada, otto] = [PersonId::from("ada"), PersonId::from("otto")];
        let ask = || passkeys.ask_for_new(&ada, ("ada", "Ada"), "session", &[], NOW).unwrap();

        ask();
        assert!(passkeys.take(&otto, "session", NOW).is_none());
        assert!(passkeys.take(&ada, "other", NOW).is_none());
        assert!(passkeys.take(&ada, "session", NOW).is_some());
        assert!(passkeys.take(&ada, "session", NOW).is_none());
        ask();
        assert!(passkeys.take(&ada, "session", NOW.plus(PATIENCE_MS)).is_none());
        ask();
        assert!(passkeys.asked(&ada, "session", NOW).is_none(), "a question for a new one is none for a proof");
    }

    #[test]
    fn the_question_asks_for_a_passkey_that_verifies_its_person() {
        let passkeys = Passkeys::new(Some("https://portal.example.com"));

        let question = passkeys.ask_for_new(&"ada".into(), ("ada", "Ada"), "session", &[], NOW).unwrap();

        let asked = serde_json::to_value(&question).unwrap();
        assert_eq!(asked["publicKey"]["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(asked["publicKey"]["rp"]["id"], "portal.example.com");
    }
}
