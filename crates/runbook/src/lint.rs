//! x
use crate::code::Note;
use crate::encoding::Repair;
use domain::runbook::*;
pub(crate) fn document(_: &Document, _: &[&str], _: Repair, _: &[Note], _: &mut Vec<Finding>) {}
pub(crate) fn line(d: &Document, f: &Finding) -> String {
    format!("{}:{}: {:?}: {}", f.file.as_deref().unwrap_or(&d.path), f.line, f.level, f.message)
}
/// x
pub fn lint_text(_: &[Document]) -> String {
    String::new()
}
/// x
pub fn lint_json(_: &[Document]) -> String {
    String::new()
}
