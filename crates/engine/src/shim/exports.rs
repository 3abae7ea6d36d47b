//! Exported variables on their way to later attempts of the run: `exports.json` in the folder of the attempt.
//!
//! Only values of variables travel, and only of those that the work names; functions, aliases and options of the shell cannot. The
//! values are in that file and nowhere else: records hold names, and a digest of the file that something random in it keeps
//! from telling its values.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::Digest;
use domain::attempt::{Carried, Exported, FORMAT};
use domain::steering::can_be_carried;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::mask::Mask;

const FILE: &str = "exports.json";
/// A longer value cannot be an entry of an environment.
pub(super) const LONGEST: usize = 96 << 10;
/// Nobody reads further than this.
const LIMIT: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
struct ExportsFile {
    v: u32,
    salt: String,
    values: BTreeMap<String, String>,
}

/// What later attempts of the run get, and what a person should know about it.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// `None` leaves to them what this attempt has got itself.
    pub exported: Option<Exported>,
    /// Whole sentences.
    pub notes: Vec<String>,
}

impl Kept {
    /// Nothing at all: what this attempt should have got is lost.
    pub(super) fn nothing() -> Self {
        let exported = Exported { names: Vec::new(), digest: Digest::of(b"") };
        Self { exported: Some(exported), notes: Vec::new() }
    }
}

/// Keeps what the shell has told. What holds a value that is masked in the output stays out: it would lie on the disk.
pub(super) fn keep(told: BTreeMap<String, String>, mask: &Mask) -> Kept {
    let told = told.into_iter().filter(|(name, _)| can_be_carried(name));
    let finder = mask.finder();
    let (masked, values): (BTreeMap<_, _>, BTreeMap<_, _>) = told.partition(|(_, value)| finder.finds(value));
    let names: Vec<String> = masked.into_keys().collect();
    let hidden = (!names.is_empty()).then(|| {
        format!("Not kept for later steps, because their values are masked in the output: {}.", names.join(", "))
    });
    let (exported, failed) = match write(values) {
        Ok(exported) => (Some(exported), None),
        Err(error) => {
            (None, Some(format!("What this step has exported could not be kept for later steps ({}).", error.kind())))
        }
    };
    Kept { exported, notes: hidden.into_iter().chain(failed).collect() }
}

fn write(values: BTreeMap<String, String>) -> io::Result<Exported> {
    let names = values.keys().cloned().collect();
    let bytes = serde_json::to_vec(&ExportsFile { v: FORMAT, salt: super::token(), values })?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(FILE)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok(Exported { names, digest: Digest::of(&bytes) })
}

/// What an earlier attempt of the run has kept, or why it cannot be had.
pub(super) fn take(carried: &Carried) -> Result<BTreeMap<String, String>, String> {
    let folder = PathBuf::from("..").join(format!("{}-{}", carried.step, carried.attempt));
    let bytes = read(&folder.join(FILE))
        .map_err(|error| lost(carried, &format!("their file cannot be read ({})", error.kind())))?;
    let changed = || lost(carried, "their file is not as that step has left it");
    if Digest::of(&bytes) != carried.digest {
        return Err(changed());
    }
    let file: ExportsFile = serde_json::from_slice(&bytes).map_err(|_| changed())?;
    let named = |name: &String| carried.names.contains(name) && can_be_carried(name);
    Ok(file.values.into_iter().filter(|(name, _)| named(name)).collect())
}

/// Whoever starts the step again has read that it goes on without them.
fn lost(carried: &Carried, why: &str) -> String {
    format!(
        "The variables that an earlier step has exported are lost, because {why}: {}. Nothing was run. When the step is started \
         again, it starts without them; run the step that exports them again first if it needs them.",
        carried.names.join(", ")
    )
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut bytes = Vec::new();
    std::fs::File::from(rustix::fs::open(path, flags, Mode::empty())?).take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A value as the shell has told it, if it is whole: something else may have been printed into the middle of a long one.
pub(super) fn whole(value: Vec<u8>, length: usize) -> Option<String> {
    let value = String::from_utf8(value).ok()?;
    // Some shells count bytes, others characters.
    (value.len() <= LONGEST && (value.len() == length || value.chars().count() == length)).then_some(value)
}
