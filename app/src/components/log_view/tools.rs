//! What can be done with a log: search it, jump in it, fold it, copy it, take it home, and how its lines are shown.

use domain::AttemptId;
use domain::attempt::Outcome;
use domain::find::{Spelling, Way};
use domain::run::{CommandState, Run};
use domain::time;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::window::Window;
use crate::api::runs::text;
use crate::components::copy::{Copied, write};
use crate::components::glyph::{Glyph, Sign};
use crate::keys::storage;
use crate::live::named::{Named, anchor};
use crate::live::raw_output;

/// Where the browser remembers how lines are shown.
const WRAPS: &str = "log-wrap";
const TIMES: &str = "log-times";

/// How the lines of logs are shown in this browser.
#[derive(Clone, Copy)]
pub struct Looks {
    /// Whether long lines go on below.
    pub wraps: RwSignal<bool>,
    /// Whether the time is shown at which each was printed.
    pub times: RwSignal<bool>,
}

impl Looks {
    pub fn new() -> Self {
        let looks = Self { wraps: RwSignal::new(true), times: RwSignal::new(false) };
        Effect::new(move |_| {
            let kept = |name: &str| storage().and_then(|storage| storage.get_item(name).ok().flatten());
            looks.wraps.set(kept(WRAPS).as_deref() != Some("off"));
            looks.times.set(kept(TIMES).as_deref() == Some("on"));
        });
        looks
    }
}

fn switch(shown: RwSignal<bool>, name: &str) {
    shown.update(|shown| *shown = !*shown);
    if let Some(storage) = storage() {
        drop(storage.set_item(name, if shown.get_untracked() { "on" } else { "off" }));
    }
}

/// The tools above a log.
#[component]
pub fn Tools(view: Window, looks: Looks) -> impl IntoView {
    let id = view.live.on_stage();
    let ended = move |run: &Run| run.attempt(id).is_some_and(|attempt| attempt.end.is_some());
    let ended = Memo::new(move |_| view.live.run.with(ended));
    view! {
        <div class="log-tools needs-scripts" role="toolbar" aria-label="Log">
            <Find view />
            <div class="end">
                <Tool
                    sign=Sign::Warning
                    words="First failure"
                    label="First failure: go to it, f"
                    key="f"
                    run=Callback::new(move |()| view.go_to_the_first_failure())
                />
                <Tool
                    sign=Sign::Fold
                    words="Fold"
                    label="Fold: hide the output of commands that have ended, or show it again"
                    pressed=Signal::derive(move || view.folded.with(|folded| !folded.is_empty()))
                    run=Callback::new(move |()| view.fold_all())
                />
                <Tool
                    sign=Sign::Wrap
                    words="Wrap"
                    label="Wrap: break long lines"
                    pressed=looks.wraps
                    run=Callback::new(move |()| view.in_place(|| switch(looks.wraps, WRAPS)))
                />
                <Tool
                    sign=Sign::Clock
                    words="Times"
                    label="Times: show when lines were printed, in UTC"
                    pressed=looks.times
                    run=Callback::new(move |()| view.in_place(|| switch(looks.times, TIMES)))
                />
                <Tool
                    sign=Sign::Link
                    label="Copy the link to the line, L"
                    key="L"
                    run=Callback::new(move |()| view.copy_link())
                />
                <Tool
                    sign=Sign::Copy
                    label="Copy the chosen lines, or all"
                    run=Callback::new(move |()| view.copy_lines())
                />
                <Show when=move || ended.get()>
                    <Tool
                        sign=Sign::Play
                        words="Replay"
                        label="Replay: show it once more, as it was printed"
                        run=Callback::new(move |()| view.play())
                    />
                </Show>
                <Downloads id />
            </div>
            <p class="said" role="status">
                {move || view.said.get()}
            </p>
        </div>
    }
    .into_any()
}

/// What can be taken home of a log.
#[component]
fn Downloads(id: AttemptId) -> impl IntoView {
    let link = |how: &str, sign, words: &'static str| {
        view! {
            <a
                class="btn"
                data-kind="quiet"
                data-icon=""
                href=format!("{}?{how}", raw_output(id))
                rel="external"
                download=""
                aria-label=words
                title=words
            >
                <Glyph sign />
            </a>
        }
    };
    view! {
        {link("as=cast", Sign::File, "Download a recording with its timing, asciicast")}
        {link("download=1", Sign::Download, "Download the raw output")}
    }
    .into_any()
}

/// A button of the tools. One without words says them to whoever points at it.
#[component]
fn Tool(
    sign: Sign,
    #[prop(default = "")] words: &'static str,
    label: &'static str,
    #[prop(optional)] key: Option<&'static str>,
    #[prop(optional, into)] pressed: Option<Signal<bool>>,
    run: Callback<()>,
) -> impl IntoView {
    view! {
        <button
            class="btn"
            data-kind="quiet"
            data-icon=words.is_empty().then_some("")
            type="button"
            data-key=key
            aria-pressed=move || pressed.map(|pressed| pressed.get().to_string())
            aria-label=label
            title=label
            on:click=move |_| run.run(())
        >
            <Glyph sign />
            {words}
        </button>
    }
    .into_any()
}

/// The field in which one searches, with what was found.
#[component]
fn Find(view: Window) -> impl IntoView {
    let finder = view.finder;
    let spelled = move || finder.spelling.get() == Spelling::Expression;
    let other = move || if spelled() { Spelling::Text } else { Spelling::Expression };
    view! {
        <div class="find">
            <Glyph sign=Sign::Search />
            <input
                type="search"
                aria-label="Search the whole log; or go to a line as :120, to a time as :22:13, to a command as :$2"
                aria-describedby="hits"
                placeholder="Search, or :120, :22:13, :$2"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                data-key="/"
                node_ref=finder.field
                prop:value=move || finder.text.get()
                on:input=move |event| view.typed(event_target_value(&event))
                on:keydown=move |event| typed_key(view, &event)
            />
            <span id="hits" role="status">
                {move || finder.words()}
            </span>
            <button
                class="btn"
                data-kind="quiet"
                type="button"
                aria-pressed=move || spelled().to_string()
                aria-label="Read it as a regular expression"
                title="Read it as a regular expression"
                on:click=move |_| view.spelled(other())
            >
                ".*"
            </button>
            <Tool
                sign=Sign::Up
                label="Previous line that has it, Shift F3"
                key="Shift F3"
                run=Callback::new(move |()| _ = view.step(Way::Up))
            />
            <Tool
                sign=Sign::Fold
                label="Next line that has it, F3"
                key="F3"
                run=Callback::new(move |()| _ = view.step(Way::Down))
            />
        </div>
    }
    .into_any()
}

fn typed_key(view: Window, event: &KeyboardEvent) {
    match event.key().as_str() {
        "Enter" if event.shift_key() => view.entered(Way::Up),
        "Enter" => view.entered(Way::Down),
        "Escape" => {
            view.typed(String::new());
            view.take_focus();
        }
        _ => return,
    }
    event.prevent_default();
    event.stop_propagation();
}

impl Window {
    /// Puts the focus on the log, where keys scroll it.
    fn take_focus(self) {
        if let Some(list) = self.list.get_untracked() {
            drop(list.focus());
        }
    }

    /// Where the output of a command begins and ends in this attempt; while it runs, it has no end.
    pub fn bytes_of(self, command: u32) -> Option<(u64, Option<u64>)> {
        let id = self.live.on_stage();
        self.live.run.with_untracked(|run| bytes_of(run, id, command))
    }

    /// Goes to the end of what the first command has printed that failed.
    fn go_to_the_first_failure(self) {
        let id = self.live.on_stage();
        match self.live.run.with_untracked(|run| first_failure(run, id)) {
            Some((command, to)) => {
                self.said.set(format!("Command {command} failed: its last line is shown."));
                self.jump_to(Some(to.saturating_sub(1)), None);
            }
            None => self.said.set("No command of this attempt has failed.".to_owned()),
        }
    }

    /// The line that is meant: those that are chosen, the one on which the reader stands, or the first that they see.
    fn meant(self) -> Named {
        let at = self.finder.at.get_untracked();
        let alone = || Named::line(at.unwrap_or_else(|| self.line_in_sight()));
        self.chosen.get_untracked().unwrap_or_else(alone)
    }

    fn copy_link(self) {
        let lines = self.meant();
        let AttemptId { step, attempt, .. } = self.live.on_stage();
        let place = window().location();
        let page = format!("{}{}", place.origin().unwrap_or_default(), place.pathname().unwrap_or_default());
        let link = format!("{page}?step={step}&attempt={attempt}#{}", anchor(step, lines));
        let said = match lines.count() {
            1 => format!("Copied the link to line {}.", time::thousands(lines.from())),
            _ => format!(
                "Copied the link to lines {} to {}.",
                time::thousands(lines.from()),
                time::thousands(lines.to())
            ),
        };
        spawn_local(async move { self.tell(write(&link).await, said) });
    }

    /// Copies the lines that are chosen. Says whether there are any, and nothing else is chosen on the page.
    pub fn copies_chosen(self) -> bool {
        let selection = window().get_selection().ok().flatten();
        let has_text = selection.is_some_and(|selection| !selection.is_collapsed());
        let copies = self.has_focus() && !has_text && self.chosen.with_untracked(Option::is_some);
        if copies {
            self.copy_lines();
        }
        copies
    }

    /// Copies the lines that are chosen, or all of them, however many are drawn.
    fn copy_lines(self) {
        let (from, to) = self.chosen.get_untracked().map_or((1, u64::MAX), |chosen| (chosen.from(), chosen.to()));
        let id = self.live.on_stage();
        self.said.set("Fetching the lines.".to_owned());
        spawn_local(async move {
            let answer = text(id.run, id.step, id.attempt, from, to).await;
            if self.is_gone() {
                return;
            }
            match answer {
                Ok(lines) => {
                    let copied = time::counted(lines.lines, "line");
                    let said = match lines.rest {
                        None => format!("Copied {copied}."),
                        Some(_) => format!("Copied the first {copied}; download the raw output for more."),
                    };
                    self.tell(write(&lines.text).await, said);
                }
                Err(error) => self.said.set(error.to_string()),
            }
        });
    }

    fn tell(self, copied: Copied, said: String) {
        let words = if copied == Copied::Done { said } else { copied.word("").to_owned() };
        _ = self.said.try_set(words);
    }
}

fn bytes_of(run: &Run, id: AttemptId, command: u32) -> Option<(u64, Option<u64>)> {
    match run.step(id.step)?.command(command)?.as_run() {
        CommandState::Running { attempt, from, .. } if *attempt == id.attempt => Some((*from, None)),
        CommandState::Ended { attempt, from, to, .. } if *attempt == id.attempt => Some((*from, Some(*to))),
        _ => None,
    }
}

/// The first command of an attempt that failed, and the byte behind what it has printed.
fn first_failure(run: &Run, id: AttemptId) -> Option<(u32, u64)> {
    (1..).zip(&run.step(id.step)?.commands).find_map(|(command, state)| match state.as_run() {
        CommandState::Ended { attempt, to, end, .. } if *attempt == id.attempt && end.outcome == Outcome::Failure => {
            Some((command, *to))
        }
        _ => None,
    })
}
