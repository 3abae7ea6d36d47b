//! The screen of a full-screen program, drawn from the output of its command.

use avt::observer::{Observation, Observer};
use avt::{Cell, Color, Line, Terminal};
use domain::screen::{Cursor, Row, Screen};
use domain::terminal::{Colour, Style, readable, spans, whole_characters};

use super::{Act, Sequences};
use crate::shim::shell::WINDOW;

/// Who lets more lines than that run out at the top prints text, although the cursor was sent to a place before.
const RUN_OUT: usize = 4 * WINDOW.1 as usize;

/// The terminal of a step does not translate line feeds, and programs count on it: here each begins a line.
const LINE_FEEDS_BEGIN_LINES: &[u8] = b"\x1b[20h";

/// Draws the screen that a command paints, if it paints one. Bytes in, styled text out: whatever the bytes are, there are never
/// more cells than the terminal of a step has, and a few screens of lines that have just run out of it.
///
/// A screen begins where the alternate one is shown, or where the cursor is sent to a place for the first of several times. One
/// `clear` before other output is no screen.
pub struct Painter {
    command: u32,
    sequences: Sequences,
    /// The byte of the output that comes next.
    at: u64,
    picture: Option<Picture>,
}

impl Painter {
    /// For a command whose output begins at a byte.
    pub fn new(command: u32, at: u64) -> Self {
        Self { command, sequences: Sequences::default(), at, picture: None }
    }

    /// The number of the command.
    pub fn command(&self) -> u32 {
        self.command
    }

    /// The byte of the output that it wants next.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Passes over output: what is painted over and over is known from its last part.
    pub fn skip_to(&mut self, at: u64) {
        self.at = at;
        self.sequences = Sequences::default();
        if let Some(picture) = &mut self.picture {
            picture.break_off();
        }
    }

    /// Takes output, in whatever pieces it comes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (count, act) = self.sequences.next(bytes);
            let (piece, rest) = bytes.split_at(count);
            self.at += count as u64;
            self.take(piece, act);
            bytes = rest;
        }
    }

    /// The screen, as it stands now or as it was left; `None` when what was printed is text.
    pub fn screen(&self) -> Option<Screen> {
        let picture = self.picture.as_ref().filter(|picture| picture.is_screen())?;
        Some(picture.screen(self.command))
    }

    fn take(&mut self, piece: &[u8], act: Option<Act>) {
        let sequence = act.map_or(&[] as &[u8], |_| self.sequences.last());
        let (text, rest) = piece.split_at(piece.len().saturating_sub(sequence.len()));
        if let Some(picture) = &mut self.picture {
            picture.feed(text);
            self.picture.take_if(|picture| picture.is_text());
        }
        let begins = match act {
            None | Some(Act::Leave | Act::Reset) => false,
            Some(Act::Enter) => self.picture.as_ref().is_none_or(|picture| !picture.is_screen()),
            Some(Act::Place) => self.picture.is_none(),
        };
        if begins {
            self.picture = Some(Picture::begin(self.at - sequence.len() as u64));
        }
        if let (Some(picture), Some(act)) = (&mut self.picture, act) {
            let rest = if begins || picture.has_left() { sequence } else { rest };
            picture.act(act, rest, self.at, self.sequences.printed() && !begins);
        }
        if act.is_some() {
            self.sequences.forget_printed();
        }
    }
}

/// Where a program paints.
enum Stage {
    /// On the screen that the text before is on.
    Primary,
    /// On one of its own.
    Alternate,
    /// It has left that at a byte, and this stood there.
    Left(u64, Vec<Row>),
}

struct Picture {
    from: u64,
    terminal: Terminal,
    /// The begin of a character that is not whole yet.
    unfinished: Vec<u8>,
    stage: Stage,
    /// Whether it has gone back and painted over what it had printed.
    repaints: bool,
    /// The lines that ran out at the top since the cursor was last sent to a place: they belong to what is painted.
    run_out: RunOut,
}

impl Picture {
    fn begin(from: u64) -> Self {
        let (width, height) = (usize::from(WINDOW.0), usize::from(WINDOW.1));
        let mut picture = Self {
            from,
            terminal: Terminal::new(width, height).expect("a terminal of a step has cells"),
            unfinished: Vec::new(),
            stage: Stage::Primary,
            repaints: false,
            run_out: RunOut::default(),
        };
        picture.feed(LINE_FEEDS_BEGIN_LINES);
        picture
    }

    fn is_screen(&self) -> bool {
        self.repaints || !matches!(self.stage, Stage::Primary)
    }

    /// Whether it takes nothing until the program comes back.
    fn has_left(&self) -> bool {
        matches!(self.stage, Stage::Left(..))
    }

    fn is_text(&self) -> bool {
        matches!(self.stage, Stage::Primary) && self.run_out.0.len() > RUN_OUT
    }

    fn feed(&mut self, piece: &[u8]) {
        if self.has_left() {
            return;
        }
        let mut bytes = std::mem::take(&mut self.unfinished);
        bytes.extend_from_slice(piece);
        self.unfinished = bytes.split_off(whole_characters(&bytes, false));
        self.terminal.feed_with(&*String::from_utf8_lossy(&bytes), &mut self.run_out);
    }

    /// What comes next does not follow what came before.
    fn break_off(&mut self) {
        self.unfinished.clear();
        self.feed(b"\x18");
    }

    /// Takes the rest of a sequence that ends at a byte.
    fn act(&mut self, act: Act, rest: &[u8], at: u64, printed: bool) {
        let mut left = None;
        match (act, &self.stage) {
            (Act::Enter, _) => self.stage = Stage::Alternate,
            (Act::Place, _) => self.repaints |= printed,
            (Act::Leave | Act::Reset, Stage::Alternate) => left = Some(Stage::Left(at, self.rows())),
            _ => {}
        }
        self.feed(rest);
        if act == Act::Reset {
            self.feed(LINE_FEEDS_BEGIN_LINES);
        }
        self.run_out.0.clear();
        if let Some(left) = left {
            self.stage = left;
        }
    }

    fn rows(&self) -> Vec<Row> {
        let lines = self.terminal.screen().visible_lines().map(row);
        let mut rows: Vec<Row> = self.run_out.0.iter().cloned().chain(lines).collect();
        let filled = rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
        rows.truncate(filled);
        rows
    }

    fn screen(&self, command: u32) -> Screen {
        let from = self.from;
        if let Stage::Left(to, rows) = &self.stage {
            return Screen { command, from, to: Some(*to), rows: rows.clone(), cursor: None };
        }
        let cursor = self.terminal.cursor().position().and_then(|(column, line)| {
            let row = u16::try_from(line + self.run_out.0.len()).ok()?;
            // Behind the last column it stands on it.
            Some(Cursor { row, column: u16::try_from(column).ok()?.min(WINDOW.0 - 1) })
        });
        Screen { command, from, to: None, rows: self.rows(), cursor }
    }
}

/// Gathers lines as they run out at the top. One more than count are kept, so that it is seen that they are too many.
#[derive(Default)]
struct RunOut(Vec<Row>);

impl Observer for RunOut {
    type Output = ();

    fn evicted(&mut self, _: &mut Observation<'_>, line: &Line) {
        if self.0.len() <= RUN_OUT {
            self.0.push(row(line));
        }
    }

    fn end(&mut self, _: &mut Observation<'_>) {}
}

/// A line as pieces of text, without the blanks at its end.
fn row(line: &Line) -> Row {
    let cells = line.cells();
    let is_blank = |cell: &Cell| cell.char() == ' ' && style(cell) == Style::default();
    let filled = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
    // The second half of a wide character is a cell without a width.
    let cells = cells.iter().take(filled).filter(|cell| cell.width() > 0);
    spans(cells.map(|cell| {
        // A terminal shows nothing for the one control character that has a cell.
        let character = if cell.char().is_control() { ' ' } else { readable(cell.char()) };
        (character, style(cell))
    }))
}

fn style(cell: &Cell) -> Style {
    let pen = cell.pen();
    Style {
        text: colour(pen.foreground()),
        ground: colour(pen.background()),
        bold: pen.is_bold(),
        dim: pen.is_faint(),
        italic: pen.is_italic(),
        underline: pen.is_underline(),
        inverse: pen.is_inverse(),
    }
}

fn colour(colour: Option<Color>) -> Colour {
    match colour {
        None => Colour::Plain,
        Some(Color::Indexed(index)) => Colour::Indexed(index),
        Some(Color::RGB(rgb)) => Colour::Rgb(rgb.r, rgb.g, rgb.b),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn painter(output: &[u8]) -> Painter {
        let mut painter = Painter::new(1, 100);
        painter.push(output);
        painter
    }

    fn painted(output: &str) -> Option<Screen> {
        painter(output.as_bytes()).screen()
    }

    fn texts(painted: &Screen) -> Vec<String> {
        painted.rows.iter().map(|row| row.iter().map(|span| span.text.as_str()).collect()).collect()
    }

    fn screen(output: &str) -> Vec<String> {
        painted(output).map(|painted| texts(&painted)).unwrap_or_default()
    }

    #[test]
    fn what_is_painted_over_and_over_is_drawn_as_it_stands() {
        let top = "\x1b[?1h\x1b=\x1b[H\x1b[2J\x1b[mtop - 12:00\x1b[K\r\nTasks: 3\x1b[K\r\n\x1b[7m PID\x1b[m\x1b[K\x1b[Htop - 12:03\r\n\x1b[K\r\n";

        let painted = painted(top).unwrap();

        assert_eq!(texts(&painted), ["top - 12:03", "", " PID"]);
        assert!(painted.rows[2][0].style.inverse);
        assert_eq!((painted.from, painted.to), (107, None), "the keys that it switches on are no part of it");
        assert_eq!(painted.cursor, Some(Cursor { row: 2, column: 0 }));
    }

    #[test]
    fn a_line_feed_begins_a_line_because_the_terminal_of_a_step_does_not_translate_it() {
        assert_eq!(screen("\x1b[Hx\x1b[Htop\nTasks\n PID"), ["top", "Tasks", " PID"]);
        assert_eq!(screen("\x1b[Hx\x1b[Htop\x1bcTasks\n PID"), ["Tasks", " PID"]);
    }

    #[test]
    fn the_alternate_screen_is_kept_as_it_was_left() {
        let output = "asked\r\n\x1b[?1049h\x1b[2J\x1b[3;5Hhelp\x1b[1;1Htitle\x1b[?25l\x1b[?1049lbye\r\n";

        let painted = painted(output).unwrap();

        assert_eq!(texts(&painted), ["title", "", "    help"]);
        assert_eq!((painted.from, painted.cursor), (107, None));
        assert_eq!(painted.to, Some(100 + output.find("bye").unwrap() as u64));
    }

    #[test]
    fn a_program_that_comes_back_is_drawn_as_it_was_last() {
        let less = |text: &str| format!("\x1b[?1049h\x1b[H{text}\x1b[?1049l");

        assert_eq!(screen(&format!("{}between{}", less("one"), less("two"))), ["two"]);
    }

    #[test]
    fn text_stays_text() {
        let cleared = format!("\x1b[H\x1b[2J\x1b[3J{}", "line\r\n".repeat(10));
        let long = format!("\x1b[Hmenu\x1b[Hmenu{}", "line\r\n".repeat(RUN_OUT + 60));
        let apt = "\x1b7\x1b[48;0f\x1b[42mProgress\x1b8Unpacking\r\n".repeat(9);
        for output in ["plain \x1b[31mred\x1b[m\r\n", &cleared, &long, &apt, "\x1b[2A\x1b[Kpulled\r\n\x1b[1B"] {
            assert_eq!(painted(output), None, "{output:?}");
        }
    }

    #[test]
    fn a_screen_can_follow_text_that_followed_a_clear() {
        let output = format!("\x1b[H{}\x1b[Hone\x1b[Htwo", "line\r\n".repeat(RUN_OUT + 60));

        let painted = painted(&output).unwrap();

        assert_eq!(texts(&painted), ["two"]);
        assert_eq!(painted.from, 100 + output.find("\x1b[Hone").unwrap() as u64);
    }

    #[test]
    fn lines_that_run_out_at_the_top_stay_until_it_is_painted_again() {
        let list: String = (1..=60).flat_map(|line| ["\r\ncontainer ".to_owned(), line.to_string()]).collect();
        let output = format!("\x1b[Hold\x1b[HNAME{list}");

        let rows = screen(&output);
        let again = screen(&format!("{output}\x1b[H"));

        assert_eq!((rows.len(), rows[0].as_str(), rows[60].as_str()), (61, "NAME", "container 60"));
        assert_eq!(again.len(), usize::from(WINDOW.1));
    }

    #[test]
    fn the_place_of_the_output_is_known_however_it_is_cut() {
        let output = "ü\x1b[?1049h\x1b[2;2H\x1b[1;31m€ und 🚀\x1b[m 日本\x1b[?1049l rest";
        let whole = painted(output);

        let mut pieces = Painter::new(1, 100);
        output.as_bytes().chunks(1).for_each(|byte| pieces.push(byte));

        assert_eq!(pieces.screen(), whole);
        assert_eq!(whole.map(|whole| texts(&whole)), Some(vec![String::new(), " € und 🚀 日本".to_owned()]));
    }

    #[test]
    fn after_a_gap_it_is_drawn_on() {
        let mut painter = painter(b"\x1b[?1049h\x1b[Hhead\x1b[48;1Hstatus\x1b[2;1");
        painter.skip_to(9000);
        painter.push("\x1b[2;1Hbody".as_bytes());

        let rows = texts(&painter.screen().unwrap());
        assert_eq!((rows[0].as_str(), rows[1].as_str(), rows[47].as_str()), ("head", "body", "status"));
        assert_eq!(painter.at(), 9010);
    }

    #[test]
    fn marks_that_turn_text_around_are_shown_and_markup_is_text() {
        let hostile = "\x1b[?1049h\x1b[Ha\u{202e}b<script>\u{1b}]8;;http://evil\u{1b}\\x\u{1b}]0;title\u{7}\u{85}";

        assert_eq!(screen(hostile), ["a\u{fffd}b<script>x"]);
    }

    /// Bytes of which many are parts of sequences.
    fn output() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..8),
            "\\PC{0,4}".prop_map(String::into_bytes),
            "\x1b\\[[?>]?[0-9;:]{0,12}[@-~]".prop_map(String::into_bytes),
            "\x1b\\[[0-9]{1,3};[0-9]{1,3}[Hfr]".prop_map(String::into_bytes),
            "\x1b\\[\\?(47|1047|1049|6|7)[hl]".prop_map(String::into_bytes),
            "\x1b[78cDEMHPX^_\\]()#]".prop_map(String::into_bytes),
            "(\r\n){0,80}".prop_map(String::into_bytes),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn nothing_that_is_printed_breaks_it_or_leaves_the_screen(output in output(), cut in 0usize..400) {
            let whole = painter(&output).screen();
            let mut pieces = Painter::new(1, 100);
            let (head, tail) = output.split_at(cut.min(output.len()));
            pieces.push(head);
            pieces.push(tail);
            prop_assert_eq!(&pieces.screen(), &whole);

            let rows = whole.map(|whole| whole.rows).unwrap_or_default();
            prop_assert!(rows.len() <= RUN_OUT + 1 + usize::from(WINDOW.1));
            for row in rows {
                let text: String = row.into_iter().map(|span| span.text).collect();
                prop_assert!(text.chars().count() <= usize::from(WINDOW.0));
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
