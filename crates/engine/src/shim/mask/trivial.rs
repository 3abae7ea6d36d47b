//! Values that are no secrets: to mask them would only make a log unreadable.

const WORDS: &[&str] = &[
    "true",
    "false",
    "yes",
    "none",
    "null",
    "undefined",
    "enabled",
    "disabled",
    "always",
    "never",
    "auto",
    "default",
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "production",
    "development",
    "staging",
    "test",
    "testing",
    "local",
    "info",
    "debug",
    "warn",
    "warning",
    "error",
    "trace",
    "silent",
    "http",
    "https",
    "file",
    "memory",
    "redis",
    "mongo",
    "mongodb",
    "mysql",
    "mariadb",
    "postgres",
    "postgresql",
    "sqlite",
    "root",
    "admin",
    "user",
    "smtp",
    "cookie",
    "utf8",
    "utf-8",
    "json",
    "text",
    "public",
    "private",
    "required",
    "optional",
    "strict",
    "/bin/sh",
    "/bin/bash",
];

/// Shorter ones are found everywhere.
const SHORTEST: usize = 4;
/// Numbers with fewer digits are ports, sizes and counts.
const NUMBER: usize = 5;

/// Whether a value is too short, a number of few digits, or a word that everybody uses.
pub(super) fn is_trivial(value: &str) -> bool {
    let number = value.len() < NUMBER && value.bytes().all(|byte| byte.is_ascii_digit());
    value.len() < SHORTEST || number || WORDS.iter().any(|word| word.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_small_numbers_and_common_words_are_no_secrets() {
        for value in ["", "abc", "3333", "TRUE", "localhost", "production", "utf-8"] {
            assert!(is_trivial(value), "{value}");
        }
        for value in ["abcd", "33333", "truest", "local host"] {
            assert!(!is_trivial(value), "{value}");
        }
    }
}
