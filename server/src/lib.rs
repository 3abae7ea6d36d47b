//! From configuration to a listening process: HTTP, sessions, headers, command line. No rules live here.
//!
//! - [`cli`] and [`config`]: what was asked for; [`documents`], [`accounts`], [`auditing`], [`backups`] and [`doctor`]: the
//!   commands that do not serve
//! - [`serve`]: opening the portal, and stopping; [`connections`]: the loop over connections; [`outliving`]: whether steps
//!   outlive that here
//! - [`http`]: layers, routes, sessions, files of the site
//! - [`oidc`]: the identity provider
//! - [`telemetry`]: the log

pub mod accounts;
pub mod auditing;
pub mod backups;
pub mod cli;
pub mod config;
pub mod connections;
pub mod doctor;
pub mod documents;
pub mod http;
pub mod oidc;
pub mod outliving;
pub mod serve;
pub mod telemetry;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Command, CommandLine, ServeArguments};
use config::{Config, Surroundings};

/// The exit code of a command that was understood and could not be done.
const NOT_DONE: u8 = 1;

/// The whole program.
pub fn main() -> ExitCode {
    // The shim must begin before anything else has started a thread or opened a file.
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(word) if word == engine::shim::COMMAND => return engine::shim::main(arguments),
        Some(word) if word == engine::exec::COMMAND => return engine::exec::main(arguments),
        _ => {}
    }
    let line = CommandLine::parse();
    match line.command {
        None => serve_command(&line.serve),
        Some(Command::Serve(arguments)) => serve_command(&arguments),
        Some(Command::Lint(arguments)) => documents::lint(&arguments),
        Some(Command::Show(arguments)) => documents::show(&arguments),
        Some(Command::Doctor { from_outside: true, place, .. }) => doctor::run_from_outside(place),
        Some(Command::Doctor { targets, place, .. }) => doctor::run(&targets, place),
        Some(Command::User(command)) => accounts::run(command),
        Some(Command::Audit(command)) => auditing::run(command),
        Some(Command::Backup { to, place }) => backups::make(to, place),
        Some(Command::Restore { from, check: true, .. }) => backups::check(from),
        Some(Command::Restore { from, check: false, place }) => backups::restore(from, place),
    }
}

fn serve_command(arguments: &ServeArguments) -> ExitCode {
    if arguments.write_config {
        return print(config::DOCUMENTED);
    }
    let config = match load(arguments) {
        Ok(config) => config,
        Err(sentence) => return not_done(&sentence),
    };
    telemetry::begin(config.log);
    run(async move { serve::serve(config).await.map_err(|error| error.to_string()) })
}

/// The configuration, or the sentence that says why there is none.
fn load(arguments: &ServeArguments) -> Result<Config, String> {
    let surroundings = Surroundings::of_this_process().map_err(|error| {
        format!("The present directory cannot be used: {error}. Nothing was started; go to another one")
    })?;
    Config::load(arguments, &surroundings).map_err(|error| error.to_string())
}

/// Runs a command to its end; its error is the sentence for the console.
fn run(work: impl Future<Output = Result<(), String>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return not_done(&format!("The portal cannot work here: {error}. Nothing was started")),
    };
    let outcome = runtime.block_on(work);
    // What still waits has been given its time.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => not_done(&sentence),
    }
}

/// Prints to standard output. A reader that went away, as `head` does, is no failure.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            not_done(&format!("Nothing could be printed: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Says one sentence on standard error.
fn not_done(sentence: &str) -> ExitCode {
    complain(sentence);
    ExitCode::from(NOT_DONE)
}

fn complain(sentence: &str) {
    let ended = if sentence.ends_with('.') { "" } else { "." };
    // Without standard error there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{sentence}{ended}"));
}
