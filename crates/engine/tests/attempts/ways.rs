//! The way to a target: where there is none, a sentence says why, and nothing was begun.

use std::path::Path;
use std::process::Command;

use domain::attempt::AttemptResult;
use domain::target::{Container, Reach, Ssh, Which};
use tempfile::TempDir;
use testkit::rig::Sshd;

use crate::harness::{Place, Step, USUAL_LADDER};
use crate::sites::{SHIM, Site};

fn place(target: Reach) -> Place {
    Place::at(target, TempDir::new().unwrap(), SHIM.into(), USUAL_LADDER)
}

/// Why a step was not started at a target; nothing of it was run.
async fn refusal(target: Reach) -> String {
    refused(place(target)).await
}

async fn refused(place: Place) -> String {
    let ran = place.folder.path().join("ran");
    let end = place.run(Step::new(&[&format!("touch '{}'", ran.display())])).await;
    assert!(!ran.exists());
    match end.result() {
        AttemptResult::NotStarted { reason } => reason.clone(),
        other => panic!("{other:?}: {}", end.text()),
    }
}

/// Makes a key pair; gives the path of the private one and the text of the public one.
fn key(folder: &Path) -> (String, String) {
    let path = folder.join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status().unwrap();
    assert!(made.success());
    (path.display().to_string(), std::fs::read_to_string(path.with_extension("pub")).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_with_an_unknown_or_a_changed_key_is_sent_nothing() {
    let Some(sshd) = Sshd::start() else { return };
    let folder = TempDir::new().unwrap();
    let known = folder.path().join("known_hosts");
    let target = || Reach::Ssh(Ssh { known_hosts: known.display().to_string(), ..sshd.target() });

    std::fs::write(&known, "").unwrap();
    let unknown = refusal(target()).await;
    std::fs::write(&known, format!("* {}", key(folder.path()).1)).unwrap();
    let changed = refusal(target()).await;

    assert!(unknown.contains("is not in known_hosts") && unknown.contains("ssh-ed25519 SHA256:"), "{unknown}");
    assert!(changed.contains("has changed") && changed.contains("ssh-ed25519 SHA256:"), "{changed}");
    assert!(!sshd.log().contains("Accepted publickey"), "{}", sshd.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_and_who_is_not_there_are_told_apart() {
    let Some(mut sshd) = Sshd::start() else { return };
    let folder = TempDir::new().unwrap();
    let target = sshd.target();

    let stranger = Ssh { identity_file: Some(key(folder.path()).0), ..target.clone() };
    let permission = refusal(Reach::Ssh(stranger)).await;
    let name = refusal(Reach::Ssh(Ssh { host: "no-such-host.invalid".to_owned(), ..target.clone() })).await;
    sshd.stop();
    let nobody = refusal(Reach::Ssh(target)).await;

    assert!(permission.contains("does not let the portal in"), "{permission}");
    assert!(name.contains("There is no machine of that name"), "{name}");
    assert!(nobody.contains("refuses the connection"), "{nobody}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_reached_through_the_machines_on_the_way() {
    let (Some(sshd), Some(gate)) = (Sshd::start(), Sshd::start()) else { return };
    let mut target = sshd.target();
    // By another name than the target: ssh takes one host that is on its own way for a mistake.
    let way = Ssh { host: "localhost".to_owned(), ..gate.target() };
    // One identity is for all of them, and one file knows all keys.
    let folder = TempDir::new().unwrap();
    let known = folder.path().join("known_hosts");
    let line = |ssh: &Ssh| {
        let keys = std::fs::read_to_string(&ssh.known_hosts).unwrap();
        format!("[{}]:{} {}", ssh.host, ssh.port, keys.strip_prefix("* ").unwrap())
    };
    std::fs::write(&known, line(&target) + &line(&way)).unwrap();
    gate.let_in(Path::new(target.identity_file.as_ref().unwrap()));
    target.jump = vec![format!("{}@{}:{}", way.user, way.host, way.port)];
    target.known_hosts = known.display().to_string();

    let end = place(Reach::Ssh(target)).run(Step::new(&["echo there"])).await;

    assert_eq!(end.text(), "there\n", "{:?}", end.result());
    assert!(gate.log().contains("Accepted publickey"), "{}", gate.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_not_there_is_named() {
    let Some(site) = Site::container() else { return };
    let which = Which::Name("no-such-container".to_owned());

    let reason = refused(site.place_of(Reach::Container(Container { which, user: None }))).await;

    assert!(reason.contains("no-such-container"), "{reason}");
}
