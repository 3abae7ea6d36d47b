//! What pages read of stored output: a piece by its bytes, lines by their numbers, and where something stands in it.
//!
//! Nothing here reads a whole log, but for what looks through it; and nothing is shown that the record says is covered.

use std::time::Duration;

use domain::attempt::CommandRange;
use domain::find::{Found, Wanted};
use domain::policy::Viewer;
use domain::redaction::ByteRange;
use domain::run::Run;
use domain::terminal::{Line, Style, Terminal, whole_characters};
use domain::view::{CommandLines, LinesPiece, LinesView, LogView, PlainText};
use domain::{AttemptId, Timestamp};
use engine::{LinePlace, Pattern, Stretch};

use crate::readable::Readable;
use crate::{Error, Portal};

/// Bytes of output on a page that is rendered by the server.
const LOG_PIECE: u64 = 256 * 1024;

/// The most lines that are given at once.
const LINES: u64 = 1_000;

/// Before what stands at a byte or was printed at a moment, so many lines are given as well.
const BEFORE: u64 = 10;

/// The most bytes of text that are given at once to be copied.
const TEXT: u64 = 4 << 20;

/// A log is looked through for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many logs are looked through at the same time.
pub(crate) const SEARCHES: usize = 2;

/// Which lines somebody wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Those from this one on, counted from 1.
    Line(u64),
    /// Those around the one in which this byte stands.
    Byte(u64),
    /// Those around the first that was printed then or later.
    Moment(Timestamp),
}

impl Portal {
    /// A piece of an attempt's output from a byte on; [`u64::MAX`] gives the tail.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such an attempt, or when the run is limited to others.
    pub async fn log(&self, viewer: Viewer<'_>, id: AttemptId, from: u64) -> Result<LogView, Error> {
        let run = self.run_for(viewer.actor(), id.run).await?;
        self.piece(&run, id, from).await
    }

    pub(crate) async fn piece(&self, run: &Run, id: AttemptId, from: u64) -> Result<LogView, Error> {
        let attempt = run.attempt(id).ok_or(Error::NotFound)?;
        let length = self.engine().length(&id);
        let place = self.begin_of_piece(run, id, from, length).await;
        let (from, line) = (place.at, place.line);
        let readable = self.readable(run, id);
        let wanted = ByteRange { from, to: length.min(from + LOG_PIECE) };
        let LinesPiece { to, text, .. } =
            text_of(&readable, wanted, attempt.end.is_some() && wanted.to >= length).await?;
        let ranges = self.ranges(id, attempt, length).await;
        let screens = self.screens(&readable, &ranges, from..to).await?;
        let times = self.engine().times(&id, from..to).await.unwrap_or_default();
        let (step, attempt, style) = (id.step, id.attempt, place.style);
        Ok(LogView { step, attempt, from, to, length, text, line: (line > 0).then_some(line), style, screens, times })
    }

    /// Where a piece begins. What is asked for by its byte begins there; the tail, where a line does, if there is one. The line is 0
    /// where nobody knows: an attempt whose shim is just being born has none yet.
    async fn begin_of_piece(&self, run: &Run, id: AttemptId, from: u64, length: u64) -> LinePlace {
        let is_tail = from == u64::MAX;
        let from = if is_tail { length.saturating_sub(LOG_PIECE) } else { from.min(length) };
        let Some(intent) = run.intent(id) else { return LinePlace { at: from, ..LinePlace::default() } };
        if is_tail
            && let Ok(place) = self.engine().line_from(&intent, from).await
            && place.at < length
        {
            return place;
        }
        let stands = self.engine().lines_at(&intent, vec![from]).await.unwrap_or_default().pop().unwrap_or_default();
        let style = if stands.at == from { stands.style } else { Style::default() };
        LinePlace { at: from, line: stands.line, style }
    }

    /// Some lines of an attempt's output.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such an attempt, or when the run is limited to others.
    pub async fn log_lines(
        &self,
        viewer: Viewer<'_>,
        id: AttemptId,
        place: Place,
        most: u64,
    ) -> Result<LinesView, Error> {
        let run = self.run_for(viewer.actor(), id.run).await?;
        let attempt = run.attempt(id).ok_or(Error::NotFound)?;
        let (asked, first) = self.line_of(&run, id, place).await?;
        let most = if most == 0 { LINES } else { most.min(LINES) };
        let mut stretch = self.stretch(&run, id, first, most).await?;
        if stretch.count == 0 && stretch.lines > 0 {
            // There are not so many: then the last ones.
            stretch = self.stretch(&run, id, (stretch.lines + 1).saturating_sub(most).max(1), most).await?;
        }
        let readable = self.readable(&run, id);
        let (from, to, length) = (stretch.first.at, stretch.to, stretch.length);
        let ranges = self.ranges(id, attempt, length).await;
        let mut pieces = Vec::with_capacity(stretch.shown.len());
        for shown in &stretch.shown {
            let is_last = shown.to >= length && attempt.end.is_some();
            pieces.push(text_of(&readable, *shown, is_last).await?);
        }
        Ok(LinesView {
            step: id.step,
            attempt: id.attempt,
            asked,
            line: stretch.first.line,
            count: stretch.count,
            from,
            to,
            style: stretch.first.style,
            pieces,
            lines: stretch.lines,
            length,
            screens: self.screens(&readable, &ranges, from..to).await?,
            commands: self.lines_of_commands(&run, id, &ranges).await?,
            times: shown_times(self.engine().times(&id, from..to).await.unwrap_or_default(), &stretch.shown),
        })
    }

    /// The line that is asked for, and the first that is given.
    async fn line_of(&self, run: &Run, id: AttemptId, place: Place) -> Result<(u64, u64), Error> {
        let byte = match place {
            Place::Line(line) => return Ok((line.max(1), line.max(1))),
            Place::Byte(byte) => byte,
            Place::Moment(at) => self.engine().printed_at(&id, at).await?,
        };
        let intent = run.intent(id).ok_or(Error::NotFound)?;
        let found = self.engine().lines_at(&intent, vec![byte]).await;
        let line = found.or_else(none_yet)?.pop().map_or(1, |place| place.line);
        Ok((line, line.saturating_sub(BEFORE).max(1)))
    }

    async fn stretch(&self, run: &Run, id: AttemptId, first: u64, most: u64) -> Result<Stretch, Error> {
        let intent = run.intent(id).ok_or(Error::NotFound)?;
        Ok(self.engine().stretch(&intent, first, most).await.or_else(none_yet)?)
    }

    /// The lines of each command. The line in which the one before has ended without an end of line is not the next one's.
    async fn lines_of_commands(
        &self,
        run: &Run,
        id: AttemptId,
        ranges: &[(CommandRange, bool)],
    ) -> Result<Vec<CommandLines>, Error> {
        let intent = run.intent(id).ok_or(Error::NotFound)?;
        let bytes: Vec<u64> = ranges.iter().flat_map(|(range, _)| [range.from, range.to]).collect();
        let places = self.engine().lines_at(&intent, bytes.clone()).await.or_else(none_yet)?;
        let first_behind = |(place, byte): (&LinePlace, &u64)| place.line + u64::from(place.at < *byte);
        let lines: Vec<u64> = places.iter().zip(&bytes).map(first_behind).collect();
        let commands = ranges.iter().zip(lines.chunks_exact(2));
        Ok(commands
            .map(|((range, _), lines)| CommandLines { command: range.command, first: lines[0], end: lines[1] })
            .collect())
    }

    /// Where something stands in the whole output of an attempt; named are the lines around one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such an attempt; [`Error::Invalid`] for what cannot be looked for; [`Error::Busy`] when too much
    /// is looked for at once.
    pub async fn search_log(
        &self,
        viewer: Viewer<'_>,
        id: AttemptId,
        wanted: &Wanted,
        around: u64,
    ) -> Result<Found, Error> {
        let run = self.run_for(viewer.actor(), id.run).await?;
        run.attempt(id).ok_or(Error::NotFound)?;
        let pattern = Pattern::new(wanted).map_err(|bad| Error::Invalid(bad.to_string()))?;
        let Ok(Ok(turn)) = tokio::time::timeout(PATIENCE, self.searches().acquire_owned()).await else {
            return Err(Error::Busy(
                "Too many logs are looked through now. Nothing was looked for; try again in a moment.",
            ));
        };
        let covered = run.covered_places(id);
        Ok(self.engine().search(&id, pattern, around, covered, PATIENCE, turn).await.or_else(none_yet)?)
    }

    /// Lines of an attempt's output as plain text, from one to another, both with it and counted from 1.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such an attempt, or when the run is limited to others.
    pub async fn log_text(&self, viewer: Viewer<'_>, id: AttemptId, from: u64, to: u64) -> Result<PlainText, Error> {
        let run = self.run_for(viewer.actor(), id.run).await?;
        run.attempt(id).ok_or(Error::NotFound)?;
        let readable = self.readable(&run, id);
        let (mut given, mut next, mut read) = (PlainText::default(), from.max(1), 0);
        while next <= to {
            let stretch = self.stretch(&run, id, next, (to - next).saturating_add(1).min(LINES)).await?;
            if stretch.count == 0 {
                break;
            }
            for shown in &stretch.shown {
                plain(&mut given.text, &text_of(&readable, *shown, true).await?.text);
                read += shown.bytes();
            }
            given.lines += stretch.count;
            next += stretch.count;
            // Of sequences that print nothing no text is left.
            if given.text.len() as u64 > TEXT || read > 4 * TEXT {
                given.rest = (next <= to && next <= stretch.lines).then_some(next);
                break;
            }
        }
        Ok(given)
    }

    /// The bytes of some lines of an attempt's output, from one to another, both with it and counted from 1.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such an attempt, or when the run is limited to others.
    pub async fn bytes_of_lines(
        &self,
        viewer: Viewer<'_>,
        id: AttemptId,
        from: u64,
        to: u64,
    ) -> Result<ByteRange, Error> {
        let run = self.run_for(viewer.actor(), id.run).await?;
        run.attempt(id).ok_or(Error::NotFound)?;
        // A line that is not there yet begins behind the last byte.
        let begin = |stretch: Stretch| if stretch.count == 0 { stretch.length } else { stretch.first.at };
        let behind = self.stretch(&run, id, to.max(from).saturating_add(1), 1).await?;
        let first = self.stretch(&run, id, from.max(1), 1).await?;
        Ok(ByteRange { from: begin(first), to: begin(behind) })
    }
}

/// The moments that say something about bytes that are shown: a long line of which little is shown has many others.
fn shown_times(times: Vec<(u64, Timestamp)>, shown: &[ByteRange]) -> Vec<(u64, Timestamp)> {
    let ends: Vec<u64> = times.iter().skip(1).map(|(byte, _)| *byte).chain([u64::MAX]).collect();
    let is_shown = |byte: u64, end: u64| shown.iter().any(|range| byte < range.to && range.from < end);
    times.into_iter().zip(ends).filter(|((byte, _), end)| is_shown(*byte, *end)).map(|(moment, _)| moment).collect()
}

/// An attempt whose shim is just being born has nothing yet.
fn none_yet<T: Default>(error: std::io::Error) -> std::io::Result<T> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(T::default()) } else { Err(error) }
}

/// Some stored bytes as text. Unless they are `whole`, a character that has no end yet is left for later.
async fn text_of(output: &Readable, wanted: ByteRange, whole: bool) -> std::io::Result<LinesPiece> {
    let stored = stored(output, wanted).await?;
    let count = whole_characters(&stored, whole);
    let text = String::from_utf8_lossy(&stored[..count]).into_owned();
    Ok(LinesPiece { from: wanted.from, to: wanted.from + count as u64, text })
}

/// What is stored in a range, as far as there is anything.
async fn stored(output: &Readable, wanted: ByteRange) -> std::io::Result<Vec<u8>> {
    let wanted_bytes = usize::try_from(wanted.bytes()).unwrap_or_default();
    let mut stored = Vec::with_capacity(wanted_bytes);
    while stored.len() < wanted_bytes {
        let piece = output.read(wanted.from + stored.len() as u64, wanted_bytes - stored.len()).await?;
        if piece.is_empty() {
            break;
        }
        stored.extend_from_slice(&piece);
    }
    Ok(stored)
}

/// Adds a piece of output as a page shows it.
fn plain(text: &mut String, piece: &str) {
    let mut terminal = Terminal::default();
    let mut lines: Vec<Line> = Vec::new();
    for line in terminal.push(piece) {
        lines.truncate(lines.len().saturating_sub(usize::try_from(line.back).unwrap_or(usize::MAX)));
        lines.push(line);
    }
    lines.truncate(lines.len().saturating_sub(usize::try_from(terminal.gone_back()).unwrap_or(usize::MAX)));
    for line in lines.into_iter().chain(terminal.open_lines()) {
        if line.continued && text.ends_with('\n') {
            text.pop();
        }
        text.push_str(&line.text());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_what_a_page_shows() {
        let mut text = String::new();

        plain(&mut text, "\u{1b}[31mred\u{1b}[0m\n10 %\r100 %\nweb 1\ndb 2\n\u{1b}[2Aweb 9\ndb 8\nlast");
        plain(&mut text, &"x".repeat(20_000));

        let mut lines = text.lines();
        assert_eq!(lines.by_ref().take(5).collect::<Vec<_>>(), ["red", "100 %", "web 9", "db 8", "last"]);
        assert_eq!(lines.map(str::len).collect::<Vec<_>>(), [20_000], "a long line is one line");
    }
}
