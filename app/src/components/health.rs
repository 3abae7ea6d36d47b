//! The last runs of a procedure as marks, oldest first: height is duration, shape is verdict.

use domain::run::{StepStatus, Verdict};
use domain::view::RunRow;
use leptos::prelude::*;

const PLACES: usize = 5;

/// One mark.
#[derive(Clone, Copy)]
enum Mark {
    None,
    Reached(u64),
    Not(u64),
    Back,
    Failed,
    Open,
}

/// The last runs in a list, at most five: marks only.
#[component]
pub fn Health(runs: Vec<RunRow>) -> impl IntoView {
    drawing(&runs, Some(words(&runs)))
}

/// The last runs, at most five: marks, and how many of them reached the expected outcome.
#[component]
pub fn HealthInWords(runs: Vec<RunRow>) -> impl IntoView {
    view! {
        {drawing(&runs, None)}
        {words(&runs)}
    }
    .into_any()
}

fn words(runs: &[RunRow]) -> String {
    let closed = runs.iter().filter(|run| run.verdict.is_some()).count();
    let reached = runs.iter().filter(|run| run.verdict == Some(Verdict::Reached)).count();
    match closed {
        0 => "no closed run yet".to_owned(),
        _ => format!("{reached} of last {closed} reached"),
    }
}

/// The marks. With a label they stand for words; without one the words stand beside them.
fn drawing(runs: &[RunRow], label: Option<String>) -> AnyView {
    let marks =
        marks(runs).into_iter().enumerate().map(|(place, mark)| draw(1 + 7 * place as u64, mark)).collect_view();
    let hidden = label.is_none().then_some("true");
    let role = label.is_some().then_some("img");
    view! {
        <svg class="health" width="35" height="18" viewBox="0 0 35 18" role=role aria-label=label aria-hidden=hidden>
            {marks}
        </svg>
    }
    .into_any()
}

fn marks(runs: &[RunRow]) -> [Mark; PLACES] {
    let longest = runs.iter().filter_map(duration).max().unwrap_or(1).max(1);
    let mut marks = [Mark::None; PLACES];
    let last = &runs[runs.len().saturating_sub(PLACES)..];
    for (place, run) in marks[PLACES - last.len()..].iter_mut().zip(last) {
        let height = 4 + 10 * duration(run).unwrap_or(0) / longest;
        *place = match run.verdict {
            None => Mark::Open,
            Some(Verdict::Reached) => Mark::Reached(height),
            Some(Verdict::RolledBack) => Mark::Back,
            Some(Verdict::Aborted) if run.status == StepStatus::Failed => Mark::Failed,
            Some(Verdict::NotReached | Verdict::Aborted) => Mark::Not(height),
        };
    }
    marks
}

fn duration(run: &RunRow) -> Option<u64> {
    Some(run.ended?.since(run.started))
}

fn draw(x: u64, mark: Mark) -> AnyView {
    match mark {
        Mark::None => view! { <rect class="none" x=x y="14" width="4" height="2" /> }.into_any(),
        Mark::Reached(height) => {
            view! { <rect class="reached" x=x y=16 - height width="4" height=height /> }.into_any()
        }
        Mark::Not(height) => {
            let (left, top) = (format!("{x}.5"), format!("{}.5", 16 - height));
            view! { <rect class="not" x=left y=top width="3" height=height - 1 /> }.into_any()
        }
        // The bent arrow of the verdict, as tall as five pixels allow.
        Mark::Back => view! { <path class="back" d=format!("m{} 6-2 2 2 2m-2-2h2.5v7.5", x + 2) /> }.into_any(),
        Mark::Failed => view! { <path class="failed" d=format!("m{x} 11 4 4m0-4-4 4") /> }.into_any(),
        Mark::Open => view! { <circle class="open" cx=x + 2 cy="13" r="2.25" /> }.into_any(),
    }
}
