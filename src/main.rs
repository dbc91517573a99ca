//! The program `swabline`.

use clap::Parser;
use std::process::ExitCode;
use swabline::cli;

/// Facts are made of many small pieces, taken in by one thread and let go by another: this allocator
/// is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match cli::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no failure; a wrong flag is a configuration error (64), so that
            // it cannot be taken for an answer of a subcommand.
            let code = if error.use_stderr() { cli::EXIT_CONFIGURATION } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match cli::run(args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("swabline: {error:#}");
            ExitCode::FAILURE
        }
    }
}
