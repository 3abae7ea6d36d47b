//! How much time is left.

use domain::Timestamp;
use leptos::prelude::*;

use crate::clock::Clock;

/// The time until a moment as `26:48`, with the moment behind it.
#[component]
pub fn Left(until: Timestamp) -> impl IntoView {
    let clock = Clock::here();
    view! { <time datetime=until.iso() title=until.absolute()>{move || left(until, clock.now())}</time> }.into_any()
}

/// `26:48`, or `1:02:03` from an hour on.
pub fn left(until: Timestamp, now: Timestamp) -> String {
    let seconds = until.since(now).div_ceil(1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_down_to_nothing_and_not_below() {
        let left = |milliseconds| left(Timestamp(milliseconds), Timestamp(0));

        assert_eq!([left(1_608_000), left(59_001), left(0), left(-5)], ["26:48", "1:00", "0:00", "0:00"]);
        assert_eq!(left(3_723_000), "1:02:03");
    }
}
