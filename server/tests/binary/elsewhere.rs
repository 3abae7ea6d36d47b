//! A step at another machine outlives everything of ours: the portal, its shim, and both at once, as when the container of the
//! portal is replaced by the very step that runs.

use rustix::process::{Signal, kill_process};
use testkit::rig::Sshd;
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::page::Page;
use crate::process::{Place, Served};
use crate::record::COUNTER;
use crate::shims::shim;

/// Waits for a file in the middle of its second command, so that the moment of death is known.
const DOCUMENT: &str = "# Restart

## Steps

1. **Restart the portal**

   ```bash
   echo \"$PORTAL_RUN\" >> counter; cd sub

   for line in 1 2 3; do echo \"line $line\"; done; until [ -e ../go ]; do sleep 0.05; done; echo \"line 4\"; (exit 3)
   ```
";

fn place(sshd: &Sshd) -> Place {
    let place = Place::empty();
    let target = sshd.target();
    place.write("runbooks/it.md", DOCUMENT);
    place.write("runbooks/it.portal.toml", format!("directory = {:?}\n", place.path("work").to_str().unwrap()));
    place.write(COUNTER, "");
    place.write("work/sub/it", "");
    place.write(
        "portal.toml",
        format!(
            "[target.there]\nkind = \"ssh\"\nhost = \"{}\"\nport = {}\nuser = \"{}\"\nidentity_file = \"{}\"\nknown_hosts = \"{}\"\n",
            target.host,
            target.port,
            target.user,
            target.identity_file.unwrap(),
            target.known_hosts
        ),
    );
    place
}

#[test]
fn a_step_over_ssh_outlives_the_portal_and_its_shim_and_is_followed_to_its_true_end() {
    let Some(sshd) = Sshd::start() else { return };
    let place = place(&sshd);
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let started = browser.call("runs/start", &[("slug", "restart"), ("target", "there"), ("reason", ""), ("key", "k")]);
    assert_eq!(started.status(), StatusCode::OK, "{}", text(started));
    let form = [("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1,2")];
    let ran = browser.call("runs/run", &form);
    assert_eq!(ran.status(), StatusCode::OK, "{}", text(ran));
    let mut page = Page::default();
    page.follow(&mut browser, 1, |page| page.output.contains("line 3"));

    // All processes of a container end at once.
    let shim = shim(&place, 1).unwrap();
    portal.signal(Signal::KILL);
    kill_process(shim, Signal::KILL).unwrap();
    drop(portal);
    let portal = Served::start(&place);
    let mut browser = browser.at(&portal.address);
    place.write("work/go", "");
    let mut page = Page::default();
    page.follow(&mut browser, 1, |_| false);

    assert!(page.is_whole());
    assert_eq!(page.output, "line 1\nline 2\nline 3\nline 4\n");
    assert_eq!(page.codes(), [Some(0), Some(3)]);
    assert_eq!(place.read(COUNTER), "1\n", "it ran once");
    assert!(text(browser.get("/runs/1?step=1")).contains(&format!("{}@", sshd.target().user)));
}
