//! The parts of a procedure: which heading is which, and what stands below it.

use domain::runbook::{Inline, Item, Part, PartContent, PartKind, Prose, plain};

use crate::code::{self, Note};
use crate::encoding::Repair;
use crate::markdown::{Kind, ListItem, Node};
use crate::steps;

/// What the reading of one document needs and collects.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) repair: Repair,
    /// What was noticed in blocks of code.
    pub(crate) notes: Vec<Note>,
}

/// A part before it is read.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The words of its heading.
    pub(crate) title: String,
    /// Its heading's words in their form.
    pub(crate) heading: Option<Node>,
    pub(crate) line: u32,
    pub(crate) end_line: u32,
    /// `None` until the table of synonyms has been asked.
    pub(crate) kind: PartKind,
    pub(crate) nodes: Vec<Node>,
}

/// Titles of parts, in lower case without punctuation.
const EXACT: &[(PartKind, &[&str])] = &[
    (
        PartKind::Trigger,
        &[
            "trigger conditions",
            "trigger",
            "triggers",
            "trigger condition",
            "when to use",
            "when to use this",
            "when to use this runbook",
            "when to use this procedure",
            "symptoms",
            "symptom",
            "signs",
            "alert",
            "alerts",
            "alert conditions",
            "when",
            "use when",
            "detection",
            "conditions",
            "indications",
            "indicators",
            "entry criteria",
            "related alerts",
            "applies when",
        ],
    ),
    (
        PartKind::Steps,
        &[
            "step by step actions",
            "step by step",
            "step by step instructions",
            "steps",
            "step",
            "actions",
            "action",
            "procedure",
            "procedures",
            "instructions",
            "resolution",
            "resolution steps",
            "mitigation",
            "mitigation steps",
            "remediation",
            "remediation steps",
            "diagnosis",
            "diagnostics",
            "diagnosis steps",
            "diagnostic steps",
            "investigation",
            "investigation steps",
            "pre checks",
            "prechecks",
            "pre check",
            "pre flight checks",
            "preflight checks",
            "preflight",
            "preparation",
            "execution",
            "how to",
            "how to fix",
            "fix",
            "solution",
            "solutions",
            "recovery",
            "recovery steps",
            "response",
            "response steps",
            "immediate actions",
            "action steps",
            "playbook",
            "tasks",
            "what to do",
            "commands",
            "implementation",
            "deployment steps",
            "troubleshooting",
            "troubleshooting steps",
            "runbook",
            "checks",
            "workaround",
            "process",
            "walkthrough",
        ],
    ),
    (
        PartKind::Rollback,
        &[
            "rollback",
            "rollback steps",
            "rollback procedure",
            "rollback plan",
            "roll back",
            "roll back steps",
            "rolling back",
            "backout",
            "back out",
            "backout plan",
            "back out plan",
            "undo",
            "revert",
            "reverting",
            "how to roll back",
            "recovery from failure",
            "fallback",
        ],
    ),
    (
        PartKind::Outcome,
        &[
            "expected outcome",
            "expected outcomes",
            "expected result",
            "expected results",
            "outcome",
            "outcomes",
            "success criteria",
            "verification",
            "verify",
            "validation",
            "post checks",
            "postchecks",
            "post check",
            "done when",
            "definition of done",
            "exit criteria",
            "acceptance criteria",
            "confirmation",
            "how to verify",
            "expected state",
            "post deployment verification",
            "result",
        ],
    ),
    (
        PartKind::Escalation,
        &[
            "escalation path",
            "escalation",
            "escalations",
            "escalation contacts",
            "escalation procedure",
            "escalate",
            "contacts",
            "contact",
            "who to call",
            "who to contact",
            "whom to call",
            "support",
            "on call",
            "escalation policy",
            "when to escalate",
            "points of contact",
            "owners",
            "owner",
        ],
    ),
    (PartKind::Summary, &["summary", "overview", "description", "purpose", "about", "goal", "objective"]),
    (
        PartKind::Prose,
        &[
            "meaning",
            "impact",
            "severity",
            "background",
            "prerequisites",
            "requirements",
            "before you begin",
            "notes",
            "note",
            "references",
            "related",
            "links",
            "see also",
            "context",
            "scope",
            "dashboards",
            "monitoring",
            "faq",
            "known issues",
            "assumptions",
            "access",
            "tools",
            "post mortem",
            "follow up",
            "communication",
            "resources",
            "cause",
            "causes",
            "root cause",
            "root causes",
            "prevention",
        ],
    ),
];

/// First words that make a longer title one of these, looked at in this order.
const BEGINNINGS: &[(PartKind, &[&str])] = &[
    (PartKind::Rollback, &["rollback", "roll back", "rolling back", "backout", "back out", "revert", "undo"]),
    (PartKind::Escalation, &["escalat", "who to", "whom to"]),
    (
        PartKind::Outcome,
        &["expected", "success criteria", "verif", "validat", "post check", "post deployment", "confirm"],
    ),
    (PartKind::Trigger, &["trigger", "symptom", "when to", "alert"]),
    (
        PartKind::Steps,
        &[
            "step",
            "pre check",
            "diagnos",
            "mitigat",
            "resol",
            "remediat",
            "investigat",
            "recover",
            "troubleshoot",
            "procedure",
            "instruction",
            "action",
        ],
    ),
];

/// A title in lower case, without emoji, punctuation and numbering.
pub(crate) fn normal(title: &str) -> String {
    let words: Vec<String> =
        title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let numbering = words.iter().take_while(|word| word.bytes().all(|byte| byte.is_ascii_digit())).count();
    let from = if numbering < words.len() { numbering } else { 0 };
    words[from..].join(" ")
}

fn exact(title: &str) -> Option<PartKind> {
    let title = normal(title);
    EXACT.iter().find(|(_, titles)| titles.contains(&title.as_str())).map(|(kind, _)| *kind)
}

/// What a part is for, by its title.
pub(crate) fn kind(title: &str) -> PartKind {
    let words = normal(title);
    let begins = || {
        BEGINNINGS
            .iter()
            .find(|(_, words_of)| words_of.iter().any(|beginning| words.starts_with(beginning)))
            .map(|(kind, _)| *kind)
    };
    let ends = || {
        let last = words.rsplit(' ').next().unwrap_or_default();
        EXACT
            .iter()
            .find(|(kind, titles)| *kind != PartKind::Prose && titles.contains(&last) && words.contains(' '))
            .map(|(kind, _)| *kind)
    };
    exact(title).or_else(begins).or_else(ends).unwrap_or(PartKind::Prose)
}

/// The part of a heading that the table knows word by word.
pub(crate) fn known(node: &Node) -> Option<PartKind> {
    match &node.kind {
        Kind::Heading { words, .. } => exact(&plain(words)),
        _ => None,
    }
}

/// Whether a heading is "Step 1", "Step 2: …", "3. …".
pub(crate) fn is_step_heading(node: &Node) -> bool {
    let Kind::Heading { words, .. } = &node.kind else { return false };
    let title = plain(words);
    let title = title.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let rest = title.strip_prefix("step").map(str::trim_start);
    let numbered = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if let Some(rest) = rest {
        return numbered(rest);
    }
    let after = title.trim_start_matches(|c: char| c.is_ascii_digit());
    numbered(&title) && after.starts_with(['.', ')']) && exact(&title).is_none()
}

/// Cuts the nodes of a procedure into parts at the outermost level of its headings.
pub(crate) fn drafts(nodes: Vec<Node>, first_line: u32) -> Vec<Draft> {
    let level = nodes.iter().filter_map(level_of).min();
    let mut drafts = vec![Draft {
        title: String::new(),
        heading: None,
        line: nodes.first().map_or(first_line, |node| node.line),
        end_line: first_line,
        kind: PartKind::Summary,
        nodes: Vec::new(),
    }];
    for node in nodes {
        let begins_part = level_of(&node).is_some() && level_of(&node) == level;
        if begins_part && is_step_heading(&node) {
            steps_draft(&mut drafts, &node).nodes.push(node);
        } else if begins_part {
            drafts.push(headed(node));
        } else if let Some(draft) = drafts.last_mut() {
            draft.nodes.push(node);
        }
    }
    drafts.retain(|draft| draft.heading.is_some() || !draft.nodes.is_empty());
    for draft in &mut drafts {
        settle(draft);
    }
    drafts
}

fn level_of(node: &Node) -> Option<u8> {
    match &node.kind {
        Kind::Heading { level, .. } => Some(*level),
        _ => None,
    }
}

fn headed(node: Node) -> Draft {
    let title = match &node.kind {
        Kind::Heading { words, .. } => plain(words).trim().to_owned(),
        _ => String::new(),
    };
    let kind = kind(&title);
    Draft { title, line: node.line, end_line: node.end_line, kind, heading: Some(node), nodes: Vec::new() }
}

/// Steps that are headings at the level of parts: they make a part of their own without a heading.
fn steps_draft<'d>(drafts: &'d mut Vec<Draft>, step: &Node) -> &'d mut Draft {
    let goes_on = drafts.last().is_some_and(|last| last.kind == PartKind::Steps && last.heading.is_none());
    let below_steps = drafts.last().is_some_and(|last| last.kind == PartKind::Steps && last.nodes.is_empty());
    if !goes_on && !below_steps {
        drafts.push(Draft {
            title: String::new(),
            heading: None,
            line: step.line,
            end_line: step.end_line,
            kind: PartKind::Steps,
            nodes: Vec::new(),
        });
    }
    drafts.last_mut().expect("a draft was there or has just been pushed")
}

/// Drops the rules at a part's end, and decides what its title leaves open.
fn settle(draft: &mut Draft) {
    while draft.nodes.last().is_some_and(|node| node.kind == Kind::Rule) {
        draft.nodes.pop();
    }
    draft.end_line =
        draft.nodes.iter().map(|node| node.end_line).max().unwrap_or(0).max(draft.end_line).max(draft.line);
    let has_code = draft.nodes.iter().any(holds_shell);
    let has_list = draft.nodes.iter().any(|node| matches!(node.kind, Kind::List { start: Some(_), .. }));
    match draft.kind {
        // A procedure without headings below it: what it says is its steps.
        PartKind::Summary if draft.heading.is_none() && (has_code || has_list) => draft.kind = PartKind::Steps,
        // "Verification" with commands is something to run.
        PartKind::Outcome if has_code => draft.kind = PartKind::Steps,
        PartKind::Summary if draft.heading.is_some() => draft.kind = PartKind::Prose,
        _ => {}
    }
}

/// Whether a node holds code that could be run.
pub(crate) fn holds_shell(node: &Node) -> bool {
    match &node.kind {
        Kind::Code(code) => code::is_shell(code),
        Kind::List { items, .. } => items.iter().any(|item| item.nodes.iter().any(holds_shell)),
        _ => false,
    }
}

/// Reads a part.
pub(crate) fn read(draft: Draft, context: &mut Context) -> Vec<Part> {
    let Draft { title, line, end_line, kind, nodes, .. } = draft;
    let inside = match kind {
        PartKind::Steps if title.is_empty() => return without_heading(nodes, line, end_line, context),
        PartKind::Steps => steps::of_part(nodes, context),
        PartKind::Rollback => steps::of_rollback(nodes, context),
        PartKind::Trigger | PartKind::Outcome | PartKind::Escalation => lines(nodes),
        PartKind::Summary | PartKind::Prose | PartKind::Stray => prose_content(nodes),
    };
    vec![Part { kind, title, line, end_line, content: inside }]
}

/// The text before the first step of a procedure without parts is its summary.
fn without_heading(nodes: Vec<Node>, line: u32, end_line: u32, context: &mut Context) -> Vec<Part> {
    let first = nodes
        .iter()
        .position(|node| holds_shell(node) || is_step_heading(node) || matches!(node.kind, Kind::List { .. }))
        .unwrap_or(nodes.len());
    // A line that leads to the first block ("Run this:") stays with it.
    let leads = first > 1
        && matches!(&nodes[first - 1].kind, Kind::Paragraph { words } if plain(words).trim_end().ends_with(':'));
    let first = if leads { first - 1 } else { first };
    let mut summary = nodes;
    let rest = summary.split_off(first);
    let mut parts = Vec::new();
    if let Some(last) = summary.last() {
        let end_line = last.end_line;
        parts.push(Part {
            kind: PartKind::Summary,
            title: String::new(),
            line,
            end_line,
            content: prose_content(summary),
        });
    }
    if let Some(node) = rest.first() {
        let line = node.line;
        let inside = steps::of_part(rest, context);
        parts.push(Part { kind: PartKind::Steps, title: String::new(), line, end_line, content: inside });
    }
    parts
}

/// Nodes as prose.
pub(crate) fn prose_content(nodes: Vec<Node>) -> Vec<PartContent> {
    nodes.into_iter().map(|node| PartContent::Prose { prose: prose(node) }).collect()
}

/// The lines of a part that is a list: each item by itself, other text in its place.
pub(crate) fn lines(nodes: Vec<Node>) -> Vec<PartContent> {
    let mut content = Vec::new();
    for node in nodes {
        match node.kind {
            Kind::List { items, .. } => {
                for list_item in items {
                    let (item, rest) = item(list_item);
                    content.push(PartContent::Item { item });
                    content.extend(rest.into_iter().map(|node| PartContent::Prose { prose: prose(node) }));
                }
            }
            _ => content.push(PartContent::Prose { prose: prose(node) }),
        }
    }
    content
}

/// An item with the bullets below it, and what else stands in it: code, quotes, tables.
pub(crate) fn item(list_item: ListItem) -> (Item, Vec<Node>) {
    let mut item = Item { line: list_item.line, words: Vec::new(), items: Vec::new() };
    let mut rest = Vec::new();
    for node in list_item.nodes {
        match node.kind {
            Kind::Paragraph { words } | Kind::Heading { words, .. } => {
                if !item.words.is_empty() {
                    item.words.push(Inline::Break);
                }
                item.words.extend(words);
            }
            Kind::List { items, .. } => {
                for inner in items {
                    let (inner, more) = self::item(inner);
                    item.items.push(inner);
                    rest.extend(more);
                }
            }
            _ => rest.push(node),
        }
    }
    (item, rest)
}

/// A node as prose.
pub(crate) fn prose(node: Node) -> Prose {
    let line = node.line;
    match node.kind {
        Kind::Heading { level, words, .. } => Prose::Heading { line, level, words },
        Kind::Paragraph { words } => Prose::Paragraph { line, words },
        Kind::List { start, items } => Prose::List {
            line,
            start,
            items: items.into_iter().map(|item| item.nodes.into_iter().map(prose).collect()).collect(),
        },
        Kind::Quote { nodes } => Prose::Quote { line, content: nodes.into_iter().map(prose).collect() },
        Kind::Table { head, rows } => Prose::Table { line, head, rows },
        Kind::Code(code) => Prose::Code { line, language: code.language, text: code.text },
        Kind::Rule => Prose::Rule { line },
    }
}
