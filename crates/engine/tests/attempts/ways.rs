//! The way to a target: where there is none, a sentence says why, and nothing was begun.

use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use domain::attempt::AttemptResult;
use domain::target::{Container, Reach, Ssh, Which};
use engine::Probe;
use tempfile::TempDir;
use testkit::rig::{Process, Sshd};

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

/// The line of `known_hosts` for one server.
fn known_line(ssh: &Ssh) -> String {
    let keys = std::fs::read_to_string(&ssh.known_hosts).unwrap();
    format!("[{}]:{} {}", ssh.host, ssh.port, keys.strip_prefix("* ").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_on_the_way_where_it_ends_is_named_with_what_to_do() {
    let (Some(sshd), Some(gate)) = (Sshd::start(), Sshd::start()) else { return };
    let folder = TempDir::new().unwrap();
    let target = sshd.target();
    let way = Ssh { host: "localhost".to_owned(), ..gate.target() };
    let jump = |port: u16| vec![format!("{}@localhost:{port}", way.user)];
    let known = |name: &str, lines: String| {
        std::fs::write(folder.path().join(name), lines).unwrap();
        folder.path().join(name).display().to_string()
    };
    let one = known("one", known_line(&target));
    let both = known("both", known_line(&target) + &known_line(&way));

    let unknown = Ssh { jump: jump(way.port), known_hosts: one, ..target.clone() };
    let unknown = refusal(Reach::Ssh(unknown)).await;
    let through = Ssh { jump: jump(way.port), known_hosts: both, ..target.clone() };
    let stranger = refusal(Reach::Ssh(through.clone())).await;
    let nobody = refusal(Reach::Ssh(Ssh { jump: jump(1), ..through.clone() })).await;
    gate.let_in(Path::new(target.identity_file.as_ref().unwrap()));
    let beyond = refusal(Reach::Ssh(Ssh { host: "127.0.0.1".to_owned(), port: 1, ..through })).await;

    let begins = "The way there ends at a machine that `jump` names (";
    for (told, words, meaning) in [
        (unknown, "host key is known for [localhost]", "is not in known_hosts"),
        (stranger, "localhost: Permission denied", "puts the public key into authorized_keys"),
        (nobody, "port 1: Connection refused", "no ssh server listens at that port"),
    ] {
        assert!(told.starts_with(begins) && told.contains(words) && told.contains(meaning), "{told}");
    }
    assert!(beyond.starts_with("The last machine that `jump` names does not reach the target"), "{beyond}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_cannot_be_used_is_told_apart_from_a_key_that_is_not_let_in() {
    let Some(sshd) = Sshd::start() else { return };
    let folder = TempDir::new().unwrap();
    let target = sshd.target();
    let at = |name: &str| folder.path().join(name);
    let close = |name: &str, mode| std::fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
    std::fs::copy(target.identity_file.as_ref().unwrap(), at("open")).unwrap();
    close("open", 0o644);
    std::fs::write(at("garbled"), "no key").unwrap();
    close("garbled", 0o600);
    let (locked, _) = key(folder.path());
    let lock = ["-q", "-p", "-P", "", "-N", "secret", "-f", &locked];
    assert!(Command::new("ssh-keygen").args(lock).stdout(Stdio::null()).status().unwrap().success());
    sshd.let_in(Path::new(&locked));

    for (name, meaning) in [
        ("open", "others may read its file"),
        ("missing", "names no file"),
        ("key", "has a passphrase"),
        ("garbled", "cannot be read"),
    ] {
        let identity = Some(at(name).display().to_string());
        let told = refusal(Reach::Ssh(Ssh { identity_file: identity, ..target.clone() })).await;
        assert!(told.contains(meaning) && told.contains("identity_file"), "{name}: {told}");
    }
}

/// A socket has a short path, and the client has to do without it or find another place.
#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_shared_and_nothing_else_is_left_where_the_data_lie_deep() {
    let Some(sshd) = Sshd::start() else { return };
    let deep = TempDir::with_prefix("x".repeat(100)).unwrap();
    let place = Place::at(Reach::Ssh(sshd.target()), deep, SHIM.into(), USUAL_LADDER);

    for _ in 0..2 {
        assert_eq!(place.run(Step::new(&["echo there"])).await.text(), "there\n");
    }

    assert_eq!(sshd.log().matches("Accepted publickey").count(), 1, "{}", sshd.log());
    let folder = place.folder.path().join("ssh");
    let is_ours = |process: &Process| {
        let of_ours = |word: &String| word.contains(&folder.display().to_string());
        process.name == "ssh" && process.words().iter().any(of_ours)
    };
    // It can be told to end: with it, everything that it carries ends.
    let mut files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let config = files.find(|path| path.extension().is_some_and(|end| end == "conf")).unwrap();
    let told = Command::new("ssh").arg("-F").arg(config).args(["-O", "exit", "target"]).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    Process::all().iter().filter(|process| is_ours(process)).for_each(Process::wait);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_connection_that_somebody_else_makes_takes_its_failure() {
    let Some(sshd) = Sshd::start() else { return };
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let reach = Reach::Ssh(sshd.target_through(silent.local_addr().unwrap()));
    let place = place(reach.clone());
    let nothing = Probe { script: "true\n", arguments: Vec::new() };
    let look = || place.engine.probe(&reach, &nothing);

    let (one, two, three) = tokio::join!(look(), look(), look());

    for told in [one, two, three] {
        assert_eq!(told.unwrap_err().to_string(), "The machine does not answer.");
    }
    silent.set_nonblocking(true).unwrap();
    assert_eq!(std::iter::from_fn(|| silent.accept().ok()).count(), 1);
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
    std::fs::write(&known, known_line(&target) + &known_line(&way)).unwrap();
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
