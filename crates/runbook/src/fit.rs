//! Whether a value fits its parameter's type: its form, never whether the thing is there.
//!
//! The one place of these rules: the gate asks it about what people give, the side file's reader about defaults and examples.

use std::sync::LazyLock;

use domain::runbook::ParameterKind;
use regex::Regex;

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It does not match the pattern of the side file, which is no sentence for people.
    Pattern(String),
    /// What is expected instead, as the rest of a sentence that begins with the parameter's label.
    Form(String),
}

/// Why a value does not fit a type; `None` when it does.
pub fn misfit(kind: &ParameterKind, value: &str) -> Option<Misfit> {
    if value.is_empty() {
        return form("a value is missing");
    }
    // The other border of a value, NUL, is one for every shell; this one is for the eyes of who reads the output.
    if value.contains('\r') {
        return form("a value cannot contain a carriage return; end its lines with line feeds alone");
    }
    match kind {
        ParameterKind::Text { pattern } => pattern.as_deref().and_then(|pattern| unlike(pattern, value)),
        ParameterKind::Number { min, max, decimal: false } => whole(*min, *max, value),
        ParameterKind::Number { min, max, decimal: true } => decimal(*min, *max, value),
        ParameterKind::Choice { choices } if choices.iter().any(|choice| choice == value) => None,
        ParameterKind::Choice { choices } => form(format!("choose one of {}", choices.join(", "))),
        ParameterKind::Path { root } => path(value).or_else(|| off_root(root.as_deref().unwrap_or("/"), value)),
        ParameterKind::BackupFile { root, pattern } => path(value).or_else(|| backup(root, pattern.as_deref(), value)),
        ParameterKind::Secret => form("a secret is named in the portal's configuration and never typed"),
        ParameterKind::ComposeService { .. } => of_form(
            &COMPOSE_SERVICE,
            value,
            "write the name of a service: letters, digits, dots, hyphens and _, beginning with a letter or a digit",
        ),
        ParameterKind::Container => of_form(
            &CONTAINER,
            value,
            "write a container's name or id: letters, digits, dots, hyphens and _, beginning with a letter or a digit",
        ),
        ParameterKind::Image => of_form(
            &IMAGE,
            value,
            "write the name of an image, with its registry before it and its tag behind it when it has them",
        ),
        ParameterKind::GitRevision => revision(value),
    }
}

/// A regular expression that a whole value has to match, line feeds included.
///
/// # Errors
///
/// When the pattern is no regular expression by itself: `a)|(b` must not slip out of the anchors.
pub(crate) fn anchored(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(pattern)?;
    Regex::new(&format!(r"\A(?:{pattern})\z"))
}

/// The regular expression for a glob of file names: `*`, `?` and `[…]`.
///
/// # Errors
///
/// When a bracket holds no set of characters.
pub(crate) fn glob(pattern: &str) -> Result<Regex, regex::Error> {
    let mut expression = String::from(r"(?s)\A");
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match (character, rest.split_once(']')) {
            ('*', _) => expression.push_str("[^/]*"),
            ('?', _) => expression.push_str("[^/]"),
            ('[', Some((set, after))) if !set.is_empty() => {
                let (not, set) = set.strip_prefix(['!', '^']).map_or(("", set), |set| ("^", set));
                let set = set.replace('\\', r"\\").replace('[', r"\[");
                expression.extend(["[", not, &set, "]"]);
                rest = after;
            }
            _ => expression.push_str(&regex::escape(character.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push_str(r"\z");
    Regex::new(&expression)
}

fn pattern(expression: &str) -> Regex {
    anchored(expression).expect("a fixed pattern")
}

static COMPOSE_SERVICE: LazyLock<Regex> = LazyLock::new(|| pattern("[A-Za-z0-9][A-Za-z0-9_.-]*"));
static CONTAINER: LazyLock<Regex> = LazyLock::new(|| pattern("[A-Za-z0-9][A-Za-z0-9_.-]*"));
/// The grammar of the distribution project: a registry, lower-case components, a tag, a digest.
static IMAGE: LazyLock<Regex> = LazyLock::new(|| {
    let label = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
    let registry = format!(r"{label}(?:\.{label})*(?::[0-9]{{1,5}})?/");
    let component = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*";
    let tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
    pattern(&format!("(?:{registry})?{component}(?:/{component})*(?::{tag})?(?:@sha256:[0-9a-f]{{64}})?"))
});
/// A name or `@{…}`, and what may follow: `~2`, `^`, `^{commit}`, `@{1.day.ago}`. No range, no path, no search.
static REVISION: LazyLock<Regex> = LazyLock::new(|| {
    let moment = r"@\{[A-Za-z0-9 .:_/+-]+\}";
    let name = r"[\p{L}\p{N}_@][\p{L}\p{N}._/@+=#%,-]*";
    pattern(&format!(r"(?:{name}|{moment})(?:~[0-9]*|\^[0-9]*|\^\{{(?:commit|tree|tag|object)?\}}|{moment})*"))
});
static WHOLE: LazyLock<Regex> = LazyLock::new(|| pattern("-?(?:0|[1-9][0-9]*)"));
static DECIMAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"));

#[expect(clippy::unnecessary_wraps, reason = "every rule answers with an option")]
fn form(expected: impl Into<String>) -> Option<Misfit> {
    Some(Misfit::Form(expected.into()))
}

fn of_form(expression: &Regex, value: &str, expected: &str) -> Option<Misfit> {
    if expression.is_match(value) { None } else { form(expected) }
}

fn unlike(pattern: &str, value: &str) -> Option<Misfit> {
    match anchored(pattern) {
        Ok(expression) if expression.is_match(value) => None,
        Ok(_) => Some(Misfit::Pattern(pattern.to_owned())),
        Err(_) => form(format!("the pattern {pattern} of the side file cannot be read, so no value fits it")),
    }
}

fn whole(min: Option<i64>, max: Option<i64>, value: &str) -> Option<Misfit> {
    match value.parse::<i64>() {
        Ok(number) if WHOLE.is_match(value) => match (min, max) {
            (Some(min), _) if number < min => form(format!("{min} is the smallest")),
            (_, Some(max)) if number > max => form(format!("{max} is the largest")),
            _ => None,
        },
        _ if WHOLE.is_match(value) => form("the number has more digits than a computer counts with"),
        // To a shell a leading zero makes it another number.
        _ => form("write a whole number in digits, without a leading zero"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a border of 2^53 and more is no border of a decimal number")]
fn decimal(min: Option<i64>, max: Option<i64>, value: &str) -> Option<Misfit> {
    let number = value.parse::<f64>().ok().filter(|number| number.is_finite() && DECIMAL.is_match(value));
    match (number, min, max) {
        (None, ..) => form("write a number in digits, with a point before its decimals"),
        (Some(number), Some(min), _) if number < min as f64 => form(format!("{min} is the smallest")),
        (Some(number), _, Some(max)) if number > max as f64 => form(format!("{max} is the largest")),
        _ => None,
    }
}

/// A path must be absolute, without `..` and on one line. Links are the target's business: a path is only text here.
fn path(value: &str) -> Option<Misfit> {
    if !value.starts_with('/') {
        return form("write an absolute path, beginning with /");
    }
    if value.contains(char::is_control) {
        return form("a path cannot contain line feeds, tabs or other characters that do not show");
    }
    if value.split('/').any(|part| part == "..") {
        return form("a path cannot contain ..");
    }
    None
}

fn off_root(root: &str, value: &str) -> Option<Misfit> {
    let root = root.trim_end_matches('/');
    let beneath = value == root || beneath(root, value).is_some();
    if beneath { None } else { form(format!("the path has to lie beneath {root}/")) }
}

/// What stands behind the root and its slash.
fn beneath<'v>(root: &str, value: &'v str) -> Option<&'v str> {
    value.strip_prefix(root.trim_end_matches('/'))?.strip_prefix('/')
}

fn backup(root: &str, names: Option<&str>, value: &str) -> Option<Misfit> {
    let root = root.trim_end_matches('/');
    let name = match beneath(root, value).map(|path| path.rsplit('/').next().unwrap_or(path)) {
        None => return form(format!("the file has to lie beneath {root}/")),
        Some("" | ".") => return form(format!("write the path of a file beneath {root}/, not of a folder")),
        Some(name) => name,
    };
    let names = names?;
    match glob(names) {
        Ok(glob) if glob.is_match(name) => None,
        Ok(_) => form(format!("the name of the file has to be one of {names}")),
        Err(_) => form(format!("the pattern {names} of the side file cannot be read, so no file fits it")),
    }
}

/// What git takes for one commit, and never for an option, a range or a file.
fn revision(value: &str) -> Option<Misfit> {
    let expected =
        "write one commit, tag or branch, as git names it; it cannot begin with a hyphen, and a range is not one";
    let odd = value.contains("..") || value.contains("//") || value.contains("/.") || value.ends_with(['.', '/']);
    if odd || value.strip_suffix(".lock").is_some() { form(expected) } else { of_form(&REVISION, value, expected) }
}

/// Whether the name of a file fits a glob; `false` for a glob that cannot be read.
pub fn matches_glob(pattern: &str, name: &str) -> bool {
    glob(pattern).is_ok_and(|glob| glob.is_match(name))
}

#[cfg(test)]
mod tests;
