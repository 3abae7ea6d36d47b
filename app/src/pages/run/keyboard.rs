//! The full keyboard of an interactive step: a switch that hands the keys of the page over to the step, and the same as forms.
//!
//! The page never shows what is typed: the program does, on its screen or in the log, when it wants to.

use domain::AttemptId;
use domain::keyboard::{Held, LIMIT, Named, Outbox, Press, Stroke, Taken, take};
use domain::run::Run;
use domain::time;
use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::actions::named;
use super::stopping::{InputNumber, fields_of};
use crate::AppError;
use crate::api::runs::{Typed, type_keys};
use crate::components::action_form::ActionForm;
use crate::components::glyph::{Glyph, Sign};
use crate::deeds::Deeds;
use crate::live::Live;

/// The keys that have a button of their own, as a program is most often asked for.
const KEYS: [Press; 18] = [
    Press::plain(Named::Enter),
    Press::plain(Named::Tab),
    Press::plain(Named::Escape),
    Press::plain(Named::Backspace),
    Press::plain(Named::Up),
    Press::plain(Named::Down),
    Press::plain(Named::Left),
    Press::plain(Named::Right),
    Press::plain(Named::Home),
    Press::plain(Named::End),
    Press::plain(Named::PageUp),
    Press::plain(Named::PageDown),
    Press::plain(Named::Insert),
    Press::plain(Named::Delete),
    Press::ctrl('c'),
    Press::ctrl('d'),
    Press::ctrl('w'),
    Press::ctrl('z'),
];

/// Whose the keys are, and those on their way to the step.
#[derive(Clone, Copy)]
struct Keys {
    live: Live,
    id: AttemptId,
    command: u32,
    /// What has the focus while the keys go to the step.
    field: NodeRef<html::Textarea>,
    switch: NodeRef<html::Button>,
    outbox: StoredValue<Outbox>,
    /// The number of the last batch; 0 when the run itself has to be asked.
    number: StoredValue<u32>,
    /// Whether a character is being put together out of several keys.
    composes: StoredValue<bool>,
    /// Why keys did not go to the step.
    trouble: RwSignal<Option<String>>,
}

impl Keys {
    fn of(live: Live, id: AttemptId, command: u32) -> Self {
        Self {
            live,
            id,
            command,
            field: NodeRef::new(),
            switch: NodeRef::new(),
            outbox: StoredValue::new(Outbox::default()),
            number: StoredValue::new(0),
            composes: StoredValue::new(false),
            trouble: RwSignal::new(None),
        }
    }

    fn hand_over(self) {
        self.trouble.set(None);
        if let Some(field) = self.field.get_untracked() {
            drop(field.focus());
        }
    }

    fn take_back(self) {
        self.live.typing.set(false);
        if let Some(switch) = self.switch.get_untracked() {
            drop(switch.focus());
        }
    }

    fn switched(self) {
        if self.live.typing.get_untracked() { self.take_back() } else { self.hand_over() }
    }

    fn pressed(self, event: &ev::KeyboardEvent) {
        if event.is_composing() {
            return;
        }
        match take(&event.key(), held(event)) {
            Taken::Browser => return,
            Taken::Leave => self.take_back(),
            Taken::Stroke(stroke) => self.typed(stroke),
        }
        event.prevent_default();
        event.stop_propagation();
    }

    fn pasted(self, event: &ev::ClipboardEvent) {
        event.prevent_default();
        let text = event.clipboard_data().and_then(|data| data.get_data("text/plain").ok()).unwrap_or_default();
        if !text.is_empty() {
            self.typed(Stroke::Paste(text));
        }
    }

    /// Text that came into the field by another way than by keys: put together, spoken, or tapped on glass.
    fn composed(self) {
        let Some(field) = self.field.get_untracked().filter(|_| !self.composes.get_value()) else { return };
        let text = field.value();
        field.set_value("");
        if !text.is_empty() {
            self.typed(Stroke::Text(text));
        }
    }

    fn typed(self, stroke: Stroke) {
        match self.outbox.try_update_value(|outbox| outbox.add(stroke)) {
            Some(Ok(())) => self.send(),
            Some(Err(_)) => self.trouble.set(Some(format!(
                "At most {} bytes can be typed or pasted at once. Nothing of that was sent.",
                time::thousands(LIMIT as u64)
            ))),
            None => {}
        }
    }

    /// Sends what waits, once the batch before it has arrived.
    fn send(self) {
        let Some(Some(batch)) = self.outbox.try_update_value(Outbox::send) else { return };
        let number = self.live.run.with_untracked(Run::next_input).max(self.number.get_value() + 1);
        self.number.set_value(number);
        let keys = serde_json::to_string(&batch).expect("text and names are always JSON");
        let AttemptId { run, step, attempt } = self.id;
        spawn_local(async move {
            let typed = Typed { keys, ..Typed::default() };
            self.answered(type_keys(run, step, attempt, self.command, number, typed).await);
        });
    }

    /// The page may be gone by the time that an answer comes.
    fn answered(self, answer: Result<(), AppError>) {
        match answer {
            Ok(()) => {
                if self.outbox.try_update_value(Outbox::arrived).is_some() {
                    self.send();
                }
            }
            Err(error) => {
                let Some(waited) = self.outbox.try_update_value(Outbox::give_up) else { return };
                self.number.set_value(0);
                self.take_back();
                self.trouble.set(Some(not_sent(&error, waited)));
            }
        }
    }
}

/// Keys that come late might mean something else by then: after a failure nothing more is sent by itself.
fn not_sent(error: &AppError, waited: bool) -> String {
    let unsure = matches!(error, AppError::Unreachable | AppError::Internal);
    let look = if unsure { " Your last keys may have arrived or not: look at what the program shows." } else { "" };
    let rest = if waited { " What you typed after them was not sent." } else { "" };
    format!("{error}{look}{rest} Your keys are yours again.")
}

/// What is held down. Where `AltGr` makes a character, browsers may call it Ctrl and Alt.
fn held(event: &ev::KeyboardEvent) -> Held {
    let makes = event.get_modifier_state("AltGraph");
    Held {
        shift: event.shift_key(),
        alt: event.alt_key() && !makes,
        ctrl: event.ctrl_key() && !makes,
        meta: event.meta_key(),
    }
}

/// The keyboard of a command that runs in an interactive step.
#[component]
pub fn Keyboard(id: AttemptId, command: u32) -> impl IntoView {
    let live = Live::here();
    let keys = Keys::of(live, id, command);
    on_cleanup(move || _ = live.typing.try_set(false));
    view! {
        <div class="keyboard" data-on=move || keys.live.typing.get().then_some("")>
            <Switch keys />
            <p class="trouble" role="alert">
                {move || keys.trouble.get()}
            </p>
            <Forms id command />
        </div>
    }
    .into_any()
}

/// The switch, what has the focus while the keys are handed over, and the way out.
#[component]
fn Switch(keys: Keys) -> impl IntoView {
    let step = named(keys.live, keys.id.step);
    let (offer, label) = (format!("Hand your keys to {step}"), format!("Keyboard of {step}"));
    let told = format!("Your keys go to {step}");
    view! {
        <div class="switch needs-scripts">
            <button
                class="btn"
                data-kind="primary"
                type="button"
                node_ref=keys.switch
                on:mousedown=move |event| {
                    if keys.live.typing.get_untracked() {
                        event.prevent_default();
                    }
                }
                on:click=move |_| keys.switched()
            >
                <Glyph sign=Sign::Keyboard />
                {move || if keys.live.typing.get() { "Take your keys back".to_owned() } else { offer.clone() }}
            </button>
            <p class="state" role="status">
                {move || keys.live.typing.get().then(|| told.clone())}
            </p>
            <KeysField keys label />
            <p class="help" id="keyboard-help">
                <kbd>"Ctrl ]"</kbd>
                " or "
                <kbd>"Ctrl Enter"</kbd>
                " or a click beside it gives your keys back. "
                <kbd>"Ctrl Shift V"</kbd>
                " pastes. What you type is not stored; what the program prints of it is."
            </p>
        </div>
    }
    .into_any()
}

/// Takes the keys. It stays empty and out of sight; the strip around it shows that it has the focus.
#[component]
fn KeysField(keys: Keys, label: String) -> impl IntoView {
    view! {
        <textarea
            class="keys-field"
            aria-label=label
            aria-describedby="keyboard-help"
            rows="1"
            tabindex="-1"
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            node_ref=keys.field
            on:focus=move |_| keys.live.typing.set(true)
            on:blur=move |_| keys.live.typing.set(false)
            on:keydown=move |event| keys.pressed(&event)
            on:paste=move |event| keys.pasted(&event)
            on:compositionstart=move |_| keys.composes.set_value(true)
            on:compositionend=move |_| {
                keys.composes.set_value(false);
                keys.composed();
            }
            on:input=move |_| keys.composed()
        ></textarea>
    }
    .into_any()
}

/// A line and single keys as plain forms: without scripts the keyboard itself, with them for what a browser or a phone keeps to
/// itself.
#[component]
fn Forms(id: AttemptId, command: u32) -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <button
            class="btn needs-scripts"
            data-kind="quiet"
            type="button"
            aria-expanded=move || open.get().to_string()
            aria-controls="keyboard-forms"
            on:click=move |_| open.update(|open| *open = !*open)
        >
            <Glyph sign=Sign::Fold />
            "Send a line or a single key"
        </button>
        <div class="forms" id="keyboard-forms" data-open=move || open.get().then_some("")>
            <LineForm id command />
            <KeyButtons id command />
            <AnyKeyForm id command />
        </div>
    }
    .into_any()
}

#[component]
fn LineForm(id: AttemptId, command: u32) -> impl IntoView {
    let deeds = Deeds::here();
    let field = NodeRef::<html::Input>::new();
    let answer = deeds.keys.value();
    Effect::new(move |_| {
        if let (Some(Ok(())), Some(field)) = (answer.get(), field.get_untracked()) {
            field.set_value("");
        }
    });
    view! {
        <ActionForm action=deeds.keys attr:class="deed">
            {fields_of(id, command)}
            <InputNumber />
            <div class="field">
                <label>
                    "A line for the program"
                    <input
                        class="input"
                        data-mono=""
                        name="typed[line]"
                        autocomplete="off"
                        spellcheck="false"
                        node_ref=field
                    />
                </label>
            </div>
            <button class="btn" type="submit" name="typed[enter]" value="on" disabled=deeds.keys.pending()>
                "Send with Enter"
            </button>
            <button class="btn" type="submit" disabled=deeds.keys.pending()>
                "Send without Enter"
            </button>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn KeyButtons(id: AttemptId, command: u32) -> impl IntoView {
    let deeds = Deeds::here();
    let functions = (1..=12).map(|number| Press::plain(Named::Function(number)));
    let buttons = KEYS.into_iter().chain(functions).map(move |press| {
        let word = press.word();
        let label = format!("Press {word}");
        view! {
            <button
                class="btn"
                type="submit"
                name="typed[key]"
                value=press.name()
                aria-label=label
                disabled=deeds.keys.pending()
            >
                <kbd>{word}</kbd>
            </button>
        }
    });
    view! {
        <ActionForm action=deeds.keys attr:class="deed">
            {fields_of(id, command)}
            <InputNumber />
            <div class="key-buttons" role="group" aria-label="Single keys">
                {buttons.collect_view()}
            </div>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn AnyKeyForm(id: AttemptId, command: u32) -> impl IntoView {
    let deeds = Deeds::here();
    view! {
        <ActionForm action=deeds.keys attr:class="deed">
            {fields_of(id, command)}
            <InputNumber />
            <div class="field">
                <label>
                    "Another key, as ctrl-x, alt-b or shift-tab"
                    <input
                        class="input"
                        data-mono=""
                        name="typed[key]"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        required
                    />
                </label>
            </div>
            <button class="btn" type="submit" disabled=deeds.keys.pending()>
                "Press key"
            </button>
        </ActionForm>
    }
    .into_any()
}
