//! Which containers and files a command names that have to be there before it, and what it may bring along: for a look at the target, by
//! hand and not at a start.
//!
//! Only what is certain is named. A word that a value or the shell fills is left out, and so is all of a command that says itself what
//! to do where something is not there.

use crate::risk;
use crate::shell::{Call, Input, Redirect, Shell, Word, calls};

/// What a command names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The containers that it works with, by their names.
    pub containers: Vec<String>,
    /// The files that it reads, as they are written.
    pub files: Vec<String>,
    /// The paths that it could write.
    pub makes: Vec<String>,
    /// The containers that it makes.
    pub starts: Vec<String>,
    /// The words by which it may bring programs along: packages, addresses, paths.
    pub brings: Vec<String>,
}

impl Named {
    /// Whether the command may bring a program along if it does more than look: by a package of its name or of its family, as
    /// `docker-ce`, or by a file of its name.
    pub fn brings_along(&self, program: &str) -> bool {
        self.brings.iter().any(|word| speaks_of(word, program))
    }
}

/// Whether a word has a name in it, as a whole or as the beginning of a longer one with hyphens.
fn speaks_of(word: &str, name: &str) -> bool {
    let joins = |character: char| character.is_alphanumeric() || "_+".contains(character);
    word.match_indices(name).any(|(at, _)| {
        let (before, after) = (word[..at].chars().next_back(), word[at + name.len()..].chars().next());
        before.is_none_or(|before| !joins(before) && before != '-') && after.is_none_or(|after| !joins(after))
    })
}

/// The containers and files that a command names; nothing when it is no shell text.
pub fn named(text: &str) -> Named {
    let mut named = Named::default();
    let Some(shell) = Shell::parse(text) else { return named };
    let (calls, redirects) = calls(&shell);
    // What it makes counts whatever it asks before; what it needs does not, where it asks.
    let asks = text.contains("||") || calls.iter().any(asks_first);
    for call in &calls {
        let words = risk::unwrapped(&call.words);
        named.add(words);
        if let Input::File(file) = &call.input {
            named.reads(file);
        }
    }
    let written: Vec<String> = redirects.iter().filter_map(written).collect();
    named.brings.extend(written.iter().cloned());
    named.makes.extend(written);
    if asks {
        named.containers.clear();
        named.files.clear();
    }
    named
}

/// Whether a program asks whether something is there, or something of that kind.
fn asks_first(call: &Call) -> bool {
    let first = call.words.first().map_or("", |word| word.text.as_str());
    matches!(first, "[" | "[[" | "test" | "find" | "stat")
}

fn written(redirect: &Redirect) -> Option<String> {
    redirect.operator.contains('>').then(|| redirect.to.clone())
}

/// How the words of a program that reads files are to be taken.
struct Reader {
    programs: &'static [&'static str],
    /// So many words that are no options stand before the files.
    before: usize,
    /// The options that take the next word.
    values: &'static [&'static str],
    /// Whether the last word is where it writes.
    last: Last,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Read,
    Written,
}

const READERS: &[Reader] = &[
    Reader {
        programs: &["cat", "less", "more", "nl", "tac", "zcat", "sha256sum", "md5sum", "."],
        before: 0,
        values: &[],
        last: Last::Read,
    },
    Reader {
        programs: &["head", "tail"],
        before: 0,
        values: &["-n", "-c", "-s", "--lines", "--bytes", "--pid"],
        last: Last::Read,
    },
    Reader {
        programs: &["diff", "cmp"],
        before: 0,
        values: &["-U", "-C", "-I", "-x", "--label", "--exclude"],
        last: Last::Read,
    },
    Reader {
        programs: &["grep", "egrep", "fgrep"],
        before: 1,
        values: &["-m", "-A", "-B", "-C", "-d", "-D", "--include", "--exclude", "--color"],
        last: Last::Read,
    },
    Reader { programs: &["sh", "bash", "dash", "source"], before: 0, values: &["-o"], last: Last::Read },
    Reader {
        programs: &["cp", "mv"],
        before: 0,
        values: &["-t", "-S", "--suffix", "--target-directory"],
        last: Last::Written,
    },
];

/// Programs that work with what is there, or elsewhere: what they name is no program that they bring along.
const BRING_NOTHING: &[&str] = &[
    "docker",
    "docker-compose",
    "podman",
    "kubectl",
    "systemctl",
    "service",
    "rc-service",
    "kill",
    "killall",
    "pkill",
];

/// Programs that name places and make nothing there.
const MAKE_NOTHING: &[&str] = &["cd", "pushd", "ls", "du", "df", "echo", "printf", "ssh"];

impl Named {
    fn add(&mut self, words: &[Word]) {
        let Some((program, rest)) = words.split_first() else { return };
        if program.is_open() {
            return;
        }
        let name = program.text.rsplit('/').next().unwrap_or_default();
        if program.text.contains('/') {
            self.reads(&program.text);
        }
        if matches!(name, "docker" | "podman") {
            self.containers_of(words);
        }
        match READERS.iter().find(|reader| reader.programs.contains(&name)) {
            Some(reader) => self.read_by(reader, name, rest),
            None if MAKE_NOTHING.contains(&name) => {}
            None => {
                if !BRING_NOTHING.contains(&name) {
                    self.brings.extend(rest.iter().map(|word| word.text.clone()));
                }
                self.makes.extend(rest.iter().flat_map(paths_in));
            }
        }
    }

    fn read_by(&mut self, reader: &Reader, name: &str, rest: &[Word]) {
        // A pattern or a script that an option gives stands in no place of its own.
        let given = rest.iter().any(|word| matches!(word.text.as_str(), "-e" | "-f" | "-c" | "--regexp" | "--file"));
        if given && !matches!(name, "cp" | "mv" | "tail") {
            return;
        }
        let all = positional(rest, reader.values);
        let all = all.get(reader.before..).unwrap_or_default();
        let (read, made) = match reader.last {
            Last::Written => all.split_at(all.len().saturating_sub(1)),
            // Behind a script stand its own words.
            Last::Read if matches!(name, "sh" | "bash" | "dash" | "source" | ".") => {
                (&all[..all.len().min(1)], &all[..0])
            }
            Last::Read => (all, &all[..0]),
        };
        for word in read.iter().filter(|word| !word.is_open()) {
            self.reads(&word.text);
        }
        self.brings.extend(made.iter().map(|word| word.text.clone()));
        self.makes.extend(made.iter().map(|word| word.text.clone()));
    }

    /// Notes a file that is read, when its text is a path that stands for one file.
    fn reads(&mut self, path: &str) {
        let passing = ["/dev/", "/proc/", "/sys/", "/tmp/", "/run/"];
        let is_path =
            path.contains('/') || path.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && !end.is_empty());
        let is_plain = !path.contains(['$', '`', '*', '?', '[', '{', '\n', ':', '<', '>', '@', '\\']);
        let is_here = !path.starts_with(['~', '-']) && !passing.iter().any(|folder| path.starts_with(folder));
        if is_path && is_plain && is_here && !path.ends_with('/') && !self.files.iter().any(|known| known == path) {
            self.files.push(path.to_owned());
        }
    }

    fn containers_of(&mut self, words: &[Word]) {
        let Some((verb, rest)) = risk::subcommand(words) else { return };
        let (verb, rest) = match (verb.as_str(), rest.split_first()) {
            ("container", Some((verb, rest))) => (verb.text.as_str(), rest),
            (verb, _) => (verb, rest),
        };
        // Compose has verbs of the same names, behind which services stand.
        if words.iter().any(|word| word.text == "compose") {
            return;
        }
        if matches!(verb, "run" | "create") {
            self.starts.extend(given(rest, "--name"));
            return;
        }
        let Some((_, values, several)) = OF_CONTAINERS.iter().find(|(name, ..)| *name == verb) else { return };
        let all = positional(rest, values);
        let most = match several {
            Several::One => 1,
            Several::Any => all.len(),
        };
        let from_copy = |text: &str| text.split_once(':').map(|(name, _)| name.to_owned());
        for word in all.into_iter().take(most).filter(|word| !word.is_open()) {
            let name = if verb == "cp" { from_copy(&word.text) } else { Some(word.text.clone()) };
            self.containers.extend(name.filter(|name| is_name(name) && !self.containers.contains(name)));
        }
    }
}

/// How many containers stand behind a verb.
#[derive(Clone, Copy)]
enum Several {
    /// One; what follows is something else.
    One,
    /// All of them are.
    Any,
}

/// The verbs of docker that need a container, with their options that take the next word.
const OF_CONTAINERS: &[(&str, &[&str], Several)] = &[
    ("exec", &["-u", "--user", "-e", "--env", "-w", "--workdir", "--env-file", "--detach-keys"], Several::One),
    ("logs", &["-n", "--tail", "--since", "--until"], Several::One),
    ("top", &[], Several::One),
    ("port", &[], Several::One),
    ("attach", &["--detach-keys"], Several::One),
    ("restart", &["-t", "--time", "--timeout", "-s", "--signal"], Several::Any),
    ("stop", &["-t", "--time", "--timeout", "-s", "--signal"], Several::Any),
    ("start", &["--detach-keys"], Several::Any),
    ("kill", &["-s", "--signal"], Several::Any),
    ("pause", &[], Several::Any),
    ("unpause", &[], Several::Any),
    ("stats", &["--format"], Several::Any),
    ("cp", &[], Several::Any),
];

/// Whether a word is a container's name, and no number by which nobody knows it tomorrow.
fn is_name(name: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    let is_number = name.len() >= 12 && name.chars().all(|character| character.is_ascii_hexdigit());
    name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(fits) && !is_number
}

/// The words that are no options, and no values of options.
fn positional<'w>(words: &'w [Word], values: &[&str]) -> Vec<&'w Word> {
    let mut found = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if values.contains(&word.text.as_str()) {
            rest.next();
        } else if !word.text.starts_with('-') {
            found.push(word);
        }
    }
    found
}

/// The value of an option, as `--name api` or `--name=api`.
fn given(words: &[Word], option: &str) -> Option<String> {
    let joined = words.iter().find_map(|word| word.text.strip_prefix(option)?.strip_prefix('='));
    let apart = || words.windows(2).find(|pair| pair[0].text == option).map(|pair| pair[1].text.as_str());
    joined.or_else(apart).map(str::to_owned)
}

/// What a word of a program that may write could be the path of: itself, and what stands behind its sign of equality.
fn paths_in(word: &Word) -> impl Iterator<Item = String> {
    let behind = word.text.split_once('=').map(|(_, path)| path.to_owned());
    std::iter::once(word.text.clone()).chain(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_containers_that_it_works_with() {
        for (command, containers) in [
            ("docker logs -f --tail 20 mongo", &["mongo"][..]),
            ("sudo docker exec -it -u root mongo mongosh --eval 1", &["mongo"]),
            ("docker restart -t 5 api web", &["api", "web"]),
            ("docker container stop api", &["api"]),
            ("docker cp api:/var/log/api.log /tmp/x", &["api"]),
            ("docker logs mongo 2>&1 | grep -i error", &["mongo"]),
            ("docker kill -s HUP proxy", &["proxy"]),
            ("docker compose logs mongo", &[]),
            ("docker-compose restart mongo", &[]),
            ("docker restart \"$name\"", &[]),
            ("docker logs 0123456789ab", &[]),
            ("docker logs mongo || true", &[]),
            ("docker ps -a", &[]),
            ("echo docker logs mongo", &[]),
        ] {
            assert_eq!(named(command).containers, containers, "{command}");
        }
    }

    #[test]
    fn a_command_names_the_files_that_it_reads() {
        for (command, files) in [
            ("cat config/app.json", &["config/app.json"][..]),
            ("sudo tail -n 50 /var/log/nginx/error.log", &["/var/log/nginx/error.log"]),
            ("grep -i error app.log", &["app.log"]),
            ("diff docker/a.yml docker/b.yml", &["docker/a.yml", "docker/b.yml"]),
            ("docker exec -i mongo mongorestore --archive < /srv/backup.dump", &["/srv/backup.dump"]),
            ("cp /etc/app.conf /srv/app.conf.bak", &["/etc/app.conf"]),
            ("./scripts/deploy.sh now", &["./scripts/deploy.sh"]),
            ("bash scripts/deploy.sh config.json", &["scripts/deploy.sh"]),
            (". ./env.sh", &["./env.sh"]),
            ("cat \"$file\" *.log /proc/cpuinfo", &[]),
            ("docker exec api cat /etc/app.conf", &[]),
            ("[ -f a.txt ] && cat a.txt", &[]),
            ("cat a.txt 2>/dev/null || echo none", &[]),
            ("echo /etc/app.conf", &[]),
            ("bash -c 'cat /etc/app.conf'", &[]),
            ("grep -e error -e warn app.log", &[]),
        ] {
            assert_eq!(named(command).files, files, "{command}");
        }
    }

    #[test]
    fn what_a_command_may_make_is_known() {
        let makes = |command: &str, path: &str| named(command).makes.iter().any(|made| made == path);

        assert!(makes("mongodump --archive=/srv/x.dump", "/srv/x.dump"));
        assert!(makes("docker compose config > now.yml", "now.yml"));
        assert!(makes("tar czf /srv/x.tgz data", "/srv/x.tgz"));
        assert!(makes("cp a.txt b.txt", "b.txt") && !makes("cp a.txt b.txt", "a.txt"));
        assert_eq!(named("docker run -d --name scratch busybox").starts, ["scratch"]);
        assert_eq!(named("docker create --name=scratch busybox").starts, ["scratch"]);
        assert!(!makes("cat a.txt", "a.txt"));
    }

    #[test]
    fn a_command_may_bring_a_program_along_by_its_package_or_its_file() {
        for (command, program, along) in [
            ("sudo apt-get update && sudo apt-get install -y certbot", "certbot", true),
            ("apt-get install -y docker-ce docker-ce-cli containerd.io", "docker", true),
            ("apt-get install -y docker.io", "docker", true),
            ("curl -fsSL https://get.docker.com | sh", "docker", true),
            ("curl -fsSL https://dl.min.io/mc/release/mc -o /usr/local/bin/mc", "mc", true),
            ("cp build/tool-1.2 /usr/local/bin/tool", "tool", true),
            ("base64 -d payload > /usr/local/bin/tool", "tool", true),
            ("apt-get install -y redis-server", "server", false),
            ("apt-get install -y mcrypt", "mc", false),
            ("apt-get install -y nginx", "certbot", false),
            ("docker exec mongo mongosh --eval 1", "mongosh", false),
            ("systemctl restart nginx", "nginx", false),
            ("cat /etc/certbot/cli.ini", "certbot", false),
            ("certbot renew", "certbot", false),
        ] {
            assert_eq!(named(command).brings_along(program), along, "{command}: {program}");
        }
    }

    #[test]
    fn what_is_no_shell_text_names_nothing() {
        assert_eq!(named("if ("), Named::default());
    }
}
