//! Masks secrets in a step's output before a byte of it reaches the disk.
//!
//! Two filters, one behind the other. The first knows values: named secrets and those of the files that the side file lists, in
//! every form of [`forms`], through colour codes and over the borders of reads. The second knows names, and masks
//! what stands behind one that says it is secret. Neither holds back anything but what may be the beginning of a secret, and
//! at the end of each command everything is let go: a value printed half by one command and half by the next is
//! not put together.

mod csi;
pub(crate) mod files;
pub(crate) mod forms;
mod literals;
mod patterns;
mod tree;
mod trivial;

use std::cell::RefCell;
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
    /// The named secrets, for what is stored beside the output.
    secrets: Vec<Secret>,
    /// The names and values of files.
    of_files: Vec<(String, String)>,
    /// What was not looked for of them, each in a sentence.
    unmasked: Vec<String>,
}

/// Looks for secrets in texts that are stored beside the output.
pub(crate) struct Finder(Option<RefCell<Literals>>);

impl Mask {
    /// A filter for named secrets and for the values of files. Files that are not there have none.
    pub(crate) fn new(secrets: Vec<Secret>, files: &[String]) -> Self {
        let (mut of_files, mut unmasked) = (Vec::new(), Vec::new());
        for file in files {
            let found = files::values(Path::new(file));
            of_files.extend(found.values);
            unmasked.extend(found.unmasked);
        }
        Self {
            literals: Literals::new(named(&secrets).chain(listed(&of_files))),
            patterns: Patterns::new(),
            out: Vec::new(),
            secrets,
            of_files,
            unmasked,
        }
    }

    /// How many values came from files.
    pub(crate) fn of_files(&self) -> u32 {
        u32::try_from(self.of_files.len()).unwrap_or(u32::MAX)
    }

    /// What was not looked for of the files to be masked, each in a sentence.
    pub(crate) fn unmasked(&self) -> &[String] {
        &self.unmasked
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
        Finder::new(named(&self.secrets)).finds(text)
    }

    /// Finds everything that is masked for its value: named secrets, and the values of files.
    pub(crate) fn finder(&self) -> Finder {
        Finder::new(named(&self.secrets).chain(listed(&self.of_files)))
    }
}

impl Finder {
    fn new<'a>(values: impl Iterator<Item = (&'a str, String)>) -> Self {
        Self(Literals::new(values).map(RefCell::new))
    }

    /// Whether a text holds one of the values, in any form.
    pub(crate) fn finds(&self, text: &str) -> bool {
        let Some(literals) = &self.0 else { return false };
        let (mut literals, mut patterns, mut out) = (literals.borrow_mut(), Patterns::new(), Vec::new());
        literals.push(text.as_bytes(), &mut patterns, &mut out);
        literals.flush(&mut patterns, &mut out);
        patterns.flush(&mut out);
        out != text.as_bytes()
    }
}

/// A text as the output of a step would be stored: with a mask in the place of each secret, and of what stands behind a name that
/// says it is one.
pub fn masked(text: &str, secrets: Vec<Secret>) -> String {
    let mut mask = Mask::new(secrets, &[]);
    let mut out = mask.push(text.as_bytes()).to_vec();
    out.extend_from_slice(mask.flush());
    String::from_utf8_lossy(&out).into_owned()
}

fn listed(of_files: &[(String, String)]) -> impl Iterator<Item = (&str, String)> {
    of_files.iter().map(|(name, value)| (value.as_str(), word(name)))
}

fn named(secrets: &[Secret]) -> impl Iterator<Item = (&str, String)> {
    secrets.iter().map(|secret| (secret.value.as_str(), word(&secret.name)))
}

#[cfg(test)]
mod tests;
