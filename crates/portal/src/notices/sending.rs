//! What came of a try to send, in words that hold no secret.

use domain::Timestamp;
use domain::notice::next_try;
use domain::text::one_line;
use store::Outcome;

/// The longest reason that is kept, in characters.
const REASON: usize = 200;

/// Why a try did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It may succeed later.
    Later {
        /// Why, as the end of a sentence.
        why: String,
        /// For how many milliseconds the receiver asked to be left alone.
        asked_ms: Option<u64>,
    },
    /// It will not succeed.
    Never {
        /// Why, as the end of a sentence.
        why: String,
    },
}

impl Failure {
    /// It may succeed later.
    pub(super) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), asked_ms: None }
    }

    /// It will not succeed.
    pub(super) fn never(why: impl Into<String>) -> Self {
        Self::Never { why: why.into() }
    }
}

/// What is recorded of a try: `tries` is how many there were before it.
pub(super) fn outcome(
    result: Result<(), Failure>,
    (tries, made): (u32, Timestamp),
    now: Timestamp,
    chance: u64,
) -> Outcome {
    match result {
        Ok(()) => Outcome::Delivered,
        Err(Failure::Never { why }) => Outcome::GivenUp { error: one_line(&why, REASON) },
        Err(Failure::Later { why, asked_ms }) => {
            let error = one_line(&why, REASON);
            match next_try(tries.saturating_add(1), made, now, chance, asked_ms) {
                Some(next) => Outcome::Later { next, error },
                None => Outcome::GivenUp { error: format!("given up after a day: {error}") },
            }
        }
    }
}

/// The innermost cause of an error: what the system or the other side said.
pub(super) fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use domain::notice::GIVE_UP_MS;
    use testkit::NOW;

    use super::*;

    #[test]
    fn a_failure_that_may_pass_is_tried_again_until_a_day_is_over() {
        let failed = || Err(Failure::later("it answered 500\r\nInternal"));

        let again = outcome(failed(), (0, NOW), NOW, 0);
        let late = outcome(failed(), (90, NOW), NOW.plus(GIVE_UP_MS), 0);

        assert_eq!(again, Outcome::Later { next: NOW.plus(1_000), error: "it answered 500 Internal".to_owned() });
        assert_eq!(late, Outcome::GivenUp { error: "given up after a day: it answered 500 Internal".to_owned() });
        assert_eq!(outcome(Ok(()), (3, NOW), NOW, 0), Outcome::Delivered);
        assert_eq!(
            outcome(Err(Failure::never("it answered 404")), (0, NOW), NOW, 0),
            Outcome::GivenUp { error: "it answered 404".to_owned() }
        );
    }
}
