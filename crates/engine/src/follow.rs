//! Following attempts: one watch on the folder of an attempt, shared by everybody who looks at it.
//!
//! The kernel says when a file of the folder grew, when `exit.json` was moved into its place, and when the shim's lock was
//! closed. Nothing is polled, nothing is asked of the shim, and nothing changes after a restart of the portal.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use domain::AttemptId;
use domain::attempt::{Condition, Intent};
use futures::StreamExt;
use inotify::{Event, EventMask, Inotify, WatchDescriptor, WatchMask, Watches};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::MasterKey;
use crate::condition;
use crate::folder::{EXIT, Folder, INDEX, LOCK, STATE};
use crate::index::{Lines, Reader};
use crate::inspect::{self, Inspection};
use crate::key::AttemptKey;

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes in `out.log`.
    pub length: u64,
    /// Marks in `out.idx`.
    pub marks: usize,
    /// The byte of `out.log` from which output is being left out, once its cap is reached or the disk is full.
    pub cut: Option<u64>,
    /// Whether it is left out because the disk is full.
    pub disk_full: bool,
    /// Whether something else stands in the place of the log; [`crate::Engine::output`] says what.
    pub unreadable: bool,
    /// What the command that runs is found to be doing.
    pub condition: Condition,
    /// Whether the shim is gone. Nothing changes after that.
    pub done: bool,
}

/// All attempts that somebody follows.
pub(crate) struct Followers {
    watches: Watches,
    master: MasterKey,
    open: Mutex<HashMap<AttemptId, Followed>>,
    task: Mutex<Option<AbortHandle>>,
}

struct Followed {
    folder: Folder,
    intent: Intent,
    descriptor: WatchDescriptor,
    sender: watch::Sender<Progress>,
    /// Bytes of `out.idx` that were counted, and the marks in them.
    indexed: u64,
    marks: usize,
    reader: Reader,
    key: AttemptKey,
    /// What was written since the last look; at first everything may have been.
    index_grew: bool,
    state_changed: bool,
    /// Whether a thread waits for the lock already.
    awaited: bool,
}

impl Followers {
    /// Must be called inside a tokio runtime.
    pub(crate) fn new(master: MasterKey) -> io::Result<Arc<Self>> {
        let inotify = Inotify::init()?;
        let watches = inotify.watches();
        let mut events = inotify.into_event_stream(vec![0; 16 << 10])?;
        let followers = Arc::new(Self { watches, master, open: Mutex::default(), task: Mutex::default() });
        let weak = Arc::downgrade(&followers);
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let Some(followers) = weak.upgrade() else { break };
                if let Ok(event) = event {
                    followers.notice(&event);
                }
            }
        });
        *followers.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        Ok(followers)
    }

    /// Follows an attempt. The watch goes when the last receiver has gone, or with the attempt.
    pub(crate) fn follow(self: &Arc<Self>, intent: &Intent, folder: &Folder) -> io::Result<watch::Receiver<Progress>> {
        let id = intent.id;
        let mut open = self.open();
        if let Some(followed) = open.get(&id) {
            return Ok(followed.sender.subscribe());
        }
        let events = WatchMask::MODIFY | WatchMask::MOVED_TO | WatchMask::CLOSE_WRITE;
        let mask = events | WatchMask::DONT_FOLLOW | WatchMask::ONLYDIR;
        let descriptor = self.watches.clone().add(folder.path(), mask)?;
        let (sender, receiver) = watch::channel(Progress::default());
        let key = self.master.attempt(intent);
        let mut followed = Followed {
            folder: folder.clone(),
            intent: intent.clone(),
            descriptor,
            sender,
            indexed: 0,
            marks: 0,
            reader: Reader::new(key.clone(), None),
            key,
            index_grew: true,
            state_changed: true,
            awaited: false,
        };
        // The watch is there: what happens from now on is heard, and what happened before is seen here.
        let done = followed.is_over(&self.master);
        followed.publish(done);
        if done {
            self.unwatch(&followed);
        } else {
            self.forget_when_unused(id, followed.sender.clone());
            open.insert(id, followed);
        }
        Ok(receiver)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<AttemptId, Followed>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwatch(&self, followed: &Followed) {
        // The kernel drops it by itself when the folder is gone.
        let _ = self.watches.clone().remove(followed.descriptor.clone());
    }

    fn forget_when_unused(self: &Arc<Self>, id: AttemptId, sender: watch::Sender<Progress>) {
        let weak = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                sender.closed().await;
                let Some(followers) = weak.upgrade() else { break };
                let mut open = followers.open();
                let same = open.get(&id).is_some_and(|followed| followed.sender.same_channel(&sender));
                if same && sender.receiver_count() > 0 {
                    continue;
                }
                if same && let Some(followed) = open.remove(&id) {
                    followers.unwatch(&followed);
                }
                break;
            }
        });
    }

    fn notice(self: &Arc<Self>, event: &Event<std::ffi::OsString>) {
        let mut open = self.open();
        if event.mask.contains(EventMask::Q_OVERFLOW) {
            let all: Vec<AttemptId> = open.keys().copied().collect();
            for id in all {
                self.look(&mut open, id);
            }
            return;
        }
        let Some(id) = open.iter().find(|(_, it)| it.descriptor == event.wd).map(|(id, _)| *id) else { return };
        if event.mask.contains(EventMask::CLOSE_WRITE) {
            if event.name.as_deref().is_some_and(|name| name == LOCK) {
                self.shim_went(&mut open, id);
            }
            return;
        }
        if event.name.as_deref().is_some_and(|name| name == EXIT) {
            self.look(&mut open, id);
        } else if let Some(followed) = open.get_mut(&id) {
            followed.hear(event);
            followed.publish(false);
        }
    }

    fn look(self: &Arc<Self>, open: &mut HashMap<AttemptId, Followed>, id: AttemptId) {
        let Some(followed) = open.get_mut(&id) else { return };
        if followed.is_over(&self.master) {
            self.finish(open, id);
        } else {
            (followed.index_grew, followed.state_changed) = (true, true);
            followed.publish(false);
        }
    }

    fn finish(&self, open: &mut HashMap<AttemptId, Followed>, id: AttemptId) {
        if let Some(mut followed) = open.remove(&id) {
            followed.index_grew = true;
            followed.publish(true);
            self.unwatch(&followed);
        }
    }

    /// The lock is being closed. The kernel says so a moment before it lets the lock go, so somebody waits for that.
    fn shim_went(self: &Arc<Self>, open: &mut HashMap<AttemptId, Followed>, id: AttemptId) {
        let Some(followed) = open.get_mut(&id).filter(|followed| !followed.awaited) else { return };
        if followed.is_over(&self.master) {
            return self.finish(open, id);
        }
        followed.awaited = true;
        let (folder, weak) = (followed.folder.clone(), Arc::downgrade(self));
        std::thread::spawn(move || {
            let _ = folder.wait_until_free();
            if let Some(followers) = Weak::upgrade(&weak) {
                followers.finish(&mut followers.open(), id);
            }
        });
    }

    /// How many attempts are watched.
    pub(crate) fn count(&self) -> usize {
        self.open().len()
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Followed {
    /// Whether nothing changes any more: there is a record, or nobody who could write one.
    fn is_over(&self, master: &MasterKey) -> bool {
        !matches!(inspect::inspect(&self.folder, master, &self.intent), Ok(Inspection::Running))
    }

    fn hear(&mut self, event: &Event<std::ffi::OsString>) {
        let name = event.name.as_deref();
        self.state_changed |= name.is_some_and(|name| name == STATE);
        if name.is_some_and(|name| name == INDEX) {
            self.index_grew = true;
            if event.mask.contains(EventMask::MOVED_TO) {
                // The true one was put back.
                self.read_again();
            }
        }
    }

    fn publish(&mut self, done: bool) {
        let found = self.read_index().unwrap_or_default();
        let marks = self.marks;
        let length = self.folder.length();
        let condition = if done { Some(Condition::default()) } else { self.condition() };
        self.sender.send_if_modified(|progress| {
            let former = *progress;
            progress.unreadable = length.is_err();
            progress.length = length.unwrap_or(progress.length);
            progress.marks = progress.marks.max(marks);
            progress.disk_full |= found.cut.as_ref().is_some_and(|cut| cut.disk_full);
            progress.cut = progress.cut.or(found.cut.map(|cut| cut.offset));
            progress.condition = condition.unwrap_or(progress.condition);
            progress.done |= done;
            *progress != former
        });
    }

    /// What the shim says of the command that runs; nothing new when it says nothing.
    fn condition(&mut self) -> Option<Condition> {
        std::mem::take(&mut self.state_changed).then_some(())?;
        condition::read(&self.folder.read(STATE).ok()?, &self.key)
    }

    /// The index is another one than the one that was read.
    fn read_again(&mut self) {
        (self.indexed, self.marks) = (0, 0);
        self.reader.restart();
    }

    /// Reads what was added to the index since the last look.
    fn read_index(&mut self) -> io::Result<Lines> {
        if !std::mem::take(&mut self.index_grew) {
            return Ok(Lines::default());
        }
        let mut file = self.folder.open(INDEX)?;
        let length = file.metadata()?.len();
        if length < self.indexed {
            self.read_again();
        }
        if length == self.indexed {
            return Ok(Lines::default());
        }
        file.seek(SeekFrom::Start(self.indexed))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let found = self.reader.read(&text);
        self.indexed += found.bytes as u64;
        self.marks += found.marks.len();
        Ok(found)
    }
}
