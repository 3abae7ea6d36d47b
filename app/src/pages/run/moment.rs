//! Moments of a run, as its page and its record write them: always with the zone, and with the date beyond today.

use domain::Timestamp;
use leptos::prelude::*;

use crate::clock::Clock;

/// A moment: the time of day, and the date as well when it is not today.
#[component]
pub fn Moment(at: Timestamp) -> impl IntoView {
    let clock = Clock::here();
    let today = Memo::new(move |_| day(clock.now()) == day(at));
    let words = move || if today.get() { format!("{} UTC", at.time_of_day()) } else { at.absolute() };
    view! { <time datetime=at.iso() title=at.absolute()>{words}</time> }.into_any()
}

/// The date of a moment, as `Mon 23 Nov 2026`.
pub fn day(at: Timestamp) -> String {
    let absolute = at.absolute();
    absolute.split_once(',').map_or_else(|| absolute.clone(), |(day, _)| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_with_weekday_and_year() {
        assert_eq!(day(Timestamp(1_795_471_084_000)), "Mon 23 Nov 2026");
    }
}
