//! What pages are made of: props in, view out.

pub mod ago;
pub mod arrival;
pub mod command;
pub mod command_text;
pub mod copy;
pub mod findings;
pub mod frame;
pub mod glyph;
pub mod health;
pub mod hidden;
pub mod keys_dialog;
pub mod log_view;
pub mod menu;
pub mod pace;
pub mod palette;
pub mod parameter;
pub mod problem;
pub mod prose;
pub mod risk;
pub mod run_lists;
pub mod skeleton;
pub mod state;
pub mod step_content;
pub mod theme;
pub mod with_values;
pub mod words;
