//! What lint says, with the lines.

use domain::run::StepStatus;
use domain::runbook::{Finding, Level};
use leptos::prelude::*;

use super::glyph::{Glyph, Sign};
use super::words::{capital, counted};
use crate::base::portal_path;

/// The findings of a document or a procedure.
#[component]
pub fn Findings(
    findings: Vec<Finding>,
    /// The titles of procedures by address, where a finding should say which one it is about.
    #[prop(optional)]
    titles: Vec<(String, String)>,
    /// The path of the place that a finding is about, inside the portal or on this page, where it can be seen.
    place: fn(&Finding) -> Option<String>,
) -> impl IntoView {
    let with_procedure = !titles.is_empty();
    let rows = findings
        .into_iter()
        .map(|finding| {
            let procedure = with_procedure.then(|| procedure_cell(&finding, &titles));
            row(finding, procedure, place)
        })
        .collect_view();
    view! {
        <table class="table findings" data-cards>
            <caption class="sr">"Findings of lint, by line"</caption>
            <thead>
                <tr>
                    <th scope="col">"Kind"</th>
                    <th scope="col" class="num">"Line"</th>
                    {with_procedure.then(|| view! { <th scope="col">"Procedure"</th> })}
                    <th scope="col">"What was found"</th>
                    <th scope="col">"What to do"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn row(finding: Finding, procedure: Option<AnyView>, place: fn(&Finding) -> Option<String>) -> AnyView {
    let line = match place(&finding) {
        // The line may be on this very page, where the router has nothing to do.
        Some(href) if href.starts_with('#') => view! { <a href=href rel="external">{finding.line}</a> }.into_any(),
        Some(path) => view! { <a href=portal_path(path)>{finding.line}</a> }.into_any(),
        None => finding.line.into_any(),
    };
    let (found, to_do) = halves(&finding.message);
    let found = if to_do.is_some() { format!("{found}.") } else { found.to_owned() };
    let to_do = to_do.map(capital);
    view! {
        <tr title=format!("finding: {}", finding.code)>
            <td>{level_mark(finding.level)}</td>
            <td class="num" data-label="line ">{line}</td>
            {procedure}
            <td class="found">
                {found}
                {finding.file.map(|file| view! { <span class="quiet small">" in "<code>{file}</code></span> })}
            </td>
            <td class="to-do">{to_do}</td>
        </tr>
    }
    .into_any()
}

/// What is there, and what to do. A message of lint ends with what to do: in its last sentence, else behind its last
/// semicolon. What stands in quotation marks is the document's and divides nothing.
fn halves(message: &str) -> (&str, Option<&str>) {
    let behind = |mark: &str| {
        let (found, to_do) = message.rsplit_once(mark)?;
        (to_do.matches('”').count() <= to_do.matches('“').count()).then_some((found, to_do))
    };
    match behind(". ").or_else(|| behind("; ")) {
        Some((found, to_do)) => (found, Some(to_do)),
        None => (message, None),
    }
}

fn procedure_cell(finding: &Finding, titles: &[(String, String)]) -> AnyView {
    let slug = finding.procedure.as_ref().map(|slug| slug.0.clone());
    let found = slug.and_then(|slug| titles.iter().find(|(known, _)| *known == slug));
    match found {
        Some((slug, title)) => {
            view! { <td><a href=portal_path(format!("/procedures/{slug}"))>{title.clone()}</a></td> }.into_any()
        }
        None => view! { <td class="quiet">"whole document"</td> }.into_any(),
    }
}

fn level_mark(level: Level) -> impl IntoView {
    let (tone, sign, word) = match level {
        Level::Error => ("danger", Sign::State(StepStatus::Failed), "error"),
        Level::Warning => ("warn", Sign::Warning, "warning"),
        Level::Note => ("quiet", Sign::Info, "note"),
    };
    view! {
        <span class="state" data-tone=tone>
            <Glyph sign />
            {word}
        </span>
    }
    .into_any()
}

/// How many findings need an author, in words; nothing when there are none.
pub fn findings_words(findings: u32) -> Option<String> {
    match findings {
        0 => None,
        1 => Some("1 finding needs an author".to_owned()),
        _ => Some(format!("{findings} findings need an author")),
    }
}

/// How many findings of each level there are, in words: `3 errors, 1 note`.
pub fn level_words<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> String {
    let words: Vec<String> = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")]
        .into_iter()
        .map(|(level, noun)| (findings.clone().filter(|finding| finding.level == level).count(), noun))
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| counted(count, noun))
        .collect();
    if words.is_empty() { "no findings".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_divided_where_it_begins_to_say_what_to_do() {
        let told = [
            "The mongo shell is gone since MongoDB 6, so this is not found there; use mongosh.",
            "It is shown but can never be run; it is a copy. Delete it, or give it a heading.",
            "“Wait; then look. Done” is no part that the portal runs.",
        ]
        .map(halves);

        assert_eq!(
            told[0],
            ("The mongo shell is gone since MongoDB 6, so this is not found there", Some("use mongosh."))
        );
        assert_eq!(told[1].1, Some("Delete it, or give it a heading."));
        assert_eq!(told[2].1, None);
    }

    #[test]
    fn findings_are_counted_by_level_and_a_level_without_any_is_left_out() {
        let finding = |level| Finding {
            line: 1,
            level,
            code: String::new(),
            message: String::new(),
            procedure: None,
            file: None,
        };
        let findings = [finding(Level::Note), finding(Level::Error), finding(Level::Error)];

        assert_eq!(level_words(findings.iter()), "2 errors, 1 note");
        assert_eq!(level_words([].iter()), "no findings");
    }
}
