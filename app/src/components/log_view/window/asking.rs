//! Asking the portal for lines: one question after the other, and no answer is lost on a reader who scrolls on meanwhile.

use std::collections::BTreeSet;
use std::ops::Range;

use domain::AttemptId;
use domain::view::LinesView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Window;
use crate::AppError;
use crate::api::runs::lines;
use crate::live::log::Log;
use crate::live::log::pieces::{Edges, Pieces};

/// At most so many pieces between folds are asked for at once.
const PIECES: usize = 8;

/// A line, and how far below the top of the box it stands, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Anchor {
    pub line: u64,
    pub offset: f64,
    pub aim: Aim,
}

/// Whether a reader stays where they are, or goes to that line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    Stays,
    Goes,
}

/// Lines are asked for one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Asking {
    pub busy: bool,
    next: Option<Anchor>,
    /// Whether something was covered since they were asked for: the answer may still have it.
    outdated: bool,
    /// Whether the reader goes to what is asked for, or is to be asked for next.
    goes: bool,
    /// The lines that were asked for last: they are not asked for again by themselves.
    pub last: Vec<Range<u64>>,
}

impl Asking {
    /// Keeps what is to be asked for next. Whoever goes somewhere is not held back by what they scroll past meanwhile.
    fn put_off(&mut self, anchor: Anchor) {
        let goes = anchor.aim == Aim::Goes;
        if goes || !self.goes {
            (self.next, self.goes) = (Some(anchor), goes);
        }
    }

    /// Takes note of an answer; gives what is to be asked for next. Lines that have not come may be asked for again.
    fn taken(&mut self, answer: &Result<Vec<LinesView>, AppError>) -> Option<Anchor> {
        let came: u64 = answer.iter().flatten().map(|view| view.count).sum();
        if came < self.last.iter().map(|range| range.end - range.start).sum() {
            self.last.clear();
        }
        (self.busy, self.outdated) = (false, false);
        self.next.take()
    }

    /// Something was covered: what is on its way is not shown any more.
    pub(super) fn outdate(&mut self) {
        self.outdated = self.busy;
        self.last.clear();
    }

    /// Who goes along with the output again needs nothing that was put off.
    pub(super) fn forget_next(&mut self) {
        (self.next, self.goes) = (None, false);
    }
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It is shown, and this line brought to its place.
    Shown(Anchor),
    /// Other lines are asked for.
    Asked(Anchor),
    /// Its reader has gone elsewhere, or to the end and back.
    Dropped,
}

/// What becomes of an answer to what was asked for around a line: what is to be asked for next comes first, unless the answer has it as
/// well.
fn fate(asked: Anchor, next: Option<Anchor>, has_next: bool, has_gone: bool) -> Fate {
    match next {
        Some(next) if has_next => Fate::Shown(next),
        Some(next) => Fate::Asked(next),
        None if has_gone => Fate::Dropped,
        None => Fate::Shown(asked),
    }
}

impl Window {
    /// Asks the portal for the lines around one, which then stands where the anchor says. One question at a time: the newest of those
    /// that come meanwhile is asked next.
    pub(super) fn ask(self, anchor: Anchor) {
        let Some(list) = self.list.get_untracked() else { return };
        let (is_busy, asked) = self.asking.with_value(|asking| (asking.busy, asking.last.clone()));
        if is_busy {
            self.asking.update_value(|asking| asking.put_off(anchor));
            return;
        }
        let wanted = self.sheet(&list).around(anchor.line);
        let nothing_to_see = wanted.is_empty() && self.folded.with_untracked(BTreeSet::is_empty);
        if nothing_to_see || (wanted == asked && anchor.aim == Aim::Stays) {
            return;
        }
        let goes = anchor.aim == Aim::Goes;
        self.asking.set_value(Asking { busy: true, goes, last: wanted.clone(), ..Asking::default() });
        let (id, went) = (self.live.on_stage(), self.went());
        spawn_local(async move {
            let from_the_portal = async |from, most| lines(id.run, id.step, id.attempt, from, None, None, most).await;
            let answer = pieces(&from_the_portal, wanted, anchor.line).await;
            self.arrived(id, went, anchor, answer);
        });
    }

    /// The page may be gone by the time that an answer comes, or show something else.
    fn arrived(self, id: AttemptId, went: u64, anchor: Anchor, answer: Result<Vec<LinesView>, AppError>) {
        let taken = self.asking.try_update_value(|asking| (asking.outdated, asking.taken(&answer)));
        let Some((outdated, next)) = taken.filter(|_| self.live.on_stage() == id) else { return };
        if self.live.following.get_untracked() {
            return;
        }
        // Whoever has scrolled on to lines that have just come sees them now.
        let has_next = next.filter(|_| !outdated).is_some_and(|next| {
            answer.as_ref().is_ok_and(|views| any_has(views, next.line) || self.has_asked_around(next.line))
        });
        match (fate(anchor, next, has_next, outdated || self.has_gone(went)), answer) {
            (Fate::Asked(next), _) => {
                self.asking.update_value(|asking| asking.last.clear());
                self.ask(next);
            }
            (Fate::Dropped, _) => self.asking.update_value(|asking| asking.last.clear()),
            (Fate::Shown(anchor), Ok(views)) => {
                // The reader may have scrolled on meanwhile: what they see now stays where it is.
                let seen = self.first_in_sight().filter(|seen| any_has(&views, seen.line));
                let stays = seen.filter(|_| anchor.aim == Aim::Stays);
                self.anchor.set_value(Some(stays.unwrap_or(anchor)));
                self.show(&views);
                if has_next {
                    // They may be at the edge of them: what else they need is known once these have their place.
                    request_animation_frame(move || request_animation_frame(move || self.look()));
                }
            }
            (Fate::Shown(_), Err(error)) => self.said.set(error.to_string()),
        }
    }

    fn has_asked_around(self, line: u64) -> bool {
        let Some(list) = self.list.get_untracked() else { return false };
        let around = self.sheet(&list).around(line);
        self.asking.with_value(|asking| asking.last == around)
    }

    fn show(self, views: &[LinesView]) {
        let lines = self.held.with_untracked(|held| held.as_ref().map(|held| held.lines));
        let lines = lines.unwrap_or_else(|| self.live.log.with_untracked(Log::lines));
        if let Some(view) = views.last() {
            self.commands.set(view.commands.clone());
        }
        let pieces = self.live.log.with_untracked(|log| Pieces::of_views(log, views, lines));
        if let Some(list) = self.list.get_untracked() {
            let (begin, end) = self.sheet(&list).edges(&pieces.span());
            self.edges.set(Edges { begin, end });
        }
        self.held.set(Some(pieces));
    }
}

/// The lines in some ranges around one. Of long lines the portal gives fewer at once: then nothing stands before or behind a gap.
async fn pieces(
    fetch: &impl AsyncFn(u64, u64) -> Result<LinesView, AppError>,
    wanted: Vec<Range<u64>>,
    line: u64,
) -> Result<Vec<LinesView>, AppError> {
    let mut views = Vec::with_capacity(wanted.len());
    for range in wanted.into_iter().take(PIECES) {
        let view = piece_around(fetch, &range, line).await?;
        let (is_whole, is_before) = (reaches(&view, &range), range.end <= line);
        if view.line > range.start || (!is_whole && is_before) {
            views.clear();
        }
        if view.count > 0 && (is_whole || !is_before) {
            views.push(view);
        }
        if !is_whole && !is_before {
            break;
        }
    }
    Ok(views)
}

/// The lines in a range; when they are too long to be given at once, as many before the one that is meant as behind it.
async fn piece_around(
    fetch: &impl AsyncFn(u64, u64) -> Result<LinesView, AppError>,
    range: &Range<u64>,
    line: u64,
) -> Result<LinesView, AppError> {
    let mut from = range.start;
    loop {
        let view = fetch(from, range.end - from).await?;
        let half = view.count / 2;
        if reaches(&view, range) || !range.contains(&line) || line <= view.line + half {
            return Ok(view);
        }
        from = line - half;
    }
}

/// Whether lines reach to the end of a range. There may be no more of them than came.
fn reaches(view: &LinesView, range: &Range<u64>) -> bool {
    view.count == 0 || view.line + view.count >= range.end.min(view.lines + 1)
}

fn any_has(views: &[LinesView], line: u64) -> bool {
    views.iter().any(|view| (view.line..view.line + view.count).contains(&line))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    const LINES: u64 = 1_000;

    fn goes(line: u64) -> Anchor {
        Anchor { line, offset: 0.0, aim: Aim::Goes }
    }

    fn stays(line: u64) -> Anchor {
        Anchor { aim: Aim::Stays, ..goes(line) }
    }

    fn one(lines: Range<u64>) -> [Range<u64>; 1] {
        [lines]
    }

    fn asked_for(lines: Range<u64>) -> Asking {
        Asking { busy: true, last: vec![lines], ..Asking::default() }
    }

    fn views(lines: &[Range<u64>]) -> Vec<LinesView> {
        let view = |lines: &Range<u64>| LinesView {
            line: lines.start,
            count: lines.end - lines.start,
            lines: LINES,
            ..LinesView::default()
        };
        lines.iter().map(view).collect()
    }

    /// Which lines come of a log of which so many are given at once.
    fn come(at_once: u64, wanted: &[Range<u64>], line: u64) -> Vec<(u64, u64)> {
        let log = async |from: u64, most: u64| {
            let end = (from + most.min(at_once)).min(LINES + 1).max(from);
            Ok::<_, AppError>(LinesView { line: from, count: end - from, lines: LINES, ..LinesView::default() })
        };
        let came = block_on(pieces(&log, wanted.to_vec(), line)).unwrap();
        came.iter().map(|view| (view.line, view.line + view.count)).collect()
    }

    #[test]
    fn the_newest_place_is_asked_for_next_but_whoever_goes_somewhere_gets_there() {
        let mut asking = asked_for(300..700);

        asking.put_off(stays(100));
        asking.put_off(stays(200));
        assert_eq!(asking.next, Some(stays(200)));
        asking.put_off(goes(900));
        asking.put_off(stays(400));
        assert_eq!(asking.next, Some(goes(900)), "what one scrolls past meanwhile does not count");
        asking.put_off(goes(7));
        assert_eq!(asking.taken(&Ok(views(&one(300..700)))), Some(goes(7)));
        assert!(!asking.busy);
    }

    #[test]
    fn lines_that_have_not_come_are_asked_for_again_and_others_are_not() {
        let after = |answer: Result<Vec<LinesView>, AppError>| {
            let mut asking = asked_for(300..700);
            assert_eq!(asking.taken(&answer), None);
            asking.last
        };

        assert_eq!(after(Ok(views(&one(300..700)))).len(), 1);
        assert!(after(Ok(views(&one(300..350)))).is_empty());
        assert!(after(Err(AppError::Internal)).is_empty());
    }

    #[test]
    fn who_follows_again_is_not_led_away_by_what_was_put_off() {
        let mut asking = asked_for(300..700);
        asking.put_off(goes(900));

        asking.forget_next();

        assert_eq!(asking.taken(&Ok(Vec::new())), None);
        asking.put_off(stays(5));
        assert_eq!(asking.next, Some(stays(5)));
    }

    #[test]
    fn an_answer_that_is_on_its_way_when_something_is_covered_is_outdated_and_the_next_is_not() {
        let mut asking = asked_for(300..700);

        asking.outdate();
        assert!(asking.outdated && asking.last.is_empty());
        assert_eq!(asking.taken(&Ok(views(&one(300..700)))), None);
        assert!(!asking.outdated);
        asking.outdate();
        assert!(!asking.outdated, "nothing is on its way");
    }

    #[test]
    fn an_answer_is_shown_to_who_waits_for_it_also_when_they_went_to_its_lines_meanwhile() {
        assert_eq!(fate(stays(500), None, false, false), Fate::Shown(stays(500)));
        assert_eq!(fate(stays(1), Some(goes(1)), true, true), Fate::Shown(goes(1)));
        assert_eq!(fate(stays(500), Some(stays(900)), false, false), Fate::Asked(stays(900)));
        assert_eq!(fate(stays(500), Some(goes(900)), false, true), Fate::Asked(goes(900)));
        assert_eq!(fate(stays(500), None, false, true), Fate::Dropped);
    }

    #[test]
    fn an_answer_has_the_lines_that_came() {
        let came = views(&[1..101, 901..1_001]);

        let has = [1, 100, 101, 900, 901, 1_001].map(|line| any_has(&came, line));

        assert_eq!(has, [true, true, false, false, true, false]);
    }

    #[test]
    fn of_lines_that_are_too_long_to_be_given_at_once_those_around_the_one_that_is_meant_come() {
        assert_eq!(come(400, &one(300..700), 500), [(300, 700)]);
        assert_eq!(come(50, &one(300..700), 500), [(475, 525)]);
        assert_eq!(come(50, &one(300..700), 310), [(300, 350)]);
        assert_eq!(come(1, &one(300..700), 699), [(699, 700)]);
        assert_eq!(come(50, &one(960..1_001), 990), [(960, 1_001)], "there are no more");
    }

    #[test]
    fn beside_a_fold_no_lines_stand_before_or_behind_a_gap() {
        let around_a_fold = [1..101, 901..1_001];

        assert_eq!(come(400, &around_a_fold, 950), [(1, 101), (901, 1_001)]);
        assert_eq!(come(50, &around_a_fold, 950), [(925, 975)]);
        assert_eq!(come(50, &around_a_fold, 10), [(1, 51)]);
        assert_eq!(come(60, &[1..51, 901..1_001], 905), [(1, 51), (901, 961)]);
    }
}
