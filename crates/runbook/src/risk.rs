//! What a command can do at worst, by fixed rules over the syntax tree.
//!
//! The rules are data: tables of program, subcommand, options, class and a sentence, one file per family. A wrapper
//! (`sudo`, `xargs`, `ssh host`, `compose exec`, `$( )`, a loop) has the class of what it wraps. What no rule knows is
//! *changes*, never *reads*; unknown words that speak of losing something are *destroys*.

mod args;
mod code_words;
mod containers;
mod custom;
mod data;
mod fed;
mod files;
mod network;
mod services;
mod sql;
mod words;
mod wrappers;

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::Risk;

use crate::shell::{Call, Input, Redirect, Shell, Word, calls_fed};
use args::Args;
pub(crate) use code_words::{code_words, reads_code};
pub(crate) use wrappers::{code_inside, innermost, is_interactive, is_tunnel, subcommand, unwrapped};

/// A class with the rule that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The class.
    pub risk: Risk,
    /// The words that gave it, as `mongorestore --drop`.
    pub rule: String,
    /// The rule in a sentence.
    pub reason: String,
}

impl Verdict {
    fn new(risk: Risk, rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { risk, rule: rule.into(), reason: reason.into() }
    }

    /// The worse of two; the first when they are equal.
    fn or_worse(self, other: Self) -> Self {
        if other.risk > self.risk { other } else { self }
    }
}

/// One line of a table: programs, subcommand, options, class, reason.
///
/// Programs and each word of the subcommand may be alternatives (`rm|remove`); the subcommand must be how the words
/// without options begin; `-` stands for no word at all. Options are separated by blanks and all must hold: `-a|--all` one of them is there,
/// `!--dry-run` it is not there.
pub(crate) type Rule = (&'static str, &'static str, &'static str, Risk, &'static str);

/// Wrappers in wrappers are followed this far.
const DEEPEST: usize = 8;

/// Where words stand: how deep inside other commands, and what feeds them.
#[derive(Clone, Copy)]
struct Within<'i> {
    depth: usize,
    input: &'i Input,
}

impl Within<'_> {
    /// Inside a wrapper, which hands its input on.
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// Classes a command of a block.
pub fn classify(text: &str) -> Verdict {
    script(text, Within { depth: 0, input: &Input::Nothing })
}

/// Classes shell text, wherever it was found.
fn script(text: &str, within: Within<'_>) -> Verdict {
    if within.depth > DEEPEST {
        return Verdict::new(Risk::Destroys, "too deep", "commands inside commands, deeper than the rules follow");
    }
    match Shell::parse(text) {
        Some(shell) => understood(&shell, within),
        None => not_understood(text),
    }
}

/// Text that cannot be parsed: the worst of what its words would start, and at least *changes*.
fn not_understood(text: &str) -> Verdict {
    if let Some(word) = words::destructive(text) {
        return Verdict::new(
            Risk::Destroys,
            format!("not understood, with “{word}”"),
            "shell text that cannot be parsed and speaks of losing something",
        );
    }
    let own =
        Verdict::new(Risk::Changes, "not understood", "shell text that cannot be parsed counts as changing something");
    let within = Within { depth: LATER.1, input: &Input::Nothing };
    let lines = text.split(['\n', ';', '|', '&', '(', ')', '`']).take(LINES);
    lines.map(loose_words).fold(own, |worst, words| {
        let begins = (0..words.len()).take(LATER.0).filter_map(|at| by_rule(&words[at..], within));
        begins.fold(worst, Verdict::or_worse)
    })
}

/// So many lines of text that cannot be parsed are looked at.
const LINES: usize = 2_000;

/// The words of a line without their quotes.
fn loose_words(line: &str) -> Vec<Word> {
    line.split_whitespace().map(|word| Word::plain(word.trim_matches(['"', '\'']))).collect()
}

fn understood(shell: &Shell<'_>, within: Within<'_>) -> Verdict {
    let (calls, redirects) = calls_fed(shell, within.input);
    let nothing = Verdict::new(Risk::Reads, "no program", "starts no program");
    let of_calls = calls.iter().map(|Call { words, input }| of_words(words, Within { depth: within.depth, input }));
    let of_redirects = redirects.iter().filter_map(redirect);
    of_calls.chain(of_redirects).reduce(Verdict::or_worse).unwrap_or(nothing)
}

/// Classes words: a wrapper by what it wraps, a program by its rules.
fn of_words(words: &[Word], within: Within<'_>) -> Verdict {
    let Some(first) = words.first() else {
        return Verdict::new(Risk::Reads, "no program", "starts no program");
    };
    if within.depth > DEEPEST {
        return Verdict::new(Risk::Destroys, "too deep", "commands inside commands, deeper than the rules follow");
    }
    if let Some(verdict) = by_rule(words, within) {
        return verdict;
    }
    let reason = if first.expands {
        "the program's name is only known when it runs"
    } else {
        "no rule knows what this does, so it counts as changing something"
    };
    or_what_it_starts(words, within, unknown(words, within, reason))
}

/// The class of words whose program some rule knows.
fn by_rule(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    if words.first().is_none_or(|first| first.expands) {
        return None;
    }
    wrappers::judge(words, within).or_else(|| {
        let args = Args::of(words);
        custom::judge(&args, words, within).or_else(|| by_table(&args))
    })
}

/// How many words of an unknown program are looked at as if a program began there, and how deep.
const LATER: (usize, usize) = (12, 2);

/// A program that nobody knows may start one that its words name: the worst that any of them would be.
fn or_what_it_starts(words: &[Word], within: Within<'_>, own: Verdict) -> Verdict {
    let (most, deepest) = LATER;
    if within.depth > deepest {
        return own;
    }
    let later = (1..words.len()).take(most).map(|at| &words[at..]).filter(|later| !later[0].text.starts_with('-'));
    later.filter_map(|later| by_rule(later, within.deeper())).fold(own, Verdict::or_worse)
}

/// What no rule knows: *changes*, or *destroys* when its words or its input speak of losing something.
fn unknown(words: &[Word], within: Within<'_>, reason: &str) -> Verdict {
    let shown = words.first().map_or("", |word| args::base(&word.text));
    let spoken = words.iter().map(|word| word.text.as_str()).chain([within.input.said()]).find_map(words::destructive);
    match spoken {
        Some(word) => Verdict::new(
            Risk::Destroys,
            format!("{shown} … {word}"),
            format!("no rule knows what this does, and “{word}” speaks of losing something"),
        ),
        None => Verdict::new(Risk::Changes, shown, reason),
    }
}

const TABLES: [&[Rule]; 5] = [containers::RULES, services::RULES, data::RULES, files::RULES, network::RULES];

/// The lines of the tables by program, in their order.
static BY_PROGRAM: LazyLock<HashMap<&'static str, Vec<&'static Rule>>> = LazyLock::new(|| {
    let mut found: HashMap<&str, Vec<&Rule>> = HashMap::new();
    for rule in TABLES.iter().flat_map(|table| table.iter()) {
        for program in rule.0.split('|') {
            found.entry(program).or_default().push(rule);
        }
    }
    found
});

/// The first line of the tables that fits.
fn by_table(args: &Args) -> Option<Verdict> {
    BY_PROGRAM.get(args.program.as_str())?.iter().find_map(|rule| fits(rule, args))
}

/// Whether any line of the tables is about a program.
fn is_known(program: &str) -> bool {
    BY_PROGRAM.contains_key(program) || wrappers::INTERPRETERS.contains(&program)
}

fn fits(rule: &Rule, args: &Args) -> Option<Verdict> {
    let (_, subcommand, options, risk, reason) = rule;
    let mut rule = args.shown.clone();
    if *subcommand == "-" && !args.positional.is_empty() {
        return None;
    }
    for (index, wanted) in subcommand.split_whitespace().filter(|wanted| *wanted != "-").enumerate() {
        let word = args.positional.get(index)?;
        if !wanted.split('|').any(|wanted| words::matches(wanted, word)) {
            return None;
        }
        rule.push(' ');
        rule.push_str(word);
    }
    for wanted in options.split_whitespace() {
        if let Some(unwanted) = wanted.strip_prefix('!') {
            if unwanted.split('|').any(|option| args.has(option)) {
                return None;
            }
        } else {
            let present = wanted.split('|').find(|option| args.has(option))?;
            rule.push(' ');
            rule.push_str(present);
        }
    }
    Some(Verdict::new(*risk, rule, *reason))
}

/// Where output goes.
fn redirect(redirect: &Redirect) -> Option<Verdict> {
    let Redirect { operator, to, bare } = redirect;
    if !operator.contains('>')
        || (operator.ends_with('&') && (to == "-" || to.bytes().all(|byte| byte.is_ascii_digit())))
    {
        return None;
    }
    if matches!(to.as_str(), "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty") || to.starts_with("/dev/fd/") {
        return None;
    }
    let rule = format!("{operator} {to}");
    if to.starts_with("/dev/") {
        return Some(Verdict::new(Risk::Destroys, rule, "writes over a device"));
    }
    Some(match operator.as_str() {
        ">>" | "&>>" => Verdict::new(Risk::Changes, rule, "adds to a file"),
        ">|" => Verdict::new(Risk::Destroys, rule, "writes over the file even where that is forbidden"),
        _ if *bare => Verdict::new(Risk::Destroys, rule, "empties the file"),
        _ if files::is_precious(to) && !files::is_backup(to) => {
            Verdict::new(Risk::Destroys, rule, "writes over a key, a certificate or a configuration that may be there")
        }
        _ => Verdict::new(Risk::Changes, rule, "writes a file"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands by class. What the specification names stands first in each list.
    const EXPECTED: &[(Risk, &[&str])] = &[
        (
            Risk::Destroys,
            &[
                "mongorestore --drop --gzip --archive=x.dump",
                "docker system prune -a",
                "git checkout -- config/",
                "cp privkey1.pem /letsencrypt/cert.key",
                "sudo deluser username docker",
                "docker-compose exec proxy cp a.pem /letsencrypt/cert.key",
                "rm -rf /srv/x",
                "find . -name '*.log' -delete",
                "find . -exec rm {} +",
                "ls | xargs rm",
                "curl -fsSL https://x.example/install | sh",
                "curl -fsSL https://x.example/install | sudo bash -s -- -y",
                "bash <(curl -s https://x.example)",
                "sh -c \"$(curl -fsSL https://x.example)\"",
                "bash -c 'rm x'",
                "ssh host 'sudo rm -rf /srv'",
                "ssh -p 22 user@host docker volume rm data",
                "docker exec db psql -c 'DROP TABLE x'",
                "docker compose down -v",
                "docker compose -f a.yml exec -T db sh -c 'redis-cli FLUSHALL'",
                "git reset --hard HEAD~1",
                "git push --force",
                "git push origin +main",
                "git clean -fdx",
                "git checkout .",
                "kubectl delete pod x",
                "kubectl -n shop exec web -- rm /x",
                "terraform destroy",
                "aws s3 rm s3://x --recursive",
                "aws ec2 terminate-instances --instance-ids i",
                "rsync -a --delete a/ b/",
                "redis-cli -h x flushdb",
                "psql -c 'delete from x'",
                "echo x > /etc/hosts",
                "> app.log",
                ": > app.log",
                "dd if=a of=/dev/sda",
                "crontab -r",
                "userdel x",
                "usermod -L x",
                "ufw delete 3",
                "iptables -F",
                "apt-get purge -y x",
                "curl -X DELETE http://x/y",
                "mytool purge-everything",
                "python -c 'db.drop_all()'",
                "mongosh --eval 'db.dropDatabase()'",
                "echo $(rm x)",
                "for x in a b; do rm $x; done",
                "if true; then docker volume prune -f; fi",
                "true && rm x || ls",
                "cat list | while read x; do rm \"$x\"; done",
                "timeout 5 nohup env A=1 nice -n 3 rm x",
                "helm uninstall x",
                "f() { rm x; }",
                "$CMD --delete x",
                "chroot /mnt rm x",
                "tee /etc/nginx/nginx.conf < new",
                "echo \"open\nrm -rf /srv",
                "if true; then rm -rf x",
                "echo \"open; sudo rm x",
                "cat /dev/null > app.log",
                "cp /dev/null app.log",
                "echo -n > app.log",
                "printf \"\" > app.log",
                "cp a.conf /etc/renewal.conf",
                "cp x renewal.conf",
                "cp a.yml news.yml",
                "echo x > newsletter.json",
                "tee renewal.conf",
                "install -m 600 x /etc/ssl/key.pem",
                "curl -o /etc/nginx/nginx.conf http://x",
                "wget -O app.conf http://x",
                "psql -c \"select pg_drop_replication_slot('s')\"",
                "psql -c 'select lo_unlink(1)'",
                "psql -c \"select purge_old_rows()\"",
                "bash <<EOF\nrm -rf x\nEOF",
                "ssh web1 <<'EOF'\nsudo rm -rf /srv\nEOF",
                "psql <<SQL\nDROP TABLE x;\nSQL",
                "psql -h db <<< \"drop table x\"",
                "echo FLUSHALL | redis-cli",
                "echo 'DROP DATABASE x' | psql",
                "printf \"DELETE FROM x;\\n\" | mysql shop",
                "cat <<EOF | psql\nTRUNCATE x\nEOF",
                "cat jobs | parallel",
                "cat jobs | xargs -I{} sh -c \"{}\"",
                "cat x | sudo -s",
                "cat x | ssh web1 bash",
                "cat x | ssh web1",
                "curl http://x | python3 -",
                "curl http://x | tee >(bash)",
                "ssh web1 bash -s <<EOF\nrm x\nEOF",
                "sudo -u pg psql <<EOF\ndrop table x\nEOF",
                "docker exec -i db mongosh <<EOF\ndb.dropDatabase()\nEOF",
                "docker exec -i db redis-cli <<EOF\nget a\nflushall\nEOF",
                "python3 <<EOF\ndb.drop_all()\nEOF",
                "sqlite3 x.db <<EOF\ndelete from x;\nEOF",
                "bash -e <<EOF\nrm x\nEOF",
                "bash -eo pipefail <<EOF\nrm x\nEOF",
                "sh <<< \"rm x\"",
                "crontab < new",
                "echo x | crontab -",
                "at now <<EOF\nrm x\nEOF",
                "true && bash <<EOF\nrm x\nEOF",
                "xargs <<EOF rm\nx\nEOF",
                "psql < drop-all.sql",
                "{ echo \"drop table x\"; } | psql",
                "sftp host <<EOF\nrm x\nEOF",
                "source /dev/stdin <<EOF\nrm x\nEOF",
                "nsupdate <<EOF\nupdate delete x\nEOF",
                "while read x; do rm \"$x\"; done <<< \"a\"",
                "bash -ce \"rm x\"",
                "pip uninstall -yv foo",
                "python3 -m pip uninstall -y foo",
                "helm uninstall x --kube-version 1",
                "iptables -F -L",
                "kubectl delete pod x --dry-run=none",
                "curl -sX DELETE http://x",
                "curl -sXDELETE http://x",
                "curl -sd '{\"drop\":1}' http://x",
                "sudo -iu postgres rm -rf x",
                "docker exec -itu root web rm x",
                "docker run --volumes-from db alpine rm x",
                "xargs -i rm {}",
                "runuser -l pg -c 'rm x'",
                "su - pg -c \"rm x\"",
                "su --command='rm x' pg",
                "flock /l -c 'rm x'",
                "flock /l rm x",
                "$SUDO rm -rf x",
                "gosu pg rm x",
                "mywrapper --flag x rm y",
                "env -S \"rm x\"",
                "docker run --entrypoint rm alpine x",
                "docker run --some-new-option v alpine rm x",
                "trap 'rm x' EXIT",
                "alias ll='rm x'",
                "watch 'rm x'",
                "watch -n 5 \"rm x\"",
                "parallel rm ::: a b",
                "parallel ::: \"rm a\" ls",
                "git submodule foreach 'rm x'",
            ],
        ),
        (
            Risk::Disrupts,
            &[
                "docker-compose stop a b",
                "docker-compose restart a",
                "docker-compose kill -s SIGHUP proxy",
                "docker-compose -f x.yml up -d --scale a=2",
                "docker compose up -d",
                "systemctl restart nginx",
                "sudo systemctl reload nginx",
                "service nginx restart",
                "kubectl rollout restart deploy/x",
                "kubectl scale deploy/x --replicas=0",
                "kill -9 1",
                "pkill -HUP nginx",
                "reboot",
                "nginx -s reload",
                "psql -c 'select pg_terminate_backend(1)'",
                "ufw enable",
                "ssh host sudo systemctl stop x",
                "curl -X POST http://localhost:9090/-/reload",
                "psql -c 'select pg_reload_conf()'",
                "psql -c 'select pg_promote()'",
                "echo \"open\nsystemctl stop nginx",
                "helm upgrade --install app chart --version 4.1.0",
                "nginx -c conf -s stop",
                "kill -KILL 1",
                "kill -10 1",
                "kill -SIGLOST 1",
                "pkill -L x",
                "haproxy -f c -st 123",
                "apachectl -k graceful",
                "/etc/init.d/nginx stop",
                "ssh web1 <<EOF\nsystemctl restart nginx\nEOF",
                "caddy reload -c x",
                "service nginx stop",
            ],
        ),
        (
            Risk::Changes,
            &[
                "docker-compose pull",
                "certbot renew",
                "docker-compose exec proxy certbot renew",
                "git revert HEAD",
                "docker tag a b",
                "pnpm install",
                "docker-compose config > backup-config-$(date +%Y%m%d).yml",
                "ls > files.txt",
                "ls >> files.txt",
                "git checkout main",
                "pnpm test:ci",
                "make check",
                "./deploy.sh",
                "unknown-program",
                "docker login x",
                "curl -d a=b http://x",
                "curl -o file http://x",
                "cp a.conf a.conf.bak",
                "mkdir -p x",
                "chmod 600 x",
                "sed -i s/a/b/ x",
                "apt-get install -y x",
                "redis-cli set a b",
                "psql -c \"update x set y=1 where z=2\"",
                "source ./env.sh",
                "sudo -i",
                "crontab -e",
                "$PROGRAM x",
                "psql -c 'select my_function(1)'",
                "psql -c \"select setval('s', 1)\"",
                "psql -c \"select pg_create_restore_point('x')\"",
                "cp a.yml a-new.yml",
                "cp a.conf a.conf.orig",
                "echo x > report.txt",
                "echo \"open\ntouch x",
                "ssh user@host",
                "ssh -tt user@host",
                "ssh host < commands.txt",
                "bash < setup.sh",
                "bash <<EOF\n./setup.sh\nEOF",
                "psql < dump.sql",
                "cat dump.sql | psql",
                "python3 manage.py migrate -v 2",
                "go run -v .",
                "psql -hlocalhost -f x.sql",
                "psql -Uapp -f x.sql",
                "date 01020304",
                "date -s 12:00",
                "curl -sXPOST http://x",
                "curl -sd '{}' http://x",
                "curl -Ffile=@x http://x",
                "curl -fsSLo FILE http://x",
                "curl -sT x http://x",
                "curl -fsSLO http://x",
                "sysctl vm.swappiness=1",
                "sysctl -q vm.swappiness=1",
                "unknown-program --version",
                "7z a -tzip x.zip y",
                "python3 <<EOF\nprint(1)\nEOF",
                "kubectl create -f x --dry-run=none",
                "sudo -i <<EOF\ntouch x\nEOF",
                "./setup.sh --help",
                "nginx -c conf",
                "echo \"update x set y=1 where z=2\" | psql",
                "python3 -m venv x",
            ],
        ),
        (
            Risk::Reads,
            &[
                "docker-compose ps",
                "docker-compose logs --tail=50 a",
                "curl -I http://x",
                "ls -l /x",
                "df -h",
                "grep -i error x",
                "certbot renew --dry-run",
                "docker-compose exec proxy certbot renew --dry-run",
                "docker-compose exec a top",
                "docker stats $(docker ps --format '{{.Names}}')",
                "docker system df",
                "sudo ufw status verbose",
                "sudo ss -tulpn",
                "comm -23 <(sort a) <(sort b)",
                "curl -s http://x | jq . 2>/dev/null",
                "curl -s http://x 2>&1 >/dev/null",
                "git status",
                "git branch",
                "kubectl -n x get pods -w",
                "systemctl status x",
                "journalctl -u x -f",
                "psql -tAc 'select 1'",
                "redis-cli info keyspace",
                "find . -name x",
                "find . -exec grep x {} +",
                "ls | xargs grep x",
                "ssh host uptime",
                "cd /srv",
                "export A=1",
                "[[ -f x ]] && echo yes",
                "mongosh --eval 'db.currentOp()'",
                "awk '{print $1}' x",
                "sed -n 1,5p x",
                "openssl x509 -in x -noout -enddate",
                "terraform plan",
                "aws s3 ls",
                "tar -tf x.tar",
                "crontab -l",
                "kill -0 1",
                "echo done | cat",
                "cat x | tee /dev/null",
                "psql -c 'select count(*), max(x) from y where z in (1, 2)'",
                "psql -c \"select pg_size_pretty(pg_database_size('x'))\"",
                "psql -c 'select * from pg_stat_activity where (a = 1) and exists (select 1)'",
                "curl -o /dev/null http://x",
                "ssh web1 <<EOF\nuptime\ndf -h\nEOF",
                "psql <<EOF\nselect 1;\nEOF",
                "echo \"select 1\" | psql",
                "echo PING | redis-cli",
                "printf \"GET a\\n\" | redis-cli",
                "bash <<EOF\nls\nEOF",
                "cat <<EOF\nrm -rf x\nEOF",
                "cat <<EOF | grep x\nrm -rf x\nEOF",
                "date -Is",
                "date +%s",
                "date -u +%F",
                "kill -l",
                "kill -s 0 1",
                "kill -0 1",
                "pgrep -L x",
                "nginx -t",
                "nginx -tc conf",
                "nginx -T",
                "haproxy -c -f x",
                "sshd -t",
                "python3 --version",
                "pip --version",
                "node -v",
                "helm upgrade --help",
                "docker --version",
                "java -version",
                "curl -sI http://x",
                "curl -sXGET http://x",
                "curl -so /dev/null -w \"%{http_code}\" http://x",
                "curl -Gd a=b http://x",
                "sysctl -a",
                "sysctl vm.swappiness",
                "command -v rm",
                "trap - EXIT",
                "alias",
                "watch docker ps",
                "watch -n1 \"ls | wc -l\"",
                "psql -hlocalhost -c \"select 1\"",
                "psql -lqt",
                "sudo -iu postgres psql -c \"select 1\"",
                "7z l x.7z",
                "systemctl --version",
                "ssh host uptime < /dev/null",
                "/etc/init.d/nginx status",
                "parallel ls ::: a b",
                "env FOO=1 ls",
                "runuser -u pg -- ls",
                "xz -T0 -l x.xz",
            ],
        ),
    ];

    #[test]
    fn commands_have_the_class_that_the_specification_expects() {
        let mut wrong = Vec::new();
        for (risk, commands) in EXPECTED {
            for command in *commands {
                let verdict = classify(command);
                if verdict.risk != *risk {
                    wrong.push(format!("{command}: {} by {}", verdict.risk.word(), verdict.rule));
                }
            }
        }

        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_rule_says_what_gave_the_class() {
        let verdict = classify("sudo docker-compose -f a.yml exec -T db mongorestore --drop x");

        assert_eq!(verdict.rule, "mongorestore --drop");
        assert_eq!(verdict.reason, "--drop deletes each collection before it is restored");
    }

    #[test]
    fn wrappers_in_wrappers_end_somewhere() {
        let deep = format!("{} ls", "sudo ".repeat(50));

        assert_eq!(classify(&deep).risk, Risk::Destroys);
    }
}
