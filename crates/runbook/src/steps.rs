//! The steps of a part: items of a numbered list, headings, or blocks in a row.

use domain::runbook::{Command, Inline, Item, PartContent, Prose, Step, StepContent, StepKind, StepSettings, plain};

use crate::code::{self, StepChoices};
use crate::markdown::{Code, Kind, ListItem, Node};
use crate::parts::{self, Context};

/// Titles longer than this are shortened; the whole text then stands in the step as well.
const LONGEST_TITLE: usize = 90;

/// A step before it is read.
#[derive(Debug)]
struct Draft {
    line: u32,
    title: String,
    nodes: Vec<Node>,
    /// Whether it began with an item of a list, so that what follows at the margin may belong to it.
    listed: bool,
}

/// A step, or what stands between steps.
#[derive(Debug)]
enum Piece {
    Step(Draft),
    Prose(Node),
}

/// Reads the steps of a part.
pub(crate) fn of_part(nodes: Vec<Node>, context: &mut Context) -> Vec<PartContent> {
    finish(cut(nodes), context)
}

/// Reads a rollback: its steps, or one step of all its blocks, or a checklist, or prose.
pub(crate) fn of_rollback(nodes: Vec<Node>, context: &mut Context) -> Vec<PartContent> {
    if !nodes.iter().any(parts::holds_shell) {
        return parts::lines(nodes);
    }
    let stepped = nodes
        .iter()
        .any(|node| parts::is_step_heading(node) || matches!(node.kind, Kind::List { .. }) && parts::holds_shell(node));
    if stepped {
        return of_part(nodes, context);
    }
    let first = nodes.iter().position(parts::holds_shell).unwrap_or(0);
    // Headings begin something else; what leads to the first block stays with it.
    let before =
        nodes[..first].iter().rposition(|node| matches!(node.kind, Kind::Heading { .. })).map_or(0, |at| at + 1);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut nodes = nodes;
    let rest = nodes.split_off(before);
    pieces.extend(nodes.into_iter().map(Piece::Prose));
    let line = rest.iter().find(|node| parts::holds_shell(node)).map_or(0, |node| node.line);
    pieces.push(Piece::Step(Draft { line, title: "Rollback".to_owned(), nodes: rest, listed: false }));
    finish(pieces, context)
}

fn finish(pieces: Vec<Piece>, context: &mut Context) -> Vec<PartContent> {
    let mut number = 0;
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Prose(node) => PartContent::Prose { prose: parts::prose(node) },
            Piece::Step(draft) => {
                number += 1;
                PartContent::Step { step: step(draft, number, context) }
            }
        })
        .collect()
}

/// Whether headings in a part are its steps.
fn headings_are_steps(nodes: &[Node]) -> bool {
    let headings = || nodes.iter().filter(|node| matches!(node.kind, Kind::Heading { .. }));
    if headings().any(parts::is_step_heading) {
        return true;
    }
    let numbered =
        nodes.iter().any(|node| matches!(&node.kind, Kind::List { start: Some(_), .. }) && parts::holds_shell(node));
    headings().next().is_some() && !numbered && nodes.iter().any(parts::holds_shell)
}

fn cut(nodes: Vec<Node>) -> Vec<Piece> {
    if headings_are_steps(&nodes) { by_headings(nodes) } else { in_a_row(nodes) }
}

fn by_headings(nodes: Vec<Node>) -> Vec<Piece> {
    let level = nodes
        .iter()
        .filter(|node| parts::is_step_heading(node))
        .chain(nodes.iter())
        .find_map(|node| match &node.kind {
            Kind::Heading { level, .. } => Some(*level),
            _ => None,
        })
        .unwrap_or(6);
    let mut before = Vec::new();
    let mut steps: Vec<Draft> = Vec::new();
    for node in nodes {
        match &node.kind {
            Kind::Heading { level: this, words, .. } if *this <= level => {
                let title = plain(words).trim().to_owned();
                let mut draft = Draft { line: node.line, title, nodes: Vec::new(), listed: false };
                if words.iter().any(has_link) {
                    draft.nodes.push(node);
                }
                steps.push(draft);
            }
            _ => match steps.last_mut() {
                Some(step) => step.nodes.push(node),
                None => before.push(node),
            },
        }
    }
    in_a_row(before).into_iter().chain(steps.into_iter().map(Piece::Step)).collect()
}

/// Items of lists are steps, blocks at the margin belong to the step before them or are steps of their own.
fn in_a_row(nodes: Vec<Node>) -> Vec<Piece> {
    let mut later_lists: Vec<bool> = nodes
        .iter()
        .rev()
        .scan(false, |seen, node| {
            let before = *seen;
            *seen |= matches!(&node.kind, Kind::List { start: Some(start), .. } if *start > 1);
            Some(before)
        })
        .collect();
    later_lists.reverse();
    let mut pieces: Vec<Piece> = Vec::new();
    for (node, list_goes_on) in nodes.into_iter().zip(later_lists) {
        match node.kind {
            Kind::List { start, items } if start.is_some() || !goes_with_step(&pieces, list_goes_on) => {
                pieces.extend(items.into_iter().map(of_item).map(Piece::Step));
            }
            Kind::Heading { .. } => pieces.push(Piece::Prose(node)),
            _ => at_margin(node, list_goes_on, &mut pieces),
        }
    }
    pieces
}

/// Whether what stands at the margin belongs to the step before it.
fn goes_with_step(pieces: &[Piece], list_goes_on: bool) -> bool {
    matches!(pieces.last(), Some(Piece::Step(step)) if step.listed && list_goes_on)
}

fn at_margin(node: Node, list_goes_on: bool, pieces: &mut Vec<Piece>) {
    let shell = parts::holds_shell(&node);
    if let Some(Piece::Step(step)) = pieces.last_mut()
        && step.listed
        && (list_goes_on
            || (shell && !step.nodes.iter().any(parts::holds_shell))
            || matches!(node.kind, Kind::Quote { .. }))
    {
        step.nodes.push(node);
        return;
    }
    if !shell {
        pieces.push(Piece::Prose(node));
        return;
    }
    // A block of its own: the paragraph that leads to it is its title.
    let mut draft = Draft { line: node.line, title: String::new(), nodes: Vec::new(), listed: false };
    if matches!(pieces.last(), Some(Piece::Prose(Node { kind: Kind::Paragraph { .. }, .. })))
        && let Some(Piece::Prose(lead)) = pieces.pop()
    {
        draft.line = lead.line;
        lead_to_title(lead, &mut draft);
    }
    draft.nodes.push(node);
    pieces.push(Piece::Step(draft));
}

fn lead_to_title(lead: Node, draft: &mut Draft) {
    let Kind::Paragraph { words } = lead.kind else { return };
    let (title, rest) = title_of(words);
    draft.title = title;
    if !rest.is_empty() {
        draft.nodes.push(Node { line: lead.line, end_line: lead.end_line, kind: Kind::Paragraph { words: rest } });
    }
}

fn of_item(item: ListItem) -> Draft {
    let mut draft = Draft { line: item.line, title: String::new(), nodes: Vec::new(), listed: true };
    let mut nodes = item.nodes.into_iter().peekable();
    if matches!(nodes.peek(), Some(Node { kind: Kind::Paragraph { .. } | Kind::Heading { .. }, .. }))
        && let Some(first) = nodes.next()
    {
        let (line, end_line) = (first.line, first.end_line);
        let (Kind::Paragraph { words } | Kind::Heading { words, .. }) = first.kind else { return draft };
        let (title, rest) = title_of(words);
        draft.title = title;
        if !rest.is_empty() {
            draft.nodes.push(Node { line, end_line, kind: Kind::Paragraph { words: rest } });
        }
    }
    draft.nodes.extend(nodes);
    draft
}

fn has_link(word: &Inline) -> bool {
    match word {
        Inline::Link { .. } => true,
        Inline::Emphasis { words } | Inline::Strong { words } | Inline::Struck { words } => words.iter().any(has_link),
        _ => false,
    }
}

/// The title that a paragraph gives, and what of the paragraph is to be shown below it.
fn title_of(mut words: Vec<Inline>) -> (String, Vec<Inline>) {
    if let Some(Inline::Strong { words: lead }) = words.first()
        && !lead.iter().any(has_link)
    {
        let title = tidy(&plain(lead));
        if !title.is_empty() && title.chars().count() <= LONGEST_TITLE {
            words.remove(0);
            trim_start(&mut words);
            return (title, words);
        }
    }
    let whole = plain(&words);
    let title = tidy(&whole);
    let formed = words.iter().any(|word| !matches!(word, Inline::Text { .. }));
    if title.chars().count() <= LONGEST_TITLE {
        let shown = if formed { words } else { Vec::new() };
        return (title, shown);
    }
    let short: String = title.chars().take(LONGEST_TITLE).collect();
    let short = short.rsplit_once(' ').map_or(short.as_str(), |(head, _)| head);
    (format!("{short} …"), words)
}

/// Words without the colon that leads to what follows.
fn tidy(title: &str) -> String {
    title.trim().trim_end_matches(':').trim().to_owned()
}

/// Drops what joins a bold lead to the sentence behind it.
fn trim_start(words: &mut Vec<Inline>) {
    if let Some(Inline::Text { text }) = words.first_mut() {
        *text = text.trim_start_matches([':', ' ', '–', '—', '-', '.']).to_owned();
        if text.is_empty() {
            words.remove(0);
        }
    }
    if matches!(words.first(), Some(Inline::Break)) {
        words.remove(0);
    }
}

fn step(draft: Draft, number: u32, context: &mut Context) -> Step {
    let mut reading = Reading { choices: StepChoices::default(), content: Vec::new(), context };
    for node in draft.nodes {
        reading.node(node);
    }
    let inside = reading.content;
    let mut step = Step {
        number,
        title: draft.title,
        line: draft.line,
        kind: StepKind::Manual,
        content: inside,
        settings: StepSettings::default(),
    };
    let commands: Vec<&Command> = step.commands().collect();
    step.kind = match commands.as_slice() {
        [] => StepKind::Manual,
        commands if code::connects(commands) => StepKind::Connect,
        _ => StepKind::Commands,
    };
    if step.kind == StepKind::Connect {
        let blocks = step.content.iter_mut().filter_map(|content| match content {
            StepContent::Block { block } => Some(block),
            _ => None,
        });
        blocks.flat_map(|block| &mut block.commands).for_each(code::only_connect);
    }
    if step.title.is_empty() {
        step.title = title_from_commands(&step).unwrap_or_else(|| format!("Step {number}"));
    }
    step
}

/// A sentence made from the first command.
fn title_from_commands(step: &Step) -> Option<String> {
    let first = step.commands().next()?;
    if let Some(label) = &first.label
        && label.chars().count() <= LONGEST_TITLE
    {
        return Some(label.clone());
    }
    let line = first.text.lines().next()?.trim_end_matches('\\').trim();
    let short: String = line.chars().take(60).collect();
    Some(if short.len() < line.len() { format!("Run {short} …") } else { format!("Run {short}") })
}

struct Reading<'c> {
    choices: StepChoices,
    content: Vec<StepContent>,
    context: &'c mut Context,
}

impl Reading<'_> {
    fn node(&mut self, node: Node) {
        match node.kind {
            Kind::Code(code) => self.code(&code, node.line),
            Kind::List { items, .. } => {
                for list_item in items {
                    let (item, rest) = parts::item(list_item);
                    self.choices.prose(&plain(&item.words));
                    self.content.push(StepContent::Item { item });
                    for node in rest {
                        self.node(node);
                    }
                }
            }
            Kind::Quote { nodes } => {
                self.content.push(StepContent::Note { prose: nodes.into_iter().map(parts::prose).collect() });
            }
            _ => {
                if let Kind::Paragraph { words } | Kind::Heading { words, .. } = &node.kind {
                    self.choices.prose(&plain(words));
                }
                self.content.push(StepContent::Prose { prose: parts::prose(node) });
            }
        }
    }

    /// "Alternatively:" between two blocks makes the one before it an alternative, too.
    fn exclude_block_before(&mut self) {
        let before = self.content.iter_mut().rev().find_map(|content| match content {
            StepContent::Block { block } if !block.commands.is_empty() => Some(block),
            _ => None,
        });
        let Some(block) = before.filter(|block| block.commands.iter().all(|command| command.choice.is_none())) else {
            return;
        };
        if let Some(choice) = self.choices.excluded_before() {
            for command in &mut block.commands {
                command.choice = Some(code::named(choice.clone(), command));
            }
        }
    }

    fn code(&mut self, code: &Code, line: u32) {
        self.exclude_block_before();
        match code::read(code, line, &mut self.choices, self.context.repair) {
            code::Read::Block(block, notes) => {
                self.context.notes.extend(notes);
                self.content.push(StepContent::Block { block });
            }
            code::Read::Checklist { lead, items } => {
                if let Some(info) = code.language.as_deref().filter(|info| info.contains(' ')) {
                    self.prose(line, info.to_owned());
                }
                if let Some((line, text)) = lead {
                    self.prose(line, text);
                }
                self.content.extend(items.into_iter().map(|item: Item| StepContent::Item { item }));
            }
        }
    }

    fn prose(&mut self, line: u32, text: String) {
        let prose = Prose::Paragraph { line, words: vec![Inline::Text { text }] };
        self.content.push(StepContent::Prose { prose });
    }
}
