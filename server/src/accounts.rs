//! The command `user`: accounts, while the portal is not running.
//!
//! It opens the portal as `serve` does, so that there is one way in which people change, and one lock.

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::ExitCode;

use domain::policy::Actor;
use domain::view::PersonRow;
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
            UserCommand::Add { login, name, role, place } => {
                let password = read_password()?;
                let portal = open(place).await?;
                let name = name.unwrap_or_else(|| login.clone());
                finish(&portal, add(&portal, NewPerson { login, name, role, password }).await).await
            }
            UserCommand::List { place } => {
                let portal = open(place).await?;
                finish(&portal, list(&portal).await).await
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
    let (login, role) = (new.login.clone(), new.role);
    portal.create_person(Actor::console().administrator()?, new).await?;
    Ok(format!("{login} can sign in now; the role is {role}.\n"))
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
    format!("{:width$}  {}{standing}  {}\n", person.login, person.role, person.name)
}

async fn disable(portal: &Portal, login: &str) -> Result<String, portal::Error> {
    let console = Actor::console();
    let people = portal.people(console.administrator()?).await?.people;
    let Some(person) = people.iter().find(|person| person.login == login.trim().to_lowercase()) else {
        return Err(portal::Error::Invalid(format!(
            "Nobody signs in as {login}. Nothing was changed; `user list` names everybody."
        )));
    };
    portal.set_standing(console.administrator()?, &person.id, Standing::Disabled).await?;
    Ok(format!("{login} can no longer sign in, and their sessions are over.\n"))
}

/// The first line of standard input: an argument could be read by every user of the machine.
fn read_password() -> Result<String, String> {
    drop(writeln!(std::io::stderr(), "The password, on one line (it is shown while you type):"));
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(PASSWORD_LIMIT)
        .read_line(&mut line)
        .map_err(|error| format!("The password could not be read: {error}. No account was made"))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
