//! Markdown as a tree of nodes with line numbers.
//!
//! Built from the parser's flat events with an own stack, never by recursion, and no deeper than a bound: a file of a
//! million `>` is a shallow tree. Whatever lies deeper is kept in the innermost node that is allowed.

mod html;
// `is_tag` is needed where shell text is read, too.
pub(crate) use html::is_tag;
mod inline;

use domain::runbook::Inline;
use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::encoding::Repair;
use inline::Words;

/// Containers deeper than this are flattened.
const DEEPEST: usize = 40;

/// A block of Markdown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Its first line, 1-based.
    pub(crate) line: u32,
    /// Its last line.
    pub(crate) end_line: u32,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A heading, with its raw words for GitHub's slug rules.
    Heading { level: u8, words: Vec<Inline>, raw: String },
    /// A paragraph.
    Paragraph { words: Vec<Inline> },
    /// A list.
    List { start: Option<u64>, items: Vec<ListItem> },
    /// A quote.
    Quote { nodes: Vec<Node> },
    /// A table.
    Table { head: Vec<Vec<Inline>>, rows: Vec<Vec<Vec<Inline>>> },
    /// Code.
    Code(Code),
    /// A rule between sections.
    Rule,
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListItem {
    pub(crate) line: u32,
    pub(crate) nodes: Vec<Node>,
}

/// A block of code.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Code {
    /// Everything after the opening fence.
    pub(crate) language: Option<String>,
    /// The text without the block's indentation.
    pub(crate) text: String,
    /// The line of the file on which the text begins.
    pub(crate) first_line: u32,
    /// Whether the fence is closed.
    pub(crate) closed: bool,
}

/// Reads Markdown.
pub(crate) fn parse(text: &str, repair: Repair) -> Vec<Node> {
    let (front, rest_at) = front_matter(text);
    let mut builder = Builder::new(text, repair);
    builder.nodes().extend(front);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    for (event, range) in Parser::new_ext(&text[rest_at..], options).into_offset_iter() {
        builder.event(event, range.start + rest_at..range.end + rest_at);
    }
    builder.finish()
}

/// The block of `key: value` lines that some tools put at the top of a file, and where the rest begins.
fn front_matter(text: &str) -> (Option<Node>, usize) {
    let Some(body) = text.strip_prefix("---\n") else { return (None, 0) };
    let mut length = 0;
    for (count, line) in body.split_inclusive('\n').enumerate().take(200) {
        if matches!(line.trim_end(), "---" | "...") {
            let end = 4 + length + line.len();
            let node = Node {
                line: 1,
                end_line: u32::try_from(count).unwrap_or(u32::MAX).saturating_add(2),
                kind: Kind::Code(Code {
                    language: Some("yaml".to_owned()),
                    text: body[..length].to_owned(),
                    first_line: 2,
                    closed: true,
                }),
            };
            return (Some(node), end);
        }
        let like_yaml = line.contains(':') || line.trim_start().starts_with(['-', '#']) || line.starts_with(' ');
        if !like_yaml {
            break;
        }
        length += line.len();
    }
    (None, 0)
}

/// A node that is still open.
struct Open {
    line: u32,
    holds: Holds,
    nodes: Vec<Node>,
}

enum Holds {
    Document,
    List { start: Option<u64>, items: Vec<ListItem> },
    Item,
    Quote,
    Footnote { label: String },
}

#[derive(Default)]
struct TableRows {
    line: u32,
    head: Vec<Vec<Inline>>,
    rows: Vec<Vec<Vec<Inline>>>,
    row: Vec<Vec<Inline>>,
}

struct OpenCode {
    line: u32,
    language: Option<String>,
    fenced: bool,
    text: String,
    first: Option<usize>,
}

struct Builder<'t> {
    text: &'t str,
    repair: Repair,
    /// Offsets of the line ends.
    ends: Vec<usize>,
    open: Vec<Open>,
    /// For each container that the parser has open: whether it has its own entry in `open`.
    real: Vec<bool>,
    /// The words that are being read, with their first line.
    words: Option<(u32, Words)>,
    table: Option<TableRows>,
    code: Option<OpenCode>,
    html: Option<(u32, String)>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, repair: Repair) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let document = Open { line: 1, holds: Holds::Document, nodes: Vec::new() };
        Self {
            text,
            repair,
            ends,
            open: vec![document],
            real: Vec::new(),
            words: None,
            table: None,
            code: None,
            html: None,
        }
    }

    fn line(&self, at: usize) -> u32 {
        u32::try_from(self.ends.partition_point(|end| *end < at)).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The line of the last byte of a range that is not white space.
    fn end_line(&self, range: &std::ops::Range<usize>) -> u32 {
        let length = self.text[range.clone()].trim_end().len();
        self.line(range.start + length.saturating_sub(1))
    }

    fn nodes(&mut self) -> &mut Vec<Node> {
        &mut self.open.last_mut().expect("the document itself is never closed before the end").nodes
    }

    fn event(&mut self, event: Event<'_>, range: std::ops::Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, &range),
            Event::End(tag) => self.end(tag, &range),
            Event::Text(text) => self.plain(&text, &range),
            Event::Html(text) => match &mut self.html {
                Some((_, html)) => html.push_str(&text),
                None => self.words_at(&range).html(&text),
            },
            Event::InlineHtml(text) => self.words_at(&range).html(&text),
            Event::Code(text) => self.words_at(&range).code(&text),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.words_at(&range).text(&text),
            Event::FootnoteReference(label) => self.words_at(&range).text(&format!("[{label}]")),
            Event::SoftBreak => self.words_at(&range).text(" "),
            Event::HardBreak => self.words_at(&range).line_break(),
            Event::TaskListMarker(_) => {}
            Event::Rule => {
                self.close_words();
                let line = self.line(range.start);
                self.nodes().push(Node { line, end_line: line, kind: Kind::Rule });
            }
        }
    }

    fn plain(&mut self, text: &str, range: &std::ops::Range<usize>) {
        if let Some(code) = &mut self.code {
            code.first.get_or_insert(range.start);
            code.text.push_str(text);
        } else {
            self.words_at(range).text(text);
        }
    }

    /// The words that are being read; text that stands directly in an item opens a paragraph of its own.
    fn words_at(&mut self, range: &std::ops::Range<usize>) -> &mut Words {
        let line = self.line(range.start);
        &mut self.words.get_or_insert_with(|| (line, Words::default())).1
    }

    fn take_words(&mut self) -> (u32, Vec<Inline>, String) {
        let (line, words) = self.words.take().unwrap_or_default();
        let raw = words.raw();
        (line, words.finish(self.repair), raw)
    }

    /// Ends a paragraph that stands directly in an item.
    fn close_words(&mut self) {
        let Some((line, words)) = self.words.take() else { return };
        let end_line = words.breaks().saturating_add(line);
        let words = words.finish(self.repair);
        if !words.is_empty() {
            self.nodes().push(Node { line, end_line, kind: Kind::Paragraph { words } });
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: &std::ops::Range<usize>) {
        let line = self.line(range.start);
        match tag {
            Tag::Emphasis => self.words_at(range).open(inline::Form::Emphasis),
            Tag::Strong => self.words_at(range).open(inline::Form::Strong),
            Tag::Strikethrough => self.words_at(range).open(inline::Form::Struck),
            Tag::Superscript | Tag::Subscript => self.words_at(range).open(inline::Form::Plain),
            Tag::Link { dest_url, title, .. } | Tag::Image { dest_url, title, .. } => {
                let form = inline::Form::Link { href: dest_url.to_string(), title: title.to_string() };
                self.words_at(range).open(form);
            }
            block => {
                if !matches!(block, Tag::TableCell) {
                    self.close_words();
                }
                self.start_block(block, line);
            }
        }
    }

    fn start_block(&mut self, tag: Tag<'_>, line: u32) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::TableCell => self.words = Some((line, Words::default())),
            Tag::BlockQuote(kind) => {
                self.push(line, Holds::Quote);
                if let Some(kind) = kind {
                    let words = vec![Inline::Strong { words: vec![Inline::Text { text: alert(kind).to_owned() }] }];
                    self.nodes().push(Node { line, end_line: line, kind: Kind::Paragraph { words } });
                }
            }
            Tag::CodeBlock(kind) => {
                let (language, fenced) = match kind {
                    CodeBlockKind::Fenced(info) => (Some(info.trim().to_owned()).filter(|info| !info.is_empty()), true),
                    CodeBlockKind::Indented => (None, false),
                };
                self.code = Some(OpenCode { line, language, fenced, text: String::new(), first: None });
            }
            Tag::HtmlBlock => self.html = Some((line, String::new())),
            Tag::List(start) => self.push(line, Holds::List { start, items: Vec::new() }),
            Tag::Item => self.push(line, Holds::Item),
            Tag::FootnoteDefinition(label) => self.push(line, Holds::Footnote { label: label.to_string() }),
            Tag::Table(_) => self.table = Some(TableRows { line, ..TableRows::default() }),
            _ => {}
        }
    }

    fn push(&mut self, line: u32, holds: Holds) {
        let real = self.open.len() < DEEPEST;
        self.real.push(real);
        if real {
            self.open.push(Open { line, holds, nodes: Vec::new() });
        }
    }

    fn end(&mut self, tag: TagEnd, range: &std::ops::Range<usize>) {
        match tag {
            TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image => self.words_at(range).close(),
            TagEnd::Heading(level) => self.end_heading(level, range),
            TagEnd::Paragraph => {
                let (line, words, _) = self.take_words();
                let end_line = self.end_line(range);
                if !words.is_empty() {
                    self.nodes().push(Node { line, end_line, kind: Kind::Paragraph { words } });
                }
            }
            TagEnd::TableCell => {
                let (_, words, _) = self.take_words();
                if let Some(table) = &mut self.table {
                    table.row.push(words);
                }
            }
            TagEnd::TableHead => {
                if let Some(table) = &mut self.table {
                    table.head = std::mem::take(&mut table.row);
                }
            }
            TagEnd::TableRow => {
                if let Some(table) = &mut self.table {
                    let row = std::mem::take(&mut table.row);
                    table.rows.push(row);
                }
            }
            other => {
                self.close_words();
                self.end_block(other, range);
            }
        }
    }

    fn end_heading(&mut self, level: HeadingLevel, range: &std::ops::Range<usize>) {
        let line = self.line(range.start);
        let end_line = self.end_line(range);
        let (_, words, raw) = self.take_words();
        self.nodes().push(Node { line, end_line, kind: Kind::Heading { level: level as u8, words, raw } });
    }

    fn end_block(&mut self, tag: TagEnd, range: &std::ops::Range<usize>) {
        let end_line = self.end_line(range);
        match tag {
            TagEnd::CodeBlock => self.end_code(range),
            TagEnd::HtmlBlock => {
                if let Some((line, text)) = self.html.take() {
                    let nodes = html::paragraphs(&text, line, self.repair);
                    self.nodes().extend(nodes);
                }
            }
            TagEnd::Table => {
                if let Some(TableRows { line, head, rows, .. }) = self.table.take() {
                    self.nodes().push(Node { line, end_line, kind: Kind::Table { head, rows } });
                }
            }
            TagEnd::List(_) | TagEnd::Item | TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition
                if self.real.pop().unwrap_or(false) =>
            {
                self.pop(end_line);
            }
            _ => {}
        }
    }

    fn end_code(&mut self, range: &std::ops::Range<usize>) {
        let Some(code) = self.code.take() else { return };
        let end_line = self.end_line(range).max(code.line);
        let first_line = match (code.fenced, code.first) {
            (true, _) => code.line.saturating_add(1),
            (false, Some(first)) => self.line(first),
            (false, None) => code.line,
        };
        let closed = !code.fenced || fence_is_closed(&self.text[range.clone()]);
        let kind = Kind::Code(Code { language: code.language, text: code.text, first_line, closed });
        let line = if code.fenced { code.line } else { first_line };
        self.nodes().push(Node { line, end_line, kind });
    }

    fn pop(&mut self, end_line: u32) {
        let Some(Open { line, holds, nodes }) = self.open.pop() else { return };
        match holds {
            Holds::Item => self.keep_item(ListItem { line, nodes }),
            Holds::List { start, mut items } => {
                if !nodes.is_empty() {
                    items.push(ListItem { line, nodes });
                }
                self.nodes().push(Node { line, end_line, kind: Kind::List { start, items } });
            }
            Holds::Quote => self.nodes().push(Node { line, end_line, kind: Kind::Quote { nodes } }),
            Holds::Footnote { label } => {
                let words = vec![Inline::Text { text: format!("[{label}]") }];
                let head = Node { line, end_line: line, kind: Kind::Paragraph { words } };
                let nodes = std::iter::once(head).chain(nodes).collect();
                self.nodes().push(Node { line, end_line, kind: Kind::Quote { nodes } });
            }
            Holds::Document => self.open.push(Open { line, holds: Holds::Document, nodes }),
        }
    }

    fn keep_item(&mut self, item: ListItem) {
        match self.open.last_mut() {
            Some(Open { holds: Holds::List { items, .. }, .. }) => items.push(item),
            Some(open) => open.nodes.extend(item.nodes),
            None => {}
        }
    }

    fn finish(mut self) -> Vec<Node> {
        self.close_words();
        while self.open.len() > 1 {
            self.pop(0);
        }
        self.open.pop().map(|document| document.nodes).unwrap_or_default()
    }
}

/// Whether the text of a fenced block, from its opening fence, ends with a closing one.
fn fence_is_closed(block: &str) -> bool {
    let first = block.trim_start().lines().next().unwrap_or_default();
    let mark = first.chars().next().unwrap_or('`');
    let length = first.chars().take_while(|c| *c == mark).count();
    let quoted = |line: &str| line.trim_start_matches(|c: char| c == '>' || c.is_whitespace()).trim_end().to_owned();
    let last = block.trim_end().lines().skip(1).last().map(quoted).unwrap_or_default();
    last.chars().count() >= length && last.chars().all(|c| c == mark) && !last.is_empty()
}

fn alert(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "Note",
        BlockQuoteKind::Tip => "Tip",
        BlockQuoteKind::Important => "Important",
        BlockQuoteKind::Warning => "Warning",
        BlockQuoteKind::Caution => "Caution",
    }
}
