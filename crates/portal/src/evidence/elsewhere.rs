//! The same evidence at a target that is not the portal's own machine: asked by one probe, and read here.

use std::collections::BTreeSet;

use domain::approval::{EvidenceItem, FileIdentity, Standing};
use domain::{Digest, Timestamp};

use super::files::{self, Found, READABLE};
use super::{Given, containers};
use crate::probing::{Answer, Answers, Question, Said};

/// What is asked about files, their places and the containers of a run, in a fixed order.
pub(super) fn questions(given: &[Given], places: &BTreeSet<String>) -> Vec<Question> {
    let identities = given.iter().map(|given| identity(&given.path));
    let beside =
        given.iter().filter(|given| given.backup).map(|given| Question::Listing { folder: given.folder(), depth: 1 });
    let space = places.iter().cloned().map(Question::Space);
    identities.chain(beside).chain(space).chain([Question::Project]).collect()
}

/// What a file is.
pub(super) fn identity(path: &str) -> Question {
    Question::Identity { path: path.to_owned(), readable: READABLE }
}

/// What the answers say.
pub(super) fn items(
    (given, places): (&[Given], &BTreeSet<String>),
    directories: &BTreeSet<String>,
    answers: &Answers,
    now: Timestamp,
) -> Vec<EvidenceItem> {
    let answers = match answers {
        Ok(answers) => answers,
        Err(silence) => return vec![unknown("Target", &silence.to_string())],
    };
    let mut left = answers.iter();
    let identities: Vec<&Answer> = left.by_ref().take(given.len()).collect();
    let backups = given.iter().filter(|given| given.backup).count();
    let mut beside = left.by_ref().take(backups).collect::<Vec<_>>().into_iter();
    let space: Vec<&Answer> = left.by_ref().take(places.len()).collect();
    let mut items = Vec::new();
    for (given, answer) in given.iter().zip(identities) {
        let others = if given.backup { beside.next() } else { None };
        let others = others.map(|answer| listed(&answer.lines)).unwrap_or_default();
        items.extend(files::items_of(given, found(&given.path, answer), &others, now));
    }
    items.extend(free_space(places, &space));
    items.extend(left.next().map(|answer| project(answer, directories)));
    items
}

fn unknown(name: &str, why: &str) -> EvidenceItem {
    EvidenceItem {
        name: name.to_owned(),
        standing: Standing::Unknown,
        result: "not known".to_owned(),
        saw: vec![why.to_owned()],
        bound: None,
    }
}

/// A file by the answer about it.
///
/// # Errors
///
/// Why it cannot be looked at, as the end of a sentence.
pub(super) fn found(path: &str, answer: &Answer) -> Result<Found, String> {
    let why = match answer.said {
        Said::Yes => return read(path, &answer.lines).ok_or_else(|| "the target's answer cannot be read".to_owned()),
        Said::No => "it is not there",
        Said::Closed => answer.barrier("the user there may not look at it"),
        Said::Without => "the target has no programs that say what a file is (readlink and stat)",
        Said::Nothing => "the target gave no answer",
    };
    Err(why.to_owned())
}

/// The lines are: where it leads, `file` or `other`, four numbers, the time in words, and the digest where it was read.
fn read(path: &str, lines: &[String]) -> Option<Found> {
    let [resolved, kind, numbers, words, rest @ ..] = lines else { return None };
    let mut numbers = numbers.split(' ');
    let mut number = || numbers.next()?.parse::<u64>().ok();
    let (device, inode, size, seconds) = (number()?, number()?, number()?, number()?);
    let seconds = i64::try_from(seconds).ok()?;
    let content = rest.first().and_then(|digest| Digest::parse(digest));
    let identity = FileIdentity {
        path: path.to_owned(),
        resolved: resolved.clone(),
        device,
        inode,
        size,
        modified_ns: seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds(words))?,
        content,
    };
    Some(Found { identity, regular: kind == "file" })
}

/// Of a time as `2026-11-26 22:54:37.811693033 +0000`; a target that counts whole seconds has none.
fn nanoseconds(words: &str) -> i64 {
    let behind = words.split_once('.').map_or("", |(_, behind)| behind);
    let digits: String = behind.chars().take_while(char::is_ascii_digit).take(9).collect();
    format!("{digits:0<9}").parse().unwrap_or(0)
}

/// Files with seconds, bytes and path.
fn listed(lines: &[String]) -> Vec<files::Other> {
    let other = |line: &String| {
        let mut words = line.splitn(3, ' ');
        let (seconds, size) = (words.next()?.parse::<i64>().ok()?, words.next()?.parse::<u64>().ok()?);
        let name = words.next()?.rsplit('/').next()?.to_owned();
        Some(files::Other { modified: Timestamp(seconds.saturating_mul(1000)), size, name })
    };
    lines.iter().filter_map(other).collect()
}

/// The free space of each place, each file system once.
fn free_space(places: &BTreeSet<String>, answers: &[&Answer]) -> Vec<EvidenceItem> {
    let mut seen = BTreeSet::new();
    let item = |(place, answer): (&String, &&Answer)| {
        let (system, free, all) = space(&answer.lines)?;
        seen.insert(system).then(|| files::space_item(place, free, all))
    };
    places.iter().zip(answers).filter_map(item).collect()
}

/// What `df -P -k` says: the file system, and the free bytes of all.
pub(crate) fn space(lines: &[String]) -> Option<(String, u64, u64)> {
    let columns: Vec<&str> = lines.get(1)?.split_whitespace().collect();
    // A file system's name may have blanks: the numbers are counted from the end, where a mount point hardly has one.
    let percent = columns.iter().rposition(|column| column.ends_with('%'))?;
    let number = |back: usize| columns.get(percent.checked_sub(back)?)?.parse::<u64>().ok();
    let (free, used) = (number(1)?, number(2)?);
    let mount = columns.get(percent + 1..)?.join(" ");
    Some((mount, free.saturating_mul(1024), number(3).unwrap_or(free + used).saturating_mul(1024)))
}

/// The containers of the projects in whose directories commands begin.
fn project(answer: &Answer, directories: &BTreeSet<String>) -> EvidenceItem {
    match answer.said {
        Said::Yes => {
            let seen = answer.lines.iter().filter_map(|line| containers::Seen::of_line(line));
            containers::item(seen.filter(|seen| seen.is_below_any(directories)).collect(), directories)
        }
        Said::Without => containers::unknown("The target finds no docker"),
        Said::No | Said::Closed => containers::unknown(&format!("Docker does not answer there: {}", answer.why())),
        Said::Nothing => containers::unknown("The target gave no answer"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::probing::tests::asked_here;

    fn given(path: &str) -> Given {
        Given {
            label: "Backup".to_owned(),
            value: path.to_owned(),
            path: path.to_owned(),
            pattern: Some("*.dump".to_owned()),
            backup: true,
        }
    }

    #[test]
    fn what_a_probe_sees_is_what_the_portal_sees_with_its_own_eyes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, size) in [("a.dump", 100), ("b.dump", 110), ("notes.txt", 9)] {
            fs::write(at(name), vec![b'x'; size]).unwrap();
        }
        std::os::unix::fs::symlink(at("a.dump"), at("latest.dump")).unwrap();
        let given = [given(at("latest.dump").to_str().unwrap())];
        let places = BTreeSet::from([folder.path().to_str().unwrap().to_owned()]);

        let answers = Ok(asked_here(&questions(&given, &places)));
        let there = items((&given, &places), &BTreeSet::from(["/".to_owned()]), &answers, Timestamp(0));
        let here = files::items(&(given[0].clone(), Timestamp(0)));

        assert_eq!(there[..2], here[..], "identity, digest, and the sizes beside it");
        assert!(there[0].bound.as_ref().unwrap().content.is_some());
        assert_eq!(there[2].name, "Free space");
    }

    #[test]
    fn another_file_of_the_same_name_differs_and_a_lost_one_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dump").to_str().unwrap().to_owned();
        let look = || found(&path, &asked_here(&[identity(&path)])[0]);
        fs::write(&path, "one").unwrap();
        let before = look().unwrap().identity;

        fs::remove_file(&path).unwrap();
        let gone = look();
        fs::write(&path, "two").unwrap();

        assert_eq!(gone.unwrap_err(), "it is not there");
        assert!(before.difference(&look().unwrap().identity).is_some());
    }

    #[test]
    fn a_target_that_does_not_answer_leaves_everything_unknown_and_binds_nothing() {
        let given = [given("/srv/a.dump")];
        let places = BTreeSet::from(["/srv".to_owned()]);

        let silence = Err("prod does not answer.".to_owned().into());
        let items = items((&given, &places), &places, &silence, Timestamp(0));

        assert_eq!((items.len(), items[0].standing), (1, Standing::Unknown));
        assert_eq!(items[0].saw, ["prod does not answer."]);
    }

    #[test]
    fn the_numbers_of_df_are_found_whatever_stands_before_them() {
        let lines =
            |line: &str| vec!["Filesystem 1024-blocks Used Available Capacity Mounted on".to_owned(), line.to_owned()];

        let plain = space(&lines("/dev/vda 264212084 72143928 23141960 76% /"));
        let odd = space(&lines("//nas/my share 100 60 40 60% /mnt/the share"));

        assert_eq!(plain, Some(("/".to_owned(), 23_141_960 * 1024, 264_212_084 * 1024)));
        assert_eq!(odd, Some(("/mnt/the share".to_owned(), 40 * 1024, 100 * 1024)));
        assert_eq!(space(&lines("nothing")), None);
    }

    #[test]
    fn a_time_has_as_many_digits_as_the_target_counts() {
        assert_eq!(nanoseconds("2026-11-26 22:54:37.811693033 +0000"), 811_693_033);
        assert_eq!(nanoseconds("2026-11-26 22:54:37.5 +0000"), 500_000_000);
        assert_eq!(nanoseconds("2026-11-26 22:54:37 +0000"), 0);
    }
}
