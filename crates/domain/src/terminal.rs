//! What a terminal would have shown: the output of a step as lines of styled text.
//!
//! Output is text written by somebody else. Only colours and a few attributes are understood, a carriage return and a
//! backspace write over what stands there, erasing a line erases it, and the cursor can go back to the last rows, as programs
//! do that show several downloads at once. Every other sequence (CSI, OSC, DCS, C1) is dropped, so that no page can be made to
//! do something by what a command prints. Pieces may be cut anywhere.

mod characters;
mod looks;
mod rows;

use rows::{Drawn, Rows};

pub use characters::{readable, whole_characters};
pub use looks::{Colour, Line, Span, Style, spans};

/// The longest line in characters; a longer one goes on in the next.
pub const LINE_LIMIT: usize = 16 * 1024;

/// The longest string inside an escape sequence, in characters; what comes after it is text again.
const STRING_LIMIT: u32 = 4096;

/// The most numbers of one sequence that count.
const PARAMETERS: usize = 32;

/// A step's terminal has so many columns: no sequence sends the cursor further to the right.
const COLUMNS: usize = 160;

/// Where the reader stands in an escape sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// In text.
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate character: one more belongs to it.
    Charset,
    /// In a control sequence.
    Control,
    /// In a control sequence that is private or malformed: read to its end and dropped.
    Ignored,
    /// In a string (OSC, DCS, SOS, PM, APC): dropped up to its end.
    Sequence { length: u32 },
    /// After ESC in a string.
    Ending { length: u32 },
}

/// Turns output into lines, piece by piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    state: State,
    numbers: Vec<Option<u16>>,
    style: Style,
    cells: Vec<(char, Style)>,
    column: usize,
    returned: bool,
    redraws: u32,
    continued: bool,
    rows: Rows,
}

impl Terminal {
    /// One that stands at the begin of a line, with the style that was chosen before.
    pub fn with_style(style: Style) -> Self {
        Self { style, ..Self::default() }
    }

    /// The style in which the next character is written.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Whether it stands in text, and not in a sequence that is not whole yet.
    pub fn is_in_text(&self) -> bool {
        self.state == State::Text
    }

    /// The same without the rows around the one in which the cursor is.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        Self {
            state: self.state,
            numbers: self.numbers.clone(),
            style: self.style,
            cells: self.cells.clone(),
            column: self.column,
            returned: self.returned,
            redraws: self.redraws,
            continued: self.continued,
            rows: Rows::default(),
        }
    }

    /// Reads a piece and gives the lines that are finished now.
    pub fn push(&mut self, text: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        for character in text.chars() {
            self.step(character, &mut lines);
        }
        lines
    }

    /// The line that is not finished yet; `None` when it is empty.
    pub fn open(&self) -> Option<Line> {
        (!self.cells.is_empty()).then(|| self.line())
    }

    /// How many of the lines that were given out last are not finished any more.
    pub fn gone_back(&self) -> u32 {
        self.rows.gone_back
    }

    /// Whether the cursor is in the last line, as it is unless it went back.
    pub fn is_at_the_end(&self) -> bool {
        self.rows.is_at_the_end()
    }

    /// All lines that are not finished: the one in which the cursor is, and those below it. An empty one at the end is none.
    pub fn open_lines(&self) -> Vec<Line> {
        let below = self.rows.below().map(|row| as_line(&row.cells, row.redraws, row.continued));
        let mut lines: Vec<Line> = std::iter::once(self.line()).chain(below).collect();
        if lines.last().is_some_and(|line| line.spans.is_empty()) {
            lines.pop();
        }
        lines
    }

    fn step(&mut self, character: char, lines: &mut Vec<Line>) {
        match self.state {
            State::Text => self.text(character, lines),
            State::Escape => self.escape(character, lines),
            State::Charset => {
                self.state = State::Text;
                // It has broken off: what moves the cursor does so all the same.
                if character.is_control() {
                    self.text(character, lines);
                }
            }
            State::Control | State::Ignored => self.control(character, lines),
            State::Sequence { length } => self.string(character, length, lines),
            State::Ending { length } => match character {
                '\\' => self.state = State::Text,
                _ => self.string(character, length, lines),
            },
        }
    }

    fn text(&mut self, character: char, lines: &mut Vec<Line>) {
        match character {
            '\n' => self.end_line(lines),
            '\r' => {
                self.column = 0;
                self.returned = true;
            }
            '\u{8}' => self.column = self.column.saturating_sub(1),
            '\t' => {
                let stop = (self.column / 8 + 1) * 8;
                while self.column < stop {
                    self.write(' ', lines);
                }
            }
            '\u{1b}' => self.state = State::Escape,
            '\u{9b}' => self.begin_control(),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => self.state = State::Sequence { length: 0 },
            _ if character.is_control() => {}
            _ => self.write(readable(character), lines),
        }
    }

    fn escape(&mut self, character: char, lines: &mut Vec<Line>) {
        match character {
            '[' => self.begin_control(),
            ']' | 'P' | 'X' | '^' | '_' => self.state = State::Sequence { length: 0 },
            ' '..='/' => self.state = State::Charset,
            '\u{1b}' => {}
            _ if character.is_control() => {
                self.state = State::Text;
                self.text(character, lines);
            }
            _ => self.state = State::Text,
        }
    }

    fn begin_control(&mut self) {
        self.numbers.clear();
        self.numbers.push(None);
        self.state = State::Control;
    }

    fn control(&mut self, character: char, lines: &mut Vec<Line>) {
        match character {
            '0'..='9' => self.digit(character),
            ';' | ':' => self.next_number(),
            '@'..='~' => {
                if self.state == State::Control {
                    self.apply(character, lines);
                }
                self.state = State::Text;
            }
            ' '..='?' => self.state = State::Ignored,
            '\u{1b}' => self.state = State::Escape,
            '\u{18}' | '\u{1a}' => self.state = State::Text,
            // A line ends also in the middle of a sequence: what a program forgot must not swallow the rest.
            '\n' | '\r' => {
                self.state = State::Text;
                self.text(character, lines);
            }
            _ if character.is_control() => {}
            _ => {
                self.state = State::Text;
                self.text(character, lines);
            }
        }
    }

    fn digit(&mut self, character: char) {
        let digit = u16::try_from(character.to_digit(10).unwrap_or(0)).unwrap_or(0);
        if let Some(number) = self.numbers.last_mut() {
            *number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
        }
    }

    fn next_number(&mut self) {
        if self.numbers.len() < PARAMETERS {
            self.numbers.push(None);
        } else {
            self.state = State::Ignored;
        }
    }

    fn string(&mut self, character: char, length: u32, lines: &mut Vec<Line>) {
        match character {
            '\u{7}' | '\u{9c}' | '\u{18}' | '\u{1a}' => self.state = State::Text,
            '\u{1b}' => self.state = State::Ending { length },
            '\n' | '\r' => {
                self.state = State::Text;
                self.text(character, lines);
            }
            _ if length >= STRING_LIMIT => self.state = State::Text,
            _ => self.state = State::Sequence { length: length + 1 },
        }
    }

    fn apply(&mut self, last: char, lines: &mut Vec<Line>) {
        let number = self.numbers.first().copied().flatten().unwrap_or(0);
        let count = usize::from(number.max(1));
        match last {
            'm' => self.select_style(),
            'K' => self.erase_line(number),
            'J' if number == 0 => {
                self.cells.truncate(self.column);
                self.rows.erase_below();
            }
            'A' => self.go_up(count),
            'B' => self.go_down(count, lines),
            'C' => self.go_to_column(self.column + count),
            'D' => self.column = self.column.saturating_sub(count),
            'E' => {
                self.go_down(count, lines);
                self.column = 0;
            }
            'F' => {
                self.go_up(count);
                self.column = 0;
            }
            'G' => self.go_to_column(count - 1),
            _ => {}
        }
    }

    fn erase_line(&mut self, which: u16) {
        match which {
            0 => self.cells.truncate(self.column),
            1 => {
                let end = self.cells.len().min(self.column + 1);
                self.cells[..end].fill((' ', Style::default()));
            }
            2 => self.cells.clear(),
            _ => {}
        }
    }

    /// What was written further to the right stays, and so does the cursor there.
    fn go_to_column(&mut self, column: usize) {
        self.returned |= column < self.column;
        self.column = column.min(self.column.max(COLUMNS - 1));
    }

    fn go_up(&mut self, count: usize) {
        for _ in 0..count {
            let row = self.take_row();
            match self.rows.up(row) {
                Ok(above) => {
                    self.put_row(above);
                    self.returned = true;
                }
                Err(row) => return self.put_row(row),
            }
        }
    }

    /// Goes to rows that are there already; a sequence makes no new ones.
    fn go_down(&mut self, count: usize, lines: &mut Vec<Line>) {
        for _ in 0..count {
            if self.rows.is_at_the_end() {
                return;
            }
            self.give_out(lines);
        }
    }

    fn take_row(&mut self) -> Drawn {
        let cells = std::mem::take(&mut self.cells);
        let (redraws, continued) = (std::mem::take(&mut self.redraws), std::mem::take(&mut self.continued));
        Drawn { cells, redraws, continued }
    }

    fn put_row(&mut self, row: Drawn) {
        let Drawn { cells, redraws, continued } = row;
        (self.cells, self.redraws, self.continued) = (cells, redraws, continued);
    }

    fn select_style(&mut self) {
        let numbers = std::mem::take(&mut self.numbers);
        let mut rest = numbers.iter().map(|number| number.unwrap_or(0));
        while let Some(number) = rest.next() {
            let style = &mut self.style;
            match number {
                0 => *style = Style::default(),
                1 => style.bold = true,
                2 => style.dim = true,
                3 => style.italic = true,
                4 => style.underline = true,
                7 => style.inverse = true,
                22 => (style.bold, style.dim) = (false, false),
                23 => style.italic = false,
                24 => style.underline = false,
                27 => style.inverse = false,
                30..=37 => style.text = Colour::Indexed(small(number - 30)),
                38 => style.text = extended(&mut rest).unwrap_or(style.text),
                39 => style.text = Colour::Plain,
                40..=47 => style.ground = Colour::Indexed(small(number - 40)),
                48 => style.ground = extended(&mut rest).unwrap_or(style.ground),
                49 => style.ground = Colour::Plain,
                90..=97 => style.text = Colour::Indexed(small(number - 82)),
                100..=107 => style.ground = Colour::Indexed(small(number - 92)),
                _ => {}
            }
        }
        self.numbers = numbers;
    }

    fn write(&mut self, character: char, lines: &mut Vec<Line>) {
        if std::mem::take(&mut self.returned) && !self.cells.is_empty() {
            self.redraws = self.redraws.saturating_add(1);
        }
        if self.column >= LINE_LIMIT {
            self.end_line(lines);
            self.continued = true;
        }
        let cell = (character, self.style);
        while self.cells.len() < self.column {
            self.cells.push((' ', Style::default()));
        }
        match self.cells.get_mut(self.column) {
            Some(place) => *place = cell,
            None => self.cells.push(cell),
        }
        self.column += 1;
    }

    fn end_line(&mut self, lines: &mut Vec<Line>) {
        self.give_out(lines);
        self.column = 0;
    }

    /// Gives the row out in which the cursor is, and goes to the next one.
    fn give_out(&mut self, lines: &mut Vec<Line>) {
        lines.push(Line { back: self.rows.gone_back, ..self.line() });
        let row = self.take_row();
        let next = self.rows.down(row);
        // Whoever writes into a row that is there writes over it.
        self.returned = next.is_some();
        self.put_row(next.unwrap_or_default());
    }

    fn line(&self) -> Line {
        as_line(&self.cells, self.redraws, self.continued)
    }
}

fn as_line(cells: &[(char, Style)], redraws: u32, continued: bool) -> Line {
    Line { spans: spans(cells.iter().copied()), redraws, continued, back: 0 }
}

/// The rest of `38;5;n` or `38;2;r;g;b`, also as `38:2::r:g:b` is read once its empty number is skipped.
fn extended(rest: &mut impl Iterator<Item = u16>) -> Option<Colour> {
    match rest.next()? {
        5 => Some(Colour::Indexed(small(rest.next()?))),
        2 => Some(Colour::Rgb(small(rest.next()?), small(rest.next()?), small(rest.next()?))),
        _ => None,
    }
}

fn small(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> Vec<Line> {
        let mut terminal = Terminal::default();
        let mut lines = terminal.push(text);
        lines.extend(terminal.open());
        lines
    }

    fn texts(text: &str) -> Vec<String> {
        all(text).iter().map(Line::text).collect()
    }

    #[test]
    fn colours_of_all_three_kinds_are_kept() {
        let lines = all("\u{1b}[1;31mred\u{1b}[0m \u{1b}[38;5;208morange\u{1b}[48;2;1;2;3mdeep");

        let spans = &lines[0].spans;
        assert_eq!(spans[0].style, Style { text: Colour::Indexed(1), bold: true, ..Style::default() });
        assert_eq!(spans[2].style.text, Colour::Indexed(208));
        assert_eq!(spans[3].style.ground, Colour::Rgb(1, 2, 3));
        assert_eq!(lines[0].text(), "red orangedeep");
    }

    #[test]
    fn progress_is_folded_into_its_last_state() {
        let lines = all("10 %\r50 %\r100 %\ndone\n");

        assert_eq!(lines.iter().map(Line::text).collect::<Vec<_>>(), ["100 %", "done"]);
        assert_eq!(lines[0].redraws, 2);
        assert_eq!(texts("downloading\r\u{1b}[Kok"), ["ok"]);
        assert_eq!(texts("ab\u{8}c"), ["ac"]);
        assert_eq!(texts("one\r\ntwo\r\n"), ["one", "two"]);
        assert_eq!(all("one\r\ntwo")[0].redraws, 0);
    }

    /// What stands there in the end: lines that are not finished any more come again.
    fn shown(pieces: &[&str]) -> Vec<String> {
        let mut terminal = Terminal::default();
        let mut shown: Vec<Line> = Vec::new();
        for line in pieces.iter().flat_map(|piece| terminal.push(piece)) {
            shown.truncate(shown.len() - usize::try_from(line.back).unwrap());
            shown.push(line);
        }
        shown.truncate(shown.len() - usize::try_from(terminal.gone_back()).unwrap());
        shown.extend(terminal.open_lines());
        shown.iter().map(Line::text).collect()
    }

    #[test]
    fn the_last_lines_are_written_anew_by_a_program_that_goes_back_to_them() {
        let begin = "pull\nweb 10 %\ndb 20 %\n";
        let again = "\u{1b}[2A\u{1b}[Kweb 60 %\n\u{1b}[Kdb 90 %\n";
        let one_of_them = "\u{1b}[2A\r\u{1b}[2Kweb done\r\u{1b}[2B";

        assert_eq!(shown(&[begin, again]), ["pull", "web 60 %", "db 90 %"]);
        assert_eq!(shown(&[begin, again, one_of_them, "up\n"]), ["pull", "web done", "db 90 %", "up"]);
        assert_eq!(
            shown(&[begin, "\u{1b}[2Aweb 11"]),
            ["pull", "web 11 %", "db 20 %"],
            "while it is in the middle of it"
        );
    }

    #[test]
    fn nobody_goes_back_further_than_a_terminal_is_high() {
        let many = "x\n".repeat(60);

        let lines = shown(&[&many, "\u{1b}[500Atop\n"]);

        assert_eq!(lines.len(), 60);
        assert_eq!(lines.iter().position(|line| line == "top"), Some(13));
        assert_eq!(shown(&["\u{1b}[9Aone\n"]), ["one"]);
    }

    #[test]
    fn what_stands_below_is_erased_and_going_down_makes_no_rows() {
        assert_eq!(shown(&["one\ntwo\nthree\n", "\u{1b}[3A\u{1b}[Jnew"]), ["new", "", ""]);
        assert_eq!(shown(&["one\u{1b}[40Bx"]), ["onex"]);
        assert_eq!(shown(&["one\ntwo\n\u{1b}[2FONE\u{1b}[1EX"]), ["ONE", "Xwo"]);
    }

    #[test]
    fn a_column_is_gone_to_and_no_sequence_makes_a_line_long() {
        assert_eq!(texts("10 %\u{1b}[G\u{1b}[0K20 %"), ["20 %"]);
        assert_eq!(texts("abc\u{1b}[2DX"), ["aXc"]);
        assert_eq!(texts("\u{1b}[9999Gx")[0].len(), COLUMNS);
        assert_eq!(texts(&format!("\u{1b}[{}C\u{1b}[9999Cx", u16::MAX))[0].len(), COLUMNS);
    }

    #[test]
    fn what_is_not_a_colour_is_dropped() {
        let link = "\u{1b}]8;;http://evil\u{1b}\\click\u{1b}]8;;\u{7}";
        let clipboard = "\u{1b}]52;c;ZXZpbA==\u{9c}x";
        let rest = "\u{1b}[2J\u{1b}[10;10H\u{1b}(Ba\u{9b}31mb\u{90}secret\u{1b}\\c\u{1b}[?25ld\u{85}e";

        assert_eq!(texts(link), ["click"]);
        assert_eq!(texts(clipboard), ["x"]);
        assert_eq!(texts(rest), ["abcde"]);
    }

    #[test]
    fn a_sequence_without_its_end_swallows_one_line_at_most() {
        assert_eq!(texts("\u{1b}]0;title\nnext line"), ["", "next line"]);
        assert_eq!(texts("\u{1b}[31\nred?"), ["", "red?"]);
    }

    #[test]
    fn marks_that_turn_text_around_are_shown() {
        assert_eq!(texts("a\u{202e}b"), ["a\u{fffd}b"]);
    }

    #[test]
    fn a_line_without_end_goes_on_in_the_next() {
        let lines = all(&"x".repeat(LINE_LIMIT + 3));

        assert_eq!(lines.iter().map(|line| line.text().len()).collect::<Vec<_>>(), [LINE_LIMIT, 3]);
        assert!(!lines[0].continued && lines[1].continued);
    }

    /// Text with many escapes in it, as plain random text has few.
    fn output() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-z0-9 ;:?]{0,6}",
            "\\PC{0,3}",
            Just("\u{1b}[".to_owned()),
            Just("\u{1b}]".to_owned()),
            Just("\u{1b}".to_owned()),
            Just("\u{9b}".to_owned()),
            Just("\u{90}".to_owned()),
            Just("\u{7}".to_owned()),
            Just("m".to_owned()),
            Just("K".to_owned()),
            Just("\r".to_owned()),
            Just("\n".to_owned()),
            Just("\t".to_owned()),
            Just("\u{8}".to_owned()),
            any::<char>().prop_map(|character| character.to_string()),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_control_character_comes_out(text in output()) {
            for line in all(&text) {
                prop_assert!(!line.text().chars().any(char::is_control));
            }
        }

        #[test]
        fn it_does_not_matter_where_pieces_are_cut(text in output(), cuts in prop::collection::vec(0usize..200, 0..6)) {
            let characters: Vec<char> = text.chars().collect();
            let mut places: Vec<usize> = cuts.iter().map(|cut| (*cut).min(characters.len())).collect();
            places.extend([0, characters.len()]);
            places.sort_unstable();

            let mut terminal = Terminal::default();
            let mut lines = Vec::new();
            for pair in places.windows(2) {
                lines.extend(terminal.push(&characters[pair[0]..pair[1]].iter().collect::<String>()));
            }
            lines.extend(terminal.open());

            prop_assert_eq!(lines, all(&text));
        }
    }
}
