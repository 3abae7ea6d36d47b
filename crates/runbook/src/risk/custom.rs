//! Programs that need a closer look than a line of a table.

mod clients;
mod git;
mod http;
mod text;

use domain::Risk::{Changes, Destroys, Disrupts, Reads};

use super::args::{Args, given, values};
use super::{Verdict, Within, fed, files, loosely, substitutions, verbs, wrappers};
use crate::shell::{Input, Word};

/// The class of a program that stands here; `None` leaves it to the tables.
pub(super) fn judge(args: &Args, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    if let Some(verdict) = says_what_it_is(args, words) {
        return Some(verdict);
    }
    if words.first().is_some_and(|program| program.text.contains("/init.d/") || program.text.contains("/rc.d/")) {
        return Some(service(&args.shown, args.word(0)));
    }
    match args.program.as_str() {
        "cp" | "mv" | "install" => Some(copy(args, words)),
        "ln" => link(args),
        "dd" => Some(dd(words)),
        "tar" => Some(tar(args, words)),
        "tee" => tee(args, within),
        "sort" => sort(args, words),
        "uniq" | "xxd" => args.positional.get(1).map(|file| files::written(&args.shown, file)),
        "sed" => Some(text::sed(args, words, within)),
        "awk" | "gawk" | "mawk" => Some(text::awk(args, words, within)),
        "curl" => Some(http::curl(args, words)),
        "wget" => Some(http::wget(args, words)),
        "http" | "https" | "xh" => Some(http::httpie(args, words)),
        "git" => git::git(args, words, within),
        "ansible" => Some(ansible(args, words, within)),
        "service" => Some(service(&args.shown, if args.has("--status-all") { "status" } else { args.word(1) })),
        "mongo" | "mongosh" => Some(clients::mongo(args, words, within)),
        "psql" | "mysql" | "clickhouse-client" | "cqlsh" => Some(clients::sql_client(args, words, within)),
        "sqlite3" => Some(clients::sqlite(args, words, within)),
        "redis-cli" => Some(clients::redis(args, within)),
        "mount" => Some(mount(args, words)),
        "kubectl" => kubectl(args, words),
        "iptables" => iptables(args, words),
        "socat" => socat(args, within),
        "mysqladmin" => mysqladmin(args),
        "openssl" => Some(openssl(args, words)),
        "gcloud" | "az" | "doctl" | "flyctl" | "heroku" | "hcloud" | "oci" | "ibmcloud" => {
            super::by_table(args).or_else(|| cloud(args))
        }
        "kill" | "killall" | "pkill" => signal(args, words),
        "crontab" => crontab(args, within),
        "at" | "batch" => Some(at(args, words, within)),
        // The shell works these words out once more.
        "test" | "[" | "let" | "read" | "mapfile" | "readarray" | "getopts" | "unset" | "wait" => {
            evaluates(words, within)
        }
        "printf" if args.has("-v") => evaluates(words, within),
        "scp" => Some(transfer(args, words, within)),
        "sftp" | "ftp" | "lftp" => Some(fed::shell(words, &args.shown, within).or_worse(transfer(args, words, within))),
        program if wrappers::INTERPRETERS.contains(&program) => interpreter(args, words, within),
        _ => None,
    }
}

/// `--help` and `--version` alone, of a program that the rules know.
fn says_what_it_is(args: &Args, words: &[Word]) -> Option<Verdict> {
    let [option] = args.options.as_slice() else { return None };
    let last = words.last().is_some_and(|word| word.text == *option);
    // Words that can only be subcommands: a program of awk in their place would run.
    let subcommand = |word: &String| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let help = option == "--help" && args.positional.len() <= 2 && args.positional.iter().all(subcommand);
    let version = option == "--version" && args.positional.is_empty();
    (last && (help || version) && super::is_known(&args.program))
        .then(|| Verdict::new(Reads, format!("{} {option}", args.shown), "says what it is"))
}

/// `mount` alone, or with `-l`, lists; a word or `-a` mounts.
fn mount(args: &Args, words: &[Word]) -> Verdict {
    let told = given(words, "-o|--options", "");
    if told.iter().any(|word| word.text.split(',').any(|option| option == "remount")) {
        return Verdict::new(Disrupts, "mount -o remount", "what uses it may lose it");
    }
    let lists = args.positional.is_empty() && told.is_empty() && !args.has("-a") && !args.may_have("--all");
    if lists {
        return Verdict::new(Reads, "mount", "lists what is mounted");
    }
    Verdict::new(Changes, "mount", "mounts a file system")
}

/// What kubectl does by words that are no subcommands: `delete pod/a pod/b`, and objects that wait for a finalizer.
fn kubectl(args: &Args, words: &[Word]) -> Option<Verdict> {
    let shown = &args.shown;
    let said = |text: &str| words.iter().any(|word| word.text.contains(text));
    if matches!(args.word(0), "patch" | "replace") && (said("finalizers") || said("/finalize")) {
        let reason = "an object is removed before what it waits for is done";
        return Some(Verdict::new(Destroys, format!("{shown} {} finalizers", args.word(0)), reason));
    }
    let pod = |word: &String| ["pod/", "pods/", "po/"].iter().any(|kind| word.starts_with(kind) && !word.contains(','));
    let pods = args.word(0) == "delete" && args.positional.len() > 1 && args.positional[1..].iter().all(pod);
    pods.then(|| Verdict::new(Disrupts, format!("{shown} delete pod"), "what keeps the pods starts new ones"))
}

/// A rule that only lets something in.
fn iptables(args: &Args, words: &[Word]) -> Option<Verdict> {
    let target = given(words, "-j|--jump", values("iptables")).into_iter().next_back()?;
    let adds = args.options.iter().any(|option| matches!(option.as_str(), "-A" | "--append" | "-I" | "--insert"));
    let own = super::by_table(args).filter(|own| own.risk == Disrupts && adds && target.text == "ACCEPT");
    own.map(|_| Verdict::new(Changes, format!("{} -j ACCEPT", args.shown), "adds a rule that lets something in"))
}

/// What a server is told through its socket: lines that begin with `show` only ask.
fn socat(args: &Args, within: Within<'_>) -> Option<Verdict> {
    let (Input::Text { says, put_in: false } | Input::Program { says, all: true, .. }) = within.input else {
        return None;
    };
    let socket = |word: &String| {
        let kind = word.to_uppercase();
        kind == "STDIO" || kind == "-" || kind.starts_with("UNIX") || kind.starts_with("TCP") || kind.ends_with("SOCK")
    };
    let lines = || says.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty());
    let asks = lines().all(|line| line.starts_with("show ") || line == "help");
    if asks && args.options.is_empty() && args.positional.iter().all(socket) {
        return Some(Verdict::new(Reads, format!("{} show", args.shown), "only asks"));
    }
    lines().filter_map(|line| verbs::of_line(&args.shown, line)).reduce(Verdict::or_worse)
}

/// mysqladmin takes several verbs: the worst of them.
fn mysqladmin(args: &Args) -> Option<Verdict> {
    let verb = |word: &String| super::by_table(&Args { positional: vec![word.clone()], ..args.clone() });
    let first = verb(args.positional.first()?)?;
    Some(args.positional.iter().filter_map(verb).fold(first, Verdict::or_worse))
}

/// Signal 0 only asks whether the program is there.
fn signal(args: &Args, words: &[Word]) -> Option<Verdict> {
    let nothing = args.value(words, &["-s", "-n", "--signal"]) == Some("0");
    nothing.then(|| Verdict::new(Reads, format!("{} -s 0", args.shown), "only asks whether it is there"))
}

/// `crontab -`, `crontab < file`: what it is fed replaces the table.
fn crontab(args: &Args, within: Within<'_>) -> Option<Verdict> {
    let own = ["-l", "-e", "-r"].iter().any(|option| args.has(option)) || !args.positional.is_empty();
    let fed = *within.input != Input::Nothing;
    (fed && !own).then(|| Verdict::new(Destroys, "crontab", "replaces the whole table"))
}

/// What `at` is fed runs later.
fn at(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    if args.has("-l") {
        return Verdict::new(Reads, "at -l", "lists what is planned");
    }
    if args.has("-r") || args.has("-d") {
        return Verdict::new(Destroys, "at -r", "removes what is planned");
    }
    fed::shell(words, &args.shown, within).or_worse(Verdict::new(Changes, "at", "plans something for later"))
}

fn value<'w>(words: &'w [Word], names: &[&str]) -> Option<&'w str> {
    for (at, word) in words.iter().enumerate() {
        if names.contains(&word.text.as_str()) {
            return words.get(at + 1).map(|word| word.text.as_str());
        }
        if let Some((name, value)) = word.text.split_once('=')
            && names.contains(&name)
        {
            return Some(value);
        }
    }
    None
}

/// `cp` and `mv`: what stands at the destination is written over.
fn copy(args: &Args, words: &[Word]) -> Verdict {
    let shown = &args.shown;
    if args.has("-n") || args.has("--no-clobber") || args.has("-b") || args.has("--backup") {
        return Verdict::new(Changes, format!("{shown} without writing over"), "keeps what is there");
    }
    let folder = given(words, "-t|--target-directory", values(&args.program)).into_iter().next_back();
    let target = folder.as_ref().map(|folder| folder.text.as_str());
    let target = target.or_else(|| args.positional.last().map(String::as_str)).unwrap_or_default();
    if args.positional.len() > 1 && args.word(0) == "/dev/null" {
        return Verdict::new(Destroys, format!("{shown} /dev/null"), "empties the file");
    }
    if target == "/dev/null" || target.starts_with("/dev/sd") || target.starts_with("/dev/nvme") {
        return Verdict::new(Destroys, format!("{shown} … {target}"), "the file or the disk is lost");
    }
    files::over(&format!("{shown} over {target}"), target)
        .unwrap_or_else(|| Verdict::new(Changes, shown.clone(), "writes files"))
}

/// `ln -f`: what stands in the link's place is removed.
fn link(args: &Args) -> Option<Verdict> {
    let forced = args.has("-f") || args.may_have("--force");
    let target = args.positional.last().filter(|_| forced)?;
    if args.word(0) == "/dev/null" {
        return Some(Verdict::new(Destroys, "ln -f /dev/null", "the file is lost"));
    }
    files::over(&format!("ln -f over {target}"), target)
        .or_else(|| Some(Verdict::new(Changes, "ln -f", "replaces a link")))
}

/// `sort -o FILE /dev/null` empties the file; the rest is in the tables.
fn sort(args: &Args, words: &[Word]) -> Option<Verdict> {
    let file = given(words, "-o|--output", values("sort")).into_iter().next_back()?;
    let nothing = !args.positional.is_empty() && args.positional.iter().all(|input| input == "/dev/null");
    nothing.then(|| Verdict::new(Destroys, format!("sort -o {} /dev/null", file.text), "empties the file"))
}

/// Words that the shell works out once more, as `test -v 'a[$(…)]'`.
fn evaluates(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let quoted = words.iter().skip(1).filter(|word| !word.expands);
    quoted.filter_map(|word| substitutions(&word.text, within)).reduce(Verdict::or_worse)
}

/// Copying through ssh, with settings of ssh.
fn transfer(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    let own = Verdict::new(Changes, args.shown.clone(), "writes files");
    wrappers::ssh_settings(words, within).into_iter().fold(own, Verdict::or_worse)
}

/// Modules of ansible that only look.
const ANSIBLE_LOOKS: &[&str] =
    &["ping", "win_ping", "setup", "debug", "stat", "slurp", "service_facts", "package_facts"];

/// `ansible HOSTS -m MODULE -a WORDS`.
fn ansible(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    let last = |names: &str| given(words, names, values("ansible")).into_iter().next_back().map(|word| word.text);
    let module = last("-m|--module-name").unwrap_or_else(|| "command".to_owned());
    let module = module.rsplit('.').next().unwrap_or_default().to_owned();
    let told = last("-a|--args").unwrap_or_default();
    let rule = format!("ansible -m {module}");
    if args.has("--list-hosts") || ANSIBLE_LOOKS.contains(&module.as_str()) {
        return Verdict::new(Reads, rule, "only looks");
    }
    if matches!(module.as_str(), "command" | "shell" | "raw" | "script") {
        let own = Verdict::new(Reads, rule, "runs a program on other machines");
        return own.or_worse(super::script(&told, within.deeper()));
    }
    let says = |words: &[&str]| words.iter().any(|word| told.contains(&format!("state={word}")));
    if module == "reboot" || says(&["restarted", "reloaded", "stopped"]) {
        return Verdict::new(Disrupts, rule, "a service goes away for a while");
    }
    if says(&["absent"]) {
        return Verdict::new(Destroys, rule, "removes it");
    }
    Verdict::new(Changes, rule, "changes other machines")
}

/// Copying onto a file of this machine from somewhere else: `scp`, `rsync`, `docker cp`, clouds.
pub(super) fn copies_over(args: &Args) -> Option<Verdict> {
    let copies = match args.program.as_str() {
        "scp" | "rsync" => true,
        "docker" | "compose" | "kubectl" | "gsutil" => args.word(0) == "cp",
        "aws" => args.word(0) == "s3" && args.word(1) == "cp" || args.word(1) == "get-object",
        "rclone" => matches!(args.word(0), "copy" | "copyto"),
        "s3cmd" | "mc" => matches!(args.word(0), "get" | "cp"),
        _ => false,
    };
    // Objects in clouds have addresses; on another machine or in a container the file stands behind the colon.
    let target = args.positional.last().filter(|target| copies && !target.contains("://"))?;
    let file = target.rsplit(':').next().unwrap_or(target);
    files::over(&format!("{} over {target}", args.shown), file)
}

fn dd(words: &[Word]) -> Verdict {
    match words.iter().find(|word| word.text.starts_with("of=")) {
        Some(word) if word.text == "of=/dev/null" => Verdict::new(Reads, "dd of=/dev/null", "only reads"),
        Some(_) => Verdict::new(Destroys, "dd of=", "writes over the file or the disk"),
        None => Verdict::new(Reads, "dd", "only reads"),
    }
}

fn tar(args: &Args, words: &[Word]) -> Verdict {
    let mode = words.get(1).map_or("", |word| word.text.trim_start_matches('-'));
    let old_style = words.get(1).is_some_and(|word| !word.text.starts_with("--"));
    let has = |letter: char, long: &str| {
        (old_style && mode.contains(letter)) || args.has(&format!("-{letter}")) || args.has(long)
    };
    if args.has("--delete") || args.has("--remove-files") {
        return Verdict::new(Destroys, "tar --delete", "files are lost");
    }
    if has('t', "--list") && !has('x', "--extract") && !has('c', "--create") {
        return Verdict::new(Reads, "tar -t", "lists what the archive holds");
    }
    if has('x', "--extract") {
        let into_root =
            value(words, &["-C", "--directory"]).is_some_and(|folder| folder == "/" || folder.starts_with("/etc"));
        if into_root || args.has("--overwrite") {
            return Verdict::new(Destroys, "tar -x", "writes over the files of the system");
        }
        return Verdict::new(Changes, "tar -x", "writes files");
    }
    Verdict::new(Changes, "tar -c", "writes an archive")
}

/// `tee` onto something that is missed when it is written over; the rest is in the tables.
fn tee(args: &Args, within: Within<'_>) -> Option<Verdict> {
    let target = args.positional.iter().find(|path| files::is_precious(path) && !files::is_backup(path));
    let appends = args.has("-a") || args.has("--append");
    if args.positional.iter().all(|path| path == "/dev/null" || path == "/dev/stderr") {
        return Some(Verdict::new(Reads, "tee", "only shows"));
    }
    let devices = args.positional.iter().filter_map(|path| files::device(&format!("tee {path}"), path));
    if let Some(verdict) = devices.reduce(Verdict::or_worse) {
        return Some(verdict);
    }
    let nothing = matches!(within.input, Input::Text { says, .. } if says.is_empty());
    if nothing && !appends {
        return Some(Verdict::new(Destroys, "tee", "empties the file"));
    }
    target.filter(|_| !appends).and_then(|target| files::over(&format!("tee {target}"), target))
}

fn service(shown: &str, verb: &str) -> Verdict {
    let rule = format!("{shown} {verb}").trim().to_owned();
    match verb {
        "status" | "" => Verdict::new(Reads, rule, "only looks"),
        "start" => Verdict::new(Changes, rule, "starts the service"),
        _ => Verdict::new(Disrupts, rule, "the service goes away for a while"),
    }
}

fn openssl(args: &Args, words: &[Word]) -> Verdict {
    let writes = value(words, &["-out", "-keyout", "-signkey"]).is_some();
    match args.word(0) {
        "s_client" | "x509" | "verify" | "version" | "ciphers" | "crl" | "dgst" | "rsa" | "req" | "pkcs12"
        | "asn1parse" | "speed" | "rand" | "ocsp" | "pkey" | "ec"
            if !writes =>
        {
            Verdict::new(Reads, format!("openssl {}", args.word(0)), "only looks")
        }
        _ => Verdict::new(Changes, "openssl", "writes a key or a certificate"),
    }
}

/// Clouds name the verb last: the first word that is one decides.
fn cloud(args: &Args) -> Option<Verdict> {
    const LOSES: &[&str] = &[
        "delete",
        "remove",
        "destroy",
        "purge",
        "reset",
        "rm",
        "revoke",
        "disable",
        "detach",
        "unset",
        "restore",
        "set-iam-policy",
    ];
    const GOES: &[&str] = &[
        "stop",
        "restart",
        "reboot",
        "deallocate",
        "resize",
        "rollback",
        "scale",
        "failover",
        "update",
        "deploy",
        "patch",
        "swap",
        "upgrade",
        "update-traffic",
        "set-traffic",
    ];
    const LOOKS: &[&str] = &[
        "describe",
        "list",
        "get",
        "show",
        "read",
        "ls",
        "status",
        "logs",
        "info",
        "version",
        "get-credentials",
        "list-instances",
        "releases",
        "ps",
    ];
    let find = |verbs: &[&str]| {
        args.positional
            .iter()
            .find(|word| verbs.iter().any(|verb| *verb == word.rsplit(':').next().unwrap_or(word)))
            .cloned()
    };
    let verdict = |risk, verb: String, reason| Some(Verdict::new(risk, format!("{} … {verb}", args.shown), reason));
    if let Some(verb) = find(LOSES) {
        return verdict(Destroys, verb, "it is lost");
    }
    if let Some(verb) = find(GOES) {
        return verdict(Disrupts, verb, "it goes away for a while");
    }
    find(LOOKS).and_then(|verb| verdict(Reads, verb, "only looks"))
}

/// Code in a word, or a script: nobody has read it.
fn interpreter(args: &Args, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    // Alone: behind another option it may be one of a program that runs.
    if args.positional.is_empty()
        && matches!(args.options.as_slice(), [only] if matches!(only.as_str(), "--version" | "-v" | "-V"))
    {
        return Some(Verdict::new(Reads, format!("{} --version", args.shown), "says its version"));
    }
    if !wrappers::has_own_script(words) && matches!(within.input, Input::Program { .. }) {
        let rule = format!("| {}", args.shown);
        return Some(Verdict::new(Destroys, rule, "runs as code whatever the program before it writes"));
    }
    if let Some(verdict) = starts_in_code(args, words) {
        return Some(verdict);
    }
    let module = words.iter().position(|word| word.text == "-m").filter(|_| args.program == "python")?;
    let module = words.get(module + 1..)?;
    if module.first()?.text == "json.tool" {
        return Some(Verdict::new(Reads, format!("{} -m json.tool", args.shown), "only reads"));
    }
    let starts = Verdict::new(Changes, args.shown.clone(), "runs a module");
    super::by_rule(module, within.deeper()).map(|verdict| starts.or_worse(verdict))
}

/// A program that stands in a word of code, as in `os.system("rm …")`, when it is worse than the code itself.
fn starts_in_code(args: &Args, words: &[Word]) -> Option<Verdict> {
    let code = words.iter().skip(1).filter(|word| word.quoted && word.text.contains(['(', ' ']));
    let worst = code.filter_map(|word| loosely(&word.text)).reduce(Verdict::or_worse)?;
    (worst.risk > Changes).then(|| Verdict { rule: format!("{} … {}", args.shown, worst.rule), ..worst })
}
