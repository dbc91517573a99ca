//! Reference data: what facts are judged by. It is a fold of logged facts like everything else.

use super::calling::CallingRule;
use super::fact::{Body, Event, Place};
use super::words::{Code, Level, LotKind, Map, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One line of an imported file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceItem {
    /// City, district, subdistrict or community. `parent` is empty at the top.
    Jurisdiction { code: Code, parent: Code, level: Level, name: Code },
    /// A sampling site in a jurisdiction.
    Site { code: Code, jurisdiction: Code, name: Code },
    /// A desk of a site.
    Desk { code: Code, site: Code },
    /// A scanner or handheld, with the desk it is given to.
    Device { code: Code, desk: Code },
    /// A laboratory. `tubes_per_day_max` is what it declared; 0 = it declared nothing.
    Lab { code: Code, name: Code, tubes_per_day_max: u32 },
    /// An instrument of a laboratory.
    Instrument { code: Code, lab: Code, model: Code },
    /// A kit with one version of its calling rule.
    Kit { name: Code, rule: CallingRule },
    /// A lot with its last day of use.
    Lot { code: Code, kind: LotKind, product: Code, expires_at: Time },
    /// How tube barcodes look in this folder.
    Barcodes(BarcodePattern),
}

/// How tube barcodes look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarcodePattern {
    /// What every barcode begins with; may be empty.
    pub prefix: Code,
    /// Length in characters, prefix and check digit included.
    pub length: u16,
    /// The last character is a Luhn check digit over the digits before it.
    pub luhn: bool,
}

impl BarcodePattern {
    /// (fits the pattern, the check digit is right). A code that does not fit is not checked.
    pub fn check(&self, code: &str) -> (bool, bool) {
        let body = code.strip_prefix(self.prefix.as_str()).unwrap_or("");
        let fits = code.len() == usize::from(self.length)
            && !body.is_empty()
            && body.bytes().all(|b| b.is_ascii_digit());
        (fits, !fits || !self.luhn || luhn_sum(body).is_multiple_of(10))
    }

    /// The barcode with this serial number: prefix, zero-padded number, check digit.
    pub fn make(&self, serial: u64) -> Code {
        let digits = usize::from(self.length) - self.prefix.len() - usize::from(self.luhn);
        let body = format!("{serial:0digits$}");
        if !self.luhn {
            return Code::from(format!("{}{body}", self.prefix));
        }
        let check = (10 - luhn_sum(&format!("{body}0")) % 10) % 10;
        Code::from(format!("{}{body}{check}", self.prefix))
    }
}

/// The Luhn sum (ISO/IEC 7812-1 annex B) of a string of digits.
fn luhn_sum(digits: &str) -> u32 {
    let digit = |(place, byte): (usize, u8)| {
        let value = u32::from(byte - b'0');
        match (place % 2 == 1, value) {
            (true, 5..) => value * 2 - 9,
            (true, _) => value * 2,
            (false, _) => value,
        }
    };
    digits.bytes().rev().enumerate().map(digit).sum()
}

/// A round as the log knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Name.
    pub name: Code,
    /// The key that its person keys are made with.
    pub key_id: Code,
    /// Pool size by default.
    pub pool: u16,
    /// When it was opened.
    pub opened_at: Time,
    /// When it was closed.
    pub closed_at: Option<Time>,
}

/// A kit: the versions of its rule and the switches between them.
#[derive(Clone, Debug, Default)]
pub struct Kit {
    /// Name.
    pub name: Code,
    rules: BTreeMap<u32, Arc<CallingRule>>,
    switches: Vec<(Time, u32)>,
}

impl Kit {
    /// The rule in force at a time: that of the latest switch not after it, else the oldest. A
    /// switch to a version that nobody imported switches nothing.
    pub fn rule_at(&self, at: Time) -> Option<&Arc<CallingRule>> {
        let known = |(from, version): &(Time, u32)| Some((*from, self.rules.get(version)?));
        let switched = self.switches.iter().filter_map(known).filter(|(from, _)| *from <= at);
        switched
            .max_by_key(|(from, _)| *from)
            .map(|(_, rule)| rule)
            .or_else(|| self.rules.first_key_value().map(|(_, rule)| rule))
    }

    /// The rule of a version.
    pub fn rule(&self, version: u32) -> Option<&Arc<CallingRule>> {
        self.rules.get(&version)
    }
}

/// Everything imported so far.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// Jurisdictions by code: (parent, level, name).
    pub jurisdictions: Map<Code, (Code, Level, Code)>,
    /// Sites by code: (jurisdiction, name).
    pub sites: Map<Code, (Code, Code)>,
    /// The site of each desk.
    pub desks: Map<Code, Code>,
    /// The desk of each device.
    pub devices: Map<Code, Code>,
    /// Laboratories: (name, declared tubes per day).
    pub labs: Map<Code, (Code, u32)>,
    /// Instruments: (laboratory, model).
    pub instruments: Map<Code, (Code, Code)>,
    /// Kits.
    pub kits: Map<Code, Kit>,
    /// Lots: (kind, product, last moment of use).
    pub lots: Map<Code, (LotKind, Code, Time)>,
    /// Rounds.
    pub rounds: BTreeMap<Code, Round>,
    /// How barcodes look; `None` = every barcode is taken as it is.
    pub barcodes: Option<BarcodePattern>,
}

impl Reference {
    /// Takes over an event. Others than reference events change nothing.
    pub fn apply(&mut self, event: &Event) {
        let round = event.stamps.round.clone();
        match &event.fact.body {
            Body::ReferenceImported { items, .. } => {
                items.iter().for_each(|item| self.import(item))
            }
            Body::RoundOpened { name, key_id, pool } => {
                let opened = Round {
                    name: name.clone(),
                    key_id: key_id.clone(),
                    pool: *pool,
                    opened_at: event.captured(),
                    closed_at: None,
                };
                // A round's key never changes: a second opening is the first one, told again.
                self.rounds.entry(round).or_insert(opened);
            }
            Body::RoundClosed {} => {
                if let Some(round) = self.rounds.get_mut(&round) {
                    round.closed_at.get_or_insert(event.stamps.recorded_at);
                }
            }
            Body::RuleSwitched { kit, version, from } => {
                // Never dated back: a plate that has been judged keeps its rule.
                let from = (*from).max(event.stamps.recorded_at);
                self.kits.entry(kit.clone()).or_default().switches.push((from, *version));
            }
            _ => {}
        }
    }

    fn import(&mut self, item: &ReferenceItem) {
        use ReferenceItem::*;
        match item.clone() {
            Jurisdiction { code, parent, level, name } => {
                self.jurisdictions.insert(code, (parent, level, name));
            }
            Site { code, jurisdiction, name } => {
                drop(self.sites.insert(code, (jurisdiction, name)))
            }
            Desk { code, site } => drop(self.desks.insert(code, site)),
            Device { code, desk } => drop(self.devices.insert(code, desk)),
            Lab { code, name, tubes_per_day_max } => {
                self.labs.insert(code, (name, tubes_per_day_max));
            }
            Instrument { code, lab, model } => drop(self.instruments.insert(code, (lab, model))),
            Kit { name, rule } => {
                let kit = self.kits.entry(rule.kit.clone()).or_default();
                kit.name = name;
                // A version, once given, stays: plates were judged by it.
                kit.rules.entry(rule.version).or_insert_with(|| Arc::new(rule));
            }
            Lot { code, kind, product, expires_at } => {
                self.lots.insert(code, (kind, product, expires_at));
            }
            Barcodes(pattern) => self.barcodes = Some(pattern),
        }
    }

    /// Where a desk stands; `None` when nobody imported it.
    pub fn place(&self, desk: &Code) -> Option<Place> {
        let site = self.desks.get(desk)?;
        let district = self
            .sites
            .get(site)
            .and_then(|(jurisdiction, _)| self.district(jurisdiction))
            .unwrap_or_default();
        Some(Place { district, site: site.clone(), desk: desk.clone() })
    }

    /// The district that a jurisdiction lies in. Climbs at most as many steps as there are levels,
    /// so that a file with a circle in it cannot hold us.
    pub fn district(&self, jurisdiction: &Code) -> Option<Code> {
        let mut code = jurisdiction.clone();
        for _ in Level::ALL {
            let (parent, level, _) = self.jurisdictions.get(&code)?;
            if *level == Level::District {
                return Some(code);
            }
            code = parent.clone();
        }
        None
    }

    /// The round of a fact that does not name one, by its corrected time of capture and not by that
    /// of arrival: the one that was open then; if none was, the one open now, else the nearest.
    /// `None` when two were open.
    pub fn round_at(&self, captured: Time) -> Option<&Code> {
        let distance = |round: &Round| {
            let early = round.opened_at.ms_since(captured).max(0);
            let late = round.closed_at.map_or(0, |closed| captured.ms_since(closed).max(0));
            early.max(late)
        };
        let mut nearest: Vec<_> =
            self.rounds.iter().map(|(code, round)| (distance(round), code)).collect();
        nearest.sort_unstable();
        match nearest.as_slice() {
            [(0, _), (0, _), ..] | [] => None,
            [(0, code), ..] => Some(code),
            [(_, code), ..] => Some(self.open_round().unwrap_or(code)),
        }
    }

    /// The one open round, when there is exactly one.
    pub fn open_round(&self) -> Option<&Code> {
        let mut open = self.rounds.iter().filter(|(_, round)| round.closed_at.is_none());
        match (open.next(), open.next()) {
            (Some((code, _)), None) => Some(code),
            _ => None,
        }
    }
}
