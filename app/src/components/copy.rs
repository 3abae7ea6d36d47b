//! A button that copies.

use domain::run::StepStatus;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::glyph::{Glyph, Sign};

/// How long the button says what came of it, in milliseconds.
const SAID_FOR: u32 = 1600;

/// What came of copying.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// Nothing was copied yet.
    NotYet,
    /// It is on the clipboard.
    Done,
    /// The browser does not let the page copy: it was forbidden, or the connection is not encrypted.
    Refused,
}

impl Copied {
    /// What there is to say.
    pub const fn word(self, before: &'static str) -> &'static str {
        match self {
            Self::NotYet => before,
            Self::Done => "Copied",
            Self::Refused => "Not copied: this browser forbids it here. Select the text instead.",
        }
    }

    const fn sign(self) -> Sign {
        match self {
            Self::NotYet => Sign::Copy,
            Self::Done => Sign::State(StepStatus::Done),
            Self::Refused => Sign::Warning,
        }
    }

    const fn tone(self) -> Option<&'static str> {
        match self {
            Self::NotYet => None,
            Self::Done => Some("ok"),
            Self::Refused => Some("warn"),
        }
    }
}

/// Copies a text, and says so once it is done.
#[component]
pub fn Copy(text: String, #[prop(default = "Copy command")] words: &'static str) -> impl IntoView {
    let copied = RwSignal::new(Copied::NotYet);
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            _ = copied.try_set(write(&text).await);
            TimeoutFuture::new(SAID_FOR).await;
            _ = copied.try_set(Copied::NotYet);
        });
    };
    view! {
        <button
            class="btn needs-scripts"
            data-kind="quiet"
            data-icon=""
            type="button"
            title=move || copied.get().word(words)
            aria-label=move || copied.get().word(words)
            data-tone=move || copied.get().tone()
            on:click=copy
        >
            {move || view! { <Glyph sign=copied.get().sign() /> }}
        </button>
    }
    .into_any()
}

/// Puts a text on the clipboard.
pub async fn write(text: &str) -> Copied {
    let clipboard = window().navigator().clipboard();
    // Without encryption a browser has no clipboard for pages.
    if clipboard.is_undefined() {
        return Copied::Refused;
    }
    match clipboard.write_text(text).await {
        Ok(_) => Copied::Done,
        Err(_) => Copied::Refused,
    }
}
