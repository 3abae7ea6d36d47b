//! Tables of TOML read key by key, so that one mistake costs one key and every finding has its line.

use domain::runbook::{Finding, Level};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Collects findings about one side file.
#[derive(Debug)]
pub(super) struct Findings {
    file: String,
    /// Offsets of the line ends.
    ends: Vec<usize>,
    pub(super) found: Vec<Finding>,
}

impl Findings {
    pub(super) fn new(file: &str, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { file: file.to_owned(), ends, found: Vec::new() }
    }

    /// The line of an offset.
    pub(super) fn line(&self, at: usize) -> u32 {
        u32::try_from(self.ends.partition_point(|end| *end < at)).unwrap_or(u32::MAX).saturating_add(1)
    }

    pub(super) fn error(&mut self, line: u32, code: &str, message: String) {
        self.add(line, Level::Error, code, message);
    }

    pub(super) fn warning(&mut self, line: u32, code: &str, message: String) {
        self.add(line, Level::Warning, code, message);
    }

    fn add(&mut self, line: u32, level: Level, code: &str, message: String) {
        let file = Some(self.file.clone());
        self.found.push(Finding { line, level, code: code.to_owned(), message, procedure: None, file });
    }
}

/// One value with its place.
pub(super) type Value<'d> = &'d Spanned<DeValue<'d>>;

/// A table with its place and its name in messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'d> {
    table: &'d DeTable<'d>,
    pub(super) line: u32,
}

impl<'d> Table<'d> {
    pub(super) fn new(table: &'d DeTable<'d>, line: u32) -> Self {
        Self { table, line }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<Value<'d>> {
        self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    /// Its keys with their lines and values, in the order of the file.
    pub(super) fn entries(&self, findings: &Findings) -> Vec<(&'d str, u32, Value<'d>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), findings.line(key.span().start), value))
            .collect();
        entries.sort_by_key(|(_, line, _)| *line);
        entries
    }

    /// Says which keys are not known.
    pub(super) fn only(&self, known: &[&str], findings: &mut Findings) {
        for (key, line, _) in self.entries(findings) {
            if !known.contains(&key) {
                let near = nearest(key, known.iter().copied());
                let hint = near.map_or_else(
                    || format!("known here are {}", known.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                findings.error(
                    line,
                    "unknown-key",
                    format!("The key {key} is not known here, so it has no effect; {hint}"),
                );
            }
        }
    }

    /// A text.
    pub(super) fn text(&self, key: &str, findings: &mut Findings) -> Option<String> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        expected(value, key, "a text in quotes", text, findings)
    }

    /// A text that must be there.
    pub(super) fn required(&self, key: &str, findings: &mut Findings) -> Option<String> {
        if self.get(key).is_none() {
            findings.error(self.line, "missing-key", format!("The key {key} is missing here; add it."));
        }
        self.text(key, findings)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str, findings: &mut Findings) -> Option<bool> {
        let value = self.get(key)?;
        expected(value, key, "true or false", value.get_ref().as_bool(), findings)
    }

    /// A whole number.
    pub(super) fn number(&self, key: &str, findings: &mut Findings) -> Option<i64> {
        let value = self.get(key)?;
        let number =
            value.get_ref().as_integer().and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        expected(value, key, "a whole number", number, findings)
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str, findings: &mut Findings) -> Option<Vec<String>> {
        let value = self.get(key)?;
        let texts = value
            .get_ref()
            .as_array()
            .and_then(|array| array.iter().map(|value| value.get_ref().as_str().map(str::to_owned)).collect());
        expected(value, key, "a list of texts in quotes, as [\"…\"]", texts, findings)
    }

    /// A table below a key.
    pub(super) fn table(&self, key: &str, findings: &mut Findings) -> Option<Table<'d>> {
        let value = self.get(key)?;
        as_table(value, key, findings)
    }

    /// The tables below a key, by name: `[procedure."Title"]`.
    pub(super) fn named(&self, key: &str, findings: &mut Findings) -> Vec<(&'d str, Table<'d>)> {
        let Some(group) = self.table(key, findings) else { return Vec::new() };
        group
            .entries(findings)
            .into_iter()
            .filter_map(|(name, line, value)| {
                as_table(value, name, findings).map(|table| (name, Table { line, ..table }))
            })
            .collect()
    }
}

/// A value as a table.
pub(super) fn as_table<'d>(value: Value<'d>, key: &str, findings: &mut Findings) -> Option<Table<'d>> {
    let line = findings.line(value.span().start);
    expected(value, key, "a table", value.get_ref().as_table().map(|table| Table::new(table, line)), findings)
}

fn expected<T>(value: Value<'_>, key: &str, wanted: &str, found: Option<T>, findings: &mut Findings) -> Option<T> {
    if found.is_none() {
        let line = findings.line(value.span().start);
        let is = value.get_ref().type_str();
        findings.error(
            line,
            "wrong-type",
            format!("The key {key} takes {wanted}, not {is}, so it has no effect; correct it."),
        );
    }
    found
}

/// The known name that is nearest to a word, when one is near.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}
