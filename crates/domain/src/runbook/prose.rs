//! Words and their form: a tree, never HTML.

use serde::{Deserialize, Serialize};

/// A block of prose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Prose {
    /// A paragraph; also the text of raw HTML, tags removed.
    Paragraph {
        /// Its line, 1-based.
        line: u32,
        /// Its words.
        words: Vec<Inline>,
    },
    /// A heading inside a part.
    Heading {
        /// Its line, 1-based.
        line: u32,
        /// 1 to 6.
        level: u8,
        /// Its words.
        words: Vec<Inline>,
    },
    /// A list that is not made of steps or ticks.
    List {
        /// Its line, 1-based.
        line: u32,
        /// The first number of an ordered list.
        start: Option<u64>,
        /// Its items.
        items: Vec<Vec<Prose>>,
    },
    /// A quote.
    Quote {
        /// Its line, 1-based.
        line: u32,
        /// What it holds.
        content: Vec<Prose>,
    },
    /// A table.
    Table {
        /// Its line, 1-based.
        line: u32,
        /// The cells of the head.
        head: Vec<Vec<Inline>>,
        /// The cells of each row.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// Code that is shown, not run.
    Code {
        /// Its line, 1-based.
        line: u32,
        /// The language as written.
        language: Option<String>,
        /// The text.
        text: String,
    },
    /// A rule between sections.
    Rule {
        /// Its line, 1-based.
        line: u32,
    },
}

/// A run of words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Inline {
    /// Plain words.
    Text {
        /// The words.
        text: String,
    },
    /// Inline code.
    Code {
        /// The code.
        text: String,
    },
    /// Emphasised words.
    Emphasis {
        /// The words.
        words: Vec<Inline>,
    },
    /// Strong words.
    Strong {
        /// The words.
        words: Vec<Inline>,
    },
    /// Struck words.
    Struck {
        /// The words.
        words: Vec<Inline>,
    },
    /// A link.
    Link {
        /// Where it leads. Only `http`, `https`, `mailto`, and addresses inside the portal.
        href: String,
        /// The words.
        words: Vec<Inline>,
    },
    /// A line break that the author asked for.
    Break,
}

/// The words without their form.
pub fn plain(words: &[Inline]) -> String {
    words
        .iter()
        .map(|word| match word {
            Inline::Text { text } | Inline::Code { text } => text.clone(),
            Inline::Emphasis { words }
            | Inline::Strong { words }
            | Inline::Struck { words }
            | Inline::Link { words, .. } => plain(words),
            Inline::Break => " ".to_owned(),
        })
        .collect()
}
