//! Documents read as a whole: the user's own file, the quirk document, random Markdown, bad input.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "reading/bad_input.rs"]
mod bad_input;
#[path = "reading/bare.rs"]
mod bare;
#[path = "reading/commands.rs"]
mod commands;
#[path = "reading/nothing_lost.rs"]
mod nothing_lost;
#[path = "reading/other_styles.rs"]
mod other_styles;
#[path = "reading/quirks.rs"]
mod quirks;
#[path = "reading/side_files.rs"]
mod side_files;
#[path = "reading/table.rs"]
mod table;
#[path = "reading/users_file.rs"]
mod users_file;
#[path = "reading/users_path.rs"]
mod users_path;
