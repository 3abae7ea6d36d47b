//! Requests for approval as a list, derived from the folded runs.

use domain::policy::Sight;
use domain::run::{Request, RequestEnd, Run};
use domain::view::ApprovalRow;
use domain::{Digest, PersonId, Risk, RunId, Slug, Timestamp};
use sqlx::{Encode, QueryBuilder, Type};

use crate::sight::only_of_seen;
use crate::words::{parse, word};
use crate::{Connection, Db, Error, Store, Write};

/// Decided requests that tell how long a decision usually takes.
const USUAL_OF: u32 = 20;

/// What the list says about a request.
fn row(run: &Run, number: u32, request: &Request) -> ApprovalRow {
    let (decided, decided_by) = decision(request).unzip();
    let plans = || request.steps().filter_map(|covered| run.plan.step(covered.step));
    ApprovalRow {
        run: run.id,
        request: number,
        slug: run.plan.slug.clone(),
        title: run.plan.title.clone(),
        steps: plans().map(|plan| plan.title.clone()).collect::<Vec<_>>().join(", "),
        target: run.plan.target.name.clone(),
        risk: plans().map(|plan| plan.risk).max().unwrap_or(Risk::Destroys),
        by: request.asked.by.name().to_owned(),
        reason: request.reason.clone(),
        asked: request.asked.at,
        expires: run.until(request).unwrap_or(request.expires),
        leads: request.leads,
        approvals: u32::try_from(request.approvals.len()).unwrap_or(u32::MAX),
        status: run.request_status(request, run.touched),
        decided,
        decided_by: decided_by.flatten(),
        glass: request.glass.is_some(),
        reviewed: request.glass.as_ref().and_then(|glass| glass.review.as_ref()).map(|(stamp, _)| stamp.at),
    }
}

/// When a request was decided or came to an end, and by whom if by a person.
fn decision(request: &Request) -> Option<(Timestamp, Option<String>)> {
    match &request.end {
        Some(RequestEnd::Rejected { stamp, .. } | RequestEnd::Cancelled { stamp, .. }) => {
            Some((stamp.at, Some(stamp.by.name().to_owned())))
        }
        Some(RequestEnd::Expired { at } | RequestEnd::Void { at, .. }) => Some((*at, None)),
        None => {
            request.approved_at()?;
            let approval = request.approvals.last()?;
            Some((approval.stamp.at, Some(approval.stamp.by.name().to_owned())))
        }
    }
}

/// Writes the rows of a run's requests anew.
pub(crate) async fn write(connection: &mut Connection, run: &Run) -> Result<(), Error> {
    for (number, request) in (1..).zip(&run.requests) {
        let row = row(run, number, request);
        sqlx::query(UPSERT)
            .bind(run.id.0)
            .bind(number)
            .bind(row.slug.as_str())
            .bind(&row.title)
            .bind(&row.steps)
            .bind(&row.target)
            .bind(word(&row.risk))
            .bind(request.asked.by.id().map_or("", PersonId::as_str))
            .bind(&row.by)
            .bind(&row.reason)
            .bind(row.asked.0)
            .bind(row.expires.0)
            .bind(row.leads)
            .bind(row.approvals)
            .bind(word(&row.status))
            .bind(row.decided.map(|at| at.0))
            .bind(&row.decided_by)
            .bind(request.same().as_str())
            .bind(i64::from(row.glass))
            .bind(row.reviewed.map(|at| at.0))
            .execute(&mut *connection)
            .await?;
        for covered in request.steps() {
            let query = sqlx::query(SET).bind(run.id.0).bind(number).bind(covered.same().as_str().to_owned());
            query.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

const SET: &str = "INSERT INTO approval_sets (run, request, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const UPSERT: &str = "INSERT INTO approvals (run, request, slug, title, steps, target, risk, by_id, by_name, reason, asked, \
     expires, leads, approvals, status, decided, decided_by, same, glass, reviewed) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
     ON CONFLICT (run, request) DO UPDATE SET expires = excluded.expires, leads = excluded.leads, approvals = excluded.approvals, status = excluded.status, \
     decided = excluded.decided, decided_by = excluded.decided_by, reviewed = excluded.reviewed";

#[derive(Debug, sqlx::FromRow)]
struct Row {
    run: i64,
    request: u32,
    slug: String,
    title: String,
    steps: String,
    target: String,
    risk: String,
    by_name: String,
    reason: String,
    asked: i64,
    expires: i64,
    leads: u32,
    approvals: u32,
    status: String,
    decided: Option<i64>,
    decided_by: Option<String>,
    glass: i64,
    reviewed: Option<i64>,
}

impl TryFrom<Row> for ApprovalRow {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            run: RunId(row.run),
            request: row.request,
            slug: Slug(row.slug),
            title: row.title,
            steps: row.steps,
            target: row.target,
            risk: parse(&row.risk)?,
            by: row.by_name,
            reason: row.reason,
            asked: Timestamp(row.asked),
            expires: Timestamp(row.expires),
            leads: row.leads,
            approvals: row.approvals,
            status: parse(&row.status)?,
            decided: row.decided.map(Timestamp),
            decided_by: row.decided_by,
            glass: row.glass == 1,
            reviewed: row.reviewed.map(Timestamp),
        })
    }
}

fn mapped(rows: Vec<Row>) -> Result<Vec<ApprovalRow>, Error> {
    rows.into_iter().map(ApprovalRow::try_from).collect()
}

/// The columns of [`Row`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT run, request, slug, title, steps, target, risk, by_name, reason, asked, expires, leads, approvals, status, ",
            "decided, decided_by, glass, reviewed FROM approvals ",
            $rest
        )
    };
}

const OVERDUE: &str = "SELECT run, request FROM approvals WHERE status IN ('waiting', 'approved') AND expires < $1 ORDER BY expires LIMIT $2";
const NEXT_EXPIRY: &str =
    "SELECT MIN(expires) FROM approvals WHERE status IN ('waiting', 'approved') AND expires >= $1";

/// The requests of a select with a condition that are of runs which somebody sees, in an order.
fn seen(mut query: QueryBuilder<Db>, sight: &Sight, order: &'static str, limit: u32) -> QueryBuilder<Db> {
    only_of_seen(&mut query, "approvals.run", sight);
    query.push(order).push(" LIMIT ").push_bind(limit);
    query
}

/// A select that ends before a value of its condition.
fn with<T: for<'t> Encode<'t, Db> + Type<Db>>(select: &'static str, value: T) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(select);
    query.push_bind(value);
    query
}

fn waiting(now: Timestamp, sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    seen(with(select!("WHERE status = 'waiting' AND expires > "), now.0), sight, " ORDER BY expires", limit)
}

fn recent(now: Timestamp, sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    let mut query = with(select!("WHERE (status <> 'waiting' OR expires <= "), now.0);
    query.push(")");
    seen(query, sight, " ORDER BY asked DESC", limit)
}

fn rejected_same(request: &Request, sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    let query = with(select!("WHERE status = 'rejected' AND same = "), request.same().as_str().to_owned());
    seen(query, sight, " ORDER BY asked DESC", limit)
}

fn rejected_set(digest: &Digest, sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    let select = select!(
        "WHERE status = 'rejected' AND EXISTS (SELECT 1 FROM approval_sets s WHERE s.run = approvals.run \
         AND s.request = approvals.request AND s.digest = "
    );
    let mut query = with(select, digest.as_str().to_owned());
    query.push(")");
    seen(query, sight, " ORDER BY asked DESC", limit)
}

fn rejected_of(slug: &Slug, since: RunId, sight: &Sight, limit: u32) -> QueryBuilder<Db> {
    let mut query = with(select!("WHERE status = 'rejected' AND slug = "), slug.as_str().to_owned());
    query.push(" AND run >= ").push_bind(since.0);
    seen(query, sight, " ORDER BY asked DESC", limit)
}

impl Store {
    /// Requests that wait for a decision at a moment, the one that expires first first.
    pub async fn waiting_approvals(
        &self,
        now: Timestamp,
        limit: u32,
        sight: &Sight,
    ) -> Result<Vec<ApprovalRow>, Error> {
        mapped(waiting(now, sight, limit).build_query_as().fetch_all(&mut *self.reader().await?).await?)
    }

    /// How many of them there are.
    pub async fn count_waiting(&self, now: Timestamp, sight: &Sight) -> Result<u32, Error> {
        let mut query = with("SELECT COUNT(*) FROM approvals WHERE status = 'waiting' AND expires > ", now.0);
        only_of_seen(&mut query, "approvals.run", sight);
        let count: i64 = query.build_query_scalar().fetch_one(&mut *self.reader().await?).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Requests that do not wait any more, the one that was made last first.
    pub async fn recent_approvals(&self, now: Timestamp, limit: u32, sight: &Sight) -> Result<Vec<ApprovalRow>, Error> {
        mapped(recent(now, sight, limit).build_query_as().fetch_all(&mut *self.reader().await?).await?)
    }

    /// Broken glasses that nobody has reviewed, oldest first.
    pub async fn unreviewed_glass(&self, limit: u32, sight: &Sight) -> Result<Vec<ApprovalRow>, Error> {
        let query = QueryBuilder::new(select!("WHERE glass = 1 AND reviewed IS NULL"));
        let mut query = seen(query, sight, " ORDER BY asked", limit);
        mapped(query.build_query_as().fetch_all(&mut *self.reader().await?).await?)
    }

    /// Requests whose time is over and that nobody has marked as expired yet.
    pub async fn overdue_approvals(&self, now: Timestamp, limit: u32) -> Result<Vec<(RunId, u32)>, Error> {
        let query = sqlx::query_as(OVERDUE).bind(now.0).bind(limit);
        let rows: Vec<(i64, u32)> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(|(run, request)| (RunId(run), request)).collect())
    }

    /// When the next clock of a request runs out, from a moment on.
    pub async fn next_expiry(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let at: Option<i64> = sqlx::query_scalar(NEXT_EXPIRY).bind(now.0).fetch_one(&mut *self.reader().await?).await?;
        Ok(at.map(Timestamp))
    }

    /// The last request of a procedure, in an earlier run, under which everything was started.
    pub async fn last_used_approval(
        &self,
        slug: &Slug,
        before: RunId,
        sight: &Sight,
    ) -> Result<Option<(RunId, u32)>, Error> {
        let select = "SELECT run, request FROM approvals WHERE status = 'used' AND glass = 0 AND slug = ";
        let mut query = with(select, slug.as_str().to_owned());
        query.push(" AND run < ").push_bind(before.0);
        let mut query = seen(query, sight, " ORDER BY run DESC", 1);
        let row: Option<(i64, u32)> = query.build_query_as().fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.map(|(run, request)| (RunId(run), request)))
    }

    /// Requests that a lead said no to and that may have asked for the same as this one, the last one first: for all of it, for
    /// one of its sets, or for anything of the procedure in a run from `since` on. Each kind is cut at the limit.
    pub async fn rejections(
        &self,
        request: &Request,
        (slug, since): (&Slug, RunId),
        limit: u32,
        sight: &Sight,
    ) -> Result<Vec<ApprovalRow>, Error> {
        let mut reader = self.reader().await?;
        let mut queries = vec![rejected_same(request, sight, limit)];
        queries.extend(request.steps().map(|covered| rejected_set(&covered.same(), sight, limit)));
        queries.push(rejected_of(slug, since, sight, limit));
        let mut rows: Vec<Row> = Vec::new();
        for mut query in queries {
            let found: Vec<Row> = query.build_query_as().fetch_all(&mut *reader).await?;
            rows.extend(found);
        }
        rows.sort_by_key(|row| std::cmp::Reverse((row.asked, row.run, row.request)));
        rows.dedup_by_key(|row| (row.run, row.request));
        mapped(rows)
    }

    /// How many milliseconds the middle one of the last decisions took; `None` without any.
    pub async fn usual_decision(&self, sight: &Sight) -> Result<Option<u64>, Error> {
        let select = "SELECT decided - asked FROM approvals WHERE status IN ('approved', 'used') AND glass = 0";
        let mut query = seen(QueryBuilder::new(select), sight, " ORDER BY asked DESC", USUAL_OF);
        let mut waited: Vec<i64> = query.build_query_scalar().fetch_all(&mut *self.reader().await?).await?;
        waited.sort_unstable();
        Ok(waited.get(waited.len() / 2).map(|waited| u64::try_from(*waited).unwrap_or_default()))
    }
}

impl Write {
    /// The run in which a person broke the glass and nobody has reviewed it.
    pub async fn unreviewed_glass_of(&mut self, person: &PersonId) -> Result<Option<RunId>, Error> {
        let query =
            sqlx::query_scalar("SELECT run FROM approvals WHERE by_id = $1 AND glass = 1 AND reviewed IS NULL LIMIT 1");
        let run: Option<i64> = query.bind(person.as_str()).fetch_optional(self.connection()).await?;
        Ok(run.map(RunId))
    }
}

#[cfg(test)]
mod tests;
