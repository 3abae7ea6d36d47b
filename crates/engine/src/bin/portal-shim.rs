//! The shim alone, without the portal around it: for tests, and for hosts that need only this half.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(word) if word == engine::shim::COMMAND => engine::shim::main(arguments),
        _ => {
            eprintln!("usage: portal-shim {} FOLDER", engine::shim::COMMAND);
            ExitCode::from(2)
        }
    }
}
