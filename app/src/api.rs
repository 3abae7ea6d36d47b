//! Server functions: the portal's public API, one thin function per use case.
//!
//! Each finds out who is asking, takes the proof that the use case wants, calls it, and answers. There is no SQL, no
//! process and no rule here. The paths are fixed by hand, because a page that was loaded before an upgrade still calls
//! them after it.

use domain::policy::Verb;

pub(crate) mod account;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod looks;
pub(crate) mod pages;
pub(crate) mod people;
pub(crate) mod redactions;
pub(crate) mod runs;
pub(crate) mod session;

/// Who may call a server function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everybody, also a stranger.
    Open,
    /// Whoever is allowed this verb.
    Verb(Verb),
}

/// The policy of every server function, by its path. One that is not in here does not start.
pub const POLICY: &[(&str, Policy)] = &[
    ("/api/welcome", Policy::Open),
    ("/api/sign-in", Policy::Open),
    ("/api/set-up", Policy::Open),
    ("/api/session", Policy::Verb(Verb::Read)),
    ("/api/sign-out", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/password", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/authenticator/offer", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/authenticator/discard", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/authenticator/switch-on", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/authenticator/remove", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/passkeys/ask", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/passkeys/ask-for-new", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/passkeys/add", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/passkeys/remove", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/sessions/end", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/sessions/end-others", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/tokens/make", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/tokens/end", Policy::Verb(Verb::OwnAccount)),
    ("/api/account/mail", Policy::Verb(Verb::OwnAccount)),
    ("/api/pages/own-mail", Policy::Verb(Verb::OwnAccount)),
    ("/api/pages/home", Policy::Verb(Verb::Read)),
    ("/api/pages/search", Policy::Verb(Verb::Read)),
    ("/api/pages/procedure", Policy::Verb(Verb::Read)),
    ("/api/pages/run", Policy::Verb(Verb::Read)),
    ("/api/pages/history", Policy::Verb(Verb::Read)),
    ("/api/pages/documents", Policy::Verb(Verb::Read)),
    ("/api/pages/approvals", Policy::Verb(Verb::Read)),
    ("/api/pages/approval", Policy::Verb(Verb::Read)),
    ("/api/approvals/watch", Policy::Verb(Verb::Read)),
    ("/api/approvals/ask", Policy::Verb(Verb::WorkRun)),
    ("/api/approvals/cancel", Policy::Verb(Verb::WorkRun)),
    ("/api/approvals/break-glass", Policy::Verb(Verb::BreakGlass)),
    ("/api/approvals/decide", Policy::Verb(Verb::Approve)),
    ("/api/approvals/review", Policy::Verb(Verb::Approve)),
    ("/api/pages/audit", Policy::Verb(Verb::Audit)),
    ("/api/audit/verify", Policy::Verb(Verb::Audit)),
    ("/api/pages/redaction", Policy::Verb(Verb::Approve)),
    ("/api/redactions/ask", Policy::Verb(Verb::Redact)),
    ("/api/redactions/decide", Policy::Verb(Verb::Approve)),
    ("/api/pages/account", Policy::Verb(Verb::OwnAccount)),
    ("/api/pages/people", Policy::Verb(Verb::ManagePeople)),
    ("/api/pages/deliveries", Policy::Verb(Verb::ManagePeople)),
    ("/api/looks/start", Policy::Verb(Verb::StartRun)),
    ("/api/looks/run", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/watch", Policy::Verb(Verb::Read)),
    ("/api/runs/log", Policy::Verb(Verb::Read)),
    ("/api/runs/start", Policy::Verb(Verb::StartRun)),
    ("/api/runs/value", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/run", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/skip-command", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/skip-step", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/complete", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/tick", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/untick", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/note", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/finish", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/take-over", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/take-lock", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/directory", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/add-step", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/input", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/keys", Policy::Verb(Verb::WorkRun)),
    ("/api/runs/abort", Policy::Verb(Verb::Stop)),
    ("/api/runs/end-watch", Policy::Verb(Verb::Stop)),
    ("/api/runs/stop", Policy::Verb(Verb::Stop)),
    ("/api/people/create", Policy::Verb(Verb::ManagePeople)),
    ("/api/people/role", Policy::Verb(Verb::ManagePeople)),
    ("/api/people/groups", Policy::Verb(Verb::ManagePeople)),
    ("/api/people/disable", Policy::Verb(Verb::ManagePeople)),
    ("/api/people/enable", Policy::Verb(Verb::ManagePeople)),
    ("/api/people/end-sessions", Policy::Verb(Verb::ManagePeople)),
    ("/api/people/end-tokens", Policy::Verb(Verb::ManagePeople)),
    ("/api/people/mail", Policy::Verb(Verb::ManagePeople)),
];

/// The paths that a stranger may call.
pub const OPEN: &[&str] = &["/api/welcome", "/api/sign-in", "/api/set-up"];

/// The policy of a path; `None` when nobody declared one.
pub fn policy(path: &str) -> Option<Policy> {
    POLICY.iter().find(|(declared, _)| *declared == path).map(|(_, policy)| *policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_may_call_is_what_the_table_says() {
        let open: Vec<&str> =
            POLICY.iter().filter(|(_, policy)| *policy == Policy::Open).map(|(path, _)| *path).collect();

        assert_eq!(open, OPEN);
    }

    #[test]
    fn no_path_is_declared_twice() {
        let mut paths: Vec<&str> = POLICY.iter().map(|(path, _)| *path).collect();
        paths.sort_unstable();
        let all = paths.len();
        paths.dedup();

        assert_eq!(paths.len(), all);
        assert_eq!(policy("/api/runs/stop"), Some(Policy::Verb(Verb::Stop)));
        assert_eq!(policy("/api/unknown"), None);
    }
}
