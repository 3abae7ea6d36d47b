//! Keys: how an exit record proves that its own shim wrote it.
//!
//! Nothing secret lies in the folder of an attempt. The key of an attempt is derived from the portal's master key, so that a
//! portal that was started again can check what an earlier one set in motion.

use domain::attempt::Intent;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key from which the keys of all attempts are derived. It never leaves the portal.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// Takes 32 random bytes that were stored where only the portal can read them.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn attempt(&self, Intent { id, digest }: &Intent) -> AttemptKey {
        AttemptKey(mac(&self.0, format!("attempt\n{id}\n{digest}").as_bytes()).finalize().into_bytes().into())
    }

    /// The version of a secret: another value has another one, and without the key no value can be tried.
    pub(crate) fn version(&self, name: &str, value: &str) -> String {
        let bytes = mac(&self.0, format!("secret\n{name}\n{value}").as_bytes()).finalize().into_bytes();
        hex::encode(bytes.get(..8).expect("SHA-256 has 32 bytes"))
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// The key of one attempt, handed to its shim over standard input.
#[derive(Clone)]
pub(crate) struct AttemptKey([u8; 32]);

impl AttemptKey {
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).ok()?.try_into().ok().map(Self)
    }

    pub(crate) fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Signs the body of an exit record.
    pub(crate) fn sign(&self, body: &str) -> String {
        hex::encode(mac(&self.0, body.as_bytes()).finalize().into_bytes())
    }

    /// Whether the body was signed with this key. Takes the same time whatever the answer.
    pub(crate) fn verifies(&self, body: &str, signature: &str) -> bool {
        hex::decode(signature).is_ok_and(|bytes| mac(&self.0, body.as_bytes()).verify_slice(&bytes).is_ok())
    }

    /// What every process of the attempt carries in its environment. It tells nothing about the key.
    pub(crate) fn token(&self) -> String {
        let bytes = mac(&self.0, b"the token in the environment of an attempt").finalize().into_bytes();
        hex::encode(bytes.get(..16).expect("SHA-256 has 32 bytes"))
    }
}

impl AttemptKey {
    /// What stands in the marks of a command, counted from 1; 0 is the shell itself. Whoever has the key finds the borders in an output
    /// again, and nobody else knows them before they are there.
    pub(crate) fn mark(&self, command: usize) -> String {
        let bytes = mac(&self.0, format!("mark\n{command}").as_bytes()).finalize().into_bytes();
        hex::encode(bytes.get(..16).expect("SHA-256 has 32 bytes"))
    }
}

fn mac(key: &[u8; 32], bytes: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length").chain_update(bytes)
}

#[cfg(test)]
mod tests {
    use domain::{AttemptId, Digest, RunId};

    use super::*;

    const ID: AttemptId = AttemptId { run: RunId(7), step: 2, attempt: 1 };

    fn of(id: AttemptId, work: &str) -> Intent {
        Intent { id, digest: Digest::of(work.as_bytes()) }
    }

    #[test]
    fn only_the_same_attempt_with_the_same_work_verifies_a_record() {
        let master = MasterKey::new([7; 32]);
        let signature = master.attempt(&of(ID, "work")).sign("{}");

        assert!(master.attempt(&of(ID, "work")).verifies("{}", &signature));
        assert!(!master.attempt(&of(ID, "other")).verifies("{}", &signature));
        assert!(!master.attempt(&of(AttemptId { attempt: 2, ..ID }, "work")).verifies("{}", &signature));
        assert!(!master.attempt(&of(ID, "work")).verifies("{ }", &signature));
        assert!(!master.attempt(&of(ID, "work")).verifies("{}", "no hex"));
    }

    #[test]
    fn a_secret_that_changes_has_another_version_and_so_has_the_same_value_of_another_portal() {
        let master = MasterKey::new([7; 32]);

        assert_eq!(master.version("token", "a"), master.version("token", "a"));
        assert_ne!(master.version("token", "a"), master.version("token", "b"));
        assert_ne!(master.version("token", "a"), master.version("other", "a"));
        assert_ne!(master.version("token", "a"), MasterKey::new([8; 32]).version("token", "a"));
    }

    #[test]
    fn a_key_survives_its_way_to_the_shim() {
        let key = MasterKey::new([7; 32]).attempt(&of(ID, "work"));

        let arrived = AttemptKey::from_hex(&key.to_hex()).unwrap();

        assert_eq!(arrived.sign("x"), key.sign("x"));
        assert_eq!(arrived.token(), key.token());
    }
}
