//! What lint says, with the lines.

use domain::runbook::{Finding, Level};
use leptos::prelude::*;

use super::glyph::{Glyph, Sign};
use domain::run::StepStatus;

/// The findings of a document or a procedure.
#[component]
pub fn Findings(
    findings: Vec<Finding>,
    /// The titles of procedures by address, where a finding should say which one it is about.
    #[prop(optional)]
    titles: Vec<(String, String)>,
) -> impl IntoView {
    let with_procedure = !titles.is_empty();
    let rows = findings
        .into_iter()
        .map(|finding| {
            let procedure = with_procedure.then(|| procedure_cell(&finding, &titles));
            view! {
                <tr>
                    <td>{level_mark(finding.level)}</td>
                    <td class="num" data-label="line ">{finding.line}</td>
                    {procedure}
                    <td class="found">
                        {finding.message}
                        {finding.file.map(|file| view! { <span class="quiet small">" in "<code>{file}</code></span> })}
                    </td>
                    <td class="quiet small"><code>{finding.code}</code></td>
                </tr>
            }
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
                    <th scope="col">"What was found, what to do"</th>
                    <th scope="col">"Name"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn procedure_cell(finding: &Finding, titles: &[(String, String)]) -> AnyView {
    let slug = finding.procedure.as_ref().map(|slug| slug.0.clone());
    let found = slug.and_then(|slug| titles.iter().find(|(known, _)| *known == slug));
    match found {
        Some((slug, title)) => view! { <td><a href=format!("/procedures/{slug}")>{title.clone()}</a></td> }.into_any(),
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
