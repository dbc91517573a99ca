//! One test program for everything that needs a real folder, a real socket or the real binary.

mod api;
mod assign;
mod beside;
mod closed;
mod common;
mod connections;
mod drill;
mod drill_forecasts;
mod folder;
mod forecasts;
mod limits;
mod memory;
mod planning;
mod powercut;
mod seen;
mod service;
mod shared;
mod sigkill;
mod simpy;
mod tampering;
