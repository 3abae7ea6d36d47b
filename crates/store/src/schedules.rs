//! What is due by itself: when next, what it has started, and what was missed.

use domain::{RunId, Slug, Timestamp};

use crate::{Error, Store, Write, counted, stored};

/// The schedule of a procedure as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSchedule {
    /// The procedure's address.
    pub slug: Slug,
    /// The schedule as its side file has it.
    pub says: String,
    /// When it is due next; `None` when it never is.
    pub due: Option<Timestamp>,
    /// The run that it started last.
    pub run: Option<RunId>,
    /// When it was due last without a run, since it started one.
    pub missed: Option<Timestamp>,
    /// How often that was.
    pub times: u64,
    /// Why there was none the last time, in a sentence.
    pub why: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    slug: String,
    says: String,
    due: Option<i64>,
    run: Option<i64>,
    missed: Option<i64>,
    times: i64,
    why: String,
}

impl From<Row> for StoredSchedule {
    fn from(row: Row) -> Self {
        Self {
            slug: Slug(row.slug),
            says: row.says,
            due: row.due.map(Timestamp),
            run: row.run.map(RunId),
            missed: row.missed.map(Timestamp),
            times: counted(row.times),
            why: row.why,
        }
    }
}

impl Store {
    /// All schedules.
    pub async fn schedules(&self) -> Result<Vec<StoredSchedule>, Error> {
        let query = sqlx::query_as("SELECT slug, says, due, run, missed, times, why FROM schedules ORDER BY slug");
        let rows: Vec<Row> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(StoredSchedule::from).collect())
    }
}

impl Write {
    /// Writes down how the schedule of a procedure stands.
    pub async fn put_schedule(&mut self, schedule: &StoredSchedule) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO schedules (slug, says, due, run, missed, times, why) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (slug) DO UPDATE SET says = $2, due = $3, run = $4, missed = $5, times = $6, why = $7",
        )
        .bind(schedule.slug.as_str())
        .bind(&schedule.says)
        .bind(schedule.due.map(|due| due.0))
        .bind(schedule.run.map(|run| run.0))
        .bind(schedule.missed.map(|missed| missed.0))
        .bind(stored(schedule.times))
        .bind(&schedule.why)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Forgets the schedule of a procedure that has none any more.
    pub async fn drop_schedule(&mut self, slug: &Slug) -> Result<(), Error> {
        sqlx::query("DELETE FROM schedules WHERE slug = $1").bind(slug.as_str()).execute(self.connection()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use testkit::NOW;

    use super::*;
    use crate::tests::store;

    #[tokio::test]
    async fn a_schedule_stands_as_it_was_written_last_until_it_is_dropped() {
        let (store, _folder) = store().await;
        let first = StoredSchedule {
            slug: "monitor".into(),
            says: "0 9 * * * UTC olga".to_owned(),
            due: Some(NOW),
            run: None,
            missed: None,
            times: 0,
            why: String::new(),
        };
        let missed = StoredSchedule {
            due: None,
            run: Some(RunId(7)),
            missed: Some(NOW),
            times: 2,
            why: "It rained.".to_owned(),
            ..first.clone()
        };

        for schedule in [&first, &missed] {
            let mut write = store.begin().await.unwrap();
            write.put_schedule(schedule).await.unwrap();
            write.commit().await.unwrap();
            assert_eq!(store.schedules().await.unwrap(), std::slice::from_ref(schedule));
        }
        let mut write = store.begin().await.unwrap();
        write.drop_schedule(&first.slug).await.unwrap();
        write.commit().await.unwrap();
        assert!(store.schedules().await.unwrap().is_empty());
    }
}
