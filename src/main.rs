//! The program `swabline`.

use std::io::Write;
use std::process::ExitCode;
use swabline::cli;

/// Facts are made of many small pieces, taken in by one thread and let go by another: this allocator
/// is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match cli::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no failure; a wrong flag is a configuration error (64), so that
            // it cannot be taken for an answer of a subcommand.
            let code = if error.use_stderr() { cli::EXIT_CONFIGURATION } else { 0 };
            let text = cli::told(&error);
            // Nobody reads it when that fails.
            let _ = match error.use_stderr() {
                true => std::io::stderr().write_all(text.as_bytes()),
                false => std::io::stdout().write_all(text.as_bytes()),
            };
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
