//! What pages show: plain data that the server fills and both halves of the app read.

mod account;
mod approvals;
mod audit;
mod deliveries;
mod escalations;
mod lines;
mod schedules;
mod suggestions;

use serde::{Deserialize, Serialize};

pub use account::{AccountView, MadeCode, MadeToken, Outside, PasskeyInfo, QrCode, SessionInfo, ShownOffer, TokenInfo};
pub use approvals::{
    ApprovalGround, ApprovalRow, CoveredPlace, DecisionView, EarlierRun, InboxView, LastApproved, RedactionRow,
    RedactionView, Rejection, approval_address, covering_address,
};
pub use audit::{AuditRow, AuditView, CheckpointInfo, VerificationState};
pub use deliveries::{ChannelInfo, DeliveriesView, DeliveryRow, DeliveryState, OwnMail};
pub use escalations::{ContactInfo, EscalatedRow, EscalationGround};
pub use lines::{CommandLines, LinesPiece, LinesView, PlainText};
pub use schedules::{Missed, ScheduleView};
pub use suggestions::{
    AlertView, AlertsView, Prefill, SuggestedBy, SuggestionRow, UnboundAlert, alert_words, suggested_address,
};

use crate::attempt::Condition;
use crate::health::{Health, HealthMark};
use crate::identity::Source;
use crate::plan::{Plan, PlanParameter};
use crate::policy::{Actor, Groups, Role};
use crate::run::{Run, StepStatus, Verdict};
use crate::runbook::{Finding, Part, Procedure, Prose};
use crate::screen::Screen;
use crate::terminal::Style;
use crate::{Digest, PersonId, Risk, RunId, Slug, Timestamp};

/// Who looks at the page, and which portal made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The signed-in person.
    pub actor: Actor,
    /// The build of the portal.
    pub build: String,
    /// The portal's time when the page was made.
    pub now: Timestamp,
}

/// What a stranger may know: enough to draw the sign-in and set-up pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Whether nobody has an account yet.
    pub fresh: bool,
    /// Set when the browser will not keep the session's cookie over this connection: why, and what to do.
    pub cookie_problem: Option<String>,
    /// What the button for the identity provider says, when one is configured.
    #[serde(default)]
    pub provider: Option<String>,
    /// The sign-in name by which the proxy names whoever asks, when it is believed.
    #[serde(default)]
    pub named: Option<String>,
    /// Where one signs out at the proxy.
    #[serde(default)]
    pub sign_out: Option<String>,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// Its number.
    pub id: RunId,
    /// The procedure's address.
    pub slug: Slug,
    /// The procedure's title as it was.
    pub title: String,
    /// Where it runs.
    pub target: String,
    /// Who started it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was started.
    pub started: Timestamp,
    /// When it was closed.
    pub ended: Option<Timestamp>,
    /// What came of it; `None` while it is open.
    pub verdict: Option<Verdict>,
    /// Where its current step stands.
    pub status: StepStatus,
    /// The number that the document gives the current step; 0 when all are over.
    pub step: u32,
    /// The title of the current step.
    pub step_title: String,
    /// How many steps there are, the rollback not counted.
    pub steps: u32,
    /// The worst class of its steps.
    pub risk: Risk,
}

/// How long a procedure usually takes: the middle half of its last runs that were closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// The lower quartile, in milliseconds.
    pub low_ms: u64,
    /// The upper quartile, in milliseconds.
    pub high_ms: u64,
}

/// How long a step usually takes, from earlier runs in which it did the same to a good end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsualStep {
    /// Half of them took at most so many milliseconds.
    pub median_ms: u64,
    /// Nine of ten took at most so many milliseconds.
    pub high_ms: u64,
}

/// What a span says beside the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tempo {
    /// It ended in less than a fifth of the usual time: perhaps it did nothing.
    SuspiciouslyFast,
    /// It takes or took longer than nine of ten before it, and half as long again as usual.
    Slow,
}

impl UsualStep {
    /// Spans below this tell nothing: a machine that is busy for a moment makes them longer.
    const NOTICEABLE_MS: u64 = 2_000;

    /// What a span says; `ended` when it does not grow any more.
    pub fn tempo(self, span_ms: u64, ended: bool) -> Option<Tempo> {
        let Self { median_ms, high_ms } = self;
        if ended && median_ms >= Self::NOTICEABLE_MS && span_ms < median_ms / 5 {
            return Some(Tempo::SuspiciouslyFast);
        }
        let slow = span_ms > high_ms && span_ms > median_ms.saturating_mul(3) / 2 && span_ms >= Self::NOTICEABLE_MS;
        slow.then_some(Tempo::Slow)
    }
}

/// A procedure in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureRow {
    /// Its address.
    pub slug: Slug,
    /// Its title.
    pub title: String,
    /// What the table of contents or the summary says about it.
    pub subtitle: String,
    /// The document's path.
    pub document: String,
    /// The worst class of its steps.
    pub risk: Risk,
    /// How many steps it has.
    pub steps: u32,
    /// Its last runs, oldest first, at most five.
    pub runs: Vec<RunRow>,
    /// How long it usually takes.
    pub usual: Option<Usual>,
    /// How many findings need an author.
    pub findings: u32,
    /// How far it can be relied on.
    #[serde(default)]
    pub health: HealthMark,
}

/// The start page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeView {
    /// The portal's time.
    pub now: Timestamp,
    /// Requests that the person who looks could decide now, the one that expires first first, at most eight.
    #[serde(default)]
    pub requests: Vec<ApprovalRow>,
    /// Open runs into which the person who looks is called, the newest call first, at most eight.
    #[serde(default)]
    pub escalations: Vec<EscalatedRow>,
    /// Procedures that alerts suggest, the newest first, at most twenty.
    #[serde(default)]
    pub suggestions: Vec<SuggestionRow>,
    /// Open runs, newest first.
    pub running: Vec<RunRow>,
    /// All procedures in document order.
    pub procedures: Vec<ProcedureRow>,
    /// Closed runs, newest first, at most eight.
    pub recent: Vec<RunRow>,
    /// The documents that are open.
    pub documents: Vec<DocumentInfo>,
    /// What could not be read, a sentence each.
    pub problems: Vec<String>,
}

/// What the search knows: the start page, and what stands inside the procedures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchView {
    /// Procedures and runs.
    pub home: HomeView,
    /// Every step of every procedure, in document order.
    pub steps: Vec<SearchedStep>,
    /// Every trigger condition.
    pub symptoms: Vec<Symptom>,
}

/// A step as the search knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchedStep {
    /// Its procedure's address.
    pub slug: Slug,
    /// Its procedure's title.
    pub procedure: String,
    /// Its place on the procedure's page, as `step-3`.
    pub anchor: String,
    /// The number that the document gives it.
    pub number: u32,
    /// Its title.
    pub title: String,
    /// The worst class of its commands.
    pub risk: Risk,
    /// The text of its commands, one after another.
    pub commands: String,
}

/// What a procedure says it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symptom {
    /// The procedure's address.
    pub slug: Slug,
    /// The procedure's title.
    pub procedure: String,
    /// The trigger condition, in plain words.
    pub words: String,
}

/// Which bytes of a document are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentInfo {
    /// Its path below the folder of documents.
    pub path: String,
    /// Its title.
    pub title: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// When the portal read it.
    pub read: Timestamp,
    /// What stands in a line "Last Updated: …".
    pub updated: Option<String>,
    /// How many findings need an author.
    pub findings: u32,
}

/// A target that a run may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInfo {
    /// Its name.
    pub name: String,
    /// What it is, in a few words.
    pub about: String,
    /// Where it is: `this machine`, `deploy@prod.example.com`.
    pub place: String,
    /// Whether disrupting steps ask for its name.
    pub production: bool,
}

/// A secret as pages name it: never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// Its name.
    pub name: String,
    /// Where its value comes from, in a few words.
    pub origin: String,
    /// Why it cannot be used now, as the end of a sentence; `None` when it is set.
    pub problem: Option<String>,
}

/// The page of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureView {
    /// The portal's time.
    pub now: Timestamp,
    /// What the document says.
    pub procedure: Procedure,
    /// Which document.
    pub document: DocumentInfo,
    /// What a run that starts now would do; the reason when no plan can be made.
    pub plan: Result<Plan, String>,
    /// What lint says about this procedure.
    pub findings: Vec<Finding>,
    /// The targets that a run may use.
    pub targets: Vec<TargetInfo>,
    /// The parameters of the plan, in order.
    pub parameters: Vec<PlanParameter>,
    /// What is known about those that are secrets.
    #[serde(default)]
    pub secrets: Vec<SecretInfo>,
    /// Its last runs, newest first, at most five.
    pub runs: Vec<RunRow>,
    /// How long it usually takes.
    pub usual: Option<Usual>,
    /// What fills the form, when the address names a suggestion.
    #[serde(default)]
    pub prefill: Option<Prefill>,
    /// When it is due by itself.
    #[serde(default)]
    pub schedule: Option<ScheduleView>,
    /// How far it can be relied on.
    #[serde(default)]
    pub health: Health,
    /// Everybody whom the side file binds for the escalation, as they are reached now.
    #[serde(default)]
    pub contacts: Vec<ContactInfo>,
}

impl ProcedureView {
    /// The worst class that a run of it could have: that of the plan, which knows what an administrator lowered.
    pub fn risk(&self) -> Risk {
        self.plan.as_ref().map_or_else(|_| self.procedure.risk(), Plan::risk)
    }
}

/// The page of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    /// The portal's time.
    pub now: Timestamp,
    /// The run as it stands.
    pub run: Run,
    /// Set when the document has changed since the run was created: what is different, a line each.
    pub newer: Option<Newer>,
    /// The output of the attempt that the page opens on.
    pub log: Option<LogView>,
    /// What waits to be covered in that output, for whoever decides on it.
    #[serde(default)]
    pub redaction: Option<RedactionView>,
    /// How long the procedure usually takes.
    pub usual: Option<Usual>,
    /// How long its steps usually take, by their place in the plan.
    pub usual_steps: Vec<Option<UsualStep>>,
    /// The other run that keeps the target to itself, in a sentence.
    pub locked: Option<LockedBy>,
    /// What the command that runs is found to be doing.
    pub condition: Condition,
    /// What would make the added steps part of the document; `None` when none were added.
    pub patch: Option<Patch>,
    /// What there is to know about approvals beside the run.
    pub approvals: ApprovalGround,
    /// The suggestion from which it was started.
    #[serde(default)]
    pub suggestion: Option<SuggestedBy>,
    /// Who can be called, and how they are told.
    #[serde(default)]
    pub escalation: EscalationGround,
}

/// Steps that were added in a run, offered to its document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patch {
    /// A unified diff of the document as it is.
    Diff(String),
    /// The steps as Markdown: the document is not the one any more that the run was made of, or is not as a whole for the person
    /// who looks.
    Markdown(String),
}

/// Another run that keeps the target of a run to itself, as it was when the page was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedBy {
    /// Its number.
    pub run: RunId,
    /// Who holds it since when, until about when.
    pub sentence: String,
    /// Whether it is limited to others than the person who looks: there is no page of it for them.
    #[serde(default)]
    pub hidden: bool,
}

/// The document of a run has changed since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newer {
    /// The digest of the bytes that are there now; `None` when the procedure is gone.
    pub digest: Option<Digest>,
    /// The lines of the commands that differ: `-` as in the plan, `+` as they are now.
    pub changes: Vec<String>,
}

/// A piece of an attempt's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// The step's place in the plan, from 1.
    pub step: u32,
    /// The attempt's number.
    pub attempt: u32,
    /// The first byte of the piece.
    pub from: u64,
    /// The first byte after the piece.
    pub to: u64,
    /// How many bytes are stored.
    pub length: u64,
    /// The bytes as text; what is not UTF-8 stands as U+FFFD.
    pub text: String,
    /// The number of the line in which the piece begins, from 1, when it is known.
    #[serde(default)]
    pub line: Option<u64>,
    /// The style in which it begins.
    #[serde(default)]
    pub style: Style,
    /// The screens of full-screen programs that were painted with bytes of the piece.
    #[serde(default)]
    pub screens: Vec<Screen>,
    /// When some of the bytes were printed: from each of these on, at that moment or later.
    #[serde(default)]
    pub times: Vec<(u64, Timestamp)>,
}

/// What the history is narrowed to. Also the query of its address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryFilter {
    /// A procedure's address.
    pub procedure: String,
    /// A person's id.
    pub person: String,
    /// A verdict's name, or `open`.
    pub verdict: String,
    /// Words in title or reason.
    pub words: String,
    /// Only runs with a smaller number: the next page.
    pub before: String,
}

/// The history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// The portal's time.
    pub now: Timestamp,
    /// The runs, newest first.
    pub runs: Vec<RunRow>,
    /// The number to continue before, when there are more.
    pub next: Option<RunId>,
    /// The procedures to choose from: address and title.
    pub procedures: Vec<(Slug, String)>,
    /// The people to choose from: id and name.
    pub people: Vec<(PersonId, String)>,
}

/// The page of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentsView {
    /// The portal's time.
    pub now: Timestamp,
    /// The documents.
    pub documents: Vec<DocumentView>,
    /// What could not be read, a sentence each.
    pub problems: Vec<String>,
    /// What came by the webhook of alerts and belongs to no procedure.
    #[serde(default)]
    pub alerts: AlertsView,
}

/// One document, and what is in it besides its procedures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentView {
    /// Which document.
    pub info: DocumentInfo,
    /// Its procedures: address, title, line, findings.
    pub procedures: Vec<(Slug, String, u32, u32)>,
    /// The text that belongs to no procedure.
    pub preamble: Vec<Prose>,
    /// Stray copies of parts, at their place.
    pub stray: Vec<Part>,
    /// What lint says, by line.
    pub findings: Vec<Finding>,
    /// Whether something of it is limited to others than the person who looks, and is not here: then only the procedures that
    /// they see are.
    #[serde(default)]
    pub partly: bool,
}

/// A person in the list of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Their id.
    pub id: PersonId,
    /// The name that they sign in with.
    pub login: String,
    /// The name that others see.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whether they may sign in.
    pub enabled: bool,
    /// When the account was made.
    pub created: Timestamp,
    /// When they last signed in.
    pub seen: Option<Timestamp>,
    /// How many sessions they have.
    pub sessions: u32,
    /// How many tokens for scripts they have.
    pub tokens: u32,
    /// How many second factors they have.
    #[serde(default)]
    pub factors: u32,
    /// Where mail reaches them.
    pub mail: Option<String>,
    /// The groups that they are in.
    #[serde(default)]
    pub groups: Groups,
    /// Who vouches for them; `None` when they have a password of the portal.
    #[serde(default)]
    pub source: Option<Source>,
}

/// The page of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleView {
    /// The portal's time.
    pub now: Timestamp,
    /// Everyone with an account, by name.
    pub people: Vec<PersonRow>,
    /// The groups that somebody is in, or that a side file names.
    #[serde(default)]
    pub groups: Groups,
    /// The enrolment code that was just made in this session: this page shows it, and no other ever will.
    #[serde(default)]
    pub made: Option<MadeCode>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_fast_or_slow_only_where_the_difference_means_something() {
        let usual = UsualStep { median_ms: 60_000, high_ms: 90_000 };
        assert_eq!(usual.tempo(3_000, true), Some(Tempo::SuspiciouslyFast));
        assert_eq!(usual.tempo(3_000, false), None, "it goes on");
        assert_eq!(usual.tempo(60_000, true), None);
        assert_eq!(usual.tempo(91_000, false), Some(Tempo::Slow));

        let instant = UsualStep { median_ms: 10, high_ms: 40 };
        assert_eq!(instant.tempo(1, true), None);
        assert_eq!(instant.tempo(1_500, true), None);
        assert_eq!(instant.tempo(2_500, true), Some(Tempo::Slow));
    }
}
