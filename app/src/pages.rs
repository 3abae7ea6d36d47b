//! One file per page.

pub mod account;
pub mod alert;
pub mod approval;
pub mod approvals;
pub mod audit;
pub mod documents;
pub mod history;
pub mod home;
pub mod not_found;
pub mod people;
pub mod procedure;
pub mod run;
pub mod set_up;
pub mod sign_in;
