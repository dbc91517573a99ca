//! The program `swabline`.

use std::process::ExitCode;
use swabline::cli;

/// Facts are made of many small pieces, taken in by one thread and let go by another: this allocator
/// is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(args) => cli::run(args).unwrap_or_else(|error| cli::failed(&error)),
        Err(error) => cli::tell(&error),
    }
}
