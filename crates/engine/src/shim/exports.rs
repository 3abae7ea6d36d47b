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

/// Keeps what the shell has told. What holds a named secret stays out: it would lie on the disk.
pub(super) fn keep(told: BTreeMap<String, String>, mask: &Mask) -> io::Result<Exported> {
    let may = |(name, value): &(String, String)| can_be_carried(name) && !mask.finds_secret(value);
    let values: BTreeMap<String, String> = told.into_iter().filter(may).collect();
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
    let gone = "The variables that an earlier step has exported are not as it has left them. Nothing was run.";
    let bytes = read(&folder.join(FILE)).map_err(|_| gone.to_owned())?;
    if Digest::of(&bytes) != carried.digest {
        return Err(gone.to_owned());
    }
    let file: ExportsFile = serde_json::from_slice(&bytes).map_err(|_| gone.to_owned())?;
    let named = |name: &String| carried.names.contains(name) && can_be_carried(name);
    Ok(file.values.into_iter().filter(|(name, _)| named(name)).collect())
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
