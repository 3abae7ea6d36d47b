//! People: who has an account, which role, who may not come in any more.

use domain::policy::Role;
use domain::view::{PeopleView, PersonRow, Session};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::pages::people;
use crate::api::people::{CreatePerson, DisablePerson, EnablePerson, SetRole};
use crate::clock::Clock;
use crate::components::ago::Ago;
use crate::components::problem::Refused;
use crate::loaded::loaded;

/// What an administrator can do here.
#[derive(Clone, Copy)]
struct PeopleDeeds {
    create: ServerAction<CreatePerson>,
    role: ServerAction<SetRole>,
    disable: ServerAction<DisablePerson>,
    enable: ServerAction<EnablePerson>,
}

impl PeopleDeeds {
    /// Counts what was done, so that the list is asked for again.
    fn count(self) -> usize {
        self.create.version().get()
            + self.role.version().get()
            + self.disable.version().get()
            + self.enable.version().get()
    }

    fn problem(self) -> Option<String> {
        let answers = [self.create.value(), self.role.value(), self.disable.value(), self.enable.value()];
        answers.into_iter().find_map(|answer| answer.get()?.err()).map(|error| error.to_string())
    }
}

/// `/people`
#[component]
pub fn PeoplePage() -> impl IntoView {
    let deeds = PeopleDeeds {
        create: ServerAction::new(),
        role: ServerAction::new(),
        disable: ServerAction::new(),
        enable: ServerAction::new(),
    };
    let view = Resource::new(move || deeds.count(), |_| people());
    view! {
        <Title text="People" />
        {loaded(view, move |session, view| view! { <People session view deeds /> })}
    }
    .into_any()
}

#[component]
fn People(session: Session, view: PeopleView, deeds: PeopleDeeds) -> impl IntoView {
    Clock::start(view.now);
    let count = view.people.len();
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
                    <span>{if count == 1 { "1 account".to_owned() } else { format!("{count} accounts") }}</span>
                </div>
            </header>
            <div class="main stack">
                <Refused problem=Signal::derive(move || deeds.problem()) />
                <table class="table people-table" data-cards>
                    <caption class="sr">"Everyone with an account"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Role"</th>
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
            </div>
            <aside class="aside" aria-label="New account">
                <CreateForm deeds />
            </aside>
        </main>
    }
    .into_any()
}

#[component]
fn Person(person: PersonRow, own: bool, deeds: PeopleDeeds) -> impl IntoView {
    let id = person.id.0.clone();
    let (of_role, name) = (id.clone(), person.name.clone());
    let (disable, enable) = (format!("Disable account of {name}"), format!("Enable account of {name}"));
    let (role_label, role_button) = (format!("Role of {name}"), format!("Set role of {name}"));
    let standing = match (own, person.enabled) {
        (true, _) => view! { <span class="quiet small">"you"</span> }.into_any(),
        (false, true) => view! {
            <ActionForm action=deeds.disable>
                <input type="hidden" name="person" value=id />
                <button class="btn" type="submit" aria-label=disable>
                    "Disable account"
                </button>
            </ActionForm>
        }
        .into_any(),
        (false, false) => view! {
            <ActionForm action=deeds.enable>
                <input type="hidden" name="person" value=id />
                <button class="btn" type="submit" aria-label=enable>
                    "Enable account"
                </button>
            </ActionForm>
        }
        .into_any(),
    };
    let role = if own {
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
                </span>
            </th>
            <td>{role}</td>
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
fn CreateForm(deeds: PeopleDeeds) -> impl IntoView {
    let form = NodeRef::<leptos::html::Form>::new();
    let answer = deeds.create.value();
    Effect::new(move |_| {
        if let (Some(Ok(())), Some(form)) = (answer.get(), form.get_untracked()) {
            form.reset();
        }
    });
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
                <label for="login">"Login"</label>
                <input class="input" data-mono="" id="login" name="login" required autocomplete="off" spellcheck="false" />
            </div>
            <div class="field">
                <span class="label">"Role"</span>
                <RoleChoice chosen=Role::Operator label="Role of the new account".to_owned() />
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
