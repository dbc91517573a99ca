//! The public API over gRPC: decodes, checks who calls, makes person keys, hands facts to the
//! engine, and tells what became of them. It decides nothing about the trade.
//!
//! This is the only room that names tonic and the generated types. An identity lives here for the
//! length of one call: it becomes a person key in `convert` and is printed nowhere.

mod administration;
mod answers;
mod auth;
mod capacity;
pub mod client;
mod codec;
mod convert;
mod errors;
mod gathered;
mod guard;
mod incoming;
mod intake;
pub mod limits;
mod messages;
mod options;
mod people;
mod person;
mod planning;
mod progress;
mod queries;
mod recording;
mod requests;
mod server;
mod shared;
mod stream;
mod watched;
pub mod wire;

pub use convert::fact::Context as FactContext;
pub use errors::Error;
pub use incoming::listen;
pub use options::{Options, Tls, Tokens};
pub use server::{Api, serve};

/// The generated types, as `proto/swabline/v1` declares them.
#[allow(missing_docs, clippy::all, clippy::pedantic, unused_qualifications)]
pub mod pb {
    tonic::include_proto!("swabline.v1");

    pub use super::wire::Identity;
    use std::fmt;

    // Written by hand so that no log, trace or panic can print what it holds.
    impl fmt::Debug for PersonRef {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("PersonRef(..)")
        }
    }

    /// The descriptors of all files, for reflection.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swabline_v1.bin"));
}
