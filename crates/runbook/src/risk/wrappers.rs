//! Programs that start another program: their class is that program's.

use domain::Risk;

use super::args::{Args, base, canonical, values};
use super::{Verdict, of_words, script, unknown, words};
use crate::shell::Word;

/// Wrappers that take a command as their words: the options that take a value, and how many words come before it.
const PLAIN: &[(&str, &str, usize)] = &[
    ("sudo", "-u --user -g --group -h --host -p --prompt -C -D --chdir -R -T -r -t", 0),
    ("doas", "-u -C", 0),
    ("env", "-u --unset -C --chdir -S", 0),
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
    ("watch", "-n --interval", 0),
    ("flock", "-w --timeout -E", 1),
    ("chroot", "", 1),
    ("xargs", "-I -i -n -P -L -d -a -s -E --max-args --max-procs --delimiter --arg-file", 0),
    ("parallel", "-j --jobs -a", 0),
    ("runuser", "-u -g", 0),
    ("nsenter", "-t --target -S -G", 0),
    ("systemd-run", "-u --unit -p --property", 0),
    ("busybox", "", 0),
    ("faketime", "", 1),
    ("chpst", "-u", 0),
    ("aws-vault", "", 2),
    ("bundle", "", 1),
    ("npx", "", 0),
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
pub(super) fn judge(words: &[Word], depth: usize) -> Option<Verdict> {
    let program = base(&words.first()?.text);
    let shown = program.to_owned();
    let program = canonical(program);
    if let Some((_, options, before)) = PLAIN.iter().find(|(name, ..)| *name == program) {
        return Some(plain(words, &shown, options, *before, depth));
    }
    match program {
        _ if SHELLS.contains(&program) => Some(shell(words, &shown, depth)),
        "su" => Some(su(words, depth)),
        "eval" => Some(inner_script(&joined(&words[1..]), &words[1..], depth)),
        "source" | "." => Some(sourced(words, &shown)),
        "ssh" => Some(ssh(words, depth)),
        "find" | "fd" => find(words, depth),
        "docker" | "compose" => containers(words, depth),
        "kubectl" => kubectl(words, depth),
        "script" => option_value(words, &["-c", "--command", "-qc", "-qec", "-qefc"])
            .map(|command| script(&command.text, depth + 1)),
        _ => None,
    }
}

fn plain(words: &[Word], shown: &str, options: &str, before: usize, depth: usize) -> Verdict {
    let rest = after_options(&words[1..], options);
    let rest = rest.get(before..).unwrap_or_default();
    let rest = match shown {
        "env" | "sudo" | "doas" => skip_while(rest, |word| word.text.contains('=') && !word.text.starts_with('=')),
        _ => rest,
    };
    if rest.is_empty() {
        return alone(words, shown);
    }
    let verdict = of_words(rest, depth + 1);
    match shown {
        // What it is fed becomes words of the program: reading stays reading, anything else can hit anything.
        "xargs" | "parallel" if verdict.risk == Risk::Reads => verdict,
        "systemd-run" => verdict.or_worse(Verdict::new(Risk::Changes, shown, "starts a unit")),
        _ => verdict,
    }
}

/// A wrapper that wraps nothing.
fn alone(words: &[Word], shown: &str) -> Verdict {
    let has = |option: &str| words.iter().any(|word| word.text == option);
    match shown {
        "sudo" if has("-l") || has("-v") || has("-k") || has("--list") => {
            Verdict::new(Risk::Reads, "sudo -l", "lists what may be done")
        }
        "sudo" | "su" | "doas" | "chroot" | "nsenter" => {
            Verdict::new(Risk::Changes, shown, "opens a shell, in which anything can be typed")
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
        let takes = with_value.split_whitespace().any(|option| option == word.text);
        rest = rest.get(if takes { 2.. } else { 1.. }).unwrap_or_default();
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
fn inner_script(text: &str, words: &[Word], depth: usize) -> Verdict {
    let verdict = script(text, depth + 1);
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

fn shell(words: &[Word], shown: &str, depth: usize) -> Verdict {
    let takes_command =
        |word: &Word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c');
    if let Some(at) = words.iter().position(takes_command) {
        let rest = words.get(at + 1..at + 2).unwrap_or_default();
        return inner_script(&joined(rest), rest, depth);
    }
    let file = words[1..].iter().find(|word| !word.text.starts_with('-'));
    match file {
        Some(file) if file.text.starts_with("<(") => {
            Verdict::new(Risk::Destroys, format!("{shown} <( … )"), "runs as commands whatever another program writes")
        }
        Some(_) => unknown(shown, words, "runs a script that no rule has read"),
        None if words.iter().any(|word| word.text == "--version") => {
            Verdict::new(Risk::Reads, shown, "says its version")
        }
        None => Verdict::new(Risk::Changes, shown, "opens a shell, in which anything can be typed"),
    }
}

fn su(words: &[Word], depth: usize) -> Verdict {
    match option_value(words, &["-c", "--command", "-lc"]) {
        Some(command) => inner_script(&command.text, std::slice::from_ref(command), depth),
        None => alone(words, "su"),
    }
}

fn sourced(words: &[Word], shown: &str) -> Verdict {
    match words.get(1) {
        Some(file) if file.text.starts_with("<(") => {
            Verdict::new(Risk::Destroys, format!("{shown} <( … )"), "runs as commands whatever another program writes")
        }
        _ => unknown(shown, words, "runs a script that no rule has read"),
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

fn ssh(words: &[Word], depth: usize) -> Verdict {
    let command = ssh_command(words);
    if command.is_empty() {
        let args = Args::of(words);
        let tunnel = ["-L", "-R", "-D", "-N", "-w"]
            .iter()
            .any(|option| args.options.iter().any(|given| given.starts_with(option)));
        return if tunnel {
            Verdict::new(Risk::Changes, "ssh with a tunnel", "opens a way to another network")
        } else {
            Verdict::new(Risk::Reads, "ssh HOST", "only connects; what runs there is classed by itself")
        };
    }
    inner_script(&joined(command), command, depth)
}

fn find(words: &[Word], depth: usize) -> Option<Verdict> {
    let runs = ["-exec", "-execdir", "-ok", "-okdir", "-x", "-X"];
    let mut worst: Option<Verdict> = None;
    for (at, _) in words.iter().enumerate().filter(|(_, word)| runs.contains(&word.text.as_str())) {
        let rest = &words[at + 1..];
        let end = rest.iter().position(|word| matches!(word.text.as_str(), ";" | "+")).unwrap_or(rest.len());
        let verdict = of_words(&rest[..end], depth + 1);
        worst = Some(match worst {
            Some(worst) => worst.or_worse(verdict),
            None => verdict,
        });
    }
    let deletes = words.iter().any(|word| word.text == "-delete");
    deletes.then(|| Verdict::new(Risk::Destroys, "find -delete", "deletes every file it finds")).or(worst)
}

const EXEC_VALUES: &str = "-e --env -u --user -w --workdir --index --env-file -n --namespace -c --container --detach-keys --name -v --volume -p --publish \
     --entrypoint --network --net -l --label -m --memory --cpus --mount --add-host -h --hostname --platform --restart --pull --cap-add \
     --user --log-driver --link --device --tmpfs --shm-size --gpus --ip --dns";

/// `docker exec`, `docker run`, `compose exec`, `compose run`: what runs inside.
fn containers(words: &[Word], depth: usize) -> Option<Verdict> {
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
    let own = match verb.as_str() {
        "run" => Verdict::new(Risk::Changes, format!("{shown} run"), "starts a new container"),
        _ => Verdict::new(Risk::Reads, format!("{shown} exec"), "runs a program in a container"),
    };
    let command = inside.get(1..).unwrap_or_default();
    if command.is_empty() {
        let opens = Verdict::new(Risk::Changes, format!("{shown} {verb}"), "runs the program of the image");
        return Some(own.or_worse(opens));
    }
    Some(of_words(command, depth + 1).or_worse(own))
}

/// The first word that is no option of the program itself, and what comes after it.
fn subcommand(words: &[Word]) -> Option<(String, &[Word])> {
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

fn kubectl(words: &[Word], depth: usize) -> Option<Verdict> {
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
    Some(of_words(command, depth + 1).or_worse(own))
}

/// The words of the program inside wrappers that change nothing about what it is: `sudo`, `env`, `timeout`, `nohup` …
pub(crate) fn unwrapped(words: &[Word]) -> &[Word] {
    let mut words = words;
    for _ in 0..super::DEEPEST {
        let Some(first) = words.first() else { return words };
        let program = base(&first.text);
        let light = !matches!(
            program,
            "xargs" | "parallel" | "chroot" | "watch" | "nsenter" | "systemd-run" | "npx" | "bundle"
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

/// The name of the program inside all wrappers.
pub(super) fn innermost_name(words: &[Word]) -> String {
    innermost(words).first().map(|word| base(&word.text).to_owned()).unwrap_or_default()
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
    let runs = SHELLS.contains(&program.as_str()) || INTERPRETERS.contains(&program.as_str());
    let own_script = words.get(1..).unwrap_or_default().iter().any(|word| {
        let inline = word.text.starts_with('-')
            && (word.text.ends_with('c') || word.text == "-e" || word.text == "--eval" || word.text == "-m");
        inline || (!word.text.starts_with('-') && word.text != "/dev/stdin")
    });
    // `sh -s -- words` reads its input whatever its words are.
    let reads_anyway = words.iter().any(|word| word.text == "-s") && SHELLS.contains(&program.as_str());
    runs && (!own_script || reads_anyway)
}

/// Whether any word speaks of losing something.
pub(super) fn spoken(words: &[Word]) -> Option<String> {
    words.iter().find_map(|word| words::destructive(&word.text))
}
