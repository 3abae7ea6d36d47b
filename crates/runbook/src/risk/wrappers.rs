//! Programs that start another program: their class is that program's.

use domain::Risk;

use super::args::{Args, base, canonical, takes_next, values};
use super::{Verdict, Within, fed, of_words, script, unknown, words};
use crate::shell::{Input, Shell, Word, calls};

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
        "docker" | "compose" => containers(words, within),
        "kubectl" => kubectl(words, within),
        _ => None,
    }
}

/// Programs that take shell text as a word: `su -c`, `eval`, `trap`, `watch`, `parallel` …
fn with_code(program: &str, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let rest = &words[1..];
    match program {
        "su" | "runuser" | "script" | "flock" => {
            let code = words.iter().position(|word| is_command_option(word, program))?;
            if let Some((_, glued)) = words[code].text.split_once('=') {
                return Some(inner_script(glued, &words[code..=code], within));
            }
            let code = words.get(code + 1..code + 2)?;
            Some(inner_script(&joined(code), code, within))
        }
        "eval" => Some(inner_script(&joined(rest), rest, within)),
        "trap" => Some(trap(rest, within)),
        "alias" => Some(alias(rest, within)),
        "env" => {
            let split = option_value(words, &["-S", "--split-string"])?;
            Some(inner_script(&split.text, std::slice::from_ref(split), within))
        }
        "watch" if !words.iter().any(|word| matches!(word.text.as_str(), "-x" | "--exec")) => {
            let rest = after_options(rest, values_of("watch"));
            (!rest.is_empty()).then(|| inner_script(&joined(rest), rest, within))
        }
        "parallel" => Some(parallel(words, within)),
        _ => None,
    }
}

/// `-c`, `-lc`, `--command`.
fn is_command_option(word: &Word, program: &str) -> bool {
    let text = word.text.as_str();
    text.split('=').next().is_some_and(|name| matches!(name, "--command" | "--session-command"))
        || takes_command(word) && (program != "script" || text != "-a")
}

/// Whether a word is the option of a shell behind which its commands stand: `-c`, `-lc`, `-ce`.
pub(super) fn takes_command(word: &Word) -> bool {
    let cluster = word.text.strip_prefix('-').filter(|rest| rest.bytes().all(|byte| byte.is_ascii_alphabetic()));
    cluster.is_some_and(|cluster| cluster.contains('c'))
}

fn trap(rest: &[Word], within: Within<'_>) -> Verdict {
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
    let names_only = shown == "command" && words.get(1).is_some_and(|word| matches!(word.text.as_str(), "-v" | "-V"));
    if rest.is_empty() || names_only {
        return alone(words, shown, within);
    }
    let verdict = of_words(rest, within.deeper());
    match shown {
        "xargs" if runs_what_it_is_given(rest) => {
            Verdict::new(Risk::Destroys, "xargs sh -c", "runs as commands whatever the program before it writes")
        }
        "systemd-run" => verdict.or_worse(Verdict::new(Risk::Changes, shown, "starts a unit")),
        _ => verdict,
    }
}

/// `xargs -I{} sh -c '{}'`, `xargs sh -c`: what is read becomes the commands.
fn runs_what_it_is_given(rest: &[Word]) -> bool {
    let words = innermost(rest);
    let shell = words.first().is_some_and(|word| SHELLS.contains(&base(&word.text)));
    let code = words.iter().position(takes_command).map(|at| words.get(at + 1).map_or("", |word| word.text.trim()));
    shell && code.is_some_and(|code| code.is_empty() || code.starts_with(['{', '%']) && !code.contains(' '))
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

/// The word after an option.
fn option_value<'w>(words: &'w [Word], names: &[&str]) -> Option<&'w Word> {
    let at = words.iter().position(|word| names.contains(&word.text.as_str()))?;
    words.get(at + 1)
}

fn joined(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Shell text inside a word. What the outer shell puts in is not known: only its own programs are.
fn inner_script(text: &str, words: &[Word], within: Within<'_>) -> Verdict {
    let verdict = script(text, within.deeper());
    let put_in = words.iter().any(|word| word.expands) && (text.contains("$(") || text.contains('`'));
    if put_in && starts_with_substitution(text) {
        return Verdict::new(
            Risk::Destroys,
            "runs what another command writes",
            "runs as commands whatever another program writes",
        );
    }
    verdict
}

fn starts_with_substitution(text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'', ' ']);
    text.starts_with("$(") || text.starts_with('`')
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

const SSH_VALUES: &str = "-i -p -l -o -F -J -b -c -D -E -e -I -L -m -O -Q -R -S -W -w -B";

/// The words that ssh hands to the other side, if any.
pub(crate) fn ssh_command(words: &[Word]) -> &[Word] {
    let rest = after_options(words.get(1..).unwrap_or_default(), SSH_VALUES);
    let rest = rest.get(1..).unwrap_or_default();
    // Options may stand after the host, too.
    after_options(rest, SSH_VALUES)
}

fn ssh(words: &[Word], within: Within<'_>) -> Verdict {
    let command = ssh_command(words);
    if !command.is_empty() {
        return inner_script(&joined(command), command, within);
    }
    if is_tunnel(words) {
        return Verdict::new(Risk::Changes, "ssh with a tunnel", "opens a way to another network");
    }
    fed::shell(words, "ssh", within)
}

/// Whether the words of an ssh open a way for others.
pub(crate) fn is_tunnel(words: &[Word]) -> bool {
    let opens =
        |word: &Word| word.text.strip_prefix('-').is_some_and(|rest| rest.starts_with(['L', 'R', 'D', 'N', 'w']));
    words.iter().skip(1).any(opens)
}

fn find(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let runs = ["-exec", "-execdir", "-ok", "-okdir", "-x", "-X"];
    let mut worst: Option<Verdict> = None;
    for (at, _) in words.iter().enumerate().filter(|(_, word)| runs.contains(&word.text.as_str())) {
        let rest = &words[at + 1..];
        let end = rest.iter().position(|word| matches!(word.text.as_str(), ";" | "+")).unwrap_or(rest.len());
        let verdict = of_words(&rest[..end], within.deeper());
        worst = Some(match worst {
            Some(worst) => worst.or_worse(verdict),
            None => verdict,
        });
    }
    let deletes = words.iter().any(|word| word.text == "-delete");
    deletes.then(|| Verdict::new(Risk::Destroys, "find -delete", "deletes every file it finds")).or(worst)
}

const EXEC_VALUES: &str = "-e --env -u --user -w --workdir --volumes-from --dns-search --device --group-add --cap-drop --security-opt --ulimit --sysctl --pid --ipc --uts --userns --cgroup-parent --cidfile --label-file --log-opt --stop-signal --stop-timeout --health-cmd --annotation --blkio-weight --cpu-shares -a --attach --expose --mac-address --network-alias --volume-driver --runtime --isolation --index --env-file -n --namespace -c --container --detach-keys --name -v --volume -p --publish \
     --entrypoint --network --net -l --label -m --memory --cpus --mount --add-host -h --hostname --platform --restart --pull --cap-add \
     --user --log-driver --link --device --tmpfs --shm-size --gpus --ip --dns";

/// `docker exec`, `docker run`, `compose exec`, `compose run`: what runs inside.
fn containers(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let (verb, rest) = subcommand(words)?;
    let rest = match verb.as_str() {
        "container" => rest.get(1..)?,
        _ => rest,
    };
    let verb = if verb == "container" { subcommand_after(words, "container")? } else { verb };
    if !matches!(verb.as_str(), "exec" | "run") {
        return None;
    }
    let inside = after_options(rest, EXEC_VALUES);
    let shown = Args::of(words).shown;
    let entry = option_value(&rest[..rest.len() - inside.len()], &["--entrypoint"]);
    let own = match verb.as_str() {
        "run" => Verdict::new(Risk::Changes, format!("{shown} run"), "starts a new container"),
        _ => Verdict::new(Risk::Reads, format!("{shown} exec"), "runs a program in a container"),
    };
    let command = inside.get(1..).unwrap_or_default();
    if let Some(entry) = entry {
        let program: Vec<Word> = std::iter::once(entry).chain(command).cloned().collect();
        return Some(of_words(&program, within.deeper()).or_worse(own));
    }
    if command.is_empty() {
        let opens = Verdict::new(Risk::Changes, format!("{shown} {verb}"), "runs the program of the image");
        return Some(own.or_worse(opens));
    }
    Some(of_words(command, within.deeper()).or_worse(own))
}

/// The first word that is no option of the program itself, and what comes after it.
pub(crate) fn subcommand(words: &[Word]) -> Option<(String, &[Word])> {
    let program = canonical(base(&words.first()?.text));
    let mut rest = after_options(&words[1..], values(program));
    if program == "docker" && rest.first().is_some_and(|word| word.text == "compose") {
        rest = after_options(&rest[1..], values("compose"));
    }
    let verb = rest.first()?;
    Some((verb.text.clone(), &rest[1..]))
}

fn subcommand_after(words: &[Word], group: &str) -> Option<String> {
    let at = words.iter().position(|word| word.text == group)?;
    words.get(at + 1).map(|word| word.text.clone())
}

fn kubectl(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let (verb, rest) = subcommand(words)?;
    if !matches!(verb.as_str(), "exec" | "run" | "debug") {
        return None;
    }
    let at = rest.iter().position(|word| word.text == "--");
    let command = match at {
        Some(at) => &rest[at + 1..],
        None => after_options(rest, EXEC_VALUES).get(1..).unwrap_or_default(),
    };
    let shown = Args::of(words).shown;
    let own = match verb.as_str() {
        "exec" => Verdict::new(Risk::Reads, format!("{shown} exec"), "runs a program in a pod"),
        _ => Verdict::new(Risk::Changes, format!("{shown} {verb}"), "starts a new pod"),
    };
    if command.is_empty() {
        return Some(own.or_worse(Verdict::new(
            Risk::Changes,
            format!("{shown} {verb}"),
            "opens a shell, in which anything can be typed",
        )));
    }
    Some(of_words(command, within.deeper()).or_worse(own))
}

/// The words of the program inside wrappers that change nothing about what it is: `sudo`, `env`, `timeout`, `nohup` …
pub(crate) fn unwrapped(words: &[Word]) -> &[Word] {
    let mut words = words;
    for _ in 0..super::DEEPEST {
        let Some(first) = words.first() else { return words };
        let program = base(&first.text);
        // What these start is one program among others, or shell text.
        let as_somebody = program == "runuser" && !words.iter().any(|word| word.text == "-u" || word.text == "--user");
        let light = !as_somebody
            && !matches!(
                program,
                "xargs" | "parallel" | "chroot" | "watch" | "nsenter" | "systemd-run" | "npx" | "bundle" | "flock"
            );
        let Some((_, options, before)) = PLAIN.iter().find(|(name, ..)| *name == program && light) else {
            return words;
        };
        let rest = after_options(&words[1..], options).get(*before..).unwrap_or_default();
        let rest = match program {
            "env" | "sudo" | "doas" => skip_while(rest, |word| word.text.contains('=')),
            _ => rest,
        };
        if rest.is_empty() {
            return words;
        }
        words = rest;
    }
    words
}

/// The program inside all wrappers that take a command as words, containers and pods included.
pub(crate) fn innermost(words: &[Word]) -> &[Word] {
    let mut words = unwrapped(words);
    for _ in 0..super::DEEPEST {
        let Some((verb, rest)) = subcommand(words) else { return words };
        let program = words.first().map(|word| canonical(base(&word.text)).to_owned()).unwrap_or_default();
        let inside = match (program.as_str(), verb.as_str()) {
            ("docker" | "compose", "exec" | "run") => after_options(rest, EXEC_VALUES).get(1..).unwrap_or_default(),
            ("kubectl", "exec") => {
                let at = rest.iter().position(|word| word.text == "--").map_or(rest.len(), |at| at + 1);
                &rest[at..]
            }
            _ => return words,
        };
        if inside.is_empty() {
            return words;
        }
        words = unwrapped(inside);
    }
    words
}

/// Whether a program runs what it is fed as commands: a shell or an interpreter without a script of its own.
pub(super) fn runs_its_input(words: &[Word]) -> bool {
    let mut words = innermost(words);
    let name = |words: &[Word]| words.first().map(|word| canonical(base(&word.text)).to_owned()).unwrap_or_default();
    let mut program = name(words);
    if program == "ssh" {
        let command = ssh_command(words);
        if command.is_empty() {
            return true;
        }
        words = unwrapped(command);
        program = name(words);
    }
    // `sh -s -- words` reads its input whatever its words are.
    let reads_anyway = words.iter().any(|word| word.text == "-s") && SHELLS.contains(&program.as_str());
    let runs = SHELLS.contains(&program.as_str()) || INTERPRETERS.contains(&program.as_str());
    let opens = matches!(program.as_str(), "su" | "sudo" | "doas" | "parallel" | "at" | "batch" | "sftp");
    opens || runs && (!has_own_script(words) || reads_anyway)
}

/// Whether a shell or an interpreter is told by its words what to run.
pub(super) fn has_own_script(words: &[Word]) -> bool {
    let shell = words.first().is_some_and(|program| SHELLS.contains(&base(&program.text)));
    let inline = |word: &Word| {
        let option = word.text.starts_with('-') && !word.text.starts_with("--");
        takes_command(word)
            || !shell && (option && word.text.ends_with(['e', 'E', 'r', 'p', 'm']) || word.text == "--eval")
    };
    let rest = words.get(1..).unwrap_or_default();
    rest.iter().any(inline) || after_options(rest, "-o -O").first().is_some_and(|file| !is_input(file))
}

/// Whether a text opens a shell on another machine into which nobody types, and nothing else.
pub(crate) fn is_interactive(text: &str) -> bool {
    // Most commands name no ssh: they need not be parsed for this.
    text.contains("ssh")
        && Shell::parse(text).is_some_and(|shell| {
            calls(&shell).0.iter().any(|call| {
                let words = unwrapped(&call.words);
                let ssh = words.first().is_some_and(|program| base(&program.text) == "ssh");
                ssh && call.input == Input::Nothing && opens_shell(words)
            })
        })
}

/// Whether the words of an ssh name a host, and neither a command nor a tunnel nor a question to the master.
fn opens_shell(words: &[Word]) -> bool {
    let other = |word: &Word| {
        word.text.strip_prefix('-').is_some_and(|rest| rest.starts_with(['N', 'O', 'V', 'Q', 'W', 'G', 'f']))
    };
    ssh_command(words).is_empty() && words.len() > 1 && !words[1..].iter().any(other)
}

/// The shell text that words hand to a shell, on this machine or another: `sh -c …`, `ssh host …`.
pub(crate) fn code_inside(words: &[Word]) -> Option<String> {
    let words = innermost(words);
    let program = base(&words.first()?.text);
    if program == "ssh" {
        return Some(joined(ssh_command(words))).filter(|code| !code.is_empty());
    }
    let at = words.iter().position(takes_command).filter(|_| SHELLS.contains(&program))?;
    words.get(at + 1).map(|code| code.text.clone())
}

/// Whether any word speaks of losing something.
pub(super) fn spoken(words: &[Word]) -> Option<String> {
    words.iter().find_map(|word| words::destructive(&word.text))
}
