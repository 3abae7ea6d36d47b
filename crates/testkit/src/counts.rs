//! How often a test does something: seldom in every run, often when somebody wants a proof.

use std::str::FromStr;

/// The number in a variable of the environment, which `make prove` sets; what is usual without it.
///
/// # Panics
///
/// When the variable holds no number: a proof with another count than the wanted one would prove nothing.
#[must_use]
pub fn times<N: FromStr>(variable: &str, usual: N) -> N {
    let Ok(number) = std::env::var(variable) else { return usual };
    number.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {number}"))
}
