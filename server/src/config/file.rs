//! `portal.toml`: parsed, checked key by key, and documented.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::approval::ApprovalRules;
use domain::{Lowering, Risk};
use portal::{CheckpointSettings, MailSettings, WebhookSettings};
use serde::{Deserialize, Deserializer, de::Error as _};
use toml::de::{DeTable, DeValue};

use super::approval::{self, ApprovalTable};
use super::identity::{self, IdentityTable};
use super::target::{self, Key, TargetTable};
use super::telling::{self, MailTable};
use super::{LogFormat, Networks, PublicUrl, parse_span};

/// The file with every key, its default and its meaning, as `serve --write-config` prints it.
pub const DOCUMENTED: &str = include_str!("portal.toml");

/// Why a configuration cannot be used: one sentence with the place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}. Nothing was started; {remedy}")]
pub struct ConfigError {
    place: String,
    what: String,
    remedy: &'static str,
}

const LOOK_UP: &str = "correct it, or look it up in what `runbook-portal serve --write-config` prints";

impl ConfigError {
    pub(super) fn unreadable(place: &str, error: &std::io::Error) -> Self {
        Self {
            place: place.to_owned(),
            what: format!("the configuration cannot be read: {error}"),
            remedy: "name a readable file with --config",
        }
    }

    /// About people for whom others vouch; what is wrong may stand in several places.
    pub(super) fn identity(place: &str, what: String) -> Self {
        Self { place: place.to_owned(), what, remedy: LOOK_UP }
    }

    fn at(place: &str, line: usize, what: String) -> Self {
        Self { place: format!("{place}:{line}"), what, remedy: LOOK_UP }
    }
}

/// What a file says. What it does not say is `None`.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    pub listen: Option<SocketAddr>,
    pub data: Option<PathBuf>,
    pub runbooks: Option<PathBuf>,
    pub public_url: Option<PublicUrl>,
    pub proxies: Option<Networks>,
    pub metrics: Option<Networks>,
    pub session_idle: Option<Duration>,
    pub session_absolute: Option<Duration>,
    pub log_format: Option<LogFormat>,
    pub targets: Vec<(String, TargetTable)>,
    pub lowerings: Vec<Lowering>,
    pub approvals: ApprovalRules,
    pub mail: Option<MailSettings>,
    pub webhooks: Vec<WebhookSettings>,
    /// How long a notice is kept.
    pub notices_keep: Option<Duration>,
    /// The files of secrets by name.
    pub secrets: Vec<(String, PathBuf)>,
    pub checkpoints: CheckpointSettings,
    pub identity: IdentityTable,
}

#[derive(Deserialize)]
struct Tables {
    listen: Option<SocketAddr>,
    data: Option<PathBuf>,
    runbooks: Option<PathBuf>,
    #[serde(default, deserialize_with = "parsed")]
    public_url: Option<PublicUrl>,
    #[serde(default)]
    proxy: ProxyTable,
    #[serde(default)]
    metrics: MetricsTable,
    #[serde(default)]
    session: SessionTable,
    #[serde(default)]
    log: LogTable,
    #[serde(default)]
    target: BTreeMap<String, TargetTable>,
    #[serde(default, deserialize_with = "lowerings")]
    lower: Vec<Lowering>,
    #[serde(default)]
    approval: ApprovalTable,
    #[serde(default)]
    notices: NoticesTable,
    mail: Option<MailTable>,
    #[serde(default, deserialize_with = "telling::webhooks")]
    webhook: Vec<WebhookSettings>,
    #[serde(default)]
    secret: BTreeMap<String, SecretTable>,
    #[serde(default)]
    audit: AuditTable,
    #[serde(default)]
    identity: IdentityTable,
}

/// `[audit]`.
#[derive(Default, Deserialize)]
struct AuditTable {
    checkpoints: Option<PathBuf>,
    #[serde(default, deserialize_with = "checkpoint_span")]
    every: Option<Duration>,
}

impl AuditTable {
    fn settings(self) -> CheckpointSettings {
        CheckpointSettings { folder: self.checkpoints, every: self.every.unwrap_or(CheckpointSettings::LONGEST) }
    }
}

/// One `[secret.NAME]`.
#[derive(Deserialize)]
struct SecretTable {
    file: PathBuf,
}

#[derive(Default, Deserialize)]
struct SessionTable {
    #[serde(default, deserialize_with = "span")]
    idle: Option<Duration>,
    #[serde(default, deserialize_with = "span")]
    absolute: Option<Duration>,
}

#[derive(Default, Deserialize)]
struct ProxyTable {
    trusted: Option<Networks>,
}

#[derive(Default, Deserialize)]
struct MetricsTable {
    from: Option<Networks>,
}

#[derive(Default, Deserialize)]
struct NoticesTable {
    #[serde(default, deserialize_with = "span")]
    keep: Option<Duration>,
}

#[derive(Default, Deserialize)]
struct LogTable {
    format: Option<LogFormat>,
}

impl ConfigFile {
    /// Reads a file's text; `place` is what messages call the file.
    pub fn parse(text: &str, place: &str) -> Result<Self, ConfigError> {
        let failed = |error: toml::de::Error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            ConfigError::at(place, line, one_line(error.message()))
        };
        let table = DeTable::parse(text).map_err(failed)?;
        check_keys(table.get_ref(), text, place)?;
        let tables: Tables = toml::from_str(text).map_err(failed)?;
        let targets = in_order(tables.target, table.get_ref());
        if targets.is_empty() {
            return Err(ConfigError {
                place: place.to_owned(),
                what: "the configuration names no target, so nothing could run anywhere".to_owned(),
                remedy: "add [target.local] with kind = \"local\", or leave the file out to get that target",
            });
        }
        Ok(Self {
            listen: tables.listen,
            data: tables.data,
            runbooks: tables.runbooks,
            public_url: tables.public_url,
            proxies: tables.proxy.trusted,
            metrics: tables.metrics.from,
            session_idle: tables.session.idle,
            session_absolute: tables.session.absolute,
            log_format: tables.log.format,
            targets,
            lowerings: tables.lower,
            approvals: tables.approval.rules(),
            notices_keep: tables.notices.keep,
            mail: tables.mail.map(|table| table.0),
            webhooks: tables.webhook,
            secrets: tables.secret.into_iter().map(|(name, table)| (name, table.file)).collect(),
            checkpoints: tables.audit.settings(),
            identity: tables.identity,
        })
    }
}

const TOP: &[&str] = &[
    "listen",
    "data",
    "runbooks",
    "public_url",
    "proxy",
    "metrics",
    "session",
    "log",
    "target",
    "lower",
    "approval",
    "notices",
    "mail",
    "webhook",
    "secret",
    "audit",
    "identity",
];
const SESSION: &[&str] = &["idle", "absolute"];
const PROXY: &[&str] = &["trusted"];
const METRICS: &[&str] = &["from"];
const NOTICES: &[&str] = &["keep"];
const LOG: &[&str] = &["format"];
const AUDIT: &[&str] = &["checkpoints", "every"];
const SECRET: &[&str] = &["file"];

const LOWER: &[&str] = &["command", "class", "reason"];

/// Refuses the first key that is no setting, in the order of the file, and names the nearest that is.
fn check_keys(table: &DeTable<'_>, text: &str, place: &str) -> Result<(), ConfigError> {
    let mut unknown = Vec::new();
    collect_unknown(table, "", TOP, &mut unknown);
    for (name, known) in [
        ("proxy", PROXY),
        ("metrics", METRICS),
        ("session", SESSION),
        ("log", LOG),
        ("approval", approval::KEYS),
        ("notices", NOTICES),
        ("mail", telling::MAIL_KEYS),
        ("audit", AUDIT),
        ("identity", identity::KEYS),
    ] {
        if let Some(DeValue::Table(inner)) = table.get(name).map(toml::Spanned::get_ref) {
            collect_unknown(inner, &format!("{name}."), known, &mut unknown);
            collect_unknown_rules(inner, ("rule", "approval.rule."), approval::RULE_KEYS, &mut unknown);
            collect_unknown_rules(inner, ("map", "identity.map."), identity::MAP_KEYS, &mut unknown);
        }
    }
    for (name, inner) in named(table, "identity") {
        let known = match name {
            "proxy" => identity::PROXY_KEYS,
            "oidc" => identity::OIDC_KEYS,
            // One table where there is a list of them is said below, and what is no setting at all above.
            _ => continue,
        };
        collect_unknown(inner, &format!("identity.{name}."), known, &mut unknown);
    }
    for (name, inner) in named(table, "target") {
        collect_unknown_of_target(inner, &format!("target.{name}."), &mut unknown);
    }
    for (name, inner) in named(table, "secret") {
        collect_unknown(inner, &format!("secret.{name}."), SECRET, &mut unknown);
    }
    unknown.extend(single_map(table));
    collect_unknown_rules(table, ("lower", "lower."), LOWER, &mut unknown);
    collect_unknown_rules(table, ("webhook", "webhook."), telling::WEBHOOK_KEYS, &mut unknown);
    match unknown.into_iter().min_by_key(|(start, _)| *start) {
        None => Ok(()),
        Some((start, what)) => Err(ConfigError::at(place, line_of(text, start), what)),
    }
}

/// A map of roles that is one table, where it is a list of lines.
fn single_map(table: &DeTable<'_>) -> Option<(usize, String)> {
    let Some(DeValue::Table(identity)) = table.get("identity").map(toml::Spanned::get_ref) else { return None };
    let (key, map) = identity.get_key_value("map")?;
    let what = "the map is a list of lines: write [[identity.map]], with two brackets, before each of them";
    matches!(map.get_ref(), DeValue::Table(_)).then(|| (key.span().start, what.to_owned()))
}

/// The tables below a name, as `[secret.NAME]`.
fn named<'t, 'i>(table: &'t DeTable<'i>, kind: &str) -> Vec<(&'t str, &'t DeTable<'i>)> {
    let Some(DeValue::Table(named)) = table.get(kind).map(toml::Spanned::get_ref) else { return Vec::new() };
    let mut tables = Vec::new();
    for (name, one) in named {
        if let DeValue::Table(inner) = one.get_ref() {
            tables.push((&**name.get_ref(), inner));
        }
    }
    tables
}

/// The same in a target, whose keys depend on its kind.
fn collect_unknown_of_target(table: &DeTable<'_>, prefix: &str, unknown: &mut Vec<(usize, String)>) {
    let kind = match table.get("kind").map(toml::Spanned::get_ref) {
        Some(DeValue::String(kind)) => kind.as_ref(),
        _ => "",
    };
    for (key, _) in table {
        let name: &str = key.get_ref();
        let what = match target::key(name, kind) {
            Key::Known => continue,
            Key::OfKind(other) => {
                format!(
                    "\"{prefix}{name}\" is a setting of a target of the kind \"{other}\", and this one is \"{kind}\""
                )
            }
            Key::Unknown(known) => not_a_setting(prefix, name, &known),
        };
        unknown.push((key.span().start, what));
    }
}

fn not_a_setting(prefix: &str, name: &str, known: &[&str]) -> String {
    let near =
        nearest(name, known).map_or(String::new(), |near| format!("; the nearest setting is \"{prefix}{near}\""));
    format!("\"{prefix}{name}\" is not a setting{near}")
}

/// The same in each table of a list of tables.
fn collect_unknown_rules(
    table: &DeTable<'_>,
    (name, prefix): (&str, &str),
    known: &[&str],
    unknown: &mut Vec<(usize, String)>,
) {
    let Some(DeValue::Array(rules)) = table.get(name).map(toml::Spanned::get_ref) else { return };
    for rule in rules {
        if let DeValue::Table(inner) = rule.get_ref() {
            collect_unknown(inner, prefix, known, unknown);
        }
    }
}

fn collect_unknown(table: &DeTable<'_>, prefix: &str, known: &[&str], unknown: &mut Vec<(usize, String)>) {
    for (key, _) in table {
        let name: &str = key.get_ref();
        if !known.contains(&name) {
            unknown.push((key.span().start, not_a_setting(prefix, name, known)));
        }
    }
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // A name that was cut short is nearer to its whole than to any other that is as short.
    if let Some(whole) = known.iter().find(|known| name.len() > 2 && known.starts_with(name)) {
        return Some(whole);
    }
    let scored = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), *known));
    scored.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// The targets in the order in which the file names them.
fn in_order(targets: BTreeMap<String, TargetTable>, table: &DeTable<'_>) -> Vec<(String, TargetTable)> {
    let place = |name: &str| match table.get("target").map(toml::Spanned::get_ref) {
        Some(DeValue::Table(named)) => named.get_key_value(name).map_or(usize::MAX, |(key, _)| key.span().start),
        _ => usize::MAX,
    };
    let mut targets: Vec<_> = targets.into_iter().collect();
    targets.sort_by_key(|(name, _)| place(name));
    targets
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_span(&text).map(Some).map_err(D::Error::custom)
}

/// A span between a second and a minute.
fn checkpoint_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let every = span(deserializer)?;
    let allowed = Duration::from_secs(1)..=CheckpointSettings::LONGEST;
    if every.is_none_or(|every| allowed.contains(&every)) {
        return Ok(every);
    }
    Err(D::Error::custom(
        "checkpoints are written at least every minute and at most every second; write \"1s\" to \"1m\"",
    ))
}

fn parsed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PublicUrl>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

/// Each rule names one command, a class below the highest, and why.
fn lowerings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Lowering>, D::Error> {
    let rules = Vec::<Lowering>::deserialize(deserializer)?;
    for (index, rule) in rules.iter().enumerate() {
        let command = rule.command.trim();
        if command.is_empty() || rule.reason.trim().is_empty() {
            let what =
                "a rule of [[lower]] has the exact text of a command and a reason that everybody sees on its step";
            return Err(D::Error::custom(what));
        }
        if rule.class == Risk::Destroys {
            let what = format!(
                "\"{command}\" cannot be lowered to \"destroys\", the highest class; write \"reads\", \"changes\" or \"disrupts\""
            );
            return Err(D::Error::custom(what));
        }
        if rules[..index].iter().any(|other| other.command.trim() == command) {
            return Err(D::Error::custom(format!("two rules of [[lower]] are about \"{command}\"; keep one")));
        }
    }
    Ok(rules)
}
