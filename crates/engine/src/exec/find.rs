//! Which container is meant.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptions};
use domain::target::Which;

use super::docker::reason;
use super::{Failed, GONE};

/// The labels by which Compose names a project and a service.
const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
/// Says of a container of `docker-compose run` that it is not the service itself.
const ONE_OFF: &str = "com.docker.compose.oneoff";

/// The id of the one container that runs and answers to this.
pub(super) async fn find(docker: &Docker, which: &Which) -> Result<String, Failed> {
    match which {
        Which::Name(name) => by_name(docker, which, name).await,
        Which::Label(label) => by_labels(docker, which, vec![label.clone()]).await,
        Which::Service { project, service } => {
            by_labels(docker, which, vec![format!("{PROJECT}={project}"), format!("{SERVICE}={service}")]).await
        }
    }
}

async fn by_name(docker: &Docker, which: &Which, name: &str) -> Result<String, Failed> {
    // It becomes a part of the request's path.
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_fit) {
        return Err(format!("{name:?} cannot be the name of a container. Nothing was run.").into());
    }
    let container = match docker.inspect_container(name, None::<InspectContainerOptions>).await {
        Ok(container) => container,
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Err(not_there(which)),
        Err(error) => return Err(not_asked(which, &error).into()),
    };
    let runs = container.state.and_then(|state| state.running).unwrap_or(false);
    container.id.filter(|_| runs).ok_or_else(|| not_there(which))
}

async fn by_labels(docker: &Docker, which: &Which, labels: Vec<String>) -> Result<String, Failed> {
    let status = vec!["running".to_owned()];
    let filters = HashMap::from([("label".to_owned(), labels), ("status".to_owned(), status)]);
    let options = ListContainersOptions { filters: Some(filters), ..ListContainersOptions::default() };
    let found = docker.list_containers(Some(options)).await.map_err(|error| not_asked(which, &error))?;
    one(which, found)
}

/// The only one of those that run; those that Compose has started for a single command do not count.
fn one(which: &Which, found: Vec<ContainerSummary>) -> Result<String, Failed> {
    let is_service = |one: &ContainerSummary| {
        let mark = one.labels.as_ref().and_then(|labels| labels.get(ONE_OFF));
        !matches!(which, Which::Service { .. }) || !mark.is_some_and(|mark| mark.eq_ignore_ascii_case("true"))
    };
    let mut found: Vec<_> = found.into_iter().filter(is_service).collect();
    if found.len() > 1 {
        let mut names: Vec<String> = found.iter().map(name).collect();
        names.sort();
        return Err(format!(
            "{} is not one: {} answer to that. Nothing was run; the target has to say which.",
            capital(which),
            names.join(", "),
        )
        .into());
    }
    found.pop().and_then(|one| one.id).ok_or_else(|| not_there(which))
}

fn name(container: &ContainerSummary) -> String {
    let name = container.names.iter().flatten().next().or(container.id.as_ref());
    name.map_or("one without a name", |name| name.trim_start_matches('/')).to_owned()
}

fn not_there(which: &Which) -> Failed {
    let sentence = format!("{} is not there, or does not run. Nothing was run in it.", capital(which));
    Failed { code: GONE, sentence }
}

fn not_asked(which: &Which, error: &Error) -> String {
    format!("{} could not be looked for: {}. Nothing was run in it.", capital(which), reason(error))
}

/// At the beginning of a sentence.
fn capital(which: &Which) -> String {
    let words = which.to_string();
    words.strip_prefix("the ").map_or(words.clone(), |rest| format!("The {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, labels: &[(&str, &str)]) -> ContainerSummary {
        ContainerSummary {
            id: Some(format!("id-of-{name}")),
            names: Some(vec![format!("/{name}")]),
            labels: Some(labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()),
            ..ContainerSummary::default()
        }
    }

    #[test]
    fn exactly_one_has_to_answer() {
        let which = Which::Label("role=api".to_owned());
        let [one_, two] = ["b", "a"].map(|name| container(name, &[]));

        assert_eq!(one(&which, vec![one_.clone()]).unwrap(), "id-of-b");
        let nobody = "The container with the label role=api is not there, or does not run. Nothing was run in it.";
        assert_eq!(one(&which, Vec::new()).unwrap_err().sentence, nobody);
        let several = "The container with the label role=api is not one: a, b answer to that. Nothing was run; the target has to say which.";
        assert_eq!(one(&which, vec![one_, two]).unwrap_err().sentence, several);
    }

    #[test]
    fn a_container_that_compose_started_for_one_command_is_not_the_service() {
        let which = Which::Service { project: "shop".to_owned(), service: "api".to_owned() };
        let service = container("shop_api_1", &[(ONE_OFF, "False")]);
        let one_off = container("shop_api_run_1", &[(ONE_OFF, "True")]);

        assert_eq!(one(&which, vec![one_off.clone(), service]).unwrap(), "id-of-shop_api_1");
        assert!(one(&which, vec![one_off.clone()]).is_err());
        assert!(one(&Which::Label("any".to_owned()), vec![one_off]).is_ok());
    }
}
