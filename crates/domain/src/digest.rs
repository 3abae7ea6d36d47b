//! SHA-256 over bytes, and over data in its canonical form.

use std::{fmt, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// The digest of a value's canonical JSON (RFC 8785), so that the order of fields and the form of numbers cannot matter.
    ///
    /// # Panics
    ///
    /// Never for the types of this crate: they have string keys and finite numbers only.
    pub fn of_canonical<T: Serialize>(value: &T) -> Self {
        Self::of(&serde_json_canonicalizer::to_vec(value).expect("domain types have string keys and finite numbers"))
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits in two groups, for people.
    pub fn short(&self) -> String {
        let head = |from: usize| self.0.get(from..from + 4).unwrap_or_default();
        format!("{} {}", head(0), head(4))
    }

    /// Takes a digest from its written form, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(hexadecimal)).then(|| Self(text.to_owned()))
    }
}

/// Takes bytes piece by piece, for what is too large to be in memory.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// The digest of all bytes that were written.
    pub fn digest(self) -> Digest {
        Digest(hex::encode(self.0.finalize()))
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_fields_does_not_change_a_digest() {
        let one = serde_json::json!({"a": 1, "b": [1.0, "x"]});
        let other: serde_json::Value = serde_json::from_str(r#"{"b":[1,"x"],"a":1}"#).unwrap();

        assert_eq!(Digest::of_canonical(&one), Digest::of_canonical(&other));
    }

    #[test]
    fn only_64_lower_case_digits_are_a_digest() {
        let digest = Digest::of(b"x");

        assert_eq!(Digest::parse(digest.as_str()), Some(digest.clone()));
        assert_eq!(Digest::parse(&digest.as_str().to_uppercase()), None);
        assert_eq!(Digest::parse("abc"), None);
    }
}
