//! Where the procedures of a document are: at which level of its headings, and what belongs to none.

use domain::runbook::PartKind;

use crate::code;
use crate::links;
use crate::markdown::{Kind, Node};
use crate::parts;

/// A procedure before its parts are known.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The heading; `None` when the whole file is one procedure without a heading.
    pub(crate) heading: Option<Node>,
    /// Everything below it.
    pub(crate) nodes: Vec<Node>,
}

/// A piece of a document in order.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// What belongs to no procedure.
    Between(Vec<Node>),
    /// A procedure.
    Procedure(Draft),
}

/// Cuts a document into procedures and what is between them.
pub(crate) fn pieces(nodes: Vec<Node>) -> Vec<Piece> {
    match level(&nodes) {
        Some(level) => cut(nodes, level),
        None if nodes.iter().any(is_runnable) => vec![Piece::Procedure(Draft { heading: None, nodes })],
        None => vec![Piece::Between(nodes)],
    }
}

fn heading_level(node: &Node) -> Option<u8> {
    match &node.kind {
        Kind::Heading { level, .. } => Some(*level),
        _ => None,
    }
}

/// What a section at a level holds that makes it a procedure.
#[derive(Clone, Copy, Debug, Default)]
struct Signs {
    /// Parts that only a procedure has, directly below it.
    parts: usize,
    /// Those of them that are its steps.
    actions: usize,
    /// "Step 1" directly below it.
    steps: usize,
    /// Code that could be run, or a numbered list, anywhere below it.
    runnable: bool,
    /// The same before its first heading.
    runnable_at_once: bool,
}

impl Signs {
    fn is_procedure(self) -> bool {
        self.parts > 0 || self.steps > 0 || self.runnable
    }
}

/// The sections at a level, by the index of their headings, with their signs.
fn sections(nodes: &[Node], level: u8) -> Vec<(usize, Signs)> {
    let mut found: Vec<(usize, Signs)> = Vec::new();
    let mut inside = false;
    let mut direct = u8::MAX;
    for (index, node) in nodes.iter().enumerate() {
        match heading_level(node) {
            Some(this) if this < level => inside = false,
            Some(this) if this == level => {
                inside = true;
                direct = u8::MAX;
                found.push((index, Signs::default()));
            }
            Some(this) if inside => {
                direct = direct.min(this);
                if let Some((_, signs)) = found.last_mut()
                    && this == direct
                {
                    let part = parts::known(node);
                    signs.parts += usize::from(part.is_some_and(makes_a_procedure));
                    signs.actions += usize::from(part == Some(PartKind::Steps));
                    signs.steps += usize::from(parts::is_step_heading(node));
                }
            }
            None if inside => {
                if let Some((_, signs)) = found.last_mut() {
                    signs.runnable |= is_runnable(node);
                    signs.runnable_at_once |= direct == u8::MAX && is_runnable(node);
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether a part says that what is above it is a procedure. An overview, prerequisites or references are in any document.
fn makes_a_procedure(kind: PartKind) -> bool {
    matches!(kind, PartKind::Trigger | PartKind::Steps | PartKind::Rollback | PartKind::Outcome | PartKind::Escalation)
}

fn is_runnable(node: &Node) -> bool {
    match &node.kind {
        Kind::Code(code) => code::is_shell(code),
        Kind::List { .. } if links::is_navigation(node) => false,
        Kind::List { start, items } => start.is_some() || items.iter().any(|item| item.nodes.iter().any(is_code)),
        _ => false,
    }
}

fn is_code(node: &Node) -> bool {
    matches!(&node.kind, Kind::Code(code) if code::is_shell(code))
}

/// The level at which procedures stand: where most parts of procedures are directly below. Of two equals the one with steps,
/// then the outer one.
fn level(nodes: &[Node]) -> Option<u8> {
    let by_level: Vec<(u8, Vec<(usize, Signs)>)> = (1..=5).map(|level| (level, sections(nodes, level))).collect();
    let best = |score: fn(&Signs) -> (usize, usize)| {
        let sum = |found: &[(usize, Signs)]| {
            found.iter().map(|(_, signs)| score(signs)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        };
        by_level
            .iter()
            .map(|(level, found)| (sum(found), *level))
            .filter(|(score, _)| score.0 > 0)
            .max_by_key(|(score, level)| (*score, std::cmp::Reverse(*level)))
            .map(|(_, level)| level)
    };
    best(|signs| (signs.parts, signs.actions))
        .or_else(|| best(|signs| (signs.steps, 0)))
        .or_else(|| by_content(&by_level))
}

/// Without any known part: the outermost level on which several sections can be run, or one that can be run at once.
fn by_content(by_level: &[(u8, Vec<(usize, Signs)>)]) -> Option<u8> {
    let outermost = by_level.iter().find(|(_, found)| found.iter().any(|(_, signs)| signs.runnable))?;
    let (level, found) = outermost;
    let at_once = found.iter().any(|(_, signs)| signs.runnable_at_once);
    let several = found.iter().filter(|(_, signs)| signs.runnable).count() > 1;
    if at_once || several {
        return Some(*level);
    }
    let inner = by_level.iter().filter(|(inner, _)| inner > level).find(|(_, found)| !found.is_empty());
    let many = inner.is_some_and(|(_, found)| found.iter().filter(|(_, signs)| signs.runnable).count() > 1);
    if many { inner.map(|(level, _)| *level) } else { Some(*level) }
}

fn cut(nodes: Vec<Node>, level: u8) -> Vec<Piece> {
    let procedures: Vec<usize> =
        sections(&nodes, level).into_iter().filter(|(_, signs)| signs.is_procedure()).map(|(index, _)| index).collect();
    let mut procedures = procedures.into_iter().peekable();
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        if procedures.next_if_eq(&index).is_some() {
            pieces.push(Piece::Procedure(Draft { heading: Some(node), nodes: Vec::new() }));
            continue;
        }
        let ends = heading_level(&node).is_some_and(|this| this <= level);
        match pieces.last_mut() {
            Some(Piece::Procedure(draft)) if !ends => draft.nodes.push(node),
            Some(Piece::Between(between)) => between.push(node),
            _ => pieces.push(Piece::Between(vec![node])),
        }
    }
    pieces
}
