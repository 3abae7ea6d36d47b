//! Nothing of a document is missing on the pages that are made of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use http::StatusCode;

use crate::bare::bare;
use crate::site::Served;
use crate::users_path::users_path;

/// The pages of a document: each procedure's own by its address, and the page of documents.
struct Pages {
    procedures: BTreeMap<String, String>,
    documents: String,
}

impl Pages {
    async fn of(site: &Served, document: &domain::runbook::Document) -> Self {
        let cookie = site.administrator().await;
        let mut procedures = BTreeMap::new();
        for procedure in &document.procedures {
            let answer = site.get(&format!("/procedures/{}", procedure.slug), &cookie).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", procedure.slug);
            procedures.insert(procedure.slug.to_string(), signs(&text_of(&answer.body)));
        }
        let documents = site.get("/documents", &cookie).await;
        assert_eq!(documents.status, StatusCode::OK);
        Self { procedures, documents: signs(&text_of(&documents.body)) }
    }
}

/// The text of a page, as a person reads it.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let tag = &rest[at..];
        let name: String = tag[1..].chars().take_while(char::is_ascii_alphanumeric).collect();
        let end = match name.as_str() {
            "script" | "style" => tag.find(&format!("</{name}")).unwrap_or(tag.len()),
            _ => tag.find('>').map_or(tag.len(), |end| end + 1),
        };
        rest = &tag[end..];
    }
    text.push_str(rest);
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, sign)| text.replace(entity, sign))
}

/// Letters and digits in a row: what is left when form, spaces and what was encoded twice are taken away.
fn signs(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Proves that every line of a document stands on the page of its procedure, or on the page of documents.
async fn prove(path: &Path) -> usize {
    let bytes = std::fs::read(path).unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let document = runbook::read(name, &bytes, None).unwrap();
    let site = Served::with_document(name, &bytes).await;
    let pages = Pages::of(&site, &document).await;

    for (number, line) in (1..).zip(text.lines()) {
        let signs = signs(&bare(line));
        let procedure = document.procedures.iter().find(|it| (it.line..=it.end_line).contains(&number));
        let page = procedure.map_or(&pages.documents, |procedure| &pages.procedures[procedure.slug.as_str()]);
        assert!(page.contains(&signs), "line {number} is on no page: {line}");
    }
    document.procedures.len()
}

#[tokio::test]
async fn every_line_of_the_users_file_stands_on_the_page_of_its_procedure() {
    let Some(path) = users_path() else { return };

    let procedures = prove(&path).await;

    eprintln!("user's file: {procedures}/13");
    assert_eq!(procedures, 13);
}

#[tokio::test]
async fn every_line_of_the_bundled_documents_stands_on_the_page_of_its_procedure() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../runbooks"));

    for name in ["quirks.md", "brainbytes.md", "first-tour.md"] {
        assert!(prove(&folder.join(name)).await > 0, "{name}");
    }
}
