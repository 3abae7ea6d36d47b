//! Lists of runs.

use domain::policy::Sight;
use domain::run::Verdict;
use domain::view::{RunRow, Usual};
use domain::{PersonId, RunId, Slug, Timestamp};
use sqlx::QueryBuilder;

use crate::sight::only_seen;
use crate::words::parse;
use crate::{Connection, Db, Error, Store, Write};

/// Closed runs that tell how long a procedure usually takes.
const USUAL_OF: u32 = 20;

/// Fewer of them tell nothing.
const USUAL_FROM: usize = 3;

/// What the history is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only runs of this procedure.
    pub procedure: Option<Slug>,
    /// Only runs that this person started.
    pub person: Option<PersonId>,
    /// Only runs with the verdict of this name, or `open` ones. Any other name finds nothing.
    pub verdict: Option<String>,
    /// Only runs whose title or reason has all of these words, in any case.
    pub words: Option<String>,
    /// Only runs with a smaller number: the next page.
    pub before: Option<RunId>,
    /// At most so many.
    pub limit: u32,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: i64,
    slug: String,
    title: String,
    target: String,
    by_name: String,
    reason: String,
    started: i64,
    ended: Option<i64>,
    verdict: Option<String>,
    status: String,
    step: u32,
    step_title: String,
    steps: u32,
    risk: String,
}

impl TryFrom<Row> for RunRow {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: RunId(row.id),
            slug: Slug(row.slug),
            title: row.title,
            target: row.target,
            by: row.by_name,
            reason: row.reason,
            started: Timestamp(row.started),
            ended: row.ended.map(Timestamp),
            verdict: row.verdict.as_deref().map(parse).transpose()?,
            status: parse(&row.status)?,
            step: row.step,
            step_title: row.step_title,
            steps: row.steps,
            risk: parse(&row.risk)?,
        })
    }
}

fn mapped(rows: Vec<Row>) -> Result<Vec<RunRow>, Error> {
    rows.into_iter().map(RunRow::try_from).collect()
}

/// The columns of [`Row`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, slug, title, target, by_name, reason, started, ended, verdict, status, step, step_title, steps, risk ",
            "FROM runs ",
            $rest
        )
    };
}

const HOLDER: &str = "SELECT id FROM runs WHERE holds = $1";

/// The runs that somebody sees of a select with a condition, in an order.
fn seen(select: &'static str, sight: &Sight, order: &'static str, limit: u32) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(select);
    only_seen(&mut query, sight);
    query.push(order).push(" LIMIT ").push_bind(limit);
    query
}

fn open(sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    seen(select!("WHERE verdict IS NULL"), sight, " ORDER BY id DESC", limit)
}

fn recent(sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    seen(select!("WHERE ended IS NOT NULL"), sight, " ORDER BY ended DESC, id DESC", limit)
}

fn last_of(slug: &Slug, sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    of_procedure(select!("WHERE slug = "), slug, sight, limit)
}

fn reached(slug: &Slug, sight: &Sight) -> QueryBuilder<Db> {
    of_procedure("SELECT ended - started FROM runs WHERE verdict = 'reached' AND slug = ", slug, sight, USUAL_OF)
}

/// The last runs of a procedure that somebody sees, of a select that ends before its address.
fn of_procedure(select: &'static str, slug: &Slug, sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(select);
    query.push_bind(slug.as_str().to_owned());
    only_seen(&mut query, sight);
    query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
    query
}

/// Each address once, with the title of its last run that somebody sees: the index is entered again behind the last one, so that
/// a procedure costs the same with one run and with a million.
fn known(sight: &Sight) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(
        "WITH RECURSIVE known(slug) AS (
            SELECT MIN(slug) FROM runs
            UNION ALL
            SELECT (SELECT MIN(slug) FROM runs WHERE slug > known.slug) FROM known WHERE known.slug IS NOT NULL
        )
        SELECT slug, (SELECT title FROM runs WHERE runs.slug = known.slug",
    );
    only_seen(&mut query, sight);
    query.push(" ORDER BY id DESC LIMIT 1) FROM known WHERE slug IS NOT NULL");
    query
}

async fn usual(connection: &mut Connection, slug: &Slug, sight: &Sight) -> Result<Option<Usual>, Error> {
    let durations: Vec<i64> = reached(slug, sight).build_query_scalar().fetch_all(connection).await?;
    Ok(quartiles(durations.into_iter().map(|duration| u64::try_from(duration).unwrap_or_default()).collect()))
}

impl Store {
    /// Open runs, newest first.
    pub async fn open_runs(&self, limit: u32, sight: &Sight) -> Result<Vec<RunRow>, Error> {
        mapped(open(sight, limit).build_query_as().fetch_all(&mut *self.reader().await?).await?)
    }

    /// Closed runs, the one that was closed last first.
    pub async fn recent(&self, limit: u32, sight: &Sight) -> Result<Vec<RunRow>, Error> {
        mapped(recent(sight, limit).build_query_as().fetch_all(&mut *self.reader().await?).await?)
    }

    /// The last runs of a procedure, newest first.
    pub async fn last_of(&self, slug: &Slug, limit: u32, sight: &Sight) -> Result<Vec<RunRow>, Error> {
        mapped(last_of(slug, sight, limit).build_query_as().fetch_all(&mut *self.reader().await?).await?)
    }

    /// How long a procedure usually takes: the middle half of its last runs that reached their outcome.
    pub async fn usual(&self, slug: &Slug, sight: &Sight) -> Result<Option<Usual>, Error> {
        usual(&mut *self.reader().await?, slug, sight).await
    }

    /// The last runs of each procedure, newest first, and how long it usually takes, over one connection.
    pub async fn glances(
        &self,
        slugs: &[&Slug],
        limit: u32,
        sight: &Sight,
    ) -> Result<Vec<(Vec<RunRow>, Option<Usual>)>, Error> {
        let mut reader = self.reader().await?;
        let mut glances = Vec::with_capacity(slugs.len());
        for slug in slugs {
            let runs = mapped(last_of(slug, sight, limit).build_query_as().fetch_all(&mut *reader).await?)?;
            // What never ran has no usual duration either.
            let usual = if runs.is_empty() { None } else { usual(&mut reader, slug, sight).await? };
            glances.push((runs, usual));
        }
        Ok(glances)
    }

    /// The procedures that have runs: address, and title as it was in the last of them.
    pub async fn procedures(&self, sight: &Sight) -> Result<Vec<(Slug, String)>, Error> {
        let rows: Vec<(String, Option<String>)> =
            known(sight).build_query_as().fetch_all(&mut *self.reader().await?).await?;
        // Without a title there is no run of it to see.
        let titled = |(slug, title): (String, Option<String>)| Some((Slug(slug), title?));
        let mut known: Vec<(Slug, String)> = rows.into_iter().filter_map(titled).collect();
        known.sort_by(|(slug, title), (other, other_title)| (title, &slug.0).cmp(&(other_title, &other.0)));
        Ok(known)
    }

    /// The run that keeps a target to itself.
    pub async fn lock_holder(&self, target: &str) -> Result<Option<RunId>, Error> {
        holder(&mut *self.reader().await?, target).await
    }

    /// Runs of the history, newest first.
    pub async fn history(&self, query: &HistoryQuery, sight: &Sight) -> Result<Vec<RunRow>, Error> {
        if query.verdict.as_deref().is_some_and(|name| name != "open" && Verdict::parse(name).is_none()) {
            return Ok(Vec::new());
        }
        let mut builder = history(query, sight);
        mapped(builder.build_query_as().fetch_all(&mut *self.reader().await?).await?)
    }
}

async fn holder(connection: &mut Connection, target: &str) -> Result<Option<RunId>, Error> {
    let id: Option<i64> = sqlx::query_scalar(HOLDER).bind(target).fetch_optional(connection).await?;
    Ok(id.map(RunId))
}

impl Write {
    /// The run that keeps a target to itself, inside the transaction.
    pub async fn lock_holder(&mut self, target: &str) -> Result<Option<RunId>, Error> {
        holder(self.connection(), target).await
    }

    /// How long a procedure usually takes, inside the transaction.
    pub async fn usual(&mut self, slug: &Slug, sight: &Sight) -> Result<Option<Usual>, Error> {
        usual(self.connection(), slug, sight).await
    }
}

/// Only the filters that are given become part of the query, so that each finds its index.
fn history(query: &HistoryQuery, sight: &Sight) -> QueryBuilder<Db> {
    let mut builder = QueryBuilder::new(select!("WHERE id < "));
    builder.push_bind(query.before.map_or(i64::MAX, |before| before.0));
    if let Some(slug) = &query.procedure {
        builder.push(" AND slug = ").push_bind(slug.as_str().to_owned());
    }
    if let Some(person) = &query.person {
        builder.push(" AND by_id = ").push_bind(person.as_str().to_owned());
    }
    match query.verdict.as_deref() {
        None => {}
        Some("open") => drop(builder.push(" AND verdict IS NULL")),
        Some(name) => drop(builder.push(" AND verdict = ").push_bind(name.to_owned())),
    }
    for word in query.words.as_deref().unwrap_or_default().split_whitespace() {
        builder.push(" AND words LIKE ").push_bind(pattern(word)).push(" ESCAPE '!'");
    }
    only_seen(&mut builder, sight);
    builder.push(" ORDER BY id DESC LIMIT ").push_bind(query.limit);
    builder
}

/// What `LIKE` takes for "contains this word, whatever characters it has".
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for character in word.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn quartiles(mut durations: Vec<u64>) -> Option<Usual> {
    if durations.len() < USUAL_FROM {
        return None;
    }
    durations.sort_unstable();
    let last = durations.len() - 1;
    Some(Usual { low_ms: durations[last / 4], high_ms: durations[(3 * last).div_ceil(4)] })
}

#[cfg(test)]
mod tests;
