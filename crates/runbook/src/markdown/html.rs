//! Raw HTML as words: tags go, their text stays, and what only looks like a tag (`<commit-hash>`) is text.

use domain::runbook::Inline;

use super::{Kind, Node};
use crate::encoding::Repair;

/// The tags that authors use in Markdown. Anything else in angle brackets is a word that stands for a value.
const TAGS: &[&str] = &[
    "a",
    "abbr",
    "article",
    "aside",
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "li",
    "link",
    "main",
    "mark",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "picture",
    "pre",
    "q",
    "s",
    "samp",
    "script",
    "section",
    "select",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
];

/// Tags that end a line of text.
const ENDS_LINE: &[&str] = &[
    "article",
    "aside",
    "blockquote",
    "br",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "td",
    "th",
    "tr",
    "ul",
];

/// What a tag between words means.
pub(super) enum Meaning {
    Break,
    Nothing,
    Text(String),
    Comment(String),
}

/// The meaning of one tag or comment between words.
pub(super) fn inline(tag: &str) -> Meaning {
    if let Some(comment) = comment(tag) {
        return Meaning::Comment(comment.to_owned());
    }
    match name(tag) {
        Some("br") => Meaning::Break,
        Some("img") => Meaning::Text(attribute(tag, "alt").unwrap_or_default()),
        Some(name) if TAGS.contains(&name) => Meaning::Nothing,
        _ => Meaning::Text(tag.to_owned()),
    }
}

/// Whether a word in angle brackets is a tag of HTML.
pub(crate) fn is_tag(tag: &str) -> bool {
    name(tag).is_some_and(|name| TAGS.contains(&name))
}

fn comment(tag: &str) -> Option<&str> {
    let inner = tag.trim().strip_prefix("<!--")?;
    Some(inner.strip_suffix("-->").unwrap_or(inner).trim())
}

/// The name in a tag, if that is written in ASCII lower case as authors do.
fn name(tag: &str) -> Option<&'static str> {
    let inner = tag.strip_prefix("</").or_else(|| tag.strip_prefix('<'))?;
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    let next = inner[end..].chars().next();
    if !matches!(next, None | Some('>' | '/' | ' ' | '\n' | '\t')) {
        return None;
    }
    TAGS.iter().find(|known| known.eq_ignore_ascii_case(&inner[..end])).copied()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag.find(&format!("{name}="))?;
    let value = &tag[at + name.len() + 1..];
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

/// The text of a block of HTML: one paragraph per line of it that holds words.
pub(super) fn paragraphs(html: &str, first_line: u32, repair: Repair) -> Vec<Node> {
    let mut lines = Lines { line: first_line, started: first_line, text: String::new(), nodes: Vec::new(), repair };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        lines.text(&rest[..at]);
        rest = &rest[at..];
        let length = tag_length(rest);
        lines.tag(&rest[..length]);
        rest = &rest[length..];
    }
    lines.text(rest);
    lines.flush();
    lines.nodes
}

/// The length of the tag or comment that the text begins with; 1 when it is only a `<`.
fn tag_length(text: &str) -> usize {
    if text.starts_with("<!--") {
        return text.find("-->").map_or(text.len(), |at| at + 3);
    }
    let like_a_tag = text[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    // A bound, so that a file of many `<` without any `>` is read once and not once per `<`.
    let window = text.as_bytes().iter().take(4096);
    match window.enumerate().find(|(_, byte)| **byte == b'>') {
        Some((at, _)) if like_a_tag => at + 1,
        _ => 1,
    }
}

struct Lines {
    line: u32,
    started: u32,
    text: String,
    nodes: Vec<Node>,
    repair: Repair,
}

impl Lines {
    fn text(&mut self, text: &str) {
        for (index, piece) in text.split('\n').enumerate() {
            if index > 0 {
                self.flush();
                self.line = self.line.saturating_add(1);
                self.started = self.line;
            }
            self.text.push_str(piece);
        }
    }

    fn tag(&mut self, tag: &str) {
        if let Some(comment) = comment(tag) {
            self.flush();
            let words = vec![Inline::Emphasis { words: vec![Inline::Text { text: self.repair.text(comment) }] }];
            self.keep(words, comment.is_empty());
        } else {
            match name(tag) {
                Some(name) if ENDS_LINE.contains(&name) => self.flush(),
                _ => match inline(tag) {
                    Meaning::Text(text) => self.text.push_str(&text),
                    _ => self.text.push(' '),
                },
            }
        }
        let breaks = tag.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = unescape(text.trim());
        let words = vec![Inline::Text { text: self.repair.text(&text) }];
        self.keep(words, text.is_empty());
        self.started = self.line;
    }

    fn keep(&mut self, words: Vec<Inline>, empty: bool) {
        if !empty {
            self.nodes.push(Node { line: self.started, end_line: self.line, kind: Kind::Paragraph { words } });
        }
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let plain = text.replace("&nbsp;", "\u{a0}").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    plain.replace("&amp;", "&")
}
