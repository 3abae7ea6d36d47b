//! A log of any length in a box that scrolls: only some of its lines are drawn, and the space above and below them is as high as the
//! others would be.
//!
//! Pure arithmetic: which line is at which place, and which lines have to be there for what a reader looks at.

use std::ops::Range;

/// The highest space that browsers can scroll, with room to spare. A log that is higher is drawn as if its lines were lower.
const HIGHEST: f64 = 12_000_000.0;

/// So many lines are drawn at most.
pub const DRAWN: u64 = 400;

/// All lines of a log, one below the other, in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    lines: u64,
    height: f64,
    /// Lines that are folded away, in order and apart from each other.
    folded: Vec<Range<u64>>,
}

/// From where to where something reaches, in pixels from the top of everything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Its top.
    pub top: f64,
    /// Its bottom.
    pub bottom: f64,
}

/// What a reader who has scrolled needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing: what they look at is drawn, and enough around it.
    Nothing,
    /// More of the lines beside those at which they look.
    More,
    /// Other lines: those around this one.
    Around(u64),
}

impl Sheet {
    /// For so many lines of a height, of which some are folded away: from the first of each on, up to and without another.
    pub fn new(lines: u64, height: f64, folded: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut sorted: Vec<Range<u64>> =
            folded.into_iter().map(|lines_of| lines_of.start..lines_of.end.min(lines + 1)).collect();
        sorted.retain(|range| range.start < range.end);
        sorted.sort_unstable_by_key(|range| range.start);
        let mut folded: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match folded.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => folded.push(range),
            }
        }
        Self { lines, height, folded }
    }

    /// How many lines can be seen before one.
    fn seen_before(&self, line: u64) -> u64 {
        let folded: u64 = self
            .folded
            .iter()
            .take_while(|range| range.start < line)
            .map(|range| range.end.min(line) - range.start)
            .sum();
        line.saturating_sub(1).min(self.lines) - folded.min(line.saturating_sub(1))
    }

    /// The height of a line where it is only space.
    fn line_height(&self) -> f64 {
        let seen = as_pixels(self.seen_before(self.lines + 1)).max(1.0);
        self.height.min(HIGHEST / seen)
    }

    /// The height of the space above a line.
    pub fn above(&self, line: u64) -> f64 {
        as_pixels(self.seen_before(line)) * self.line_height()
    }

    /// The height of the space from a line on to the end.
    pub fn rest_from(&self, line: u64) -> f64 {
        (self.above(self.lines + 1) - self.above(line)).max(0.0)
    }

    /// The line at a place, as if all of it were space.
    pub fn line_at(&self, top: f64) -> u64 {
        let seen = whole(top / self.line_height());
        let mut line = seen + 1;
        for range in &self.folded {
            if range.start > line {
                break;
            }
            line += range.end - range.start;
        }
        line.clamp(1, self.lines.max(1))
    }

    /// The lines that are to be drawn around one: those that are not folded away, in as many pieces as folds come between them.
    pub fn around(&self, line: u64) -> Vec<Range<u64>> {
        let from = self.seen_before(line).saturating_sub(DRAWN / 2);
        let to = from + DRAWN;
        let (mut pieces, mut seen, mut begin) = (Vec::new(), 0, 1);
        let behind = self.lines + 1..self.lines + 1;
        for fold in self.folded.iter().chain([&behind]) {
            let lines = fold.start.saturating_sub(begin);
            let (first, last) = (from.clamp(seen, seen + lines), to.clamp(seen, seen + lines));
            if first < last {
                pieces.push(begin + first - seen..begin + last - seen);
            }
            (seen, begin) = (seen + lines, fold.end);
        }
        pieces
    }

    /// Whether no line before the first of some, and none behind the last, is seen.
    pub fn edges(&self, drawn: &Range<u64>) -> (bool, bool) {
        let all = self.seen_before(self.lines + 1);
        (self.seen_before(drawn.start) == 0, self.seen_before(drawn.end) >= all)
    }

    /// What a reader needs whose box shows `view`, while the lines `drawn` take the place `block`.
    pub fn wanted(&self, view: Stretch, block: Stretch, drawn: &Range<u64>) -> Wanted {
        let margin = view.bottom - view.top;
        if view.bottom < block.top || view.top > block.bottom {
            return Wanted::Around(self.line_at(view.top));
        }
        let lacks_above = drawn.start > 1 && view.top < block.top + margin;
        let lacks_below = drawn.end <= self.lines && view.bottom > block.bottom - margin;
        if lacks_above || lacks_below { Wanted::More } else { Wanted::Nothing }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no log has so many lines that a pixel of them matters")]
fn as_pixels(lines: u64) -> f64 {
    lines as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a box is small and not negative"
)]
fn whole(number: f64) -> u64 {
    number.max(0.0).floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(lines: u64, folded: &[(u64, u64)]) -> Sheet {
        Sheet::new(lines, 20.0, folded.iter().map(|(from, to)| *from..*to))
    }

    #[test]
    fn each_line_has_its_place_and_each_place_its_line() {
        let sheet = sheet(1_000_000 / 2, &[]);

        for line in [1, 2, 400, 250_000, 500_000] {
            let top = sheet.above(line);
            assert_eq!((sheet.line_at(top), sheet.line_at(top + 19.9)), (line, line));
            assert!(
                (top + sheet.rest_from(line) - 10_000_000.0).abs() < 0.001,
                "the whole is as high wherever it is cut"
            );
        }
        assert_eq!([sheet.line_at(-5.0), sheet.line_at(1e12)], [1, 500_000]);
    }

    #[test]
    fn a_log_that_is_too_long_for_a_browser_is_drawn_lower_and_still_all_of_it_can_be_reached() {
        let sheet = sheet(100_000_000, &[]);

        let total = sheet.above(100_000_001);

        assert!((total - HIGHEST).abs() < 1.0, "{total}");
        for line in [1, 50_000_000, 100_000_000] {
            let found = sheet.line_at(sheet.above(line) + 0.0001);
            assert!(found.abs_diff(line) <= 1, "{found} for {line}");
        }
    }

    #[test]
    fn folded_lines_take_no_space() {
        let sheet = sheet(1_000, &[(501, 901), (101, 201), (150, 180)]);

        assert!((sheet.above(1_001) - 500.0 * 20.0).abs() < 0.001);
        assert!((sheet.above(101) - sheet.above(201)).abs() < 0.001, "the fold is between them");
        assert_eq!([0.0, 1_990.0, 2_000.0, 7_990.0, 8_000.0].map(|top| sheet.line_at(top)), [1, 100, 201, 500, 901]);
    }

    #[test]
    fn a_fold_without_an_end_reaches_to_the_end() {
        let sheet = sheet(100, &[(51, u64::MAX), (7, 7)]);

        assert!((sheet.above(101) - 1_000.0).abs() < 0.001);
        assert_eq!((sheet.line_at(5_000.0), sheet.above(51)), (100, 1_000.0));
    }

    #[test]
    fn an_empty_log_has_no_height() {
        let sheet = sheet(0, &[]);

        assert_eq!((sheet.above(1), sheet.rest_from(1), sheet.line_at(70.0)), (0.0, 0.0, 1));
    }

    #[test]
    fn what_a_reader_needs_depends_on_where_they_look() {
        let sheet = sheet(10_000, &[]);
        let drawn = 1_001..1_401;
        let block = Stretch { top: 20_000.0, bottom: 28_000.0 };
        let wanted = |top: f64| sheet.wanted(Stretch { top, bottom: top + 600.0 }, block, &drawn);

        assert_eq!([24_000.0, 20_700.0, 26_700.0].map(wanted), [Wanted::Nothing; 3]);
        assert_eq!([20_500.0, 19_900.0, 27_000.0, 27_900.0].map(wanted), [Wanted::More; 4]);
        assert_eq!([wanted(0.0), wanted(100_000.0)], [Wanted::Around(1), Wanted::Around(5_001)]);
    }

    fn one(lines: Range<u64>) -> Vec<Range<u64>> {
        std::iter::once(lines).collect()
    }

    #[test]
    fn around_a_line_as_many_are_drawn_before_it_as_behind_it() {
        let sheet = sheet(10_000, &[]);

        assert_eq!(
            [1, 200, 900, 10_000].map(|line| sheet.around(line)),
            [1..401, 1..401, 700..1_100, 9_800..10_001].map(one)
        );
        assert_eq!(self::sheet(0, &[]).around(5), []);
    }

    #[test]
    fn a_fold_in_between_makes_two_pieces_of_them() {
        let sheet = sheet(10_000, &[(101, 9_001), (9_051, 9_061)]);

        assert_eq!(sheet.around(50), [1..101, 9_001..9_051, 9_061..9_311]);
        assert_eq!(
            sheet.around(5_000),
            [1..101, 9_001..9_051, 9_061..9_311],
            "a line in the fold is where the fold is"
        );
        assert_eq!(sheet.around(9_900), one(9_700..10_001));
        let all = self::sheet(100, &[(1, 101)]);
        assert_eq!((all.around(7), all.edges(&(1..1))), (vec![], (true, true)));
        assert_eq!(sheet.edges(&(1..9_311)), (true, false));
        assert_eq!(self::sheet(100, &[(1, 51), (81, 101)]).edges(&(51..81)), (true, true));
    }

    #[test]
    fn at_the_begin_and_at_the_end_nothing_more_is_needed() {
        let sheet = sheet(500, &[]);
        let view = |top: f64| Stretch { top, bottom: top + 600.0 };

        assert_eq!(sheet.wanted(view(0.0), Stretch { top: 0.0, bottom: 8_000.0 }, &(1..401)), Wanted::Nothing);
        assert_eq!(
            sheet.wanted(view(9_400.0), Stretch { top: 2_000.0, bottom: 10_000.0 }, &(101..501)),
            Wanted::Nothing
        );
    }
}
