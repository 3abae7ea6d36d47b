//! Files, text, archives, and the programs that only look.

use domain::Risk::{Changes, Destroys, Disrupts, Reads};

use super::args::base;
use super::verbs::pieces;
use super::{Rule, Verdict};

/// The rules, first fit first. What needs a closer look (`cp`, `mv`, `tar`, `sed` …) stands in `custom`.
pub(super) const RULES: &[Rule] = &[
    ("rm|unlink|shred|srm|truncate|trash", "", "", Destroys, "files are lost"),
    ("mkfs|mkfs.ext4|mkfs.xfs|mkfs.btrfs|mke2fs|blkdiscard|badblocks", "", "", Destroys, "what is on the disk is lost"),
    ("rsync", "", "-n|--dry-run", Reads, "changes nothing"),
    (
        "rsync",
        "",
        "--delete|--delete-before|--delete-after|--delete-during|--delete-delay|--delete-excluded|--del",
        Destroys,
        "--delete removes what the source does not have",
    ),
    ("rsync", "", "--remove-source-files", Destroys, "removes the files it has copied"),
    ("rsync|scp|sftp", "", "", Changes, "writes files"),
    (
        "chmod|chown|chgrp|setfacl",
        "",
        "-R|--recursive",
        Disrupts,
        "all files below change who may use them: a service may no longer reach its own",
    ),
    ("setfacl", "", "-b|--remove-all|-k|--remove-default|-x|--remove", Disrupts, "takes away who may use the files"),
    (
        "rmdir|mkdir|touch|chmod|chown|chgrp|setfacl|chattr|mkfifo|mknod|mktemp|split|csplit|patch|tee|fallocate|zip|dos2unix|iconv|rename",
        "",
        "",
        Changes,
        "writes files or changes who may use them",
    ),
    ("ln", "", "", Changes, "makes a link"),
    ("enable", "", "!-f", Reads, "only looks"),
    ("bind", "", "-l|-p|-P|-s|-S|-v|-V", Reads, "only looks"),
    ("compgen|complete", "", "", Reads, "only looks"),
    ("gzip|gunzip|bzip2|bunzip2|xz|unxz|zstd|lz4", "", "-c|--stdout|-l|--list|-t|--test", Reads, "only looks"),
    ("gzip|gunzip|bzip2|bunzip2|xz|unxz|zstd|lz4", "", "", Changes, "replaces files by their packed or unpacked form"),
    ("unzip", "", "-l|-t|-v|-Z", Reads, "only looks"),
    ("7z|unrar", "l|lb|lt|v|t|i", "", Reads, "only looks"),
    ("7z|unrar", "d", "", Destroys, "removes files from the archive"),
    ("unzip", "", "-o", Destroys, "-o writes over what is there without asking"),
    ("unzip|7z|unrar", "", "", Changes, "writes files"),
    ("yq|xmlstarlet", "", "-i|--inplace", Changes, "changes a file in its place"),
    ("history", "", "-c|-d", Destroys, "history is lost"),
    ("hostname|umask", "*", "", Changes, "changes a setting"),
    ("date", "", "-s|--set", Changes, "sets the clock"),
    ("date", "+*", "", Reads, "only looks"),
    ("date", "*", "", Changes, "sets the clock"),
    (
        "cat|tac|nl|head|tail|less|more|most|bat|grep|egrep|fgrep|zgrep|zcat|zless|bzcat|xzcat|rg|ag|ack|cut|tr|sort|uniq|wc|diff|sdiff|colordiff|cmp|comm|join|paste|column|fold|fmt|expand|unexpand|rev|jq|yq|xmllint|xmlstarlet|base64|base32|md5sum|sha1sum|sha224sum|sha256sum|sha384sum|sha512sum|b2sum|cksum|sum|od|xxd|hexdump|strings|file|stat|ls|ll|la|dir|tree|exa|eza|du|df|ncdu|duf|basename|dirname|realpath|readlink|pwd|find|fd|locate|which|whereis|type|namei|getfacl|lsattr|numfmt|seq|yes|shuf|tsort|factor|bc|expr|dc|gawk-info|ts|pv|dotenv-linter|envsubst|nproc",
        "",
        "",
        Reads,
        "only reads",
    ),
    (
        "cd|echo|printf|test|[|[[|true|false|:|set|shopt|export|declare|local|readonly|typeset|unset|alias|unalias|hash|read|mapfile|readarray|wait|sleep|jobs|fg|bg|umask|ulimit|times|trap|exit|return|shift|break|continue|let|pushd|popd|dirs|getopts|help|history|hostname|date|cal|uname|arch|lscpu|lsmem|lspci|lsusb|lshw|dmidecode|id|who|w|whoami|groups|users|last|lastb|lastlog|getent|locale|printenv|uptime|free|top|htop|atop|btop|vmstat|iostat|mpstat|pidstat|sar|iotop|iftop|nethogs|nload|ps|pgrep|pidof|pstree|pmap|lsof|lsns|tty|stty|clear|tput|reset-terminal|man|info|apropos|cowsay|figlet|logname|tload|slabtop|dstat|glances|ctop|lsb_release|neofetch|getconf|ldd|nm|objdump|readelf|git-lfs-version",
        "",
        "",
        Reads,
        "only looks",
    ),
];

/// Endings of files whose content is hard to make again.
const PRECIOUS: &[&str] = &[
    ".key",
    ".pem",
    ".crt",
    ".cer",
    ".csr",
    ".p12",
    ".pfx",
    ".jks",
    ".env",
    ".conf",
    ".cfg",
    ".ini",
    ".toml",
    ".yml",
    ".yaml",
    ".json",
    ".db",
    ".sqlite",
    ".sqlite3",
    ".sql",
    ".dump",
    ".kdbx",
    ".tfstate",
    ".service",
    ".hcl",
    ".properties",
    ".xml",
    ".rules",
];
/// Folders in which everything is hard to make again.
const PRECIOUS_FOLDERS: &[&str] =
    &["/etc/", "/letsencrypt/", "/var/lib/", "/boot/", "/root/.ssh/", "~/.ssh/", "/usr/", "/lib/", "/bin/"];

fn is_in_precious_folder(path: &str) -> bool {
    PRECIOUS_FOLDERS.iter().any(|folder| path.starts_with(folder)) || path.contains("/.ssh/")
}

/// Whether a path looks like something that is missed when it is written over.
pub(super) fn is_precious(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    is_in_precious_folder(path)
        || PRECIOUS.iter().any(|ending| name.ends_with(ending))
        || name.starts_with(".env")
        || matches!(
            name,
            "authorized_keys" | "known_hosts" | "sudoers" | "crontab" | "passwd" | "shadow" | "fstab" | "hosts"
        )
}

/// Files that say who may sign in, and as whom.
const ACCESS: &[&str] = &["authorized_keys", "passwd", "shadow", "group", "gshadow", "sudoers"];

/// Whether a file says who may sign in.
pub(super) fn is_access(path: &str) -> bool {
    ACCESS.contains(&base(path)) || path.contains("/sudoers.d/")
}

/// Writing onto a device, or onto a file by which the kernel is told something.
pub(super) fn device(rule: &str, path: &str) -> Option<Verdict> {
    let shows =
        matches!(path, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty") || path.starts_with("/dev/fd/");
    if path.starts_with("/dev/") && !shows {
        return Some(Verdict::new(Destroys, rule, "writes over a device"));
    }
    let in_sys = path.starts_with("/sys/")
        && ["/delete", "/remove", "/unbind", "/online", "/reset", "/state"].iter().any(|end| path.ends_with(end));
    (in_sys || path == "/proc/sysrq-trigger")
        .then(|| Verdict::new(Disrupts, rule, "tells the kernel to let something go"))
}

/// What writes out a whole copy of something: the file of such a copy is its own.
const EXPORTS: &[&[&str]] = &[
    &["pg_dump"],
    &["pg_dumpall"],
    &["mysqldump"],
    &["mariadb-dump"],
    &["mongodump"],
    &["mongoexport"],
    &["docker", "inspect"],
    &["podman", "inspect"],
    &["terraform", "state", "pull"],
    &["tofu", "state", "pull"],
];
/// Endings of the files of such copies.
const EXPORTED: &[&str] = &[".sql", ".dump", ".json"];

/// Whether a file is the copy that the programs beside it write out, outside the folders in which everything is precious.
pub(super) fn is_export(beside: &[String], path: &str) -> bool {
    let words: Vec<&str> = beside.iter().map(|word| base(word)).collect();
    let exports = |wanted: &[&str]| words.windows(wanted.len()).any(|words| words == wanted);
    EXPORTED.iter().any(|ending| path.ends_with(ending))
        && !is_in_precious_folder(path)
        && EXPORTS.iter().any(|wanted| exports(wanted))
}

/// Words in the name of a file that holds a copy of a whole database, and its endings.
const DUMP_WORDS: &[&str] = &["dump", "dumps", "backup", "backups", "bak", "restore", "snapshot", "export", "full"];
const DUMP_ENDINGS: &[&str] = &[".dump", ".gz", ".bz2", ".xz", ".zst"];
/// Programs that write out a database, or unpack what one wrote.
const DUMPERS: &[&str] = &[
    "zcat",
    "gunzip",
    "gzip",
    "pigz",
    "bzcat",
    "bunzip2",
    "bzip2",
    "xzcat",
    "unxz",
    "xz",
    "zstdcat",
    "unzstd",
    "zstd",
    "lz4",
    "unzip",
    "pg_dump",
    "pg_dumpall",
    "mysqldump",
    "mariadb-dump",
];

/// Whether a word names a file that holds a copy of a whole database, or a program that writes one out.
pub(super) fn is_dump(word: &str) -> bool {
    let name = base(word);
    let in_name = name.contains('.') && pieces(name).iter().any(|piece| DUMP_WORDS.contains(&piece.as_str()));
    in_name || DUMP_ENDINGS.iter().any(|ending| name.ends_with(ending)) || DUMPERS.contains(&name)
}

/// Words in the name of a file that was made beside another one.
const BACKUP_WORDS: &[&str] =
    &["bak", "old", "orig", "original", "save", "saved", "copy", "new", "tmp", "before", "previous"];

/// Whether a path looks like a backup or a new file of its own: nothing is there before.
pub(super) fn is_backup(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let words = || name.split(|c: char| !c.is_ascii_alphabetic());
    ["backup", "snapshot"].iter().any(|word| name.contains(word))
        || words().any(|word| BACKUP_WORDS.contains(&word))
        || name.ends_with('~')
        || name.contains("$(")
        || name.contains('`')
        || path.starts_with("/tmp/")
}

/// What writing a file does.
pub(super) fn written(rule: &str, file: &str) -> Verdict {
    over(rule, file).unwrap_or_else(|| Verdict::new(Changes, rule, "writes a file"))
}

/// Writing onto something that is missed when it is written over.
pub(super) fn over(rule: &str, file: &str) -> Option<Verdict> {
    (is_precious(file) && !is_backup(file)).then(|| {
        Verdict::new(Destroys, rule, "writes over a key, a certificate, a configuration or data that may be there")
    })
}
