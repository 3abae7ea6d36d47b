//! Programs that need a closer look than a line of a table.

use domain::Risk::{Changes, Destroys, Disrupts, Reads};

use super::args::Args;
use super::{Verdict, Within, fed, files, sql, wrappers};
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
        "cp" | "mv" | "install" => Some(copy(args)),
        "dd" => Some(dd(words)),
        "tar" => Some(tar(args, words)),
        "tee" => tee(args),
        "sed" => Some(sed(args, words)),
        "awk" | "gawk" | "mawk" => Some(awk(args, words)),
        "curl" => Some(curl(args, words)),
        "wget" => Some(wget(args, words)),
        "http" | "https" | "xh" => Some(httpie(args)),
        "git" => git(args, words, within),
        "service" => Some(service(&args.shown, if args.has("--status-all") { "status" } else { args.word(1) })),
        "mongo" | "mongosh" => Some(mongo(args, words, within)),
        "psql" | "mysql" | "clickhouse-client" | "cqlsh" => Some(sql_client(args, words, within)),
        "sqlite3" => Some(sqlite(args, within)),
        "redis-cli" => Some(redis(args, within)),
        "mount" if args.positional.is_empty() => Some(Verdict::new(Reads, "mount", "lists what is mounted")),
        "mount" => Some(Verdict::new(Changes, "mount", "mounts a file system")),
        "openssl" => Some(openssl(args, words)),
        "gcloud" | "az" | "doctl" | "flyctl" | "heroku" | "hcloud" | "oci" | "ibmcloud" => cloud(args),
        "kill" | "killall" | "pkill" => signal(args, words),
        "crontab" => crontab(args, within),
        "at" | "batch" => Some(at(args, words, within)),
        "sftp" | "ftp" | "lftp" => Some(fed::shell(words, &args.shown, within).or_worse(Verdict::new(
            Changes,
            args.shown.clone(),
            "writes files",
        ))),
        program if wrappers::INTERPRETERS.contains(&program) => interpreter(args, words, within),
        _ => None,
    }
}

/// `--help` and `--version` alone, of a program that the rules know.
fn says_what_it_is(args: &Args, words: &[Word]) -> Option<Verdict> {
    let [option] = args.options.as_slice() else { return None };
    let last = words.last().is_some_and(|word| word.text == *option);
    let help = option == "--help" && args.positional.len() <= 2;
    let version = option == "--version" && args.positional.is_empty();
    (last && (help || version) && super::is_known(&args.program))
        .then(|| Verdict::new(Reads, format!("{} {option}", args.shown), "says what it is"))
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
fn copy(args: &Args) -> Verdict {
    let shown = &args.shown;
    if args.has("-n") || args.has("--no-clobber") || args.has("-b") || args.has("--backup") {
        return Verdict::new(Changes, format!("{shown} without writing over"), "keeps what is there");
    }
    let target = args.positional.last().map_or("", String::as_str);
    if args.positional.len() > 1 && args.word(0) == "/dev/null" {
        return Verdict::new(Destroys, format!("{shown} /dev/null"), "empties the file");
    }
    if target == "/dev/null" || target.starts_with("/dev/sd") || target.starts_with("/dev/nvme") {
        return Verdict::new(Destroys, format!("{shown} … {target}"), "the file or the disk is lost");
    }
    if files::is_precious(target) && !files::is_backup(target) {
        return Verdict::new(
            Destroys,
            format!("{shown} over {target}"),
            "writes over a key, a certificate, a configuration or data that may be there",
        );
    }
    Verdict::new(Changes, shown.clone(), "writes files")
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
fn tee(args: &Args) -> Option<Verdict> {
    let target = args.positional.iter().find(|path| files::is_precious(path) && !files::is_backup(path));
    let appends = args.has("-a") || args.has("--append");
    if args.positional.iter().all(|path| path == "/dev/null" || path == "/dev/stderr") {
        return Some(Verdict::new(Reads, "tee", "only shows"));
    }
    target.filter(|_| !appends).map(|target| {
        Verdict::new(
            Destroys,
            format!("tee {target}"),
            "writes over a key, a certificate or a configuration that may be there",
        )
    })
}

fn sed(args: &Args, words: &[Word]) -> Verdict {
    if args.has("-i") || args.has("--in-place") {
        return Verdict::new(Changes, "sed -i", "changes files in their place");
    }
    let script = args.word(0);
    let runs = words.iter().any(|word| word.quoted && (word.text.ends_with("/e") || word.text.contains("/w ")))
        || script.starts_with("w ")
        || script == "e";
    if runs {
        Verdict::new(Changes, "sed", "writes files or runs what it finds")
    } else {
        Verdict::new(Reads, "sed", "only reads")
    }
}

fn awk(args: &Args, words: &[Word]) -> Verdict {
    let code = args.word(0);
    if args.has("-f") || args.has("--file") || words.iter().any(|word| word.text.contains("inplace")) {
        return Verdict::new(Changes, args.shown.clone(), "runs a script that no rule has read");
    }
    if code.contains("system(")
        || code.contains("| \"")
        || code.contains("|\"")
        || code.contains("> \"")
        || code.contains(">\"")
    {
        let spoken = wrappers::spoken(words);
        let risk = if spoken.is_some() { Destroys } else { Changes };
        return Verdict::new(risk, format!("{} with commands", args.shown), "writes files or starts programs");
    }
    Verdict::new(Reads, args.shown.clone(), "only reads")
}

/// The options of curl that send something.
const CURL_BODY: &[&str] = &[
    "-d",
    "-F",
    "-T",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--data-ascii",
    "--form",
    "--form-string",
    "--upload-file",
    "--json",
];

fn curl(args: &Args, words: &[Word]) -> Verdict {
    let sends = CURL_BODY.iter().any(|option| args.has(option)) && !args.has("-G") && !args.has("--get");
    let method = args.value(words, &["-X", "--request"]).map(str::to_uppercase);
    let method = method.unwrap_or_else(|| if sends { "POST".to_owned() } else { "GET".to_owned() });
    if let Some(verdict) = by_method("curl", &method, words) {
        return verdict;
    }
    // `-X GET` with a body is what search engines are asked with; an upload stays one.
    let file = args.value(words, &["-o", "--output"]).filter(|file| !matches!(*file, "/dev/null" | "-"));
    if let Some(verdict) = file.and_then(|file| writes_over("curl -o", file)) {
        return verdict;
    }
    if file.is_some() || ["-O", "--remote-name", "--remote-name-all", "-J"].iter().any(|option| args.has(option)) {
        return Verdict::new(Changes, "curl -o", "writes a file");
    }
    if args.has("-K") || args.has("--config") {
        return Verdict::new(Changes, "curl -K", "does what a file says");
    }
    if args.has("-Q") || args.has("--quote") {
        return Verdict::new(Changes, "curl -Q", "tells the server something");
    }
    Verdict::new(Reads, if method == "HEAD" || args.has("-I") { "curl -I" } else { "curl" }, "only asks")
}

/// Writing onto something that is missed when it is written over.
fn writes_over(shown: &str, file: &str) -> Option<Verdict> {
    (files::is_precious(file) && !files::is_backup(file)).then(|| {
        Verdict::new(
            Destroys,
            format!("{shown} {file}"),
            "writes over a key, a certificate or a configuration that may be there",
        )
    })
}

/// What a method other than GET does.
fn by_method(shown: &str, method: &str, words: &[Word]) -> Option<Verdict> {
    let rule = format!("{shown} {method}");
    match method {
        "GET" | "HEAD" | "OPTIONS" | "TRACE" => None,
        "DELETE" => Some(Verdict::new(Destroys, rule, "asks the server to delete something")),
        _ => Some(match wrappers::spoken(words) {
            Some(word) => Verdict::new(
                Destroys,
                format!("{rule} … {word}"),
                format!("tells the server something that speaks of “{word}”"),
            ),
            None if words.iter().any(|word| {
                word.text.contains("/-/quit") || word.text.contains("restart") || word.text.contains("reload")
            }) =>
            {
                Verdict::new(Disrupts, rule, "tells the server to begin anew")
            }
            None => Verdict::new(Changes, rule, "tells the server something"),
        }),
    }
}

fn wget(args: &Args, words: &[Word]) -> Verdict {
    let method = value(words, &["--method"]).map(str::to_uppercase);
    let posts = args.options.iter().any(|option| option.starts_with("--post-") || option.starts_with("--body-"));
    let method = method.unwrap_or_else(|| if posts { "POST".to_owned() } else { "GET".to_owned() });
    if let Some(verdict) = by_method("wget", &method, words) {
        return verdict;
    }
    let shown_only = args.has("--spider")
        || args.value(words, &["-O", "--output-document"]).is_some_and(|file| file == "-" || file == "/dev/null");
    let file = args.value(words, &["-O", "--output-document"]);
    if let Some(verdict) = file.and_then(|file| writes_over("wget -O", file)) {
        return verdict;
    }
    if shown_only { Verdict::new(Reads, "wget", "only asks") } else { Verdict::new(Changes, "wget", "writes a file") }
}

fn httpie(args: &Args) -> Verdict {
    match args.word(0).to_uppercase().as_str() {
        "DELETE" => Verdict::new(Destroys, format!("{} DELETE", args.shown), "asks the server to delete something"),
        "POST" | "PUT" | "PATCH" => Verdict::new(Changes, args.shown.clone(), "tells the server something"),
        _ if args.positional.iter().skip(1).any(|word| word.contains('=')) => {
            Verdict::new(Changes, args.shown.clone(), "tells the server something")
        }
        _ => Verdict::new(Reads, args.shown.clone(), "only asks"),
    }
}

/// What git does to files that are not committed.
fn git(args: &Args, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let after: Vec<&str> = args.positional.iter().skip(1).map(String::as_str).collect();
    if let ("submodule" | "bisect", Some(&("foreach" | "run"))) = (args.word(0), after.first()) {
        let starts = Verdict::new(Changes, format!("git {}", args.word(0)), "starts another program");
        return Some(super::script(&after[1..].join(" "), within.deeper()).or_worse(starts));
    }
    match args.word(0) {
        "checkout" if args.has("-f") || args.has("--force") || args.has("-B") => None,
        "checkout" if args.has("-b") || args.has("--orphan") => {
            Some(Verdict::new(Changes, "git checkout -b", "makes a branch"))
        }
        "checkout" => {
            let dashes = words.iter().any(|word| word.text == "--");
            let path = after
                .iter()
                .any(|word| *word == "." || word.ends_with('/') || word.starts_with("./") || word.starts_with(':'));
            Some(
                if dashes
                    || path
                    || args.has("-p")
                    || args.has("--patch")
                    || args.has("--theirs")
                    || args.has("--ours")
                    || after.len() > 1
                {
                    Verdict::new(Destroys, "git checkout --", "uncommitted work in these files is lost")
                } else {
                    Verdict::new(
                        Changes,
                        "git checkout",
                        "changes the files to another commit; uncommitted work is kept or it refuses",
                    )
                },
            )
        }
        "push" if after.iter().any(|word| word.starts_with('+') || word.starts_with(':')) => {
            Some(Verdict::new(Destroys, "git push +", "history of the other repository is lost"))
        }
        "tag" | "remote" | "config" if after.is_empty() && args.options.is_empty() => {
            Some(Verdict::new(Reads, format!("git {}", args.word(0)), "only looks at the repository"))
        }
        "config" if after.len() == 1 && args.options.is_empty() => {
            Some(Verdict::new(Reads, "git config", "only looks at the repository"))
        }
        _ => None,
    }
}

fn service(shown: &str, verb: &str) -> Verdict {
    let rule = format!("{shown} {verb}").trim().to_owned();
    match verb {
        "status" | "" => Verdict::new(Reads, rule, "only looks"),
        "start" => Verdict::new(Changes, rule, "starts the service"),
        _ => Verdict::new(Disrupts, rule, "the service goes away for a while"),
    }
}

fn mongo(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    if let Some(code) = value(words, &["--eval"]) {
        return sql::mongo(&args.shown, code);
    }
    let judge = |text: &str| {
        fed::lines(text, |line| sql::mongo(&args.shown, line))
            .unwrap_or_else(|| Verdict::new(Reads, args.shown.clone(), "asks nothing"))
    };
    let file = args.positional.iter().any(|word| word.rsplit_once('.').is_some_and(|(_, ending)| ending == "js"));
    fed::statements(&args.shown, within, judge).filter(|_| !file).unwrap_or_else(|| {
        Verdict::new(Changes, args.shown.clone(), "runs a script, or opens a shell in which anything can be typed")
    })
}

/// The options of a client behind which statements stand.
const STATEMENTS: &[(&str, &[&str])] = &[
    ("psql", &["-c", "--command"]),
    ("mysql", &["-e", "--execute"]),
    ("cqlsh", &["-e", "--execute"]),
    ("clickhouse-client", &["-q", "--query"]),
];

/// The statements in a client's words: `-c …`, `-tAc …`, `--command=…`, `-e'…'`.
fn inline<'w>(args: &Args, words: &'w [Word]) -> Vec<&'w str> {
    let names = STATEMENTS.iter().find(|(program, _)| *program == args.program).map_or(&[][..], |(_, names)| *names);
    let letter = names.first().map_or('\0', |name| char::from(name.as_bytes()[1]));
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().skip(1) {
        let text = word.text.as_str();
        let next = words.get(at + 1).map(|word| word.text.as_str());
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let cluster = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        if name.starts_with("--") && names.contains(&name) {
            found.extend(value.or(next));
        } else if let Some(cluster) = cluster
            && let Some(place) = cluster.find(letter)
            && cluster[..place].bytes().all(|byte| b"tAaqXxNsBrn".contains(&byte))
        {
            let glued = &cluster[place + 1..];
            found.extend(if glued.is_empty() { next } else { Some(glued) });
        }
    }
    found
}

fn sql_client(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    let inline = inline(args, words);
    if !inline.is_empty() {
        return sql::sql(&args.shown, &inline.join(";"));
    }
    if args.program == "psql" && (args.has("-l") || args.has("--list")) {
        return Verdict::new(Reads, "psql -l", "lists the databases");
    }
    let file = args.program == "psql" && (args.has("-f") || args.has("--file"));
    if !file && let Some(verdict) = fed::statements(&args.shown, within, |text| sql::sql(&args.shown, text)) {
        return verdict;
    }
    match wrappers::spoken(words) {
        Some(word) => Verdict::new(
            Destroys,
            format!("{} … {word}", args.shown),
            "runs statements that no rule has read, from a file that speaks of losing something",
        ),
        None => Verdict::new(Changes, args.shown.clone(), "runs statements that no rule has read"),
    }
}

fn sqlite(args: &Args, within: Within<'_>) -> Verdict {
    match args.positional.get(1) {
        Some(statement) => sql::sql("sqlite3", statement),
        None => fed::statements("sqlite3", within, |text| sql::sql("sqlite3", text))
            .unwrap_or_else(|| Verdict::new(Changes, "sqlite3", "opens a shell, in which anything can be typed")),
    }
}

fn redis(args: &Args, within: Within<'_>) -> Verdict {
    let looks = [
        "--stat",
        "--bigkeys",
        "--memkeys",
        "--hotkeys",
        "--latency",
        "--latency-history",
        "--scan",
        "--intrinsic-latency",
    ];
    if let Some(option) = looks.iter().find(|option| args.has(option)) {
        return Verdict::new(Reads, format!("{} {option}", args.shown), "only asks");
    }
    let line = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect();
        sql::redis(&args.shown, &words)
    };
    let judge =
        |text: &str| fed::lines(text, line).unwrap_or_else(|| Verdict::new(Reads, args.shown.clone(), "asks nothing"));
    if args.positional.is_empty()
        && let Some(verdict) = fed::statements(&args.shown, within, judge)
    {
        return verdict;
    }
    sql::redis(&args.shown, &args.positional)
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
    const LOSES: &[&str] =
        &["delete", "remove", "destroy", "purge", "reset", "rm", "revoke", "disable", "detach", "unset", "restore"];
    const GOES: &[&str] =
        &["stop", "restart", "reboot", "deallocate", "resize", "rollback", "scale", "failover", "update", "deploy"];
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
    if args.positional.is_empty()
        && ["--version", "-v", "-V"].iter().any(|option| args.options.iter().any(|given| given == option))
    {
        return Some(Verdict::new(Reads, format!("{} --version", args.shown), "says its version"));
    }
    if !wrappers::has_own_script(words) && matches!(within.input, Input::Program { .. }) {
        let rule = format!("| {}", args.shown);
        return Some(Verdict::new(Destroys, rule, "runs as code whatever the program before it writes"));
    }
    let module = words.iter().position(|word| word.text == "-m").filter(|_| args.program == "python")?;
    let module = words.get(module + 1..)?;
    if module.first()?.text == "json.tool" {
        return Some(Verdict::new(Reads, format!("{} -m json.tool", args.shown), "only reads"));
    }
    let starts = Verdict::new(Changes, args.shown.clone(), "runs a module");
    super::by_rule(module, within.deeper()).map(|verdict| starts.or_worse(verdict))
}
