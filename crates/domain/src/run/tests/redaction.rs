//! Stored output is covered by two people, of exactly the bytes that were asked about, also after the end of the run.

#![expect(clippy::needless_pass_by_value, reason = "a story reads better when its deeds are written in place")]

use super::stage::*;
use crate::attempt::{AttemptResult, Outcome};
use crate::policy::{Role, Verb};
use crate::redaction::ByteRange;
use crate::run::{AttemptEnding, Command, Event, Facts, RedactionEnd, Refusal, Verdict, Who, decide};
use crate::{AttemptId, Digest, RunId};

const LOOKED: AttemptId = AttemptId { run: RUN, step: 1, attempt: 1 };

fn ada() -> Who {
    person("Ada", Role::Administrator)
}

/// A run with one attempt that has ended.
fn looked() -> Story {
    Story::begun().sets("branch", "main").succeeds(1, &[1, 2])
}

fn asked() -> Story {
    looked().by(&ada(), ask_redaction(1, 1, &[(0, 4)]))
}

impl Story {
    fn proven(&self, who: &Who) -> Facts {
        let Who::Person(actor) = who else { unreachable!() };
        Facts { factor: Some("code".to_owned()), ..self.facts(Some(actor.role)) }
    }

    /// Somebody does something that may be done, with a second factor.
    fn by(self, who: &Who, command: Command) -> Self {
        let events = decide(Some(&self.run), &command, who, &self.proven(who)).unwrap();
        self.with(events, who)
    }

    fn refuses_to(&self, who: &Who, command: &Command) -> Refusal {
        decide(Some(&self.run), command, who, &self.proven(who)).unwrap_err()
    }
}

#[test]
fn an_administrator_asks_and_another_person_confirms() {
    let story = asked();
    let (number, waiting) = story.run.waiting_redaction(LOOKED).unwrap();
    assert_eq!((number, waiting.covers(), waiting.reason.as_str()), (1, 4, "a password"));

    let story = story.by(&person("Lena", Role::Lead), confirm_redaction(1));

    let Some(Event::OutputRedacted { old, new, bytes: 9, factor, .. }) = story.entries.last().map(|entry| &entry.event)
    else {
        panic!("{:?}", story.entries.last())
    };
    assert_eq!((old, new, factor.as_str()), (&output(), &Digest::of(b"covered"), "code"));
    assert_eq!(story.run.waiting_redaction(LOOKED), None);
    assert_eq!(story.run.redactions[0].covered().map(|stamp| stamp.by.name()), Some("Lena"));
}

#[test]
fn the_event_binds_the_output_as_it_is_from_then_on_and_the_old_record_stays() {
    let story = asked().by(&person("Lena", Role::Lead), confirm_redaction(1));

    let bound: Vec<_> = story.entries.iter().filter_map(|entry| entry.event.output(RunId(12))).collect();
    assert_eq!(bound, [(LOOKED, 9, &output()), (LOOKED, 9, &Digest::of(b"covered"))]);
    let end = story.run.attempt(LOOKED).unwrap().end.as_ref().unwrap();
    assert_eq!(end.output, Some(Digest::of(b"covered")));
    assert!(matches!(&end.ending, AttemptEnding::Known(exit) if exit.output == output()));
}

#[test]
fn who_asked_does_not_confirm_whatever_their_role_is_now() {
    let story = asked();

    for role in [Role::Lead, Role::Administrator] {
        assert_eq!(story.refuses_to(&person("Ada", role), &confirm_redaction(1)), Refusal::OwnRedaction);
    }
    let taken_back = story.by(&ada(), Command::RejectRedaction { number: 1, reason: "the wrong line".to_owned() });
    assert!(matches!(taken_back.run.redactions[0].end, Some(RedactionEnd::Rejected { .. })));
}

#[test]
fn only_an_administrator_asks_and_only_a_lead_confirms() {
    let story = looked();
    for role in [Role::Viewer, Role::Operator, Role::Lead] {
        let refusal = story.refuses_to(&person("Otto", role), &ask_redaction(1, 1, &[(0, 4)]));
        assert!(matches!(refusal, Refusal::Forbidden(why) if why.verb() == Verb::Redact), "{role}");
    }

    let operator = asked().refuses_to(&person("Otto", Role::Operator), &confirm_redaction(1));
    assert!(matches!(operator, Refusal::Forbidden(_)));
}

#[test]
fn a_closed_run_is_covered_like_an_open_one_and_stays_closed() {
    let finish = Command::Finish { verdict: Verdict::Reached, comment: String::new() };
    let closed = looked().does(finish);
    let end = closed.run.end.clone();

    let covered =
        closed.by(&ada(), ask_redaction(1, 1, &[(0, 4)])).by(&person("Lena", Role::Lead), confirm_redaction(1));

    assert_eq!(covered.run.end, end);
    assert!(covered.run.redactions[0].covered().is_some());
}

#[test]
fn only_an_attempt_that_has_ended_is_covered_and_one_redaction_of_it_waits_at_a_time() {
    let running = Story::begun().sets("branch", "main").runs(1, &[1]).begins(1);
    assert_eq!(running.refuses_to(&ada(), &ask_redaction(1, 1, &[(0, 4)])), Refusal::NotEnded);
    assert!(matches!(running.refuses_to(&ada(), &ask_redaction(1, 2, &[(0, 4)])), Refusal::Nothing(_)));

    let again = asked().refuses_to(&person("Alan", Role::Administrator), &ask_redaction(1, 1, &[(5, 6)]));
    assert!(matches!(again, Refusal::RedactionWaits { by, .. } if by == "Ada"));
    let lena = person("Lena", Role::Lead);
    let no = Command::RejectRedaction { number: 1, reason: "needed as proof".to_owned() };
    let rejected = asked().by(&lena, no.clone());
    assert!(
        matches!(rejected.refuses_to(&lena, &confirm_redaction(1)), Refusal::RedactionOver { by, .. } if by == "Lena")
    );
    assert!(matches!(rejected.refuses_to(&lena, &no), Refusal::RedactionOver { .. }));
    assert_eq!(rejected.by(&ada(), ask_redaction(1, 1, &[(0, 4)])).run.redactions.len(), 2);
}

#[test]
fn places_have_to_be_inside_and_a_reason_is_owed() {
    for bad in [&[][..], &[(2, 2)], &[(4, 6), (0, 1)], &[(0, 3), (2, 4)], &[(8, 10)]] {
        let refusal = looked().refuses_to(&ada(), &ask_redaction(1, 1, bad));
        assert!(matches!(refusal, Refusal::NoPlace(_)), "{bad:?}: {refusal}");
    }

    let Command::AskRedaction { step, attempt, ranges, bytes, output, .. } = ask_redaction(1, 1, &[(0, 9)]) else {
        unreachable!()
    };
    let silent = Command::AskRedaction { step, attempt, ranges, reason: " ".to_owned(), bytes, output };
    assert_eq!(looked().refuses_to(&ada(), &silent), Refusal::NoReason);
}

#[test]
fn what_was_changed_behind_the_record_is_not_made_good_by_covering_it() {
    let Command::AskRedaction { step, attempt, ranges, reason, .. } = ask_redaction(1, 1, &[(0, 4)]) else {
        unreachable!()
    };
    for (bytes, output) in [(9, Digest::of(b"other")), (8, output())] {
        let (ranges, reason) = (ranges.clone(), reason.clone());
        let ask = Command::AskRedaction { step, attempt, ranges, reason, bytes, output };
        assert_eq!(looked().refuses_to(&ada(), &ask), Refusal::OutputChanged);
    }

    let lena = person("Lena", Role::Lead);
    let changed = Command::ConfirmRedaction { number: 1, old: Digest::of(b"other"), new: Digest::of(b"covered") };
    assert_eq!(asked().refuses_to(&lena, &changed), Refusal::OutputChanged);
}

#[test]
fn an_ask_about_an_output_that_was_covered_meanwhile_is_not_confirmed() {
    // Not by any way through the gate: two of one attempt do not wait at a time.
    let (step, attempt, bytes) = (1, 1, 9);
    let other = Event::OutputRedacted {
        number: 9,
        step,
        attempt,
        ranges: Vec::new(),
        bytes,
        old: output(),
        new: Digest::of(b"other"),
        factor: "code".to_owned(),
    };
    let story = asked().with(vec![other], &Who::Portal);

    assert_eq!(story.refuses_to(&person("Lena", Role::Lead), &confirm_redaction(1)), Refusal::OutputChanged);
}

#[test]
fn an_attempt_whose_output_nobody_could_read_is_covered_as_it_is_found() {
    let story = Story::begun().runs(2, &[1]).ends(1, Outcome::Success).hears(interrupt(2, 1));

    let covered =
        story.by(&ada(), ask_redaction(2, 1, &[(0, 9)])).by(&person("Lena", Role::Lead), confirm_redaction(1));

    let end = covered.run.attempt(AttemptId { run: RUN, step: 2, attempt: 1 }).unwrap().end.clone().unwrap();
    assert_eq!(end.output, Some(Digest::of(b"covered")));
}

#[test]
fn what_is_covered_is_known_by_its_places_and_what_waits_by_its_number() {
    let story = asked();
    assert_eq!(story.run.covered_places(LOOKED), [[]; 0], "what is only asked for can still be read");
    assert_eq!(story.run.waiting_redactions().map(|(number, _)| number).collect::<Vec<_>>(), [1]);
    assert_eq!(story.run.redactions[0].amount(), "4 bytes in 1 place");

    let story = story.by(&person("Lena", Role::Lead), confirm_redaction(1));

    assert_eq!(story.run.covered_places(LOOKED), [vec![ByteRange { from: 0, to: 4 }]]);
    assert_eq!(story.run.covered_places(AttemptId { attempt: 2, ..LOOKED }), [[]; 0]);
    assert_eq!(story.run.waiting_redactions().count(), 0);
}

#[test]
fn covering_shapes_no_run() {
    let failed = Story::begun().sets("branch", "main").runs(1, &[1]).ends(1, Outcome::Failure);
    let story = failed.settles(AttemptResult::Failed { command: 1 }).by(&ada(), ask_redaction(1, 1, &[(0, 4)]));

    assert!(!story.run.shapers.contains_key(&"Ada".into()));
}
