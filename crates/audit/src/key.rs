//! The key that signs checkpoints, and the one that checks them.

use domain::audit::{Checkpoint, SignedCheckpoint};
use ed25519_dalek::pkcs8::{DecodePublicKey as _, EncodePublicKey as _, spki::der::pem::LineEnding};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// Signs checkpoints with Ed25519 (RFC 8032). It never leaves the portal.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// Takes 32 random bytes that were stored where only the portal can read them.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Signs a checkpoint.
    pub fn sign(&self, checkpoint: Checkpoint) -> SignedCheckpoint {
        let signature = hex::encode(self.0.sign(checkpoint.text().as_bytes()).to_bytes());
        SignedCheckpoint { checkpoint, signature }
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

/// Checks checkpoints. Anybody may have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A text is no public key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an Ed25519 public key in PEM, which begins with the line -----BEGIN PUBLIC KEY-----")]
pub struct BadKey;

impl PublicKey {
    /// Reads a key in PEM (RFC 8410).
    ///
    /// # Errors
    ///
    /// [`BadKey`] for everything else.
    pub fn from_pem(text: &str) -> Result<Self, BadKey> {
        VerifyingKey::from_public_key_pem(text.trim_start()).map(Self).map_err(|_| BadKey)
    }

    /// The key in PEM, as `openssl` and others read it.
    ///
    /// # Panics
    ///
    /// Never: 32 bytes always have one.
    pub fn pem(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).expect("32 bytes always have a PEM")
    }

    /// The SHA-256 of the key's DER form, in groups, to be read out over the telephone.
    ///
    /// # Panics
    ///
    /// Never: 32 bytes always have one.
    pub fn fingerprint(&self) -> String {
        let der = self.0.to_public_key_der().expect("32 bytes always have a DER form");
        let digits = hex::encode(Sha256::digest(der.as_bytes()));
        let groups: Vec<&str> = (0..8).filter_map(|group| digits.get(group * 4..group * 4 + 4)).collect();
        groups.join(" ")
    }

    /// Whether the key's owner has signed this checkpoint.
    pub fn verifies(&self, signed: &SignedCheckpoint) -> bool {
        let bytes = hex::decode(&signed.signature).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.is_some_and(|bytes: [u8; 64]| {
            let signature = Signature::from_bytes(&bytes);
            // One signature has one written form.
            hex::encode(bytes) == signed.signature
                && self.0.verify_strict(signed.checkpoint.text().as_bytes(), &signature).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{Digest, Timestamp};

    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint { seq: 7, head: Digest::of(b"x"), at: Timestamp(1_000) }
    }

    #[test]
    fn only_what_was_signed_with_the_key_verifies() {
        let (key, other) = (Signer::new([7; 32]), Signer::new([8; 32]));
        let signed = key.sign(checkpoint());

        assert!(key.public().verifies(&signed));
        assert!(!other.public().verifies(&signed));
        let moved = Checkpoint { seq: 8, ..checkpoint() };
        assert!(!key.public().verifies(&SignedCheckpoint { checkpoint: moved, ..signed.clone() }));
        assert!(!key.public().verifies(&SignedCheckpoint { signature: "no hex".to_owned(), ..signed }));
    }

    #[test]
    fn a_public_key_survives_its_pem() {
        let key = Signer::new([7; 32]).public();

        assert_eq!(PublicKey::from_pem(&key.pem()), Ok(key.clone()));
        assert!(key.pem().starts_with("-----BEGIN PUBLIC KEY-----\n"), "{}", key.pem());
        assert_eq!(PublicKey::from_pem("-----BEGIN CERTIFICATE-----"), Err(BadKey));
    }
}
