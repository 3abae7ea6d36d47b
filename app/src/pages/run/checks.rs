//! Lines that the portal checks by itself: where they stand, a button to ask now, and why somebody overruled one.

use domain::Timestamp;
use domain::check::{CheckId, Held};
use domain::run::{CheckStanding, Run, StepStatus};
use leptos::prelude::*;

use super::notices::{RefusedHere, answering};
use crate::clock::Clock;
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::folded_line::FoldedLine;
use crate::components::glyph::{Glyph, Sign};
use crate::deeds::{Deeds, Hands, Place, holds};
use crate::live::Live;

/// What a page shows of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    standing: CheckStanding,
    stale: bool,
    /// When that became so.
    at: Option<Timestamp>,
    /// Who asked.
    by: String,
    /// What was seen.
    saw: Option<String>,
    /// Who overruled it, and why.
    overruled: Option<(String, String)>,
}

impl Shown {
    /// A check as it stands at a moment.
    pub fn of(run: &Run, id: CheckId, now: Timestamp) -> Self {
        let Some((_, record)) = run.last_check(id) else {
            let (by, standing) = (String::new(), CheckStanding::Never);
            return Self { standing, stale: false, at: None, by, saw: None, overruled: None };
        };
        let end = record.end.as_ref();
        let by = |tick: &domain::run::Tick| (tick.stamp.by.name().to_owned(), tick.note.clone());
        Self {
            standing: record.standing(now),
            stale: record.stale,
            at: Some(end.map_or(record.started.at, |(at, _)| *at)),
            by: record.started.by.name().to_owned(),
            saw: end.map(|(_, end)| end.sentence.clone()),
            overruled: record.overruled.as_ref().map(by),
        }
    }

    /// The shape beside it. What was seen before a step ran is green no more.
    pub const fn status(&self) -> StepStatus {
        match self.standing {
            CheckStanding::Asked => StepStatus::Running,
            CheckStanding::Never => StepStatus::Waiting,
            _ if self.stale => StepStatus::Waiting,
            CheckStanding::Answered(Held::Yes) => StepStatus::Done,
            CheckStanding::Answered(Held::No) => StepStatus::Failed,
            CheckStanding::Answered(Held::Unknown) | CheckStanding::Lost => StepStatus::Interrupted,
            CheckStanding::Overruled => StepStatus::Skipped,
        }
    }

    /// Where it stands, in words.
    pub const fn word(&self) -> &'static str {
        match self.standing {
            CheckStanding::Never => "not checked",
            CheckStanding::Asked => "checking",
            CheckStanding::Lost => "checked, and no answer came",
            CheckStanding::Overruled => "overruled",
            CheckStanding::Answered(held) => held.word(),
        }
    }

    /// Whether somebody may say that it does not count.
    const fn can_be_overruled(&self) -> bool {
        let open = matches!(self.standing, CheckStanding::Answered(Held::No | Held::Unknown) | CheckStanding::Lost);
        open && !self.stale
    }
}

/// Where a check stands, and what was seen.
fn told(shown: Shown) -> AnyView {
    let since = shown.at.map(|at| view! { ", " <Ago at /> });
    let by = (!shown.by.is_empty()).then(|| format!(", asked by {}", shown.by));
    let stale = shown.stale.then_some(", before a step ran");
    let word = shown.word();
    view! {
        <span class="by">{word}{since}{by}{stale}</span>
        {shown.saw.map(|saw| view! { <span class="saw">{saw}</span> })}
        {shown
            .overruled
            .map(|(by, reason)| view! { <span class="saw">{format!("Overruled by {by}: ")}<q>{reason}</q></span> })}
    }
    .into_any()
}

/// One line that is checked: of the outcome, or after a step.
pub fn check_line(live: Live, id: CheckId, text: AnyView, hands: Hands) -> AnyView {
    let clock = Clock::here();
    let what = live.run.with_untracked(|run| run.plan.check(id).map(|check| check.check.words()));
    let shown = Memo::new(move |_| live.run.with(|run| Shown::of(run, id, clock.now())));
    let status = Memo::new(move |_| shown.with(Shown::status));
    let place = Place::Check(id.step.unwrap_or(0), id.number);
    let forms = hands.then(|| {
        view! {
            <CheckForm live id shown />
            <OverruleForm live id shown />
            <div class="saw">
                <RefusedHere place />
            </div>
        }
    });
    // After a step the line says nothing but what is checked.
    let what =
        id.step.is_none().then(|| what.map(|what| view! { <span class="saw">{format!("Checked: {what}")}</span> }));
    view! {
        <li data-state=move || status.get().word() on:submit=answering(place)>
            {move || view! { <Glyph sign=Sign::State(status.get()) /> }}
            <span>{text}</span>
            {move || told(shown.get())}
            {what}
            {forms}
        </li>
    }
    .into_any()
}

/// The button that asks for one check.
#[component]
fn CheckForm(live: Live, id: CheckId, shown: Memo<Shown>) -> impl IntoView {
    let deeds = Deeds::here();
    let asked = Memo::new(move |_| shown.with(|shown| shown.standing == CheckStanding::Asked));
    let name = live.run.with_untracked(|run| run.check_name(id));
    let words = move || if shown.with(|shown| shown.at.is_none()) { "Check now" } else { "Check again" };
    view! {
        <ActionForm action=deeds.check attr:class="tick-form">
            <Named live id />
            <button
                class="btn"
                data-kind="quiet"
                type="submit"
                disabled=move || asked.get()
                aria-label=move || format!("{}: {name}", words())
            >
                {words}
            </button>
        </ActionForm>
    }
    .into_any()
}

/// The form with which whoever works in the run says why a check does not count.
#[component]
fn OverruleForm(live: Live, id: CheckId, shown: Memo<Shown>) -> impl IntoView {
    let deeds = Deeds::here();
    let holds = holds(live);
    let name = live.run.with_untracked(|run| run.check_name(id));
    let open = Memo::new(move |_| holds.get() && shown.with(Shown::can_be_overruled));
    view! {
        <ActionForm action=deeds.overrule attr:class="tick-form" attr:hidden=move || !open.get()>
            <Named live id />
            <FoldedLine
                summary="Overrule with a reason"
                name="reason"
                label=format!("Why this check does not count: {name}")
                button="Overrule this check"
                required=true
            />
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Named(live: Live, id: CheckId) -> impl IntoView {
    view! {
        <input type="hidden" name="run" value=live.id().0 />
        <input type="hidden" name="step" value=id.step.unwrap_or(0) />
        <input type="hidden" name="item" value=id.number />
    }
    .into_any()
}

/// The button that asks for all checks of the outcome.
#[component]
pub fn CheckAll() -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let place = Place::Check(0, 0);
    view! {
        <ActionForm action=deeds.check attr:class="actions" on:submit=answering(place)>
            <input type="hidden" name="run" value=live.id().0 />
            <input type="hidden" name="step" value="0" />
            <input type="hidden" name="item" value="0" />
            <button class="btn" type="submit" disabled=move || deeds.check.pending().get()>
                "Check the expected outcome"
            </button>
            <RefusedHere place />
        </ActionForm>
    }
    .into_any()
}

/// The checks that follow the step.
#[component]
pub fn AfterStep(step: u32, hands: Hands) -> impl IntoView {
    let live = Live::here();
    let after = live.run.with_untracked(|run| run.plan.step(step).map(|plan| plan.after.clone())).unwrap_or_default();
    let lines: Vec<AnyView> = after
        .iter()
        .map(|check| {
            let id = CheckId { step: Some(step), number: check.number };
            check_line(live, id, check.check.words().into_any(), hands)
        })
        .collect();
    (!lines.is_empty()).then(|| {
        view! {
            <p class="note">"Checked by the portal when this step has ended well:"</p>
            <ul class="checks">{lines}</ul>
        }
        .into_any()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(standing: CheckStanding) -> Shown {
        Shown { standing, stale: false, at: None, by: String::new(), saw: None, overruled: None }
    }

    #[test]
    fn only_what_held_since_the_last_step_is_green() {
        let held = shown(CheckStanding::Answered(Held::Yes));
        let standings = [
            CheckStanding::Never,
            CheckStanding::Asked,
            CheckStanding::Lost,
            CheckStanding::Overruled,
            CheckStanding::Answered(Held::No),
            CheckStanding::Answered(Held::Unknown),
        ];

        assert_eq!(held.status(), StepStatus::Done);
        assert_eq!(Shown { stale: true, ..held }.status(), StepStatus::Waiting);
        for standing in standings {
            assert_ne!(shown(standing).status(), StepStatus::Done, "{standing:?}");
        }
    }

    #[test]
    fn what_did_not_hold_or_is_not_known_can_be_overruled() {
        let open = [CheckStanding::Answered(Held::No), CheckStanding::Answered(Held::Unknown), CheckStanding::Lost];
        for standing in open {
            assert!(shown(standing).can_be_overruled(), "{standing:?}");
            assert!(!Shown { stale: true, ..shown(standing) }.can_be_overruled(), "{standing:?}");
        }
        for standing in [CheckStanding::Never, CheckStanding::Asked, CheckStanding::Answered(Held::Yes)] {
            assert!(!shown(standing).can_be_overruled(), "{standing:?}");
        }
    }
}
