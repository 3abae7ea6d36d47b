//! The portal's handle on everything that runs.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::attempt::{FORMAT, Intent, Mark, Spec};
use domain::find::Found;
use domain::redaction::ByteRange;
use domain::target::Reach;
use domain::{AttemptId, Digest, Timestamp};
use tokio::sync::watch;

use crate::far::{self, Probe, ProbeError, Probed};
use crate::folder::{EXIT, Folder, TROUBLE};
use crate::follow::Followers;
use crate::inspect::inspect;
use crate::launch::{launch, resume};
use crate::lines::{Lines, Maps, lock};
use crate::output::stored_digest;
use crate::record::{Handover, Secret};
use crate::redact::{self, Redacted};
use crate::search::{self, Pattern};
use crate::steer::steer;
use crate::times::{self, TimesMap};
use crate::{
    Inspection, Key, Ladder, LaunchError, LinePlace, MasterKey, Output, Progress, Steer, SteerError, Stretch, survivors,
};

/// Starts attempts, follows them, speaks to them, and says what became of them.
///
/// It holds no state about any of them that the folders do not hold: a portal that was started again goes on with a new one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    root: PathBuf,
    shim: PathBuf,
    key: MasterKey,
    ladder: Ladder,
    followers: Arc<Followers>,
    lines: Maps<Lines>,
    times: Maps<TimesMap>,
}

impl Engine {
    /// An engine over `data/runs`, with the binary that has the sub-command [`crate::shim::COMMAND`].
    ///
    /// Must be called inside a tokio runtime. Fails when the kernel gives this user no further inotify instance.
    pub fn new(root: PathBuf, shim: PathBuf, key: MasterKey) -> io::Result<Self> {
        Self::with_ladder(root, shim, key, Ladder::default())
    }

    /// The same with other times between the rungs of stopping, for the attempts that it starts.
    pub fn with_ladder(root: PathBuf, shim: PathBuf, key: MasterKey, ladder: Ladder) -> io::Result<Self> {
        let followers = Followers::new(key.clone())?;
        Ok(Self(Arc::new(Inner { root, shim, key, ladder, followers, lines: Maps::default(), times: Maps::default() })))
    }

    /// Prepares the folder of an attempt and starts its shim. The intent must be recorded before.
    ///
    /// Whether the shell could be started is said by the attempt's own record, a moment later.
    pub async fn launch(&self, spec: &Spec) -> Result<(), LaunchError> {
        self.launch_with(spec, Vec::new()).await
    }

    /// The same with secrets. They go to the shim alone, over its standard input: those that are `used` into the environment
    /// of the shell, all of them into the filter of its output.
    pub async fn launch_with(&self, spec: &Spec, secrets: Vec<Secret>) -> Result<(), LaunchError> {
        let intent = spec.intent();
        let handover = self.handover(intent, secrets);
        launch(&self.lookup(spec.id), &self.0.shim, spec, handover).await
    }

    /// Starts another shim for an attempt whose own has died, and which runs on at its target. Nothing is run again: the new one
    /// finds out how far the step has come and goes on following it; with `stop` it then stops it, as somebody has asked before.
    pub async fn resume(&self, intent: Intent, secrets: Vec<Secret>, stop: bool) -> Result<(), LaunchError> {
        let folder = self.lookup(intent.id);
        let handover = Handover { resume: true, stop, ..self.handover(intent, secrets) };
        resume(&folder, &self.0.shim, handover).await
    }

    fn handover(&self, intent: Intent, secrets: Vec<Secret>) -> Handover {
        let key = self.0.key.attempt(&intent).to_hex();
        let connections = self.connections();
        let (resume, stop, ladder) = (false, false, self.0.ladder);
        Handover { v: FORMAT, key, intent: Some(intent), resume, stop, connections, ladder, secrets }
    }

    /// Where the connections to targets are kept: beside the attempts.
    fn connections(&self) -> PathBuf {
        let root = std::path::absolute(&self.0.root).unwrap_or_else(|_| self.0.root.clone());
        root.parent().unwrap_or(&root).join("ssh")
    }

    /// Looks at a target, for at most ten seconds.
    pub async fn probe(&self, reach: &Reach, probe: &Probe) -> Result<Probed, ProbeError> {
        let (reach, probe, connections, own) = (reach.clone(), probe.clone(), self.connections(), self.0.shim.clone());
        let look = move || far::probe(&reach, &connections, &own, &probe);
        tokio::task::spawn_blocking(look).await.map_err(|error| ProbeError::Here(io::Error::other(error)))?
    }

    /// Tells values of one secret from each other, and says nothing about them to who has not the portal's key.
    pub fn secret_version(&self, name: &str, value: &str) -> String {
        self.0.key.version(name, value)
    }

    /// The folder of an attempt, whether it is there or not.
    pub fn folder(&self, id: &AttemptId) -> PathBuf {
        self.lookup(*id).path().to_owned()
    }

    /// What became of an attempt. Its folder is measured by the intent, and nothing that stands there is believed over it.
    pub fn inspect(&self, intent: &Intent) -> io::Result<Inspection> {
        inspect(&self.lookup(intent.id), &self.0.key, intent)
    }

    /// Whether the shim of an attempt has died without a record. At a target the step itself runs on.
    pub fn is_abandoned(&self, intent: &Intent) -> io::Result<bool> {
        let folder = self.lookup(intent.id);
        let found = inspect(&folder, &self.0.key, intent)?;
        Ok(matches!(found, Inspection::Interrupted { .. }) && !folder.has(EXIT))
    }

    /// What a shim that could not begin said about the reason: its first line, if there is one.
    pub fn trouble(&self, id: &AttemptId) -> Option<String> {
        let said = self.lookup(*id).read(TROUBLE).ok()?;
        let said = String::from_utf8_lossy(&said);
        said.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
    }

    /// The marks of an attempt from one on, at their places in `out.log`. Lines that its shim has not written do not count.
    ///
    /// Where output is left out ([`Progress::cut`]), the places behind the cut are provisional as long as the attempt runs:
    /// they all stand at the cut. The exact ones come with its end, here and as [`domain::attempt::Notes::ranges`].
    pub fn marks(&self, intent: &Intent, from: usize) -> io::Result<Vec<Mark>> {
        crate::inspect::marks(&self.lookup(intent.id), &self.0.key, intent, from)
    }

    /// The same for who may not wait for the disk.
    pub async fn read_marks(&self, intent: &Intent, from: usize) -> io::Result<Vec<Mark>> {
        let (key, measure) = (self.0.key.clone(), intent.clone());
        self.on_a_thread(&intent.id, move |folder| crate::inspect::marks(folder, &key, &measure, from)).await
    }

    /// How far an attempt has come, now and from now on.
    pub fn follow(&self, intent: &Intent) -> io::Result<watch::Receiver<Progress>> {
        self.0.followers.follow(intent, &self.lookup(intent.id))
    }

    /// Attempts that somebody follows at this moment.
    pub fn followed(&self) -> usize {
        self.0.followers.count()
    }

    /// Bytes in `out.log`; none when it cannot be read.
    pub fn length(&self, id: &AttemptId) -> u64 {
        self.lookup(*id).length().unwrap_or(0)
    }

    /// The length of an attempt's output and its SHA-256, read from its first byte to its last.
    pub async fn digest(&self, id: &AttemptId) -> io::Result<(u64, Digest)> {
        stored_digest(self.0.root.clone(), *id).await
    }

    /// The output of an attempt, open for reading. The error says why not in a sentence ([`crate::Unreadable`]).
    pub fn output(&self, id: &AttemptId) -> io::Result<Output> {
        Output::open(&self.lookup(*id))
    }

    /// At most `limit` bytes of output (and at most [`crate::PIECE`]) from a place on. Who reads on uses [`Engine::output`].
    pub async fn read(&self, id: &AttemptId, from: u64, limit: usize) -> io::Result<Bytes> {
        self.output(id)?.read(from, limit).await
    }

    /// The lines in which some bytes of an output stand; behind the last byte, the one that comes next.
    pub async fn lines_at(&self, intent: &Intent, bytes: Vec<u64>) -> io::Result<Vec<LinePlace>> {
        let find = move |lines: &Lines, file: &File, _| bytes.iter().map(|byte| lines.line_at(file, *byte)).collect();
        self.with_lines(intent, find).await
    }

    /// The first line that begins at a byte of an output or behind it; behind the last, the one that comes next.
    pub async fn line_from(&self, intent: &Intent, byte: u64) -> io::Result<LinePlace> {
        let find = move |lines: &Lines, file: &File, length| lines.line_from(file, byte, length);
        self.with_lines(intent, find).await
    }

    /// At most so many lines of an output from one on, and not many more bytes than a page takes; none from one that is not there.
    pub async fn stretch(&self, intent: &Intent, line: u64, most: u64) -> io::Result<Stretch> {
        let stretch = move |lines: &Lines, file: &File, length| {
            let first = lines.line(file, line)?;
            lines.stretch(file, length, first, if first.line == line { most } else { 0 })
        };
        self.with_lines(intent, stretch).await
    }

    /// How many lines an output has, with a last one that has no end. Whoever calls this as it grows keeps `out.lines` up to date.
    pub async fn count_lines(&self, intent: &Intent) -> io::Result<u64> {
        self.with_lines(intent, |lines, _, length| Ok(lines.count(length))).await
    }

    /// Asks something about the lines of an output, as it is now.
    async fn with_lines<T: Send + 'static>(
        &self,
        intent: &Intent,
        ask: impl FnOnce(&Lines, &File, u64) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (known, key) = (self.0.lines.of(intent.id), self.0.key.attempt(intent));
        let work = move |folder: &Folder| {
            let mut lines = lock(&known);
            let (file, length) = lines.update(folder, &key)?;
            ask(&lines, &file, length)
        };
        self.on_a_thread(&intent.id, work).await
    }

    /// When the bytes of a stretch of an output were printed: from each of these on, at that moment or later. An older portal has
    /// kept no moments.
    pub async fn times(&self, id: &AttemptId, stretch: Range<u64>) -> io::Result<Vec<(u64, Timestamp)>> {
        let known = self.0.times.of(*id);
        self.on_a_thread(id, move |folder| lock(&known).times(folder, stretch)).await
    }

    /// The same of the whole output.
    pub async fn all_times(&self, id: &AttemptId) -> io::Result<Vec<(u64, Timestamp)>> {
        self.on_a_thread(id, times::all).await
    }

    /// The first byte of an output that was printed at a moment or later; [`u64::MAX`] when there is none.
    pub async fn printed_at(&self, id: &AttemptId, at: Timestamp) -> io::Result<u64> {
        let known = self.0.times.of(*id);
        self.on_a_thread(id, move |folder| lock(&known).printed_at(folder, at)).await
    }

    /// Looks through an output for a pattern, with some places in it covered: for so long, and only as long as somebody waits for it.
    /// Their turn is over when nothing looks any more.
    pub async fn search(
        &self,
        id: &AttemptId,
        pattern: Pattern,
        around: u64,
        covered: Vec<Vec<ByteRange>>,
        patience: Duration,
        turn: impl Send + 'static,
    ) -> io::Result<Found> {
        let over = GivenUp::default();
        let told = Arc::clone(&over.0);
        let looking = self.on_a_thread(id, move |folder| {
            let _turn = turn;
            search::search(folder, &pattern, around, &covered, &told)
        });
        tokio::pin!(looking);
        tokio::select! {
            found = &mut looking => return found,
            () = tokio::time::sleep(patience) => over.give_up(),
        }
        looking.await
    }

    /// Every place at which a text stands in the output of an attempt, sorted, overlapping ones as one; at most one more than
    /// [`domain::redaction::RANGES_LIMIT`]. The text goes nowhere else.
    pub async fn find(&self, id: &AttemptId, text: String) -> io::Result<Vec<ByteRange>> {
        self.on_a_thread(id, move |folder| redact::find(folder, text.as_bytes())).await
    }

    /// The bytes of some lines of an output, from one to another, both with it and counted from 1. `None` when it has no such.
    pub async fn find_lines(&self, intent: &Intent, from: u64, to: u64) -> io::Result<Option<ByteRange>> {
        let find = move |lines: &Lines, file: &File, length| lines.bytes_of(file, length, from, to);
        self.with_lines(intent, find).await
    }

    /// The numbers, from 1, of the lines in which some places of an output begin; the places are sorted.
    pub async fn lines_of(&self, id: &AttemptId, places: Vec<u64>) -> io::Result<Vec<u64>> {
        self.on_a_thread(id, move |folder| redact::lines_of(folder, &places)).await
    }

    /// What covering some places would make of the output of an attempt. Nothing is written.
    pub async fn would_be(&self, id: &AttemptId, ranges: Vec<ByteRange>) -> io::Result<Redacted> {
        self.on_a_thread(id, move |folder| redact::would_be(folder, &ranges)).await
    }

    /// Covers some places in the output of an attempt that has ended, byte for byte and durably, if that makes it `new`. It can
    /// be done again at any time; an output that is not what this was decided about stays as it is, and is an error.
    pub async fn redact(&self, id: &AttemptId, ranges: Vec<ByteRange>, new: Digest) -> io::Result<()> {
        let known = self.0.lines.of(*id);
        let work = move |folder: &Folder| {
            // Nobody reads the lines while they are covered, and keeps how they were.
            let mut lines = lock(&known);
            let covered = redact::redact(folder, &ranges, &new);
            *lines = Lines::default();
            covered
        };
        self.on_a_thread(id, work).await
    }

    /// Lets a thread that may wait for the disk do something with the folder of an attempt.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        id: &AttemptId,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let folder = self.lookup(*id);
        tokio::task::spawn_blocking(move || work(&folder)).await.map_err(io::Error::other)?
    }

    /// Waits until the shim is gone, and says what became of the attempt.
    pub async fn wait_end(&self, intent: &Intent) -> io::Result<Inspection> {
        if let Ok(mut progress) = self.follow(intent) {
            // An error means that the engine itself is being dropped.
            let _ = progress.wait_for(|progress| progress.done).await;
        }
        self.inspect(intent)
    }

    /// Asks something of an attempt that runs.
    pub async fn steer(&self, id: &AttemptId, request: Steer) -> Result<(), SteerError> {
        steer(&self.lookup(*id), &request).await
    }

    /// Ends a watch while it runs; the next command goes on.
    pub async fn end_watch(&self, id: &AttemptId, command: u32) -> Result<(), SteerError> {
        self.steer(id, Steer::EndWatch { command }).await
    }

    /// Stops an attempt, rung by rung. That it has ended shows in its record.
    pub async fn stop(&self, id: &AttemptId) -> Result<(), SteerError> {
        self.steer(id, Steer::Stop).await
    }

    /// Types one line into the terminal of a command that runs; the end of the line is added.
    pub async fn input(&self, id: &AttemptId, command: u32, line: String) -> Result<(), SteerError> {
        self.steer(id, Steer::Input { command, line }).await
    }

    /// Presses a key where a program takes single keys, as a full-screen one does.
    pub async fn key(&self, id: &AttemptId, command: u32, key: Key) -> Result<(), SteerError> {
        self.steer(id, Steer::Key { command, key }).await
    }

    /// Types whatever a keyboard has into a command of interactive work; at most 4095 bytes at once.
    pub async fn keys(&self, id: &AttemptId, command: u32, bytes: Vec<u8>) -> Result<(), SteerError> {
        self.steer(id, Steer::Keys { command, bytes }).await
    }

    /// The processes of an attempt whose shim is dead, as "sleep (pid 4711)". Looks at every process of the machine. When there
    /// are none, what the shim has left of its control groups is removed.
    pub async fn survivors(&self, intent: &Intent) -> Vec<String> {
        let Some(token) = self.token_of_dead(intent) else { return Vec::new() };
        tokio::task::spawn_blocking(move || survivors::survivors(&token)).await.unwrap_or_default()
    }

    /// Kills them. Gives those that cannot be killed.
    pub async fn stop_survivors(&self, intent: &Intent) -> Vec<String> {
        let Some(token) = self.token_of_dead(intent) else { return Vec::new() };
        tokio::task::spawn_blocking(move || survivors::stop(&token)).await.unwrap_or_default()
    }

    /// The token of an attempt's processes, unless its shim lives and looks after them itself.
    fn token_of_dead(&self, intent: &Intent) -> Option<String> {
        let lives = self.lookup(intent.id).is_held().unwrap_or(false);
        (!lives).then(|| self.0.key.attempt(intent).token())
    }

    fn lookup(&self, id: AttemptId) -> Folder {
        Folder::new(&self.0.root, id)
    }
}

/// Tells a thread that nobody waits for it any more, at the latest when this is dropped.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl GivenUp {
    fn give_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.give_up();
    }
}
