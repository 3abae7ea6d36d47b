//! Shell text as a syntax tree: which commands a block holds, and where each word of them stands.
//!
//! The grammar is tree-sitter's, because it gives exact byte ranges and goes on after a mistake. Words in angle brackets
//! (`<commit-hash>`) are replaced by words of the same length first: to a shell they are redirections, and the tree
//! would be lost. Nothing here is recursive without a bound on the depth of the tree.

mod assigned;
mod calls;
mod constants;
mod exported;
mod statements;
mod words;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

pub(crate) use assigned::assigned;
pub(crate) use calls::{Call, Input, Redirect, calls, calls_fed, pipeline, pipelines};
pub(crate) use constants::{Constants, assignments, evaluated};
pub(crate) use exported::exported;
pub(crate) use statements::{Statement, statements};
pub(crate) use words::Word;

use crate::placeholder;

/// Blocks that are longer are shown, not run.
pub(crate) const LONGEST: usize = 128 * 1024;
/// Trees that are deeper are not understood.
const DEEPEST: usize = 150;
/// How often the parser may ask whether to go on. It asks after a fixed amount of work, so that the bound is the same everywhere.
const LONGEST_PARSE: usize = 20_000;

/// Shell text with its tree.
pub(crate) struct Shell<'t> {
    text: Cow<'t, str>,
    tree: Tree,
}

impl<'t> Shell<'t> {
    /// Parses shell text; `None` when it is no shell text, or too long or too deep to be understood.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let text = placeholder::without_angles(text);
        let tree = tree(&text)?;
        Some(Self { text, tree })
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// The text of a node. Words in angle brackets stand in it as [`placeholder::without_angles`] wrote them.
    pub(crate) fn of(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// All of the text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The nodes from the root down to the one that holds a byte.
    pub(crate) fn path(&self, at: usize) -> Vec<Node<'_>> {
        let mut path = vec![self.root()];
        let mut cursor = self.tree.walk();
        while cursor.goto_first_child_for_byte(at).is_some() && cursor.node().start_byte() <= at {
            path.push(cursor.node());
        }
        path
    }
}

/// The last texts with their trees: one command is looked at from many sides, one after the other.
type Recent = VecDeque<(String, Option<Tree>)>;

/// So many texts are remembered.
const REMEMBERED: usize = 16;

thread_local! {
    static PARSER: RefCell<(Parser, Recent)> = RefCell::new((parser(), VecDeque::with_capacity(REMEMBERED)));
}

fn parser() -> Parser {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).expect("the grammar and the library fit together");
    parser
}

/// The tree of a text that is understood.
fn tree(text: &str) -> Option<Tree> {
    PARSER.with_borrow_mut(|(parser, recent)| {
        if let Some((_, tree)) = recent.iter().find(|(known, _)| known == text) {
            return tree.clone();
        }
        let tree = parsed(parser, text).filter(|tree| !tree.root_node().has_error() && !too_deep(tree));
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        recent.push_back((text.to_owned(), tree.clone()));
        tree
    })
}

fn parsed(parser: &mut Parser, text: &str) -> Option<Tree> {
    let mut asked = 0_usize;
    let mut go_on = |_: &ParseState| {
        asked += 1;
        if asked > LONGEST_PARSE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut go_on);
    let bytes = text.as_bytes();
    parser.reset();
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

fn too_deep(tree: &Tree) -> bool {
    let mut cursor = tree.walk();
    loop {
        if cursor.depth() as usize > DEEPEST {
            return true;
        }
        if cursor.goto_first_child() || cursor.goto_next_sibling() {
            continue;
        }
        loop {
            if !cursor.goto_parent() {
                return false;
            }
            if cursor.goto_next_sibling() {
                break;
            }
        }
    }
}

/// The named children of a node.
pub(crate) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}
