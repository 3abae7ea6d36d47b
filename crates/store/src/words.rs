//! Enums as the database writes them: by the names that they have everywhere else in JSON.

use serde::de::value::{Error as NotAWord, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The name of a value.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // Only enums without data come here; anything else would fail the column's CHECK.
        _ => String::new(),
    }
}

/// The value with a name.
pub(crate) fn parse<T: DeserializeOwned>(word: &str) -> Result<T, Error> {
    let deserializer: StrDeserializer<'_, NotAWord> = word.into_deserializer();
    <T as Deserialize>::deserialize(deserializer)
        .map_err(|_| Error::Inconsistent(format!("\"{word}\" is not one of the words that may stand there")))
}
