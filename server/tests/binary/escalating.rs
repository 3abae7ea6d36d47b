//! People are called into a run over real sockets: by mail and by a webhook, as the procedure says and as an operator does, and by
//! no portal a second time.

use rustix::process::Signal;
use serde_json::Value;
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::people::{account, done};
use crate::process::{Place, Served};
use crate::receivers::{Smtp, Web};
use crate::waiting::eventually;

const DOCUMENT: &str = "# Restore

## Steps

1. **Look**

   ```bash
   ls /no/such/PLACE
   ```

## Escalation

- Notify the team lead immediately
- If a step fails: tell the operations room
- When in doubt ask the senior DBA
";

const SIDE: &str = "[procedure.Restore]
contacts = { \"team lead\" = \"lena\", \"operations room\" = \"#ops\", \"senior DBA\" = \"dba-oncall\" }

[parameter.place]
placeholder = \"PLACE\"
type = \"text\"
";

const VALUE: &str = "secret-customer";

/// How many notices there are, and how many of them are on their way.
fn notices(olga: &mut Browser) -> (usize, usize) {
    let view: Value = serde_json::from_str(&done(olga.call("pages/deliveries", &[]))).unwrap();
    let rows = view["rows"].as_array().unwrap();
    (rows.len(), rows.iter().filter(|row| row["state"] == "waiting").count())
}

#[test]
fn a_contact_is_told_by_mail_and_by_webhook_and_by_no_portal_a_second_time() {
    let (smtp, mut web) = (Smtp::open(), Web::open());
    let place = Place::empty();
    place.write("runbooks/restore.md", DOCUMENT);
    place.write("runbooks/restore.portal.toml", SIDE);
    let mail =
        format!("[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"portal@example.com\"\n", smtp.port);
    let hook = |name: &str| {
        let secret = format!("[secret.{name}_url]\nfile = \"{name}.url\"\n");
        format!("[[webhook]]\nname = \"{name}\"\nkind = \"slack\"\nurl_secret = \"{name}_url\"\n{secret}")
    };
    place.write("portal.toml", format!("[target.local]\nkind = \"local\"\n{mail}{}{}", hook("ops"), hook("team")));
    for name in ["ops", "team"] {
        place.write(&format!("{name}.url"), web.url(&format!("/{name}")));
    }
    let mut portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    for login in ["lena", "lars"] {
        let person = account(&mut olga, login, "lead");
        done(olga.call("people/mail", &[("person", &person), ("mail", &format!("{login}@example.com"))]));
    }

    let start = [("slug", "restore"), ("target", ""), ("reason", "OPS-1"), ("key", "one"), ("values[place]", VALUE)];
    done(olga.call("runs/start", &start));

    // The mail server takes it the second time: it is the same mail.
    let (first, immediate) = (smtp.refused(), smtp.next());
    assert_eq!(immediate.to, "lena@example.com");
    assert_eq!(immediate.header("Message-ID"), first.header("Message-ID"));
    for words in
        ["Reason: The run has started, and the procedure says", "Reason: OPS-1", "Look at run 1 in the portal."]
    {
        assert!(immediate.text.contains(words), "{words}: {}", immediate.text);
    }

    done(olga.call("runs/run", &[("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1")]));

    let failed = web.next("/ops").json().to_string();
    for words in ["The portal calls operations room (#ops) into", "has failed", "failed, exit code 2"] {
        assert!(failed.contains(words), "{words}: {failed}");
    }
    eventually("all is told", || notices(&mut olga) == (2, 0));
    portal.signal(Signal::KILL);
    portal.wait();

    let portal = Served::start(&place);
    let mut olga = olga.at(&portal.address);
    let call = [("run", "1"), ("number", "3"), ("contact", "team lead"), ("text", "It is the disk, please come.")];
    done(olga.call("runs/escalate", &call));
    let by_hand = smtp.next();

    assert!(by_hand.to == "lena@example.com" && by_hand.text.contains("It is the disk, please come."), "{by_hand:?}");
    assert_eq!(olga.call("runs/escalate", &call).status(), StatusCode::CONFLICT, "the form was sent twice");
    eventually("nothing else is told", || notices(&mut olga) == (3, 0));
    assert!(!web.has("/ops") && !web.has("/team"), "nothing comes twice, and only the webhook that is named is told");
    for told in [&immediate.text, &failed, &by_hand.text] {
        assert!(!told.contains(VALUE), "no value unless it is configured: {told}");
    }

    let page = text(olga.get("/runs/1"));
    assert!(page.contains("dba-oncall has no mail address and no webhook; call dba-oncall."), "{page}");
    let mut lena = Browser::new(&portal.address);
    lena.sign_in("lena");
    assert!(text(lena.get("/")).contains("You are called into Restore on local"));
}
