//! Questions to the service: everything that the demo finds, it finds here, through the public API.

use super::saying::{ROUND, Script, Source};
use super::wire::EPOCH;
use crate::api::client::{
    self, Channel, ProgressClient, QueriesClient, RecordingClient, Status, pb,
};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Rows of a page.
const PAGE: u32 = 1_000;

/// How long the figures of people may lag behind the log.
const PEOPLE_WAIT: Duration = Duration::from_secs(60);

/// Who asks.
#[derive(Clone)]
pub struct Ask {
    queries: QueriesClient<Channel>,
    progress: ProgressClient<Channel>,
    recording: RecordingClient<Channel>,
}

/// Tries again while the service is busy: questions give way to facts.
macro_rules! patiently {
    ($call:expr) => {{
        let mut left = 100;
        loop {
            match $call.await {
                Ok(reply) => break Ok::<_, Status>(reply.into_inner()),
                Err(status) if left == 0 || !is_passing(&status) => break Err(status),
                Err(_) => left -= 1,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }};
}

fn is_passing(status: &Status) -> bool {
    has_code(status, "ResourceExhausted") || has_code(status, "Unavailable")
}

/// By the name of the code, so that the type of it stays in the API's room.
pub fn has_code(status: &Status, name: &str) -> bool {
    format!("{:?}", status.code()) == name
}

fn page(token: &str) -> Option<pb::PageRequest> {
    Some(pb::PageRequest { size: PAGE, token: token.to_owned() })
}

impl Ask {
    /// Asks over this connection.
    pub fn over(channel: Channel) -> Ask {
        Ask {
            queries: client::queries(channel.clone()),
            progress: ProgressClient::new(channel.clone()),
            recording: RecordingClient::new(channel),
        }
    }

    /// The figures of everything, by district.
    pub async fn figures(&mut self) -> Result<pb::ProgressReply> {
        self.progress_by(pb::GroupBy::District, false).await
    }

    /// The figures of everything.
    pub async fn progress_by(
        &mut self,
        by: pb::GroupBy,
        with_people: bool,
    ) -> Result<pb::ProgressReply> {
        let round = if with_people { ROUND } else { "" };
        let request = pb::GetProgressRequest {
            round: round.to_owned(),
            by: by.into(),
            codes: Vec::new(),
            with_people,
        };
        Ok(patiently!(self.progress.get_progress(request.clone()))?)
    }

    /// The figures of people, complete to the end of the log as it is now.
    pub async fn people(&mut self) -> Result<pb::People> {
        let end = self.progress_by(pb::GroupBy::City, false).await?.as_of.unwrap_or_default().seq;
        let begun = Instant::now();
        loop {
            let reply = self.progress_by(pb::GroupBy::City, true).await?;
            match reply.people {
                Some(people) if people.people_complete_to >= end => return Ok(people),
                _ if begun.elapsed() > PEOPLE_WAIT => bail!("the figures of people lag behind"),
                _ => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        }
    }

    /// What the service knows of a source: highest number without a hole, highest, numbers missing.
    pub async fn source(&mut self, script: &Script, source: Source) -> Result<(u64, u64, u64)> {
        let request = pb::GetSourceRequest { source: script.source(source) };
        let reply = patiently!(self.recording.get_source(request.clone()))?;
        let epoch = reply.epochs.into_iter().find(|epoch| epoch.epoch == EPOCH).unwrap_or_default();
        let missing = epoch.gaps.iter().map(|gap| gap.last - gap.first + 1).sum();
        Ok((epoch.watermark, epoch.highest, missing))
    }

    /// Where a tube stands; unspecified when the service does not know it.
    pub async fn status(&mut self, tube: String) -> Result<pb::Status> {
        let request = pb::GetTubeRequest { tube, with_proofs: false };
        match patiently!(self.queries.get_tube(request.clone())) {
            Ok(reply) => Ok(reply.tube.unwrap_or_default().status()),
            Err(status) if has_code(&status, "NotFound") => Ok(pb::Status::Unspecified),
            Err(status) => Err(status.into()),
        }
    }

    /// Barcodes of the records with a discrepancy.
    pub async fn with_discrepancy(&mut self, code: pb::Discrepancy) -> Result<BTreeSet<String>> {
        let (mut found, mut token) = (BTreeSet::new(), String::new());
        loop {
            let request = pb::ListDiscrepanciesRequest { code: code.into(), page: page(&token) };
            let reply = patiently!(self.queries.list_discrepancies(request.clone()))?;
            found.extend(reply.records.into_iter().map(|record| record.code));
            token = reply.next_token;
            if token.is_empty() {
                return Ok(found);
            }
        }
    }

    /// Tubes that a laboratory has, or that were packed, and whose collection has not arrived.
    pub async fn awaiting(&mut self) -> Result<BTreeSet<String>> {
        let (mut found, mut token) = (BTreeSet::new(), String::new());
        loop {
            let request = pb::ListUnaccountedRequest {
                // The whole round is younger than this: only what nobody registered is listed.
                silent_ms_min: 1_000 * 3_600_000,
                page: page(&token),
                ..Default::default()
            };
            let reply = patiently!(self.queries.list_unaccounted(request.clone()))?;
            let awaiting = reply
                .tubes
                .into_iter()
                .filter(|tube| tube.why() == pb::UnaccountedWhy::AwaitingRegistration);
            found.extend(awaiting.map(|tube| tube.tube));
            token = reply.next_token;
            if token.is_empty() {
                return Ok(found);
            }
        }
    }

    /// All tubes that nobody can account for.
    pub async fn unaccounted(&mut self) -> Result<u64> {
        let (mut found, mut token) = (0, String::new());
        loop {
            let request = pb::ListUnaccountedRequest { page: page(&token), ..Default::default() };
            let reply = patiently!(self.queries.list_unaccounted(request.clone()))?;
            found += reply.tubes.len() as u64;
            token = reply.next_token;
            if token.is_empty() {
                return Ok(found);
            }
        }
    }

    /// Recalls and recollections that are open.
    pub async fn open_recalls(&mut self) -> Result<Vec<pb::Recall>> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListRecallsRequest { page: page(&token), ..Default::default() };
            let reply = patiently!(self.queries.list_recalls(request.clone()))?;
            found.extend(reply.recalls);
            token = reply.next_token;
            if token.is_empty() {
                return Ok(found);
            }
        }
    }
}
