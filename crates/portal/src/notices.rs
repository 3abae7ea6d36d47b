//! Telling people: into the outbox with the event, and from there to whoever is to know, as often as it takes.
//!
//! One worker for each channel takes what is due, sends it, and records what came of it. Nobody waits for it: a decision is
//! made as fast with a receiver that hangs as with none.

mod channels;
mod mail;
mod payload;
mod sending;
mod webhook;

use std::time::Duration;

use domain::notice::{Audience, Channel, Notice};
use domain::policy::{Administrator, Owner, Role, Sight, Verb, allows};
use domain::run::{Entry, Run};
use domain::view::{ChannelInfo, DeliveriesView, OwnMail};
use domain::{PersonId, Timestamp};
use futures::StreamExt as _;
use rand::RngCore as _;
use serde_json::json;
use store::{Due, NewDelivery, Outcome, Write};

pub use channels::{Channels, Keep, MailSettings, MailTls, Sender, WebhookKind, WebhookSettings};

use crate::people::{random_hex, still_administers, unknown_person};
use crate::{Error, Portal};
pub(crate) use channels::typed_address;
use mail::Letter;
use sending::{Failure, outcome};
use webhook::Post;

/// A receiver that has not answered by then does not answer. Mail servers greet strangers slowly on purpose.
const WEB_PATIENCE: Duration = Duration::from_secs(15);
const MAIL_PATIENCE: Duration = Duration::from_mins(1);

/// A file that is not read by then is on a disk that hangs.
const READING: Duration = Duration::from_secs(5);

/// Deliveries of a channel that are sent at once, and that are taken up together.
const TOGETHER: usize = 4;
const AT_ONCE: u32 = 32;

/// A clock that jumps is looked at again after so long.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// Before the database is asked again that could not be read or written.
const RECOVERY: Duration = Duration::from_secs(5);

/// Ended deliveries that are dropped in one transaction, and how often it is looked for them.
const DROPPED_AT_ONCE: u32 = 500;
const DROPPED_EVERY: Duration = Duration::from_hours(1);

/// Deliveries on the page.
const LISTED: u32 = 50;

impl Portal {
    /// Puts what people are told of new events into the outbox, in the transaction that records them.
    pub(crate) async fn tell_people(&self, write: &mut Write, run: &Run, entries: &[Entry]) -> Result<(), Error> {
        for entry in entries {
            let Some((notice, audience)) = Notice::of(run, entry) else { continue };
            for (channel, person, values) in self.receivers(write, run, &notice, &audience).await? {
                let notice = if values { notice.clone() } else { notice.clone().without_values() };
                write.deliver(&NewDelivery { key: random_hex(), channel, person, notice, made: entry.at }).await?;
            }
        }
        Ok(())
    }

    /// Who gets a notice by which channel, and whether with values. Of a run that is limited nobody gets mail who may not see it; a
    /// webhook has the readers that the administrator gave it.
    async fn receivers(
        &self,
        write: &mut Write,
        run: &Run,
        notice: &Notice,
        audience: &Audience,
    ) -> Result<Vec<(Channel, Option<PersonId>, bool)>, Error> {
        let is_told =
            |webhook: &&WebhookSettings| webhook.events.contains(&notice.occasion) && notice.is_for(&webhook.name);
        let webhooks = self.channels().webhooks.iter().filter(is_told);
        let mut receivers: Vec<_> =
            webhooks.map(|webhook| (Channel::Webhook(webhook.name.clone()), None, webhook.values)).collect();
        if let Some(mail) = &self.channels().mail {
            // As they were read last: the disk is not waited for in here, and who is told is asked again before it is sent.
            let contents = self.documents().last();
            for (person, role) in write.with_mail().await? {
                if !audience.includes(&person, role) {
                    continue;
                }
                let sight = Sight::of(role, write.groups_of(&person).await?, contents.limits());
                if sight.sees_run(&run.plan) {
                    receivers.push((Channel::Mail, Some(person), mail.values));
                }
            }
        }
        Ok(receivers)
    }

    /// Begins to deliver, once for each channel.
    pub(crate) async fn start_telling(&self) -> Result<(), Error> {
        let channels = self.channels().all();
        let mut write = self.store().begin().await?;
        let why = "the channel is not in the configuration any more";
        write.give_up_other_channels(&channels, self.expiry_now(), why).await?;
        write.commit().await?;
        for channel in channels {
            self.tasks().spawn(self.clone().keep_telling(channel));
        }
        self.tasks().spawn(self.clone().keep_dropping());
        Ok(())
    }

    /// Drops notices that came to their end long ago, also those of channels that are not there any more.
    async fn keep_dropping(self) {
        loop {
            if let Err(error) = self.drop_ended().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "old notices could not be dropped");
            }
            tokio::select! {
                () = tokio::time::sleep(DROPPED_EVERY) => {}
                () = self.closing() => return,
            }
        }
    }

    /// Drops what is due to be, batch by batch: between two of them others can write.
    pub(crate) async fn drop_ended(&self) -> Result<(), Error> {
        let keep = u64::try_from(self.channels().keep.0.as_millis()).unwrap_or(u64::MAX);
        let before = self.expiry_now().minus(keep);
        loop {
            let mut write = self.store().begin().await?;
            let dropped = write.prune_deliveries(before, DROPPED_AT_ONCE).await?;
            write.commit().await?;
            if dropped < u64::from(DROPPED_AT_ONCE) {
                return Ok(());
            }
        }
    }

    async fn keep_telling(self, channel: Channel) {
        let closing = self.0.closing.clone();
        // A try that is broken off was not recorded, and is made again by the next portal.
        closing.run_until_cancelled(self.tell_by(&channel)).await;
    }

    async fn tell_by(&self, channel: &Channel) {
        let mut changes = self.live().approvals();
        loop {
            let sleep = match self.deliver_due(channel).await {
                Ok(next) => next.map_or(LONGEST_SLEEP, |at| Duration::from_millis(at.since(self.expiry_now()))),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "notices by {} could not be read",
                        channel.name()
                    );
                    RECOVERY
                }
            };
            tokio::select! {
                () = tokio::time::sleep(sleep.min(LONGEST_SLEEP)) => {}
                told = changes.changed() => if told.is_err() { return },
            }
        }
    }

    /// Tries all deliveries that are due; gives when the next one is.
    async fn deliver_due(&self, channel: &Channel) -> Result<Option<Timestamp>, Error> {
        let due = self.store().due_deliveries(channel, self.expiry_now(), AT_ONCE).await?;
        futures::stream::iter(due)
            .for_each_concurrent(TOGETHER, |due| async move {
                let result = tokio::time::timeout(patience(channel), self.send(channel, &due)).await;
                let result = result.unwrap_or_else(|_| Err(Failure::later("it did not answer in time")));
                let outcome = outcome(result, (due.tries, due.made), self.expiry_now(), rand::rng().next_u64());
                self.record_outcome(channel, &due, outcome).await;
            })
            .await;
        Ok(self.store().next_delivery(channel).await?)
    }

    /// Records what came of a try. As long as that cannot be recorded nothing is sent again: the receiver has it already.
    async fn record_outcome(&self, channel: &Channel, due: &Due, outcome: Outcome) {
        let delivery = due.id;
        match &outcome {
            Outcome::Delivered => tracing::info!(delivery, "told by {}", channel.name()),
            Outcome::Later { error, .. } => tracing::info!(delivery, "not told by {} yet: {error}", channel.name()),
            Outcome::GivenUp { error } => tracing::warn!(delivery, "nobody is told by {}: {error}", channel.name()),
        }
        while let Err(error) = self.note_outcome(due.id, &outcome).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                delivery,
                "the end of a try could not be recorded"
            );
            tokio::time::sleep(RECOVERY).await;
        }
    }

    async fn note_outcome(&self, id: i64, outcome: &Outcome) -> Result<(), Error> {
        let mut write = self.store().begin().await?;
        write.settle(id, self.expiry_now(), outcome).await?;
        Ok(write.commit().await?)
    }

    async fn send(&self, channel: &Channel, due: &Due) -> Result<(), Failure> {
        let notice = due.notice.as_ref().ok_or_else(|| Failure::never("this version of the portal cannot read it"))?;
        match channel {
            Channel::Mail => self.send_mail(due, notice).await,
            Channel::Webhook(name) => self.send_post(name, due, notice).await,
        }
    }

    async fn send_mail(&self, due: &Due, notice: &Notice) -> Result<(), Failure> {
        let mail = self.channels().mail.as_ref().ok_or_else(|| Failure::never("there is no mail here"))?;
        let to = due.to.as_ref().ok_or_else(|| Failure::never("it is for nobody"))?;
        let address = to.address.as_deref().ok_or_else(|| Failure::never("the person has no mail address any more"))?;
        match self.may_be_told(&to.person, notice.run).await {
            Ok(true) => {}
            Ok(false) => return Err(Failure::never("the run is limited to others by now")),
            Err(_) => return Err(Failure::later("it could not be looked up whether the person may read it")),
        }
        let portal = self.channels().portal.as_deref();
        let letter = Letter { key: &due.key, made: due.made, name: &to.name, address, notice, portal };
        let message = mail::message(mail, &letter)?;
        let password = match &mail.login {
            Some((_, secret)) => Some(self.channel_secret(secret).await?),
            None => None,
        };
        mail::send(mail, password, message).await
    }

    async fn send_post(&self, name: &str, due: &Due, notice: &Notice) -> Result<(), Failure> {
        let webhook = self.channels().webhook(name).ok_or_else(|| Failure::never("there is no such webhook"))?;
        let now = self.now();
        let url = self.channel_secret(&webhook.url).await?;
        let body =
            payload::body(&webhook.kind, notice, &due.key, self.channels().portal.as_deref()).to_string().into_bytes();
        let signature = match &webhook.kind {
            WebhookKind::Generic { signed_with } => {
                Some(payload::signature(&self.channel_secret(signed_with).await?, now.0 / 1000, &body))
            }
            _ => None,
        };
        webhook::post(Post { url, key: due.key.clone(), body, signature }, now).await
    }

    /// A secret of a channel as it is now. One that cannot be read may be there in a minute.
    async fn channel_secret(&self, name: &str) -> Result<String, Failure> {
        let value = self.read_channel_secret(name).await;
        value.map_err(|why| Failure::later(format!("the secret {name} cannot be used, because {why}")))
    }

    async fn read_channel_secret(&self, name: &str) -> Result<String, String> {
        let (sources, name) = (self.channels().secrets.clone(), name.to_owned());
        let reading = tokio::task::spawn_blocking(move || sources.read(&name));
        match tokio::time::timeout(READING, reading).await {
            Ok(Ok(value)) => value,
            Ok(Err(_)) => Err("reading it broke off".to_owned()),
            Err(_) => Err("it could not be read within 5 s".to_owned()),
        }
    }

    /// The ways by which people are told, and what keeps one from working.
    pub async fn channel_infos(&self) -> Vec<ChannelInfo> {
        let mut infos = Vec::new();
        if let Some(mail) = &self.channels().mail {
            let problem = match &mail.login {
                Some((_, secret)) => self.secret_problem(secret).await,
                None => None,
            };
            infos.push(ChannelInfo { name: "mail".to_owned(), kind: "mail".to_owned(), problem });
        }
        for webhook in &self.channels().webhooks {
            let problem = self.webhook_problem(webhook).await;
            infos.push(ChannelInfo { name: webhook.name.clone(), kind: webhook.kind.word().to_owned(), problem });
        }
        infos
    }

    async fn webhook_problem(&self, webhook: &WebhookSettings) -> Option<String> {
        let url = match self.read_channel_secret(&webhook.url).await {
            Ok(url) => url,
            Err(why) => return Some(format!("the secret {} cannot be used, because {why}", webhook.url)),
        };
        if let Err(why) = webhook::address(&url) {
            return Some(why);
        }
        match &webhook.kind {
            WebhookKind::Generic { signed_with } => self.secret_problem(signed_with).await,
            _ => None,
        }
    }

    async fn secret_problem(&self, name: &str) -> Option<String> {
        let why = self.read_channel_secret(name).await.err()?;
        Some(format!("the secret {name} cannot be used, because {why}"))
    }

    /// What became of the notices, for whoever looks after that.
    pub async fn deliveries(&self, _administrator: Administrator<'_>) -> Result<DeliveriesView, Error> {
        let decides = |role: Role| allows(role, Verb::Approve);
        let people = self.store().people(self.now()).await?.into_iter();
        let unreached = people.filter(|person| person.enabled && person.mail.is_none() && decides(person.role));
        Ok(DeliveriesView {
            now: self.expiry_now(),
            channels: self.channel_infos().await,
            rows: self.store().last_deliveries(LISTED).await?,
            without_mail: unreached.map(|person| person.name).collect(),
        })
    }

    /// Where mail reaches the person who asks.
    pub async fn own_mail(&self, owner: Owner<'_>) -> Result<OwnMail, Error> {
        let actor = owner.actor();
        let sends = self.channels().mail.is_some();
        Ok(OwnMail { address: self.store().mail_of(&actor.id).await?, sends })
    }

    /// Says where mail reaches oneself; an empty text: nowhere.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when it is no address.
    pub async fn set_own_mail(&self, owner: Owner<'_>, address: &str) -> Result<(), Error> {
        let actor = owner.actor();
        let address = typed_address(address).map_err(Error::Invalid)?;
        let mut write = self.store().begin().await?;
        write.set_mail(&actor.id, address.as_deref()).await.map_err(unknown_person)?;
        self.finish_account(write, actor, "mail_changed", json!({ "person": actor.id, "has": address.is_some() })).await
    }

    /// Says where mail reaches somebody else.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when it is no address.
    pub async fn set_mail(
        &self,
        administrator: Administrator<'_>,
        person: &PersonId,
        address: &str,
    ) -> Result<(), Error> {
        let address = typed_address(address).map_err(Error::Invalid)?;
        let mut write = self.store().begin().await?;
        still_administers(&mut write, administrator).await?;
        write.set_mail(person, address.as_deref()).await.map_err(unknown_person)?;
        let body = json!({ "person": person, "has": address.is_some() });
        self.finish_for(write, administrator, "mail_changed", body).await
    }
}

const fn patience(channel: &Channel) -> Duration {
    match channel {
        Channel::Mail => MAIL_PATIENCE,
        Channel::Webhook(_) => WEB_PATIENCE,
    }
}

#[cfg(test)]
mod tests;
