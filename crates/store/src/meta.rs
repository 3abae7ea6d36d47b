//! Single values by name.

use domain::{PersonId, RunId, Timestamp};

use crate::{Error, Store, Write};

/// The latest moment at which a session is known to have been looked at, in milliseconds.
const LATEST: &str = "latest_time";

const META: &str = "SELECT value FROM meta WHERE name = $1";

impl Store {
    /// The value with a name.
    pub async fn meta(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(META).bind(name).fetch_optional(&mut *self.reader().await?).await?)
    }
}

impl Store {
    /// The latest time that [`Write::note_time`] was told.
    pub async fn latest_time(&self) -> Result<Option<Timestamp>, Error> {
        let Some(text) = self.meta(LATEST).await? else { return Ok(None) };
        let milliseconds = text.parse().map_err(|_| Error::Inconsistent(format!("{LATEST} is no time")))?;
        Ok(Some(Timestamp(milliseconds)))
    }
}

impl Write {
    /// Remembers a time, unless a later one is remembered: what expires goes on from it, whatever the clock shows then.
    pub async fn note_time(&mut self, now: Timestamp) -> Result<(), Error> {
        let latest = self.meta(LATEST).await?.and_then(|text| text.parse().ok()).unwrap_or(i64::MIN);
        if now.0 > latest { self.set_meta(LATEST, &now.0.to_string()).await } else { Ok(()) }
    }

    /// The value with a name, inside the transaction.
    pub async fn meta(&mut self, name: &str) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(META).bind(name).fetch_optional(self.connection()).await?)
    }

    /// Sets the value with a name.
    pub async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), Error> {
        sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2")
            .bind(name)
            .bind(value)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Removes the value with a name, if there is one.
    pub async fn clear_meta(&mut self, name: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM meta WHERE name = $1").bind(name).execute(self.connection()).await?;
        Ok(())
    }
}

/// Before the run and the number of a redaction that is recorded, and not known to be carried out.
const REDACTION: &str = "redaction:";

fn redaction_name(run: RunId, number: u32) -> String {
    format!("{REDACTION}{run}-{number}")
}

impl Store {
    /// The redactions that are recorded and may not be carried out yet: the run and the number of each.
    pub async fn redactions_to_finish(&self) -> Result<Vec<(RunId, u32)>, Error> {
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM meta WHERE name LIKE $1 || '%' ORDER BY name")
            .bind(REDACTION)
            .fetch_all(&mut *self.reader().await?)
            .await?;
        names.iter().map(|name| parsed(name)).collect()
    }
}

fn parsed(name: &str) -> Result<(RunId, u32), Error> {
    let place = name.strip_prefix(REDACTION).and_then(|place| place.split_once('-'));
    let numbers = place.and_then(|(run, number)| Some((RunId(run.parse().ok()?), number.parse().ok()?)));
    numbers.ok_or_else(|| Error::Inconsistent(format!("{name} names no redaction")))
}

impl Write {
    /// Notes, in the transaction that records it, that a redaction is to be carried out.
    pub async fn note_redaction(&mut self, run: RunId, number: u32) -> Result<(), Error> {
        self.set_meta(&redaction_name(run, number), "").await
    }

    /// Notes that it was.
    pub async fn clear_redaction(&mut self, run: RunId, number: u32) -> Result<(), Error> {
        self.clear_meta(&redaction_name(run, number)).await
    }
}

/// Before the person who can set their first second factor up by a code.
const ENROLMENT: &str = "enrolment:";

impl Write {
    /// Keeps what stands for the code by which somebody sets their first second factor up, and when it is over. It replaces an earlier one.
    pub async fn set_enrolment(&mut self, person: &PersonId, hash: &str, ends: Timestamp) -> Result<(), Error> {
        self.set_meta(&format!("{ENROLMENT}{person}"), &format!("{hash} {}", ends.0)).await
    }

    /// Uses the code of a person up, if this stands for it and it is not over; whether it was so.
    pub async fn use_enrolment(&mut self, person: &PersonId, hash: &str, now: Timestamp) -> Result<bool, Error> {
        let kept = self.meta(&format!("{ENROLMENT}{person}")).await?;
        let good = kept
            .as_deref()
            .and_then(|kept| kept.split_once(' '))
            .is_some_and(|(known, ends)| known == hash && ends.parse::<i64>().is_ok_and(|ends| now.0 < ends));
        if good {
            self.clear_enrolment(person).await?;
        }
        Ok(good)
    }

    /// Removes the code of a person, if there is one.
    pub async fn clear_enrolment(&mut self, person: &PersonId) -> Result<(), Error> {
        self.clear_meta(&format!("{ENROLMENT}{person}")).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::store;

    #[tokio::test]
    async fn a_code_to_enrol_by_serves_its_person_once_and_in_time() {
        let (store, _folder) = store().await;
        let (olga, end) = (PersonId("olga".to_owned()), Timestamp(1_000));
        let mut write = store.begin().await.unwrap();
        write.set_enrolment(&olga, "older", end).await.unwrap();
        write.set_enrolment(&olga, "hash", end).await.unwrap();

        assert!(!write.use_enrolment(&olga, "older", Timestamp(0)).await.unwrap(), "it was replaced");
        assert!(!write.use_enrolment(&"otto".into(), "hash", Timestamp(0)).await.unwrap());
        assert!(!write.use_enrolment(&olga, "hash", end).await.unwrap(), "it is too late");
        assert!(write.use_enrolment(&olga, "hash", Timestamp(999)).await.unwrap());
        assert!(!write.use_enrolment(&olga, "hash", Timestamp(999)).await.unwrap(), "it was used");
    }

    #[tokio::test]
    async fn a_redaction_is_to_be_finished_from_its_record_on_until_it_is_done() {
        let (store, _folder) = store().await;
        let mut write = store.begin().await.unwrap();
        write.note_redaction(RunId(12), 1).await.unwrap();
        write.note_redaction(RunId(7), 3).await.unwrap();
        write.set_meta("redactions", "something else").await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(store.redactions_to_finish().await.unwrap(), [(RunId(12), 1), (RunId(7), 3)]);

        let mut write = store.begin().await.unwrap();
        write.clear_redaction(RunId(12), 1).await.unwrap();
        write.commit().await.unwrap();

        assert_eq!(store.redactions_to_finish().await.unwrap(), [(RunId(7), 3)]);
    }
}
