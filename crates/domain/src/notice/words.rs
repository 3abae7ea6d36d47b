//! What a notice says, in plain sentences that every channel escapes its own way.

use super::{Notice, Occasion};
use crate::text::one_line;

/// The longest pieces that other people wrote, in characters.
const NAME: usize = 80;
const TITLES: usize = 160;
const REASON: usize = 400;
const VALUE: usize = 120;

/// Lines of a hand-over that are told.
const LINES: usize = 100;

/// Values and changes that are told.
const MOST: usize = 12;

impl Notice {
    /// What happened, in one sentence.
    pub fn subject(&self) -> String {
        let (by, asker, what) = (name(&self.by), name(&self.asked_by), self.what());
        match self.occasion {
            Occasion::Asked => format!("{by} asks for approval of {what}."),
            Occasion::Approved if self.missing > 0 => {
                format!("{by} approved {what}; {} has still to approve.", leads(self.missing))
            }
            Occasion::Approved => format!("{by} approved {what}."),
            Occasion::Rejected => format!("{by} rejected {what}."),
            Occasion::TakenBack => format!("{by} took back the request for {what}."),
            Occasion::Expired => format!("Nobody decided in time about {what}."),
            Occasion::Void => format!("The approval of {what} does not hold any more."),
            Occasion::GlassBroken => format!("{by} broke the glass: {what} may start without an approval."),
            Occasion::GlassReviewed => format!("{by} reviewed the glass that {asker} broke for {what}."),
            Occasion::RedactionAsked => format!("{by} wants {} covered.", self.output()),
            Occasion::RedactionConfirmed => format!("{by} confirmed that {} are covered.", self.output()),
            Occasion::RedactionRejected => format!("{by} said no to covering {}.", self.output()),
            Occasion::Escalated => {
                let title = one_line(&self.procedure, TITLES);
                let (to, target) = (self.called(), name(&self.target));
                format!("{by} calls {to} into \u{201c}{title}\u{201d} on {target}.")
            }
        }
    }

    /// What belongs to it: a label and a line each.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("Run", format!("{}, {}", self.run, one_line(&self.procedure, TITLES)))];
        if self.covering.is_none() && self.escalated.is_none() {
            facts.push(("Class", self.risk.word().to_owned()));
        }
        if !self.reason.trim().is_empty() {
            facts.push(("Reason", one_line(&self.reason, REASON)));
        }
        if self.occasion == Occasion::Asked && self.missing > 1 {
            facts.push(("Needs", format!("{} leads", self.missing)));
        }
        if let Some(until) = self.until {
            facts.push(("Until", until.absolute()));
        }
        facts.extend(self.told_changes().iter().take(MOST).map(|change| ("Changed", one_line(change, REASON))));
        let value =
            |(name, value): (&String, &String)| format!("{} = {}", one_line(name, NAME), one_line(value, VALUE));
        facts.extend(self.values.iter().take(MOST).map(|pair| ("Value", value(pair))));
        facts
    }

    /// What was not done, and what to do.
    pub fn advice(&self) -> &'static str {
        match self.occasion {
            Occasion::Asked => {
                "Nothing of it starts before a lead has approved it. Whoever has worked in the run cannot decide."
            }
            Occasion::Approved if self.missing > 0 => "Nothing of it starts before then.",
            Occasion::Approved => {
                "Nothing was started yet. It has to start before that time; later it takes a new request."
            }
            Occasion::Rejected => "Nothing was started.",
            Occasion::TakenBack | Occasion::Expired => "Nothing was started. It takes a new request.",
            Occasion::Void => "Nothing was started. What would run now takes a new request.",
            Occasion::GlassBroken => {
                "Another lead or an administrator has to review it before the same person may do so again."
            }
            Occasion::GlassReviewed => "Nothing is left to do.",
            Occasion::RedactionAsked => {
                "Nothing is covered before another lead or administrator has confirmed it. Until then everybody can read it."
            }
            Occasion::RedactionConfirmed => {
                "Make it worthless in any case: copies that were taken before, as backups and downloads, still have it."
            }
            Occasion::RedactionRejected => "Nothing was covered. It can be asked for again.",
            Occasion::Escalated => {
                "Nothing was started or stopped by this. Open the run to look at it or to take it over."
            }
        }
    }

    /// Where to read more: an address, or without one where to look.
    pub fn place(&self, portal: Option<&str>) -> String {
        match self.link(portal) {
            Some(link) => link,
            None => match (&self.covering, &self.escalated) {
                (Some(_), _) => {
                    format!("Look at redaction {0}-{1} under Approvals in the portal.", self.run, self.request)
                }
                (None, Some(_)) => format!("Look at run {} in the portal.", self.run),
                (None, None) => {
                    format!("Look at request {} of run {} under Approvals in the portal.", self.request, self.run)
                }
            },
        }
    }

    /// The address of its page, when it is known how people reach the portal.
    pub fn link(&self, portal: Option<&str>) -> Option<String> {
        portal.map(|portal| format!("{portal}{}", self.path()))
    }

    /// All of it as plain text, a line each.
    pub fn text(&self, portal: Option<&str>) -> String {
        let facts: String = self
            .facts()
            .iter()
            .flat_map(|(label, line)| [label.to_string(), ": ".to_owned(), line.clone(), "\n".to_owned()])
            .collect();
        let handed: String = self.hand_over().into_iter().flat_map(|line| [line, "\n".to_owned()]).collect();
        let handed = if handed.is_empty() { handed } else { format!("\n{handed}") };
        format!("{}\n\n{facts}{handed}\n{}\n\n{}\n", self.subject(), self.advice(), self.place(portal))
    }

    /// What somebody has to know who is called, line by line.
    pub fn hand_over(&self) -> Vec<String> {
        let text = self.escalated.as_ref().map_or("", |escalated| &escalated.text);
        text.lines().take(LINES).map(|line| one_line(line, REASON)).collect()
    }

    /// Who is called, by name.
    fn called(&self) -> String {
        let to = self.escalated.as_ref().map_or(&[][..], |escalated| &escalated.to);
        one_line(&to.join(", "), TITLES)
    }

    fn told_changes(&self) -> Vec<String> {
        if self.changes.is_empty() {
            self.changed.clone()
        } else {
            self.changes.iter().map(ToString::to_string).collect()
        }
    }

    /// `“Replace, Start” on production`
    fn what(&self) -> String {
        format!("\u{201c}{}\u{201d} on {}", one_line(&self.steps.join(", "), TITLES), name(&self.target))
    }

    /// `12 bytes in 2 places of the output of “Replace, Start” on production`
    fn output(&self) -> String {
        let amount = self.covering.as_ref().map_or("something", |covering| covering.amount.as_str());
        format!("{amount} of the output of {}", self.what())
    }
}

fn name(name: &str) -> String {
    one_line(name, NAME)
}

fn leads(count: u32) -> String {
    if count == 1 { "one more lead".to_owned() } else { format!("each of {count} more leads") }
}
