//! Somebody who tries names and passwords learns nothing from how they are refused: not whether an account is there, and not
//! whether it is closed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use testkit::times;
use ureq::Agent;

use crate::browser::{Browser, PASSWORD, text};
use crate::process::{Place, Served};

/// So many wrong tries of one name are answered without a delay.
const FREE: usize = 5;

/// So many tries of each kind tell a difference of a tenth.
const MANY: usize = 500;

/// What is compared of an answer: status, body, and headers without those that differ from answer to answer.
type Face = (u16, String, BTreeMap<String, String>);

/// One kind of name that somebody tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Unknown,
    WrongPassword,
    Disabled,
}

impl Name {
    const ALL: [Self; 3] = [Self::Unknown, Self::WrongPassword, Self::Disabled];

    /// The name of a try: unknown ones are never the same, the others have five tries each.
    fn of_try(self, number: usize) -> String {
        match self {
            Self::Unknown => format!("unknown{number}"),
            Self::WrongPassword => format!("present{}", number / FREE),
            Self::Disabled => format!("closed{}", number / FREE),
        }
    }
}

/// A portal with accounts that are open and closed.
fn peopled(place: &Place, accounts: usize) -> Served {
    let portal = Served::start_with(place, &["--trusted-proxies", "127.0.0.1"]);
    let mut ada = Browser::set_up(place, &portal);
    for number in 0..accounts {
        for kind in ["present", "closed"] {
            let login = format!("{kind}{number}");
            let form = [("login", &*login), ("name", "Somebody"), ("role", "viewer"), ("password", PASSWORD)];
            assert!(ada.call("people/create", &form).status().is_success());
        }
    }
    for (id, login) in people(&mut ada) {
        if login.starts_with("closed") {
            assert!(ada.call("people/disable", &[("person", &id)]).status().is_success());
        }
    }
    portal
}

/// Everybody's id and sign-in name.
fn people(browser: &mut Browser) -> Vec<(String, String)> {
    let listed: serde_json::Value = serde_json::from_str(&text(browser.call("pages/people", &[]))).unwrap();
    let field = |person: &serde_json::Value, name: &str| person[name].as_str().unwrap().to_owned();
    let people = listed["people"].as_array().unwrap().iter();
    people.map(|person| (field(person, "id"), field(person, "login"))).collect()
}

/// Tries a name from an address of its own; gives what came back and how long it took.
fn tried(agent: &Agent, portal: &Served, login: &str, number: usize) -> (Face, Duration) {
    let client = format!("198.51.{}.{}", number / 200, number % 200);
    let request = agent
        .post(format!("{}/api/sign-in", portal.address))
        .header("origin", &portal.address)
        .header("x-forwarded-for", &client);
    let began = Instant::now();
    let response = request.send_form([("login", login), ("password", "four quiet otters sink")]).unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = text(response);
    let took = began.elapsed();
    let kept = headers.iter().filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"));
    let headers = kept.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    ((status, body, headers), took)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn an_unknown_name_a_wrong_password_and_a_closed_account_are_answered_alike_and_as_fast() {
    let tries: usize = times("PORTAL_GUESSES", 25);
    let place = Place::with_document();
    let portal = peopled(&place, tries.div_ceil(FREE));
    let agent: Agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build().into();
    let mut faces: BTreeMap<Name, Face> = BTreeMap::new();
    let mut times: BTreeMap<Name, Vec<Duration>> = BTreeMap::new();

    // One after the other in turns, so that what the machine does besides falls on all of them.
    for number in 0..tries {
        for (place, name) in Name::ALL.into_iter().enumerate() {
            let (face, took) = tried(&agent, &portal, &name.of_try(number), number * Name::ALL.len() + place);

            assert_eq!(face, *faces.entry(name).or_insert_with(|| face.clone()), "{name:?}");
            times.entry(name).or_default().push(took);
        }
    }

    let medians: BTreeMap<Name, Duration> = times.into_iter().map(|(name, times)| (name, median(times))).collect();
    eprintln!("{tries} tries of each kind: medians {medians:?}");
    assert_eq!(faces[&Name::Unknown].0, 422);
    assert!(faces.values().all(|face| *face == faces[&Name::Unknown]), "{faces:?}");
    let (least, most) = (medians.values().min().unwrap(), medians.values().max().unwrap());
    // The cost of one hash is what somebody could measure; a tenth of it is less than what the network adds. Few tries beside other
    // tests tell whether there was a hash at all.
    let noise = if tries < MANY { *least } else { *least / 10 + Duration::from_millis(2) };
    assert!(most.abs_diff(*least) < noise, "{medians:?}");
}
