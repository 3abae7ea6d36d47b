//! A program's words, sorted into options and the rest.

use crate::shell::Word;

/// Options that take the next word as their value, so that it is not taken for a subcommand.
const VALUES: &[(&str, &str)] = &[
    ("docker", "-H --host --context -c --config -l --log-level --tlscacert --tlscert --tlskey"),
    (
        "compose",
        "-f --file -p --project-name --env-file --profile --project-directory -H --host --context --ansi --progress --parallel",
    ),
    ("git", "-C -c --git-dir --work-tree --namespace --exec-path"),
    (
        "kubectl",
        "-n --namespace --context --kubeconfig -s --server --user --cluster --as --token --request-timeout -o --output -l --selector -f --filename",
    ),
    (
        "helm",
        "-n --namespace --kube-context --kubeconfig --version -f --values --set --set-string --set-file --timeout -o --output --repo --kube-apiserver --kube-token --kube-as-user --burst-limit --qps --history-max --description --post-renderer",
    ),
    ("systemctl", "-H --host -M --machine -t --type -p --property -n --lines -o --output -s --signal --state --root"),
    (
        "journalctl",
        "-u --unit -n --lines -o --output -p --priority -S --since -U --until -t --identifier -g --grep -D --directory -M",
    ),
    ("aws", "--profile --region --output --endpoint-url --query --ca-bundle --cli-input-json"),
    ("gcloud", "--project --account --region --zone --format --configuration"),
    ("az", "--subscription -g --resource-group -n --name -o --output --query"),
    ("redis-cli", "-h -p -a -n -u -s --user --pass -r -i -d -D"),
    ("terraform", "-chdir"),
    ("consul", "-http-addr -token"),
    ("vault", "-address -namespace -format"),
    ("rclone", "--config --transfers --include --exclude --filter --log-file"),
    ("npm", "--prefix -C --registry -w --workspace"),
    ("pnpm", "--prefix -C --dir --filter -F --registry"),
    ("yarn", "--cwd --registry"),
    ("apt-get", "-o -c -t"),
    ("apt", "-o -c -t"),
    ("ip", "-n -netns -f -family"),
    ("man", "-P -C -L -M -S -s -R -E -m -e -p"),
    ("script", "-c -E -I -O -B -T -m -o --command"),
    ("su", "-c -s -g -G -w --command --shell"),
    ("sg", "-c"),
    ("runuser", "-c -s -g -G -u -w --command --shell"),
    ("flock", "-c -w -E --command --timeout"),
    ("env", "-S -u -C --split-string --unset --chdir"),
    (
        "find",
        "-name -iname -path -ipath -regex -mtime -mmin -atime -ctime -type -user -group -size -newer -maxdepth -mindepth -perm -printf",
    ),
    (
        "openssl",
        "-in -out -CAfile -CApath -connect -servername -key -cert -days -subj -newkey -keyout -passin -passout -checkend",
    ),
    ("mapfile", "-C -c -d -n -O -s -u"),
    ("readarray", "-C -c -d -n -O -s -u"),
    ("scp", "-c -D -F -i -J -l -o -P -S -X"),
    ("sftp", "-B -b -c -D -F -i -J -l -o -P -R -S -s -X"),
    ("tcpdump", "-B -c -C -E -F -G -i -j -M -Q -r -s -T -V -w -W -y -z"),
    ("strace", "-e -o -p -s -E -u -P -a -b -I -O -S"),
    ("ansible", "-a -m -i -u -e -f -l -M -t -T --args --module-name --inventory --limit --forks --extra-vars"),
    ("gdb", "-ex -x -p -c -iex -ix"),
    ("grep", "-e -f -m -A -B -C -d -D"),
    ("uniq", "-f -s -w"),
    ("head", "-n -c"),
    ("tail", "-n -c -s"),
    ("ls", "-I -w -T"),
    ("ss", "-f -A -D -F -N"),
    ("ufw", ""),
    ("certbot", "-d --domain --domains --cert-name -w --webroot-path -m --email --config-dir --work-dir --logs-dir"),
    ("rabbitmqctl", "-n --node -p --vhost -t --timeout"),
    ("etcdctl", "--endpoints --cacert --cert --key --user"),
    ("restic", "-r --repo -p --password-file"),
    ("supervisorctl", "-c -s -u -p"),
    ("gh", "-R --repo"),
    ("fail2ban-client", "-c -s -p"),
    ("nomad", "-address -region -namespace -token"),
    ("amtool", "--alertmanager.url --config.file"),
    (
        "psql",
        "-h -p -U -d -f -c -v -o -L -P -F -R -T --host --port --username --dbname --file --command --set --variable --output",
    ),
    (
        "pg_restore",
        "-h -p -U -d -f -F -j -n -N -t -T -P -I -L --host --port --username --dbname --file --format --jobs --schema --table",
    ),
    (
        "pg_dump",
        "-h -p -U -d -f -F -j -n -N -t -T -E --host --port --username --dbname --file --format --jobs --schema --table",
    ),
    ("ipmitool", "-H -U -P -I -f -p -L -N -R"),
    ("patronictl", "-c -d --config-file --dcs-url"),
    ("virsh", "-c --connect"),
    ("mysqladmin", "-h -P -u -S --host --port --user --socket"),
    ("velero", "-n --namespace -o --output"),
    ("nodetool", "-h -p -u -pw --host --port --username --password"),
    ("resize2fs", "-d -S -z"),
    ("smartctl", "-d -q -r -n -l -f -v -b -g -T"),
    ("nginx", "-c -g -p -e -s"),
    ("date", "-d -f -r -I -s"),
    ("tar", "-f -C -T -X -I -b -g --file --directory"),
    ("sed", "-e -f -l --expression --file"),
    ("awk", "-F -v -f -e -E -i -l"),
    ("gawk", "-F -v -f -e -E -i -l"),
    ("mawk", "-F -v -f"),
    ("sort", "-t -k -S -T -o"),
    ("xz", "-T -F -C"),
    ("gzip", "-S"),
    ("unzip", "-d -x -P"),
    ("usermod", "-G -g -d -c -e -l -s -u -p"),
    ("crontab", "-u"),
    ("ssh-keygen", "-f -t -b -C -N -P -R -F -O -V -I -s -m"),
    ("logrotate", "-s -m -l"),
    (
        "rsync",
        "-e -B -T -f -M --rsh --exclude --include --exclude-from --files-from --filter --bwlimit --rsync-path --log-file --timeout",
    ),
    ("iptables", "-t -s -d -p -i -o -j -m -g"),
    ("fuser", "-n -N"),
    ("pkill", "-u -U -g -P -s -t -G"),
    (
        "curl",
        "-A -b -c -C -d -D -e -E -F -H -K -m -o -P -Q -r -T -t -u -U -w -x -X -y -Y -z --data --data-raw --data-binary --data-urlencode --data-ascii --form --form-string --upload-file --json --request --output --header --user --user-agent --max-time --connect-timeout --retry --retry-delay --config --cookie --cookie-jar --proxy --cacert --cert --key --resolve --write-out --referer --range --url-query --output-dir --interface --limit-rate --unix-socket --dump-header --stderr --trace --trace-ascii",
    ),
    (
        "wget",
        "-O -o -a -e -P -i -B -t -T -U -D -A -R -X -l -Q -w --method --header --user --password --body-data --post-data",
    ),
];

/// Programs whose long options have one dash: their letters are no options of their own.
const ONE_DASH: &[&str] = &[
    "java",
    "terraform",
    "consul",
    "vault",
    "nomad",
    "find",
    "openssl",
    "haproxy",
    "go",
    "ip",
    "kill",
    "killall",
    "pkill",
    "skill",
];

/// The words of one program.
#[derive(Clone, Debug)]
pub(super) struct Args {
    /// The program as the rules call it.
    pub(super) program: String,
    /// The program as the document calls it.
    pub(super) shown: String,
    /// The words that begin with `-`, before a `--`.
    pub(super) options: Vec<String>,
    /// The other words, without values of known options; words after `--` belong here, `--` itself does not.
    pub(super) positional: Vec<String>,
    /// Whether `--` stands among the words.
    pub(super) dashes: bool,
}

impl Args {
    /// Sorts words.
    pub(super) fn of(words: &[Word]) -> Self {
        let mut texts = words.iter().map(|word| word.text.as_str());
        let shown = base(texts.next().unwrap_or_default()).to_owned();
        let program = canonical(&shown).to_owned();
        let mut args = Self { program, shown, options: Vec::new(), positional: Vec::new(), dashes: false };
        let rest: Vec<&str> = texts.collect();
        args.sort(&rest);
        if args.program == "docker" && args.positional.first().is_some_and(|word| word == "compose") {
            args = args.of_compose(&rest);
        }
        args
    }

    /// `docker compose …` is the program `compose`.
    fn of_compose(self, rest: &[&str]) -> Self {
        let at = rest.iter().position(|word| *word == "compose").map_or(0, |at| at + 1);
        let mut args = Self {
            program: "compose".to_owned(),
            shown: format!("{} compose", self.shown),
            options: Vec::new(),
            positional: Vec::new(),
            dashes: false,
        };
        args.sort(&rest[at..]);
        args
    }

    fn sort(&mut self, rest: &[&str]) {
        let takes_value = values(&self.program);
        let mut words = rest.iter();
        while let Some(word) = words.next() {
            if self.dashes || !word.starts_with('-') || *word == "-" {
                self.positional.push((*word).to_owned());
            } else if *word == "--" {
                self.dashes = true;
            } else {
                self.options.push((*word).to_owned());
                let letters = !ONE_DASH.contains(&self.program.as_str());
                if takes_value.split_whitespace().any(|option| option == *word)
                    || letters && takes_next(word, takes_value)
                {
                    words.next();
                }
            }
        }
    }

    /// Whether an option is there: `--all`, `--all=…`, `-a`, or the letter of `-a` among others, as `-rfa`; not `--all=false`.
    ///
    /// A letter behind one that takes a value is a part of that value: `-hlocalhost` holds no `-l`.
    pub(super) fn has(&self, wanted: &str) -> bool {
        let letter = wanted.strip_prefix('-').and_then(single).filter(|_| !ONE_DASH.contains(&self.program.as_str()));
        let with_value = values(&self.program);
        self.options.iter().any(|option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            name == wanted && !matches!(value, "none" | "false" | "no")
                || letter.is_some_and(|letter| letters(option, with_value).any(|found| found == letter))
        })
    }

    /// Whether an option is there as GNU programs take it: `--del` for `--delete`. For rules that raise a class only.
    pub(super) fn may_have(&self, wanted: &str) -> bool {
        self.options.iter().any(|option| is_option(option.split('=').next().unwrap_or(option), wanted))
    }

    /// The value of an option: the next word, what stands behind `=`, or what is glued to its letter.
    pub(super) fn value<'w>(&self, words: &'w [Word], names: &[&str]) -> Option<&'w str> {
        let with_value = values(&self.program);
        let next = |at: usize| words.get(at + 1).map(|word| word.text.as_str());
        words.iter().enumerate().skip(1).find_map(|(at, word)| {
            let text = word.text.as_str();
            if names.contains(&text) {
                return next(at);
            }
            if let Some((name, value)) = text.split_once('=')
                && names.contains(&name)
            {
                return Some(value);
            }
            let last = letters(text, with_value).last()?;
            let wanted = names.iter().any(|name| name.strip_prefix('-').and_then(single) == Some(last));
            let end = 1 + letters(text, with_value).map(char::len_utf8).sum::<usize>();
            let takes = is_value_letter(last, with_value);
            (wanted && takes).then(|| if end < text.len() { Some(&text[end..]) } else { next(at) })?
        })
    }

    /// The word without options at a place, from 0.
    pub(super) fn word(&self, index: usize) -> &str {
        self.positional.get(index).map_or("", String::as_str)
    }
}

/// Whether an option is the one that is wanted, or the beginning of its name, which GNU programs take for it.
fn is_option(given: &str, wanted: &str) -> bool {
    given == wanted || given.len() > 3 && given.starts_with("--") && wanted.starts_with(given)
}

/// The values of an option, however they are given: `-x v`, `-xv`, `-axv`, `--long v`, `--long=v`, `--lo=v`. `names` are
/// alternatives (`-x|--long`), `with_value` the other options that take the next word.
pub(super) fn given(words: &[Word], names: &str, with_value: &str) -> Vec<Word> {
    let takes = format!("{with_value} {}", names.replace('|', " "));
    let wanted = |option: &str| names.split('|').any(|name| is_option(option, name));
    let mut found = Vec::new();
    let before_dashes = words.iter().enumerate().skip(1).take_while(|(_, word)| word.text != "--");
    for (at, word) in before_dashes.filter(|(_, word)| word.text.starts_with('-')) {
        let text = word.text.as_str();
        let equals = text.split_once('=').filter(|(name, _)| wanted(name));
        let last = letters(text, &takes)
            .last()
            .filter(|last| names.split('|').any(|name| name.strip_prefix('-').and_then(single) == Some(*last)));
        let end = 1 + letters(text, &takes).map(char::len_utf8).sum::<usize>();
        if let Some((_, value)) = equals {
            found.push(word.with(value));
        } else if wanted(text) || last.is_some() && end == text.len() {
            found.extend(words.get(at + 1).cloned());
        } else if last.is_some() {
            found.push(word.with(&text[end..]));
        }
    }
    found
}

/// The only letter of a text.
fn single(text: &str) -> Option<char> {
    let mut letters = text.chars();
    letters.next().filter(|letter| *letter != '-' && letters.next().is_none())
}

fn is_value_letter(letter: char, with_value: &str) -> bool {
    with_value.split(' ').any(|option| option.strip_prefix('-').and_then(single) == Some(letter))
}

/// The letters of a group of short options, up to the first that takes a value.
fn letters<'o>(option: &'o str, with_value: &'o str) -> impl Iterator<Item = char> + 'o {
    let cluster = option.strip_prefix('-').filter(|rest| !rest.starts_with('-')).unwrap_or_default();
    let mut ended = false;
    cluster.chars().take_while(move |letter| {
        let goes_on = !ended && letter.is_ascii_alphanumeric();
        ended |= is_value_letter(*letter, with_value);
        goes_on
    })
}

/// Whether an option, or the last letter of a group of them, takes the next word as its value.
pub(super) fn takes_next(option: &str, with_value: &str) -> bool {
    let exact = with_value.split_whitespace().any(|known| known == option);
    let last = letters(option, with_value).last().filter(|last| is_value_letter(*last, with_value));
    exact || last.is_some() && option.len() == 1 + letters(option, with_value).map(char::len_utf8).sum::<usize>()
}

/// Which options of a program take the next word.
pub(super) fn values(program: &str) -> &'static str {
    VALUES.iter().find(|(name, _)| *name == program).map_or("", |(_, options)| options)
}

/// The last part of a path.
pub(super) fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The name under which the rules know a program.
pub(super) fn canonical(program: &str) -> &str {
    match program {
        "docker-compose" | "podman-compose" => "compose",
        "podman" | "nerdctl" => "docker",
        "oc" | "k" | "microk8s.kubectl" | "k3s" => "kubectl",
        "tofu" | "terragrunt" => "terraform",
        "valkey-cli" | "keydb-cli" => "redis-cli",
        "mariadb" => "mysql",
        "mariadb-dump" => "mysqldump",
        "mariadb-admin" => "mysqladmin",
        "ip6tables" => "iptables",
        "python3" | "python2" => "python",
        "nodejs" => "node",
        "gmake" => "make",
        "fly" => "flyctl",
        "pip3" | "uv" => "pip",
        other => other,
    }
}
