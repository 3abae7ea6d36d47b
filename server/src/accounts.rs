//! The command `user`: accounts, while the portal is not running.
//!
//! It opens the portal as `serve` does, so that there is one way in which people change, and one lock. It begins none of the work that
//! the portal does by itself: whoever is due to be told is told by the portal that serves.

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::ExitCode;

use domain::identity::Issuer;
use domain::policy::{Actor, Groups, group_names};
use domain::view::{PersonRow, SessionInfo};
use portal::{NewPerson, Portal, Standing};

use crate::cli::{PlaceArguments, UserCommand};
use crate::{config, load, run as run_to_end, serve, telemetry};

/// No password is longer than this.
const PASSWORD_LIMIT: u64 = 4096;

/// Does what was asked.
pub fn run(command: UserCommand) -> ExitCode {
    telemetry::begin(config::LogFormat::Text);
    run_to_end(async move {
        match command {
            UserCommand::Add { login, name, role, groups, place } => {
                let password = read_password()?;
                let portal = open(place).await?;
                let name = name.unwrap_or_else(|| login.clone());
                let groups = groups.into_iter().collect();
                let new = NewPerson { login, name, role, password, mail: String::new(), groups };
                finish(&portal, add(&portal, new).await).await
            }
            UserCommand::List { place } => {
                let portal = open(place).await?;
                finish(&portal, list(&portal).await).await
            }
            UserCommand::Password { login, make, place } => {
                let read = if make { None } else { Some(read_password()?) };
                let portal = open(place).await?;
                finish(&portal, password(&portal, &login, read).await).await
            }
            UserCommand::ResetFactor { login, place } => {
                let portal = open(place).await?;
                finish(&portal, reset_factor(&portal, &login).await).await
            }
            UserCommand::EnrolmentCode { login, place } => {
                let portal = open(place).await?;
                finish(&portal, enrolment_code(&portal, &login).await).await
            }
            UserCommand::Rebind { login, issuer, subject, place } => {
                let portal = open(place).await?;
                finish(&portal, rebind(&portal, &login, &issuer, &subject).await).await
            }
            UserCommand::Sessions { login, end, place } => {
                let portal = open(place).await?;
                finish(&portal, sessions(&portal, &login, end).await).await
            }
            UserCommand::Disable { login, place } => {
                let portal = open(place).await?;
                finish(&portal, disable(&portal, &login).await).await
            }
        }
    })
}

async fn open(place: PlaceArguments) -> Result<Portal, String> {
    let config = load(&place.into())?;
    serve::open(&config, env!("CARGO_PKG_VERSION").to_owned()).await.map_err(|error| error.to_string())
}

async fn finish(portal: &Portal, outcome: Result<String, portal::Error>) -> Result<(), String> {
    portal.close().await;
    let text = outcome.map_err(|error| error.sentence())?;
    // A reader that went away is no failure: the change is made.
    drop(std::io::stdout().write_all(text.as_bytes()));
    Ok(())
}

async fn add(portal: &Portal, new: NewPerson) -> Result<String, portal::Error> {
    let told = format!("{} can sign in now; the role is {}{}.\n", new.login, new.role, member(&new.groups));
    portal.create_person(Actor::console().administrator()?, new).await?;
    Ok(told)
}

/// `, in dba, platform`; nothing for who is in no group.
fn member(groups: &Groups) -> String {
    if groups.is_empty() { String::new() } else { format!(", in {}", group_names(groups)) }
}

async fn list(portal: &Portal) -> Result<String, portal::Error> {
    let people = portal.people(Actor::console().administrator()?).await?.people;
    if people.is_empty() {
        return Ok("Nobody has an account.\n".to_owned());
    }
    let width = people.iter().map(|person| person.login.len()).max().unwrap_or_default();
    Ok(people.iter().map(|person| line(person, width)).collect())
}

fn line(person: &PersonRow, width: usize) -> String {
    let standing = if person.enabled { "" } else { ", disabled" };
    let member = member(&person.groups);
    let by = person.source.map(|source| format!(", by {source}")).unwrap_or_default();
    format!("{:width$}  {}{standing}{by}{member}  {}\n", person.login, person.role, person.name)
}

async fn disable(portal: &Portal, login: &str) -> Result<String, portal::Error> {
    let person = named(portal, login).await?;
    portal.set_standing(Actor::console().administrator()?, &person.id, Standing::Disabled).await?;
    Ok(format!("{} can no longer sign in, and their sessions and tokens are over.\n", person.login))
}

/// Gives a person the password that was read, or one that is made and printed here.
async fn password(portal: &Portal, login: &str, read: Option<String>) -> Result<String, portal::Error> {
    let person = named(portal, login).await?;
    let made = read.is_none().then(portal::spelled_secret);
    let new = read.as_deref().or(made.as_deref()).unwrap_or_default();
    portal.set_password(Actor::console().administrator()?, &person.id, new).await?;
    let told = made.map(|made| format!("The new password of {} is {made}\n", person.login)).unwrap_or_default();
    Ok(format!("{told}{} signs in with the new password from now on; their sessions are over.\n", person.login))
}

async fn reset_factor(portal: &Portal, login: &str) -> Result<String, portal::Error> {
    let person = named(portal, login).await?;
    let before = portal.reset_factors(Actor::console().administrator()?, &person.id).await?;
    if !before.any() {
        return Ok(format!("{} had no second factor; their sessions are over.\n", person.login));
    }
    let app = if before.authenticator { "the authenticator app" } else { "no authenticator app" };
    let passkeys = if before.passkeys == 1 { "passkey" } else { "passkeys" };
    Ok(format!(
        "Removed of {}: {app}, {} recovery codes, {} {passkeys}. Their sessions are over; they set a new one up on their account page.\n",
        person.login, before.recovery_codes, before.passkeys
    ))
}

async fn enrolment_code(portal: &Portal, login: &str) -> Result<String, portal::Error> {
    let person = named(portal, login).await?;
    let made = portal.make_enrolment_code(Actor::console().administrator()?, &person.id).await?;
    Ok(format!(
        "The enrolment code of {} is {}\nIt begins one set-up of a second factor on their account page, and holds for a day.\n",
        person.login, made.text
    ))
}

async fn rebind(portal: &Portal, login: &str, issuer: &Issuer, subject: &str) -> Result<String, portal::Error> {
    let person = named(portal, login).await?;
    portal.rebind(Actor::console().administrator()?, &person.id, issuer, subject).await?;
    Ok(format!("{} is {subject} at {} from now on; their sessions are over.\n", person.login, issuer.key()))
}

async fn sessions(portal: &Portal, login: &str, end: bool) -> Result<String, portal::Error> {
    let (person, console) = (named(portal, login).await?, Actor::console());
    if end {
        let count = portal.end_sessions_of(console.administrator()?, &person.id).await?;
        return Ok(format!("Sessions of {} that were ended: {count}.\n", person.login));
    }
    let sessions = portal.sessions_of(console.administrator()?, &person.id).await?;
    if sessions.is_empty() {
        return Ok(format!("{} is signed in nowhere.\n", person.login));
    }
    Ok(sessions.iter().map(session_line).collect())
}

fn session_line(session: &SessionInfo) -> String {
    let from = if session.address.is_empty() { String::new() } else { format!("  from {}", session.address) };
    format!("begun {}  last seen {}{from}  {}\n", session.begun, session.seen, session.browser())
}

/// The person who signs in under a name.
async fn named(portal: &Portal, login: &str) -> Result<PersonRow, portal::Error> {
    let people = portal.people(Actor::console().administrator()?).await?.people;
    let wanted = login.trim().to_lowercase();
    people.into_iter().find(|person| person.login == wanted).ok_or_else(|| {
        portal::Error::Invalid(format!("Nobody signs in as {login}. Nothing was changed; `user list` names everybody."))
    })
}

/// The first line of standard input: an argument could be read by every user of the machine.
fn read_password() -> Result<String, String> {
    drop(writeln!(std::io::stderr(), "The password, on one line (it is shown while you type):"));
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(PASSWORD_LIMIT)
        .read_line(&mut line)
        .map_err(|error| format!("The password could not be read: {error}. Nothing was changed"))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
