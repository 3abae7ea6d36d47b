//! What people see: pages, components, and the server functions behind them.
//!
//! The crate compiles twice. With `ssr` it renders pages to HTML and runs the bodies of server functions; with `hydrate` it
//! is the program of those pages in the browser. The two lines below with `cfg` are the only ones: everything else is the
//! same code in both. Rules live in `domain`, use cases in `portal`; here are neither.
//!
//! - [`routes`]: which address shows which page; [`mod@shell`] is the HTML around it
//! - [`base`]: below which path of its host the portal is; every link, form and redirect goes through it
//! - `pages`: one file per page; `components`: what pages are made of; `live`: a run while it runs
//! - [`api`]: the server functions, one module per noun, and who may call them

#![expect(clippy::needless_pass_by_value, reason = "a component owns its props")]
// A page is one type as deep as its tree of elements; the optimiser of a release build looks into all of it.
#![recursion_limit = "512"]

pub mod api;
pub mod base;
mod clock;
mod components;
mod deeds;
mod error;
mod keys;
mod live;
mod loaded;
mod pages;
mod passkey;
pub mod record;
pub mod routes;
pub mod shell;
mod waiting;

#[cfg(feature = "hydrate")]
mod hydrate;
#[cfg(feature = "ssr")]
pub mod ssr;

pub use error::AppError;
pub use routes::App;
pub use shell::shell;
