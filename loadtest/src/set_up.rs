//! Before a run on a new folder: a round that is open, and a city of desks and devices, so that
//! facts are as clean as on a good day.

use crate::api::reference_item::Item;
use crate::api::{
    AdministrationFact, Desk, Device, FactId, ImportReferenceRequest, Jurisdiction, Level,
    OpenRoundRequest, ReferenceItem, Site,
};
use crate::connect::SignIn;
use crate::load::{Numbers, desk};
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::timeout;
use tonic::transport::Channel;

/// How long making the round may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Items that the server takes in one piece.
const ITEMS_MAX: usize = 2_000;
/// Desks of a site, and sites of a district.
const DESKS_PER_SITE: u32 = 4;
const SITES_PER_DISTRICT: u32 = 100;
const CITY: &str = "LT";

/// Opens a round of the run's own and imports its desks; gives the round's code.
pub async fn round(
    admin: &SignIn,
    channel: &Channel,
    numbers: &Numbers,
    devices: u32,
    desks: u32,
) -> Result<String> {
    round_with(admin, channel, numbers, items(numbers, devices, desks)).await
}

/// Opens a round of the run's own and imports these items; gives the round's code.
pub async fn round_with(
    admin: &SignIn,
    channel: &Channel,
    numbers: &Numbers,
    items: Vec<Item>,
) -> Result<String> {
    let made = timeout(PATIENCE, made(admin, channel, numbers, items)).await;
    made.with_context(|| {
        let seconds = PATIENCE.as_secs();
        format!("the server did not open a round and take its desks within {seconds} s")
    })?
}

async fn made(
    admin: &SignIn,
    channel: &Channel,
    numbers: &Numbers,
    items: Vec<Item>,
) -> Result<String> {
    let mut client = admin.administration(channel);
    let mut number = 0;
    let mut fact = || {
        number += 1;
        let source = numbers.name("office");
        let id = FactId { source, epoch: numbers.epoch(), number };
        Some(AdministrationFact { id: Some(id), captured_at_ms: 0 })
    };
    for items in items.chunks(ITEMS_MAX) {
        let items = items.iter().cloned().map(|item| ReferenceItem { item: Some(item) }).collect();
        let request = ImportReferenceRequest { fact: fact(), file: numbers.name("desks"), items };
        client.import_reference(request).await.context("importing reference data")?;
    }
    let round = numbers.round();
    let request = OpenRoundRequest {
        fact: fact(),
        round: round.clone(),
        name: round.clone(),
        pool: 10,
        ..OpenRoundRequest::default()
    };
    client.open_round(request).await.context("opening the round")?;
    Ok(round)
}

/// A city of so many desks, with devices at them.
pub fn items(numbers: &Numbers, devices: u32, desks: u32) -> Vec<Item> {
    let site_of = |desk: u32| desk / DESKS_PER_SITE;
    let site = |site: u32| format!("{CITY}-S{site:05}");
    let district = |site: u32| format!("{CITY}-D{:03}", site / SITES_PER_DISTRICT);
    let sites = site_of(desks.saturating_sub(1)) + 1;
    let place = |code: String, parent: &str, level: Level| {
        Item::Jurisdiction(Jurisdiction {
            name: code.clone(),
            code,
            parent: parent.to_owned(),
            level: level.into(),
        })
    };
    let mut items = vec![place(CITY.to_owned(), "", Level::City)];
    for number in 0..sites {
        if number % SITES_PER_DISTRICT == 0 {
            items.push(place(district(number), CITY, Level::District));
        }
        let (code, jurisdiction) = (site(number), district(number));
        items.push(Item::Site(Site { name: code.clone(), code, jurisdiction }));
    }
    items.extend(
        (0..desks).map(|nth| Item::Desk(Desk { code: desk(nth), site: site(site_of(nth)) })),
    );
    items.extend((0..devices).map(|device| {
        Item::Device(Device { code: numbers.source(device), desk: desk(device % desks) })
    }));
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn whatever_is_named_is_imported_before_it() {
        let items = items(&Numbers::of_this_moment(), 1_000, 801);
        let mut known = HashSet::from([String::new()]);
        for item in items {
            let (code, parent) = match item {
                Item::Jurisdiction(place) => (place.code, place.parent),
                Item::Site(site) => (site.code, site.jurisdiction),
                Item::Desk(desk) => (desk.code, desk.site),
                Item::Device(device) => (device.code, device.desk),
                _ => unreachable!("nothing else is imported"),
            };
            assert!(known.contains(&parent), "{code} in {parent}");
            known.insert(code);
        }
        // City, 3 districts, 201 sites, 801 desks, 1000 devices, and the empty parent.
        assert_eq!(known.len(), 1 + 3 + 201 + 801 + 1_000 + 1);
    }
}
