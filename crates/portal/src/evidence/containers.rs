//! The containers of the project in whose directory a run works, and their volumes.

use std::collections::{BTreeSet, HashMap};

use bollard::Docker;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::ListContainersOptions;
use domain::approval::{EvidenceItem, Standing};

/// The label by which Compose says in which directory a project was started.
const DIRECTORY: &str = "com.docker.compose.project.working_dir";

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

/// The containers of the project below a directory.
pub(super) async fn of_project(directory: &str) -> EvidenceItem {
    let Ok(docker) = Docker::connect_with_defaults() else { return unknown("There is no Docker engine here") };
    let filters = HashMap::from([("label".to_owned(), vec![DIRECTORY.to_owned()])]);
    let options = ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
    match docker.list_containers(Some(options)).await {
        Ok(containers) => {
            let here: Vec<_> = containers.into_iter().filter(|one| is_below(one, directory)).collect();
            item(&here, directory)
        }
        Err(_) => unknown("The Docker engine does not answer, or the portal may not ask it"),
    }
}

/// Whether a container's project was started in the directory or below it: a compose file often lies in a folder of its own.
fn is_below(container: &ContainerSummary, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    let project = label(container, DIRECTORY);
    project.is_some_and(|project| {
        project == directory || project.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
    })
}

fn label<'c>(container: &'c ContainerSummary, name: &str) -> Option<&'c String> {
    container.labels.as_ref()?.get(name)
}

fn item(containers: &[ContainerSummary], directory: &str) -> EvidenceItem {
    let mut seen: Vec<(String, bool)> = containers.iter().map(described).collect();
    seen.sort();
    let well = seen.iter().filter(|(_, well)| *well).count();
    let mut saw: Vec<String> = seen.iter().map(|(words, _)| words.clone()).collect();
    if seen.is_empty() {
        saw.push(format!("No project was started in {directory} or below it."));
    }
    let volumes: BTreeSet<String> = containers.iter().flat_map(volumes).collect();
    if !volumes.is_empty() {
        saw.push(format!("volumes: {}", volumes.into_iter().collect::<Vec<_>>().join(", ")));
    }
    let standing = if well == seen.len() { Standing::Good } else { Standing::Look };
    let result = if seen.is_empty() { "none".to_owned() } else { format!("{well} of {} well", seen.len()) };
    EvidenceItem { name: NAME.to_owned(), standing, result, saw, bound: None }
}

/// `mongo: Up 41 days (healthy)`, and whether that is well.
fn described(container: &ContainerSummary) -> (String, bool) {
    let status = container.status.clone().unwrap_or_else(|| "in an unknown state".to_owned());
    let runs = container.state == Some(ContainerSummaryStateEnum::RUNNING);
    let well = runs && !status.contains("unhealthy");
    (format!("{}: {status}", name(container)), well)
}

fn name(container: &ContainerSummary) -> String {
    let service = label(container, SERVICE).cloned();
    let own =
        container.names.as_ref().and_then(|names| names.first()).map(|name| name.trim_start_matches('/').to_owned());
    service.or(own).unwrap_or_else(|| "a container without a name".to_owned())
}

/// `brainbytes_mongo_data at mongo`
fn volumes(container: &ContainerSummary) -> Vec<String> {
    let mounts = container.mounts.iter().flatten();
    let named = mounts.filter_map(|mount| mount.name.as_ref().filter(|name| !name.is_empty()));
    named.map(|volume| format!("{volume} at {}", name(container))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(service: &str, directory: &str, status: &str, state: ContainerSummaryStateEnum) -> ContainerSummary {
        let labels = [(DIRECTORY, directory), (SERVICE, service)];
        ContainerSummary {
            labels: Some(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
            status: Some(status.to_owned()),
            state: Some(state),
            ..ContainerSummary::default()
        }
    }

    #[test]
    fn only_the_projects_own_containers_count_and_the_ill_ones_are_seen() {
        use ContainerSummaryStateEnum::{EXITED, RUNNING};
        let all = [
            container("mongo", "/srv/app/docker", "Up 41 days (healthy)", RUNNING),
            container("api", "/srv/app", "Up 3 hours (unhealthy)", RUNNING),
            container("web", "/srv/app", "Exited (1) 2 minutes ago", EXITED),
            container("other", "/srv/application", "Up 1 second", RUNNING),
        ];

        let here: Vec<_> = all.into_iter().filter(|one| is_below(one, "/srv/app/")).collect();
        let item = item(&here, "/srv/app");

        assert_eq!((item.result.as_str(), item.standing), ("1 of 3 well", Standing::Look));
        assert_eq!(item.saw[0], "api: Up 3 hours (unhealthy)");
    }
}
