//! The signs of the portal: a shape beside every word that has a state.

use domain::Risk;
use domain::run::{StepStatus, Verdict};
use leptos::prelude::*;

/// A sign. Its drawing stands once in the page (`shell/sprite.svg`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The portal.
    Brand,
    /// Search.
    Search,
    /// A person.
    Person,
    /// The menu of a narrow page.
    Menu,
    /// Start.
    Play,
    /// A note.
    Note,
    /// Copy.
    Copy,
    /// Stop.
    Stop,
    /// A keyboard.
    Keyboard,
    /// Someone else looks.
    Eyes,
    /// A duration.
    Clock,
    /// A document.
    File,
    /// A procedure.
    Book,
    /// Something to look at.
    Warning,
    /// Something to know.
    Info,
    /// To the end.
    Down,
    /// A fold.
    Fold,
    /// Back, or up.
    Up,
    /// Long lines that go on below.
    Wrap,
    /// The address of something.
    Link,
    /// Close, take away.
    Close,
    /// Raw bytes.
    Download,
    /// A target.
    Target,
    /// A difference.
    Compare,
    /// Needs an approval.
    NeedsApproval,
    /// Where a step stands.
    State(StepStatus),
    /// What a command can do.
    Risk(Risk),
    /// What came of a run.
    Verdict(Verdict),
}

impl Sign {
    const fn href(self) -> &'static str {
        match self {
            Self::Brand => "#i-brand",
            Self::Search => "#i-search",
            Self::Person => "#i-person",
            Self::Menu => "#i-menu",
            Self::Play => "#i-play",
            Self::Note => "#i-note",
            Self::Copy => "#i-copy",
            Self::Stop => "#i-stop",
            Self::Keyboard => "#i-keyboard",
            Self::Eyes => "#i-eyes",
            Self::Clock => "#i-clock",
            Self::File => "#i-file",
            Self::Book => "#i-book",
            Self::Warning => "#i-warn",
            Self::Info => "#i-info",
            Self::Down => "#i-down",
            Self::Fold => "#i-dn",
            Self::Up => "#i-up",
            Self::Wrap => "#i-wrap",
            Self::Link => "#i-link",
            Self::Close => "#i-close",
            Self::Download => "#i-download",
            Self::Target => "#i-target",
            Self::Compare => "#i-compare",
            Self::NeedsApproval => "#s-needs-approval",
            Self::State(status) => match status {
                StepStatus::Waiting => "#s-waiting",
                StepStatus::Running => "#s-running",
                StepStatus::Watching => "#s-watching",
                StepStatus::Paused => "#s-paused",
                StepStatus::Done => "#s-ok",
                StepStatus::Difference => "#s-difference",
                StepStatus::Failed => "#s-failed",
                StepStatus::Stopped => "#s-stopped",
                StepStatus::Interrupted => "#s-interrupted",
                StepStatus::Skipped => "#s-skipped",
            },
            Self::Risk(risk) => match risk {
                Risk::Reads => "#r-reads",
                Risk::Changes => "#r-changes",
                Risk::Disrupts => "#r-disrupts",
                Risk::Destroys => "#r-destroys",
            },
            Self::Verdict(verdict) => match verdict {
                Verdict::Reached => "#v-reached",
                Verdict::NotReached => "#v-not-reached",
                Verdict::RolledBack => "#v-rolled-back",
                Verdict::Aborted => "#v-aborted",
            },
        }
    }
}

/// Draws a sign. With a label it stands for a word; without one the word stands beside it.
#[component]
pub fn Glyph(sign: Sign, #[prop(optional)] label: Option<&'static str>) -> impl IntoView {
    view! {
        <svg
            class="glyph"
            viewBox="0 0 16 16"
            role=label.map(|_| "img")
            aria-label=label
            aria-hidden=label.is_none().then_some("true")
        >
            <use_ href=sign.href() />
        </svg>
    }
    .into_any()
}
