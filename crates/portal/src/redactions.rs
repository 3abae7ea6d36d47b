//! Covering something in stored output: asked by one person, confirmed by another, recorded, and only then written over.
//!
//! The event and a note that it is to be carried out are one transaction. Whoever finds the note carries it out: the
//! confirmation itself, and a portal that was started again. What was covered is in nothing that this writes.

use domain::policy::{Approver, Redactor, Sight};
use domain::redaction::{ByteRange, cover};
use domain::run::{Command, Facts, Redaction, RedactionEnd, Run, Who, decide};
use domain::terminal::Terminal;
use domain::view::{CoveredPlace, RedactionRow, RedactionView};
use domain::{AttemptId, Digest, RunId, time};
use engine::Redacted;

use crate::approvals::Handed;
use crate::attempts::Pauses;
use crate::{Error, Portal};

/// The longest text that is looked for, in bytes.
const TEXT_LIMIT: usize = 4096;

/// Places that are shown with what stands around them.
const SHOWN: usize = 10;

/// Bytes that are shown before a place, of it, and behind it.
const AROUND: u64 = 240;

/// What is to be covered.
#[derive(Clone)]
pub enum Sought {
    /// This text, wherever it stands.
    Text(String),
    /// Lines, from one to another, both with it, from 1.
    Lines(u64, u64),
    /// Bytes, from one up to and without another, from 0.
    Bytes(u64, u64),
}

impl std::fmt::Debug for Sought {
    /// The text itself goes into no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::Lines(from, to) => write!(f, "Lines({from}, {to})"),
            Self::Bytes(from, to) => write!(f, "Bytes({from}, {to})"),
        }
    }
}

impl Portal {
    /// Asks for something in the output of an attempt that has ended to be covered. Only its places are recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when there is no such place, or nothing to cover in it; nothing is recorded then. What the gate refuses.
    pub async fn ask_redaction(
        &self,
        redactor: Redactor<'_>,
        id: AttemptId,
        sought: Sought,
        reason: String,
    ) -> Result<(), Error> {
        let who = Who::Person(redactor.actor().clone());
        let run = self.run_to_change(&who, id.run).await?;
        let ended = run.attempt(id).is_some_and(|attempt| attempt.end.is_some());
        let (ranges, found) = if ended { self.places(id, sought).await? } else { (Vec::new(), nothing()) };
        let Redacted { bytes, old: output, .. } = found;
        let (step, attempt) = (id.step, id.attempt);
        let command = Command::AskRedaction { step, attempt, ranges, reason, bytes, output };
        self.decide(id.run, &command, &who).await.map(drop)
    }

    /// Where it stands, and what the output is.
    async fn places(&self, id: AttemptId, sought: Sought) -> Result<(Vec<ByteRange>, Redacted), Error> {
        let ranges = self.find(id, sought).await?;
        let found = self.engine().would_be(&id, ranges.clone()).await.map_err(unreadable)?;
        // What cannot be covered at all is refused by the gate.
        let fits = domain::redaction::fit(&ranges, found.bytes).is_ok();
        if fits && found.old == found.new {
            return Err(Error::Invalid("Everything there is covered already. Nothing was asked.".to_owned()));
        }
        Ok((ranges, found))
    }

    async fn find(&self, id: AttemptId, sought: Sought) -> Result<Vec<ByteRange>, Error> {
        match sought {
            Sought::Bytes(from, to) => Ok(vec![ByteRange { from, to }]),
            Sought::Lines(from, to) => {
                let intent = self.intent(id).await?;
                let found = self.engine().find_lines(&intent, from, to).await.map_err(unreadable)?;
                found.map(|range| vec![range]).ok_or_else(|| not_there("The output does not have these lines"))
            }
            Sought::Text(text) if text.len() > TEXT_LIMIT => {
                let most = time::thousands(TEXT_LIMIT as u64);
                Err(Error::Invalid(format!("The text is longer than {most} bytes. Nothing was asked; name its lines.")))
            }
            Sought::Text(text) => {
                let found = self.engine().find(&id, text).await.map_err(unreadable)?;
                if found.is_empty() { Err(not_there("This text is nowhere in the output")) } else { Ok(found) }
            }
        }
    }

    /// Confirms it, with a second factor, and covers it; gives whose output that is. It comes to its end also when whoever asked goes away meanwhile.
    ///
    /// # Errors
    ///
    /// What the gate refuses; [`Error::Invalid`] when the factor is wrong; [`Error::Undone`] when it is recorded and the disk does
    /// not take it yet.
    pub async fn confirm_redaction(
        &self,
        approver: Approver<'_>,
        run: RunId,
        number: u32,
        proof: Option<Handed>,
    ) -> Result<AttemptId, Error> {
        let (portal, actor) = (self.clone(), approver.actor().clone());
        let confirm = async move {
            let _alone = portal.redacting().write().await;
            let state = portal.run_to_change(&Who::Person(actor.clone()), run).await?;
            let (old, new) = portal.before_and_after(&state, number).await?;
            portal.prove_and_decide(&actor, run, &Command::ConfirmRedaction { number, old, new }, proof).await?;
            // Before the disk is written: who reads on now must not be sent what it still has.
            portal.live().tell_of_redactions();
            match portal.finish_redaction(run, number).await {
                Ok(()) => portal.attempt_of_redaction(run, number).await,
                Err(error) => Err(portal.finish_later(run, number, &error)),
            }
        };
        self.tasks().spawn(confirm).await.map_err(|_| Error::Broken("covering output"))?
    }

    /// Says no to it, with a second factor, or takes one's own back without; gives whose output that is about.
    ///
    /// # Errors
    ///
    /// What the gate refuses; [`Error::Invalid`] when the factor is wrong.
    pub async fn reject_redaction(
        &self,
        approver: Approver<'_>,
        run: RunId,
        number: u32,
        reason: String,
        proof: Option<Handed>,
    ) -> Result<AttemptId, Error> {
        self.prove_and_decide(approver.actor(), run, &Command::RejectRedaction { number, reason }, proof).await?;
        self.attempt_of_redaction(run, number).await
    }

    async fn attempt_of_redaction(&self, run: RunId, number: u32) -> Result<AttemptId, Error> {
        let state = self.store().run(run, &Sight::EVERYTHING).await?.ok_or(Error::NotFound)?;
        state.redaction(number).map(|redaction| redaction.attempt_of(run)).ok_or(Error::NotFound)
    }

    /// Redactions that wait for another person, in whatever run that somebody sees, oldest first.
    pub(crate) async fn waiting_redactions(&self, limit: u32, sight: &Sight) -> Result<Vec<RedactionRow>, Error> {
        let mut rows = Vec::new();
        for (run, number) in self.store().waiting_redactions(limit, sight).await? {
            let run = self.store().run(run, sight).await?;
            rows.extend(run.and_then(|run| run.redaction(number).map(|redaction| row(&run, number, redaction))));
        }
        Ok(rows)
    }

    /// What there is to see about a redaction that waits. What it covers is covered here already.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a redaction.
    pub async fn redaction(&self, approver: Approver<'_>, run: RunId, number: u32) -> Result<RedactionView, Error> {
        let state = self.run_for(approver.actor(), run).await?;
        let redaction = state.redaction(number).filter(|redaction| redaction.end.is_none()).ok_or(Error::NotFound)?;
        let same = Command::ConfirmRedaction { number, old: redaction.output.clone(), new: redaction.output.clone() };
        let facts = Facts { factor: Some(String::new()), ..Facts::alone(self.now(), Some(approver.actor().role)) };
        let refused = decide(Some(&state), &same, &Who::Person(approver.actor().clone()), &facts).err();
        Ok(RedactionView {
            number,
            places: self.shown(redaction.attempt_of(run), &redaction.ranges).await?,
            cannot: refused.map(|refusal| Error::Refused(refusal).sentence()),
            factors: self.factors(&approver.actor().id).await?,
        })
    }

    async fn shown(&self, id: AttemptId, ranges: &[ByteRange]) -> Result<Vec<CoveredPlace>, Error> {
        let first = &ranges[..ranges.len().min(SHOWN)];
        let numbers = self.engine().lines_of(&id, first.iter().map(|range| range.from).collect()).await?;
        let mut places = Vec::with_capacity(first.len());
        for (range, line) in first.iter().zip(numbers) {
            places.push(CoveredPlace { line, lines: self.around(id, *range, ranges).await? });
        }
        Ok(places)
    }

    /// The lines around a place, with everything covered. Of a long place its begin and its end are shown.
    async fn around(&self, id: AttemptId, range: ByteRange, ranges: &[ByteRange]) -> Result<Vec<String>, Error> {
        let (from, behind) = (range.from.saturating_sub(AROUND), range.to.saturating_add(AROUND));
        let hidden = range.bytes().saturating_sub(2 * AROUND);
        let until = if hidden == 0 { behind } else { range.from + AROUND };
        let piece = self.covered(id, from..until, ranges).await?;
        // A line of which only the end is here is left out, but for the one in which the place begins.
        let lead = usize::try_from(range.from - from).unwrap_or_default().min(piece.len());
        let cut = piece[..lead].iter().position(|byte| *byte == b'\n').filter(|_| from > 0);
        let mut lines = lines(&piece[cut.map_or(0, |feed| feed + 1)..]);
        if hidden > 0 {
            lines.push(format!("… {} bytes …", time::thousands(hidden)));
            lines.extend(self::lines(&self.covered(id, range.to - AROUND..behind, ranges).await?));
        }
        Ok(lines)
    }

    async fn covered(&self, id: AttemptId, of: std::ops::Range<u64>, ranges: &[ByteRange]) -> Result<Vec<u8>, Error> {
        let most = usize::try_from(of.end.saturating_sub(of.start)).unwrap_or(engine::PIECE);
        let mut piece = self.engine().read(&id, of.start, most).await?.to_vec();
        cover(&mut piece, of.start, ranges);
        Ok(piece)
    }

    /// What the output is now, and what it will be. Where there is nothing to confirm the gate says so.
    async fn before_and_after(&self, run: &Run, number: u32) -> Result<(Digest, Digest), Error> {
        let waiting = run.redaction(number).filter(|redaction| redaction.end.is_none());
        let found = match waiting {
            Some(redaction) => {
                let (id, ranges) = (redaction.attempt_of(run.id), redaction.ranges.clone());
                self.engine().would_be(&id, ranges).await.map_err(unreadable)?
            }
            None => nothing(),
        };
        Ok((found.old, found.new))
    }

    /// Carries out what former portals have recorded and not come to. What the disk does not take stays to be done, and
    /// verification says so.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn finish_redactions(&self) -> Result<(), Error> {
        for (run, number) in self.store().redactions_to_finish().await? {
            match self.finish_redaction(run, number).await {
                Ok(()) => tracing::info!(run.id = run.0, "covered output as a former portal had recorded"),
                Err(error) => could_not(run, number, &error),
            }
        }
        Ok(())
    }

    /// Covers what is recorded to be covered, and notes that it is done.
    async fn finish_redaction(&self, run: RunId, number: u32) -> Result<(), Error> {
        let state = self.store().run(run, &Sight::EVERYTHING).await?.ok_or(Error::NotFound)?;
        if let Some((id, ranges, new)) = recorded(&state, number) {
            self.engine().redact(&id, ranges, new).await?;
        }
        let mut write = self.store().begin().await?;
        write.clear_redaction(run, number).await?;
        Ok(write.commit().await?)
    }

    fn finish_later(&self, run: RunId, number: u32, error: &Error) -> Error {
        could_not(run, number, error);
        let id = AttemptId { run, step: 0, attempt: 0 };
        self.in_background(id, Self::keep_finishing(self.clone(), run, number));
        Error::Undone(
            "Your confirmation is recorded. The stored output could not be covered yet, because the disk or the database does not \
             take it now; the portal goes on trying, also after it was started again. Tell the administrator.",
        )
    }

    async fn keep_finishing(self, run: RunId, number: u32) {
        let mut pauses = Pauses::new();
        loop {
            pauses.pause().await;
            let _alone = self.redacting().write().await;
            if self.finish_redaction(run, number).await.is_ok() {
                return;
            }
        }
    }
}

/// What the list says about a redaction.
fn row(run: &Run, number: u32, redaction: &Redaction) -> RedactionRow {
    let step = run.plan.step(redaction.step);
    RedactionRow {
        id: redaction.attempt_of(run.id),
        number,
        title: run.plan.title.clone(),
        step: step.map(|plan| plan.title.clone()).unwrap_or_default(),
        target: run.plan.target.name.clone(),
        amount: redaction.amount(),
        by: redaction.asked.by.name().to_owned(),
        reason: redaction.reason.clone(),
        asked: redaction.asked.at,
    }
}

/// The bytes of a redaction that is recorded, and what the output is then.
fn recorded(run: &Run, number: u32) -> Option<(AttemptId, Vec<ByteRange>, Digest)> {
    let redaction = run.redaction(number)?;
    let Some(RedactionEnd::Covered { new, .. }) = &redaction.end else { return None };
    Some((redaction.attempt_of(run.id), redaction.ranges.clone(), new.clone()))
}

/// An output of no bytes.
fn nothing() -> Redacted {
    Redacted { bytes: 0, old: Digest::of(b""), new: Digest::of(b"") }
}

fn not_there(what: &str) -> Error {
    Error::Invalid(format!("{what}. Nothing was asked, and nothing was recorded; look at the raw output."))
}

/// An attempt that never began has stored nothing.
fn unreadable(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Error::Invalid("No output of this attempt is stored. Nothing was changed.".to_owned());
    }
    error.into()
}

fn could_not(run: RunId, number: u32, error: &Error) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        run.id = run.0,
        redaction.number = number,
        "recorded redaction could not be carried out"
    );
}

/// The lines of a piece of output, without anything that a terminal would do.
fn lines(piece: &[u8]) -> Vec<String> {
    let mut terminal = Terminal::default();
    let whole = terminal.push(&String::from_utf8_lossy(piece));
    whole.into_iter().chain(terminal.open()).map(|line| line.text()).collect()
}
