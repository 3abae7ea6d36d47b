//! Server functions: the portal's public API, one thin function per use case.
//!
//! Each finds out who is asking, takes the proof that the use case wants, calls it, and answers. There is no SQL, no
//! process and no rule here. The paths are fixed by hand, because a page that was loaded before an upgrade still calls
//! them after it.

use domain::policy::{Verb, Whose};

pub(crate) mod account;
pub(crate) mod alerts;
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
    /// Whoever is allowed this verb, as far as it is theirs.
    Verb(Verb, Whose),
}

/// The policy of every server function, by its path. One that is not in here does not start. Whose something has to be is kept by the
/// use cases and the gate of runs; that they do as this table says is tried on every one of them.
pub const POLICY: &[(&str, Policy)] = &[
    ("/api/welcome", Policy::Open),
    ("/api/sign-in", Policy::Open),
    ("/api/set-up", Policy::Open),
    ("/api/session", Policy::Verb(Verb::Read, Whose::Account)),
    ("/api/sign-out", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/password", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/authenticator/offer", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/authenticator/discard", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/authenticator/switch-on", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/authenticator/remove", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/passkeys/ask", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/passkeys/ask-for-new", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/passkeys/add", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/passkeys/remove", Policy::Verb(Verb::OwnAccount, Whose::Own)),
    ("/api/account/sessions/end", Policy::Verb(Verb::OwnAccount, Whose::Own)),
    ("/api/account/sessions/end-others", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/tokens/make", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/account/tokens/end", Policy::Verb(Verb::OwnAccount, Whose::Own)),
    ("/api/account/mail", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/pages/own-mail", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/pages/home", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/api/pages/search", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/api/pages/procedure", Policy::Verb(Verb::Read, Whose::Seen)),
    ("/api/pages/run", Policy::Verb(Verb::Read, Whose::Seen)),
    ("/api/pages/history", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/api/pages/documents", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/api/pages/alert", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/api/suggestions/dismiss", Policy::Verb(Verb::WorkRun, Whose::Seen)),
    ("/api/pages/approvals", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/api/pages/approval", Policy::Verb(Verb::Read, Whose::Seen)),
    ("/api/approvals/watch", Policy::Verb(Verb::Read, Whose::Listed)),
    ("/api/approvals/ask", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/approvals/cancel", Policy::Verb(Verb::WorkRun, Whose::AskedOr(Verb::Approve))),
    ("/api/approvals/break-glass", Policy::Verb(Verb::BreakGlass, Whose::Held)),
    ("/api/approvals/decide", Policy::Verb(Verb::Approve, Whose::ShapedByOthers)),
    ("/api/approvals/review", Policy::Verb(Verb::Approve, Whose::AskedByAnother)),
    ("/api/pages/audit", Policy::Verb(Verb::Audit, Whose::Listed)),
    ("/api/audit/verify", Policy::Verb(Verb::Audit, Whose::Anybodys)),
    ("/api/pages/redaction", Policy::Verb(Verb::Approve, Whose::Seen)),
    ("/api/redactions/ask", Policy::Verb(Verb::Redact, Whose::Seen)),
    ("/api/redactions/decide", Policy::Verb(Verb::Approve, Whose::AskedByAnother)),
    ("/api/pages/account", Policy::Verb(Verb::OwnAccount, Whose::Account)),
    ("/api/pages/people", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/pages/deliveries", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/looks/start", Policy::Verb(Verb::StartRun, Whose::Seen)),
    ("/api/looks/run", Policy::Verb(Verb::WorkRun, Whose::Seen)),
    ("/api/looks/health", Policy::Verb(Verb::StartRun, Whose::Seen)),
    ("/api/runs/watch", Policy::Verb(Verb::Read, Whose::Seen)),
    ("/api/runs/log", Policy::Verb(Verb::Read, Whose::Seen)),
    ("/api/runs/start", Policy::Verb(Verb::StartRun, Whose::Seen)),
    ("/api/runs/value", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/run", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/skip-command", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/skip-step", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/complete", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/tick", Policy::Verb(Verb::WorkRun, Whose::Seen)),
    ("/api/runs/untick", Policy::Verb(Verb::WorkRun, Whose::Seen)),
    ("/api/runs/check", Policy::Verb(Verb::WorkRun, Whose::Seen)),
    ("/api/runs/overrule", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/note", Policy::Verb(Verb::WorkRun, Whose::Seen)),
    ("/api/runs/escalate", Policy::Verb(Verb::WorkRun, Whose::Seen)),
    ("/api/runs/finish", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/take-over", Policy::Verb(Verb::WorkRun, Whose::HeldByAnother)),
    ("/api/runs/take-lock", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/directory", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/add-step", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/input", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/keys", Policy::Verb(Verb::WorkRun, Whose::Held)),
    ("/api/runs/abort", Policy::Verb(Verb::Stop, Whose::HeldOr(Verb::Overrule))),
    ("/api/runs/end-watch", Policy::Verb(Verb::Stop, Whose::Seen)),
    ("/api/runs/stop", Policy::Verb(Verb::Stop, Whose::Seen)),
    ("/api/people/create", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/people/role", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/people/groups", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/people/disable", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/people/enable", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/people/end-sessions", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/people/end-tokens", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/people/mail", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
    ("/api/people/enrolment-code", Policy::Verb(Verb::ManagePeople, Whose::Anybodys)),
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
        assert_eq!(policy("/api/runs/stop"), Some(Policy::Verb(Verb::Stop, Whose::Seen)));
        assert_eq!(policy("/api/unknown"), None);
    }
}
