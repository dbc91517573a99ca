//! The laboratories of the drill: how fast each works by the plan, what waits there, the plates it
//! loads, and what its instruments read.

use super::truth::{MINUTE_MS, SINGLES, below};
use crate::api::client::pb;
use crate::domain::words::Call;
use crate::planner::{City, Lab as CityLab, LabPlan, Plan, StageKind};
use std::collections::VecDeque;

/// Wells of a plate that hold tubes; the two after them hold the controls.
pub const WELLS_MAX: usize = 94;

/// A plate that is not full is loaded all the same when its oldest tube has waited so long.
const PATIENCE_MS: i64 = 30 * MINUTE_MS;

/// A kit of the drill.
pub struct Kit {
    /// Code.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// Lot in use.
    pub lot: &'static str,
    /// Targets as the instrument reports them; the last one is the internal control.
    pub targets: [&'static str; 3],
    /// Detected up to this Ct, grey up to the next, in hundredths.
    pub cut_off: u32,
    /// See `cut_off`.
    pub grey_to: u32,
}

/// Two kits, because the cut-offs are data and not code.
pub const KITS: [Kit; 2] = [
    Kit {
        code: "KIT-38",
        name: "新冠病毒核酸检测试剂盒 A",
        lot: "PCR-202203-A",
        targets: ["ORF1ab", "N", "IC"],
        cut_off: 3_800,
        grey_to: 4_000,
    },
    Kit {
        code: "KIT-40",
        name: "新冠病毒核酸检测试剂盒 B",
        lot: "PCR-202203-B",
        targets: ["ORF1ab", "N", "RNase P"],
        cut_off: 4_000,
        grey_to: 4_300,
    },
];

/// A loaded plate.
#[derive(Debug)]
pub struct Plate {
    /// Barcode.
    pub code: String,
    /// Index of the laboratory.
    pub lab: usize,
    /// The tubes by well, and what is in them.
    pub wells: Vec<(u32, Call)>,
    /// The controls of its first run fail.
    pub bad: bool,
}

/// Milliseconds from one plate of a laboratory to the next: the slowest stage sets the pace.
pub fn plate_ms(lab: &CityLab, planned: &LabPlan) -> i64 {
    let pace = planned.capacity.stages.iter().map(|stage| {
        let tubes_each_cycle = stage.units_working * stage.tubes_per_run;
        let cycle = i64::try_from(lab.stage(stage.kind).cycle_s() * 1_000).unwrap_or(i64::MAX / 4);
        cycle.saturating_mul(WELLS_MAX as i64) / (tubes_each_cycle.max(1) as i64)
    });
    pace.max().unwrap_or(MINUTE_MS).max(1)
}

/// A laboratory at work.
pub struct Lab {
    /// Code.
    pub code: String,
    /// Name in Chinese.
    pub name: String,
    /// Tubes a day that it declares.
    pub tubes_per_day: u64,
    /// Milliseconds from one plate to the next, by its tightest stage: for so long a plate is in hand before it is loaded.
    plate_ms: i64,
    /// From reception until a tube can be taken in hand, from the loading of its plate to the curves, from the curves to the release.
    pub before_ms: i64,
    /// See `before_ms`.
    pub run_ms: i64,
    /// See `before_ms`.
    pub review_ms: i64,
    /// When it can take the next plate in hand.
    free_at: i64,
    priority: VecDeque<(i64, u32)>,
    ordinary: VecDeque<(i64, u32)>,
}

impl Lab {
    /// The laboratories of a plan.
    pub fn of(city: &City, plan: &Plan) -> Vec<Lab> {
        let ms = |seconds: u64| i64::try_from(seconds * 1_000).unwrap_or(i64::MAX / 4);
        let labs = city.labs.iter().zip(&plan.labs);
        labs.map(|(lab, planned)| {
            let over =
                |kinds: &[StageKind]| ms(kinds.iter().map(|k| lab.stage(*k).cycle_s()).sum());
            let plate_ms = plate_ms(lab, planned);
            let before_ms = over(&[StageKind::Receive, StageKind::Inactivate, StageKind::Decap]);
            Lab {
                code: lab.code.clone(),
                name: lab.name.zh.clone(),
                tubes_per_day: planned.capacity.tubes,
                plate_ms,
                // Of the time before its loading a tube is in hand for a plate's pace, and for all of it where a plate is longer in hand.
                before_ms: (before_ms - plate_ms).max(0),
                run_ms: over(&[StageKind::Extract, StageKind::Setup, StageKind::Pcr]),
                review_ms: over(&[StageKind::Review]),
                free_at: 0,
                priority: VecDeque::new(),
                ordinary: VecDeque::new(),
            }
        })
        .collect()
    }

    /// Takes a tube that came in at `at`; single tubes go first.
    pub fn take(&mut self, at: i64, tube: u32) {
        let ready = at + self.before_ms;
        match tube >= SINGLES {
            true => self.priority.push_back((ready, tube)),
            false => self.ordinary.push_back((ready, tube)),
        }
    }

    /// Tubes that wait.
    pub fn waiting(&self) -> usize {
        self.priority.len() + self.ordinary.len()
    }

    /// The next plate that can be taken in hand between `from` and `to`, with the time of its loading: what is on it is settled when
    /// it is taken, as in every laboratory, and tubes that come while it is in hand go on the next one.
    pub fn next_plate(&mut self, from: i64, to: i64) -> Option<(i64, Vec<u32>)> {
        let at = self.free_at.max(from);
        let ready = |queue: &VecDeque<(i64, u32)>| {
            queue.iter().take(WELLS_MAX).take_while(|(ready, _)| *ready <= at).count()
        };
        let urgent = ready(&self.priority);
        let ordinary = ready(&self.ordinary).min(WELLS_MAX - urgent);
        let waited = |queue: &VecDeque<(i64, u32)>| {
            queue.front().is_some_and(|(ready, _)| *ready + PATIENCE_MS <= at)
        };
        let full = urgent + ordinary == WELLS_MAX;
        if at >= to || !full && !waited(&self.priority) && !waited(&self.ordinary) {
            return None;
        }
        self.free_at = at + self.plate_ms;
        let tubes = self.priority.drain(..urgent).chain(self.ordinary.drain(..ordinary));
        Some((self.free_at, tubes.map(|(_, tube)| tube).collect()))
    }

    /// The kit that the laboratory of this index uses.
    pub fn kit(index: usize) -> &'static Kit {
        &KITS[index % KITS.len()]
    }
}

impl Plate {
    /// The loading, as a fact says it.
    pub fn loaded(&self, lab: &str, code: impl Fn(u32) -> String) -> pb::PlateLoaded {
        use pb::well::Content;
        let kit = Lab::kit(self.lab);
        let tubes = self.wells.iter().map(|(tube, _)| Content::Tube(code(*tube)));
        let mut wells: Vec<pb::Well> = (0..)
            .zip(tubes)
            .map(|(position, content)| pb::Well { position, content: Some(content) })
            .collect();
        for (position, control) in [(94, pb::Control::Positive), (95, pb::Control::Negative)] {
            wells.push(pb::Well { position, content: Some(Content::Control(control.into())) });
        }
        pb::PlateLoaded {
            plate: self.code.clone(),
            lab: lab.to_owned(),
            kit: kit.code.to_owned(),
            kit_lot: kit.lot.to_owned(),
            wells,
        }
    }

    /// The curves of a run, as a fact says them. In a bad plate's first run the negative control
    /// shows a curve.
    pub fn ran(&self, lab: &str, attempt: u32, seed: u64) -> pb::RunReported {
        let kit = Lab::kit(self.lab);
        let salt = |position: u32| u64::from(position) << 2 | u64::from(attempt);
        let ct = |position: u32, from: u32, to: u32| {
            let plate = crc(&self.code);
            from + below((to - from).into(), seed ^ plate, 8, salt(position)) as u32
        };
        let reading = |position: u32, call: Call| {
            let detected = |more| ct(position + more, 2_600, kit.cut_off - 300);
            let control = ct(position + 1_000, 2_400, 3_100);
            let ct_hundredths = match call {
                Call::Positive => vec![detected(2_000), detected(3_000), control],
                Call::SingleTarget => vec![0, detected(3_000), control],
                Call::Grey => {
                    let grey = ct(position, kit.cut_off + 1, kit.grey_to);
                    vec![grey, 0, control]
                }
                Call::Negative => vec![0, 0, control],
                Call::Invalid => vec![0, 0, 0],
            };
            pb::Reading { position, ct_hundredths }
        };
        let mut readings: Vec<pb::Reading> =
            (0..).zip(&self.wells).map(|(position, (_, call))| reading(position, *call)).collect();
        readings.push(reading(94, Call::Positive));
        let fails = self.bad && attempt == 1;
        readings.push(reading(95, if fails { Call::Positive } else { Call::Negative }));
        pb::RunReported {
            plate: self.code.clone(),
            run: format!("R{attempt}"),
            lab: lab.to_owned(),
            instrument: format!("{lab}-PCR1"),
            targets: kit.targets.map(str::to_owned).to_vec(),
            readings,
        }
    }
}

/// A number for a code.
fn crc(code: &str) -> u64 {
    code.bytes().fold(0, |sum, byte| sum.wrapping_mul(131).wrapping_add(byte.into()))
}
