//! Requests for approval and redactions, as pages show them.

use serde::{Deserialize, Serialize};

use crate::approval::{ApprovalRules, Difference};
use crate::factor::Factors;
use crate::run::{Again, Request, RequestStatus, Run};
use crate::view::RunRow;
use crate::{AttemptId, Risk, RunId, Slug, Timestamp};

/// A request for approval in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRow {
    /// The run.
    pub run: RunId,
    /// The request's number in the run, from 1.
    pub request: u32,
    /// The procedure's address.
    pub slug: Slug,
    /// The procedure's title as it was.
    pub title: String,
    /// The titles of the covered steps.
    pub steps: String,
    /// Where they run.
    pub target: String,
    /// The worst class of them.
    pub risk: Risk,
    /// Who asked.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub asked: Timestamp,
    /// When it expires undecided.
    pub expires: Timestamp,
    /// How many leads have to approve.
    pub leads: u32,
    /// How many have.
    pub approvals: u32,
    /// Where it stood when its run changed last.
    pub status: RequestStatus,
    /// When it was decided or came to an end.
    pub decided: Option<Timestamp>,
    /// By whom, if by a person.
    pub decided_by: Option<String>,
    /// Whether it is the breaking of the glass.
    pub glass: bool,
    /// When that was reviewed.
    pub reviewed: Option<Timestamp>,
}

impl ApprovalRow {
    /// The address of its page.
    pub fn address(&self) -> String {
        approval_address(self.run, self.request)
    }
}

/// The address of a request's page.
pub fn approval_address(run: RunId, request: u32) -> String {
    format!("/approvals/{run}-{request}")
}

/// A redaction that waits for another person, in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionRow {
    /// The output.
    pub id: AttemptId,
    /// The redaction's number in the run, from 1.
    pub number: u32,
    /// The procedure's title as it was.
    pub title: String,
    /// The title of the step.
    pub step: String,
    /// Where it ran.
    pub target: String,
    /// How much is to be covered, as `12 bytes in 2 places`.
    pub amount: String,
    /// Who asked.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub asked: Timestamp,
}

impl RedactionRow {
    /// The address at which it is decided.
    pub fn address(&self) -> String {
        covering_address(self.id)
    }
}

/// The address at which something in an output is covered, and where that is decided.
pub fn covering_address(id: AttemptId) -> String {
    format!("/runs/{}?step={}&attempt={}#covering", id.run, id.step, id.attempt)
}

/// What is to be covered in the output of an attempt, for the person who decides. What is covered is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionView {
    /// Its number in the run, from 1.
    pub number: u32,
    /// The first of the places, each with what stands around it.
    pub places: Vec<CoveredPlace>,
    /// Why this person cannot confirm it now, in a sentence.
    pub cannot: Option<String>,
    /// The second factors of the person who looks.
    pub factors: Factors,
}

/// A place that is to be covered, as it will look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredPlace {
    /// The number of the line in which it begins, from 1.
    pub line: u64,
    /// The lines around it, with everything covered that is to be.
    pub lines: Vec<String>,
}

/// The inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxView {
    /// The portal's time.
    pub now: Timestamp,
    /// What waits for a decision, the request that expires first first.
    pub waiting: Vec<ApprovalRow>,
    /// What is to be covered and waits for another person, oldest first.
    #[serde(default)]
    pub redactions: Vec<RedactionRow>,
    /// What was started without an approval and has not been reviewed, oldest first.
    pub unreviewed: Vec<ApprovalRow>,
    /// What came to an end, newest first, at most twenty.
    pub recent: Vec<ApprovalRow>,
}

/// The page on which a request is decided: everything that the decision needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    /// The portal's time.
    pub now: Timestamp,
    /// The run, as it stands; its plan says what was frozen.
    pub run: Box<Run>,
    /// The request's number in the run, from 1.
    pub number: u32,
    /// Where it stands.
    pub status: RequestStatus,
    /// Until when the next covered step has to start, once it is approved.
    pub start_until: Option<Timestamp>,
    /// Why the person who looks cannot decide it, in a sentence; `None` when they can.
    pub cannot: Option<String>,
    /// The second factors of the person who looks.
    pub factors: Factors,
    /// The last approved run of the same procedure, and how this one differs from it.
    pub last: Option<LastApproved>,
    /// Earlier requests for the same, or for a part of it, that a lead said no to, newest first.
    pub rejections: Vec<Rejection>,
    /// The last runs of the procedure, newest first, with who approved.
    pub runs: Vec<EarlierRun>,
}

impl DecisionView {
    /// The request.
    pub fn request(&self) -> Option<&Request> {
        self.run.request(self.number)
    }
}

/// The last approved run of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastApproved {
    /// The run.
    pub run: RunId,
    /// When it was approved.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// How what is asked for now differs; `approved` is what was approved then. Whoever runs it is no difference.
    pub differences: Vec<Difference>,
}

/// An earlier request for the same, or for a part of it, that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The request.
    pub row: ApprovalRow,
    /// What of it is asked for again.
    pub again: Again,
    /// Why.
    pub reason: String,
}

/// An earlier run of a procedure, for the person who decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierRun {
    /// The run.
    pub row: RunRow,
    /// Who approved in it, each once.
    pub approved_by: Vec<String>,
}

/// What a run page needs to know about approvals beside the run itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalGround {
    /// The time by which approvals run out.
    pub now: Timestamp,
    /// The administrator's settings.
    pub rules: ApprovalRules,
    /// The second factors of the person who looks.
    pub factors: Factors,
    /// How many milliseconds a decision usually takes; `None` when there was none yet.
    pub usual_ms: Option<u64>,
}
