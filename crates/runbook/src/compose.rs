//! Where a command goes and which Compose projects it works with: for a look at the target before anything starts.

use crate::shell::{Call, Shell, Word, calls};

/// What a command does that a look at its target is about, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// It goes to another directory; `None` when that is known only once it runs.
    Goes(Option<String>),
    /// It works with a Compose project.
    Compose(ComposeCall),
}

/// One call of Compose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComposeCall {
    /// Whether it is `docker-compose`, and not `docker compose`.
    pub hyphen: bool,
    /// The files that it names, as they are written.
    pub files: Vec<String>,
    /// The services that it names.
    pub services: Vec<String>,
}

/// What a command does, as far as its text says it; nothing when it is no shell text.
pub fn moves(text: &str) -> Vec<Move> {
    let Some(shell) = Shell::parse(text) else { return Vec::new() };
    calls(&shell).0.iter().filter_map(moved).collect()
}

fn moved(call: &Call) -> Option<Move> {
    let words = &call.words;
    if words.first()?.text == "cd" {
        let place = words.get(1).filter(|word| words.len() == 2 && !word.is_open() && word.text != "-");
        return Some(Move::Goes(place.map(|word| word.text.clone()).filter(|place| !place.starts_with('~'))));
    }
    compose(words).map(Move::Compose)
}

/// Options of Compose itself that have a word of their own behind them.
const GLOBAL: &[&str] =
    &["-p", "--project-name", "--profile", "--env-file", "--project-directory", "--ansi", "--parallel", "--progress"];

/// The same of its subcommands. What is not listed here is taken for a service, which a look then does not find.
const OF_SUBCOMMAND: &[&str] = &[
    "--tail",
    "-n",
    "--since",
    "--until",
    "--timeout",
    "--signal",
    "--format",
    "--filter",
    "--status",
    "--pull",
    "--index",
    "-u",
    "--user",
    "-e",
    "--env",
    "-w",
    "--workdir",
    "--name",
    "--entrypoint",
    "-v",
    "--volume",
    "--publish",
    "--build-arg",
    "--exit-code-from",
    "--attach",
    "--wait-timeout",
];

/// Subcommands behind which services stand.
const OF_SERVICES: &[&str] = &[
    "up", "stop", "start", "restart", "kill", "rm", "pull", "push", "build", "logs", "ps", "top", "images", "pause",
    "unpause", "create", "events", "port", "stats", "wait",
];

fn compose(words: &[Word]) -> Option<ComposeCall> {
    let own = words.iter().position(|word| !is_wrapper(&word.text))?;
    let hyphen = words[own].text == "docker-compose";
    let plugin = words[own].text == "docker" && words.get(own + 1).is_some_and(|word| word.text == "compose");
    if !hyphen && !plugin {
        return None;
    }
    let mut rest = words[own + if hyphen { 1 } else { 2 }..].iter();
    let mut call = ComposeCall { hyphen, ..ComposeCall::default() };
    while let Some(word) = rest.next() {
        match word.text.as_str() {
            "-f" | "--file" => call.files.extend(rest.next().map(|file| file.text.clone())),
            global if GLOBAL.contains(&global) => drop(rest.next()),
            option if option.starts_with('-') => call.files.extend(option.strip_prefix("--file=").map(str::to_owned)),
            subcommand => {
                call.services = services(subcommand, rest);
                break;
            }
        }
    }
    Some(call)
}

/// Programs before it that let it run as it is.
fn is_wrapper(word: &str) -> bool {
    matches!(word, "sudo" | "time" | "nohup" | "exec" | "command")
}

fn services<'w>(subcommand: &str, mut rest: impl Iterator<Item = &'w Word>) -> Vec<String> {
    let one = matches!(subcommand, "exec" | "run");
    let mut found = Vec::new();
    if !one && !OF_SERVICES.contains(&subcommand) {
        return found;
    }
    while let Some(word) = rest.next() {
        let takes = OF_SUBCOMMAND.contains(&word.text.as_str())
            || (word.text == "-t" && !matches!(subcommand, "logs" | "exec"))
            || (word.text == "-s" && subcommand == "kill");
        if word.text == "--scale" {
            found.extend(rest.next().and_then(|scale| Some(scale.text.split_once('=')?.0.to_owned())));
        } else if takes {
            rest.next();
        } else if !word.text.starts_with('-') && !word.is_open() {
            found.push(word.text.clone());
            if one {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> ComposeCall {
        match moves(text).as_slice() {
            [Move::Compose(call)] => call.clone(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_call_of_compose_names_its_files_and_services() {
        let cases: [(&str, &[&str], &[&str]); 10] = [
            ("docker-compose -f docker/compose.yml restart api", &["docker/compose.yml"], &["api"]),
            ("sudo docker compose --file=a.yml -f b.yml up -d --no-deps api web", &["a.yml", "b.yml"], &["api", "web"]),
            ("docker-compose logs -f -t --tail 100 api", &[], &["api"]),
            ("docker-compose stop -t 30 api", &[], &["api"]),
            ("docker-compose kill -s SIGHUP traefik", &[], &["traefik"]),
            ("docker-compose up -d --scale api=2", &[], &["api"]),
            ("docker-compose exec -u root mongo mongosh --eval x", &[], &["mongo"]),
            ("docker-compose -p shop config --services", &[], &[]),
            ("docker-compose restart \"$service\"", &[], &[]),
            ("docker compose ps", &[], &[]),
        ];

        for (text, files, services) in cases {
            let found = call(text);

            assert_eq!((found.files, found.services), (owned(files), owned(services)), "{text}");
            assert_eq!(found.hyphen, text.contains("docker-compose"), "{text}");
        }
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn where_a_command_goes_is_known_only_from_a_plain_word() {
        let goes = |text| match moves(text).first() {
            Some(Move::Goes(place)) => place.clone(),
            other => panic!("{text}: {other:?}"),
        };

        assert_eq!(goes("cd /srv/app && ls").as_deref(), Some("/srv/app"));
        assert_eq!(goes("cd 'my folder'").as_deref(), Some("my folder"));
        for open in ["cd \"$HOME\"", "cd -", "cd", "cd ~/app", "cd */"] {
            assert_eq!(goes(open), None, "{open}");
        }
        assert!(moves("ls | grep docker-compose").is_empty());
    }
}
