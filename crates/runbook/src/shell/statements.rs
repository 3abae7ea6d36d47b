//! The top-level commands of a block, with the comments that stand above them.

use tree_sitter::Node;

use super::Shell;

/// One top-level command: what stands on its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Where it begins in the block, in bytes.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// The line of the block on which it begins, from 0.
    pub(crate) row: usize,
    /// The comments since the command before it, and the one behind it on its line.
    pub(crate) comments: Vec<Comment>,
    /// Whether a blank line stands between it (or its comments) and what is before.
    pub(crate) apart: bool,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// Its words without the `#`.
    pub(crate) text: String,
    /// Its line of the block, from 0.
    pub(crate) row: usize,
    /// Whether it stands behind a command on the same line.
    pub(crate) behind: bool,
}

/// The commands of a block in order. Commands that share a line (`a; b`) are one, as the author wrote them.
pub(crate) fn statements(shell: &Shell<'_>) -> (Vec<Statement>, Vec<Comment>) {
    let mut cursor = shell.root().walk();
    let mut found: Vec<Statement> = Vec::new();
    let mut waiting = Vec::new();
    let mut last_row = None;
    for node in shell.root().children(&mut cursor) {
        match node.kind() {
            "comment" => comment(shell, node, &mut found, &mut waiting, last_row),
            _ if !node.is_named() => join(node, &mut found),
            _ => command(node, &mut found, &mut waiting, last_row),
        }
        last_row = Some(last_text_row(shell, node));
    }
    (found, waiting)
}

/// `;` and `&` belong to the command before them.
fn join(node: Node<'_>, found: &mut [Statement]) {
    if let Some(last) = found.last_mut()
        && node.kind() != "\n"
    {
        last.end = last.end.max(node.end_byte());
    }
}

fn comment(
    shell: &Shell<'_>,
    node: Node<'_>,
    found: &mut [Statement],
    waiting: &mut Vec<Comment>,
    last_row: Option<usize>,
) {
    let row = node.start_position().row;
    let text = shell.of(node).trim_start_matches('#').trim().to_owned();
    let behind = last_row == Some(row);
    match found.last_mut() {
        Some(last) if behind => last.comments.push(Comment { text, row, behind }),
        _ => waiting.push(Comment { text, row, behind: false }),
    }
}

fn command(node: Node<'_>, found: &mut Vec<Statement>, waiting: &mut Vec<Comment>, last_row: Option<usize>) {
    let row = node.start_position().row;
    match found.last_mut() {
        Some(last) if last_row == Some(row) => last.end = node.end_byte(),
        _ => {
            let comments = std::mem::take(waiting);
            let first = comments.first().map_or(row, |comment| comment.row);
            let before = if comments.is_empty() { last_row } else { found.last().map(|last| last.row) };
            let apart = before.is_none_or(|before| first > before + 1);
            found.push(Statement { start: node.start_byte(), end: node.end_byte(), row, comments, apart });
        }
    }
}

fn last_text_row(shell: &Shell<'_>, node: Node<'_>) -> usize {
    let trimmed = shell.of(node).trim_end();
    node.start_position().row + trimmed.matches('\n').count()
}
