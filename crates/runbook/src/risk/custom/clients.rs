//! Clients of databases: what their statements do, wherever these stand.

use domain::Risk::{Changes, Destroys, Disrupts, Reads};

use super::super::args::{Args, given, values};
use super::super::{Verdict, Within, fed, files, sql, wrappers};
use super::value;
use crate::shell::{Input, Word};

pub(super) fn mongo(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
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

/// A copy of a whole database that a client is fed, or told to read.
fn restored(args: &Args, words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let database =
        |file: &str| args.positional.iter().any(|word| file.rsplit('/').next() == Some(&format!("{word}.sql")));
    let files = given(words, "-f|--file", values("psql")).into_iter().map(|file| file.text);
    let files: Vec<String> = files.filter(|_| args.program == "psql").collect();
    let fed = match within.input {
        Input::File(file) => file.as_str(),
        Input::Program { by, all: false, .. } => by.as_str(),
        _ => "",
    };
    let whole = |word: &str| files::is_dump(word) || database(word);
    let restores = fed.split_whitespace().chain(files.iter().map(String::as_str)).any(whole);
    restores.then(|| Verdict::new(Destroys, format!("{} < a dump", args.shown), RESTORES))
}

/// Why a restore destroys.
const RESTORES: &str = "a dump is read: what is in the database is written over";

pub(super) fn sql_client(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    let inline = inline(args, words);
    if !inline.is_empty() {
        return sql::sql(&args.shown, &inline.join(";"), within);
    }
    if args.program == "psql" && (args.has("-l") || args.has("--list")) {
        return Verdict::new(Reads, "psql -l", "lists the databases");
    }
    if let Some(verdict) = restored(args, words, within) {
        return verdict;
    }
    let file = args.program == "psql" && (args.has("-f") || args.has("--file"));
    if !file && let Some(verdict) = fed::statements(&args.shown, within, |text| sql::sql(&args.shown, text, within)) {
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

pub(super) fn sqlite(args: &Args, words: &[Word], within: Within<'_>) -> Verdict {
    let before = given(words, "-cmd|--cmd", values("sqlite3"));
    let init =
        args.has("-init").then(|| Verdict::new(Changes, "sqlite3 -init", "runs statements that no rule has read"));
    let before = before.iter().map(|word| word.text.as_str());
    let statements: Vec<&str> = before.chain(args.positional.iter().skip(1).map(String::as_str)).collect();
    let own = match statements.as_slice() {
        [] => fed::statements("sqlite3", within, |text| sql::sql("sqlite3", text, within))
            .unwrap_or_else(|| Verdict::new(Changes, "sqlite3", "opens a shell, in which anything can be typed")),
        statements => sql::sql("sqlite3", &statements.join("\n;\n"), within),
    };
    init.into_iter().fold(own, Verdict::or_worse)
}

pub(super) fn redis(args: &Args, within: Within<'_>) -> Verdict {
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
    if args.has("--cluster") {
        return redis_cluster(args.word(0));
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

/// `redis-cli --cluster WORD`.
fn redis_cluster(word: &str) -> Verdict {
    let rule = format!("redis-cli --cluster {word}");
    match word {
        "check" | "info" | "help" | "" => Verdict::new(Reads, rule, "only asks"),
        "del-node" | "call" => Verdict::new(Destroys, rule, "members or keys are lost"),
        _ => Verdict::new(Disrupts, rule, "the cluster moves keys, or changes its members"),
    }
}
