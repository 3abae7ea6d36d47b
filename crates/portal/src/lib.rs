//! The use cases of the portal: sign in, start, act, follow, look back. This crate owns the order of things.
//!
//! It records an event first and acts or tells followers after it, so that no page is ever ahead of the history; and it
//! is the only one that knows both the store and the engine. It has no rules of its own: what may happen is decided in
//! [`domain::run::decide`], who may ask in [`domain::policy`].

mod account;
mod adhoc;
mod approvals;
mod attempts;
mod auditing;
mod backups;
mod checking;
mod clock;
mod doctor;
mod documents;
mod enrolment;
mod error;
mod escalating;
mod evidence;
mod factors;
mod figures;
mod gate;
mod health;
mod knocking;
mod live;
mod logs;
mod looking;
mod masking;
mod notices;
mod once;
mod outside;
mod pages;
mod passwords;
mod people;
mod planning;
mod probing;
mod readable;
mod recording;
mod redactions;
mod replaying;
mod runs;
mod schedules;
mod screens;
mod secrets;
mod seeing;
mod sending;
mod settings;
mod suggesting;
mod targets;
mod tokens;
mod values;
mod watching;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use domain::approval::ApprovalRules;
use domain::identity::IdentityMap;
use domain::run::{Command, Moment, Who};
use domain::view::{MadeCode, MadeToken};
use domain::{AttemptId, Lowering, Timestamp};
use engine::Engine;
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use account::Sure;
pub use adhoc::Added;
pub use approvals::{Decision, Handed};
pub use auditing::{Bundle, KeptRecord, Unverifiable};
pub use backups::{Backup, BackupError, Course, Manifest, Restore, RestoreError};
pub use clock::SystemClock;
pub use doctor::{Checkup, Doctor, Health};
pub use error::{Error, OpenError};
pub use factors::spelled_secret;
pub use figures::Figures;
pub use knocking::Knock;
pub use logs::Place;
pub use notices::{Channels, Keep, MailSettings, MailTls, Sender, WebhookKind, WebhookSettings};
pub use people::{NewPerson, Standing};
pub use redactions::Sought;
pub use runs::StartRun;
pub use secrets::SecretSources;
pub use settings::{CheckpointSettings, Settings, TargetSettings};
pub use suggesting::HeardAlerts;
pub use tokens::NewToken;
pub use watching::Follow;

use auditing::Checkpoints;
use clock::ExpiryClock;
use documents::Documents;
use factors::{Passkeys, Vault};
use knocking::{Devices, Knocks};
use live::Live;
use once::Once;
use outside::Lately;
use passwords::Passwords;
use probing::Probes;
use screens::LastScreens;
use suggesting::Board;

/// The portal. Cloning it is cheap: all clones are the same one.
#[derive(Clone)]
pub struct Portal(Arc<Inner>);

struct Inner {
    store: Store,
    engine: Engine,
    documents: Documents,
    targets: Vec<TargetSettings>,
    lowerings: Vec<Lowering>,
    approvals: ApprovalRules,
    secrets: SecretSources,
    map: IdentityMap,
    channels: Channels,
    passwords: Passwords,
    vault: Vault,
    devices: Devices,
    knocks: Knocks,
    refusals: Lately,
    sign_ins: Lately,
    passkeys: Passkeys,
    made_tokens: Once<MadeToken>,
    made_codes: Once<MadeCode>,
    board: tokio::sync::Mutex<Board>,
    /// One look at the schedules at a time.
    scheduling: tokio::sync::Mutex<()>,
    checkpoints: Checkpoints,
    probes: Probes,
    live: Live,
    people: watch::Sender<u64>,
    clock: ExpiryClock,
    build: String,
    tasks: TaskTracker,
    closing: CancellationToken,
    /// What was done in an attempt and could not be recorded yet.
    unrecorded: tokio::sync::Mutex<HashMap<AttemptId, (Command, Who)>>,
    /// Held alone by whoever covers something in stored output, and together by who reads outputs that have to fit the record.
    redacting: tokio::sync::RwLock<()>,
    /// Turns for whoever looks through a whole log.
    searches: Arc<tokio::sync::Semaphore>,
    last_screens: LastScreens,
    /// Held as long as the portal lives: nobody else works in the data folder.
    _lock: std::fs::File,
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portal").field("build", &self.0.build).finish_non_exhaustive()
    }
}

impl Portal {
    /// Opens data folder and documents. It tells nobody, starts nothing and ends nothing by itself: that is [`Self::begin_work`].
    ///
    /// # Errors
    ///
    /// One sentence for the console. Nothing has been written then, unless the data folder itself had to be made.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        if settings.targets.is_empty() {
            return Err(OpenError::NoTarget);
        }
        let now = settings.clock.now();
        let documents = Documents::open(&settings.runbooks, now)?;
        let database = settings.data.join("portal.db");
        // Before the folder gets a lock and a key: one whose database is refused stays exactly as it is.
        let database = Store::inspect(&database).await?;
        let (lock, keys) = settings::open_data(&settings.data)?;
        let store = database.open(now).await?;
        let seen = store.latest_time().await.map_err(|error| data_error(&settings.data, &error.into()))?;
        let engine = Engine::new(settings.data.join("runs"), settings.shim, keys.engine)
            .map_err(|error| OpenError::Watching { why: error.to_string() })?;
        let portal = Self(Arc::new(Inner {
            store,
            engine,
            documents,
            targets: settings.targets,
            lowerings: settings.lowerings,
            approvals: settings.approvals,
            secrets: settings.secrets,
            map: settings.map,
            channels: settings.channels,
            passwords: Passwords::new().map_err(|error| data_error(&settings.data, &error))?,
            vault: keys.vault,
            devices: keys.devices,
            knocks: Knocks::default(),
            refusals: Lately::default(),
            sign_ins: Lately::default(),
            passkeys: Passkeys::new(settings.public.as_deref()),
            made_tokens: Once::default(),
            made_codes: Once::default(),
            board: tokio::sync::Mutex::default(),
            scheduling: tokio::sync::Mutex::default(),
            checkpoints: Checkpoints::new(&settings.data, &settings.checkpoints, keys.signer),
            probes: Probes::default(),
            live: Live::default(),
            people: watch::Sender::new(0),
            clock: ExpiryClock::new(settings.clock, seen),
            build: settings.build,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            unrecorded: tokio::sync::Mutex::default(),
            redacting: tokio::sync::RwLock::default(),
            searches: Arc::new(tokio::sync::Semaphore::new(logs::SEARCHES)),
            last_screens: LastScreens::default(),
            _lock: lock,
        }));
        // Before anybody reads an output: the record says that it is covered.
        portal.finish_redactions().await.map_err(|error| data_error(&settings.data, &error))?;
        // Whoever opens it records something, which gets its checkpoint.
        portal.tasks().spawn(portal.clone().keep_checkpoints());
        Ok(portal)
    }

    /// Begins all that a portal does by itself: it takes up every attempt that a former portal left open, marks what expires, starts
    /// what is scheduled, and tells and calls people.
    ///
    /// Only the portal that serves does that. What is done by another configuration is recorded all the same, and no portal after it
    /// makes up for whom that one does not reach.
    ///
    /// # Errors
    ///
    /// One sentence for the console.
    pub async fn begin_work(&self) -> Result<(), OpenError> {
        let unusable = |error: Error| data_error(self.checkpoints().data(), &error);
        self.tasks().spawn(self.clone().keep_expiring());
        self.start_telling().await.map_err(unusable)?;
        let open = self.reconcile().await.map_err(unusable)?;
        if open > 0 {
            tracing::info!(attempts.count = open, "took up attempts that were open");
        }
        self.tasks().spawn(self.clone().keep_schedules());
        self.tasks().spawn(self.clone().keep_escalating());
        Ok(())
    }

    /// The present moment, as the machine's clock shows it.
    pub fn now(&self) -> Timestamp {
        self.0.clock.clock()
    }

    /// The present moment for everything that expires. It never goes back, and turning the clock back does not stop it.
    pub fn expiry_now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The present moment as both clocks show it.
    pub(crate) fn moment(&self) -> Moment {
        Moment { clock: self.now(), expiry: self.expiry_now() }
    }

    /// The build of this portal.
    pub fn build(&self) -> &str {
        &self.0.build
    }

    /// The store, for the sessions that the HTTP side keeps there.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Ends all streams and followers. Steps stay with their shims.
    pub async fn close(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn approval_rules(&self) -> &ApprovalRules {
        &self.0.approvals
    }

    /// What people may do for whom others vouch.
    fn map(&self) -> &IdentityMap {
        &self.0.map
    }

    fn channels(&self) -> &Channels {
        &self.0.channels
    }

    /// The commands whose class an administrator lowered.
    fn lowerings(&self) -> &[Lowering] {
        &self.0.lowerings
    }

    /// The targets, in the order of the configuration.
    fn targets(&self) -> &[TargetSettings] {
        &self.0.targets
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }

    fn secret_sources(&self) -> &SecretSources {
        &self.0.secrets
    }

    fn documents(&self) -> &Documents {
        &self.0.documents
    }

    fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    fn vault(&self) -> &Vault {
        &self.0.vault
    }

    fn devices(&self) -> &Devices {
        &self.0.devices
    }

    fn knocks(&self) -> &Knocks {
        &self.0.knocks
    }

    /// The refusals of people for whom others vouch that were recorded lately.
    fn refusals(&self) -> &Lately {
        &self.0.refusals
    }

    /// The same of their sign-ins by the word of the proxy.
    fn sign_ins(&self) -> &Lately {
        &self.0.sign_ins
    }

    fn passkeys(&self) -> &Passkeys {
        &self.0.passkeys
    }

    fn made_tokens(&self) -> &Once<MadeToken> {
        &self.0.made_tokens
    }

    fn made_codes(&self) -> &Once<MadeCode> {
        &self.0.made_codes
    }

    /// What is known of alerts, for one at a time.
    async fn board(&self) -> tokio::sync::MutexGuard<'_, Board> {
        self.0.board.lock().await
    }

    async fn scheduling(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.scheduling.lock().await
    }

    fn checkpoints(&self) -> &Checkpoints {
        &self.0.checkpoints
    }

    fn probes(&self) -> &Probes {
        &self.0.probes
    }

    fn live(&self) -> &Live {
        &self.0.live
    }

    fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    fn searches(&self) -> Arc<tokio::sync::Semaphore> {
        Arc::clone(&self.0.searches)
    }

    fn last_screens(&self) -> &LastScreens {
        &self.0.last_screens
    }

    async fn unrecorded(&self) -> tokio::sync::MutexGuard<'_, HashMap<AttemptId, (Command, Who)>> {
        self.0.unrecorded.lock().await
    }

    fn redacting(&self) -> &tokio::sync::RwLock<()> {
        &self.0.redacting
    }

    /// Ends when the portal closes.
    async fn closing(&self) {
        self.0.closing.cancelled().await;
    }

    /// Hears whenever somebody may not look any more: a session or a token ended, a role or a standing changed.
    pub fn people_changed(&self) -> watch::Receiver<u64> {
        self.0.people.subscribe()
    }

    /// Tells everybody who has to look again whether they may.
    pub fn tell_people_changed(&self) {
        self.0.people.send_modify(|version| *version += 1);
    }
}

fn data_error(folder: &Path, error: &Error) -> OpenError {
    let why = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    OpenError::Data { folder: folder.display().to_string(), why }
}
