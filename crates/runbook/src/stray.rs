//! Parts that repeat after a procedure's end: a copy of another procedure that lost its heading.

use std::collections::HashMap;

use domain::runbook::PartKind;
use similar::TextDiff;

use crate::markdown::Kind;
use crate::parts::{Draft, normal};

/// Copies must be at least this much alike.
const ALIKE: f32 = 0.9;
/// How many pairs of texts are compared at most in one document, and how long they may be together, in lines.
const MOST_COMPARISONS: usize = 400;
const MOST_LINES: usize = 4_000;

/// What was found after a procedure's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The procedure in which it stands, by index.
    pub(crate) host: usize,
    /// The line on which it begins.
    pub(crate) line: u32,
    /// The title of its first part.
    pub(crate) title: String,
    /// The procedure whose copy it is; `None` when parts repeat that belong to nobody else.
    pub(crate) copy_of: Option<usize>,
}

/// Finds the parts that repeat and marks copies as stray.
pub(crate) fn mark(procedures: &mut [Vec<Draft>], lines: &[&str]) -> Vec<Found> {
    let repeats: Vec<(usize, usize)> =
        procedures.iter().enumerate().filter_map(|(host, drafts)| first_repeat(drafts).map(|at| (host, at))).collect();
    if repeats.is_empty() {
        return Vec::new();
    }
    let originals = Originals::of(procedures, &repeats, lines);
    let mut budget = MOST_COMPARISONS;
    let mut found = Vec::new();
    for (host, at) in repeats {
        let (from, copy_of) = originals.copy(procedures, host, at, lines, &mut budget);
        let drafts = &mut procedures[host];
        let (line, title) = (drafts[from].line, drafts[from].title.clone());
        let line = match copy_of {
            Some(original) => {
                for draft in &mut drafts[from..] {
                    draft.kind = PartKind::Stray;
                }
                let lead = split_lead(drafts, from, originals.summary(original));
                lead.unwrap_or(line)
            }
            None => line,
        };
        found.push(Found { host, line, title, copy_of });
    }
    found
}

/// The first part whose title a part before it has already.
fn first_repeat(drafts: &[Draft]) -> Option<usize> {
    let titles: Vec<String> = drafts.iter().map(|draft| normal(&draft.title)).collect();
    let mut seen = std::collections::HashSet::new();
    titles.iter().position(|title| !title.is_empty() && !seen.insert(title.clone()))
}

fn text_lines<'l>(drafts: &[Draft], lines: &[&'l str]) -> Vec<&'l str> {
    let first = drafts.first().map_or(1, |draft| draft.line) as usize;
    let last = drafts.last().map_or(0, |draft| draft.end_line) as usize;
    let range = first.saturating_sub(1)..last.min(lines.len());
    let inside = lines.get(range).unwrap_or_default();
    inside.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect()
}

/// The texts of all procedures, without what repeats in them.
struct Originals<'l> {
    texts: Vec<Vec<&'l str>>,
    summaries: Vec<Vec<&'l str>>,
    by_text: HashMap<Vec<&'l str>, usize>,
    by_title: HashMap<String, Vec<usize>>,
}

impl<'l> Originals<'l> {
    fn of(procedures: &[Vec<Draft>], repeats: &[(usize, usize)], lines: &[&'l str]) -> Self {
        let ends: HashMap<usize, usize> = repeats.iter().copied().collect();
        let mut originals =
            Self { texts: Vec::new(), summaries: Vec::new(), by_text: HashMap::new(), by_title: HashMap::new() };
        for (index, drafts) in procedures.iter().enumerate() {
            let own = &drafts[..ends.get(&index).copied().unwrap_or(drafts.len())];
            let headed = own.iter().position(|draft| draft.heading.is_some()).unwrap_or(own.len());
            let text = text_lines(&own[headed..], lines);
            originals.by_text.entry(text.clone()).or_insert(index);
            if let Some(draft) = own.get(headed) {
                originals.by_title.entry(normal(&draft.title)).or_default().push(index);
            }
            originals.texts.push(text);
            originals.summaries.push(text_lines(&own[..headed], lines));
        }
        originals
    }

    fn summary(&self, index: usize) -> &[&'l str] {
        self.summaries.get(index).map_or(&[], Vec::as_slice)
    }

    /// Where the copy begins and whose it is. The part that repeats need not be the copy's first.
    fn copy(
        &self,
        procedures: &[Vec<Draft>],
        host: usize,
        at: usize,
        lines: &[&str],
        budget: &mut usize,
    ) -> (usize, Option<usize>) {
        let drafts = &procedures[host];
        for from in (at.saturating_sub(3).max(1)..=at).rev() {
            let text = text_lines(&drafts[from..], lines);
            if let Some(index) = self.by_text.get(text.as_slice()) {
                return (from, Some(*index));
            }
            let candidates = self.by_title.get(&normal(&drafts[from].title)).map_or(&[][..], Vec::as_slice);
            for index in candidates.iter().take(*budget) {
                if alike(&self.texts[*index], &text, budget) {
                    return (from, Some(*index));
                }
            }
        }
        (at, None)
    }
}

fn alike(one: &[&str], other: &[&str], budget: &mut usize) -> bool {
    let (shorter, longer) = if one.len() < other.len() { (one.len(), other.len()) } else { (other.len(), one.len()) };
    // With fewer lines than this in common, no comparison could find them alike.
    if shorter * 11 < longer * 9 || longer > MOST_LINES || *budget == 0 {
        return false;
    }
    *budget -= 1;
    TextDiff::from_slices(one, other).ratio() >= ALIKE
}

/// Moves the paragraphs after the last list of the procedure's own last part, when they are the copy's summary, to the
/// copy. Returns the line on which they begin.
fn split_lead(drafts: &mut Vec<Draft>, from: usize, summary: &[&str]) -> Option<u32> {
    let own = drafts.get_mut(from.checked_sub(1)?)?;
    let at = own.nodes.iter().rposition(|node| matches!(node.kind, Kind::List { .. } | Kind::Code(_)))? + 1;
    if at >= own.nodes.len() || summary.is_empty() {
        return None;
    }
    let words: Vec<String> = own.nodes[at..]
        .iter()
        .map(|node| match &node.kind {
            Kind::Paragraph { words } => domain::runbook::plain(words),
            _ => String::new(),
        })
        .collect();
    let (one, other) = (words.join(" "), summary.join(" "));
    if one.len() > 20_000 || TextDiff::from_words(one.as_str(), other.as_str()).ratio() < ALIKE {
        return None;
    }
    let nodes = own.nodes.split_off(at);
    own.end_line = own.nodes.iter().map(|node| node.end_line).max().unwrap_or(own.line);
    let line = nodes.first()?.line;
    let end_line = nodes.last()?.end_line;
    drafts.insert(from, Draft { title: String::new(), heading: None, line, end_line, kind: PartKind::Stray, nodes });
    Some(line)
}
