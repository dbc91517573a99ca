//! Before the round: reference data, the opening of the round, the roster, and the clock. All of it
//! goes through Administration.

use super::ask::has_code;
use super::labs::{KITS, Lab};
use super::saying::{ROUND, Script, Source, TUBE_LOT};
use super::truth::{OPENS_AT_MS, Person, barcodes};
use super::wire::EPOCH;
use crate::api::client::{self, AdministrationClient, Channel, pb};
use crate::domain::words::HOUR_MS;
use crate::planner::City;
use anyhow::Result;
use pb::reference_item::Item;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Items of one import.
const ITEMS: usize = 2_000;
/// People of one piece of the roster.
const PEOPLE: u32 = 5_000;
/// Pieces of the roster on their way at a time.
const PIECES: usize = 4;

/// The office: everything administrative comes from it, one number after the other.
#[derive(Clone)]
pub struct Office {
    client: AdministrationClient<Channel>,
    number: Arc<AtomicU64>,
}

impl Office {
    /// Speaks over this connection.
    pub fn over(channel: Channel) -> Office {
        Office { client: client::administration(channel), number: Arc::default() }
    }

    fn fact(&self) -> Option<pb::AdministrationFact> {
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        let id = pb::FactId { source: "OFFICE".to_owned(), epoch: EPOCH, number };
        Some(pb::AdministrationFact { id: Some(id), captured_at_ms: 0 })
    }

    /// Moves the clock of the drill.
    pub async fn tick(&mut self, now_ms: i64) -> Result<()> {
        let request = pb::TickRequest { fact: self.fact(), now_ms };
        self.client.tick(request).await?;
        Ok(())
    }

    /// Imports the reference data and opens the round.
    pub async fn open(&mut self, script: &Script, city: &City, labs: &[Lab]) -> Result<()> {
        self.tick(OPENS_AT_MS - HOUR_MS).await?;
        let mut items = places(script, city);
        items.extend(laboratories(labs));
        while !items.is_empty() {
            let rest = items.split_off(items.len().min(ITEMS));
            let items = std::mem::replace(&mut items, rest)
                .into_iter()
                .map(|item| pb::ReferenceItem { item: Some(item) })
                .collect();
            let file = format!("{}.toml", city.code);
            let request = pb::ImportReferenceRequest { fact: self.fact(), file, items };
            self.client.import_reference(request).await?;
        }
        let request = pb::OpenRoundRequest {
            fact: self.fact(),
            round: ROUND.to_owned(),
            name: format!("{}全员核酸检测演练", city.name.zh),
            key_id: String::new(),
            pool: u32::try_from(city.norm.pool.value)?,
        };
        self.client.open_round(request).await?;
        Ok(())
    }

    /// Closes the round.
    pub async fn close(&mut self) -> Result<()> {
        let request = pb::CloseRoundRequest { fact: self.fact(), round: ROUND.to_owned() };
        self.client.close_round(request).await?;
        Ok(())
    }

    /// Imports the roster, some pieces at a time. `done` counts people.
    pub async fn import_roster(&self, script: &Arc<Script>, done: &Arc<AtomicU64>) -> Result<()> {
        let pieces = script.truth.districts.iter().enumerate().flat_map(|(district, place)| {
            (0..place.people)
                .step_by(PEOPLE as usize)
                .map(move |from| (district, from, (from + PEOPLE).min(place.people)))
        });
        let pieces: Arc<Vec<(usize, u32, u32)>> = Arc::new(pieces.collect());
        let next = Arc::new(AtomicU32::new(0));
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..PIECES {
            let (mut office, script, done) = (self.clone(), Arc::clone(script), Arc::clone(done));
            let (pieces, next) = (Arc::clone(&pieces), Arc::clone(&next));
            senders.spawn(async move {
                while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    office.import_piece(&script, *piece).await?;
                    done.fetch_add(u64::from(piece.2 - piece.1), Ordering::Relaxed);
                }
                Ok::<_, anyhow::Error>(())
            });
        }
        while let Some(sent) = senders.join_next().await {
            sent??;
        }
        Ok(())
    }

    async fn import_piece(&mut self, script: &Script, piece: (usize, u32, u32)) -> Result<()> {
        let (district, from, to) = piece;
        let code = &script.truth.districts[district].code;
        let fact = self.fact();
        loop {
            let resident = |place| Person::Resident { district: district as u16, place };
            let request = pb::ImportRosterRequest {
                fact: fact.clone(),
                round: ROUND.to_owned(),
                roster: format!("census-{code}"),
                district: code.clone(),
                people: (from..to).map(|place| script.truth.identity(resident(place))).collect(),
            };
            match self.client.import_roster(request).await {
                Ok(_) => return Ok(()),
                Err(status) if has_code(&status, "ResourceExhausted") => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(status) => return Err(status.into()),
            }
        }
    }
}

/// City, districts, sites, desks and their scanners.
fn places(script: &Script, city: &City) -> Vec<Item> {
    let truth = &script.truth;
    let mut items = Vec::new();
    let jurisdiction = |code: &str, parent: &str, level: pb::Level, name: &str| {
        Item::Jurisdiction(pb::Jurisdiction {
            code: code.to_owned(),
            parent: parent.to_owned(),
            level: level.into(),
            name: name.to_owned(),
        })
    };
    // A city without districts is its own district, under one code.
    let is_own_district = city.districts.iter().any(|district| district.code == city.code);
    let parent = if is_own_district { "" } else { &city.code };
    if !is_own_district {
        items.push(jurisdiction(&city.code, "", pb::Level::City, &city.name.zh));
    }
    let site = |code: String, jurisdiction: &str, name: String| {
        Item::Site(pb::Site { code, jurisdiction: jurisdiction.to_owned(), name })
    };
    let desk = |code: String, site: String| Item::Desk(pb::Desk { code, site });
    for (index, district) in truth.districts.iter().enumerate() {
        items.push(jurisdiction(&district.code, parent, pb::Level::District, &district.name));
        for number in 0..district.sites {
            let code = truth.site_code(district.first_site + number);
            items.push(site(
                code,
                &district.code,
                format!("{}{}号采样点", district.name, number + 1),
            ));
        }
        let again = truth.retest_desk_code(index);
        items.push(site(again.clone(), &district.code, format!("{}复采点", district.name)));
        items.push(desk(again.clone(), again));
    }
    for (number, at) in (0..).zip(&truth.desks) {
        let code = truth.desk_code(number);
        items.push(desk(code.clone(), truth.site_code(at.site)));
        let scanner = script.source(Source::Desk(number));
        items.push(Item::Device(pb::Device { code: scanner, desk: code }));
    }
    items
}

/// Laboratories, kits, lots, barcodes.
fn laboratories(labs: &[Lab]) -> Vec<Item> {
    let year = OPENS_AT_MS + 365 * 24 * HOUR_MS;
    let lot = |code: &str, kind: pb::LotKind, product: &str| {
        Item::Lot(pb::Lot {
            code: code.to_owned(),
            kind: kind.into(),
            product: product.to_owned(),
            expires_at_ms: year,
        })
    };
    let pattern = barcodes();
    let mut items = vec![
        Item::Barcodes(pb::BarcodePattern {
            prefix: pattern.prefix.to_string(),
            length: pattern.length.into(),
            luhn: pattern.luhn,
        }),
        lot(TUBE_LOT, pb::LotKind::Tube, "一次性采样管"),
    ];
    for kit in &KITS {
        let target = |(index, name): (usize, &&str)| pb::TargetRule {
            name: (*name).to_owned(),
            is_internal_control: index + 1 == kit.targets.len(),
            cut_off_hundredths: kit.cut_off,
            grey_to_hundredths: if index + 1 == kit.targets.len() { 0 } else { kit.grey_to },
        };
        items.push(Item::Kit(pb::Kit {
            code: kit.code.to_owned(),
            name: kit.name.to_owned(),
            version: 1,
            targets: kit.targets.iter().enumerate().map(target).collect(),
            positive_controls_min: 1,
            negative_controls_min: 1,
        }));
        items.push(lot(kit.lot, pb::LotKind::Pcr, kit.name));
    }
    for lab in labs {
        items.push(Item::Lab(pb::Lab {
            code: lab.code.clone(),
            name: lab.name.clone(),
            tubes_per_day_max: u32::try_from(lab.tubes_per_day).unwrap_or(u32::MAX),
        }));
        items.push(Item::Instrument(pb::Instrument {
            code: format!("{}-PCR1", lab.code),
            lab: lab.code.clone(),
            model: "PCR-96".to_owned(),
        }));
    }
    items
}
