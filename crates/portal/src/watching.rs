//! Following a run: one stream per page, state and output together, from exactly where the page is.
//!
//! The stream waits for notifications only: of a new version, of more output, of who else looks. Its channel holds a few
//! frames; a page that does not read makes this task wait and nobody else. Whether the person may look is asked before it begins;
//! [`Portal::while_seen`] ends it when they may not any more.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use domain::frame::{Cursor, Frame, Framed};
use domain::policy::{Sight, Viewer};
use domain::run::Event;
use domain::{AttemptId, RunId};
use engine::PIECE;
use futures::stream::BoxStream;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use crate::live::Look;
use crate::readable::Readable;
use crate::sending::{Failure, Page, Reading, more};
use crate::{Error, Portal};

/// Frames that wait for a page before the stream waits for it. Each may have a piece of output: more of them is memory for whoever
/// does not read.
pub(crate) const AHEAD: usize = 2;

/// How often a stream without news says that it lives.
const BEAT: Duration = Duration::from_secs(10);

/// Whether a raw stream goes on until the attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Only what is stored now.
    Stored,
    /// Until the attempt ends.
    ToTheEnd,
}

impl Portal {
    /// Follows a run from where a page is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] before the first frame; later failures end the stream, and the page asks again.
    pub async fn watch(
        &self,
        viewer: Viewer<'_>,
        run: RunId,
        cursor: Cursor,
    ) -> Result<BoxStream<'static, Framed>, Error> {
        self.run_for(viewer.actor(), run).await?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let look = self.live().look(run, &viewer.actor().name);
        let watcher = Watcher {
            portal: self.clone(),
            run,
            version: cursor.version,
            attempts: VecDeque::new(),
            reading: None,
            page: Page::new(self.clone(), sender),
        };
        self.tasks().spawn(async move {
            if let Err(Failure::Portal(error)) = watcher.run(look, cursor).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    run.id = run.0,
                    "a run could not be followed"
                );
            }
        });
        Ok(self.while_seen(viewer, run, ReceiverStream::new(receiver)))
    }

    /// The raw bytes of an attempt from a byte on, with the length that is stored now.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such attempt.
    pub async fn raw_output(
        &self,
        viewer: Viewer<'_>,
        id: AttemptId,
        from: u64,
        follow: Follow,
    ) -> Result<(u64, BoxStream<'static, std::io::Result<Bytes>>), Error> {
        let run = self.run_for(viewer.actor(), id.run).await?;
        run.attempt(id).ok_or(Error::NotFound)?;
        let output = self.readable_for_long(&run, id);
        let length = self.engine().length(&id);
        let (sender, receiver) = mpsc::channel(AHEAD);
        let portal = self.clone();
        let name = viewer.actor().name.clone();
        self.tasks().spawn(async move {
            let progress = match follow {
                Follow::Stored => None,
                Follow::ToTheEnd => portal.progress(id, &name).await,
            };
            if let Err(error) = portal.send_raw(&output, from, length, progress, &sender).await {
                // The reader learns that the stream broke off; the length in the record tells how much is missing.
                drop(sender.send(Err(error)).await);
            }
        });
        Ok((length, self.while_seen(viewer, id.run, ReceiverStream::new(receiver))))
    }

    /// How far an attempt has come, from now on. The intent is told before the shim has made its folder: until then every
    /// change of the run is a reason to look again. `None` when there will be nothing to follow.
    async fn progress(&self, id: AttemptId, name: &str) -> Option<watch::Receiver<engine::Progress>> {
        let mut look = self.live().look(id.run, name);
        loop {
            look.version.mark_unchanged();
            let run = self.store().run(id.run, &Sight::EVERYTHING).await.ok()??;
            if let Ok(progress) = self.engine().follow(&run.intent(id)?) {
                return Some(progress);
            }
            if run.open_attempt() != Some(id) {
                return None;
            }
            tokio::select! {
                _ = look.version.changed() => {}
                () = self.closing() => return None,
            }
        }
    }

    async fn send_raw(
        &self,
        output: &Readable,
        mut from: u64,
        length: u64,
        mut progress: Option<watch::Receiver<engine::Progress>>,
        sender: &mpsc::Sender<std::io::Result<Bytes>>,
    ) -> std::io::Result<()> {
        loop {
            let (until, done) = match &mut progress {
                Some(progress) => {
                    let now = progress.borrow_and_update();
                    (now.length, now.done)
                }
                None => (length, true),
            };
            while from < until {
                let most = usize::try_from(until - from).unwrap_or(PIECE).min(PIECE);
                let piece = output.read(from, most).await?;
                if piece.is_empty() {
                    break;
                }
                from += piece.len() as u64;
                tokio::select! {
                    sent = sender.send(Ok(piece)) => if sent.is_err() { return Ok(()) },
                    () = self.closing() => return Ok(()),
                }
            }
            let Some(progress) = progress.as_mut().filter(|_| !done) else { return Ok(()) };
            tokio::select! {
                changed = progress.changed() => if changed.is_err() { return Ok(()) },
                () = sender.closed() => return Ok(()),
                () = self.closing() => return Ok(()),
            }
        }
    }
}

struct Watcher {
    portal: Portal,
    run: RunId,
    version: u64,
    /// Attempts whose output is still to be sent, in the order in which they started, with the byte to begin at.
    attempts: VecDeque<(AttemptId, u64)>,
    reading: Option<Reading>,
    page: Page,
}

impl Watcher {
    async fn run(mut self, mut look: Look, cursor: Cursor) -> Result<(), Failure> {
        let mut beat = tokio::time::interval(BEAT);
        beat.reset();
        self.page.send(Frame::Hello { build: self.portal.build().to_owned(), now: self.portal.now() }).await?;
        self.page.send(Frame::Watchers { names: look.names() }).await?;
        self.begin(cursor).await?;
        let mut moved_on = true;
        loop {
            // Output alone grows often, and moves nothing on: the database is asked only when it has an answer.
            if std::mem::take(&mut moved_on) {
                look.version.mark_unchanged();
                self.send_entries().await?;
            }
            self.send_output().await?;
            tokio::select! {
                _ = look.version.changed() => moved_on = true,
                () = more(self.reading.as_mut()) => {}
                _ = look.names.changed() => self.page.send(Frame::Watchers { names: look.names() }).await?,
                _ = beat.tick() => self.page.send(Frame::Beat { now: self.portal.now() }).await?,
                () = self.page.gone() => return Err(Failure::Gone),
                () = self.portal.closing() => return Err(Failure::Gone),
            }
        }
    }

    /// Queues the rest of the attempt that the page shows, and the one that runs.
    async fn begin(&mut self, cursor: Cursor) -> Result<(), Failure> {
        let run = self.portal.store().run(self.run, &Sight::EVERYTHING).await?.ok_or(Error::NotFound)?;
        let shown = AttemptId { run: self.run, step: cursor.step, attempt: cursor.attempt };
        if run.attempt(shown).is_some() {
            self.attempts.push_back((shown, cursor.offset));
        }
        if let Some(open) = run.open_attempt().filter(|open| *open != shown) {
            self.attempts.push_back((open, 0));
        }
        Ok(())
    }

    async fn send_entries(&mut self) -> Result<(), Failure> {
        for entry in self.portal.store().entries(self.run, self.version).await? {
            self.version = entry.version;
            if let Event::AttemptStarted { step, attempt, .. } = entry.event {
                let id = AttemptId { run: self.run, step, attempt };
                if !self.attempts.iter().any(|(known, _)| *known == id) && self.current() != Some(id) {
                    self.attempts.push_back((id, 0));
                }
            }
            self.page.send(Frame::Event { entry: Box::new(entry) }).await?;
        }
        Ok(())
    }

    async fn is_open(&self, id: AttemptId) -> Result<bool, Failure> {
        let run = self.portal.store().run(self.run, &Sight::EVERYTHING).await?;
        Ok(run.and_then(|run| run.open_attempt()) == Some(id))
    }

    fn current(&self) -> Option<AttemptId> {
        self.reading.as_ref().map(Reading::id)
    }

    /// Sends what is stored of the attempts in the queue, and stays with the last of them until it ends.
    async fn send_output(&mut self) -> Result<(), Failure> {
        loop {
            if self.reading.is_none() {
                let Some((id, offset)) = self.attempts.pop_front() else { return Ok(()) };
                // Without a folder there is nothing to send, yet: the intent is told before the shim has made it.
                let run = self.portal.store().run(self.run, &Sight::EVERYTHING).await?.ok_or(Error::NotFound)?;
                let intent = run.intent(id).ok_or(Error::NotFound)?;
                match self.portal.engine().follow(&intent) {
                    Ok(progress) => {
                        let output = self.portal.readable_for_long(&run, id);
                        self.reading = Some(Reading::from_byte(offset, intent, output, progress));
                    }
                    Err(_) if self.is_open(id).await? => {
                        self.attempts.push_front((id, offset));
                        return Ok(());
                    }
                    Err(_) => continue,
                }
            }
            let Some(reading) = self.reading.as_mut() else { return Ok(()) };
            let Some((id, offset)) = self.page.drain(reading).await? else { return Ok(()) };
            self.reading = None;
            // What looks ended may not have begun. The record decides, and every change of it wakes this stream again.
            if self.is_open(id).await? {
                self.attempts.push_front((id, offset));
                return Ok(());
            }
        }
    }
}
