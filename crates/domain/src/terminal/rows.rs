//! The rows that were printed last: a program can go back to them and write them anew, as the display of several downloads does.

use std::collections::VecDeque;

use super::Style;

/// A step's terminal has so many rows: nobody goes further back, the cursor stands in one of them.
const REACH: usize = 47;

/// A row that is longer than this is no part of such a display, and nobody goes back past it.
const WIDEST: usize = 1024;

/// A row as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    /// What stands in it.
    pub cells: Vec<(char, Style)>,
    /// How often it was written over.
    pub redraws: u32,
    /// Whether it goes on from the row before.
    pub continued: bool,
}

/// The rows around the one in which the cursor is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// Those above, as far as they can be gone back to; the nearest is the last.
    above: VecDeque<Drawn>,
    /// Those below, after somebody went back; the nearest is the last.
    below: Vec<Drawn>,
    /// How many rows that were given out are not finished any more.
    pub gone_back: u32,
}

impl Rows {
    /// Whether the cursor is in the last row.
    pub fn is_at_the_end(&self) -> bool {
        self.below.is_empty()
    }

    /// Those below the cursor, from top to bottom.
    pub fn below(&self) -> impl Iterator<Item = &Drawn> {
        self.below.iter().rev()
    }

    /// From a row to the one above it; without one, nothing happens and the row comes back.
    pub fn up(&mut self, row: Drawn) -> Result<Drawn, Drawn> {
        let Some(above) = self.above.pop_back() else { return Err(row) };
        self.below.push(row);
        self.gone_back += 1;
        Ok(above)
    }

    /// From a row that is given out to the one below it, which may be a new one.
    pub fn down(&mut self, row: Drawn) -> Option<Drawn> {
        self.gone_back = 0;
        if row.cells.len() > WIDEST {
            self.above.clear();
        } else {
            self.above.push_back(row);
        }
        let next = self.below.pop();
        while self.above.len() > REACH.saturating_sub(self.below.len()) {
            self.above.pop_front();
        }
        next
    }

    /// Empties those below the cursor.
    pub fn erase_below(&mut self) {
        self.below.iter_mut().for_each(|row| row.cells.clear());
    }
}
