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
    ("helm", "-n --namespace --kube-context --kubeconfig --version -f --values --set --timeout"),
    ("systemctl", "-H --host -M --machine -t --type -p --property -n --lines -o --output -s --signal --state --root"),
    (
        "journalctl",
        "-u --unit -n --lines -o --output -p --priority -S --since -U --until -t --identifier -g --grep -D --directory -M",
    ),
    ("aws", "--profile --region --output --endpoint-url --query --ca-bundle --cli-input-json"),
    ("gcloud", "--project --account --region --zone --format --configuration"),
    ("az", "--subscription -g --resource-group -n --name -o --output --query"),
    ("redis-cli", "-h -p -a -n -u -s --user --pass -r -i -x -d -D"),
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
    ("openssl", ""),
];

/// The words of one program.
#[derive(Debug)]
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
                if takes_value.split_whitespace().any(|option| option == *word) {
                    words.next();
                }
            }
        }
    }

    /// Whether an option is there: `--all`, `--all=…`, `-a`, or the letter of `-a` among others, as `-rfa`.
    pub(super) fn has(&self, wanted: &str) -> bool {
        let letter = wanted.strip_prefix('-').filter(|rest| rest.len() == 1 && *rest != "-");
        self.options.iter().any(|option| {
            let name = option.split('=').next().unwrap_or(option);
            name == wanted
                || letter.is_some_and(|letter| {
                    option.starts_with('-')
                        && !option.starts_with("--")
                        && option[1..].bytes().all(|byte| byte.is_ascii_alphanumeric())
                        && option[1..].contains(letter)
                })
        })
    }

    /// The word without options at a place, from 0.
    pub(super) fn word(&self, index: usize) -> &str {
        self.positional.get(index).map_or("", String::as_str)
    }
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
        "pip3" | "uv" => "pip",
        other => other,
    }
}
