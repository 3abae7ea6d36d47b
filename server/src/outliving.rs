//! Whether steps on this machine outlive a restart of the portal, said once at the start. What runs at another target always does.
//!
//! A shim leaves the portal's session, not its control group: whoever ends the whole group, as systemd does by default and a
//! container always, ends the steps with it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// Longer than that the service manager is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What decides it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Surroundings {
    /// Whether systemd has started this process, or one above it.
    invoked: bool,
    /// The text of `/proc/self/cgroup`.
    groups: String,
    /// `KillMode` of the unit, where systemd told it.
    kill_mode: Option<String>,
    /// Whether this is a container.
    container: bool,
}

impl Surroundings {
    /// The service that this process belongs to.
    fn service(&self) -> Option<&str> {
        self.path()?.rsplit('/').find(|part| part.ends_with(".service")).filter(|_| self.invoked)
    }

    /// Whether the service is one of a person's own service manager.
    fn is_of_user(&self) -> bool {
        let parts = || self.path().unwrap_or_default().split('/');
        parts().any(|part| part.starts_with("user@")) && !self.service().is_some_and(|unit| unit.starts_with("user@"))
    }

    /// The group by which systemd knows this process: of version 2, or, beside version 1, of its own hierarchy.
    fn path(&self) -> Option<&str> {
        let of = |name: &str| self.groups.lines().find_map(|line| line.split_once(name).map(|(_, path)| path));
        of(":name=systemd:").or_else(|| of("0::"))
    }
}

/// What would happen to running steps at a restart, and what to do: one sentence, or nothing when they outlive it.
fn warning(here: &Surroundings) -> Option<String> {
    if let Some(unit) = here.service() {
        return match here.kill_mode.as_deref() {
            Some("process" | "none") => None,
            Some(mode) => Some(format!(
                "Steps on a local target that run when {unit} is stopped or restarted will be ended with it, because its KillMode is {mode}: \
                 set KillMode=process in the unit, as docs/deploy/runbook-portal.service does."
            )),
            None => Some(format!(
                "Steps on a local target that run when {unit} is stopped or restarted may be ended with it, because systemd did not say what its \
                 KillMode is: it has to be KillMode=process, as in docs/deploy/runbook-portal.service."
            )),
        };
    }
    here.container.then(|| {
        "Steps on a local target that run when this container is stopped or restarted will be ended with it, and steps on other \
         targets will not: have the steps that restart it run on another target, as docs/operating.md says."
            .to_owned()
    })
}

/// Looks at this process's surroundings: the sentence for the console, if there is one.
pub async fn look() -> Option<String> {
    let mut here = Surroundings {
        invoked: std::env::var_os("INVOCATION_ID").is_some(),
        groups: fs::read_to_string("/proc/self/cgroup").unwrap_or_default(),
        kill_mode: None,
        container: ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists()),
    };
    if let Some(unit) = here.service() {
        here.kill_mode = kill_mode(unit, here.is_of_user()).await;
    }
    warning(&here)
}

/// Asks systemd for the `KillMode` of a unit.
async fn kill_mode(unit: &str, of_user: bool) -> Option<String> {
    let mut command = Command::new("systemctl");
    command.args(of_user.then_some("--user")).args(["show", "--property=KillMode", "--value", "--", unit]);
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    let mode = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !mode.is_empty()).then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(groups: &str, kill_mode: Option<&str>) -> Surroundings {
        let kill_mode = kill_mode.map(str::to_owned);
        Surroundings { invoked: true, groups: groups.to_owned(), kill_mode, container: false }
    }

    const UNIT: &str = "0::/system.slice/runbook-portal.service\n";

    #[test]
    fn a_service_that_ends_its_whole_group_ends_the_steps_and_that_is_said() {
        for mode in ["control-group", "mixed"] {
            let said = warning(&service(UNIT, Some(mode))).unwrap();

            assert!(said.contains("runbook-portal.service") && said.contains(mode), "{said}");
            assert!(said.contains("KillMode=process"), "{said}");
            assert_eq!(said.matches(['.', ':']).count(), said.matches(".service").count() + 2, "one sentence: {said}");
        }
    }

    #[test]
    fn a_service_that_ends_only_the_portal_is_nothing_to_speak_of() {
        assert_eq!(warning(&service(UNIT, Some("process"))), None);
        assert_eq!(warning(&service(UNIT, Some("none"))), None);
    }

    #[test]
    fn when_systemd_does_not_answer_it_is_said_that_it_is_not_known() {
        assert!(warning(&service(UNIT, None)).unwrap().contains("may be ended"));
    }

    #[test]
    fn a_terminal_is_no_service() {
        let started_by_hand = service("0::/user.slice/user-1000.slice/session-3.scope\n", None);
        let without_systemd = Surroundings { invoked: false, ..service(UNIT, None) };

        assert_eq!(warning(&started_by_hand), None);
        assert_eq!(warning(&without_systemd), None);
        assert_eq!(warning(&Surroundings::default()), None);
    }

    #[test]
    fn the_unit_is_found_also_beside_version_1_and_below_a_persons_own_manager() {
        let beside = service("4:memory:/x.service\n1:name=systemd:/system.slice/portal.service\n0::/\n", None);
        let own = service("0::/user.slice/user-1000.slice/user@1000.service/app.slice/portal.service\n", None);

        assert_eq!((beside.service(), beside.is_of_user()), (Some("portal.service"), false));
        assert_eq!((own.service(), own.is_of_user()), (Some("portal.service"), true));
    }

    #[test]
    fn a_container_ends_its_steps_and_that_is_said() {
        let container = Surroundings { container: true, ..Surroundings::default() };

        let said = warning(&container).unwrap();
        assert!(
            said.contains("container") && said.contains("on a local target") && said.contains("other targets will not"),
            "{said}"
        );
    }
}
