//! Programs that start another program: their class is that program's.

mod containers;
mod inside;

use domain::Risk;

use super::args::{base, canonical, given, takes_next, values};
use super::options::{Does, of_value};
use super::{Verdict, Within, fed, free, of_words, script, steering, unknown, words};
use crate::shell::Word;
pub(crate) use containers::subcommand;
pub(crate) use inside::{code_inside, innermost, is_interactive, is_tunnel, ssh_command, unwrapped};
pub(super) use inside::{has_own_script, runs_its_input};

/// Wrappers that take a command as their words: the options that take a value, and how many words come before it.
const PLAIN: &[(&str, &str, usize)] = &[
    ("sudo", "-u --user -g --group -h --host -p --prompt -C -D --chdir -R -T -r -t", 0),
    ("doas", "-u -C", 0),
    ("env", "-u --unset -C --chdir", 0),
    ("timeout", "-s --signal -k --kill-after", 1),
    ("nohup", "", 0),
    ("setsid", "", 0),
    ("nice", "-n --adjustment", 0),
    ("ionice", "-c -n --class --classdata", 0),
    ("chrt", "", 1),
    ("stdbuf", "-i -o -e", 0),
    ("time", "-f -o", 0),
    ("command", "", 0),
    ("builtin", "", 0),
    ("exec", "-a", 0),
    ("unbuffer", "", 0),
    ("strace", "-e -o -p -s", 0),
    ("watch", "-n --interval -q --equexit", 0),
    ("flock", "-w --timeout -E", 1),
    ("chroot", "", 1),
    ("xargs", "-I -n -P -L -d -a -s -E --max-args --max-procs --delimiter --arg-file", 0),
    ("parallel", "-j --jobs -a --arg-file -S --sshlogin --joblog --delay --timeout --retries -n -N -I", 0),
    ("runuser", "-u -g", 0),
    ("nsenter", "-t --target -S -G", 0),
    ("systemd-run", "-u --unit -p --property", 0),
    ("busybox", "", 0),
    ("faketime", "", 1),
    ("chpst", "-u", 0),
    ("aws-vault", "", 2),
    ("bundle", "", 1),
    ("npx", "-p --package", 0),
    ("gosu", "", 1),
    ("su-exec", "", 1),
    ("setpriv", "--reuid --regid --groups", 0),
    ("s6-setuidgid", "", 1),
    ("envdir", "", 1),
    ("taskset", "", 1),
    ("prlimit", "", 0),
    ("unshare", "", 0),
    ("tini", "", 0),
    ("dumb-init", "", 0),
    ("caffeinate", "-t -w", 0),
    ("torsocks", "", 0),
    ("proxychains", "-f", 0),
    ("coproc", "", 0),
];

/// Shells: they run what `-c` says, what a file says, or what they are fed.
pub(super) const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "ash", "fish"];
/// Interpreters: `-c`, `-e`, `--eval` hold code that no rule reads.
pub(super) const INTERPRETERS: &[&str] = &["python", "perl", "ruby", "node", "php", "deno", "bun", "lua", "Rscript"];

/// Whether a program starts the program that its words name.
pub(super) fn is_wrapper(program: &str) -> bool {
    PLAIN.iter().any(|(name, ..)| *name == program)
        || matches!(program, "find" | "fd" | "docker" | "docker-compose" | "podman" | "kubectl")
}

/// Whether a program runs a script, whose words are its own.
pub(super) fn runs_scripts(program: &str) -> bool {
    SHELLS.contains(&program) || INTERPRETERS.contains(&program)
}

/// Whether a program starts the program that its words name, and does nothing else.
pub(super) fn is_plain(program: &str) -> bool {
    PLAIN.iter().any(|(name, ..)| *name == program)
}

/// The class of a wrapper; `None` when the words are no wrapper.
pub(super) fn judge(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let program = base(&words.first()?.text);
    let shown = program.to_owned();
    let program = canonical(program);
    if let Some(verdict) = with_code(program, words, within) {
        return Some(verdict);
    }
    if let Some((_, options, before)) = PLAIN.iter().find(|(name, ..)| *name == program) {
        return Some(plain(words, &shown, options, *before, within));
    }
    match program {
        _ if SHELLS.contains(&program) => Some(shell(words, &shown, within)),
        "su" => Some(alone(words, "su", within)),
        "source" | "." => Some(sourced(words, &shown, within)),
        "ssh" => Some(ssh(words, within)),
        "find" | "fd" => find(words, within),
        "docker" | "compose" => containers::containers(words, within),
        "kubectl" => containers::kubectl(words, within),
        _ => None,
    }
}

/// Programs that take shell text as a word: `su -c`, `eval`, `trap`, `watch`, `parallel` …
fn with_code(program: &str, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let rest = &words[1..];
    match program {
        "su" | "runuser" | "script" | "flock" | "sg" => {
            let code = given(words, "-c|--command|--session-command", values(program)).into_iter().next()?;
            Some(inner_script(&code.text, std::slice::from_ref(&code), within))
        }
        "eval" => Some(inner_script(&joined(rest), rest, within)),
        "trap" => Some(trap(rest, within)),
        "alias" => Some(alias(rest, within)),
        "env" => {
            let split = given(own_words(words), "-S|--split-string", values("env")).into_iter().next()?;
            Some(inner_script(&split.text, std::slice::from_ref(&split), within))
        }
        "watch" if !words.iter().any(|word| matches!(word.text.as_str(), "-x" | "--exec")) => {
            let rest = after_options(rest, values_of("watch"));
            (!rest.is_empty()).then(|| inner_script(&joined(rest), rest, within))
        }
        "parallel" => Some(parallel(words, within)),
        _ => None,
    }
}

/// The words of env up to the program that it starts; what `-S` is given belongs to them.
fn own_words(words: &[Word]) -> &[Word] {
    let rest = after_options(&words[1..], values("env"));
    &words[..words.len() - rest.len()]
}

/// Whether a word is the option of a shell behind which its commands stand: `-c`, `-lc`, `-ce`.
pub(super) fn takes_command(word: &Word) -> bool {
    let cluster = word.text.strip_prefix('-').filter(|rest| rest.bytes().all(|byte| byte.is_ascii_alphabetic()));
    cluster.is_some_and(|cluster| cluster.contains('c'))
}

fn trap(rest: &[Word], within: Within<'_>) -> Verdict {
    let rest = match rest {
        [dashes, rest @ ..] if dashes.text == "--" => rest,
        _ => rest,
    };
    let idle = Verdict::new(Risk::Reads, "trap", "only looks");
    match rest {
        [code, _, ..] if !code.text.starts_with('-') => idle.or_worse(script(&code.text, within.deeper())),
        _ => idle,
    }
}

fn alias(rest: &[Word], within: Within<'_>) -> Verdict {
    let codes = rest.iter().filter_map(|word| word.text.split_once('='));
    let idle = Verdict::new(Risk::Reads, "alias", "only looks");
    codes.map(|(_, code)| script(code, within.deeper())).fold(idle, Verdict::or_worse)
}

/// `parallel COMMAND ::: words`; without a command its words, or its lines of input, are the commands.
fn parallel(words: &[Word], within: Within<'_>) -> Verdict {
    let rest = after_options(&words[1..], values_of("parallel"));
    let end = rest.iter().position(|word| word.text.starts_with(":::")).unwrap_or(rest.len());
    let (command, given) = rest.split_at(end);
    if !command.is_empty() {
        return inner_script(&joined(command), command, within);
    }
    match given.split_first() {
        Some((_, commands)) => {
            let start = Verdict::new(Risk::Changes, "parallel", "starts what its words say");
            commands.iter().map(|word| script(&word.text, within.deeper())).fold(start, Verdict::or_worse)
        }
        None => fed::shell(words, "parallel", within),
    }
}

fn values_of(wrapper: &str) -> &'static str {
    PLAIN.iter().find(|(name, ..)| *name == wrapper).map_or("", |(_, options, _)| options)
}

fn plain(words: &[Word], shown: &str, options: &str, before: usize, within: Within<'_>) -> Verdict {
    let rest = after_options(&words[1..], options);
    let rest = rest.get(before..).unwrap_or_default();
    let rest = match shown {
        "env" | "sudo" | "doas" => skip_while(rest, |word| word.text.contains('=') && !word.text.starts_with('=')),
        _ => rest,
    };
    let steered = steering::words_of(&words[..words.len() - rest.len()], within);
    let names_only = shown == "command" && words.get(1).is_some_and(|word| matches!(word.text.as_str(), "-v" | "-V"));
    let own = if rest.is_empty() || names_only {
        alone(words, shown, within)
    } else if shown == "xargs" {
        xargs(words, rest, within)
    } else {
        of_words(rest, within.deeper())
    };
    let own = match shown {
        "systemd-run" => own.or_worse(Verdict::new(Risk::Changes, shown, "starts a unit")),
        _ => own,
    };
    steered.into_iter().fold(own, Verdict::or_worse)
}

/// What xargs reads becomes words of the program: at its end, or in the place of what `-I` names.
fn xargs(words: &[Word], rest: &[Word], within: Within<'_>) -> Verdict {
    let own = &words[..words.len() - rest.len()];
    let mut places: Vec<String> =
        given(own, "-I|--replace", values_of("xargs")).into_iter().map(|word| word.text).collect();
    if own.iter().any(|word| matches!(word.text.as_str(), "-i" | "--replace")) {
        places = vec!["{}".to_owned()];
    }
    let mark = free::given_word();
    let put_in = |word: &Word| match places.iter().find(|place| !place.is_empty() && word.text.starts_with(*place)) {
        Some(place) => word.with(format!("{}{}", mark.text, &word.text[place.len()..])),
        None => word.clone(),
    };
    let code = code_inside(rest);
    let shell = code.is_none() && rest.iter().any(takes_command);
    let becomes_code = code.as_ref().is_some_and(|code| places.iter().any(|place| code.contains(place.as_str())));
    let begins_code = code.as_ref().is_some_and(|code| {
        code.trim().is_empty()
            || places.iter().any(|place| code.trim_start_matches(['"', '\'']).starts_with(place.as_str()))
    });
    let program = innermost(rest).first().map(|word| base(&word.text).to_owned()).unwrap_or_default();
    if begins_code || shell && SHELLS.contains(&program.as_str()) {
        return Verdict::new(Risk::Destroys, "xargs sh -c", "runs as commands whatever the program before it writes");
    }
    let mut filled: Vec<Word> = rest.iter().map(put_in).collect();
    if places.is_empty() {
        filled.push(mark.clone());
    }
    let verdict = of_words(&filled, within.deeper());
    let verdict = Verdict {
        rule: verdict.rule.replace(&mark.text, "…"),
        reason: verdict.reason.replace(&mark.text, "…"),
        ..verdict
    };
    if becomes_code { verdict.or_worse(fed::put_into("xargs sh -c")) } else { verdict }
}

/// A wrapper that wraps nothing.
fn alone(words: &[Word], shown: &str, within: Within<'_>) -> Verdict {
    let has = |option: &str| words.iter().any(|word| word.text == option);
    match shown {
        "sudo" if has("-l") || has("-v") || has("-k") || has("--list") => {
            Verdict::new(Risk::Reads, "sudo -l", "lists what may be done")
        }
        "sudo" | "su" | "doas" | "chroot" | "nsenter" | "runuser" | "unshare" | "setpriv" => {
            fed::shell(words, shown, within)
        }
        _ => Verdict::new(Risk::Reads, shown, "starts no other program"),
    }
}

fn after_options<'w>(words: &'w [Word], with_value: &str) -> &'w [Word] {
    let mut rest = words;
    while let Some(word) = rest.first() {
        if !word.text.starts_with('-') || word.text == "-" {
            break;
        }
        if word.text == "--" {
            return &rest[1..];
        }
        rest = rest.get(if takes_next(&word.text, with_value) { 2.. } else { 1.. }).unwrap_or_default();
    }
    rest
}

fn skip_while(words: &[Word], skip: impl Fn(&Word) -> bool) -> &[Word] {
    let count = words.iter().take_while(|word| skip(word)).count();
    &words[count..]
}

fn joined(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Shell text inside words. What the outer shell puts in is not known, and is read as code.
fn inner_script(text: &str, words: &[Word], within: Within<'_>) -> Verdict {
    let verdict = script(text, within.deeper());
    if words.iter().any(|word| word.expands) { verdict.or_worse(fed::put_into("shell text")) } else { verdict }
}

fn shell(words: &[Word], shown: &str, within: Within<'_>) -> Verdict {
    if let Some(at) = words.iter().position(takes_command) {
        let rest = after_options(&words[at + 1..], "-o -O").get(..1).unwrap_or_default();
        return inner_script(&joined(rest), rest, within);
    }
    let file = after_options(&words[1..], "-o -O --rcfile --init-file").first();
    let reads_input = words.iter().any(|word| word.text == "-s");
    match file {
        Some(file) if file.text.starts_with("<(") => {
            Verdict::new(Risk::Destroys, format!("{shown} <( … )"), "runs as commands whatever another program writes")
        }
        Some(file) if !reads_input && !is_input(file) => unknown(words, within, fed::UNREAD_SCRIPT),
        None if words.iter().any(|word| word.text == "--version") => {
            Verdict::new(Risk::Reads, shown, "says its version")
        }
        _ => fed::shell(words, shown, within),
    }
}

fn is_input(file: &Word) -> bool {
    matches!(file.text.as_str(), "-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0")
}

fn sourced(words: &[Word], shown: &str, within: Within<'_>) -> Verdict {
    match words.get(1) {
        Some(file) if file.text.starts_with("<(") => {
            Verdict::new(Risk::Destroys, format!("{shown} <( … )"), "runs as commands whatever another program writes")
        }
        Some(file) if is_input(file) => fed::shell(words, shown, within),
        _ => unknown(words, within, fed::UNREAD_SCRIPT),
    }
}

fn ssh(words: &[Word], within: Within<'_>) -> Verdict {
    let command = ssh_command(words);
    let told = ssh_settings(&words[..words.len() - command.len()], within);
    let own = if !command.is_empty() {
        inner_script(&joined(command), command, within)
    } else if is_tunnel(words) {
        Verdict::new(Risk::Changes, "ssh with a tunnel", "opens a way to another network")
    } else {
        fed::shell(words, "ssh", within)
    };
    told.into_iter().fold(own, Verdict::or_worse)
}

/// `-o NAME=VALUE` of ssh, where the value is a program, and files with such settings.
pub(super) fn ssh_settings(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let settings = given(words, "-o", inside::SSH_VALUES);
    let told = settings.iter().filter_map(|word| {
        let (name, value) = word.text.split_once(['=', ' '])?;
        let starts = ["proxycommand", "localcommand", "knownhostscommand", "remotecommand", "pkcs11provider"];
        let starts = starts.contains(&name.trim().to_lowercase().as_str()) && value.trim() != "none";
        starts.then(|| of_value(Does::Starts, "ssh -o", &word.with(value.trim()), "", within)).flatten()
    });
    let files = given(words, "-F|-I", inside::SSH_VALUES)
        .into_iter()
        .filter(|file| file.text != "/dev/null" && file.text != "none");
    let files = files.map(|file| {
        Verdict::new(Risk::Changes, format!("ssh -F {}", file.text), "settings in a file may start a program")
    });
    told.chain(files).reduce(Verdict::or_worse)
}

fn find(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let runs = ["-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"];
    let mut worst: Option<Verdict> = None;
    for (at, _) in words.iter().enumerate().filter(|(_, word)| runs.contains(&word.text.as_str())) {
        let rest = &words[at + 1..];
        let end = rest.iter().position(|word| matches!(word.text.as_str(), ";" | "+")).unwrap_or(rest.len());
        let verdict = of_words(&rest[..end], within.deeper());
        // The name of a file that stands in shell text is read as a part of it.
        let as_code = code_inside(&rest[..end]).is_some_and(|code| code.contains("{}"));
        let verdict = if as_code { verdict.or_worse(fed::put_into("find -exec sh -c")) } else { verdict };
        worst = Some(match worst {
            Some(worst) => worst.or_worse(verdict),
            None => verdict,
        });
    }
    let deletes = words.iter().any(|word| word.text == "-delete");
    deletes.then(|| Verdict::new(Risk::Destroys, "find -delete", "deletes every file it finds")).or(worst)
}

/// Whether any word speaks of losing something.
pub(super) fn spoken(words: &[Word]) -> Option<String> {
    words.iter().find_map(|word| words::destructive(&word.text))
}
