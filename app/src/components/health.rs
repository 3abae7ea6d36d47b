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
    Failed,
    Open,
}

/// The last runs, at most five.
#[component]
pub fn Health(runs: Vec<RunRow>) -> impl IntoView {
    let closed = runs.iter().filter(|run| run.verdict.is_some()).count();
    let reached = runs.iter().filter(|run| run.verdict == Some(Verdict::Reached)).count();
    let label = match closed {
        0 => "no closed run yet".to_owned(),
        _ => format!("{reached} of the last {closed} reached the expected outcome"),
    };
    let marks =
        marks(&runs).into_iter().enumerate().map(|(place, mark)| draw(1 + 7 * place as u64, mark)).collect_view();
    view! {
        <svg class="health" width="35" height="18" viewBox="0 0 35 18" role="img" aria-label=label>
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
            Some(Verdict::Reached | Verdict::RolledBack) => Mark::Reached(height),
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
        Mark::Failed => view! { <path class="failed" d=format!("m{x} 11 4 4m0-4-4 4") /> }.into_any(),
        Mark::Open => view! { <circle class="open" cx=x + 2 cy="13" r="2.25" /> }.into_any(),
    }
}
