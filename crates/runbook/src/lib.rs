//! From a plain Markdown file, and the side file beside it, to a [`domain::runbook::Document`].
//!
//! - [`read`] reads one document, [`read_folder`] a folder of them.
//! - [`bind`] puts quoted variable references in place of placeholders when a plan is made.
//! - [`misfit`] says why a value does not fit its parameter.
//! - [`Secrets`] follows secrets through commands, [`exports`] names the variables that one exports.
//! - [`risk::classify`] says what a command can do at worst.
//! - [`moves`] says where a command goes and which Compose projects it works with, [`named`] which containers and files it names.
//! - [`lint_text`] and [`lint_json`] print the findings, [`show`] what the reader saw.
//! - [`side_file`] describes every key of a side file.
//!
//! Nothing here runs anything or opens anything but the files it is asked to read.

mod bind;
mod code;
mod compose;
mod coverage;
mod encoding;
mod fit;
mod library;
mod links;
mod lint;
mod markdown;
mod named;
mod parts;
mod placeholder;
mod reader;
mod retired;
pub mod risk;
mod secrets;
mod shell;
pub mod show;
pub mod side_file;
mod steps;
mod stray;
mod structure;

pub use bind::{BindError, bind, option_of};
pub use compose::{ComposeCall, Move, moves};
pub use fit::{Misfit, matches_glob, misfit};
pub use library::{FolderError, Library, Problem, fingerprint, read_file, read_folder};
pub use lint::{lint_json, lint_text};
pub use named::{Named, named};
#[doc(hidden)]
pub use reader::read_and_count;
pub use reader::{LARGEST, ReadError, read};
pub use secrets::Secrets;

/// The variables that a command exports by name; none when it is no shell text.
pub fn exports(text: &str) -> Vec<String> {
    shell::Shell::parse(text).map(|shell| shell::exported(&shell)).unwrap_or_default()
}
