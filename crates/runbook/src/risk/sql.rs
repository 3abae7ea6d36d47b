//! What a statement of SQL, of the shell of `MongoDB` or of Redis does.

use std::sync::LazyLock;

use domain::Risk::{self, Changes, Destroys, Disrupts, Reads};
use regex::Regex;

use super::Verdict;
use super::words::destructive;

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

/// One or more statements of SQL.
pub(super) fn sql(shown: &str, text: &str) -> Verdict {
    let statements = text.split(';').filter(|statement| !statement.trim().is_empty());
    let nothing = Verdict::new(Reads, shown, "asks nothing");
    statements.map(|statement| one(shown, statement)).reduce(Verdict::or_worse).unwrap_or(nothing)
}

fn one(shown: &str, statement: &str) -> Verdict {
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

/// Code for the shell of `MongoDB`.
pub(super) fn mongo(shown: &str, code: &str) -> Verdict {
    if MONGO_LOOKS.is_match(code) {
        return Verdict::new(Reads, format!("{shown} --eval"), "only asks the database");
    }
    if let Some(word) = destructive(code) {
        return Verdict::new(Destroys, format!("{shown} --eval {word}"), "code that speaks of losing something");
    }
    if code.contains("shutdownServer") || code.contains("killOp") || code.contains("stepDown") {
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
        (
            "client" | "cluster" | "acl" | "sentinel",
            "kill" | "pause" | "failover" | "reset" | "forget" | "deluser" | "flushslots",
        ) => Verdict::new(Destroys, rule, "connections, members or access are lost"),
        (
            "client" | "cluster" | "acl" | "sentinel" | "memory" | "slowlog" | "latency",
            "reset" | "purge" | "setslot" | "meet" | "setuser" | "set",
        ) => Verdict::new(Changes, rule, "changes a setting"),
        ("script" | "function", "flush" | "delete") => Verdict::new(Destroys, rule, "scripts are lost"),
        _ => REDIS.iter().find(|(commands, ..)| commands.split(' ').any(|command| command == first)).map_or_else(
            || Verdict::new(Changes, rule.clone(), "writes a key or a setting"),
            |(_, risk, reason)| Verdict::new(*risk, rule.clone(), *reason),
        ),
    }
}
