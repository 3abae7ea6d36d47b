//! Software that is retired, and what took its place: a table, and who calls what is in it.
//!
//! Found by the shell's grammar, never by text: `echo docker-compose` calls nothing. What is only old is a note; what is gone, so that
//! the command fails where the present release is installed, a warning.

use domain::runbook::{Finding, Level, Part, Procedure, Step};

use crate::reader::finding;
use crate::risk;
use crate::shell::{Shell, Word, calls};

/// What is said where the mongo shell is called; lint says it, too.
pub(crate) const MONGO_SHELL: &str =
    "The mongo shell is gone since MongoDB 6, so this is not found there; use mongosh.";

/// The code of the retired Compose. A look at a target can settle it: there are newer ones under the old name.
const COMPOSE: &str = "compose-v1";

/// One line of the table.
struct Retired {
    /// The programs.
    programs: &'static [&'static str],
    /// The first word behind it, where only that is retired; empty: the program as a whole.
    verb: &'static str,
    level: Level,
    code: &'static str,
    message: &'static str,
}

const TABLE: &[Retired] = &[
    // https://docs.docker.com/compose/releases/migrate/: "From July 2023, Compose V1 stopped receiving updates."
    Retired {
        programs: &["docker-compose"],
        verb: "",
        level: Level::Note,
        code: COMPOSE,
        message: "docker-compose v1 is retired since July 2023; use docker compose.",
    },
    // https://www.mongodb.com/docs/manual/release-notes/6.0-compatibility/: the legacy mongo shell was removed.
    Retired { programs: &["mongo"], verb: "", level: Level::Warning, code: "mongo-shell", message: MONGO_SHELL },
    // https://docs.python.org/3/whatsnew/3.0.html and https://www.python.org/doc/sunset-python-2/: no support since January 2020.
    Retired {
        programs: &["python2", "python2.7", "pip2"],
        verb: "",
        level: Level::Warning,
        code: "python-2",
        message: "Python 2 is retired since January 2020, and distributions do not have it any more; use python3.",
    },
    // https://manpages.debian.org/bookworm/apt/apt-key.8.en.html: deprecated, to be removed after Debian 12 and Ubuntu 24.04.
    Retired {
        programs: &["apt-key"],
        verb: "",
        level: Level::Warning,
        code: "apt-key",
        message: "apt-key is retired and gone from newer releases of Debian and Ubuntu; put the key into /etc/apt/keyrings and name it by Signed-By.",
    },
    // https://eff-certbot.readthedocs.io/en/stable/install.html: certbot-auto is no longer supported on any system.
    Retired {
        programs: &["certbot-auto", "letsencrypt-auto"],
        verb: "",
        level: Level::Warning,
        code: "certbot-auto",
        message: "certbot-auto is retired since 2021 and gets no corrections; use certbot.",
    },
    // https://github.com/docker/machine: archived, with the note that it is deprecated.
    Retired {
        programs: &["docker-machine"],
        verb: "",
        level: Level::Warning,
        code: "docker-machine",
        message: "docker-machine is retired and archived; use a docker context that leads to the machine over ssh.",
    },
    // https://github.com/kubernetes/kubernetes/blob/master/CHANGELOG/CHANGELOG-1.18.md: kubectl rolling-update was removed.
    Retired {
        programs: &["kubectl"],
        verb: "rolling-update",
        level: Level::Warning,
        code: "rolling-update",
        message: "kubectl rolling-update is gone since Kubernetes 1.18; use kubectl rollout.",
    },
    // https://helm.sh/docs/faq/changes_since_helm2/: Tiller and helm init were removed.
    Retired {
        programs: &["helm"],
        verb: "init",
        level: Level::Warning,
        code: "helm-2",
        message: "helm init is gone since Helm 3, which needs no Tiller; leave it out.",
    },
    // https://www.gnu.org/software/grep/manual/grep.html and the NEWS of grep 3.8: both now warn that they are obsolescent.
    Retired {
        programs: &["egrep", "fgrep"],
        verb: "",
        level: Level::Note,
        code: "old-grep",
        message: "egrep and fgrep are obsolescent since GNU grep 3.8 and print a warning; use grep -E and grep -F.",
    },
    // https://www.debian.org/releases/stretch/amd64/release-notes/ch-information.html: net-tools is deprecated in favour of iproute2.
    Retired {
        programs: &["ifconfig", "netstat"],
        verb: "",
        level: Level::Note,
        code: "net-tools",
        message: "ifconfig and netstat are of net-tools, which new systems do not have; use ip and ss.",
    },
];

impl Retired {
    fn is_called_by(&self, words: &[Word]) -> bool {
        let Some((program, rest)) = words.split_first() else { return false };
        let name = program.text.rsplit('/').next().unwrap_or_default();
        let verb = || rest.iter().find(|word| !word.text.starts_with('-')).map_or("", |word| word.text.as_str());
        self.programs.contains(&name) && (self.verb.is_empty() || verb() == self.verb)
    }

    /// Whether a text may call it at all. Only such a one is parsed.
    fn may_be_in(&self, text: &str) -> bool {
        self.programs.iter().any(|program| text.contains(program))
    }
}

/// The retired software that the commands of a procedure call, each once, at the first command that does. Stray parts call nothing.
pub(crate) fn called_by(procedure: &Procedure) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for command in procedure.parts.iter().flat_map(Part::steps).flat_map(Step::commands) {
        let open = TABLE.iter().filter(|one| one.may_be_in(&command.text));
        let open: Vec<&Retired> = open.filter(|one| !found.iter().any(|known| known.code == one.code)).collect();
        if open.is_empty() {
            continue;
        }
        let programs = programs(&command.text);
        for one in open {
            if programs.iter().any(|words| one.is_called_by(words)) {
                let said = finding(command.line, one.level, one.code, one.message.to_owned());
                found.push(Finding { procedure: Some(procedure.slug.clone()), ..said });
            }
        }
    }
    found
}

/// The words of every program that a text starts, without what only wraps it; what runs in a container stands there, too.
fn programs(text: &str) -> Vec<Vec<Word>> {
    let Some(shell) = Shell::parse(text) else { return Vec::new() };
    let both = |words: &[Word]| [risk::unwrapped(words).to_vec(), risk::innermost(words).to_vec()];
    calls(&shell).0.iter().flat_map(|call| both(call.words.as_slice())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Code and line of what the commands of a block call, the first of which stands in line 6.
    fn found(commands: &str) -> Vec<(String, u32)> {
        let text = format!("# A\n\n## Steps\n\n```bash\n{commands}\n```\n");
        let document = crate::read("a.md", text.as_bytes(), None).unwrap();
        document.procedures[0].retired.iter().map(|finding| (finding.code.clone(), finding.line)).collect()
    }

    fn codes(commands: &str) -> Vec<String> {
        found(commands).into_iter().map(|(code, _)| code).collect()
    }

    #[test]
    fn retired_software_is_found_where_it_is_called() {
        for (command, code) in [
            ("docker-compose up -d", "compose-v1"),
            ("sudo /usr/local/bin/docker-compose ps", "compose-v1"),
            ("docker exec -it mongo mongo --eval 'db.stats()'", "mongo-shell"),
            ("docker compose exec mongo mongo shop", "mongo-shell"),
            ("echo x | python2 -c 'print 1'", "python-2"),
            ("curl -s https://example.com/key | sudo apt-key add -", "apt-key"),
            ("kubectl rolling-update web --image=web:2", "rolling-update"),
            ("helm init", "helm-2"),
            ("dmesg | egrep 'a|b'", "old-grep"),
            ("for port in 1 2; do netstat -ltn; done", "net-tools"),
        ] {
            assert_eq!(codes(command), [code], "{command}");
        }
    }

    #[test]
    fn a_name_that_is_only_written_down_calls_nothing() {
        for command in [
            "echo docker-compose is retired",
            "docker compose up -d",
            "docker restart mongo",
            "mongosh --eval 1",
            "grep mongo /etc/hosts",
            "helm upgrade web ./init",
            "kubectl get pods -l app=rolling-update",
            "cat egrep.log",
        ] {
            assert!(found(command).is_empty(), "{command}");
        }
    }

    #[test]
    fn each_is_named_once_at_the_first_command_that_calls_it() {
        let found = found("ls\ndocker-compose ps\nnetstat -l\ndocker-compose up -d");

        assert_eq!(found, [("compose-v1".to_owned(), 7), ("net-tools".to_owned(), 8)]);
    }

    #[test]
    fn every_line_of_the_table_has_a_code_of_its_own_and_says_what_to_do() {
        let codes: BTreeSet<&str> = TABLE.iter().map(|one| one.code).collect();

        assert_eq!(codes.len(), TABLE.len());
        assert!(TABLE.iter().all(|one| one.message.ends_with('.') && one.message.contains(';')));
    }
}
