//! Masks secrets in a step's output before a byte of it reaches the disk.
//!
//! Two filters, one behind the other. The first knows values: named secrets and those of the files that the side file lists, in
//! every form of [`forms`], through colour codes and over the borders of reads. The second knows names, and masks
//! what stands behind one that says it is secret. Neither holds back anything but what may be the beginning of a secret, and
//! at the end of each command everything is let go: a value printed half by one command and half by the next is
//! not put together.

mod csi;
mod files;
pub(crate) mod forms;
mod literals;
mod patterns;
mod tree;
mod trivial;

use std::path::Path;

use literals::Literals;
use patterns::Patterns;

use crate::record::Secret;

/// What stands in the place of a secret.
fn word(name: &str) -> String {
    format!("[secret {name}]")
}

/// The filter of an attempt.
pub(crate) struct Mask {
    literals: Option<Literals>,
    patterns: Patterns,
    out: Vec<u8>,
    /// How many values came from files.
    pub of_files: u32,
    /// The named secrets, for what is stored beside the output.
    secrets: Vec<Secret>,
}

impl Mask {
    /// A filter for named secrets and for the values of files. Files that are not there have none.
    pub(crate) fn new(secrets: Vec<Secret>, files: &[String]) -> Self {
        let of_files: Vec<(String, String)> = files.iter().flat_map(|file| files::values(Path::new(file))).collect();
        let count = u32::try_from(of_files.len()).unwrap_or(u32::MAX);
        let of_files = of_files.iter().map(|(name, value)| (value.as_str(), word(name)));
        Self {
            literals: Literals::new(named(&secrets).chain(of_files)),
            patterns: Patterns::new(),
            out: Vec::new(),
            of_files: count,
            secrets,
        }
    }

    /// What can be stored of these bytes and of those that were held back before.
    pub(crate) fn push<'b>(&'b mut self, bytes: &'b [u8]) -> &'b [u8] {
        self.out.clear();
        match &mut self.literals {
            Some(literals) => literals.push(bytes, &mut self.patterns, &mut self.out),
            None if self.patterns.passes(bytes) => return bytes,
            None => self.patterns.text(bytes, &mut self.out),
        }
        &self.out
    }

    /// What was held back, now that nothing more belongs to it.
    pub(crate) fn flush(&mut self) -> &[u8] {
        self.out.clear();
        if let Some(literals) = &mut self.literals {
            literals.flush(&mut self.patterns, &mut self.out);
        }
        self.patterns.flush(&mut self.out);
        &self.out
    }

    /// Whether a text that is stored beside the output holds a named secret, in any form.
    pub(crate) fn finds_secret(&self, text: &str) -> bool {
        let Some(mut literals) = Literals::new(named(&self.secrets)) else { return false };
        let (mut patterns, mut out) = (Patterns::new(), Vec::new());
        literals.push(text.as_bytes(), &mut patterns, &mut out);
        literals.flush(&mut patterns, &mut out);
        patterns.flush(&mut out);
        out != text.as_bytes()
    }
}

fn named(secrets: &[Secret]) -> impl Iterator<Item = (&str, String)> {
    secrets.iter().map(|secret| (secret.value.as_str(), word(&secret.name)))
}

#[cfg(test)]
mod tests;
