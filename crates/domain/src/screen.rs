//! What a full-screen program shows: its screen as it stands, or as it was left; and what changes from one look to the next.

use serde::{Deserialize, Serialize};

use crate::terminal::{Span, Style, spans};

/// One line of a screen, piece by piece.
pub type Row = Vec<Span>;

/// Where the cursor is, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The row.
    pub row: u16,
    /// The column.
    pub column: u16,
}

/// The screen of a full-screen program. It stands in the place of the output that it is painted with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// The number of the command in its step.
    pub command: u32,
    /// The first byte of the output that it is painted with.
    pub from: u64,
    /// The byte after the last of them; `None` while it may change.
    pub to: Option<u64>,
    /// Its rows, without the empty ones at the end.
    pub rows: Vec<Row>,
    /// Where the cursor is, when it is shown.
    pub cursor: Option<Cursor>,
}

/// A screen as it travels: what is different since the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaint {
    /// The number of the command in its step.
    pub command: u32,
    /// The first byte of the output that it is painted with.
    pub from: u64,
    /// The byte after the last of them; `None` while it may change.
    pub to: Option<u64>,
    /// Whether rows that are not here are empty, and not as they were.
    pub whole: bool,
    /// How many rows there are.
    pub height: u16,
    /// The rows that are different, with their places from 0.
    pub rows: Vec<(u16, Row)>,
    /// Where the cursor is, when it is shown.
    pub cursor: Option<Cursor>,
}

impl Screen {
    /// What stands in its place once it is found to be none: no byte belongs to it.
    #[must_use]
    pub fn none(&self) -> Self {
        Self { command: self.command, from: self.from, to: Some(self.from), ..Self::default() }
    }

    /// Whether it is none.
    pub fn is_none(&self) -> bool {
        self.to == Some(self.from)
    }

    /// Whether the cursor is seen in a row, from 0.
    pub fn has_cursor(&self, place: usize) -> bool {
        self.cursor.is_some_and(|cursor| usize::from(cursor.row) == place)
    }

    /// A row with the cursor in it, as a cell in which text and ground change places.
    pub fn row_with_cursor(&self, place: usize) -> Row {
        let row = self.rows.get(place).cloned().unwrap_or_default();
        let Some(cursor) = self.cursor.filter(|cursor| usize::from(cursor.row) == place) else { return row };
        let characters =
            |span: Span| span.text.chars().map(move |character| (character, span.style)).collect::<Vec<_>>();
        let mut cells: Vec<(char, Style)> = row.into_iter().flat_map(characters).collect();
        let column = usize::from(cursor.column);
        cells.resize(cells.len().max(column + 1), (' ', Style::default()));
        if let Some((_, style)) = cells.get_mut(column) {
            style.inverse = !style.inverse;
        }
        spans(cells)
    }

    /// Whether a byte of the output is one that it is painted with.
    pub fn is_painted_with(&self, byte: u64) -> bool {
        byte >= self.from && self.to.is_none_or(|to| byte < to)
    }

    /// What somebody has to be told who knows it as it was before.
    pub fn since(&self, before: Option<&Self>) -> Repaint {
        let before = before.filter(|before| before.command == self.command);
        let known = before.map_or(&[] as &[Row], |before| &before.rows);
        let rows = (0..).zip(&self.rows);
        let rows =
            rows.filter(|(place, row)| known.get(usize::from(*place)).map_or(!row.is_empty(), |known| known != *row));
        Repaint {
            command: self.command,
            from: self.from,
            to: self.to,
            whole: before.is_none(),
            height: u16::try_from(self.rows.len()).unwrap_or(u16::MAX),
            rows: rows.map(|(place, row)| (place, row.clone())).collect(),
            cursor: self.cursor,
        }
    }

    /// Makes it what it is now.
    pub fn apply(&mut self, repaint: Repaint) {
        let Repaint { command, from, to, whole, height, rows, cursor } = repaint;
        if whole {
            self.rows.clear();
        }
        self.rows.resize(usize::from(height), Row::new());
        for (place, row) in rows {
            if let Some(known) = self.rows.get_mut(usize::from(place)) {
                *known = row;
            }
        }
        (self.command, self.from, self.to, self.cursor) = (command, from, to, cursor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(rows: &[&str]) -> Screen {
        let row = |text: &&str| match *text {
            "" => Row::new(),
            text => vec![Span { style: Style::default(), text: text.to_owned() }],
        };
        Screen { command: 1, rows: rows.iter().map(row).collect(), ..Screen::default() }
    }

    #[test]
    fn only_rows_that_are_different_travel_and_make_the_same_screen() {
        let looks = [
            screen(&["load 1", "", "nginx"]),
            screen(&["load 2", "", "nginx", "redis"]),
            screen(&["", "", "nginx"]),
            screen(&[]),
            screen(&["", "b", "c"]),
            Screen { to: Some(9), ..screen(&["", "b", "c"]) },
        ];
        let mut page = Screen::default();
        let mut before: Option<&Screen> = None;
        let mut travelled = Vec::new();

        for look in &looks {
            let repaint = look.since(before);
            travelled.push(repaint.rows.len());
            page.apply(repaint);
            assert_eq!(&page, look);
            before = Some(look);
        }

        assert_eq!(travelled, [2, 2, 1, 0, 2, 0]);
    }

    #[test]
    fn who_knows_nothing_or_another_command_is_told_everything() {
        let look = screen(&["a", "b"]);
        let other = Screen { command: 2, ..look.clone() };

        assert!(look.since(None).whole && other.since(Some(&look)).whole);
        assert_eq!(other.since(Some(&look)).rows.len(), 2);
    }

    #[test]
    fn a_row_without_looks_is_little_more_than_its_text() {
        let line = serde_json::to_string(&screen(&["load"]).rows).unwrap();

        assert_eq!(line, r#"[[{"text":"load"}]]"#);
        assert_eq!(serde_json::from_str::<Vec<Row>>(&line).unwrap(), screen(&["load"]).rows);
    }

    #[test]
    fn the_cursor_is_a_cell_turned_around_also_behind_the_text() {
        let at = |column| Screen { cursor: Some(Cursor { row: 0, column }), ..screen(&["añb", "c"]) };
        let turned = |row: Row| row.into_iter().map(|span| (span.text, span.style.inverse)).collect::<Vec<_>>();
        let piece = |text: &str, inverse| (text.to_owned(), inverse);

        let expected = [piece("a", false), piece("ñ", true), piece("b", false)];
        assert_eq!(turned(at(1).row_with_cursor(0)), expected);
        assert_eq!(turned(at(5).row_with_cursor(0)), [piece("añb  ", false), piece(" ", true)]);
        assert_eq!(turned(at(1).row_with_cursor(1)), [piece("c", false)]);
        assert_eq!(at(1).row_with_cursor(9), Row::new());
        assert!(at(1).has_cursor(0) && !at(1).has_cursor(1) && !screen(&["a"]).has_cursor(0));
    }

    #[test]
    fn a_row_beyond_the_height_is_passed_over() {
        let mut page = screen(&["a"]);

        page.apply(Repaint { rows: vec![(7, Row::new())], ..page.since(Some(&page)) });

        assert_eq!(page, screen(&["a"]));
    }
}
