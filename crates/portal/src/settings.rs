//! What a portal is opened with, and its data folder.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit::{PublicKey, Signer};
use domain::Lowering;
use domain::approval::ApprovalRules;
use domain::identity::IdentityMap;
use domain::plan::PlanTarget;
use domain::time::Clock;
use engine::MasterKey;
use rand::RngCore as _;

use crate::factors::Vault;
use crate::knocking::Devices;
use crate::{Channels, OpenError, SecretSources};

/// Everything that a portal needs from outside.
#[derive(Clone)]
pub struct Settings {
    /// The data folder: database, keys, output. Made when it is not there.
    pub data: PathBuf,
    /// The folder of runbook documents.
    pub runbooks: PathBuf,
    /// The binary that is the shim when it is called so.
    pub shim: PathBuf,
    /// The targets, in the order of the configuration.
    pub targets: Vec<TargetSettings>,
    /// The commands whose class an administrator lowered.
    pub lowerings: Vec<Lowering>,
    /// What needs an approval, and how long one holds.
    pub approvals: ApprovalRules,
    /// Where the values of secrets come from.
    pub secrets: SecretSources,
    /// Scheme and host that people use, when they are configured: passkeys are bound to that name.
    pub public: Option<String>,
    /// What people may do for whom others vouch.
    pub map: IdentityMap,
    /// How people are told of what waits for them.
    pub channels: Channels,
    /// Where and how often checkpoints of the chain of events are kept.
    pub checkpoints: CheckpointSettings,
    /// The build, for pages to compare.
    pub build: String,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// A target, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSettings {
    /// What a plan freezes of it.
    pub plan: PlanTarget,
    /// What it is, in a few words for people.
    pub about: String,
    /// The absolute directory in which runs begin unless the side file says otherwise.
    pub directory: String,
    /// The files there whose values are masked in all output: absolute, or seen from the run's directory.
    pub mask_files: Vec<String>,
}

/// Where and how often checkpoints are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSettings {
    /// Their folder; `None` is `checkpoints` in the data folder.
    pub folder: Option<PathBuf>,
    /// The longest time between an event and the checkpoint that covers it.
    pub every: Duration,
}

impl CheckpointSettings {
    /// The longest time that can be set.
    pub const LONGEST: Duration = Duration::from_mins(1);

    /// The folder of a portal with this data folder.
    pub fn folder(&self, data: &Path) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| data.join("checkpoints"))
    }
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        Self { folder: None, every: Self::LONGEST }
    }
}

/// What the key files open.
pub(crate) struct Keys {
    /// Authenticates exit records.
    pub(crate) engine: MasterKey,
    /// Seals the secrets of second factors.
    pub(crate) vault: Vault,
    /// Signs checkpoints.
    pub(crate) signer: Signer,
    /// Makes devices known.
    pub(crate) devices: Devices,
}

/// The file that is held as long as somebody works in the data folder.
pub(crate) const LOCK: &str = "portal.lock";

/// What a backup is put into while it is being restored, in the data folder.
pub(crate) const RESTORING: &str = ".restoring";

/// The file of the key that signs checkpoints, in the data folder.
const AUDIT_KEY: &str = "keys/audit.key";

/// Makes and locks the data folder and reads its key, or makes one.
pub(crate) fn open_data(folder: &Path) -> Result<(File, Keys), OpenError> {
    let unusable =
        |error: std::io::Error| OpenError::Data { folder: folder.display().to_string(), why: error.to_string() };
    if folder.join(RESTORING).symlink_metadata().is_ok() {
        return Err(OpenError::HalfRestored { folder: folder.display().to_string() });
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder.join("keys")).map_err(unusable)?;
    let lock = take_lock(folder).map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::Locked { folder: folder.display().to_string() },
        TryLockError::Error(error) => unusable(error),
    })?;
    let key = key(&folder.join("keys/shim.key")).map_err(unusable)?;
    let signer = Signer::new(self::key(&folder.join(AUDIT_KEY)).map_err(unusable)?);
    let (vault, devices) = (Vault::new(&key), Devices::new(&key));
    Ok((lock, Keys { vault, devices, engine: MasterKey::new(key), signer }))
}

/// Locks a data folder, as long as the file is open.
pub(crate) fn take_lock(folder: &Path) -> Result<File, TryLockError> {
    let mut options = OpenOptions::new();
    let lock = options.create(true).truncate(false).write(true).mode(0o600).open(folder.join(LOCK));
    let lock = lock.map_err(TryLockError::Error)?;
    lock.try_lock()?;
    Ok(lock)
}

/// The key that checks the checkpoints of a data folder, while its portal may or may not run.
///
/// # Errors
///
/// When the folder has no key, or it cannot be read.
pub(crate) fn public_key(folder: &Path) -> std::io::Result<PublicKey> {
    let mut seed = [0_u8; 32];
    File::open(folder.join(AUDIT_KEY))?.read_exact(&mut seed)?;
    Ok(Signer::new(seed).public())
}

/// Writes a small file that is there whole or not at all, also after the power was lost.
fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// A key: 32 random bytes, made once and readable by the portal's user alone.
fn key(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    match File::open(path) {
        Ok(mut file) => file.read_exact(&mut bytes)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            rand::rng().fill_bytes(&mut bytes);
            write_durably(path, &bytes)?;
        }
        Err(error) => return Err(error),
    }
    Ok(bytes)
}
