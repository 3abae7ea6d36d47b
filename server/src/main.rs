//! The binary `runbook-portal`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::main()
}
