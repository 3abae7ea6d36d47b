//! Asking for approval, deciding, and what a decision lets happen.

use super::{Facts, bounded, may, plan_step, proven, reasoned, starting};
use crate::approval::{Difference, Evidence, FileIdentity, Need};
use crate::attempt::{Outcome, Work};
use crate::policy::{Role, Verb, allows};
use crate::run::difference::{continued, differences};
use crate::run::event::{Event, Who};
use crate::run::fold::evolve_event;
use crate::run::refusal::Refusal;
use crate::run::request::{Covered, Request, RequestEnd, RequestStatus, is_part_of};
use crate::run::state::{Attempt, CommandState, Run};
use crate::runbook::PartKind;

/// More sets of commands in one request than that are not read by anybody.
const COVERS_LIMIT: usize = 20;

/// What a request is to cover: the step's place in the plan and the numbers of the commands.
pub type Wanted = (u32, Vec<u32>);

/// Asks leads for an approval.
pub(super) fn ask(
    run: &Run,
    (number, wanted): (u32, &[Wanted]),
    reason: &str,
    evidence: &Evidence,
    facts: &Facts,
) -> Result<Vec<Event>, Refusal> {
    let (run, changed) = with_secrets(run, wanted, facts)?;
    let (covers, leads) = covers(&run, number, wanted, facts)?;
    let reason = reasoned(reason)?;
    let asked = Event::ApprovalRequested {
        covers,
        reason,
        evidence: Box::new(evidence.clone()),
        expires: facts.now.plus(facts.rules.decide_within_ms),
        leads,
        rules: facts.rules.digest(),
        start_within_ms: facts.rules.start_within_ms,
        rollback_within_ms: facts.rules.rollback_within_ms,
    };
    Ok(changed.into_iter().chain([asked]).collect())
}

/// The run with the secrets as they are now, and the events that say which of them have changed.
fn with_secrets(run: &Run, wanted: &[Wanted], facts: &Facts) -> Result<(Run, Vec<Event>), Refusal> {
    let mut run = run.clone();
    let mut events = Vec::new();
    for (step, commands) in wanted {
        for (name, version) in starting::changed_secrets(&run, *step, commands, facts)? {
            run.secrets.insert(name.clone(), version.clone());
            events.push(Event::SecretChanged { name, version });
        }
    }
    Ok((run, events))
}

/// Starts without an approval: in an emergency, by who may, under review.
pub(super) fn break_glass(
    run: &Run,
    (number, wanted): (u32, &[Wanted]),
    reason: &str,
    facts: &Facts,
) -> Result<Vec<Event>, Refusal> {
    let role = facts.standing.ok_or(Refusal::Disabled)?;
    if facts.rules.break_glass.is_none_or(|least| role < least) {
        return Err(Refusal::NoGlass);
    }
    if let Some(run) = facts.unreviewed {
        return Err(Refusal::Unreviewed(run));
    }
    let factor = proven(facts)?;
    let reason = reasoned(reason)?;
    let (run, changed) = with_secrets(run, wanted, facts)?;
    let (covers, _) = covers(&run, number, wanted, facts)?;
    let covers = covers.into_iter().filter(|covered| !covered.rollback).collect();
    let broken = Event::GlassBroken {
        covers,
        reason,
        factor,
        rules: facts.rules.digest(),
        start_within_ms: facts.rules.start_within_ms,
    };
    Ok(changed.into_iter().chain([broken]).collect())
}

/// What a request covers, and how many leads it needs.
fn covers(run: &Run, number: u32, wanted: &[Wanted], facts: &Facts) -> Result<(Vec<Covered>, u32), Refusal> {
    if number != run.next_request() {
        return Err(Refusal::Over);
    }
    if wanted.is_empty() {
        return Err(Refusal::Together("There is no step to ask for"));
    }
    if wanted.len() > COVERS_LIMIT {
        return Err(Refusal::Together("A request covers 20 steps at most"));
    }
    let mut covers = Vec::new();
    let mut leads = 1;
    for (step, commands) in wanted {
        let (covered, needed) = cover(run, *step, commands, facts)?;
        leads = leads.max(needed);
        covers.push(covered);
    }
    let twice = |(place, one): (usize, &Covered)| covers.iter().skip(place + 1).any(|other| overlap(one, other));
    if covers.iter().enumerate().any(twice) {
        return Err(Refusal::Together("A command stands in one set of a request only"));
    }
    covers.sort_by_key(|covered| covered.step);
    covers.extend(rollback(run, facts).filter(|back| !wanted.iter().any(|(step, _)| *step == back.step)));
    Ok((covers, leads))
}

fn overlap(one: &Covered, other: &Covered) -> bool {
    one.step == other.step && one.commands.iter().any(|command| other.commands.contains(command))
}

fn cover(run: &Run, step: u32, commands: &[u32], facts: &Facts) -> Result<(Covered, u32), Refusal> {
    let plan = plan_step(run, step)?;
    starting::startable(run, step, plan, commands)?;
    let class = starting::worst(plan, commands).map(|worst| worst.risk).unwrap_or_default();
    let Some(need) = facts.rules.need(&run.plan, plan, class, facts.now) else {
        return Err(Refusal::NoNeed(plan.title.clone()));
    };
    let live = |request: &&Request| run.request_status(request, facts.now).is_live();
    let asked = run.requests.iter().filter(live).flat_map(|request| &request.covers);
    if asked.into_iter().any(|covered| !covered.rollback && covered.step == step && covered.commands == *commands) {
        return Err(Refusal::Asked(plan.title.clone()));
    }
    let work = run.work(step, commands, &run.holder.by).ok_or_else(|| Refusal::Nothing(format!("step {step}")))?;
    starting::carried(&work)?;
    let leads = need.leads;
    let (work, commands) = (Box::new(work), commands.to_vec());
    Ok((Covered { step, commands, work, rollback: false, need: Some(need) }, leads))
}

/// What of the document's rollback needs approval and could be started with the values that are known.
fn rollback<'r>(run: &'r Run, facts: &'r Facts) -> impl Iterator<Item = Covered> + 'r {
    let steps = (1..).zip(&run.plan.steps).filter(|(_, plan)| plan.part == PartKind::Rollback);
    let sets = steps.flat_map(|(step, _)| run.offers(step).into_iter().map(move |offer| (step, offer.commands)));
    sets.filter_map(|(step, commands)| {
        let (covered, _) = cover(run, step, &commands, facts).ok()?;
        Some(Covered { rollback: true, ..covered })
    })
}

/// A lead approves.
pub(super) fn grant(
    run: &Run,
    number: u32,
    (retry, rollback): (bool, bool),
    comment: &str,
    who: &Who,
    facts: &Facts,
) -> Result<Event, Refusal> {
    let request = waiting(run, number, facts)?;
    may_decide(run, who)?;
    if request.approvers().any(|approver| who.id() == Some(approver)) {
        return Err(Refusal::Over);
    }
    let factor = proven(facts)?;
    bounded(comment)?;
    let comment = comment.trim().to_owned();
    Ok(Event::ApprovalGranted { request: number, retry, rollback, comment, factor })
}

/// A lead says no: the request ends, whatever others have said.
pub(super) fn reject(run: &Run, number: u32, reason: &str, facts: &Facts) -> Result<Event, Refusal> {
    undecided(run, number, facts)?;
    let reason = reasoned(reason)?;
    let factor = proven(facts)?;
    Ok(Event::ApprovalRejected { request: number, reason, factor })
}

/// The person who works in the run, or any lead, takes it back.
pub(super) fn cancel(run: &Run, number: u32, reason: &str, who: &Who, facts: &Facts) -> Result<Event, Refusal> {
    let request = undecided(run, number, facts)?;
    let own = run.is_held_by(who) || request.asked.by.id() == who.id();
    if !own {
        may(who, Verb::Approve, facts)?;
    }
    bounded(reason)?;
    Ok(Event::ApprovalCancelled { request: number, reason: reason.trim().to_owned() })
}

/// From the portal's clock: nobody has decided in time.
pub(super) fn expire(run: &Run, number: u32, facts: &Facts) -> Vec<Event> {
    let open = run.request(number).filter(|request| request.end.is_none());
    let over = open.is_some_and(|request| run.request_status(request, facts.now) == RequestStatus::Expired);
    if over { vec![Event::ApprovalExpired { request: number }] } else { Vec::new() }
}

/// Another lead or an administrator has looked at a broken glass.
pub(super) fn review(run: &Run, number: u32, comment: &str, who: &Who) -> Result<Event, Refusal> {
    let request = run.request(number).ok_or_else(|| no_request(number))?;
    let glass = request.glass.as_ref().ok_or_else(|| no_request(number))?;
    if glass.review.is_some() {
        return Err(Refusal::Over);
    }
    if request.asked.by.id() == who.id() {
        return Err(Refusal::OwnGlass);
    }
    Ok(Event::GlassReviewed { request: number, comment: reasoned(comment)? })
}

fn no_request(number: u32) -> Refusal {
    Refusal::Nothing(format!("request {number}"))
}

/// A request that may still be ended.
fn undecided<'r>(run: &'r Run, number: u32, facts: &Facts) -> Result<&'r Request, Refusal> {
    let request = run.request(number).ok_or_else(|| no_request(number))?;
    if run.request_status(request, facts.now).is_live() { Ok(request) } else { Err(decided(run, request, facts)) }
}

/// A request that still needs approvals.
fn waiting<'r>(run: &'r Run, number: u32, facts: &Facts) -> Result<&'r Request, Refusal> {
    let request = run.request(number).ok_or_else(|| no_request(number))?;
    match run.request_status(request, facts.now) {
        RequestStatus::Waiting => Ok(request),
        _ => Err(decided(run, request, facts)),
    }
}

/// Why there is nothing to decide any more: who did, and when.
fn decided(run: &Run, request: &Request, facts: &Facts) -> Refusal {
    let status = run.request_status(request, facts.now);
    let (by, at) = match &request.end {
        Some(RequestEnd::Rejected { stamp, .. } | RequestEnd::Cancelled { stamp, .. }) => (stamp.by.name(), stamp.at),
        Some(RequestEnd::Expired { at } | RequestEnd::Void { at, .. }) => ("", *at),
        None => match request.approvals.last() {
            Some(approval) => (approval.stamp.by.name(), approval.stamp.at),
            None => ("", request.expires),
        },
    };
    Refusal::Decided { status, by: by.to_owned(), at: at.time_of_day() }
}

/// Whoever has shaped a run decides nothing in it.
fn may_decide(run: &Run, who: &Who) -> Result<(), Refusal> {
    let shaped = who.id().and_then(|id| run.shapers.get(id));
    shaped.map_or(Ok(()), |shaped| Err(Refusal::Shaped(*shaped)))
}

/// Whether an attempt that needs an approval has one.
pub(super) enum Coverage {
    /// The request under which it starts.
    By(u32),
    /// The approval does not hold any more; that is recorded, and nothing starts.
    Void(u32, Vec<Difference>),
    /// There is none, or none that lets this start.
    Refused(Refusal),
}

/// What lets commands start that need an approval of so many leads.
pub(super) fn coverage(run: &Run, step: u32, commands: &[u32], work: &Work, need: &Need, facts: &Facts) -> Coverage {
    let Need { leads, why } = need;
    let mut refused = None;
    for (number, request) in run.requests_newest_first() {
        let about = |covered: &&Covered| covered.step == step && is_part_of(commands, &covered.commands);
        let Some(covered) = request.covers.iter().find(about) else { continue };
        if let Err(refusal) = is_open(run, request, covered, commands, facts) {
            refused.get_or_insert(refusal);
            continue;
        }
        if request.glass.is_none() && request.leads < *leads {
            refused.get_or_insert(Refusal::MoreLeads(*leads));
            continue;
        }
        let changed = changed(run, request, covered, work, facts);
        if !changed.is_empty() {
            return Coverage::Void(number, changed);
        }
        // A disk that does not answer changes nothing; it is only not known now.
        return match unseen(request, covered, facts) {
            Some(refusal) => Coverage::Refused(refusal),
            None => Coverage::By(number),
        };
    }
    let rule = run.plan.step(step).and_then(|plan| starting::worst(plan, commands)).map(|worst| worst.rule.clone());
    let (rule, why) = (rule.unwrap_or_default(), why.clone());
    Coverage::Refused(refused.unwrap_or(Refusal::NeedsApproval { rule, why }))
}

/// Whether a request lets some commands start now, as far as decisions, clocks and uses go.
fn is_open(run: &Run, request: &Request, covered: &Covered, commands: &[u32], facts: &Facts) -> Result<(), Refusal> {
    if request.end.is_some() || request.approved_at().is_none() {
        return Err(match run.request_status(request, facts.now) {
            RequestStatus::Waiting => Refusal::Undecided {
                asked: request.asked.at.time_of_day(),
                until: request.expires.time_of_day(),
                missing: request.leads.saturating_sub(u32::try_from(request.approvals.len()).unwrap_or(u32::MAX)),
            },
            _ => decided(run, request, facts),
        });
    }
    if covered.rollback {
        return rollback_is_open(run, request, covered, commands, facts);
    }
    let uses: Vec<_> = run.uses_of(request, covered).collect();
    match uses.last() {
        None if commands != covered.commands => Err(Refusal::Whole),
        None => in_time(run.start_until(request), facts),
        Some(last) if last.end.is_none() => Err(Refusal::Spent),
        Some(last) if last.is_bad() => {
            let bad = uses.iter().filter(|attempt| attempt.is_bad()).count();
            if !request.may_retry(bad) || !starts_at_the_failure(run, covered, commands) {
                return Err(Refusal::Spent);
            }
            in_time(last.end.as_ref().map(|end| end.at.plus(request.start_within_ms)), facts)
        }
        // Paused at a difference: the rest of what was approved goes on, and nothing of it is run twice.
        Some(last) if is_the_rest(run, last, covered, commands) => {
            in_time(last.end.as_ref().map(|end| end.at.plus(request.start_within_ms)), facts)
        }
        Some(_) => Err(Refusal::Spent),
    }
}

fn in_time(until: Option<crate::Timestamp>, facts: &Facts) -> Result<(), Refusal> {
    match until {
        Some(until) if facts.now > until => Err(Refusal::TooLate(until.time_of_day())),
        _ => Ok(()),
    }
}

/// The rollback starts once, after a covered attempt ended badly, and not for ever.
fn rollback_is_open(
    run: &Run,
    request: &Request,
    covered: &Covered,
    commands: &[u32],
    facts: &Facts,
) -> Result<(), Refusal> {
    if !request.rollback() {
        return Err(Refusal::NoRollback);
    }
    let Some(failed) = run.failed_at(request) else { return Err(Refusal::NothingFailed) };
    match run.uses_of(request, covered).last() {
        None if commands != covered.commands => return Err(Refusal::Whole),
        None => {}
        Some(last) if is_the_rest(run, last, covered, commands) => {}
        Some(_) => return Err(Refusal::Spent),
    }
    in_time(Some(failed.plus(request.rollback_within_ms)), facts)
}

/// Whether commands are exactly those that a covered set has left after an attempt that paused at a difference.
fn is_the_rest(run: &Run, last: &Attempt, covered: &Covered, commands: &[u32]) -> bool {
    let less = commands.len() < last.commands.len();
    less && last.has_paused() && rest(run, covered).is_some_and(|rest| rest == commands)
}

/// What a covered set has left after what ended well; `None` when one of it was passed over, which nobody has approved.
fn rest<'c>(run: &Run, covered: &'c Covered) -> Option<&'c [u32]> {
    let state = run.step(covered.step)?;
    let outcome = |number: &u32| state.command(*number).and_then(CommandState::outcome);
    let over = |number: &u32| outcome(number).is_some_and(Outcome::is_good);
    let done = covered.commands.iter().take_while(|number| over(number)).count();
    covered.commands.get(done..).filter(|rest| !rest.is_empty())
}

/// Whether commands begin at the one that failed or before it: a retry goes through it again.
fn starts_at_the_failure(run: &Run, covered: &Covered, commands: &[u32]) -> bool {
    rest(run, covered).is_some_and(|rest| rest.len() <= commands.len())
}

/// What keeps an approval from holding, although it was given: nothing of that may differ between approval and start.
fn changed(run: &Run, request: &Request, covered: &Covered, work: &Work, facts: &Facts) -> Vec<Difference> {
    let mut changed = match run.uses_of(request, covered).last() {
        Some(last) => continued(&covered.work, last, work),
        None => differences(&covered.work, work),
    };
    if request.rules != facts.rules.digest() {
        changed.push(plain("the rules about approvals have changed"));
    }
    changed.extend(lost_standing(run, request, facts));
    changed.extend(evidence(request, covered, facts));
    changed
}

fn plain(what: &str) -> Difference {
    Difference { what: what.to_owned(), approved: String::new(), now: String::new() }
}

/// Leads who approved and could not do so any more.
fn lost_standing(run: &Run, request: &Request, facts: &Facts) -> Vec<Difference> {
    let mut changed = Vec::new();
    if request.glass.is_some() {
        let role = request.asked.by.id().and_then(|id| facts.standings.get(id)).copied();
        if facts.rules.break_glass.is_none_or(|least| role.is_none_or(|role| role < least)) {
            changed.push(plain(&format!("{} may not go on without an approval any more", request.asked.by.name())));
        }
    }
    for approval in &request.approvals {
        let Some(id) = approval.stamp.by.id() else { continue };
        let name = approval.stamp.by.name();
        let role = facts.standings.get(id).copied();
        if !role.is_some_and(|role| allows(role, Verb::Approve)) {
            let now = role.map_or("disabled", Role::word);
            changed.push(plain(&format!("{name}, who approved, is {now} now")));
        }
        if let Some(shaped) = run.shapers.get(id) {
            changed.push(plain(&format!("{name}, who approved, has {} since", shaped.words())));
        }
    }
    changed
}

/// Files that are not those of the evidence any more. What undoes a failure does not read them.
fn evidence(request: &Request, covered: &Covered, facts: &Facts) -> Vec<Difference> {
    let differs = |file: &FileIdentity| match facts.bound.get(&file.path) {
        Some(Ok(now)) => file.difference(now).map(|(approved, now)| Difference { what: named(file), approved, now }),
        _ => None,
    };
    let bound = request.evidence.bound().filter(|_| !covered.rollback);
    bound.filter_map(differs).collect()
}

/// A file of the evidence that could not be looked at now.
fn unseen(request: &Request, covered: &Covered, facts: &Facts) -> Option<Refusal> {
    let mut bound = request.evidence.bound().filter(|_| !covered.rollback);
    bound.find_map(|file| {
        let why = match facts.bound.get(&file.path) {
            Some(Ok(_)) => return None,
            Some(Err(why)) => why.clone(),
            None => "it was not looked at".to_owned(),
        };
        Some(Refusal::Unseen { file: named(file), why })
    })
}

fn named(file: &FileIdentity) -> String {
    format!("the file {}", file.path)
}

/// The later step that needs an approval and has none that would let it start, when a step that takes a service away is to be
/// started before it.
pub(super) fn unapproved_after(run: &Run, step: u32, facts: &Facts) -> Option<u32> {
    let later = (1..).zip(&run.plan.steps).filter(|(place, plan)| *place > step && plan.is_on_the_way());
    let mut open = later.filter(|(place, _)| !run.status(*place).is_over());
    open.find(|(place, _)| run.sets(*place).iter().any(|set| waits(run, *place, &set.commands, facts)))
        .map(|(place, _)| place)
}

/// Whether commands need an approval and have none that holds, as far as that can be said before they start.
fn waits(run: &Run, step: u32, commands: &[u32], facts: &Facts) -> bool {
    let Some(plan) = run.plan.step(step) else { return false };
    let class = starting::worst(plan, commands).map(|worst| worst.risk).unwrap_or_default();
    let Some(need) = facts.rules.need(&run.plan, plan, class, facts.now) else { return false };
    let Some(work) = run.work(step, commands, &run.holder.by) else { return false };
    // The files are looked at when the step itself starts.
    match coverage(run, step, commands, &work, &need, facts) {
        Coverage::By(_) | Coverage::Refused(Refusal::Unseen { .. }) => false,
        Coverage::Void(..) | Coverage::Refused(_) => true,
    }
}

/// Requests that what has just happened makes void: something that they cover, and that was not started yet, is not any more
/// as it was; or the run was closed.
pub(super) fn voids(run: &Run, events: &[Event], who: &Who, facts: &Facts) -> Vec<Event> {
    if run.unreadable.is_some()
        || !events.iter().any(may_change_work)
        || run.requests.iter().all(|request| request.end.is_some())
    {
        return Vec::new();
    }
    let after = events.iter().fold(run.clone(), |run, event| evolve_event(run, event, who, facts.now));
    let mut voids = Vec::new();
    for (number, request) in (1..).zip(&after.requests) {
        let why = why_void(&after, request, facts);
        if request.end.is_none() && !why.is_empty() {
            voids.push(Event::ApprovalVoided { request: number, why });
        }
    }
    voids
}

/// What comes often and changes nothing that an approval could cover is not looked at.
const fn may_change_work(event: &Event) -> bool {
    !matches!(
        event,
        Event::CommandStarted { .. }
            | Event::CommandEnded { .. }
            | Event::ItemTicked { .. }
            | Event::ItemUnticked { .. }
            | Event::CheckStarted { .. }
            | Event::CheckEnded { .. }
            | Event::CheckOverruled { .. }
            | Event::NoteAdded { .. }
            | Event::Escalated { .. }
            | Event::StopRequested { .. }
    )
}

fn why_void(run: &Run, request: &Request, facts: &Facts) -> Vec<Difference> {
    match run.request_status(request, facts.now) {
        RequestStatus::Waiting | RequestStatus::Approved | RequestStatus::Expired if run.end.is_some() => {
            return vec![plain("the run was closed")];
        }
        RequestStatus::Waiting | RequestStatus::Approved => {}
        _ => return Vec::new(),
    }
    // A rollback that nobody has approved binds nobody. Once an approved step was started it is looked at when it starts itself:
    // that step may have left the shell elsewhere, and its retry is none the worse for that.
    let may_come = request.rollback() && request.uses.is_empty();
    let binds = |covered: &&Covered| !covered.rollback || request.approved_at().is_none() || may_come;
    let unused = request.covers.iter().filter(binds).filter(|covered| run.uses_of(request, covered).next().is_none());
    let mut why: Vec<Difference> = Vec::new();
    for covered in unused {
        let Some(now) = run.work(covered.step, &covered.commands, &run.holder.by) else { continue };
        for difference in differences(&covered.work, &now) {
            if !why.contains(&difference) {
                why.push(difference);
            }
        }
    }
    why
}
