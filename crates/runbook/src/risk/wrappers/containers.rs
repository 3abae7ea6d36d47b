//! What runs inside containers and pods.

use domain::Risk;

use super::super::args::{Args, base, canonical, given, values};
use super::super::{Verdict, Within, of_words, steering};
use super::after_options;
use crate::shell::Word;

/// Options of `exec` and `run` that take the next word.
pub(super) const EXEC_VALUES: &str = "-e --env -u --user -w --workdir --volumes-from --dns-search --device --group-add --cap-drop --security-opt --ulimit --sysctl --pid --ipc --uts --userns --cgroup-parent --cidfile --label-file --log-opt --stop-signal --stop-timeout --health-cmd --annotation --blkio-weight --cpu-shares -a --attach --expose --mac-address --network-alias --volume-driver --runtime --isolation --index --env-file -n --namespace -c --container --detach-keys --name -v --volume -p --publish \
     --entrypoint --network --net -l --label -m --memory --cpus --mount --add-host -h --hostname --platform --restart --pull --cap-add \
     --image --target --copy-to --user --log-driver --link --device --tmpfs --shm-size --gpus --ip --dns";

/// `docker exec`, `docker run`, `compose exec`, `compose run`: what runs inside.
pub(super) fn containers(words: &[Word], within: Within<'_>) -> Option<Verdict> {
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
    let settings = &words[..words.len() - inside.len()];
    let entry = given(settings, "--entrypoint", "").into_iter().next_back();
    let own = match verb.as_str() {
        "run" => Verdict::new(Risk::Changes, format!("{shown} run"), "starts a new container"),
        _ => Verdict::new(Risk::Reads, format!("{shown} exec"), "runs a program in a container"),
    };
    let given_values = given(settings, "-e|--env", "");
    let own = steering::words_of(&given_values, within).into_iter().fold(own, Verdict::or_worse);
    let command = inside.get(1..).unwrap_or_default();
    if let Some(entry) = entry {
        let program = entry.text.split_whitespace().map(|text| entry.with(text));
        let program: Vec<Word> = program.chain(command.iter().cloned()).collect();
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

pub(super) fn kubectl(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let (verb, rest) = subcommand(words)?;
    if !matches!(verb.as_str(), "exec" | "run" | "debug") {
        return None;
    }
    let at = rest.iter().position(|word| word.text == "--");
    let command = match at {
        Some(at) => &rest[at + 1..],
        // Options may stand behind the name of the pod, too.
        None => after_options(after_options(rest, EXEC_VALUES).get(1..).unwrap_or_default(), EXEC_VALUES),
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
