//! Writes the facts of a day as bytes.

use super::codes::{Day, KIT, KIT_LOT, PLATE_TUBES, TARGETS, lab};
use crate::api::Control;
use crate::encode::Encoder;
use crate::load::{now_ms, put_people};
use bytes::Bytes;
use std::sync::Arc;

/// Ct of a detection, and of the internal control; hundredths of a cycle.
const CT: u64 = 2_900;
/// Name of the one run of each plate.
const RUN: &[u8] = b"R1";

/// What is said of a box or a plate.
#[derive(Clone, Debug)]
pub enum Saying {
    /// A box was packed.
    Packed(u64),
    /// And handed over.
    HandedOver(u64),
    /// And received, with all its tubes scanned.
    Received(u64),
    /// A plate was loaded.
    Loaded(Plate),
    /// And run.
    Ran(Plate),
    /// And its negative tubes released.
    Released(Plate),
}

/// A plate.
#[derive(Clone, Debug)]
pub struct Plate {
    /// Its number in its laboratory.
    pub number: u64,
    /// Its tubes, in the order of the wells.
    pub tubes: Arc<[u64]>,
}

/// Writes what one source has to say.
pub struct Pen {
    day: Arc<Day>,
    district: u64,
    lab: String,
    instrument: String,
    encoder: Encoder,
    code: Vec<u8>,
    /// Facts said so far.
    facts: u64,
}

impl Pen {
    /// The pen of a source in a district.
    pub fn new(day: Arc<Day>, district: u64) -> Pen {
        let lab = lab(district);
        let instrument = format!("{lab}-PCR1");
        Pen {
            day,
            district,
            lab,
            instrument,
            encoder: Encoder::default(),
            code: Vec::new(),
            facts: 0,
        }
    }

    /// A message with tubes that were filled just now.
    pub fn collected(&mut self, message: u64, tubes: std::ops::Range<u64>) -> Bytes {
        let Pen { day, encoder, code, facts, .. } = self;
        let now = now_ms();
        let desk = day.desk(tubes.start);
        encoder.message(|to| {
            to.nested(2, |to| {
                to.number(1, message);
                for tube in tubes {
                    *facts += 1;
                    fact(to, *facts, now, &day.round, |to| {
                        to.nested(11, |to| {
                            day.tube(tube, code);
                            to.text(1, code);
                            to.number(2, 10);
                            to.text(3, desk.as_bytes());
                            put_people(to, 6, day.first_person(tube), day.people_in(tube));
                        });
                    });
                }
            });
        })
    }

    /// A message with one saying.
    pub fn say(&mut self, message: u64, saying: &Saying) -> Bytes {
        let Pen { day, district, lab, instrument, encoder, code, facts } = self;
        *facts += 1;
        encoder.message(|to| {
            to.nested(2, |to| {
                to.number(1, message);
                fact(to, *facts, now_ms(), &day.round, |to| match saying {
                    Saying::Packed(container) => to.nested(20, |to| {
                        day.container(*container, code);
                        to.text(1, code);
                        put_tubes(to, day, 2, code, day.tubes_in(*container));
                    }),
                    Saying::HandedOver(container) => to.nested(21, |to| {
                        day.container(*container, code);
                        to.text(1, code);
                        to.text(3, lab.as_bytes());
                    }),
                    Saying::Received(container) => to.nested(22, |to| {
                        day.container(*container, code);
                        to.text(1, code);
                        to.text(2, lab.as_bytes());
                        put_tubes(to, day, 3, code, day.tubes_in(*container));
                    }),
                    Saying::Loaded(plate) => to.nested(40, |to| {
                        day.plate(*district, plate.number, code);
                        to.text(1, code);
                        to.text(2, lab.as_bytes());
                        to.text(3, KIT.as_bytes());
                        to.text(4, KIT_LOT.as_bytes());
                        for (position, tube) in (0..).zip(plate.tubes.iter()) {
                            to.nested(5, |to| {
                                to.number(1, position);
                                day.tube(*tube, code);
                                to.text(2, code);
                            });
                        }
                        for (position, control) in controls() {
                            to.nested(5, |to| {
                                to.number(1, position);
                                to.number(3, control as u64);
                            });
                        }
                    }),
                    Saying::Ran(plate) => to.nested(41, |to| {
                        day.plate(*district, plate.number, code);
                        to.text(1, code);
                        to.text(2, RUN);
                        to.text(3, lab.as_bytes());
                        to.text(4, instrument.as_bytes());
                        TARGETS.iter().for_each(|target| to.entry(5, target.as_bytes()));
                        let tubes = plate.tubes.iter().map(|tube| day.is_positive(*tube));
                        for (position, detected) in (0..).zip(tubes) {
                            put_reading(to, position, detected);
                        }
                        for (position, control) in controls() {
                            put_reading(to, position, control == Control::Positive);
                        }
                    }),
                    Saying::Released(plate) => to.nested(44, |to| {
                        to.text(1, lab.as_bytes());
                        let negative = plate.tubes.iter().filter(|tube| !day.is_positive(**tube));
                        put_tubes(to, day, 2, code, negative.copied());
                    }),
                });
            });
        })
    }
}

fn fact(to: &mut Encoder, number: u64, now: u64, round: &str, body: impl FnOnce(&mut Encoder)) {
    to.nested(2, |to| {
        to.nested(1, |to| to.number(3, number));
        to.number(2, now);
        to.text(3, round.as_bytes());
        body(to);
    });
}

fn put_tubes(
    to: &mut Encoder,
    day: &Day,
    field: u32,
    code: &mut Vec<u8>,
    tubes: impl Iterator<Item = u64>,
) {
    for tube in tubes {
        day.tube(tube, code);
        to.entry(field, code);
    }
}

/// The wells of the controls.
fn controls() -> [(u64, Control); 2] {
    let first = PLATE_TUBES as u64;
    [(first, Control::Positive), (first + 1, Control::Negative)]
}

fn put_reading(to: &mut Encoder, position: u64, detected: bool) {
    let ct = if detected { CT } else { 0 };
    to.nested(6, |to| {
        to.number(1, position);
        to.packed(2, &[ct, ct, CT]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Fact, FactBatch, RecordRequest, fact::Body, record_request, well};
    use crate::encode::FRAME_BYTES;
    use crate::load::Numbers;
    use prost::Message;

    fn pen(people: u64) -> Pen {
        let numbers = Numbers::of_this_moment();
        Pen::new(Arc::new(Day { numbers, round: "R".into(), people }), 3)
    }

    /// What prost reads; that it writes the same again shows that the bytes are those of any client.
    fn read(framed: &Bytes) -> FactBatch {
        let request = RecordRequest::decode(&framed[FRAME_BYTES..]).unwrap();
        assert_eq!(request.encode_to_vec(), framed[FRAME_BYTES..]);
        match request.body {
            Some(record_request::Body::Facts(batch)) => batch,
            other => panic!("{other:?}"),
        }
    }

    fn said(pen: &mut Pen, saying: Saying) -> Body {
        let mut batch = read(&pen.say(7, &saying));
        assert_eq!((batch.message_number, batch.facts.len()), (7, 1));
        let Fact { id, captured_at_ms, round, body } = batch.facts.remove(0);
        assert!(id.unwrap().number > 0 && captured_at_ms > 0 && round == "R");
        body.unwrap()
    }

    #[test]
    fn desks_say_whole_tubes() {
        let mut pen = pen(395);
        let batch = read(&pen.collected(1, 20..40));
        assert_eq!(batch.facts.len(), 20);
        let mut numbers = batch.facts.iter().map(|fact| fact.id.as_ref().unwrap().number);
        assert!(numbers.by_ref().eq(1..=20));
        let Some(Body::TubeCollected(last)) = &batch.facts[19].body else { panic!() };
        assert_eq!((last.members.len(), last.pool), (5, 10));
        assert!(last.members.iter().all(|member| member.number.len() == 18));
    }

    #[test]
    fn boxes_and_plates_name_their_tubes() {
        let mut pen = pen(2_500);
        let Body::TubesPacked(packed) = said(&mut pen, Saying::Packed(1)) else { panic!() };
        let Body::BoxHandedOver(over) = said(&mut pen, Saying::HandedOver(1)) else { panic!() };
        let Body::BoxReceived(received) = said(&mut pen, Saying::Received(1)) else { panic!() };
        assert_eq!(packed.tubes.len(), 100);
        assert_eq!(packed.tubes, received.tubes);
        assert_eq!((&packed.r#box, &over.r#box), (&received.r#box, &received.r#box));
        assert_eq!((over.lab.as_str(), received.lab.as_str()), ("LT-LAB03", "LT-LAB03"));
    }

    #[test]
    fn a_plate_is_loaded_run_and_released() {
        let mut pen = pen(1_000_000);
        let day = pen.day.clone();
        let positive = (0..).find(|tube| day.is_positive(*tube)).unwrap();
        let tubes = (positive.saturating_sub(40)..).take(94).collect();
        let plate = Plate { number: 12, tubes };
        let nth = plate.tubes.iter().position(|tube| *tube == positive).unwrap();
        let Body::PlateLoaded(loaded) = said(&mut pen, Saying::Loaded(plate.clone())) else {
            panic!()
        };
        assert_eq!((loaded.wells.len(), loaded.wells[95].position), (96, 95));
        let Some(well::Content::Tube(code)) = &loaded.wells[nth].content else { panic!() };
        let Body::RunReported(run) = said(&mut pen, Saying::Ran(plate.clone())) else { panic!() };
        assert_eq!((run.targets.len(), run.readings.len()), (3, 96));
        assert_eq!(run.readings[nth].ct_hundredths, [2_900, 2_900, 2_900]);
        assert_eq!(run.readings[94].ct_hundredths, [2_900, 2_900, 2_900]);
        assert_eq!(run.readings[95].ct_hundredths, [0, 0, 2_900]);
        let Body::ResultReleased(released) = said(&mut pen, Saying::Released(plate)) else {
            panic!()
        };
        assert!(released.tubes.len() < 94 && !released.tubes.contains(code));
        assert_eq!((&run.plate, &released.lab), (&loaded.plate, &loaded.lab));
    }
}
