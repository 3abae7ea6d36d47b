//! `runbook-portal doctor` as an administrator runs it: real machines, real reasons, and words to act on.

use std::path::Path;
use std::process::{Command, Output};

use domain::target::Ssh;
use testkit::rig::{Contained, Image, Sshd};

fn doctor(folder: &Path, words: &[&str], docker: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runbook-portal"));
    command.arg("doctor").args(words).current_dir(folder).env_remove("PORTAL_CONFIG");
    command.envs(docker.map(|host| ("DOCKER_HOST", host)));
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn configured(folder: &Path, targets: &str) {
    std::fs::write(folder.join("portal.toml"), targets).unwrap();
}

fn ssh(name: &str, ssh: &Ssh) -> String {
    let identity = ssh.identity_file.as_ref().unwrap();
    format!(
        "[target.{name}]\nkind = \"ssh\"\nhost = \"{}\"\nport = {}\nuser = \"{}\"\nidentity_file = \"{identity}\"\nknown_hosts = \"{}\"\n\
         shell = [\"/bin/sh\"]\ndirectory = \"/tmp\"\n",
        ssh.host, ssh.port, ssh.user, ssh.known_hosts
    )
}

#[test]
fn this_machine_is_examined_without_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    configured(folder.path(), "[target.here]\nkind = \"local\"\n");

    let output = doctor(folder.path(), &[], None);

    let told = text(&output);
    assert!(told.starts_with("here: this machine\n  ok    It answers, and the portal is "), "{told}");
    assert_eq!(output.status.code(), Some(0), "{told}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["portal.toml"], "nothing was made");
}

#[test]
fn a_directory_or_a_shell_that_is_not_there_has_its_own_sentence_and_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    configured(
        folder.path(),
        "[target.here]\nkind = \"local\"\nshell = [\"/no/shell\"]\ndirectory = \"/no/such/place\"\n",
    );

    let output = doctor(folder.path(), &["here"], None);

    let told = text(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("BAD   Its shell /no/shell is not there"), "{told}");
    assert!(told.contains("BAD   /no/such/place, where runs begin, is not there"), "{told}");
    let unknown = doctor(folder.path(), &["there"], None);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("names no target there; it has here"));
}

#[test]
fn each_reason_for_which_another_machine_cannot_be_reached_is_told_apart() {
    let Some(mut sshd) = Sshd::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let other_key = folder.path().join("other");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&other_key).status();
    assert!(made.unwrap().success());
    let public = std::fs::read_to_string(other_key.with_extension("pub")).unwrap();
    let changed = folder.path().join("changed");
    std::fs::write(&changed, format!("* {public}")).unwrap();
    let target = sshd.target();
    let with = |known: &str, key: &Path| Ssh {
        known_hosts: known.to_owned(),
        identity_file: Some(key.display().to_string()),
        ..target.clone()
    };
    let own = Path::new(target.identity_file.as_ref().unwrap()).to_owned();
    let targets = [
        ssh("good", &target),
        ssh("unknown", &with("/dev/null", &own)),
        ssh("changed", &with(changed.to_str().unwrap(), &own)),
        ssh("refused", &with(&target.known_hosts, &other_key)),
    ];
    configured(folder.path(), &targets.concat());

    let output = doctor(folder.path(), &[], None);
    sshd.stop_with_sessions();
    let gone = doctor(folder.path(), &["good"], None);

    let told = text(&output);
    let of = |name: &str| told.split("\n\n").find(|part| part.starts_with(&format!("{name}: "))).unwrap_or_default();
    assert!(of("good").contains("ok    Its clock agrees") && of("good").contains("can be written into"), "{told}");
    assert!(!of("good").contains("BAD"), "{told}");
    assert!(of("unknown").contains("is not in known_hosts") && of("unknown").contains("SHA256:"), "{told}");
    assert!(of("changed").contains("has changed"), "{told}");
    assert!(of("refused").contains("does not let the portal in with its key"), "{told}");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&gone).contains("refuses the connection"), "{}", text(&gone));
}

#[test]
fn a_container_is_examined_from_inside() {
    let Some(contained) = Contained::start(Image::Busybox, &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let name = contained.name();
    configured(
        folder.path(),
        &format!("[target.api]\nkind = \"container\"\ncontainer = \"{name}\"\nshell = [\"/bin/sh\"]\n"),
    );
    let host = contained.engine().host();

    let there = doctor(folder.path(), &[], Some(&host));
    contained.remove();
    let gone = doctor(folder.path(), &[], Some(&host));

    let told = text(&there);
    assert!(told.starts_with(&format!("api: the container {name}\n")), "{told}");
    assert!(told.contains("note  It has no script") && told.contains("ok    Its shell /bin/sh is there"), "{told}");
    assert!(!told.contains("Docker") && there.status.code() == Some(0), "{told}");
    assert!(text(&gone).contains("BAD") && text(&gone).contains(name), "{}", text(&gone));
}
