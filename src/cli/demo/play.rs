//! The player: moves the clock slice by slice, lets every source say what has happened in the slice,
//! and goes on when everything is acknowledged.

use super::ask::Ask;
use super::calendar::Calendar;
use super::expect::Found;
use super::faults::{Fate, NETWORK_BACK_AT_MS};
use super::labs::Lab;
use super::outcome::tubes;
use super::saying::{Saying, Script, Source, What};
use super::setup::Office;
use super::truth::{MINUTE_MS, OPENS_AT_MS, Truth};
use super::wire::{Latency, Wire, Work};
use crate::api::client::pb;
use crate::domain::words::{Call, HOUR_MS};
use crate::planner::City;
use crate::planner::round::Round;
use anyhow::{Result, bail};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// The clock moves by this much at a time.
pub const SLICE_MS: i64 = 15 * MINUTE_MS;

/// A slice takes at least so long on the machine: the forecaster looks ten times a second, and of a night that was over between
/// two looks nobody could say when the round was done.
const SLICE_TIME_MIN: Duration = Duration::from_millis(120);

/// The list of recalls is asked for once in so many slices.
const RECALLS_EVERY: i64 = 4;

/// A round that is not over after so long will not be.
const ROUND_MAX_MS: i64 = 240 * HOUR_MS;

/// What others may see of a running round.
#[derive(Default)]
pub struct Seen {
    /// The drill's clock.
    pub now: AtomicI64,
    /// Recalls and recollections that were open when last asked.
    pub open_recalls: AtomicU64,
    /// Set to end the round early.
    pub stop: AtomicBool,
}

/// How far a desk has come.
#[derive(Clone, Copy, Default)]
pub(super) struct Progress {
    /// Tubes closed.
    pub closed: u32,
    /// Tubes that the courier has dealt with.
    pub fetched: u32,
}

/// A laboratory that takes tubes of a district: index, share by the plan, tubes given so far.
pub(super) struct Share {
    pub lab: usize,
    pub planned: u64,
    pub given: u64,
}

/// The player.
pub struct Player {
    pub(super) script: Arc<Script>,
    wire: Wire,
    office: Office,
    pub(super) ask: Ask,
    pub(super) seen: Arc<Seen>,
    pub(super) labs: Vec<Lab>,
    pub(super) calendar: Calendar,
    /// What is to be said in this slice.
    works: BTreeMap<Source, Vec<Saying>>,
    /// The last number of each source that is no desk.
    numbers: HashMap<Source, u64>,
    pub(super) desks: Vec<Progress>,
    /// The desks of each site.
    pub(super) sites: Vec<Range<u32>>,
    /// Desks by the name of their source.
    pub(super) scanners: HashMap<String, u32>,
    pub(super) shares: Vec<Vec<Share>>,
    /// Time from the hand-over of a box to its arrival, and between two visits of a courier.
    pub(super) transport_ms: i64,
    pub(super) visits_every: i64,
    /// Tubes that were fetched and whose collection has not been sent.
    pub(super) awaiting: HashSet<u32>,
    /// Tubes whose collection was sent late.
    pub(super) registered: HashSet<u32>,
    /// People who are on their way back, or were.
    pub(super) called: HashSet<Vec<u8>>,
    /// Calls of the single tubes.
    pub(super) singles: Vec<Call>,
    /// Single tubes that wait for the courier, by district.
    pub(super) swabbed_again: Vec<Vec<u32>>,
    pub(super) boxes: u64,
    pub(super) plates: Vec<u64>,
    /// What came of it.
    pub found: Found,
    /// Latencies of messages.
    pub latency: Latency,
}

impl Player {
    /// A player for a filled city, whose tubes go where its round sends them.
    pub fn new(
        script: Arc<Script>,
        wire: Wire,
        office: Office,
        city: &City,
        round: &Round,
        labs: Vec<Lab>,
        seen: Arc<Seen>,
    ) -> Result<Player> {
        let truth = &script.truth;
        let mut sites = vec![0..0; truth.sites as usize];
        for (number, desk) in (0..).zip(&truth.desks) {
            let site = &mut sites[desk.site as usize];
            let first = if site.start == site.end { number } else { site.start };
            *site = first..number + 1;
        }
        let numbered = 0..truth.desks.len() as u32;
        let scanners = numbered.map(|desk| (script.source(Source::Desk(desk)), desk)).collect();
        let ms = |seconds: u64| i64::try_from(seconds * 1_000).unwrap_or(HOUR_MS);
        Ok(Player {
            ask: Ask::over(wire.channel()),
            calendar: Calendar::default(),
            works: BTreeMap::new(),
            numbers: HashMap::new(),
            desks: vec![Progress::default(); truth.desks.len()],
            sites,
            scanners,
            shares: shares(round, &script.truth, &labs)?,
            transport_ms: ms(city.norm.transport_s.value).max(10 * MINUTE_MS),
            visits_every: (ms(city.norm.box_s.value) / SLICE_MS).max(1),
            awaiting: HashSet::new(),
            registered: HashSet::new(),
            called: HashSet::new(),
            singles: Vec::new(),
            swabbed_again: vec![Vec::new(); truth.districts.len()],
            boxes: 0,
            plates: vec![0; labs.len()],
            found: Found::default(),
            latency: Latency::new()?,
            labs,
            seen,
            office,
            wire,
            script,
        })
    }

    /// Plays the round until the last recall is closed. False when it was stopped before.
    pub async fn play(&mut self) -> Result<bool> {
        self.plan_faults();
        let mut pace = tokio::time::interval(SLICE_TIME_MIN);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for slice in 0.. {
            pace.tick().await;
            let from = OPENS_AT_MS + slice * SLICE_MS;
            let to = from + SLICE_MS;
            if self.seen.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            if from > OPENS_AT_MS + ROUND_MAX_MS {
                bail!("the round does not come to its end: 轮次未能结束");
            }
            if from == NETWORK_BACK_AT_MS {
                self.look_at_awaiting().await?;
            }
            self.office.tick(to).await?;
            self.seen.now.store(to, Ordering::Relaxed);
            self.fetch_singles(from);
            self.desks_report(to);
            self.happen(to).await?;
            self.couriers(slice, to);
            self.load_plates(from, to);
            self.deliver().await?;
            if slice % RECALLS_EVERY == 0 || self.is_idle() {
                let open = self.call_back(to).await?;
                self.seen.open_recalls.store(open, Ordering::Relaxed);
                if open == 0 && self.is_idle() {
                    self.found.over_at = to;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// True when nothing is on its way any more.
    fn is_idle(&self) -> bool {
        self.calendar.is_empty()
            && self.labs.iter().all(|lab| lab.waiting() == 0)
            && self.swabbed_again.iter().all(Vec::is_empty)
            && self
                .desks
                .iter()
                .zip(&self.script.truth.desks)
                .all(|(progress, desk)| progress.fetched == desk.slots)
    }

    /// A source other than a desk says something, under its next number.
    pub(super) fn say(&mut self, source: Source, at: i64, what: What) {
        let number = self.numbers.entry(source).or_default();
        *number += 1;
        let saying = Saying { number: *number, at, what, again: false };
        self.works.entry(source).or_default().push(saying);
    }

    /// A desk says things whose numbers are known.
    pub(super) fn desk_says(&mut self, desk: u32, sayings: impl IntoIterator<Item = Saying>) {
        self.works.entry(Source::Desk(desk)).or_default().extend(sayings);
    }

    /// The last number of a source that is no desk.
    pub fn last_number(&self, source: Source) -> u64 {
        self.numbers.get(&source).copied().unwrap_or_default()
    }

    async fn deliver(&mut self) -> Result<()> {
        let works = std::mem::take(&mut self.works);
        let works = works.into_iter().map(|(source, sayings)| Work { source, sayings });
        let tally = self.wire.deliver(works.collect(), &mut self.latency).await?;
        self.found.facts += tally.facts;
        self.found.duplicates += tally.duplicates;
        self.found.resent += tally.resent;
        Ok(())
    }

    /// Just before the network is back: what is at the laboratories and unknown must be what the
    /// drill has kept back.
    async fn look_at_awaiting(&mut self) -> Result<()> {
        let listed = self.ask.awaiting().await?;
        let listed: Vec<Option<u32>> =
            listed.iter().map(|code| self.script.truth.tube(code)).collect();
        let offline = |tube: &&u32| self.script.faults.fate(**tube) == Fate::Offline;
        let expected = self.awaiting.iter().filter(offline).count();
        let listed = listed.iter().flatten().filter(offline);
        let found = listed.filter(|tube| self.awaiting.contains(tube)).count();
        self.found.awaiting_offline = (expected as u64, found as u64);
        let figures = self.ask.figures().await?;
        let counted = tubes(&figures, pb::Status::Awaiting);
        self.found.awaiting_all = (self.awaiting.len() as u64, counted);
        Ok(())
    }
}

/// The laboratories of each district, by the assignment that the planner proposes and the forecast reckons with: where a round's
/// tubes go is decided once.
pub(super) fn shares(round: &Round, truth: &Truth, labs: &[Lab]) -> Result<Vec<Vec<Share>>> {
    let mut all = Vec::new();
    for district in &truth.districts {
        let mut shares: Vec<Share> = Vec::new();
        let streets = round.streets.iter().zip(&round.model.streets);
        for (_, street) in streets.filter(|(of, _)| of.district == district.code) {
            let code = round.labs.get(street.lab).map(|lab| &lab.0);
            let Some(lab) = labs.iter().position(|lab| Some(&lab.code) == code) else { continue };
            match shares.iter_mut().find(|share| share.lab == lab) {
                Some(share) => share.planned += street.tubes(),
                None => shares.push(Share { lab, planned: street.tubes(), given: 0 }),
            }
        }
        if shares.is_empty() {
            bail!("no laboratory takes the tubes of {}: 没有实验室承接", district.name);
        }
        all.push(shares);
    }
    Ok(all)
}
