//! Why a use case did not do what was asked.

use domain::identity::Unwelcome;
use domain::policy::Forbidden;
use domain::run::Refusal;

/// A failed use case. Each variant is something that a caller does differently about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the person may not know of it.
    #[error("there is no such thing")]
    NotFound,
    /// The gate refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The role does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// What was sent does not do; the text is a sentence for the person.
    #[error("{0}")]
    Invalid(String),
    /// Somebody for whom others vouch is not signed in.
    #[error(transparent)]
    Unwelcome(#[from] Unwelcome),
    /// Sign-in name and password do not fit an enabled account. One text for all reasons.
    #[error("the sign-in name or the password is wrong")]
    SignIn,
    /// Somebody has tried to sign in too often; the next try is looked at after so many milliseconds.
    #[error("too many tries to sign in")]
    TooOften(u64),
    /// Too much at once; trying again helps.
    #[error("{0}")]
    Busy(&'static str),
    /// Somebody else has moved the run on meanwhile.
    #[error("somebody was faster")]
    Moved,
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] store::Error),
    /// The store failed while it recorded, and could not be asked whether it has.
    #[error("it is not known whether the store has recorded this")]
    Unsure(#[source] store::Error),
    /// It was done, and could not be recorded yet; the text is a sentence for the person.
    #[error("{0}")]
    Unrecorded(&'static str),
    /// It was recorded, and could not be done yet; the text is a sentence for the person.
    #[error("{0}")]
    Undone(&'static str),
    /// A step could not be started.
    #[error("the step could not be started")]
    Launch(#[from] engine::LaunchError),
    /// Output could not be read.
    #[error("output could not be read")]
    Output(#[from] std::io::Error),
    /// A task of the portal itself broke off.
    #[error("{0} broke off")]
    Broken(&'static str),
}

impl Error {
    /// Whether the store could not record, for a reason that may pass.
    pub(crate) fn is_of_the_store(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Store(_) | Self::Unsure(_))
    }

    /// What the person is told: what happened, what was not done, what to do. Never a path, a query or a type.
    pub fn sentence(&self) -> String {
        match self {
            Self::NotFound => "There is no such page, or it is not for you.".to_owned(),
            Self::Refused(refusal) => ended(refusal.to_string()),
            Self::Forbidden(forbidden) => ended(forbidden.to_string()),
            Self::Invalid(sentence) => sentence.clone(),
            Self::Unwelcome(why) => why.sentence().to_owned(),
            Self::SignIn => "The sign-in name or the password is wrong. Nobody was signed in.".to_owned(),
            Self::TooOften(wait) => format!(
                "There were too many tries to sign in. The password was not looked at; try again in {}, or on a device on which you \
                 have signed in before.",
                whole_seconds(*wait)
            ),
            Self::Busy(sentence) | Self::Unrecorded(sentence) | Self::Undone(sentence) => (*sentence).to_owned(),
            Self::Moved => {
                "Somebody was faster: this run has moved on. Nothing was changed; look again and decide.".to_owned()
            }
            Self::Unsure(_) => {
                "The database failed in the middle. It is not known whether this was recorded; look before you try again.".to_owned()
            }
            Self::Launch(error) => ended(format!("The step was not started: {error}")),
            Self::Store(_) | Self::Output(_) | Self::Broken(_) => {
                "This request failed inside the portal. Nothing was changed; it has been logged.".to_owned()
            }
        }
    }
}

/// `1 s`, `15 min 0 s`: a moment that is waited for is rounded up.
fn whole_seconds(ms: u64) -> String {
    match ms.div_ceil(1000) {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => domain::time::span(seconds * 1000),
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Moved => Self::Moved,
            store::Error::Busy => Self::Busy("The database is busy. Nothing was changed; try again in a moment."),
            store::Error::Full => {
                Self::Busy("The disk of the database is full. Nothing was changed; tell the administrator.")
            }
            other => Self::Store(other),
        }
    }
}

fn ended(mut sentence: String) -> String {
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// Why a portal could not be opened. Each text is one sentence for the console.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be used.
    #[error(
        "The data folder {folder} cannot be used: {why}. Nothing was started; choose another with --data or change its permissions"
    )]
    Data {
        /// The folder.
        folder: String,
        /// Why.
        why: String,
    },
    /// The kernel does not tell when output grows.
    #[error(
        "The portal cannot be told when output grows: {why}. Nothing was started; this user has too many inotify instances (fs.inotify.max_user_instances) or open files: end what has them, or raise the limit"
    )]
    Watching {
        /// Why.
        why: String,
    },
    /// Another portal uses the data folder.
    #[error(
        "Another portal works with the data folder {folder}. Nothing was started; stop it first, or choose another folder with --data"
    )]
    Locked {
        /// The folder.
        folder: String,
    },
    /// A backup is put into the data folder, or was, and not to its end.
    #[error(
        "A backup is being restored into the data folder {folder}, or that was broken off. Nothing was started; wait for its end, or remove what is in the folder and restore again"
    )]
    HalfRestored {
        /// The folder.
        folder: String,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The folder of documents cannot be read.
    #[error(
        "The folder of runbook documents {folder} cannot be read: {why}. Nothing was started; name a folder that has Markdown files with --runbooks"
    )]
    Runbooks {
        /// The folder.
        folder: String,
        /// Why.
        why: String,
    },
    /// No target is configured.
    #[error("No target is configured: nothing could run anywhere. Nothing was started; name one in portal.toml")]
    NoTarget,
}
