//! The containers of the project in whose directory a run works, and their volumes.

use std::collections::{BTreeSet, HashMap};

use bollard::Docker;
use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptions;
use domain::approval::{EvidenceItem, Standing};
use domain::target::Which;

/// The label by which Compose says in which directory a project was started.
const DIRECTORY: &str = "com.docker.compose.project.working_dir";

/// The label by which Compose names a project.
const PROJECT: &str = "com.docker.compose.project";

/// The label by which Compose names a service.
const SERVICE: &str = "com.docker.compose.service";

const NAME: &str = "Containers";

/// What could not be found out.
pub(super) fn unknown(why: &str) -> EvidenceItem {
    EvidenceItem {
        name: NAME.to_owned(),
        standing: Standing::Unknown,
        result: "not known".to_owned(),
        saw: vec![format!("{why}.")],
        bound: None,
    }
}

/// One container, by whatever way it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The directory in which its project was started.
    directory: String,
    /// Its service, or its own name.
    name: String,
    /// What the engine says of it, as `Up 41 days (healthy)`.
    status: String,
    /// Its named volumes.
    volumes: Vec<String>,
}

/// The containers of the projects below some directories of this machine.
pub(super) async fn of_project(directories: &BTreeSet<String>) -> EvidenceItem {
    let labels = vec![DIRECTORY.to_owned()];
    match listed(labels).await {
        Ok(containers) => {
            item(containers.into_iter().filter(|one| one.is_below_any(directories)).collect(), directories)
        }
        Err(why) => unknown(why),
    }
}

/// The container that is itself the target.
pub(super) async fn of_target(which: &Which) -> EvidenceItem {
    let labels = match which {
        Which::Name(_) => Vec::new(),
        Which::Label(label) => vec![label.clone()],
        Which::Service { project, service } => vec![format!("{PROJECT}={project}"), format!("{SERVICE}={service}")],
    };
    let containers = match listed(labels).await {
        Ok(containers) => containers,
        Err(why) => return unknown(why),
    };
    let is_meant = |one: &Seen| !matches!(which, Which::Name(name) if one.name != *name);
    let found: Vec<Seen> = containers.into_iter().filter(is_meant).collect();
    if found.is_empty() {
        return unknown(&format!("The engine does not know {which}"));
    }
    told(found, Vec::new())
}

/// The containers with all of these labels, as the engine of this machine lists them.
///
/// # Errors
///
/// Why they cannot be listed, in a sentence without its stop.
async fn listed(labels: Vec<String>) -> Result<Vec<Seen>, &'static str> {
    let docker = Docker::connect_with_defaults().map_err(|_| "There is no Docker engine here")?;
    let by_name = labels.is_empty();
    let filters = HashMap::from([("label".to_owned(), labels)]);
    let options = ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
    let containers = docker.list_containers(Some(options)).await;
    let containers = containers.map_err(|_| "The Docker engine does not answer, or the portal may not ask it")?;
    Ok(containers.iter().map(|one| Seen::of(one, by_name)).collect())
}

impl Seen {
    fn of(container: &ContainerSummary, by_name: bool) -> Self {
        let label = |name: &str| container.labels.as_ref()?.get(name).cloned();
        let names = container.names.iter().flatten();
        let own = names.map(|name| name.trim_start_matches('/').to_owned()).next();
        let service = label(SERVICE).filter(|_| !by_name);
        let mounts = container.mounts.iter().flatten();
        Self {
            directory: label(DIRECTORY).unwrap_or_default(),
            name: service.or(own).unwrap_or_else(|| "a container without a name".to_owned()),
            status: container.status.clone().unwrap_or_else(|| "in an unknown state".to_owned()),
            volumes: mounts.filter_map(|mount| mount.name.clone().filter(|name| !name.is_empty())).collect(),
        }
    }

    /// One line of `docker ps`: directory, service, name, status, mounts, with tabs between them.
    pub fn of_line(line: &str) -> Option<Self> {
        let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
        let [directory, service, name, status, mounts] = columns[..] else { return None };
        // What begins with a slash is a folder of the machine, and no volume.
        let volumes = mounts.split(',').filter(|mount| !mount.is_empty() && !mount.starts_with('/'));
        Some(Self {
            directory: directory.to_owned(),
            name: if service.is_empty() { name } else { service }.to_owned(),
            status: status.to_owned(),
            volumes: volumes.map(str::to_owned).collect(),
        })
    }

    /// Whether its project was started in one of some directories, or below it.
    pub fn is_below_any(&self, directories: &BTreeSet<String>) -> bool {
        directories.iter().any(|directory| self.is_below(directory))
    }

    /// Whether its project was started in the directory or below it: a compose file often lies in a folder of its own.
    fn is_below(&self, directory: &str) -> bool {
        let directory = directory.trim_end_matches('/');
        self.directory.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && !self.directory.is_empty()
    }

    fn is_well(&self) -> bool {
        self.status.starts_with("Up") && !self.status.contains("unhealthy") && !self.status.contains("(Paused)")
    }
}

/// What there is to see about the containers of the projects below some directories.
pub(super) fn item(containers: Vec<Seen>, directories: &BTreeSet<String>) -> EvidenceItem {
    let places = || directories.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
    let none = containers.is_empty().then(|| format!("No project was started in {} or below it.", places()));
    told(containers, none.into_iter().collect())
}

fn told(mut containers: Vec<Seen>, mut saw: Vec<String>) -> EvidenceItem {
    containers.sort_by(|one, other| (&one.name, &one.status).cmp(&(&other.name, &other.status)));
    saw.extend(containers.iter().map(|one| format!("{}: {}", one.name, one.status)));
    let at = |one: &Seen| one.volumes.iter().map(|volume| format!("{volume} at {}", one.name)).collect::<Vec<_>>();
    let volumes: BTreeSet<String> = containers.iter().flat_map(at).collect();
    if !volumes.is_empty() {
        saw.push(format!("volumes: {}", volumes.into_iter().collect::<Vec<_>>().join(", ")));
    }
    let well = containers.iter().filter(|one| one.is_well()).count();
    let standing = if well == containers.len() { Standing::Good } else { Standing::Look };
    let result = if containers.is_empty() { "none".to_owned() } else { format!("{well} of {} well", containers.len()) };
    EvidenceItem { name: NAME.to_owned(), standing, result, saw, bound: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(service: &str, directory: &str, status: &str) -> Seen {
        let labels = [(DIRECTORY, directory), (SERVICE, service)];
        let summary = ContainerSummary {
            labels: Some(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
            status: Some(status.to_owned()),
            ..ContainerSummary::default()
        };
        Seen::of(&summary, false)
    }

    #[test]
    fn only_the_projects_own_containers_count_and_the_ill_ones_are_seen() {
        let all = [
            container("mongo", "/srv/app/docker", "Up 41 days (healthy)"),
            container("api", "/srv/app", "Up 3 hours (unhealthy)"),
            container("web", "/srv/app", "Exited (1) 2 minutes ago"),
            container("other", "/srv/application", "Up 1 second"),
        ];

        let here: Vec<_> = all.into_iter().filter(|one| one.is_below("/srv/app/")).collect();
        let item = item(here, &BTreeSet::from(["/srv/app".to_owned()]));

        assert_eq!((item.result.as_str(), item.standing), ("1 of 3 well", Standing::Look));
        assert_eq!(item.saw[0], "api: Up 3 hours (unhealthy)");
    }

    #[test]
    fn a_line_of_the_client_says_the_same_as_the_engine() {
        let line = "/srv/app\tmongo\tapp-mongo-1\tUp 41 days (healthy)\tapp_data,/srv/app/conf";

        let seen = Seen::of_line(line).unwrap();

        let engine = container("mongo", "/srv/app", "Up 41 days (healthy)");
        assert_eq!(seen, Seen { volumes: vec!["app_data".to_owned()], ..engine });
        assert_eq!(Seen::of_line("not such a line"), None);
    }
}
