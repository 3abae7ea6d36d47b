//! The shim alone, without the portal around it: for tests, and for hosts that need only this half.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(word) if word == engine::shim::COMMAND => engine::shim::main(arguments),
        Some(word) if word == engine::exec::COMMAND => engine::exec::main(arguments),
        _ => {
            let (shim, exec) = (engine::shim::COMMAND, engine::exec::COMMAND);
            eprintln!("usage: portal-shim {shim} FOLDER, or portal-shim {exec} CONTAINER PROGRAM [ARGUMENT…]");
            ExitCode::from(2)
        }
    }
}
