//! What tells of the health of procedures: their last closed runs, and the looks at their targets that are kept.

use domain::health::{ClosedRun, Found, KeptLook, Past, Sighting, WINDOW};
use domain::policy::Sight;
use domain::{Slug, Timestamp};
use sqlx::QueryBuilder;

use crate::sight::only_seen;
use crate::words::parse;
use crate::{Connection, Db, Error, Store, Write};

/// A look that is kept, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLook {
    /// The procedure's address.
    pub slug: Slug,
    /// What stands for the document and its side file as they were.
    pub document: String,
    /// What was found, where and when.
    pub look: KeptLook,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    verdict: String,
    ended: i64,
    worked: Option<String>,
}

impl TryFrom<Row> for ClosedRun {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            verdict: parse(&row.verdict)?,
            ended: Timestamp(row.ended),
            worked: row.worked.as_deref().map(read).transpose()?,
        })
    }
}

#[derive(Debug, sqlx::FromRow)]
struct LookRow {
    slug: String,
    target: String,
    document: String,
    at: i64,
    found: String,
}

impl TryFrom<LookRow> for StoredLook {
    type Error = Error;

    fn try_from(row: LookRow) -> Result<Self, Error> {
        let sighting = Sighting { target: row.target, at: Timestamp(row.at) };
        let found: Found = read(&row.found)?;
        Ok(Self { slug: Slug(row.slug), document: row.document, look: KeptLook { sighting, found } })
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Inconsistent(format!("what is kept of health: {error}")))
}

/// The last closed runs of a procedure that somebody sees, the one that was closed last first.
fn closed(slug: &Slug, sight: &Sight) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new("SELECT verdict, ended, worked FROM runs WHERE ended IS NOT NULL AND slug = ");
    query.push_bind(slug.as_str().to_owned());
    only_seen(&mut query, sight);
    query.push(" ORDER BY ended DESC, id DESC LIMIT ").push_bind(WINDOW);
    query
}

/// The end of the last run of a procedure that was closed as reached, of those that somebody sees.
fn last_reached(slug: &Slug, sight: &Sight) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new("SELECT ended FROM runs WHERE verdict = 'reached' AND slug = ");
    query.push_bind(slug.as_str().to_owned());
    only_seen(&mut query, sight);
    query.push(" ORDER BY id DESC LIMIT 1");
    query
}

async fn past(connection: &mut Connection, slug: &Slug, sight: &Sight) -> Result<Past, Error> {
    let rows: Vec<Row> = closed(slug, sight).build_query_as().fetch_all(&mut *connection).await?;
    let runs = rows.into_iter().map(ClosedRun::try_from).collect::<Result<Vec<_>, _>>()?;
    let reached = runs.iter().find(|run| run.verdict == domain::run::Verdict::Reached).map(|run| run.ended);
    let last_success = match reached {
        // Only where there are more runs than were read one of them can have succeeded before.
        None if runs.len() >= WINDOW as usize => {
            let ended: Option<i64> = last_reached(slug, sight).build_query_scalar().fetch_optional(connection).await?;
            ended.map(Timestamp)
        }
        reached => reached,
    };
    Ok(Past { runs, last_success })
}

const LOOKS: &str = "SELECT slug, target, document, at, found FROM health_looks ORDER BY slug, target";

const LOOKS_OF: &str =
    "SELECT slug, target, document, at, found FROM health_looks WHERE slug = $1 ORDER BY slug, target";

impl Store {
    /// What the history knows of procedures, in their order, over one connection.
    pub async fn pasts(&self, slugs: &[&Slug], sight: &Sight) -> Result<Vec<Past>, Error> {
        let mut reader = self.reader().await?;
        let mut pasts = Vec::with_capacity(slugs.len());
        for slug in slugs {
            pasts.push(past(&mut reader, slug, sight).await?);
        }
        Ok(pasts)
    }

    /// The looks that are kept, of one procedure or of all. Of each there is the last one at each target.
    pub async fn health_looks(&self, of: Option<&Slug>) -> Result<Vec<StoredLook>, Error> {
        let query = match of {
            Some(slug) => sqlx::query_as(LOOKS_OF).bind(slug.as_str()),
            None => sqlx::query_as(LOOKS),
        };
        let rows: Vec<LookRow> = query.fetch_all(&mut *self.reader().await?).await?;
        rows.into_iter().map(StoredLook::try_from).collect()
    }
}

impl Write {
    /// Keeps a look instead of the one before it at the same target.
    pub async fn put_health_look(&mut self, look: &StoredLook) -> Result<(), Error> {
        let found = serde_json::to_string(&look.look.found)
            .map_err(|error| Error::Inconsistent(format!("what a look found cannot be written: {error}")))?;
        sqlx::query(
            "INSERT INTO health_looks (slug, target, document, at, found) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (slug, target) DO UPDATE SET document = $3, at = $4, found = $5",
        )
        .bind(look.slug.as_str())
        .bind(&look.look.sighting.target)
        .bind(&look.document)
        .bind(look.look.sighting.at.0)
        .bind(found)
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
