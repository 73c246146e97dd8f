//! The `maestro` binary: it hands the real world to the library and returns its verdict.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(maestro::run(std::env::args_os(), maestro::World::real()))
}
