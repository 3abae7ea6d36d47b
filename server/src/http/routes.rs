//! Every address and who may use it, as data. What is not in the tables does not start.

use app::api::{self, Policy};
use domain::policy::{Verb, Whose};

/// The pages, by their path in the router.
pub const PAGES: &[(&str, Policy)] = &[
    ("/sign-in", Policy::Open),
    ("/set-up", Policy::Open),
    ("/", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/procedures/{slug}", Policy::Verb(Verb::Read, Whose::Seen)),
    ("/runs/{id}", Policy::Verb(Verb::Read, Whose::Seen)),
    ("/approvals", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/approvals/{id}", Policy::Verb(Verb::Read, Whose::Seen)),
    ("/alerts/{name}", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/history", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/documents", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/audit", Policy::Verb(Verb::Audit, Whose::Listed)),
    ("/people", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/account", Policy::Verb(Verb::OwnAccount, Whose::Account)),
];

/// What is neither a page nor a server function. The files of the site are open as well: they are the same for everybody.
pub const RESOURCES: &[(&str, Policy)] = &[
    (OUTPUT, Policy::Verb(Verb::Read, Whose::Seen)),
    (EVIDENCE, Policy::Verb(Verb::Read, Whose::Seen)),
    (ALERTS, Policy::Verb(Verb::Suggest, Whose::Anybodys)),
    (ALIVE, Policy::Open),
    (READY, Policy::Open),
    // Not to everybody: it looks itself from where it is asked.
    (METRICS, Policy::Open),
    (TRIAL, Policy::Open),
    // Not there unless an identity provider is configured. Whoever comes back brings what only a browser has that was sent away.
    (SIGN_IN_WITH, Policy::Open),
    (SIGN_IN_BACK, Policy::Open),
];

/// The raw output of an attempt.
pub const OUTPUT: &str = "/runs/{run}/output/{step}/{attempt}";

/// The evidence bundle of a run.
pub const EVIDENCE: &str = "/runs/{run}/evidence";

/// What takes the webhook of alerts, by POST.
pub const ALERTS: &str = "/api/alerts";

/// Whether the process lives.
pub const ALIVE: &str = "/healthz";

/// Whether the portal can work.
pub const READY: &str = "/readyz";

/// What Prometheus reads.
pub const METRICS: &str = "/metrics";

/// A stream by which a proxy is tried. It is asked by the public name, as a page is.
pub const TRIAL: &str = "/healthz/stream";

/// Away to the identity provider.
pub const SIGN_IN_WITH: &str = "/sign-in/with";

/// Back from the identity provider.
pub const SIGN_IN_BACK: &str = "/sign-in/back";

/// The stream of a run.
pub const WATCH: &str = "/api/runs/watch";

/// An attempt that is shown once more.
pub const REPLAY: &str = "/api/runs/replay";

/// How many requests for approval wait.
pub const WAITING: &str = "/api/approvals/watch";

/// Server functions that read stored output, which may take some time.
const READING: [&str; 4] = ["/api/runs/log", "/api/runs/lines", "/api/runs/find", "/api/runs/text"];

/// Whether what a path does is of use to nobody but whoever asks.
pub fn only_reads(path: &str) -> bool {
    READING.contains(&path)
}

/// Whether paths of the portal begin with a name.
pub fn begin_with(name: &str) -> bool {
    let pages =
        PAGES.iter().chain(RESOURCES).filter_map(|(path, _)| path.split('/').nth(1)).filter(|own| !own.is_empty());
    pages.chain(["api", "pkg"]).any(|own| own == name)
}

/// Whether a route is a page, which says itself what it takes to whoever is not allowed it.
pub fn is_page(route: &str) -> bool {
    PAGES.iter().any(|(page, _)| *page == route)
}

/// Whether what answers at a route renders a page, and changes nothing by that: such a one can be asked twice.
pub fn is_rendered(route: Option<&str>) -> bool {
    !matches!(route, Some(OUTPUT | SIGN_IN_WITH | SIGN_IN_BACK))
}

/// Whether a path is one of a server function.
pub fn is_call(path: &str) -> bool {
    path.starts_with("/api/")
}

/// Whether a path is for machines that look after the portal.
pub fn is_health(path: &str) -> bool {
    matches!(path, ALIVE | READY | METRICS)
}

/// Who may use a path of the router; `None` when nobody declared it.
pub fn policy(path: &str) -> Option<Policy> {
    let declared = PAGES.iter().chain(RESOURCES).find(|(declared, _)| *declared == path);
    declared.map(|(_, policy)| *policy).or_else(|| api::policy(path))
}

/// An address without a declared policy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Nobody declared who may use {}. Nothing was started; this build is broken, use another one", .0.join(", "))]
pub struct Undeclared(pub Vec<String>);

/// Refuses addresses without a policy.
///
/// # Errors
///
/// Names them all.
pub fn check<'a>(paths: impl Iterator<Item = &'a str>) -> Result<(), Undeclared> {
    let undeclared: Vec<String> = paths.filter(|path| policy(path).is_none()).map(str::to_owned).collect();
    if undeclared.is_empty() { Ok(()) } else { Err(Undeclared(undeclared)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_nobody_declared_is_named() {
        let outcome = check(["/", "/api/sign-in", "/secret", "/api/forgotten"].into_iter());

        assert_eq!(outcome, Err(Undeclared(vec!["/secret".to_owned(), "/api/forgotten".to_owned()])));
    }

    #[test]
    fn a_stranger_reaches_only_what_leads_to_signing_in() {
        let open: Vec<&str> = PAGES
            .iter()
            .chain(RESOURCES)
            .filter(|(_, policy)| *policy == Policy::Open)
            .map(|(path, _)| *path)
            .collect();

        assert_eq!(open, ["/sign-in", "/set-up", ALIVE, READY, METRICS, TRIAL, SIGN_IN_WITH, SIGN_IN_BACK]);
    }

    #[test]
    fn the_names_with_which_paths_of_the_portal_begin_are_known() {
        assert!(["runs", "api", "pkg", "healthz", "sign-in", "account"].iter().all(|name| begin_with(name)));
        assert!(!["", "runbooks", "run", "id", "{id}"].iter().any(|name| begin_with(name)));
    }
}
