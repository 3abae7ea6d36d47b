//! People: who has an account, which role, who may not come in any more.

use domain::PersonId;
use domain::identity::Source;
use domain::policy::{Groups, Role, group_names};
use domain::run::StepStatus;
use domain::view::{DeliveriesView, MadeCode, PeopleView, PersonRow, Session};
use leptos::html;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::AppError;
use crate::api::pages::{deliveries, people};
use crate::api::people::{
    CreatePerson, DisablePerson, EnablePerson, EndSessionsOf, EndTokensOf, GiveEnrolmentCode, SetGroups, SetMail,
    SetRole,
};
use crate::clock::Clock;
use crate::components::action_form::{ActionForm, emptied_by};
use crate::components::ago::Ago;
use crate::components::copy::Copy;
use crate::components::deliveries::Deliveries;
use crate::components::glyph::{Glyph, Sign};
use crate::components::problem::Refused;
use crate::components::words::counted;
use crate::loaded::loaded;

type Answer = MappedSignal<Option<Result<(), AppError>>>;

/// What an administrator can do here.
#[derive(Clone, Copy)]
struct PeopleDeeds {
    create: ServerAction<CreatePerson>,
    role: ServerAction<SetRole>,
    disable: ServerAction<DisablePerson>,
    enable: ServerAction<EnablePerson>,
    end: ServerAction<EndSessionsOf>,
    end_tokens: ServerAction<EndTokensOf>,
    mail: ServerAction<SetMail>,
    groups: ServerAction<SetGroups>,
    code: ServerAction<GiveEnrolmentCode>,
    /// Whose account was just disabled or enabled: its button is another one now, and gets the focus back.
    switched: RwSignal<Option<PersonId>>,
}

impl PeopleDeeds {
    fn new() -> Self {
        let deeds = Self {
            create: ServerAction::new(),
            role: ServerAction::new(),
            disable: ServerAction::new(),
            enable: ServerAction::new(),
            end: ServerAction::new(),
            end_tokens: ServerAction::new(),
            mail: ServerAction::new(),
            groups: ServerAction::new(),
            code: ServerAction::new(),
            switched: RwSignal::new(None),
        };
        for (last, answer) in deeds.answers().into_iter().enumerate() {
            Effect::new(move |_| {
                if answer.with(Option::is_some) {
                    deeds.forget_all_but(last);
                }
            });
        }
        deeds
    }

    fn answers(self) -> [Answer; 9] {
        [
            self.create.value(),
            self.role.value(),
            self.disable.value(),
            self.enable.value(),
            self.end.value(),
            self.end_tokens.value(),
            self.mail.value(),
            self.groups.value(),
            self.code.value(),
        ]
    }

    /// Counts what was done, so that the list is asked for again.
    fn count(self) -> usize {
        self.create.version().get()
            + self.role.version().get()
            + self.disable.version().get()
            + self.enable.version().get()
            + self.end.version().get()
            + self.end_tokens.version().get()
            + self.mail.version().get()
            + self.groups.version().get()
            + self.code.version().get()
    }

    /// Why the last deed was refused.
    fn problem(self) -> Option<String> {
        self.answers().into_iter().find_map(|answer| answer.get()?.err()).map(|error| error.to_string())
    }

    /// The answer to the last deed is the only one that still says something.
    fn forget_all_but(self, last: usize) {
        for (place, answer) in self.answers().into_iter().enumerate() {
            if place != last && answer.with_untracked(|answer| matches!(answer, Some(Err(_)))) {
                answer.set(None);
            }
        }
    }
}

/// `/people`
#[component]
pub fn PeoplePage() -> impl IntoView {
    let deeds = PeopleDeeds::new();
    // One answer for the whole page: what begins to load inside of what is loaded was seen never to arrive, and the page with it.
    let view = Resource::new(
        move || deeds.count(),
        |_| async {
            // Whoever may not see the notices sees the rest of the page.
            Ok((people().await?, deliveries().await.ok()))
        },
    );
    view! {
        <Title text="People" />
        {loaded(view, move |session, (view, deliveries)| view! { <People session view deliveries deeds /> })}
    }
    .into_any()
}

#[component]
fn People(session: Session, view: PeopleView, deliveries: Option<DeliveriesView>, deeds: PeopleDeeds) -> impl IntoView {
    Clock::start(view.now);
    let count = view.people.len();
    let known = group_names(&view.groups);
    let options = options_of(&view.groups);
    let made = view.made.map(|code| view! { <Made code /> });
    let rows = view
        .people
        .into_iter()
        .map(|person| {
            let own = person.id == session.actor.id;
            view! { <Person person own deeds /> }
        })
        .collect_view();
    view! {
        <main id="main" class="page" data-kind="decision" tabindex="-1">
            <header class="page-head">
                <h1>"People"</h1>
                <div class="facts-line">
                    <span>{counted(count, "account")}</span>
                </div>
            </header>
            <div class="main stack">
                <Refused problem=Signal::derive(move || deeds.problem()) />
                {made}
                <table class="table people-table" data-cards>
                    <caption class="sr">"Everyone with an account"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Role"</th>
                            <th scope="col">"Groups"</th>
                            <th scope="col">"Mail"</th>
                            <th scope="col">"Last seen"</th>
                            <th scope="col">
                                <span class="sr">"Account"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
                <dl class="facts">
                    {Role::ALL.map(|role| view! { <dt>{role.word()}</dt><dd>{role.meaning()}</dd> }).into_iter().collect_view()}
                </dl>
                {deliveries.map(|view| view! { <Deliveries view /> })}
            </div>
            <aside class="aside" aria-label="New account">
                <CreateForm known deeds />
                {options}
            </aside>
        </main>
    }
    .into_any()
}

#[component]
fn Person(person: PersonRow, own: bool, deeds: PeopleDeeds) -> impl IntoView {
    let (of_role, name) = (person.id.0.clone(), person.name.clone());
    let (role_label, role_button) = (format!("Role of {name}"), format!("Set role of {name}"));
    let (mailed, grouped) = (person.clone(), person.clone());
    let standing = if own {
        view! { <span class="quiet small">"you"</span> }.into_any()
    } else {
        view! { <Upkeep person=person.clone() deeds /> }.into_any()
    };
    // What somebody may do for whom others vouch, the map in the configuration says.
    let role = if own || person.source.is_some() {
        view! { <span>{person.role.word()}</span> }.into_any()
    } else {
        view! {
            <ActionForm action=deeds.role attr:class="role-form">
                <input type="hidden" name="person" value=of_role />
                <RoleChoice chosen=person.role label=role_label />
                <button class="btn" data-kind="quiet" type="submit" aria-label=role_button>
                    "Set role"
                </button>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <tr data-disabled=(!person.enabled).then_some("")>
            <th scope="row">
                {name}
                <span class="sub">
                    {person.login}
                    {(!person.enabled).then_some(", disabled")}
                    {person.source.map(|source| format!(", by {source}"))}
                </span>
            </th>
            <td>{role}</td>
            <td>
                <GroupsOf person=grouped deeds />
            </td>
            <td>
                <Mail person=mailed deeds />
            </td>
            <td class="soft">
                {match person.seen {
                    Some(seen) => view! { <Ago at=seen /> }.into_any(),
                    None => "never".into_any(),
                }}
            </td>
            <td class="num">{standing}</td>
        </tr>
    }
    .into_any()
}

/// What can be done about the account of somebody else, beside what stands in its columns.
#[component]
fn Upkeep(person: PersonRow, deeds: PeopleDeeds) -> impl IntoView {
    // Who had them signs in again, and gives their scripts new tokens.
    let (of_sessions, of_tokens, of_code) = (person.clone(), person.clone(), person.clone());
    let end_sessions = (person.sessions > 0).then(|| {
        view! {
            <ActionForm action=deeds.end>
                <EndAll count=person.sessions thing="session" person=of_sessions />
            </ActionForm>
        }
    });
    let end_tokens = (person.tokens > 0).then(|| {
        view! {
            <ActionForm action=deeds.end_tokens>
                <EndAll count=person.tokens thing="token" person=of_tokens />
            </ActionForm>
        }
    });
    let code = (person.source == Some(Source::Proxy) && person.factors == 0).then(|| {
        let label = format!("Make enrolment code for {}", of_code.name);
        view! {
            <ActionForm action=deeds.code>
                <input type="hidden" name="person" value=of_code.id.0 />
                <button class="btn" data-kind="quiet" type="submit" aria-label=label>
                    "Make enrolment code"
                </button>
            </ActionForm>
        }
    });
    view! {
        <div class="actions">
            {end_sessions}
            {end_tokens}
            {code}
            <Standing person deeds />
        </div>
    }
    .into_any()
}

/// The enrolment code that was just made, this once.
#[component]
fn Made(code: MadeCode) -> impl IntoView {
    let MadeCode { name, text } = code;
    view! {
        <div class="callout" data-tone="ok">
            <Glyph sign=Sign::State(StepStatus::Done) />
            <p class="head">{format!("Enrolment code for {name}")}</p>
            <p>
                "It is shown here this once. Give it to them yourself: whoever types it on the account page, while the proxy names them, sets their second factor up. It serves once, and for a day."
            </p>
            <p class="secret">
                <code>{text.clone()}</code>
            </p>
            <div class="actions">
                <Copy text words="Copy code" />
            </div>
        </div>
    }
    .into_any()
}

/// Inside of a form that ends all things of one kind that somebody else has.
#[component]
fn EndAll(count: u32, thing: &'static str, person: PersonRow) -> impl IntoView {
    let words = format!("End {}", counted(count as usize, thing));
    let label = format!("{words} of {}", person.name);
    view! {
        <input type="hidden" name="person" value=person.id.0 />
        <button class="btn" data-kind="quiet" type="submit" aria-label=label>
            {words}
        </button>
    }
    .into_any()
}

/// The id of the list of groups that are known.
const KNOWN_GROUPS: &str = "known-groups";

/// The groups that somebody is in or a side file names, as the fields offer them.
fn options_of(groups: &Groups) -> AnyView {
    let options = groups.iter().map(|group| view! { <option value=group.to_string()></option> }).collect_view();
    view! { <datalist id=KNOWN_GROUPS>{options}</datalist> }.into_any()
}

/// The groups that somebody is in, and the form that changes them.
#[component]
fn GroupsOf(person: PersonRow, deeds: PeopleDeeds) -> impl IntoView {
    let names = group_names(&person.groups);
    let (label, button) = (format!("Groups of {}", person.name), format!("Set groups of {}", person.name));
    view! {
        <Folded what="Groups" label=label.clone() shown=names.clone()>
            <ActionForm action=deeds.groups attr:class="role-form">
                <input type="hidden" name="person" value=person.id.0 />
                <input
                    class="input"
                    name="groups"
                    autocomplete="off"
                    spellcheck="false"
                    list=KNOWN_GROUPS
                    value=names
                    aria-label=label
                />
                <button class="btn" data-kind="quiet" type="submit" aria-label=button>
                    "Set groups"
                </button>
            </ActionForm>
        </Folded>
    }
    .into_any()
}

/// Where mail reaches somebody, and the form that changes it.
#[component]
fn Mail(person: PersonRow, deeds: PeopleDeeds) -> impl IntoView {
    let address = person.mail.unwrap_or_default();
    let (label, button) = (format!("Mail address of {}", person.name), format!("Set mail address of {}", person.name));
    view! {
        <Folded what="Mail" label=label.clone() shown=address.clone()>
            <ActionForm action=deeds.mail attr:class="role-form">
                <input type="hidden" name="person" value=person.id.0 />
                <input class="input" name="mail" type="email" autocomplete="off" value=address aria-label=label />
                <button class="btn" data-kind="quiet" type="submit" aria-label=button>
                    "Set address"
                </button>
            </ActionForm>
        </Folded>
    }
    .into_any()
}

/// Something of somebody as it is, folded over the form that changes it.
#[component]
fn Folded(
    /// The head of its column, for where the table is cards.
    what: &'static str,
    /// What it is and whose.
    label: String,
    /// How it is; empty when there is nothing.
    shown: String,
    /// The form.
    children: Children,
) -> impl IntoView {
    let shown = if shown.is_empty() { "none".to_owned() } else { shown };
    let label = format!("{label}: {shown}");
    view! {
        <details>
            <summary class="soft" data-label=what aria-label=label>
                {shown}
            </summary>
            {children()}
        </details>
    }
    .into_any()
}

/// Disables the account of somebody else, or enables it again.
#[component]
fn Standing(person: PersonRow, deeds: PeopleDeeds) -> impl IntoView {
    let (id, name) = (person.id.0.clone(), person.name);
    let button = NodeRef::<html::Button>::new();
    let switched = person.id.clone();
    let pressed = move |_| deeds.switched.set(Some(switched.clone()));
    Effect::new(move |_| {
        if let Some(button) = button.get()
            && deeds.switched.get_untracked().as_ref() == Some(&person.id)
        {
            deeds.switched.set(None);
            request_animation_frame(move || drop(button.focus()));
        }
    });
    if person.enabled {
        view! {
            <ActionForm action=deeds.disable>
                <input type="hidden" name="person" value=id />
                <button class="btn" type="submit" aria-label=format!("Disable account of {name}") node_ref=button on:click=pressed>
                    "Disable account"
                </button>
            </ActionForm>
        }
        .into_any()
    } else {
        view! {
            <ActionForm action=deeds.enable>
                <input type="hidden" name="person" value=id />
                <button class="btn" type="submit" aria-label=format!("Enable account of {name}") node_ref=button on:click=pressed>
                    "Enable account"
                </button>
            </ActionForm>
        }
        .into_any()
    }
}

#[component]
fn RoleChoice(chosen: Role, label: String) -> impl IntoView {
    let options = Role::ALL
        .map(|role| view! { <option value=role.word() selected=role == chosen>{role.word()}</option> })
        .into_iter()
        .collect_view();
    view! {
        <select class="input" name="role" aria-label=label>
            {options}
        </select>
    }
    .into_any()
}

#[component]
fn CreateForm(known: String, deeds: PeopleDeeds) -> impl IntoView {
    let known = if known.is_empty() { String::new() } else { format!(" Known: {known}.") };
    let form = NodeRef::<html::Form>::new();
    emptied_by(form, deeds.create);
    view! {
        <ActionForm action=deeds.create node_ref=form attr:class="panel" attr:data-box="">
            <header>
                <h2>"New account"</h2>
            </header>
            <div class="field">
                <label for="name">"Name"</label>
                <input class="input" id="name" name="name" required autocomplete="off" />
                <span class="help">"As others see it."</span>
            </div>
            <div class="field">
                <label for="login">"Sign-in name"</label>
                <input class="input" data-mono="" id="login" name="login" required autocomplete="off" spellcheck="false" />
            </div>
            <div class="field">
                <span class="label">"Role"</span>
                <RoleChoice chosen=Role::Operator label="Role of the new account".to_owned() />
            </div>
            <div class="field">
                <label for="new-groups">"Groups " <span class="quiet">"may be left out"</span></label>
                <input
                    class="input"
                    id="new-groups"
                    name="groups"
                    autocomplete="off"
                    spellcheck="false"
                    list=KNOWN_GROUPS
                    aria-describedby="new-groups-help"
                />
                <span class="help" id="new-groups-help">
                    "Names with commas between them. Procedures that are limited to one of them are theirs to see."
                    {known}
                </span>
            </div>
            <div class="field">
                <label for="new-mail">"Mail address " <span class="quiet">"may be left out"</span></label>
                <input class="input" id="new-mail" name="mail" type="email" autocomplete="off" />
                <span class="help">"Requests for approval and decisions are told there, where the portal sends mail."</span>
            </div>
            <div class="field">
                <label for="new-password">"First password"</label>
                <input class="input" id="new-password" name="password" type="password" required minlength="15" autocomplete="new-password" />
                <span class="help">"At least 15 characters. They change it on their account page."</span>
            </div>
            <button class="btn" data-kind="primary" type="submit" data-wide="" disabled=deeds.create.pending()>
                "Create account"
            </button>
        </ActionForm>
    }
    .into_any()
}
