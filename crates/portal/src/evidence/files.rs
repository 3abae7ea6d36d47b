//! Files and free space.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;

use domain::approval::{EvidenceItem, FileIdentity, Standing};
use domain::{Digest, Timestamp, time};

use super::Given;

/// Files up to this size are read for their digest: 64 MiB, which takes a fraction of a second.
pub(super) const READABLE: u64 = 64 << 20;

/// Files beside a backup that are looked at, at most.
const BESIDE: usize = 1000;

/// The sizes of so many other backups are named.
const COMPARED: usize = 5;

/// A backup that is older than a week is worth a second look.
const OLD_MS: u64 = 7 * 24 * 3_600_000;

/// A file as it was found.
#[derive(Debug)]
pub(super) struct Found {
    /// What it is.
    pub identity: FileIdentity,
    /// Whether it is a file, and no folder, pipe or device.
    pub regular: bool,
}

/// Another file beside it.
#[derive(Debug)]
pub(super) struct Other {
    /// When its content changed last.
    pub modified: Timestamp,
    /// Its size in bytes.
    pub size: u64,
    /// Its own name.
    pub name: String,
}

/// What there is to see about a file of this machine at a moment.
pub(super) fn items((given, now): &(Given, Timestamp)) -> Vec<EvidenceItem> {
    let others = if given.backup { others(given) } else { Vec::new() };
    items_of(given, identity(&given.path), &others, *now)
}

/// What there is to see about a file, wherever it was found.
pub(super) fn items_of(
    given: &Given,
    found: Result<Found, String>,
    others: &[Other],
    now: Timestamp,
) -> Vec<EvidenceItem> {
    let name = if given.backup { "Backup file".to_owned() } else { given.label.clone() };
    let found = match found {
        Ok(found) => found,
        Err(why) => {
            return vec![EvidenceItem {
                name,
                standing: Standing::Unknown,
                result: "not found".to_owned(),
                saw: vec![given.value.clone(), why],
                bound: None,
            }];
        }
    };
    let (size, age) = (found.identity.size, now.since(Timestamp(found.identity.modified_ns / 1_000_000)));
    let mut items = vec![seen(given, name, found, age)];
    if given.backup {
        items.extend(beside(given, size, others));
    }
    items
}

fn seen(given: &Given, name: String, Found { identity, regular }: Found, age: u64) -> EvidenceItem {
    let mut saw = vec![given.value.clone()];
    if identity.resolved != given.path {
        saw.push(format!("leads to {}", identity.resolved));
    }
    let content = identity.content.as_ref().map_or_else(
        || {
            if identity.size > READABLE {
                ", larger than 64 MiB: its content was not read"
            } else {
                ", its content was not read"
            }
            .to_owned()
        },
        |content| format!(", SHA-256 {content}"),
    );
    saw.push(format!("{} bytes{content}", time::thousands(identity.size)));
    let result = format!("{} old", time::span(age));
    let standing = if identity.size == 0 || age > OLD_MS { Standing::Look } else { Standing::Good };
    // A folder changes with each file that is written into it: only what is read as a backup has to stay as it is.
    let bound = (given.backup && regular).then_some(identity);
    EvidenceItem { name, standing, result, saw, bound }
}

/// The files in the folder of a backup.
fn others(given: &Given) -> Vec<Other> {
    let Ok(entries) = fs::read_dir(given.folder()) else { return Vec::new() };
    let other = |entry: fs::DirEntry| {
        let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
        let modified = Timestamp(metadata.mtime().saturating_mul(1000));
        Some(Other { modified, size: metadata.len(), name: entry.file_name().to_string_lossy().into_owned() })
    };
    entries.take(BESIDE).filter_map(Result::ok).filter_map(other).collect()
}

/// How its size stands beside the last ones of its kind in the folder.
fn beside(given: &Given, size: u64, others: &[Other]) -> Option<EvidenceItem> {
    let own = given.path.rsplit('/').next()?;
    let alike = |other: &&Other| {
        let fits = given.pattern.as_ref().is_none_or(|pattern| runbook::matches_glob(pattern, &other.name));
        fits && other.name != own
    };
    let mut others: Vec<(Timestamp, u64)> =
        others.iter().filter(alike).map(|other| (other.modified, other.size)).collect();
    others.sort_unstable_by(|one, other| other.cmp(one));
    let last: Vec<u64> = others.into_iter().take(COMPARED).map(|(_, size)| size).collect();
    let usual = middle(&last)?;
    let sizes = last.iter().map(|size| time::size(*size)).collect::<Vec<_>>().join(", ");
    Some(EvidenceItem {
        name: "Size beside the last ones".to_owned(),
        standing: if is_like(size, usual) { Standing::Good } else { Standing::Look },
        result: percent(size, usual),
        saw: vec![format!("{}; the last before or after it: {sizes}", time::size(size))],
        bound: None,
    })
}

fn middle(sizes: &[u64]) -> Option<u64> {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied()
}

/// Within a fifth of the usual size.
fn is_like(size: u64, usual: u64) -> bool {
    size.abs_diff(usual) <= usual / 5
}

fn percent(size: u64, usual: u64) -> String {
    if usual == 0 {
        return "the others are empty".to_owned();
    }
    let tenths = u128::from(size.abs_diff(usual)) * 1000 / u128::from(usual);
    let sign = if size < usual { "\u{2212}" } else { "+" };
    format!("{sign}{}.{} %", tenths / 10, tenths % 10)
}

/// A file as it is now.
///
/// # Errors
///
/// Why it cannot be looked at, as the end of a sentence.
pub(super) fn identity_now(before: &FileIdentity) -> Result<FileIdentity, String> {
    identity(&before.path).map(|found| found.identity)
}

fn identity(path: &str) -> Result<Found, String> {
    let words = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        io::ErrorKind::PermissionDenied => "the portal may not look at it".to_owned(),
        _ => error.to_string(),
    };
    let resolved = fs::canonicalize(path).map_err(words)?;
    let metadata = fs::metadata(&resolved).map_err(words)?;
    let content = if metadata.is_file() && metadata.len() <= READABLE { read(&resolved).ok() } else { None };
    let identity = FileIdentity {
        path: path.to_owned(),
        resolved: resolved.to_string_lossy().into_owned(),
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        modified_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        content,
    };
    Ok(Found { identity, regular: metadata.is_file() })
}

fn read(path: &std::path::Path) -> io::Result<Digest> {
    let mut bytes = Vec::new();
    File::open(path)?.take(READABLE).read_to_end(&mut bytes)?;
    Ok(Digest::of(&bytes))
}

/// The free space where the commands work, each file system once.
pub(super) fn free_space(places: &BTreeSet<String>) -> Vec<EvidenceItem> {
    let mut seen = BTreeSet::new();
    let look = |place: &String| {
        let device = fs::metadata(place).ok()?.dev();
        if !seen.insert(device) {
            return None;
        }
        let found = rustix::fs::statvfs(place.as_str()).ok()?;
        let (free, all) = (found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize);
        Some(space_item(place, free, all))
    };
    places.iter().filter_map(look).collect()
}

/// How much space there is at a place.
pub(super) fn space_item(place: &str, free: u64, all: u64) -> EvidenceItem {
    EvidenceItem {
        name: "Free space".to_owned(),
        standing: if free > all / 10 { Standing::Good } else { Standing::Look },
        result: time::size(free),
        saw: vec![format!("{} of {} free at {place}", time::size(free), time::size(all))],
        bound: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(path: &std::path::Path) -> Given {
        let path = path.to_str().unwrap().to_owned();
        Given {
            label: "Backup".to_owned(),
            value: path.clone(),
            path,
            pattern: Some("*.dump".to_owned()),
            backup: true,
        }
    }

    #[test]
    fn a_backup_is_seen_with_its_age_size_digest_and_those_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        for (name, size) in [("a.dump", 100), ("b.dump", 110), ("c.dump", 90), ("notes.txt", 100_000)] {
            fs::write(folder.path().join(name), vec![b'x'; size]).unwrap();
        }

        let items = items(&(given(&folder.path().join("a.dump")), Timestamp(0)));

        assert_eq!(items.len(), 2);
        let identity = items[0].bound.as_ref().unwrap();
        assert_eq!((identity.size, identity.content.as_ref()), (100, Some(&Digest::of(&[b'x'; 100]))));
        assert!(items[0].result.ends_with("old"), "{}", items[0].result);
        assert_eq!(items[1].standing, Standing::Good);
        assert!(!items[1].saw[0].contains("97"), "what is no backup is not compared: {:?}", items[1].saw);
    }

    #[test]
    fn a_backup_that_is_not_there_is_unknown_and_binds_nothing() {
        let folder = tempfile::tempdir().unwrap();

        let items = items(&(given(&folder.path().join("gone.dump")), Timestamp(0)));

        assert_eq!((items[0].standing, items[0].bound.as_ref()), (Standing::Unknown, None));
        assert!(items[0].saw.iter().any(|line| line == "it is not there"));
    }

    #[test]
    fn a_swapped_link_and_a_replaced_file_are_not_the_same_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("one"), "one").unwrap();
        fs::write(at("two"), "two").unwrap();
        std::os::unix::fs::symlink(at("one"), at("latest.dump")).unwrap();
        let before = items(&(given(&at("latest.dump")), Timestamp(0)))[0].bound.clone().unwrap();
        assert_eq!(before.difference(&identity_now(&before).unwrap()), None);

        fs::remove_file(at("latest.dump")).unwrap();
        std::os::unix::fs::symlink(at("two"), at("latest.dump")).unwrap();
        assert!(before.difference(&identity_now(&before).unwrap()).is_some());

        fs::remove_file(at("latest.dump")).unwrap();
        fs::write(at("latest.dump"), "one").unwrap();
        assert!(before.difference(&identity_now(&before).unwrap()).is_some(), "same name, same bytes, another file");
    }

    #[test]
    fn free_space_is_said_once_for_each_file_system() {
        let places = BTreeSet::from(["/".to_owned(), "/usr".to_owned(), "/not/there".to_owned()]);

        let items = free_space(&places);

        assert!(!items.is_empty() && items.len() <= 2, "{items:?}");
    }

    #[test]
    fn a_size_is_compared_in_tenths_of_a_percent() {
        assert_eq!(percent(1004, 1000), "+0.4 %");
        assert_eq!(percent(500, 1000), "\u{2212}50.0 %");
        assert!(is_like(1200, 1000) && !is_like(1201, 1000));
    }
}
