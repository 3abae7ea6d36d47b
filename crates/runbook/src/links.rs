//! Headings as addresses, links inside a file, and what a table of contents says beside them.

use std::collections::{HashMap, HashSet};

use domain::Slug;
use domain::runbook::{Document, Inline, Item, PartContent, Prose, StepContent, plain};

use crate::markdown::{Kind, ListItem, Node};

/// The anchor that GitHub gives a heading.
pub(crate) fn github_anchor(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The address of a procedure: letters and digits of its title, with `-` between its words.
pub(crate) fn slug(title: &str) -> String {
    let mut slug = String::new();
    for character in title.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !matches!(character, '\'' | '’') && !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_end_matches('-').chars().take(120).collect();
    if slug.is_empty() { "procedure".to_owned() } else { slug }
}

/// The title without the emoji before it, and the emoji.
pub(crate) fn split_emoji(title: &str) -> (Option<String>, String) {
    let title = title.trim();
    let length = title.chars().take_while(|c| is_emoji(*c) || *c == ' ').map(char::len_utf8).sum();
    let (emoji, rest) = title.split_at(length);
    let emoji = emoji.trim();
    if emoji.is_empty() || rest.trim().is_empty() {
        return (None, title.to_owned());
    }
    (Some(emoji.to_owned()), rest.trim().to_owned())
}

fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{1F000}'..='\u{1FAFF}' | '\u{2190}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}'
        | '\u{FE0F}' | '\u{200D}' | '\u{20E3}' | '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}')
}

/// Where the anchors of one document lead.
#[derive(Debug, Default)]
pub(crate) struct Anchors {
    repaired: HashMap<String, Option<Slug>>,
    raw: HashMap<String, Option<Slug>>,
    seen_repaired: HashMap<String, u32>,
    seen_raw: HashMap<String, u32>,
}

impl Anchors {
    /// Takes note of a heading and of the procedure it belongs to, in the order of the file.
    pub(crate) fn heading(&mut self, node: &Node, procedure: Option<&Slug>) {
        let Kind::Heading { words, raw, .. } = &node.kind else { return };
        add(&mut self.repaired, &mut self.seen_repaired, github_anchor(&plain(words)), procedure);
        add(&mut self.raw, &mut self.seen_raw, github_anchor(raw), procedure);
    }

    /// Where an anchor leads.
    pub(crate) fn find(&self, anchor: &str) -> Leads<'_> {
        let anchor = percent_decoded(anchor).to_lowercase();
        match self.repaired.get(&anchor).or_else(|| self.raw.get(&anchor)) {
            Some(Some(slug)) => Leads::Procedure(slug),
            Some(None) => Leads::Text,
            None => Leads::Nowhere,
        }
    }
}

/// Where an anchor leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads<'a> {
    /// To a procedure.
    Procedure(&'a Slug),
    /// To a heading that belongs to no procedure.
    Text,
    /// No heading has it.
    Nowhere,
}

fn add(
    map: &mut HashMap<String, Option<Slug>>,
    seen: &mut HashMap<String, u32>,
    anchor: String,
    procedure: Option<&Slug>,
) {
    let count = seen.entry(anchor.clone()).or_insert(0);
    // GitHub numbers equal headings from the second on.
    let anchor = if *count == 0 { anchor } else { format!("{anchor}-{count}") };
    *count += 1;
    map.entry(anchor).or_insert_with(|| procedure.cloned());
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits =
            bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|two| std::str::from_utf8(two).ok());
        if let Some(byte) = digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// What a table of contents says beside each of its links, by the link's anchor.
pub(crate) fn subtitles(nodes: &[Node], found: &mut Vec<(String, String)>) {
    for node in nodes {
        match &node.kind {
            Kind::Table { rows, .. } => {
                for row in rows {
                    of_row(row, found);
                }
            }
            Kind::List { items, .. } => {
                for item in items {
                    of_item(item, found);
                    subtitles(&item.nodes, found);
                }
            }
            _ => {}
        }
    }
}

fn of_row(row: &[Vec<Inline>], found: &mut Vec<(String, String)>) {
    let Some(anchor) = row.iter().find_map(|cell| anchor_in(cell)) else { return };
    let beside = row
        .iter()
        .filter(|cell| anchor_in(cell).is_none())
        .map(|cell| plain(cell))
        .find(|text| text.chars().any(char::is_alphabetic));
    if let Some(text) = beside {
        found.push((anchor, text.trim().to_owned()));
    }
}

fn of_item(item: &ListItem, found: &mut Vec<(String, String)>) {
    let Some(Kind::Paragraph { words }) = item.nodes.first().map(|node| &node.kind) else { return };
    let Some(at) = words.iter().position(|word| matches!(word, Inline::Link { href, .. } if href.starts_with('#')))
    else {
        return;
    };
    let Inline::Link { href, .. } = &words[at] else { return };
    let text = plain(&words[at + 1..]);
    let text = text.trim().trim_start_matches(['-', '–', '—', ':']).trim();
    if !text.is_empty() {
        found.push((href[1..].to_owned(), text.to_owned()));
    }
}

fn anchor_in(words: &[Inline]) -> Option<String> {
    words.iter().find_map(|word| match word {
        Inline::Link { href, .. } => href.strip_prefix('#').map(str::to_owned),
        Inline::Emphasis { words } | Inline::Strong { words } | Inline::Struck { words } => anchor_in(words),
        _ => None,
    })
}

/// Whether a node is a list of links to headings: navigation, never steps.
pub(crate) fn is_navigation(node: &Node) -> bool {
    let Kind::List { items, .. } = &node.kind else { return false };
    !items.is_empty()
        && items.iter().all(|item| {
            matches!(item.nodes.first().map(|node| &node.kind), Some(Kind::Paragraph { words }) if anchor_in(words).is_some())
        })
}

/// Points every link of a document to where it leads; what leads nowhere safe becomes words. Returns the anchors that no
/// heading has.
pub(crate) fn resolve(document: &mut Document, anchors: &Anchors) -> Vec<(u32, String)> {
    let mut lost = Vec::new();
    let mut settle = |line: u32, words: &mut Vec<Inline>| settle_links(words, line, anchors, &mut lost);
    for prose in &mut document.preamble {
        in_prose(prose, &mut settle);
    }
    for procedure in &mut document.procedures {
        for part in &mut procedure.parts {
            for content in &mut part.content {
                in_content(content, &mut settle);
            }
        }
    }
    let mut once = HashSet::new();
    lost.retain(|found| once.insert(found.clone()));
    lost
}

fn settle_links(words: &mut Vec<Inline>, line: u32, anchors: &Anchors, lost: &mut Vec<(u32, String)>) {
    for word in &mut *words {
        match word {
            Inline::Link { words, .. }
            | Inline::Emphasis { words }
            | Inline::Strong { words }
            | Inline::Struck { words } => {
                settle_links(words, line, anchors, lost);
            }
            _ => {}
        }
    }
    let needs_work = |word: &Inline| matches!(word, Inline::Link { href, .. } if !is_outside(href));
    if !words.iter().any(needs_work) {
        return;
    }
    for word in std::mem::take(words) {
        match word {
            Inline::Link { href, words: inner } if !is_outside(&href) => {
                match href.strip_prefix('#').map(|anchor| anchors.find(anchor)) {
                    Some(Leads::Procedure(slug)) => {
                        words.push(Inline::Link { href: format!("/procedures/{slug}"), words: inner });
                    }
                    Some(Leads::Text) => words.extend(inner),
                    Some(Leads::Nowhere) => {
                        lost.push((line, href));
                        words.extend(inner);
                    }
                    // A file beside this one, or an address that no page may hold: its words, and the address as text.
                    None => {
                        words.extend(inner);
                        words.push(Inline::Text { text: format!(" ({href})") });
                    }
                }
            }
            other => words.push(other),
        }
    }
}

fn is_outside(href: &str) -> bool {
    let lower = href.to_ascii_lowercase();
    ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme))
}

type Visit<'v> = dyn FnMut(u32, &mut Vec<Inline>) + 'v;

fn in_content(content: &mut PartContent, visit: &mut Visit<'_>) {
    match content {
        PartContent::Prose { prose } => in_prose(prose, visit),
        PartContent::Item { item } => in_item(item, visit),
        PartContent::Step { step } => {
            for content in &mut step.content {
                match content {
                    StepContent::Prose { prose } => in_prose(prose, visit),
                    StepContent::Note { prose } => {
                        for prose in prose {
                            in_prose(prose, visit);
                        }
                    }
                    StepContent::Item { item } => in_item(item, visit),
                    StepContent::Block { .. } => {}
                }
            }
        }
    }
}

fn in_item(item: &mut Item, visit: &mut Visit<'_>) {
    visit(item.line, &mut item.words);
    for item in &mut item.items {
        in_item(item, visit);
    }
}

fn in_prose(prose: &mut Prose, visit: &mut Visit<'_>) {
    match prose {
        Prose::Paragraph { line, words } | Prose::Heading { line, words, .. } => visit(*line, words),
        Prose::List { items, .. } => items.iter_mut().flatten().for_each(|prose| in_prose(prose, visit)),
        Prose::Quote { content, .. } => content.iter_mut().for_each(|prose| in_prose(prose, visit)),
        Prose::Table { line, head, rows } => {
            for cell in head.iter_mut().chain(rows.iter_mut().flatten()) {
                visit(*line, cell);
            }
        }
        Prose::Code { .. } | Prose::Rule { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_follow_githubs_rules() {
        assert_eq!(github_anchor("🔄 Restart AdonisJS Backend Service"), "-restart-adonisjs-backend-service");
        assert_eq!(github_anchor("👤 User Access & SSH Audit"), "-user-access--ssh-audit");
        assert_eq!(github_anchor("⚡ Handle High CPU/Memory Usage"), "-handle-high-cpumemory-usage");
    }

    #[test]
    fn addresses_are_letters_digits_and_single_hyphens() {
        assert_eq!(slug("User Access & SSH Audit"), "user-access-ssh-audit");
        assert_eq!(slug("Don't panic!"), "dont-panic");
        assert_eq!(slug("🚀"), "procedure");
    }

    #[test]
    fn an_emoji_before_a_title_is_not_part_of_it() {
        assert_eq!(split_emoji("⚠️ Watch out"), (Some("⚠️".to_owned()), "Watch out".to_owned()));
        assert_eq!(split_emoji("🚀"), (None, "🚀".to_owned()));
        assert_eq!(split_emoji("2 nodes"), (None, "2 nodes".to_owned()));
    }
}
