//! What the portal looks at for the person who decides: files, free space, containers, who else is there. By looking only.
//!
//! It looks where the run works: on its own machine with its own eyes, elsewhere by a probe. Everything here has a limit of time,
//! and what cannot be found out is said to be unknown.

mod containers;
pub(crate) mod elsewhere;
mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::RunId;
use domain::approval::{Evidence, EvidenceItem, FileIdentity, Standing};
use domain::policy::{Groups, Role, Sight};
use domain::run::{Run, Wanted, Who};
use domain::runbook::ParameterKind;
use domain::target::Reach;
use domain::view::RunRow;

use crate::{Error, Portal};

/// What has not answered after so long is not known.
const PATIENCE: Duration = Duration::from_secs(10);

/// Other open runs that are named.
const OTHERS: u32 = 100;

impl Portal {
    /// What there is to see about some commands of a run.
    pub(crate) async fn evidence(&self, run: &Run, wanted: &[Wanted], who: &Who) -> Result<Evidence, Error> {
        let (files, directories) = (files_of(run, wanted), directories_of(run, wanted));
        let places: BTreeSet<String> = directories.iter().cloned().chain(files.iter().map(Given::folder)).collect();
        let mut items = match run.plan.target.reach {
            Reach::Local => self.seen_here(files, places, &directories).await,
            _ => self.seen_elsewhere(run, (&files, &places), &directories, who).await,
        };
        items.push(self.others(run).await?);
        Ok(Evidence { at: self.now(), items })
    }

    async fn seen_here(
        &self,
        files: Vec<Given>,
        places: BTreeSet<String>,
        directories: &BTreeSet<String>,
    ) -> Vec<EvidenceItem> {
        let mut items = Vec::new();
        for file in files {
            items.extend(in_time((file, self.now()), files::items).await);
        }
        items.extend(in_time(places, files::free_space).await);
        items.push(answered(containers::of_project(directories)).await);
        items
    }

    async fn seen_elsewhere(
        &self,
        run: &Run,
        (files, places): (&[Given], &BTreeSet<String>),
        directories: &BTreeSet<String>,
        who: &Who,
    ) -> Vec<EvidenceItem> {
        let target = &run.plan.target;
        let mut questions = elsewhere::questions(files, places);
        let container = match &target.reach {
            Reach::Container(container) => {
                // Inside it nobody knows of the engine: the portal asks that itself.
                questions.pop();
                Some(answered(containers::of_target(&container.which)).await)
            }
            _ => None,
        };
        let answers = self.ask(who, target, "evidence for an approval", &questions).await;
        let mut items = elsewhere::items((files, places), directories, &answers, self.now());
        items.extend(container);
        items
    }

    /// The files to which approvals of a run are bound, as they are now.
    pub(crate) async fn look_at_bound(&self, run: &Run, who: &Who) -> BTreeMap<String, Result<FileIdentity, String>> {
        let open = run.requests.iter().filter(|request| request.end.is_none());
        let bound: Vec<&FileIdentity> = open.flat_map(|request| request.evidence.bound()).collect();
        match run.plan.target.reach {
            Reach::Local => bound_here(&bound).await,
            _ => self.bound_elsewhere(run, &bound, who).await,
        }
    }

    async fn bound_elsewhere(
        &self,
        run: &Run,
        bound: &[&FileIdentity],
        who: &Who,
    ) -> BTreeMap<String, Result<FileIdentity, String>> {
        let questions: Vec<_> = bound.iter().map(|file| elsewhere::identity(&file.path)).collect();
        let answers = self.ask(who, &run.plan.target, "files of an approval", &questions).await;
        let now = |(place, file): (usize, &&FileIdentity)| {
            let found = match &answers {
                Ok(answers) => elsewhere::found(&file.path, &answers[place]).map(|found| found.identity),
                Err(silence) => Err(silence.to_string().trim_end_matches('.').to_owned()),
            };
            (file.path.clone(), found)
        };
        bound.iter().enumerate().map(now).collect()
    }

    /// Other runs that are open on the same target. Evidence stays in the record: what is limited is not named in it, because
    /// nobody knows who will read it.
    async fn others(&self, run: &Run) -> Result<EvidenceItem, Error> {
        let everybody = Sight::of(Role::Viewer, Groups::new(), self.documents().last().limits());
        let open = self.store().open_runs(OTHERS, &Sight::EVERYTHING).await?;
        let others: Vec<&RunRow> =
            open.iter().filter(|row| row.id != run.id && row.target == run.plan.target.name).collect();
        let ids: Vec<RunId> = others.iter().map(|row| row.id).collect();
        let named = self.store().seen(&ids, &everybody).await?;
        let words = |row: &&RunRow| {
            let title = if named.contains(&row.id) { &*row.title } else { "limited to others" };
            format!("{}, run {}, {title} ({})", row.by, row.id, row.risk.word())
        };
        let others: Vec<String> = others.iter().map(words).collect();
        let (standing, result) = match others.len() {
            0 => (Standing::Good, "nobody".to_owned()),
            1 => (Standing::Look, "1 run".to_owned()),
            more => (Standing::Look, format!("{more} runs")),
        };
        let name = format!("Who else works on {}", run.plan.target.name);
        Ok(EvidenceItem { name, standing, result, saw: others, bound: None })
    }
}

/// A file that commands are given as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    /// What it is called on the page.
    label: String,
    /// The value.
    value: String,
    /// The same as an absolute path.
    path: String,
    /// The names that the files beside it have, where the side file says so.
    pattern: Option<String>,
    /// Whether the parameter is a backup, and not just any path.
    backup: bool,
}

impl Given {
    fn folder(&self) -> String {
        match self.path.rsplit_once('/') {
            Some(("", _)) | None => "/".to_owned(),
            Some((folder, _)) => folder.to_owned(),
        }
    }
}

/// Where some commands would begin: in the directory of the run, or in that of their own step.
fn directories_of(run: &Run, wanted: &[Wanted]) -> BTreeSet<String> {
    let begins = |(step, commands): &Wanted| run.ground(*step, commands).directory;
    let found: BTreeSet<String> = wanted.iter().map(begins).collect();
    if found.is_empty() { BTreeSet::from([run.directory.clone()]) } else { found }
}

/// The files among the values of some commands, each once.
fn files_of(run: &Run, wanted: &[Wanted]) -> Vec<Given> {
    let mut found = BTreeMap::new();
    for (step, commands) in wanted {
        let directory = run.ground(*step, commands).directory;
        for (name, value) in run.values_of(*step, commands) {
            if let Some(given) = given(run, &name, value, &directory) {
                found.insert((name, given.path.clone()), given);
            }
        }
    }
    found.into_values().collect()
}

/// A value that is a file, seen from a directory.
fn given(run: &Run, name: &str, value: String, directory: &str) -> Option<Given> {
    let parameter = run.plan.parameter(name)?;
    let (backup, pattern) = match &parameter.kind {
        ParameterKind::BackupFile { pattern, .. } => (true, pattern.clone()),
        ParameterKind::Path { .. } => (false, None),
        _ => return None,
    };
    let path =
        if value.starts_with('/') { value.clone() } else { format!("{}/{value}", directory.trim_end_matches('/')) };
    Some(Given { label: parameter.label(), value, path, pattern, backup })
}

/// The files as they are on this machine.
async fn bound_here(bound: &[&FileIdentity]) -> BTreeMap<String, Result<FileIdentity, String>> {
    let mut found = BTreeMap::new();
    for file in bound {
        let before = (*file).clone();
        let look = tokio::task::spawn_blocking(move || files::identity_now(&before));
        let now = match tokio::time::timeout(PATIENCE, look).await {
            Ok(Ok(now)) => now,
            Ok(Err(_)) | Err(_) => Err("it did not answer in time".to_owned()),
        };
        found.insert(file.path.clone(), now);
    }
    found
}

/// What the Docker engine says, within its time.
async fn answered(asked: impl Future<Output = EvidenceItem>) -> EvidenceItem {
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    answer.unwrap_or_else(|_| containers::unknown("The Docker engine did not answer in time"))
}

/// Looks at something on the disk without holding up anybody else, for a limited time.
async fn in_time<T: Send + 'static>(what: T, look: fn(&T) -> Vec<EvidenceItem>) -> Vec<EvidenceItem> {
    let looking = tokio::task::spawn_blocking(move || look(&what));
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(Ok(items)) => items,
        Ok(Err(_)) | Err(_) => vec![EvidenceItem {
            name: "Files".to_owned(),
            standing: Standing::Unknown,
            result: "not known".to_owned(),
            saw: vec!["The disk did not answer in time.".to_owned()],
            bound: None,
        }],
    }
}
