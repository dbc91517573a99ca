//! Figures of people: a pass over a round, so one pass at a time and shared by all who ask.

use super::errors::Error;
use super::limits::PEOPLE_AGE_MS_MAX;
use super::shared::Shared;
use crate::domain::words::Code;
use crate::engine::Class;
use crate::engine::query::people::{self, PeopleFigures};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The last figures of each round that was asked about, with when they were worked out.
#[derive(Default)]
pub struct People(Mutex<HashMap<Code, (Instant, Arc<PeopleFigures>)>>);

impl People {
    /// The figures of a round: the last ones when they are young or nothing has happened since.
    pub async fn of_round(
        &self,
        shared: &Arc<Shared>,
        round: Code,
    ) -> Result<Arc<PeopleFigures>, Error> {
        // Held during the pass: who asks meanwhile waits for it instead of starting another.
        let mut last = self.0.lock().await;
        if let Some((at, figures)) = last.get(&round) {
            let young = at.elapsed() < Duration::from_millis(PEOPLE_AGE_MS_MAX);
            if young || figures.people_complete_to == shared.handle.read().last_seq() {
                return Ok(Arc::clone(figures));
            }
        }
        let asked = round.clone();
        let pass = move |_: &Shared, read: &crate::store::Read| {
            Ok(Arc::new(people::figures(&read.view(), &asked)?))
        };
        let figures = shared.ask(Class::Dashboard, pass).await?;
        last.insert(round, (Instant::now(), Arc::clone(&figures)));
        Ok(figures)
    }
}
