//! What a look at a target did not find, each in its own sentence.

use super::Concern;
use crate::runbook::Level;

/// Something that a procedure needs at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The target itself does not answer: why, in a sentence.
    Target(String),
    /// The directory in which commands begin, or to which they go.
    Directory(String),
    /// A file that a command reads.
    File(String),
    /// Any of the files that Compose looks for by itself, in this directory.
    ComposeFile(String),
    /// A service of a Compose project.
    Service(String),
    /// A container.
    Container(String),
    /// A program, as a command calls it.
    Tool(String),
    /// It is not known whether something is there: what, and why nobody knows.
    Unknown {
        /// The beginning of a sentence, as `Whether its containers are there`.
        what: String,
        /// Why, without a full stop.
        why: String,
    },
}

impl Missing {
    /// Its fixed name. Codes never change their meaning.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Target(_) => "target-silent",
            Self::Directory(_) => "directory-missing",
            Self::File(_) => "file-missing",
            Self::ComposeFile(_) => "compose-file-missing",
            Self::Service(_) => "service-missing",
            Self::Container(_) => "container-missing",
            Self::Tool(_) => "tool-missing",
            Self::Unknown { .. } => "not-known",
        }
    }

    /// How much it matters. What others may make meanwhile is a warning; a look that failed is one, too: it proves nothing.
    pub const fn level(&self) -> Level {
        match self {
            Self::Directory(_) | Self::Service(_) | Self::Tool(_) => Level::Error,
            Self::Target(_) | Self::File(_) | Self::ComposeFile(_) | Self::Container(_) | Self::Unknown { .. } => {
                Level::Warning
            }
        }
    }

    /// What is not there, what fails by it, and what to do.
    pub fn sentence(&self) -> String {
        match self {
            Self::Target(why) => why.clone(),
            Self::Directory(path) => {
                format!("The directory {path} is not there, so what begins there fails; make it, or name another one.")
            }
            Self::File(path) => {
                format!(
                    "The file {path} is not there, so the command that reads it fails; correct the path, or make it."
                )
            }
            Self::ComposeFile(directory) => {
                format!(
                    "No Compose file is in {directory}, so a call of Compose from there fails; correct the directory."
                )
            }
            Self::Service(name) => {
                format!(
                    "{name} is no service of the Compose project, so commands with that name fail; correct the name."
                )
            }
            Self::Container(name) => {
                format!(
                    "The container {name} is not there, so commands with that name fail; correct the name, or start it."
                )
            }
            Self::Tool(name) => {
                format!(
                    "The program {name} is not found, so commands that begin with it fail; install it, or add its folder to the path of the target."
                )
            }
            Self::Unknown { what, why } => format!("{what} is not known: {why}."),
        }
    }

    /// The concern, at a line of the document.
    pub fn concern(&self, line: u32) -> Concern {
        Concern::new(self.level(), self.code(), line, self.sentence())
    }
}
