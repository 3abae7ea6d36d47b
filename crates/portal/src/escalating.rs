//! Calling people into a run: by hand, and when a line of the procedure's escalation is due.
//!
//! What is due is decided in [`domain::run`], in the transaction that records it; here stands who is reached by which way, and when it
//! is looked. What was recorded is told as every other notice: from the outbox, as often as it takes, with one key.

use std::time::Duration;

use domain::escalation::{Addressee, Contact};
use domain::notice::Occasion;
use domain::policy::{Operator, Sight, Verb, allows};
use domain::run::{Because, Command, Run, Who, hand_over};
use domain::view::{ContactInfo, EscalatedRow, EscalationGround};
use domain::{PersonId, RunId, Timestamp};
use store::Credentials;

use crate::documents::Contents;
use crate::{Error, Portal};

/// It is looked so often at what is due, also when nothing is known to be: a clock may jump, and a try may not succeed.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Runs into which somebody is called, on the start page.
const CALLS: u32 = 8;

/// Somebody whom the document names, and why nothing is sent to them.
struct Found {
    addressee: Addressee,
    problem: Option<String>,
}

/// Why nothing is sent to somebody with an account.
#[derive(Clone, Copy)]
enum Silent {
    /// The name is known to the portal, and its account may not work in runs: whoever gave it that name may be somebody else.
    MayNotWork,
    /// The run is limited to others.
    DoesNotSee,
}

impl Portal {
    /// Tells a contact of a run's procedure, by its words, with a hand-over; an empty one is written by the portal.
    ///
    /// # Errors
    ///
    /// What the gate refuses.
    pub async fn escalate(
        &self,
        operator: Operator<'_>,
        run: RunId,
        number: u32,
        contact: &str,
        text: &str,
    ) -> Result<(), Error> {
        let who = Who::Person(operator.actor().clone());
        let state = self.run_to_change(&who, run).await?;
        let contacts: Vec<Contact> = state.plan.escalation.contact(contact).cloned().into_iter().collect();
        let to = self.addressees(&contacts, &state).await?;
        // Forms end their lines in two characters.
        let text = text.replace("\r\n", "\n");
        let text = if text.trim().is_empty() { hand_over(&state, self.expiry_now()) } else { text };
        self.decide(run, &Command::Escalate { number, to, text }, &who).await.map(drop)
    }

    /// Tells what is due, until the portal closes.
    pub(crate) async fn keep_escalating(self) {
        let mut changes = self.live().escalations();
        loop {
            let next = match self.escalate_what_is_due().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "it is not known who is to be told");
                    None
                }
            };
            let left = |due: Timestamp| Duration::from_millis(due.since(self.expiry_now()) + 1);
            let left = next.map_or(LOOK_AGAIN, left).min(LOOK_AGAIN);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                told = changes.changed() => if told.is_err() { return },
                () = self.closing() => return,
            }
        }
    }

    /// Tells what is due now in all open runs. Gives when something may be due next, as far as that is known.
    ///
    /// # Errors
    ///
    /// When the store cannot be read; what is due is told the next time then.
    pub async fn escalate_what_is_due(&self) -> Result<Option<Timestamp>, Error> {
        // The clock is never ahead of the time by which things expire: what is due by it is among what may be due.
        for id in self.store().escalating_runs(self.expiry_now()).await? {
            let Some(run) = self.store().run(id, &Sight::EVERYTHING).await? else { continue };
            for (line, because) in run.due_escalations(self.moment()) {
                // One that does not succeed keeps no other from being told.
                if let Err(error) = self.escalate_line(&run, line, because).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        run.id = id.0,
                        "line {line} of its escalation could not be told yet"
                    );
                }
            }
        }
        Ok(self.store().next_escalation(self.expiry_now()).await?)
    }

    async fn escalate_line(&self, run: &Run, line: u32, because: Because) -> Result<(), Error> {
        let contacts = run.plan.escalation.line(line).map_or(&[][..], |line| &line.to);
        let to = self.addressees(contacts, run).await?;
        let text = format!("{}\n\n{}", run.because_words(Some(line), because), hand_over(run, self.expiry_now()));
        self.decide(run.id, &Command::EscalateDue { line, to, text }, &Who::Portal).await?;
        tracing::info!(run.id = run.id.0, "told whom line {line} of its escalation names");
        Ok(())
    }

    async fn addressees(&self, contacts: &[Contact], run: &Run) -> Result<Vec<Addressee>, Error> {
        let found = self.reached(contacts, Some(run)).await?;
        Ok(found.into_iter().map(|found| found.addressee).collect())
    }

    /// Who is meant by contacts, and by which ways they are told of a run; without one, of any run that they see. Who sees it is
    /// asked of the documents as they were read last, so that however many contacts there are, nobody waits for a disk.
    async fn reached(&self, contacts: &[Contact], run: Option<&Run>) -> Result<Vec<Found>, Error> {
        let documents = self.documents().last();
        let mut found = Vec::with_capacity(contacts.len());
        for contact in contacts {
            found.push(self.reached_one(contact, run, &documents).await?);
        }
        Ok(found)
    }

    async fn reached_one(&self, contact: &Contact, run: Option<&Run>, documents: &Contents) -> Result<Found, Error> {
        let webhook = self.webhook_of(contact);
        let mut addressee =
            Addressee { words: contact.words.clone(), name: contact.name.clone(), person: None, mail: false, webhook };
        let login = contact.name.trim().trim_start_matches('@').to_lowercase();
        let known = self.store().person_by_login(&login).await?.filter(|person| person.enabled);
        let mut silent = None;
        if let Some(person) = known {
            silent = self.silent(&person, run, documents).await?;
            // Whoever may not work in runs is not taken for the one who is meant, so that their name is not shown as theirs.
            if !matches!(silent, Some(Silent::MayNotWork)) {
                addressee.name = person.name;
            }
            if silent.is_none() {
                addressee.mail = self.gets_mail(&person.id).await?;
                addressee.person = Some(person.id);
            }
        }
        let problem = (!addressee.is_reached()).then(|| unreached(&addressee, silent));
        Ok(Found { addressee, problem })
    }

    /// Why somebody with an account is not told of a run, if they are not.
    async fn silent(
        &self,
        person: &Credentials,
        run: Option<&Run>,
        documents: &Contents,
    ) -> Result<Option<Silent>, Error> {
        if !allows(person.role, Verb::WorkRun) {
            return Ok(Some(Silent::MayNotWork));
        }
        let Some(run) = run else { return Ok(None) };
        let groups = self.store().groups_of(&person.id).await?;
        let sees = Sight::of(person.role, groups, documents.limits()).sees_run(&run.plan);
        Ok((!sees).then_some(Silent::DoesNotSee))
    }

    /// The webhook that a contact names, if it is told of such things.
    fn webhook_of(&self, contact: &Contact) -> Option<String> {
        let name = contact.name.trim().trim_start_matches('#');
        let webhook = self.channels().webhook(name)?;
        webhook.events.contains(&Occasion::Escalated).then(|| webhook.name.clone())
    }

    async fn gets_mail(&self, person: &PersonId) -> Result<bool, Error> {
        Ok(self.channels().mail.is_some() && self.store().mail_of(person).await?.is_some())
    }

    /// How contacts are told of a run; without one, of any run that they see.
    pub(crate) async fn contact_infos(
        &self,
        contacts: &[Contact],
        run: Option<&Run>,
    ) -> Result<Vec<ContactInfo>, Error> {
        let info = |Found { addressee, problem }| {
            let ways = addressee.ways();
            ContactInfo { words: addressee.words, name: addressee.name, ways, problem }
        };
        Ok(self.reached(contacts, run).await?.into_iter().map(info).collect())
    }

    /// What a run's page has to know about escalation. In a closed run nobody is called any more.
    pub(crate) async fn escalation_ground(&self, run: &Run) -> Result<EscalationGround, Error> {
        if run.end.is_some() {
            return Ok(EscalationGround::default());
        }
        let contacts = self.contact_infos(&run.plan.escalation.contacts, Some(run)).await?;
        let link = self.channels().portal.as_ref().map(|portal| format!("{portal}/runs/{}", run.id));
        Ok(EscalationGround { contacts, link })
    }

    /// The open runs into which a person is called.
    pub(crate) async fn calls(&self, person: &PersonId, sight: &Sight) -> Result<Vec<EscalatedRow>, Error> {
        Ok(self.store().escalated_to(person, CALLS, sight).await?)
    }
}

/// Why nothing is sent to somebody, and what to do.
fn unreached(addressee: &Addressee, silent: Option<Silent>) -> String {
    let name = &addressee.name;
    match silent {
        Some(Silent::MayNotWork) => {
            return format!("The account {name} may not work in runs, so nothing is sent to it; call {name}.");
        }
        Some(Silent::DoesNotSee) => return format!("{name} does not see this run, so nothing is sent; call {name}."),
        None => {}
    }
    let start = if addressee.person.is_some() { " It stands on their start page." } else { "" };
    format!("{name} has no mail address and no webhook; call {name}.{start}")
}
