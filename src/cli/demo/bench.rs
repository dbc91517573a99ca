//! The round inside the laboratories: reception, plates, runs, releases.

use super::calendar::Due;
use super::faults::{BAD_PLATE_ONE_IN, Fate};
use super::labs::Plate;
use super::play::Player;
use super::saying::{Load, Source, What};
use super::truth::{MINUTE_MS, SINGLES, below};
use std::sync::Arc;

/// When a laboratory notes that a tube leaks, when it finds one that was missing, and when such a
/// tube is given up: so long after reception.
const REJECTED_AFTER_MS: i64 = 10 * MINUTE_MS;
const FOUND_AFTER_MS: i64 = 180 * MINUTE_MS;
const GONE_AFTER_MS: i64 = 240 * MINUTE_MS;

/// A plate whose controls failed runs again so long after.
const RERUN_AFTER_MS: i64 = 40 * MINUTE_MS;

impl Player {
    /// What happens at a laboratory.
    pub(super) fn at_lab(&mut self, at: i64, due: Due) {
        match due {
            Due::Arrive(load) => self.receive(at, load),
            Due::Reject { tube, lab } => {
                self.say(Source::Lab(lab), at, What::Rejected { tube, lab })
            }
            Due::Found { tube, lab } => {
                self.say(Source::Lab(lab), at, What::Found { tube, lab });
                self.labs[lab].take(at, tube);
            }
            Due::Gone { tube } => {
                let desk = self.script.truth.desk_of(tube);
                let site = self.script.truth.desks[desk as usize].site;
                self.say(Source::Site(site), at, What::Lost { tube });
            }
            Due::Loaded(plate) => self.say(Source::Lab(plate.lab), at, What::Loaded(plate)),
            Due::Ran { plate, attempt } => {
                self.say(Source::Lab(plate.lab), at, What::Ran { plate, attempt });
            }
            Due::Released(plate) => {
                if plate.wells.iter().any(|(tube, _)| *tube < SINGLES) {
                    self.found.pools_done_at = at;
                }
                self.say(Source::Lab(plate.lab), at, What::Released(plate));
            }
            // Everything else happens in the field.
            _ => {}
        }
    }

    fn receive(&mut self, at: i64, load: Arc<Load>) {
        let script = Arc::clone(&self.script);
        let lab = load.lab;
        self.say(Source::Lab(lab), at, What::Received(Arc::clone(&load)));
        for tube in &load.tubes {
            let tube = *tube;
            let fate = if tube < SINGLES { script.faults.fate(tube) } else { Fate::Plain };
            match fate {
                Fate::Rejected => {
                    self.calendar.note(at + REJECTED_AFTER_MS, Due::Reject { tube, lab });
                }
                Fate::Straggler => {
                    self.calendar.note(at + FOUND_AFTER_MS, Due::Found { tube, lab })
                }
                Fate::Vanished => self.calendar.note(at + GONE_AFTER_MS, Due::Gone { tube }),
                _ => self.labs[lab].take(at, tube),
            }
        }
    }

    /// Laboratories take what plates they can in hand between `from` and `to`.
    pub(super) fn load_plates(&mut self, from: i64, to: i64) {
        let script = Arc::clone(&self.script);
        for lab in 0..self.labs.len() {
            while let Some((at, tubes)) = self.labs[lab].next_plate(from, to) {
                let number = self.plates[lab];
                self.plates[lab] += 1;
                let salt = (lab as u64) << 32 | number;
                let bad = number == 0 || below(BAD_PLATE_ONE_IN, script.truth.seed, 11, salt) == 0;
                let call = |tube: u32| match tube.checked_sub(SINGLES) {
                    Some(single) => self.singles[single as usize],
                    None => script.faults.fate(tube).call(),
                };
                let wells = tubes.into_iter().map(|tube| (tube, call(tube))).collect();
                let code = format!("{}-P{:05}", self.labs[lab].code, number + 1);
                if bad {
                    self.found.bad_plates.insert(code.clone());
                }
                let plate = Arc::new(Plate { code, lab, wells, bad });
                let mut through = at + self.labs[lab].run_ms;
                let ran = |attempt| Due::Ran { plate: Arc::clone(&plate), attempt };
                self.calendar.note(through, ran(1));
                if bad {
                    through += RERUN_AFTER_MS;
                    self.calendar.note(through, ran(2));
                }
                let released = through + self.labs[lab].review_ms;
                self.calendar.note(released, Due::Released(Arc::clone(&plate)));
                match at <= to {
                    true => self.say(Source::Lab(lab), at, What::Loaded(plate)),
                    false => self.calendar.note(at, Due::Loaded(plate)),
                }
            }
        }
    }
}
