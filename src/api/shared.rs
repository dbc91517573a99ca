//! What all services hold, and how they ask the engine and the store.

use super::convert::fact::Context;
use super::convert::words::folder_kind;
use super::errors::Error;
use super::options::Options;
use super::pb;
use super::people::People;
use crate::domain::reference::Reference;
use crate::domain::words::Code;
use crate::engine::{Class, Handle, Permit, let_others_go_first};
use crate::forecaster::Forecaster;
use crate::keyring::KeyRing;
use crate::store::{FolderKind, Read};
use dashmap::DashMap;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What all services hold.
pub struct Shared {
    /// The engine.
    pub handle: Handle,
    /// The keys of rounds.
    pub keys: Arc<KeyRing>,
    /// Plans and forecasts.
    pub forecaster: Forecaster,
    /// What the API was told.
    pub options: Options,
    /// True once the server stops.
    pub stopping: watch::Receiver<bool>,
    /// Streams open now, by source and epoch.
    pub sessions: DashMap<(Code, u64), u32>,
    /// Places for streams that open: see `streams_opening_max`.
    pub opening: Arc<Semaphore>,
    /// Places for those who watch.
    pub watching: Arc<Semaphore>,
    /// Figures of people, shared by all who ask.
    pub people: People,
}

impl Shared {
    /// What an answer is about that is put together from now on.
    pub fn as_of(&self) -> pb::AsOf {
        self.as_of_seq(self.handle.read().last_seq())
    }

    /// What an answer is about that was put together at a sequence.
    pub fn as_of_seq(&self, seq: u64) -> pb::AsOf {
        let kind = self.kind();
        pb::AsOf { seq, server_time_ms: self.handle.now().0, folder_kind: folder_kind(kind).into() }
    }

    /// Live or drill.
    pub fn kind(&self) -> FolderKind {
        self.handle.read().folder().kind
    }

    /// What facts are read with.
    pub fn context<'a>(
        &'a self,
        reference: &'a Reference,
        stream: Option<&'a (Code, u64)>,
    ) -> Context<'a> {
        Context::new(&self.keys, reference, stream)
    }

    /// How far a device's clock is ahead. 0 = it has none, and its times are taken as they are.
    pub fn clock_offset_ms(&self, device_now_ms: i64) -> i64 {
        match device_now_ms {
            0 => 0,
            now => now.saturating_sub(self.handle.now().0),
        }
    }

    /// Runs a question that waits for the disk, when its class may come in now.
    pub async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        class: Class,
        question: impl FnOnce(&Shared, &Read) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self.handle.admit(class)?;
        self.ask_with(permit, question).await
    }

    /// The same with leave that was given already.
    pub async fn ask_with<T: Send + 'static>(
        self: &Arc<Self>,
        permit: Permit,
        question: impl FnOnce(&Shared, &Read) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(self);
        let answer = tokio::task::spawn_blocking(move || {
            // Held until the answer is there, even when nobody waits for it any more.
            let _permit = permit;
            // Commits go first; the thread stays behind them for whatever it does next.
            let_others_go_first();
            question(&shared, shared.handle.read())
        });
        answer.await?
    }
}
