//! One test program for everything that needs a real folder, a real socket or the real binary.

mod common;
mod folder;
mod limits;
mod service;
mod sigkill;
mod tampering;
