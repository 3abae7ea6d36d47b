//! Where a run stands, at a glance; and what is still to move the ground under a later step.

use super::stage::*;
use crate::Risk;
use crate::attempt::{AttemptResult, Outcome};
use crate::run::{Command, StepStatus, Verdict, course_words};

/// `1 ok`, `4 waiting, current`, `9 waiting, added`
fn lines(story: &Story) -> Vec<String> {
    let line = |leg: &crate::run::Leg| {
        let flags = [(leg.current, ", current"), (leg.added, ", added"), (leg.rollback, ", rollback")];
        let flags: String = flags.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        format!("{} {}{flags}", leg.step, leg.status.word())
    };
    story.run.course().iter().map(line).collect()
}

#[test]
fn a_step_that_was_added_stands_after_the_one_that_it_follows() {
    let story = Story::of(plan()).sets("branch", "main").does(adds(added("date", 2))).succeeds(1, &[1, 2]).skips(2);

    assert_eq!(
        lines(&story),
        [
            "1 ok",
            "2 skipped",
            "9 waiting, added",
            "3 waiting, current",
            "4 waiting",
            "5 waiting",
            "6 waiting",
            "7 waiting",
            "8 waiting, rollback",
        ]
    );
    assert_eq!(course_words(&story.run.course()), "2 of 8 steps over, 1 of them skipped; 1 added by hand");
}

#[test]
fn the_run_stands_at_what_has_failed_and_a_closed_run_stands_nowhere() {
    let failed = Story::of(plan()).skips(1).runs(2, &[1]).ends(1, Outcome::Failure);
    let failed = failed.settles(AttemptResult::Failed { command: 1 });

    assert_eq!(lines(&failed)[1], "2 failed, current");
    assert_eq!(course_words(&failed.run.course()), "1 of 7 steps over, 1 of them skipped; 1 waits for a person");
    let closed = failed.does(Command::Finish { verdict: Verdict::Aborted, comment: "no more".to_owned() });
    assert!(closed.run.course().iter().all(|leg| !leg.current));
    assert_eq!(closed.run.status(2), StepStatus::Failed);
}

#[test]
fn a_step_that_exports_or_goes_elsewhere_is_named_until_it_has_run() {
    let mut plan = plan();
    plan.steps[0].commands[0].exports = ["DB_NAME", "PATH", "DB_HOST", "branch"].map(str::to_owned).to_vec();
    plan.steps[1].commands = vec![command("cd /srv/app && docker restart api", Risk::Disrupts)];
    plan.steps[2].commands = vec![command("(cd /tmp; ls) && abcd x", Risk::Reads)];
    let story = Story::of(plan).sets("branch", "main");
    let words = |story: &Story| story.run.movers_before(4).iter().map(crate::run::Mover::words).collect::<Vec<_>>();

    let restart = "Step 2, \u{201c}Restart\u{201d}, is still to run: it changes the directory";
    assert_eq!(
        words(&story),
        ["Step 1, \u{201c}Look\u{201d}, is still to run: it exports DB_HOST and DB_NAME", restart]
    );
    assert_eq!(words(&story.clone().succeeds(1, &[1, 2])), [restart]);
    assert_eq!(words(&story.skips(1).skips(2)), [""; 0]);
}
