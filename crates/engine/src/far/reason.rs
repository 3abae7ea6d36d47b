//! Why there is no way to a target, in a sentence for an administrator, out of what ssh has logged.

/// What ssh says, and what that means. The first that fits counts.
const SAID: &[(&str, &str)] = &[
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "The key of the machine has changed since it was written into known_hosts. Somebody may be in between; nothing was sent. \
         When the machine was really set up anew, an administrator puts its new key into known_hosts",
    ),
    (
        "Host key verification failed",
        "The key of the machine is not in known_hosts, so that nobody knows which machine answers; nothing was sent. An \
         administrator compares the key on the machine itself and puts it into known_hosts",
    ),
    (
        "Permission denied",
        "The machine does not let the portal in with its key. An administrator puts the public key into authorized_keys of \
         that user, or gives the target the right identity_file",
    ),
    (
        "Could not resolve hostname",
        "There is no machine of that name. An administrator corrects host, or the name service",
    ),
    ("Connection refused", "The machine refuses the connection: no ssh server listens at that port"),
    ("Connection timed out", "The machine does not answer"),
    ("No route to host", "There is no way to the machine: the network says so"),
    ("Network is unreachable", "There is no way to the machine: this network does not reach it"),
    ("Connection closed", "The machine closed the connection before it let the portal in"),
    ("Connection reset", "The machine cut the connection before it let the portal in"),
];

/// What `ssh-keygen` says against a key file that it cannot use, and what that means. The first that fits counts.
const COMPLAINTS: &[(&str, &str)] = &[
    (
        "No such file",
        "The portal's own key is not there: the target's identity_file names no file. An administrator puts the key there, or \
         corrects identity_file",
    ),
    (
        "too open",
        "ssh does not use the portal's own key, because others may read its file. An administrator closes it (chmod 600 on the \
         target's identity_file), and makes a new key when somebody else may have read this one",
    ),
    (
        "passphrase",
        "The portal's own key has a passphrase, and nobody is there to type it. An administrator gives the target an \
         identity_file without one, or an agent that holds the key",
    ),
    (
        "",
        "The portal's own key cannot be read. An administrator sees to it that the target's identity_file is a private key, and that \
         the portal's user may read it",
    ),
];

/// The sentence, out of what ssh has logged on the way to the target, what the clients of the machines on the way have said, and
/// what there is to be said against the portal's key file.
pub(super) fn of(log: &str, way: &str, complaint: Option<&str>) -> String {
    // Where the way has ended before the target, it knows no port of it.
    let said = if log.contains("UNKNOWN port") { way } else { "" }.lines().filter(|line| !line.starts_with("debug"));
    let way = &said.collect::<Vec<_>>().join("\n");
    let refused = [log, way.as_str()].iter().any(|said| said.contains("Permission denied"));
    if let Some(complaint) = complaint.filter(|_| refused) {
        let fits = COMPLAINTS.iter().find(|(said, _)| complaint.contains(said));
        return format!("{}.", fits.map_or("", |(_, meaning)| *meaning));
    }
    if way.contains(UNREACHED) {
        return "The last machine that `jump` names does not reach the target: no ssh server answers it there, or it may not forward."
            .to_owned();
    }
    on_the_way(way).unwrap_or_else(|| at_the_target(log))
}

/// What a machine on the way says when it has let the portal in and gets no further.
const UNREACHED: &str = "stdio forwarding failed";

/// Which machine on the way has ended it, in ssh's own words, and what that means.
fn on_the_way(way: &str) -> Option<String> {
    let (said, meaning) = SAID.iter().find(|(said, _)| way.contains(said))?;
    let lines = || way.lines().map(str::trim);
    // The line that names the machine.
    let named = lines().find(|line| line.contains(" host key is known for ") || line.starts_with("Host key for "));
    let words = named.or_else(|| lines().find(|line| line.contains(said)))?.trim_end_matches('.');
    Some(format!("The way there ends at a machine that `jump` names ({words}). {meaning}."))
}

/// The meaning, with the key that the machine has shown where that matters, or what ssh said where nothing fits.
fn at_the_target(log: &str) -> String {
    let known = SAID.iter().find(|(said, _)| log.contains(said));
    let shown = shown_key(log).filter(|_| known.is_some_and(|(said, _)| is_about_the_key(said)));
    if let Some((_, meaning)) = known {
        let key = shown.map_or_else(String::new, |key| format!(" (it has shown {key})"));
        return format!("{meaning}{key}.");
    }
    let last = log.lines().rev().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("debug"));
    format!("ssh could not connect: {}.", last.unwrap_or("it gave no reason").trim_end_matches('.'))
}

fn is_about_the_key(said: &str) -> bool {
    said.starts_with("REMOTE HOST") || said.starts_with("Host key")
}

/// As `ssh-ed25519 SHA256:…`.
fn shown_key(log: &str) -> Option<&str> {
    log.lines().rev().find_map(|line| line.split_once("Server host key: ").map(|(_, key)| key.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_shown_and_a_changed_one_is_told_apart() {
        let log = "debug1: Server host key: ssh-ed25519 SHA256:abc\nHost key verification failed.\n";
        let unknown = at_the_target(log);
        let changed = at_the_target(&format!("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n{log}"));

        assert!(unknown.contains("not in known_hosts") && unknown.contains("ssh-ed25519 SHA256:abc"), "{unknown}");
        assert!(
            changed.contains("has changed") && changed.ends_with("(it has shown ssh-ed25519 SHA256:abc)."),
            "{changed}"
        );
    }

    #[test]
    fn what_nobody_has_thought_of_is_told_as_ssh_says_it() {
        assert_eq!(
            at_the_target("debug1: x\nBad owner or permissions on key.\n"),
            "ssh could not connect: Bad owner or permissions on key."
        );
        assert_eq!(at_the_target(""), "ssh could not connect: it gave no reason.");
    }

    #[test]
    fn what_a_machine_on_the_way_says_is_not_taken_for_the_target() {
        let log =
            "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535\n";

        let changed = of(
            log,
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key for [gate]:22 has changed and you have requested strict \
             checking.\nHost key verification failed.\n",
            None,
        );
        let unreached =
            of(log, "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n", None);
        let nameless = of(log, "ssh: Could not resolve hostname gate: Name or service not known\n", None);

        assert!(
            changed.contains("`jump` names (Host key for [gate]:22 has changed") && changed.contains("set up anew"),
            "{changed}"
        );
        assert!(unreached.starts_with("The last machine that `jump` names does not reach the target"), "{unreached}");
        assert!(
            nameless.contains("hostname gate") && nameless.contains("There is no machine of that name"),
            "{nameless}"
        );
    }

    #[test]
    fn what_is_wrong_with_a_key_file_counts_only_when_somebody_was_not_let_in() {
        let complaint = Some("/keys/id: No such file or directory\n");

        assert!(of("root@h: Permission denied (publickey).\n", "", complaint).contains("names no file"));
        assert!(of("ssh: connect to host h: Connection refused\n", "", complaint).contains("refuses the connection"));
        assert!(of("root@h: Permission denied (publickey).\n", "", None).contains("authorized_keys"));
    }
}
