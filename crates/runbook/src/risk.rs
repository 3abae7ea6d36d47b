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
mod files;
mod network;
mod services;
mod sql;
mod words;
mod wrappers;

use domain::Risk;

use crate::shell::{Call, Redirect, Shell, Word, calls};
use args::Args;
pub(crate) use code_words::{code_words, reads_code};
pub(crate) use wrappers::{innermost, ssh_command, unwrapped};

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
/// without options begin. Options are separated by blanks and all must hold: `-a|--all` one of them is there,
/// `!--dry-run` it is not there.
pub(crate) type Rule = (&'static str, &'static str, &'static str, Risk, &'static str);

/// Wrappers in wrappers are followed this far.
const DEEPEST: usize = 8;

/// Classes a command of a block.
pub fn classify(text: &str) -> Verdict {
    script(text, 0)
}

/// Classes shell text, wherever it was found.
fn script(text: &str, depth: usize) -> Verdict {
    if depth > DEEPEST {
        return Verdict::new(Risk::Destroys, "too deep", "commands inside commands, deeper than the rules follow");
    }
    match Shell::parse(text) {
        Some(shell) => understood(&shell, depth),
        None => not_understood(text),
    }
}

fn not_understood(text: &str) -> Verdict {
    match words::destructive(text) {
        Some(word) => Verdict::new(
            Risk::Destroys,
            format!("not understood, with “{word}”"),
            "shell text that cannot be parsed and speaks of losing something",
        ),
        None => Verdict::new(
            Risk::Changes,
            "not understood",
            "shell text that cannot be parsed counts as changing something",
        ),
    }
}

fn understood(shell: &Shell<'_>, depth: usize) -> Verdict {
    let (calls, redirects) = calls(shell);
    let nothing = Verdict::new(Risk::Reads, "no program", "starts no program");
    let of_calls = calls.iter().map(|call| of_call(call, depth));
    let of_redirects = redirects.iter().filter_map(redirect);
    of_calls.chain(of_redirects).reduce(Verdict::or_worse).unwrap_or(nothing)
}

/// Classes one program with its words, whatever reads its output.
fn of_call(call: &Call, depth: usize) -> Verdict {
    let verdict = of_words(&call.words, depth);
    if call.fed && wrappers::runs_its_input(&call.words) {
        let program = wrappers::innermost_name(&call.words);
        return Verdict::new(
            Risk::Destroys,
            format!("| {program}"),
            "runs as commands whatever the program before it writes",
        );
    }
    verdict
}

/// Classes words: a wrapper by what it wraps, a program by its rules.
fn of_words(words: &[Word], depth: usize) -> Verdict {
    let Some(first) = words.first() else {
        return Verdict::new(Risk::Reads, "no program", "starts no program");
    };
    if depth > DEEPEST {
        return Verdict::new(Risk::Destroys, "too deep", "commands inside commands, deeper than the rules follow");
    }
    if first.expands {
        return unknown(&first.text, words, "the program's name is only known when it runs");
    }
    if let Some(verdict) = wrappers::judge(words, depth) {
        return verdict;
    }
    let args = Args::of(words);
    custom::judge(&args, words).or_else(|| by_table(&args)).unwrap_or_else(|| {
        unknown(&args.shown, words, "no rule knows what this does, so it counts as changing something")
    })
}

/// What no rule knows: *changes*, or *destroys* when its words speak of losing something.
fn unknown(shown: &str, words: &[Word], reason: &str) -> Verdict {
    let spoken = words.iter().find_map(|word| words::destructive(&word.text));
    match spoken {
        Some(word) => Verdict::new(
            Risk::Destroys,
            format!("{shown} … {word}"),
            format!("no rule knows what this does, and “{word}” speaks of losing something"),
        ),
        None => Verdict::new(Risk::Changes, shown, reason),
    }
}

/// The first line of the tables that fits.
fn by_table(args: &Args) -> Option<Verdict> {
    let tables = [containers::RULES, services::RULES, data::RULES, files::RULES, network::RULES];
    tables.iter().flat_map(|table| table.iter()).find_map(|rule| fits(rule, args))
}

fn fits(rule: &Rule, args: &Args) -> Option<Verdict> {
    let (programs, subcommand, options, risk, reason) = rule;
    if !programs.split('|').any(|program| program == args.program) {
        return None;
    }
    let mut rule = args.shown.clone();
    for (index, wanted) in subcommand.split_whitespace().enumerate() {
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
                "ssh user@host",
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
