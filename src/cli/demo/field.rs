//! The round outside the laboratories: desks, couriers, people who come back.

use super::calendar::Due;
use super::faults::{AGAIN_AFTER_MS, Fate, HELD_BACK_MS, MENDED_AFTER_MS, NETWORK_BACK_AT_MS};
use super::labs::WELLS_MAX;
use super::play::Player;
use super::saying::{Load, Source, What};
use super::truth::{MINUTE_MS, SINGLES, below};
use crate::api::client::pb;
use crate::domain::words::Call;
use anyhow::{Context, Result};
use std::sync::Arc;

impl Player {
    /// What is certain from the beginning.
    pub(super) fn plan_faults(&mut self) {
        for desk in self.script.faults.offline_desks() {
            self.calendar.note(NETWORK_BACK_AT_MS + 1_000, Due::NetworkBack { desk });
        }
    }

    /// Desks report the tubes that they have closed until `to`.
    pub(super) fn desks_report(&mut self, to: i64) {
        let script = Arc::clone(&self.script);
        for (number, desk) in (0..).zip(&script.truth.desks) {
            while self.desks[number as usize].closed < desk.slots {
                let nth = self.desks[number as usize].closed;
                let (slot, closed) = (desk.first_slot + nth, script.truth.closed_at(desk, nth));
                if closed > to {
                    break;
                }
                self.desks[number as usize].closed += 1;
                let (desk, fate) = (number, script.faults.fate(slot));
                match fate {
                    Fate::Offline => continue,
                    Fate::Reordered => {
                        self.calendar.note(closed + HELD_BACK_MS, Due::HeldBack { desk, slot });
                        continue;
                    }
                    Fate::Duplicate => {
                        self.calendar.note(closed + AGAIN_AFTER_MS, Due::Again { desk, slot });
                    }
                    Fate::Misread => {
                        self.calendar.note(closed + MENDED_AFTER_MS, Due::Mend { desk, slot });
                    }
                    _ => {}
                }
                self.desk_says(desk, script.of_slot(desk, slot));
            }
        }
    }

    /// Lets everything happen that is due until `to`.
    pub(super) async fn happen(&mut self, to: i64) -> Result<()> {
        while let Some((at, due)) = self.calendar.next(to) {
            match due {
                Due::NetworkBack { desk } => self.network_back(desk),
                Due::Again { desk, slot } => {
                    let mut sayings = self.script.of_slot(desk, slot);
                    sayings.iter_mut().for_each(|saying| saying.again = true);
                    self.desk_says(desk, sayings);
                }
                Due::HeldBack { desk, slot } => self.held_back(desk, slot).await?,
                Due::Mend { desk, slot } => self.mend(at, desk, slot).await?,
                Due::Return { person, district, call } => {
                    let tube = SINGLES + self.singles.len() as u32;
                    self.singles.push(call);
                    self.swabbed_again[district].push(tube);
                    let what = What::Single { tube, person, district };
                    self.say(Source::Retest(district), at, what);
                }
                other => self.at_lab(at, other),
            }
        }
        Ok(())
    }

    fn network_back(&mut self, desk: u32) {
        let script = Arc::clone(&self.script);
        let at = &script.truth.desks[desk as usize];
        for slot in at.first_slot..at.first_slot + at.slots {
            if script.faults.fate(slot) == Fate::Offline {
                self.late(slot);
                self.desk_says(desk, script.of_slot(desk, slot));
            }
        }
    }

    /// Facts come after later ones of the desk, so until now the service must have seen a hole.
    async fn held_back(&mut self, desk: u32, slot: u32) -> Result<()> {
        let (_, _, missing) = self.ask.source(&self.script, Source::Desk(desk)).await?;
        let mut sayings = self.script.of_slot(desk, slot);
        sayings.reverse();
        self.found.holes += missing;
        self.late(slot);
        self.desk_says(desk, sayings);
        Ok(())
    }

    /// The tube itself has mostly been fetched by now, under a barcode that nobody registered.
    async fn mend(&mut self, at: i64, desk: u32, slot: u32) -> Result<()> {
        let script = Arc::clone(&self.script);
        let status = self.ask.status(script.truth.code(slot)).await?;
        self.found.awaiting_misread.0 += u64::from(self.awaiting.contains(&slot));
        self.found.awaiting_misread.1 += u64::from(status == pb::Status::Awaiting);
        let place = &script.truth.desks[desk as usize];
        let source = Source::Site(place.site);
        self.say(source, at, What::Voided { slot });
        // The swabs were taken when they were taken, whenever they are registered.
        let swabbed = script.truth.closed_at(place, slot - place.first_slot);
        self.say(source, swabbed, What::Registered { desk, slot });
        self.late(slot);
        Ok(())
    }

    fn late(&mut self, slot: u32) {
        self.registered.insert(slot);
        self.awaiting.remove(&slot);
    }

    /// Couriers fetch the tubes of the sites whose turn it is.
    pub(super) fn couriers(&mut self, slice: i64, to: i64) {
        let script = Arc::clone(&self.script);
        for site in 0..script.truth.sites {
            let desks = self.sites[site as usize].clone();
            let done = desks.clone().all(|desk| {
                self.desks[desk as usize].closed == script.truth.desks[desk as usize].slots
            });
            if (slice + i64::from(site)) % self.visits_every == 0 || done {
                self.visit(site, desks, to);
            }
        }
    }

    fn visit(&mut self, site: u32, desks: std::ops::Range<u32>, to: i64) {
        let script = Arc::clone(&self.script);
        let (mut tubes, mut lost) = (Vec::new(), Vec::new());
        let before: Vec<u32> =
            desks.clone().map(|desk| self.desks[desk as usize].fetched).collect();
        for number in desks.clone() {
            let desk = &script.truth.desks[number as usize];
            let progress = &mut self.desks[number as usize];
            while progress.fetched < progress.closed
                && script.truth.closed_at(desk, progress.fetched) <= to - 2 * MINUTE_MS
            {
                let slot = desk.first_slot + progress.fetched;
                progress.fetched += 1;
                match script.faults.fate(slot) {
                    Fate::Lost => lost.push(slot),
                    Fate::UsedFirst | Fate::UsedSecond => {}
                    _ => tubes.push(slot),
                }
            }
        }
        let is_missing =
            |slot: &u32| matches!(script.faults.fate(*slot), Fate::Straggler | Fate::Vanished);
        if !tubes.is_empty() && tubes.iter().all(is_missing) {
            // A box from which everything is missing is no box: they wait for the next visit.
            for (desk, fetched) in desks.zip(before) {
                self.desks[desk as usize].fetched = fetched;
            }
            return;
        }
        for tube in lost {
            self.say(Source::Courier(site), to - MINUTE_MS, What::Lost { tube });
        }
        // First, so that they travel with others.
        tubes.sort_by_key(|slot| !is_missing(slot));
        let district = script.truth.district_of_site(site);
        for tube in &tubes {
            let late = matches!(
                script.faults.fate(*tube),
                Fate::Offline | Fate::Misread | Fate::Reordered
            );
            if late && !self.registered.contains(tube) {
                self.awaiting.insert(*tube);
            }
        }
        let source = Source::Courier(site);
        for tubes in tubes.chunks(WELLS_MAX) {
            let arrive = tubes.iter().copied().filter(|slot| !is_missing(slot)).collect();
            self.send_box(source, district, to - 90_000, tubes.to_vec(), arrive, 1.0);
        }
    }

    /// The single tubes swabbed so far go to the laboratory at `from`.
    pub(super) fn fetch_singles(&mut self, from: i64) {
        for district in 0..self.swabbed_again.len() {
            let tubes = std::mem::take(&mut self.swabbed_again[district]);
            for tubes in tubes.chunks(WELLS_MAX) {
                let (source, tubes) = (Source::Retest(district), tubes.to_vec());
                self.send_box(source, district, from + MINUTE_MS, tubes.clone(), tubes, 0.5);
            }
        }
    }

    fn send_box(
        &mut self,
        source: Source,
        district: usize,
        at: i64,
        tubes: Vec<u32>,
        arrive: Vec<u32>,
        speed: f64,
    ) {
        self.boxes += 1;
        let lab = self.next_lab(district, tubes.len() as u64);
        let code = format!("BOX{:07}", self.boxes);
        let load = Arc::new(Load { code, lab, tubes, arrive });
        self.say(source, at, What::Packed(Arc::clone(&load)));
        self.say(source, at + 20_000, What::HandedOver(Arc::clone(&load)));
        let percent = 60 + below(80, self.script.truth.seed, 9, self.boxes);
        let way = (self.transport_ms as f64 * speed) as i64 * percent as i64 / 100;
        self.calendar.note(at + MINUTE_MS + way, Due::Arrive(load));
    }

    /// The laboratory that is furthest behind its share by the plan.
    fn next_lab(&mut self, district: usize, tubes: u64) -> usize {
        let shares = &mut self.shares[district];
        let behind = |share: &&mut super::play::Share| {
            u128::from(share.given + tubes) * 1_000_000 / u128::from(share.planned.max(1))
        };
        match shares.iter_mut().min_by_key(behind) {
            Some(share) => {
                share.given += tubes;
                share.lab
            }
            None => 0,
        }
    }

    /// Asks who has to come back, and sends for them. How many are open.
    pub(super) async fn call_back(&mut self, now: i64) -> Result<u64> {
        let open = self.ask.open_recalls().await?;
        for recall in &open {
            let person = recall.person.as_ref().context("a recall names nobody")?;
            if self.called.insert(person.key.clone()) {
                self.send_for(recall, person, now)?;
            }
        }
        Ok(open.len() as u64)
    }

    fn send_for(&mut self, recall: &pb::Recall, who: &pb::PersonRef, now: i64) -> Result<()> {
        let script = Arc::clone(&self.script);
        let fact = who.fact.as_ref().context("a recall names no fact")?;
        let desk = *self
            .scanners
            .get(&fact.source)
            .with_context(|| format!("{} is no scanner of the drill", fact.source))?;
        let (person, slot, place) = script
            .person_of(desk, fact.number, who.position)
            .with_context(|| format!("{} says nothing of anybody there", fact.number))?;
        let district = usize::from(script.truth.desks[desk as usize].district);
        anyhow::ensure!(
            recall.tube == script.faults.code_as_read(&script.truth, slot),
            "the recall of {} names a fact of another tube",
            recall.tube
        );
        let call = match script.faults.is_infected(slot, place) {
            true => Call::Positive,
            false => Call::Negative,
        };
        let wait = 20 + below(30, script.truth.seed, 10, self.called.len() as u64) as i64;
        self.calendar.note(now + wait * MINUTE_MS, Due::Return { person, district, call });
        Ok(())
    }
}
