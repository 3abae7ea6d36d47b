//! Commands that never end by themselves, and commands that draw a screen.

use tree_sitter::Node;

use crate::risk;
use crate::shell::{Shell, Word, children, pipelines};

/// Shell text in shell text is followed this far.
const DEEPEST: usize = 4;

/// Whether a command never ends by itself, and whether it draws a full screen.
pub(super) fn of(text: &str) -> (bool, bool) {
    let Some(shell) = Shell::parse(text) else { return (false, false) };
    let pipelines = pipelines(&shell);
    let screen = pipelines.iter().any(|members| members.len() == 1 && is_screen(&members[0]));
    (goes_on(&shell, &pipelines, 0), screen)
}

/// Whether any pipeline of a text never ends, or a loop of it.
fn goes_on(shell: &Shell<'_>, pipelines: &[Vec<Vec<Word>>], depth: usize) -> bool {
    let behind = shell.text().trim_end().ends_with('&');
    !behind && (pipelines.iter().any(|members| is_endless(members, depth)) || has_endless_loop(shell))
}

/// The same for shell text in shell text.
fn watches(text: &str, depth: usize) -> bool {
    let Some(shell) = Shell::parse(text).filter(|_| depth <= DEEPEST) else { return false };
    goes_on(&shell, &pipelines(&shell), depth)
}

fn is_endless(members: &[Vec<Word>], depth: usize) -> bool {
    let ends = members.last().is_some_and(|last| members.len() > 1 && ends_early(last));
    !ends && members.iter().any(|words| is_watch(words) || watches_inside(words, depth))
}

/// `ssh host tail -f x`, `sh -c '… logs -f'`.
fn watches_inside(words: &[Word], depth: usize) -> bool {
    !has_limit(words) && risk::code_inside(words).is_some_and(|code| watches(&code, depth + 1))
}

/// `while true; do …; done` without a word that leaves it.
fn has_endless_loop(shell: &Shell<'_>) -> bool {
    if !shell.text().contains("done") {
        return false;
    }
    let mut open = vec![shell.root()];
    while let Some(node) = open.pop() {
        if is_endless_loop(shell, node) {
            return true;
        }
        if node.kind() != "function_definition" {
            open.extend(children(node));
        }
    }
    false
}

fn is_endless_loop(shell: &Shell<'_>, node: Node<'_>) -> bool {
    let condition = node.child_by_field_name("condition").map(|condition| shell.of(condition).trim());
    let endless = match node.kind() {
        "while_statement" if shell.of(node).starts_with("until") => condition == Some("false"),
        "while_statement" => matches!(condition, Some("true" | ":" | "[ 1 ]" | "((1))" | "[[ 1 ]]" | "[ true ]")),
        "c_style_for_statement" => condition.is_none_or(str::is_empty),
        _ => false,
    };
    let body = node.child_by_field_name("body").map_or("", |body| shell.of(body));
    let leaves =
        body.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| matches!(word, "break" | "exit" | "return"));
    endless && !leaves
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
            let letters = cluster.map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
            letters.is_some_and(|rest| rest.chars().take_while(char::is_ascii_alphabetic).any(|c| c == letter))
        })
    }

    fn follows(&self) -> bool {
        self.has(&["--follow"]) && !self.has(&["--follow=false"]) || self.letter('f')
    }
}

/// A time limit ends anything.
fn has_limit(words: &[Word]) -> bool {
    words.iter().any(|word| word.text == "timeout")
}

fn is_watch(words: &[Word]) -> bool {
    if has_limit(words) {
        return false;
    }
    let words = risk::innermost(words);
    let program = words.first().map_or("", |word| word.text.rsplit('/').next().unwrap_or_default());
    let rest = Words { texts: words.iter().skip(1).map(|word| word.text.as_str()).collect() };
    match program {
        "docker" | "docker-compose" | "podman" | "podman-compose" | "nerdctl" => container_watch(program, &rest),
        "kubectl" | "oc" => risk::subcommand(words).is_some_and(|(verb, after)| kubectl_watch(&verb, after)),
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

fn kubectl_watch(verb: &str, after: &[Word]) -> bool {
    let rest = Words { texts: after.iter().map(|word| word.text.as_str()).collect() };
    match verb {
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
