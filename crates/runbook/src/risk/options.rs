//! Options that make a program do more than its class says: start another one, or write a file.

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::Risk::{self, Changes, Destroys, Disrupts};

use super::args::{Args, given, values};
use super::{Verdict, Within, files, script};
use crate::shell::Word;

/// What an option does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    /// Its value is shell text, or a program, that is started.
    Starts,
    /// Its value is the program that carries the data, as `ssh`.
    Carries,
    /// Its value is a file that is written.
    Writes,
    /// It gives the program this class.
    Is(Risk),
}

/// Programs, the words of the subcommand that must be among theirs (or nothing), options, what they do, and why in a sentence.
pub(super) type Told = (&'static str, &'static str, &'static str, Does, &'static str);

/// The options.
pub(super) const TOLD: &[Told] = &[
    ("man|apropos", "", "-P|--pager", Does::Starts, "starts the pager that it is told"),
    ("man", "", "-H|--html|-C|--config-file", Does::Is(Changes), "starts a program that a setting names"),
    ("bat|delta|ag|ack", "", "--pager", Does::Starts, "starts the pager that it is told"),
    ("rg", "", "--pre|--hostname-bin", Does::Starts, "starts a program for each file"),
    ("mapfile|readarray", "", "-C", Does::Starts, "starts what it is told for the lines it reads"),
    ("compgen|complete", "", "-C", Does::Starts, "starts what it is told"),
    ("compgen|complete", "", "-F", Does::Is(Changes), "starts a function"),
    ("hash", "", "-p", Does::Starts, "gives a command the name of another one"),
    ("enable", "", "-f", Does::Is(Changes), "loads code into the shell"),
    ("bind", "", "-x", Does::Is(Changes), "ties a command to a key"),
    (
        "tar",
        "",
        "--to-command|-I|--use-compress-program|-F|--info-script|--new-volume-script|--rsh-command|--rmt-command",
        Does::Starts,
        "starts the program that it is told",
    ),
    ("tar", "", "--checkpoint-action", Does::Starts, "starts the program that it is told"),
    ("rsync", "", "-e|--rsh", Does::Carries, "starts the program that carries the files"),
    ("rsync", "", "--rsync-path", Does::Starts, "starts the program that it is told on the other side"),
    ("rsync", "", "--log-file|--write-batch|--only-write-batch", Does::Writes, "writes a file"),
    ("scp|sftp", "", "-S", Does::Starts, "starts the program that carries the files"),
    ("sort", "", "--compress-program", Does::Starts, "starts the program that it is told"),
    ("sort|shuf|tree|sdiff|info|sar|xmllint", "", "-o|--output", Does::Writes, "writes a file"),
    ("restic|borg", "check|repair", "--repair", Does::Is(Destroys), "throws away what it cannot repair"),
    ("cryptsetup", "luksDump", "--volume-key-file|--master-key-file", Does::Writes, "writes a key into a file"),
    ("ceph", "", "-o|--out-file", Does::Writes, "writes a file"),
    ("pulumi", "preview", "--save-plan", Does::Writes, "writes a file"),
    ("caddy", "fmt", "-w", Does::Is(Changes), "changes a file in its place"),
    ("mc", "find", "--exec", Does::Starts, "starts the program that it is told"),
    ("rclone", "tree", "-o|--output", Does::Writes, "writes a file"),
    (
        "rclone",
        "check",
        "--combined|--differ|--error|--match|--missing-on-dst|--missing-on-src",
        Does::Writes,
        "writes a file",
    ),
    ("ansible-inventory", "", "--output", Does::Writes, "writes a file"),
    ("dmidecode", "", "--dump-bin", Does::Writes, "writes a file"),
    ("pidstat", "", "-e", Does::Is(Changes), "starts the program that it is told"),
    ("sensors", "", "-s|--set", Does::Is(Changes), "changes limits"),
    ("varnishlog|varnishncsa", "", "-w", Does::Writes, "writes a file"),
    ("goaccess", "", "-o|--output", Does::Writes, "writes a file"),
    ("pg_restore", "", "-f|--file", Does::Is(Changes), "writes a file"),
    ("journalctl", "", "--setup-keys|--update-catalog", Does::Is(Changes), "changes the log's own files"),
    ("go", "env", "-w|-u", Does::Is(Changes), "changes a setting"),
    (
        "smartctl",
        "",
        "-s|--smart|-t|--test|-X|--abort|-o|--offlineauto|-S|--saveauto|--set",
        Does::Is(Changes),
        "changes a setting of the disk, or starts a test",
    ),
    ("sort", "", "--files0-from", Does::Is(Changes), "reads the files that another file names"),
    ("file", "", "-C|--compile", Does::Is(Changes), "writes a file"),
    ("nm", "", "--plugin", Does::Is(Changes), "loads code into the program"),
    ("less", "", "-o|-O|--log-file|--LOG-FILE", Does::Writes, "writes a file"),
    ("journalctl", "", "--cursor-file", Does::Writes, "writes a file"),
    (
        "dmesg",
        "",
        "-n|--console-level|-D|--console-off|-E|--console-on",
        Does::Is(Changes),
        "changes a setting of the kernel",
    ),
    ("ss", "", "-K|--kill", Does::Is(Disrupts), "ends the connections that it finds"),
    ("ss", "", "-D|--diag", Does::Writes, "writes a file"),
    ("tcpdump|tshark", "", "-w", Does::Writes, "writes a file"),
    ("tcpdump", "", "-z", Does::Starts, "starts a program for each file"),
    ("tshark", "", "-X", Does::Is(Changes), "loads a script"),
    ("nmap", "", "--script", Does::Is(Changes), "runs scripts"),
    ("nmap", "", "-oN|-oX|-oG|-oS|-oA", Does::Writes, "writes a file"),
    ("strace|ltrace", "", "-o|--output", Does::Writes, "writes a file"),
    ("time", "", "-o|--output", Does::Writes, "writes a file"),
    ("find", "", "-fprint|-fprint0|-fprintf|-fls", Does::Writes, "writes what it finds into a file"),
    (
        "git",
        "ls-remote|fetch|pull|clone|push|archive|rebase",
        "--upload-pack|--receive-pack|--exec",
        Does::Starts,
        "starts the program that it is told",
    ),
    ("git", "grep", "-O|--open-files-in-pager", Does::Starts, "starts the pager that it is told"),
    ("git", "difftool|mergetool", "-x|--extcmd", Does::Starts, "starts the program that it is told"),
    (
        "git",
        "log|diff|show|whatchanged|format-patch|diff-tree|diff-index|range-diff|shortlog|archive",
        "--output",
        Does::Writes,
        "writes a file",
    ),
    ("git", "archive", "-o", Does::Writes, "writes a file"),
    (
        "git",
        "log|diff|show|blame|format-patch|grep|cat-file",
        "--ext-diff|--textconv",
        Does::Is(Changes),
        "starts programs that a setting names",
    ),
    (
        "certbot",
        "",
        "--deploy-hook|--renew-hook|--pre-hook|--post-hook|--manual-auth-hook|--manual-cleanup-hook",
        Does::Starts,
        "starts the program that it is told",
    ),
    (
        "acme.sh",
        "",
        "--reloadcmd|--pre-hook|--post-hook|--renew-hook",
        Does::Starts,
        "starts the program that it is told",
    ),
    ("psql", "", "-o|--output|-L|--log-file", Does::Writes, "writes a file, or starts a program"),
    ("mysql", "", "--pager", Does::Starts, "starts the pager that it is told"),
    ("mysql", "", "--tee", Does::Writes, "writes a file"),
    ("mysqldump", "", "-r|--result-file|-T|--tab", Does::Writes, "writes a file"),
    ("mysqldump", "", "--delete-master-logs|--delete-source-logs", Does::Is(Destroys), "removes the server's logs"),
    ("mysqldump", "", "--flush-logs|-F", Does::Is(Changes), "begins new logs on the server"),
    ("redis-cli", "", "--eval|--pipe", Does::Is(Changes), "runs a script that no rule has read"),
    ("redis-cli", "", "--rdb|--functions-rdb", Does::Writes, "writes a file"),
    (
        "curl",
        "",
        "-o|--output|-D|--dump-header|-c|--cookie-jar|--trace|--trace-ascii|--stderr|--etag-save|--hsts|--alt-svc|--libcurl",
        Does::Writes,
        "writes a file",
    ),
    ("curl", "", "-K|--config", Does::Is(Changes), "does what a file says"),
    ("curl", "", "--engine", Does::Is(Changes), "loads code into the program"),
    ("wget", "", "--use-askpass", Does::Starts, "starts the program that it is told"),
    (
        "wget",
        "",
        "-O|--output-document|-o|--output-file|-a|--append-output|--save-cookies|--warc-file",
        Does::Writes,
        "writes a file",
    ),
    ("wget", "", "-e|--execute", Does::Is(Changes), "changes a setting of the program"),
    ("openssl", "", "-out|-keyout|-writerand", Does::Writes, "writes a file"),
    ("openssl", "", "-engine|-provider-path", Does::Is(Changes), "loads code into the program"),
    ("dig", "", "-k", Does::Is(Changes), "signs with a key"),
    ("kubectl", "cluster-info", "--output-directory", Does::Is(Changes), "writes files"),
    (
        "kubectl",
        "kustomize",
        "--enable-exec|--enable-alpha-plugins|-o|--output",
        Does::Is(Changes),
        "starts programs, or writes files",
    ),
    ("helm", "", "--post-renderer", Does::Starts, "starts the program that it is told"),
    ("helm", "template", "--output-dir", Does::Is(Changes), "writes files"),
    ("terraform", "plan", "-out|--out", Does::Writes, "writes a file"),
    ("rclone|restic|borg", "", "--password-command|--rsh", Does::Starts, "starts the program that it is told"),
    ("rclone", "", "--log-file", Does::Writes, "writes a file"),
    ("yq", "", "-s|--split-exp", Does::Is(Changes), "writes files"),
    ("xmlstarlet", "", "-L|--inplace", Does::Is(Changes), "changes a file in its place"),
    ("fuser", "", "-k|--kill", Does::Is(Disrupts), "the program goes away"),
    (
        "gdb",
        "",
        "-ex|-iex|--eval-command|--init-eval-command",
        Does::Starts,
        "does what it is told to a program that runs",
    ),
    ("bash|sh|dash|zsh|ksh", "", "--rcfile|--init-file", Does::Is(Changes), "runs a script that no rule has read"),
];

/// The options among a program's words that do more: the worst.
pub(super) fn judge(args: &Args, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let told = of_program(args).filter_map(|(_, _, names, does, reason)| {
        if let Does::Is(risk) = does {
            let option = names.split('|').find(|name| args.has(name) || args.may_have(name))?;
            return Some(Verdict::new(*risk, format!("{} {option}", args.shown), *reason));
        }
        let all = given(words, names, values(&args.program)).into_iter();
        all.filter_map(|value| of_value(*does, &args.shown, &value, reason, within)).reduce(Verdict::or_worse)
    });
    told.reduce(Verdict::or_worse)
}

/// The lines by program, in their order.
static BY_PROGRAM: LazyLock<HashMap<&'static str, Vec<&'static Told>>> = LazyLock::new(|| {
    let mut found: HashMap<&str, Vec<&Told>> = HashMap::new();
    for told in TOLD {
        for program in told.0.split('|') {
            found.entry(program).or_default().push(told);
        }
    }
    found
});

/// The lines that are about a program and its subcommand.
pub(super) fn of_program(args: &Args) -> impl Iterator<Item = &'static Told> {
    let lines = BY_PROGRAM.get(args.program.as_str()).map_or(&[][..], Vec::as_slice).iter().copied();
    lines.filter(|(_, subcommand, ..)| subcommand.is_empty() || subcommand.split('|').any(|word| args.word(0) == word))
}

/// What the value of an option does.
pub(super) fn of_value(does: Does, shown: &str, value: &Word, reason: &str, within: Within<'_>) -> Option<Verdict> {
    match does {
        Does::Starts => started(&value.text, within),
        Does::Carries => carried(&value.text, within),
        Does::Writes => written(shown, value, within),
        Does::Is(risk) => Some(Verdict::new(risk, shown, reason)),
    }
}

/// The class of a program that is started; `exec=…` is how tar is told.
fn started(text: &str, within: Within<'_>) -> Option<Verdict> {
    let text = text.trim_start_matches("exec=").trim_start_matches(['|', '-', '!', ' ']);
    let text = text.strip_prefix("shell ").unwrap_or(text);
    // Words of tar and gdb that start nothing.
    let idle = ["dot", "echo", "sleep", "bell", "ttyout", "none", "info", "bt", "print", "thread"];
    let mut words = text.split([' ', '=']);
    let first = words.next().unwrap_or_default();
    let packs = PACKS.contains(&first) && words.all(|word| word.starts_with('-'));
    (!text.is_empty() && !idle.contains(&first) && !packs).then(|| script(text, within.deeper()))
}

/// Programs that pack what they are fed.
const PACKS: &[&str] =
    &["gzip", "pigz", "bzip2", "pbzip2", "lbzip2", "xz", "pixz", "zstd", "lz4", "lzop", "lzma", "compress"];

/// `ssh` as the carrier is the program's own business; what else it starts is not.
fn carried(text: &str, within: Within<'_>) -> Option<Verdict> {
    let ssh = text.split_whitespace().next().is_some_and(|first| first == "ssh" || first.ends_with("/ssh"));
    // With a host and a command, ssh is judged by its options alone.
    let text = if ssh { format!("{text} host true") } else { text.to_owned() };
    started(&text, within)
}

/// A file that is written; behind a `|` stands a program.
fn written(shown: &str, value: &Word, within: Within<'_>) -> Option<Verdict> {
    let file = value.text.as_str();
    if let Some(program) = file.strip_prefix('|') {
        return started(program, within);
    }
    if matches!(file, "-" | "%" | "/dev/null" | "/dev/stdout" | "/dev/stderr") {
        return None;
    }
    Some(files::written(&format!("{shown} writes {file}"), file))
}
