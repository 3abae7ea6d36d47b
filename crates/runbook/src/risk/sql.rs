//! What a statement of SQL, of the shell of `MongoDB` or of Redis does.

use std::sync::LazyLock;

use domain::Risk::{self, Changes, Destroys, Disrupts, Reads};
use regex::Regex;

use super::files::is_dump;
use super::words::destructive;
use super::{Verdict, Within, script};
use crate::shell::Input;

static LOSES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(drop|delete|truncate|revoke|replace|purge|flush|reset|overwrite|reassign)\b")
        .expect("a fixed pattern")
});
static WRITES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(insert|update|create|alter|grant|copy|merge|call|do|set|into|vacuum|reindex|analyze|lock|load|import)\b")
        .expect("a fixed pattern")
});
static ENDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)pg_terminate_backend|pg_cancel_backend|\bkill\b|\bshutdown\b").expect("a fixed pattern")
});
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*(\(*\s*select|show|explain|describe|desc|with|table|values|\\[a-z+]+|\.tables|\.schema|\.databases|\.dbinfo|pragma\s+\w+\s*;?\s*$)")
        .expect("a fixed pattern")
});

/// The name before a bracket; behind `into` it is a table.
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(\b(?:into|table|references)\s+(?:if\s+not\s+exists\s+)?)?([A-Za-z_][\w.]*)\s*\(")
        .expect("a fixed pattern")
});
/// Words of a function's name, between `_`, that speak of losing something.
static FUNCTION_LOSES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[_.])(?:drop|delete|truncate|purge|remove|unlink|flush|reset|destroy|wipe|revoke)(?:[_.]|$)")
        .expect("a fixed pattern")
});
/// Functions after which the server, or its configuration, is another.
const FUNCTION_DISRUPTS: &[&str] = &["pg_reload_conf", "pg_promote", "pg_switch_wal", "pg_wal_replay_pause"];
/// Words of SQL that stand before a bracket, types, and functions that only compute or look.
const FUNCTION_LOOKS: &str = "in values and or over from as on exists where not any all some filter using select by union except \
    intersect having case when then else with row lateral within group partition interval numeric decimal varchar char cast \
    count sum avg min max coalesce nullif ifnull isnull if iif greatest least now date time timestamp current_setting \
    current_database current_schema current_user version to_char to_date to_timestamp date_trunc date_part extract age \
    datediff date_sub date_add date_format from_unixtime unix_timestamp curdate strftime round floor ceil ceiling abs mod \
    power sqrt length char_length octet_length lower upper trim ltrim rtrim substr substring position left right concat \
    concat_ws group_concat string_agg array_agg array_length array_to_string unnest json_agg jsonb_agg json_build_object \
    jsonb_build_object json_extract jsonb_array_elements to_json to_jsonb row_number rank dense_rank lag lead ntile \
    percentile_cont first_value last_value generate_series format md5 sha256 random pg_size_pretty pg_database_size \
    pg_total_relation_size pg_relation_size pg_table_size pg_indexes_size pg_tablespace_size pg_is_in_recovery \
    pg_blocking_pids pg_current_wal_lsn pg_current_wal_insert_lsn pg_wal_lsn_diff pg_last_wal_receive_lsn \
    pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_postmaster_start_time pg_conf_load_time pg_backend_pid \
    pg_get_userbyid pg_get_indexdef pg_get_constraintdef pg_get_viewdef pg_get_functiondef pg_stat_get_activity \
    pg_ls_waldir pg_ls_dir pg_stat_file txid_current_snapshot inet_server_addr database schema user connection_id \
    formatreadablesize regclass obj_description col_description has_table_privilege pg_encoding_to_char explain";

/// What the functions of a statement do that only looks otherwise.
fn functions(shown: &str, statement: &str) -> Option<Verdict> {
    let names = FUNCTION.captures_iter(statement).filter(|found| found.get(1).is_none());
    let names = names.map(|found| found[2].to_lowercase());
    let judged = names.filter_map(|name| {
        let rule = format!("{shown} {name}()");
        if FUNCTION_LOSES.is_match(&name) {
            return Some(Verdict::new(Destroys, rule, "data or access is lost"));
        }
        if FUNCTION_DISRUPTS.contains(&name.as_str()) {
            return Some(Verdict::new(Disrupts, rule, "the server begins anew, or works in another way"));
        }
        let looks = FUNCTION_LOOKS.split_whitespace().any(|known| known == name);
        (!looks).then(|| Verdict::new(Changes, rule, "a function that no rule knows may write into the database"))
    });
    judged.reduce(Verdict::or_worse)
}

/// One or more statements of SQL, with the client's own commands among them.
pub(super) fn sql(shown: &str, text: &str, within: Within<'_>) -> Verdict {
    let nothing = Verdict::new(Reads, shown, "asks nothing");
    let own = text.lines().filter_map(|line| reads_dump(shown, line).or_else(|| of_client(shown, line, within)));
    let program =
        PROGRAM.captures_iter(text).map(|found| started(shown, found.get(1).map_or("", |code| code.as_str()), within));
    let statements = text.split([';', '\n']).any(|piece| piece.trim_start().starts_with(['\\', '.']));
    // Lines of the client are no statements.
    let sql = if statements {
        text.lines().filter(|line| !is_of_client(line)).collect::<Vec<_>>().join("\n")
    } else {
        text.to_owned()
    };
    let of_sql = sql.split(';').filter(|statement| !statement.trim().is_empty()).map(|statement| one(shown, statement));
    own.chain(program).chain(of_sql).reduce(Verdict::or_worse).unwrap_or(nothing)
}

/// `copy … to program 'command'`.
static PROGRAM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\bprogram\s+(?:E?'([^']*)'|\$\$)").expect("a fixed pattern"));
/// A command of psql or mysql, wherever it stands on its line.
static BACKSLASH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\\([A-Za-z_]+[+]?|[!?])\s*([^\\]*)").expect("a fixed pattern"));
/// What follows a command of psql that only looks.
static PSQL_LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:d[a-zA-Z]*\+?|l\+?|z|sf\+?|sv\+?|conninfo|x|timing|pset|a|t|h|help|\?|q|quit|c|connect|echo|qecho|warn|encoding|errverbose|prompt|watch|r|reset|p|print|g|gx|gdesc|if|elif|else|endif|set|unset|copyright|C|f|H|T|s|u|G|R|password)$")
        .expect("a fixed pattern")
});

fn is_of_client(line: &str) -> bool {
    line.trim_start().starts_with(['\\', '.'])
}

/// A line with a command of the client: `\! …`, `\g |…`, `.shell …`, `system …`.
fn of_client(shown: &str, line: &str, within: Within<'_>) -> Option<Verdict> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix('.') {
        return Some(of_sqlite(shown, rest, within));
    }
    let word = line.split_whitespace().next().unwrap_or_default();
    if shown == "mysql" && matches!(word, "system" | "pager" | "P") {
        return Some(started(shown, &line[word.len()..], within));
    }
    let commands = BACKSLASH.captures_iter(line).map(|found| {
        let (name, rest) = (&found[1], found[2].trim());
        let rule = format!("{shown} \\{name}");
        if let Some(program) = rest.strip_prefix('|') {
            return started(shown, program, within);
        }
        match name {
            "!" => started(shown, rest, within),
            "gexec" => Verdict::new(Destroys, rule, "runs as statements whatever a query writes"),
            "lo_unlink" => Verdict::new(Destroys, rule, "data or access is lost"),
            "o" | "out" | "w" | "write" | "i" | "ir" | "include" | "include_relative" | "copy" | "e" | "ef" | "ev"
            | "edit" => Verdict::new(Changes, rule, "reads or writes a file, or runs what no rule has read"),
            name if PSQL_LOOKS.is_match(name) => Verdict::new(Reads, rule, "only asks the database"),
            _ => Verdict::new(Changes, rule, "a command of the client that no rule knows"),
        }
    });
    // A backslash inside a statement is more often part of its text than a command.
    let first = is_of_client(line) || line.contains("\\g") || line.contains("\\!");
    commands.reduce(Verdict::or_worse).filter(|_| first)
}

fn of_sqlite(shown: &str, line: &str, within: Within<'_>) -> Verdict {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim().trim_matches(['\'', '"']);
    if let Some(program) = rest.strip_prefix('|') {
        return started(shown, program, within);
    }
    let rule = format!("{shown} .{name}");
    match name.trim_end_matches(';') {
        "shell" | "system" => started(shown, rest, within),
        "restore" => Verdict::new(Destroys, rule, "replaces the data"),
        "tables" | "schema" | "databases" | "dbinfo" | "indexes" | "indices" | "show" | "headers" | "header"
        | "mode" | "help" | "timer" | "stats" | "quit" | "exit" | "width" | "nullvalue" | "fullschema" | "dump"
        | "eqp" | "print" => Verdict::new(Reads, rule, "only asks the database"),
        _ => Verdict::new(Changes, rule, "a command of the client that no rule knows"),
    }
}

/// A program that a client starts.
fn started(shown: &str, code: &str, within: Within<'_>) -> Verdict {
    let own = Verdict::new(Changes, format!("{shown} with a command"), "starts a program");
    own.or_worse(script(code.trim(), Within { depth: within.depth + 1, input: &Input::Nothing }))
}

/// A kind of statement: how it begins or what stands in it, what must not stand in it, its class, its name, and why.
pub(super) type Kind = (&'static str, &'static str, Risk, &'static str, &'static str);

/// Kinds of statements, first fit first, before what their words say.
pub(super) const KINDS: &[Kind] = &[
    (
        r"^flush\s+(local\s+)?(privileges|hosts|logs|status|(binary|error|general|slow|engine|relay)\s+logs)$",
        "",
        Changes,
        "FLUSH",
        "begins logs or caches anew",
    ),
    (r"^flush\s+(local\s+)?tables?\b", "", Disrupts, "FLUSH TABLES", WAITS),
    (r"^alter\s+(role|user)\b.*\b(nologin|account\s+lock)\b", "", Destroys, "ALTER ROLE … NOLOGIN", "access is lost"),
    (r"^vacuum\b.*\bfull\b", "", Disrupts, "VACUUM FULL", WAITS),
    (r"^reindex\b", r"\bconcurrently\b", Disrupts, "REINDEX", WAITS),
    (r"^create\s+(unique\s+)?index\b", r"\bconcurrently\b", Disrupts, "CREATE INDEX", WAITS),
    (r"^create\s+(unique\s+)?index\s+concurrently\b", "", Changes, "CREATE INDEX CONCURRENTLY", "adds an index"),
    (r"^alter\s+table\b.*(\brename\b|\bengine\s*=)", r"\b(drop|truncate)\b", Disrupts, "ALTER TABLE", WAITS),
    (r"^lock\s+tables?\b", "", Disrupts, "LOCK TABLE", WAITS),
    (
        r"^stop\s+(slave|replica|group_replication)\b",
        "",
        Disrupts,
        "STOP REPLICA",
        "the copy is no longer kept up to date",
    ),
    (
        r"^set\s+(global|persist)\s.*read_only\b",
        "",
        Disrupts,
        "SET GLOBAL read_only",
        "nothing can be written any more",
    ),
];
/// Why a statement disrupts that holds a table.
const WAITS: &str = "others wait for the table while it works";

static KIND: LazyLock<Vec<(Regex, Option<Regex>, &Kind)>> = LazyLock::new(|| {
    let pattern = |text: &str| Regex::new(&format!("(?is){text}")).expect("a fixed pattern");
    KINDS.iter().map(|kind| (pattern(kind.0), (!kind.1.is_empty()).then(|| pattern(kind.1)), kind)).collect()
});

/// A statement whose kind has a class of its own.
fn by_kind(shown: &str, statement: &str) -> Option<Verdict> {
    let statement = statement.trim();
    let fits = |fits: &Regex, unless: &Option<Regex>| {
        fits.is_match(statement) && !unless.as_ref().is_some_and(|unless| unless.is_match(statement))
    };
    let (.., (_, _, risk, name, reason)) = KIND.iter().find(|(pattern, unless, _)| fits(pattern, unless))?;
    Some(Verdict::new(*risk, format!("{shown} {name}"), *reason))
}

/// `source FILE` of mysql, and `\i FILE` of psql, where the file is a copy of a whole database.
fn reads_dump(shown: &str, line: &str) -> Option<Verdict> {
    let mut words = line.trim_end_matches(';').split_whitespace();
    let reads = matches!(words.next()?, "source" | "\\." | "\\i" | "\\ir" | "\\include");
    let dump = words.next().filter(|file| reads && is_dump(file))?;
    Some(Verdict::new(
        Destroys,
        format!("{shown} source {dump}"),
        "a dump is read: what is in the database is written over",
    ))
}

fn one(shown: &str, statement: &str) -> Verdict {
    if let Some(verdict) = by_kind(shown, statement) {
        return verdict;
    }
    if let Some(word) = LOSES.find(statement) {
        return Verdict::new(Destroys, format!("{shown} {}", word.as_str().to_uppercase()), "data or access is lost");
    }
    if let Some(word) = ENDS.find(statement) {
        return Verdict::new(
            Disrupts,
            format!("{shown} {}", word.as_str()),
            "ends what others are doing in the database",
        );
    }
    let unbounded =
        statement.trim_start().to_lowercase().starts_with("update") && !statement.to_lowercase().contains("where");
    if unbounded {
        return Verdict::new(Destroys, format!("{shown} UPDATE without WHERE"), "every row is written over");
    }
    if let Some(verdict) = functions(shown, statement) {
        return verdict;
    }
    if WRITES.is_match(statement) || !LOOKS.is_match(statement) {
        return Verdict::new(Changes, shown, "may write into the database");
    }
    Verdict::new(Reads, shown, "only asks the database")
}

static MONGO_LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    let look = r"(?:db|rs|sh)(?:\.[A-Za-z_]\w*|\.getSiblingDB\([^()]*\)|\.getCollection\([^()]*\))*\.(?:currentOp|serverStatus|stats|version|hostInfo|status|conf|getCollectionNames|getMongo|isMaster|hello|printReplicationInfo|printSecondaryReplicationInfo|countDocuments|estimatedDocumentCount|count|find|findOne|distinct|getIndexes|dataSize|totalSize|getUsers|getReplicationInfo)\([^()]*\)(?:\.(?:pretty|limit|sort|toArray|count|size|forEach\(printjson\)|ok)(?:\([^()]*\))?)*";
    Regex::new(&format!(r"^\s*(?:(?:printjson|print|JSON\.stringify)\()?\s*(?:{look}|show \w+)\s*\)?\s*;?\s*$"))
        .expect("a fixed pattern")
});

/// What stands in code that writes over whole documents, without its blanks, and its name.
const MONGO_LOSES: &[(&str, &str)] = &[
    ("updateMany({},", "updateMany({})"),
    ("update({},", "update({})"),
    ("replaceOne(", "replaceOne"),
    ("findOneAndReplace(", "findOneAndReplace"),
    ("$out", "$out"),
];

/// Code for the shell of `MongoDB`.
pub(super) fn mongo(shown: &str, code: &str) -> Verdict {
    if MONGO_LOOKS.is_match(code) {
        return Verdict::new(Reads, format!("{shown} --eval"), "only asks the database");
    }
    if let Some(word) = destructive(code) {
        return Verdict::new(Destroys, format!("{shown} --eval {word}"), "code that speaks of losing something");
    }
    if let Some((_, name)) = MONGO_LOSES.iter().find(|(pattern, _)| code.replace(' ', "").contains(pattern)) {
        return Verdict::new(Destroys, format!("{shown} --eval {name}"), "documents or a collection are written over");
    }
    if code.contains("fsyncLock")
        || code.contains("shutdownServer")
        || code.contains("killOp")
        || code.contains("stepDown")
    {
        return Verdict::new(Disrupts, format!("{shown} --eval"), "the database, or somebody's work in it, goes away");
    }
    Verdict::new(Changes, format!("{shown} --eval"), "code that no rule has read")
}

const REDIS: &[(&str, Risk, &str)] = &[
    (
        "get mget info ping keys scan ttl pttl type llen lrange hget hmget hgetall hlen hkeys smembers scard sismember zrange zscore zcard exists dbsize monitor slowlog memory role lastsave time object xlen xrange xinfo pubsub latency echo strlen getrange randomkey command client cluster sentinel acl",
        Reads,
        "only asks",
    ),
    (
        "flushall flushdb del unlink getdel rename restore swapdb replicaof slaveof debug migrate ltrim lpop rpop spop hdel srem zrem xdel xtrim zremrangebyscore",
        Destroys,
        "keys are lost",
    ),
    ("shutdown failover", Disrupts, "the server goes away for a while"),
];

/// A command of Redis.
pub(super) fn redis(shown: &str, words: &[String]) -> Verdict {
    let word = |index: usize| words.get(index).map_or_else(String::new, |word: &String| word.to_lowercase());
    let (first, second) = (word(0), word(1));
    let rule = format!("{shown} {}", first.to_uppercase()).trim().to_owned();
    match (first.as_str(), second.as_str()) {
        ("", _) => Verdict::new(Changes, shown, "opens a shell, in which anything can be typed"),
        ("config", "get") => Verdict::new(Reads, rule, "only asks"),
        ("replicaof" | "slaveof", "no") => Verdict::new(Disrupts, rule, "the copy leads from now on"),
        ("client", "kill" | "pause") | ("debug", "sleep") | ("cluster" | "sentinel", "failover") => {
            Verdict::new(Disrupts, rule, "connections end or wait, or another server leads")
        }
        (
            "client" | "cluster" | "acl" | "sentinel",
            "kill" | "pause" | "failover" | "reset" | "forget" | "deluser" | "flushslots",
        ) => Verdict::new(Destroys, rule, "connections, members or access are lost"),
        (
            "client" | "cluster" | "acl" | "sentinel" | "memory" | "slowlog" | "latency",
            "reset" | "purge" | "setslot" | "meet" | "setuser" | "set",
        ) => Verdict::new(Changes, rule, "changes a setting"),
        ("eval" | "evalsha" | "fcall", _) => match words.iter().find_map(|word| destructive(word)) {
            Some(word) => {
                Verdict::new(Destroys, format!("{rule} … {word}"), "a script that speaks of losing something")
            }
            None => Verdict::new(Changes, rule, "a script that no rule has read"),
        },
        ("script" | "function", "flush" | "delete") => Verdict::new(Destroys, rule, "scripts are lost"),
        _ => REDIS.iter().find(|(commands, ..)| commands.split(' ').any(|command| command == first)).map_or_else(
            || Verdict::new(Changes, rule.clone(), "writes a key or a setting"),
            |(_, risk, reason)| Verdict::new(*risk, rule.clone(), *reason),
        ),
    }
}
