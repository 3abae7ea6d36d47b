//! Words in their forms, built one event at a time.

use domain::runbook::Inline;

use super::html;
use crate::encoding::Repair;

/// Forms deeper than this are flattened.
const DEEPEST: usize = 16;

/// The form of a run of words.
#[derive(Debug)]
pub(super) enum Form {
    Plain,
    Emphasis,
    Strong,
    Struck,
    Link { href: String, title: String },
}

/// Words that are being read.
#[derive(Debug, Default)]
pub(super) struct Words {
    done: Vec<Inline>,
    open: Vec<(Form, Vec<Inline>)>,
    /// Forms that were opened deeper than the bound.
    flattened: usize,
    breaks: u32,
    raw: String,
}

impl Words {
    fn here(&mut self) -> &mut Vec<Inline> {
        self.open.last_mut().map_or(&mut self.done, |(_, words)| words)
    }

    /// Adds plain words.
    pub(super) fn text(&mut self, more: &str) {
        self.raw.push_str(more);
        self.breaks = self.breaks.saturating_add(u32::from(more == " "));
        match self.here().last_mut() {
            Some(Inline::Text { text }) => text.push_str(more),
            _ => self.here().push(Inline::Text { text: more.to_owned() }),
        }
    }

    /// Adds inline code.
    pub(super) fn code(&mut self, code: &str) {
        self.raw.push_str(code);
        self.here().push(Inline::Code { text: code.to_owned() });
    }

    /// Adds a line break.
    pub(super) fn line_break(&mut self) {
        self.breaks = self.breaks.saturating_add(1);
        self.here().push(Inline::Break);
    }

    /// Adds a tag: a line break, nothing, or its own text when it is no tag of HTML (`<commit-hash>`).
    pub(super) fn html(&mut self, tag: &str) {
        match html::inline(tag) {
            html::Meaning::Break => self.line_break(),
            html::Meaning::Nothing => {}
            html::Meaning::Text(text) => self.text(&text),
            html::Meaning::Comment(text) => {
                self.here().push(Inline::Emphasis { words: vec![Inline::Text { text }] });
            }
        }
    }

    /// Opens a form.
    pub(super) fn open(&mut self, form: Form) {
        if self.open.len() >= DEEPEST {
            self.flattened += 1;
        } else {
            self.open.push((form, Vec::new()));
        }
    }

    /// Closes the innermost form.
    pub(super) fn close(&mut self) {
        if self.flattened > 0 {
            self.flattened -= 1;
        } else if let Some((form, words)) = self.open.pop() {
            self.keep(form, words);
        }
    }

    fn keep(&mut self, form: Form, mut words: Vec<Inline>) {
        let word = match form {
            Form::Plain => return self.here().extend(words),
            Form::Emphasis => Inline::Emphasis { words },
            Form::Strong => Inline::Strong { words },
            Form::Struck => Inline::Struck { words },
            Form::Link { href, title } => {
                if !title.trim().is_empty() {
                    words.push(Inline::Text { text: format!(" ({title})") });
                }
                if words.is_empty() {
                    words.push(Inline::Text { text: href.clone() });
                }
                Inline::Link { href, words }
            }
        };
        self.here().push(word);
    }

    /// The words as they stand in the file, without their form.
    pub(super) fn raw(&self) -> String {
        self.raw.clone()
    }

    /// How many lines the words go on after their first.
    pub(super) fn breaks(&self) -> u32 {
        self.breaks
    }

    /// The words, repaired; empty when there is nothing to read.
    pub(super) fn finish(mut self, repair: Repair) -> Vec<Inline> {
        while let Some((form, words)) = self.open.pop() {
            self.keep(form, words);
        }
        repair_all(&mut self.done, repair);
        let blank = self.done.iter().all(|word| match word {
            Inline::Text { text } => text.trim().is_empty(),
            Inline::Break => true,
            _ => false,
        });
        if blank { Vec::new() } else { self.done }
    }
}

fn repair_all(words: &mut [Inline], repair: Repair) {
    for word in words {
        match word {
            Inline::Text { text } | Inline::Code { text } => *text = repair.text(text),
            Inline::Emphasis { words }
            | Inline::Strong { words }
            | Inline::Struck { words }
            | Inline::Link { words, .. } => repair_all(words, repair),
            Inline::Break => {}
        }
    }
}
