//! Attacks over real HTTP on the real binary, by their rows in docs/security.md. "No effect" is: nothing was recorded but, where the
//! gate knows who asks, one refusal.

mod crawling;
mod forging;
mod smuggling;
mod wire;

use wire::{Answer, Wire};

use crate::browser::{Browser, text};
use crate::process::{Place, Served};

/// A portal with an administrator, a run, and somebody who attacks.
struct Scene {
    place: Place,
    portal: Served,
    olga: Browser,
    run: String,
}

impl Scene {
    fn open() -> Self {
        let place = Place::with_document();
        let portal = Served::start(&place);
        let mut olga = Browser::set_up(&place, &portal);
        let form = [("slug", "count-slowly"), ("target", "local"), ("key", "a-key-of-this-scene")];
        let run = text(olga.call("runs/start", &form)).trim_matches('"').to_owned();
        Self { place, portal, olga, run }
    }

    fn wire(&self) -> Wire {
        Wire::to(&self.portal.address)
    }

    /// The cookie of who is signed in.
    fn cookie(&self) -> String {
        self.olga.cookie().unwrap()
    }

    /// How many events there are.
    fn events(&mut self) -> u64 {
        let audit: serde_json::Value =
            serde_json::from_str(&text(self.olga.call("pages/audit", &[("portal_only", "false")]))).unwrap();
        audit["info"]["events"].as_u64().unwrap_or_else(|| panic!("the audit says how many events there are: {audit}"))
    }
}

/// The answers of which none may have been a success.
fn assert_refused(what: &str, answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.body);
}
