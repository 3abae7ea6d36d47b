//! Commands that are not in the document: read and classed like the document's own, and offered to it at the end.

use domain::plan::{AdHoc, Plan, PlanStep};
use domain::policy::Operator;
use domain::run::{Command, Run, TEXT_LIMIT, Who};
use domain::runbook::{Document, Procedure};
use domain::view::Patch;
use domain::{Lowering, RunId};

use crate::planning::{self, Ground};
use crate::{Error, Portal};

/// What a person wants to run that no step of the document does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The commands, as they would stand in a block of the document.
    pub text: String,
    /// Why they are needed; also the title of the step.
    pub reason: String,
    /// The place in the plan of the step that they come after; 0 is before the first.
    pub after: u32,
    /// The place in the plan that the step will have: a form that is sent twice adds one step.
    pub place: u32,
}

impl Portal {
    /// Adds a step to a run and gives its place in the plan. It is not started yet: its class is shown first, and the gate
    /// treats it like any other.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a text without commands, and what the gate refuses.
    pub async fn add_step(&self, operator: Operator<'_>, run: RunId, added: Added) -> Result<u32, Error> {
        if added.text.len() > TEXT_LIMIT {
            return Err(Error::Invalid("The commands have more than 16 KiB. Nothing was added.".to_owned()));
        }
        let who = Who::Person(operator.actor().clone());
        let state = self.run_to_change(&who, run).await?;
        let step = step(&state.plan, &added, self.lowerings())?;
        let add = Command::AddStep { place: added.place, step: Box::new(step) };
        let decided = self.decide(run, &add, &who).await?;
        Ok(u32::try_from(decided.run.steps.len()).unwrap_or(u32::MAX))
    }
}

/// The step that a text makes: it goes the way of every document, so that reading and classing have no second rule.
fn step(plan: &Plan, added: &Added, lowerings: &[Lowering]) -> Result<PlanStep, Error> {
    let nothing =
        || Error::Invalid("There is no command in this text. Nothing was added; write one as in a shell.".to_owned());
    let text = added.text.replace("\r\n", "\n");
    let document = format!("# Added\n\n## Added\n\n### Steps\n\n{}", markdown(1, "Added", &text));
    let document = runbook::read("added.md", document.as_bytes(), None).map_err(|_| nothing())?;
    let step = read(&document, plan, lowerings).filter(PlanStep::is_run).ok_or_else(nothing)?;
    let ad_hoc = AdHoc { after: added.after, reason: added.reason.trim().to_owned() };
    Ok(PlanStep { title: title(&ad_hoc.reason), number: 0, line: 0, ad_hoc: Some(ad_hoc), ..step })
}

fn read(document: &Document, plan: &Plan, lowerings: &[Lowering]) -> Option<PlanStep> {
    let ground = Ground { document, target: &plan.target, directory: &plan.directory, lowerings };
    planning::plan(document.procedures.first()?, ground).steps.into_iter().next()
}

/// The longest title of a step that a reason gives, in characters.
const TITLE: usize = 80;

fn title(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    match line.char_indices().nth(TITLE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// A step with one block of commands, as Markdown. The fence is longer than any run of backticks in the text.
fn markdown(number: u32, title: &str, text: &str) -> String {
    let longest = text.split(|sign| sign != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let indent = " ".repeat(number.to_string().len() + 2);
    let lines: String =
        text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") }).collect();
    format!("{number}. **{title}**\n{indent}{fence}bash\n{lines}{indent}{fence}\n")
}

/// What would make the added steps of a run part of its document; `None` when none were added. `source` is the document and
/// its text when that is still the one that the run was made of.
pub(crate) fn patch(run: &Run, source: Option<(&Document, &str)>) -> Option<Patch> {
    let added: Vec<(&PlanStep, u32)> =
        run.plan.steps.iter().filter_map(|step| Some((step, step.ad_hoc.as_ref()?.after))).collect();
    if added.is_empty() {
        return None;
    }
    let diff = source.and_then(|(document, text)| diff(run, document, text, &added));
    let alone = || added.iter().map(|(step, after)| numbered(run, *after, step)).collect::<Vec<_>>().join("\n");
    Some(diff.map_or_else(|| Patch::Markdown(alone()), Patch::Diff))
}

fn diff(run: &Run, document: &Document, text: &str, added: &[(&PlanStep, u32)]) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    // From the end, so that the places before stay where they are; of two at one place the later one comes second.
    let mut places = added
        .iter()
        .map(|(step, after)| Some((place_after(run, document, &lines, *after)?, numbered(run, *after, step))))
        .collect::<Option<Vec<_>>>()?;
    places.sort_by_key(|(place, _)| *place);
    for (place, step) in places.into_iter().rev() {
        changed.insert(place, format!("\n{step}"));
    }
    let changed = changed.concat();
    let (was, is) = (format!("a/{}", document.path), format!("b/{}", document.path));
    Some(similar::TextDiff::from_lines(text, &changed).unified_diff().header(&was, &is).to_string())
}

/// The step as Markdown. Lists are numbered by their first item, so that the number only has to look right.
fn numbered(run: &Run, after: u32, step: &PlanStep) -> String {
    let number = run.plan.step(after).map_or(1, |step| step.number + 1);
    markdown(number, &step.title, &script(step))
}

fn script(step: &PlanStep) -> String {
    step.commands.iter().flat_map(|command| [command.text.as_str(), "\n"]).collect()
}

/// How many lines of the document stand before what comes after a step of the plan, blank lines at its end not counted.
fn place_after(run: &Run, document: &Document, lines: &[&str], after: u32) -> Option<usize> {
    let procedure = document.procedure(&run.plan.slug)?;
    let end = match after {
        0 => run.plan.steps.first()?.line.saturating_sub(1),
        // What was added after an added step goes where that one goes.
        after => match &run.plan.step(after)?.ad_hoc {
            Some(ad_hoc) => return place_after(run, document, lines, ad_hoc.after),
            None => end_of(procedure, run.plan.step(after)?.line)?,
        },
    };
    let end = usize::try_from(end).ok()?.min(lines.len());
    Some(lines[..end].iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1))
}

/// The last line before the next step, or of the part.
fn end_of(procedure: &Procedure, line: u32) -> Option<u32> {
    let part = procedure.parts.iter().find(|part| part.steps().any(|step| step.line == line))?;
    let next = part.steps().map(|step| step.line).filter(|next| *next > line).min();
    Some(next.map_or(part.end_line, |next| next - 1))
}

#[cfg(test)]
mod tests;
