//! Sealing: what of a second factor must not be readable in a copy of the database.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::PersonId;
use hkdf::Hkdf;
use rand::RngCore as _;
use sha2::Sha256;

use crate::Error;

const NONCE: usize = 24;

/// Seals and opens. Its key is derived from the portal's key file and never stored.
#[derive(Clone)]
pub(crate) struct Vault(XChaCha20Poly1305);

impl Vault {
    /// The vault of a portal with this key file.
    pub(crate) fn new(key_file: &[u8; 32]) -> Self {
        let mut key = [0_u8; 32];
        Hkdf::<Sha256>::new(None, key_file)
            .expand(b"runbook-portal: secrets of second factors", &mut key)
            .expect("32 bytes are not too many for SHA-256");
        Self(XChaCha20Poly1305::new(&key.into()))
    }

    /// Seals what belongs to a person. What is moved to another person's row cannot be opened there.
    pub(crate) fn seal(&self, person: &PersonId, secret: &[u8]) -> Result<String, Error> {
        let mut nonce = [0_u8; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: secret, aad: person.as_str().as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Broken("sealing a secret"))?;
        Ok(hex::encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed for a person.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when the key file is another one, or somebody has changed the row.
    pub(crate) fn open(&self, person: &PersonId, sealed: &str) -> Result<Vec<u8>, Error> {
        let bytes = hex::decode(sealed).unwrap_or_default();
        let opened = bytes.split_first_chunk::<NONCE>().and_then(|(nonce, sealed)| {
            let payload = Payload { msg: sealed, aad: person.as_str().as_bytes() };
            self.0.decrypt(&XNonce::from(*nonce), payload).ok()
        });
        opened.ok_or_else(|| {
            tracing::error!(user.id = %person, "the secret of a second factor cannot be opened with this key file");
            Error::Invalid(
                "Your authenticator app cannot be checked: its secret cannot be read with this portal's key file. Nothing was done; \
                 an administrator can remove it on the portal's machine, and you set it up again."
                    .to_owned(),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_file_opens_and_only_for_the_same_person() {
        let [vault, other] = [Vault::new(&[7; 32]), Vault::new(&[8; 32])];
        let [olga, otto] = [PersonId::from("olga"), PersonId::from("otto")];
        let sealed = vault.seal(&olga, b"secret").unwrap();

        assert_eq!(vault.open(&olga, &sealed).unwrap(), b"secret");
        assert!(vault.open(&otto, &sealed).is_err());
        assert!(other.open(&olga, &sealed).is_err());
        assert!(vault.open(&olga, &sealed[2..]).is_err());
        assert!(vault.open(&olga, "").is_err());
        assert!(!sealed.contains(&hex::encode(b"secret")));
        assert_ne!(vault.seal(&olga, b"secret").unwrap(), sealed, "no two sealings are alike");
    }
}
