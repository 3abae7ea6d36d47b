//! Commands that never end by themselves, and commands that draw a screen.

use crate::risk;
use crate::shell::{Shell, Word, pipeline};

/// Whether a command never ends by itself, and whether it draws a full screen.
pub(super) fn of(text: &str) -> (bool, bool) {
    let Some(shell) = Shell::parse(text) else { return (false, false) };
    let members = pipeline(&shell);
    let ends = members.last().is_some_and(|last| members.len() > 1 && ends_early(last));
    let watches = !ends && members.iter().any(|words| is_watch(words)) && !text.trim_end().ends_with('&');
    let screen = members.len() == 1 && members.first().is_some_and(|words| is_screen(words));
    (watches, screen)
}

/// Programs that end a pipeline although more is coming.
fn ends_early(words: &[Word]) -> bool {
    let words = risk::innermost(words);
    let program = words.first().map_or("", |word| word.text.as_str());
    let has = |option: &str| words.iter().any(|word| word.text.starts_with(option));
    match program {
        "head" => true,
        "grep" => has("-m") || has("-q") || has("--max-count") || has("--quiet"),
        _ => false,
    }
}

struct Words<'w> {
    texts: Vec<&'w str>,
}

impl Words<'_> {
    fn has(&self, long: &[&str]) -> bool {
        self.texts
            .iter()
            .any(|text| long.iter().any(|option| text == option || text.starts_with(&format!("{option}="))))
    }

    /// A letter, alone or among others, as in `-fn10`.
    fn letter(&self, letter: char) -> bool {
        self.texts.iter().any(|text| {
            let cluster = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            cluster.is_some_and(|rest| rest.chars().take_while(char::is_ascii_alphabetic).any(|c| c == letter))
        })
    }

    fn follows(&self) -> bool {
        self.has(&["--follow"]) && !self.has(&["--follow=false"]) || self.letter('f')
    }
}

fn is_watch(words: &[Word]) -> bool {
    // A time limit ends anything.
    if words.iter().any(|word| word.text == "timeout") {
        return false;
    }
    let words = risk::innermost(words);
    let program = words.first().map_or("", |word| word.text.rsplit('/').next().unwrap_or_default());
    let rest = Words { texts: words.iter().skip(1).map(|word| word.text.as_str()).collect() };
    match program {
        "docker" | "docker-compose" | "podman" | "podman-compose" | "nerdctl" => container_watch(program, &rest),
        "kubectl" | "oc" => kubectl_watch(&rest),
        "tail" => rest.follows() || rest.has(&["-F", "--retry"]),
        "journalctl" => rest.follows(),
        "dmesg" => rest.letter('w') || rest.has(&["--follow", "-w", "--follow-new"]),
        "top" | "htop" | "atop" => !(rest.letter('n') || rest.letter('b') && rest.has(&["-n1", "-n", "-bn1"])),
        "watch" => !rest.has(&["-g", "--chgexit", "-e", "--errexit"]),
        "btop" | "iotop" | "iftop" | "nethogs" | "glances" | "ctop" | "k9s" | "lazydocker" | "nload" | "mongotop"
        | "mongostat" => !rest.letter('n'),
        "ping" | "ping6" => !rest.letter('c') && !rest.letter('w'),
        "tcpdump" => !rest.letter('c') && !rest.letter('r'),
        "vmstat" | "iostat" | "mpstat" | "sar" | "pidstat" => endless_interval(&rest),
        "redis-cli" | "valkey-cli" => rest
            .texts
            .iter()
            .any(|text| text.eq_ignore_ascii_case("monitor") || *text == "--stat" || *text == "--latency"),
        "pm2" => rest.texts.first().is_some_and(|verb| matches!(*verb, "logs" | "monit")) && !rest.has(&["--nostream"]),
        "stern" | "multitail" | "yes" => true,
        "supervisorctl" => rest.texts.first() == Some(&"tail") && rest.letter('f'),
        "mtr" => !rest.letter('r') && !rest.letter('c'),
        _ => false,
    }
}

/// `vmstat 5` goes on for ever, `vmstat 5 3` does not.
fn endless_interval(rest: &Words<'_>) -> bool {
    rest.texts.iter().filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).count() == 1
}

fn container_watch(program: &str, rest: &Words<'_>) -> bool {
    let compose = program.ends_with("compose") || rest.texts.contains(&"compose");
    let verbs = ["logs", "stats", "events", "attach", "up", "top", "watch", "exec", "run", "wait"];
    let Some(at) = rest.texts.iter().position(|text| verbs.contains(text)) else { return false };
    let after = Words { texts: rest.texts[at + 1..].to_vec() };
    match rest.texts[at] {
        "logs" => after.follows(),
        "stats" => !after.has(&["--no-stream"]),
        "events" => !after.has(&["--until"]),
        "attach" | "watch" => true,
        "up" => compose && !after.letter('d') && !after.has(&["--detach", "--wait", "--no-start"]),
        _ => false,
    }
}

fn kubectl_watch(rest: &Words<'_>) -> bool {
    let Some(verb) = rest.texts.iter().find(|text| !text.starts_with('-')) else { return false };
    match *verb {
        "logs" => rest.follows(),
        "get" => rest.letter('w') || rest.has(&["--watch", "--watch-only"]),
        "port-forward" | "proxy" => true,
        "events" => rest.letter('w') || rest.has(&["--watch"]),
        _ => false,
    }
}

fn is_screen(words: &[Word]) -> bool {
    let words = risk::innermost(words);
    let program = words.first().map_or("", |word| word.text.rsplit('/').next().unwrap_or_default());
    let rest = Words { texts: words.iter().skip(1).map(|word| word.text.as_str()).collect() };
    match program {
        "top" | "htop" | "atop" => is_watch(words) && !rest.letter('b'),
        "watch" | "btop" | "iotop" | "iftop" | "nethogs" | "glances" | "ctop" | "k9s" | "lazydocker" | "nload"
        | "mtr" => is_watch(words),
        "vi" | "vim" | "nvim" | "nano" | "emacs" | "less" | "more" | "most" | "mc" | "ncdu" | "tmux" | "screen"
        | "visudo" | "vipw" => true,
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => {
            rest.texts.contains(&"stats") && is_watch(words)
        }
        _ => false,
    }
}
