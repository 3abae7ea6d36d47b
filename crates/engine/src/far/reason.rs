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
    ("stdio forwarding failed", "The machine on the way does not reach the target"),
];

/// The sentence, with the key that the machine has shown where that matters, and what ssh said where nothing fits.
pub(super) fn of(log: &str) -> String {
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
        let unknown = of(log);
        let changed = of(&format!("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n{log}"));

        assert!(unknown.contains("not in known_hosts") && unknown.contains("ssh-ed25519 SHA256:abc"), "{unknown}");
        assert!(
            changed.contains("has changed") && changed.ends_with("(it has shown ssh-ed25519 SHA256:abc)."),
            "{changed}"
        );
    }

    #[test]
    fn what_nobody_has_thought_of_is_told_as_ssh_says_it() {
        assert_eq!(
            of("debug1: x\nBad owner or permissions on key.\n"),
            "ssh could not connect: Bad owner or permissions on key."
        );
        assert_eq!(of(""), "ssh could not connect: it gave no reason.");
    }
}
