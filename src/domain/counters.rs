//! Counters: what each record adds to the figures. They change only by
//! `contribution(after) - contribution(before)` of a record, so the order of facts cannot be seen
//! in them. Every figure of tubes lives in exactly one cell; every answer is a sum over cells, so
//! parts and totals cannot differ.

use super::boxes::{BoxRecord, BoxStage};
use super::discrepancy::Discrepancies;
use super::person::PersonRecord;
use super::plate::PlateRecord;
use super::tube::TubeView;
use super::words::{Call, Code, Map, Status};

/// Where something is counted: the finest place that any answer asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// Round.
    pub round: Code,
    /// District.
    pub district: Code,
    /// Site.
    pub site: Code,
    /// Desk.
    pub desk: Code,
    /// Laboratory.
    pub lab: Code,
}

impl CellKey {
    /// The cell of a tube.
    pub fn of_tube(view: &TubeView) -> CellKey {
        CellKey {
            round: view.round.clone(),
            district: view.place.district.clone(),
            site: view.place.site.clone(),
            desk: view.place.desk.clone(),
            lab: view.lab.clone(),
        }
    }

    /// The cell of something that a laboratory has and no desk: a plate, a box.
    pub fn of_lab(lab: Code) -> CellKey {
        CellKey { lab, ..CellKey::default() }
    }
}

/// Number of counters in a cell.
pub const COUNTERS: usize = 144;

/// The counters of a cell. The numbers are on disk and for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter(pub u8);

impl Counter {
    /// Recalls opened.
    pub const RECALLS: Counter = Counter(40);
    /// Recalls closed.
    pub const RECALLS_CLOSED: Counter = Counter(41);
    /// Recollections opened.
    pub const RECOLLECTIONS: Counter = Counter(42);
    /// Recollections closed.
    pub const RECOLLECTIONS_CLOSED: Counter = Counter(43);
    /// Boxes.
    pub const BOXES: Counter = Counter(48);
    /// Plates.
    pub const PLATES: Counter = Counter(49);
    /// Runs.
    pub const RUNS: Counter = Counter(50);
    /// Of the boxes, those that are packed and not handed over: no laboratory is known of them.
    pub const BOXES_PACKED: Counter = Counter(51);
    /// Of the boxes, those on their way to the laboratory.
    pub const BOXES_IN_TRANSIT: Counter = Counter(52);
    /// Of the boxes, those that the laboratory took.
    pub const BOXES_RECEIVED: Counter = Counter(53);

    /// Tubes of a status.
    pub const fn tubes(status: Status) -> Counter {
        Counter(status.number())
    }

    /// Swabs in tubes of a status.
    pub const fn swabs(status: Status) -> Counter {
        Counter(16 + status.number())
    }

    /// Tubes with a call.
    pub const fn call(call: Call) -> Counter {
        Counter(32 + call.number())
    }

    /// Records with a discrepancy.
    pub const fn discrepancy(number: u8) -> Counter {
        Counter(64 + number)
    }

    /// Of the tubes of a status, those made for one person: where others pool, of people who were called back.
    pub const fn singles(status: Status) -> Counter {
        Counter(128 + status.number())
    }
}

/// The figures of one cell, or a change of them: those that are not nought, by counter. A cell has
/// a dozen of them, and there are tens of thousands of cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures(Vec<(Counter, i64)>);

impl Figures {
    /// The figure of a counter.
    pub fn get(&self, counter: Counter) -> i64 {
        self.place(counter).map_or(0, |at| self.0[at].1)
    }

    /// The figure of a counter, where it counts what there is: nought when more was taken away than came.
    pub fn count_of(&self, counter: Counter) -> u64 {
        u64::try_from(self.get(counter)).unwrap_or(0)
    }

    /// Adds to one figure.
    pub fn count(&mut self, counter: Counter, by: i64) {
        match self.place(counter) {
            Ok(at) => {
                self.0[at].1 += by;
                if self.0[at].1 == 0 {
                    self.0.remove(at);
                }
            }
            Err(at) if by != 0 => self.0.insert(at, (counter, by)),
            Err(_) => {}
        }
    }

    fn place(&self, counter: Counter) -> Result<usize, usize> {
        self.0.binary_search_by_key(&counter, |(counter, _)| *counter)
    }

    /// Adds all figures of another cell.
    pub fn add(&mut self, other: &Figures) {
        other.0.iter().for_each(|(counter, by)| self.count(*counter, *by));
    }

    /// True when every figure is nought.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The figures that are not nought, by counter.
    pub fn iter(&self) -> impl Iterator<Item = (Counter, i64)> + '_ {
        self.0.iter().copied()
    }

    /// Tubes of every status: the total that the parts add up to.
    pub fn tubes_total(&self) -> i64 {
        let parts =
            if crate::breaks::on("a_part_is_forgotten") { &Status::ALL[..2] } else { Status::ALL };
        parts.iter().map(|status| self.get(Counter::tubes(*status))).sum()
    }

    /// Swabs in tubes of every status.
    pub fn swabs_total(&self) -> i64 {
        Status::ALL.iter().map(|status| self.get(Counter::swabs(*status))).sum()
    }
}

/// What of a box is counted.
#[derive(Clone, Debug)]
pub struct BoxCount {
    /// Where.
    pub lab: Code,
    /// How far it has come.
    pub stage: BoxStage,
    /// What is odd.
    pub odd: Discrepancies,
}

impl BoxCount {
    /// What of this box is counted.
    pub fn of(record: &BoxRecord) -> BoxCount {
        let (stage, lab) = record.whereabouts();
        BoxCount { lab, stage, odd: record.discrepancies() }
    }
}

/// What of a plate is counted.
#[derive(Clone, Debug)]
pub struct PlateCount {
    /// Where.
    pub lab: Code,
    /// Runs.
    pub runs: usize,
    /// What is odd.
    pub odd: Discrepancies,
}

impl PlateCount {
    /// What of this plate is counted.
    pub fn of(record: &PlateRecord) -> PlateCount {
        PlateCount { lab: record.lab(), runs: record.run_count(), odd: record.discrepancies() }
    }
}

/// Changes of cells, gathered over a batch.
#[derive(Clone, Debug, Default)]
pub struct Deltas(pub Map<CellKey, Figures>);

impl Deltas {
    fn note(&mut self, cell: CellKey, sign: i64, figures: &[(Counter, i64)], odd: Discrepancies) {
        let cell = self.0.entry(cell).or_default();
        for (counter, by) in figures {
            cell.count(*counter, sign * by);
        }
        for one in odd.iter() {
            cell.count(Counter::discrepancy(one.number()), sign);
        }
    }

    /// Adds (`sign` 1) or takes away (-1) what a tube contributes.
    pub fn tube(&mut self, view: &TubeView, sign: i64) {
        let swabs = i64::try_from(view.members.len()).unwrap_or(i64::MAX);
        let called =
            view.call.map_or((Counter::tubes(view.status), 0), |call| (Counter::call(call), 1));
        let figures = [
            (Counter::tubes(view.status), 1),
            (Counter::swabs(view.status), swabs),
            called,
            (Counter::singles(view.status), 1),
        ];
        // Nearly all tubes are made for several people, and each is counted many times a day: the last is not theirs.
        let theirs = if view.pool == 1 { &figures[..] } else { &figures[..3] };
        self.note(CellKey::of_tube(view), sign, theirs, view.discrepancies);
    }

    /// Adds or takes away what a box contributes.
    pub fn container(&mut self, count: &BoxCount, sign: i64) {
        let cell = CellKey::of_lab(count.lab.clone());
        let stage = match count.stage {
            BoxStage::Packed => Counter::BOXES_PACKED,
            BoxStage::InTransit => Counter::BOXES_IN_TRANSIT,
            BoxStage::Received => Counter::BOXES_RECEIVED,
        };
        self.note(cell, sign, &[(Counter::BOXES, 1), (stage, 1)], count.odd);
    }

    /// Adds or takes away what a plate contributes.
    pub fn plate(&mut self, count: &PlateCount, sign: i64) {
        let runs = i64::try_from(count.runs).unwrap_or(i64::MAX);
        let cell = CellKey::of_lab(count.lab.clone());
        let figures = [(Counter::PLATES, 1), (Counter::RUNS, runs)];
        self.note(cell, sign, &figures, count.odd);
    }

    /// Adds or takes away what a person's recalls and recollections contribute.
    pub fn person(&mut self, record: &PersonRecord, sign: i64) {
        for need in record.needs() {
            let (opened, closed) = if need.reason.is_recall() {
                (Counter::RECALLS, Counter::RECALLS_CLOSED)
            } else {
                (Counter::RECOLLECTIONS, Counter::RECOLLECTIONS_CLOSED)
            };
            let closes = i64::from(need.closed_by.is_some());
            let figures = [(opened, 1), (closed, closes)];
            self.note(need.cell.clone(), sign, &figures, Discrepancies::NONE);
        }
    }
}
