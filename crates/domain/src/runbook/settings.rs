//! What the side file adds to a document.

use serde::{Deserialize, Serialize};

use crate::Risk;
use crate::attempt::Limits;
use crate::escalation::Rule;
use crate::policy::Groups;

/// What the side file says about a procedure, after merging the outer scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureSettings {
    /// The targets that a run may use; empty means the portal's default.
    pub targets: Vec<String>,
    /// The directory in which a run begins.
    pub directory: Option<String>,
    /// Files whose values are masked in all output.
    pub mask_files: Vec<String>,
    /// Whether the shell stops a pipeline at its first failing member.
    pub pipefail: bool,
    /// The groups to which it is limited; `None` means every signed-in person.
    pub visible_to: Option<Groups>,
    /// The names of alerts that suggest it.
    pub alerts: Vec<String>,
    /// The parameters that a label of such an alert fills: the parameter's name and the label's.
    #[serde(default)]
    pub from_alert: Vec<(String, String)>,
    /// People and channels by the words that the escalation part uses.
    pub contacts: Vec<(String, String)>,
    /// Who of them is told when, beside what the escalation part itself says.
    #[serde(default)]
    pub escalate: Vec<Rule>,
    /// How long its runs are kept, as written (`forever`, `90d`).
    pub retention: Option<String>,
    /// When it is due by itself.
    pub schedule: Option<Schedule>,
    /// The parameters of this procedure and its steps, in the order of the side file.
    pub parameters: Vec<Parameter>,
    /// Checks bound to lines of the expected outcome, by the line's words.
    pub outcome: Vec<(String, Check)>,
}

/// What the side file says about a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSettings {
    /// The directory of this step, when it is not the procedure's.
    pub directory: Option<String>,
    /// The target of this step, when it is not the procedure's.
    pub target: Option<String>,
    /// What is collected for the approver.
    pub evidence: Vec<String>,
    /// Milliseconds after which the step is stopped.
    pub timeout_ms: Option<u64>,
    /// Bytes of output that are kept of an attempt.
    #[serde(default)]
    pub output: Option<u64>,
    /// What an attempt may use of the machine.
    #[serde(default)]
    pub limits: Limits,
    /// `false` gives pipes instead of a terminal.
    pub tty: Option<bool>,
    /// Whether the operator has a full keyboard.
    pub interactive: bool,
    /// A class that is higher than the rules say.
    pub risk: Option<Risk>,
    /// Checks after the step.
    pub after: Vec<Check>,
}

/// When a procedure is due by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Five fields of cron.
    pub cron: String,
    /// A zone of the tz database.
    pub zone: String,
    /// The person who answers for it.
    pub owner: String,
}

/// A check that the side file binds to an outcome or a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "kebab-case")]
pub enum Check {
    /// An HTTP request answers with a status.
    Http {
        /// Where.
        url: String,
        /// The status.
        expect: u16,
    },
    /// A command ends with a code.
    Command {
        /// The command; must be of class *reads*.
        run: String,
        /// The code.
        expect: i32,
    },
    /// A container is healthy.
    Container {
        /// Its name or compose service.
        container: String,
    },
    /// A log stays without a match.
    Log {
        /// The command that prints the log.
        run: String,
        /// A regular expression.
        pattern: String,
        /// For how long, as `5m`, in milliseconds.
        window_ms: u64,
    },
    /// A certificate is valid for long enough.
    Certificate {
        /// Host and port.
        host: String,
        /// Days.
        days: u32,
    },
    /// A `PromQL` query answers with a value.
    Promql {
        /// Prometheus' address.
        url: String,
        /// The query.
        query: String,
    },
}

/// A typed value that the side file declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name: lower-case letters, digits and `_`; also the variable that carries the value.
    pub name: String,
    /// The words in the document that it fills.
    pub placeholder: String,
    /// What values it takes.
    pub kind: ParameterKind,
    /// Where it holds.
    pub scope: ParameterScope,
    /// The value it begins with.
    pub default: Option<String>,
    /// One sentence for the person who fills it.
    pub help: Option<String>,
    /// A value that shows the form.
    pub example: Option<String>,
}

/// Where a parameter of the side file holds; the innermost wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum ParameterScope {
    /// In the whole document.
    Document,
    /// In one procedure.
    Procedure,
    /// In one step.
    Step {
        /// The step's title.
        step: String,
    },
    /// In one command of one step.
    Command {
        /// The step's title.
        step: String,
        /// The command's number in the step, from 1.
        command: u32,
    },
}

/// What values a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ParameterKind {
    /// Words that match a pattern as a whole.
    Text {
        /// A regular expression, anchored at both ends by the portal.
        pattern: Option<String>,
    },
    /// A number, whole unless `decimal`.
    Number {
        /// The smallest.
        min: Option<i64>,
        /// The largest.
        max: Option<i64>,
        /// Whether it may have decimals behind a point.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        decimal: bool,
    },
    /// One of a list.
    Choice {
        /// The list.
        choices: Vec<String>,
    },
    /// A path beneath a root.
    Path {
        /// The root; `/` when absent.
        root: Option<String>,
    },
    /// A service of a compose project.
    ComposeService {
        /// The compose file.
        file: Option<String>,
    },
    /// A running container.
    Container,
    /// An image.
    Image,
    /// A file picked from a listing.
    BackupFile {
        /// The folder.
        root: String,
        /// A glob for the file's own name: `*`, `?` and `[…]`.
        pattern: Option<String>,
    },
    /// A commit, tag or branch.
    GitRevision,
    /// A named secret; the value comes from the portal's environment or a file, never from a person.
    Secret,
}
