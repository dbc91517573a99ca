//! What each laboratory declared, and what it has in hand: so that nobody is sent work that
//! cannot be done, and a laboratory that took too much is seen the same hour.

use crate::domain::counters::{CellKey, Counter, Figures};
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Map, Status};
use crate::engine::FiguresAt;
use std::collections::BTreeMap;

/// All laboratories, at one sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// The sequence of the figures.
    pub seq: u64,
    /// By laboratory: those that were imported and those that only facts name.
    pub labs: BTreeMap<Code, LabLoad>,
    /// Tubes that no laboratory has had yet. Those that are not ended will be somebody's work.
    pub coming: Tubes,
}

/// One laboratory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabLoad {
    /// Its name, or empty.
    pub name: Code,
    /// Tubes per day by its own word; 0 = it declared nothing.
    pub declared_per_day: u64,
    /// The tubes that it had last, by status.
    pub tubes: Tubes,
}

/// Tubes by status: every tube has one, so the parts are the total.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tubes(BTreeMap<Status, u64>);

/// Whether a laboratory can take more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It declared nothing: nobody can say.
    Unknown,
    /// So many more tubes until its work in hand is a day's work.
    Tubes(u64),
    /// It has so many tubes more in hand than it does in a day.
    Over(u64),
}

impl Tubes {
    /// Tubes of a status.
    pub fn get(&self, status: Status) -> u64 {
        self.0.get(&status).copied().unwrap_or(0)
    }

    /// All tubes.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Work that has been taken and is not done: received, registered or not, and on plates. A
    /// result that waits for its release takes no machine any more.
    pub fn in_hand(&self) -> u64 {
        [Status::Awaiting, Status::Received, Status::Plated].map(|s| self.get(s)).iter().sum()
    }

    fn add(&mut self, figures: &Figures) {
        for status in Status::ALL {
            // A count below nought would be a mistake of the fold, and `verify` names those.
            let count = u64::try_from(figures.get(Counter::tubes(*status))).unwrap_or(0);
            if count > 0 {
                *self.0.entry(*status).or_default() += count;
            }
        }
    }
}

impl LabLoad {
    /// What is left of a day's work: the declared tubes of a day, less the work in hand. What it
    /// finished today is not taken off, because a tube that is done makes room for another.
    pub fn room(&self) -> Room {
        let (declared, in_hand) = (self.declared_per_day, self.tubes.in_hand());
        match declared {
            0 => Room::Unknown,
            _ if in_hand > declared => Room::Over(in_hand - declared),
            _ => Room::Tubes(declared - in_hand),
        }
    }

    /// True when it can take so many tubes more within a day; `None` when nobody can say.
    pub fn can_take(&self, tubes: u64) -> Option<bool> {
        match self.room() {
            Room::Unknown => None,
            Room::Tubes(room) => Some(tubes <= room),
            Room::Over(_) => Some(tubes == 0),
        }
    }
}

impl Capacity {
    /// All tubes, at laboratories and before them.
    pub fn total(&self) -> u64 {
        self.coming.total() + self.labs.values().map(|lab| lab.tubes.total()).sum::<u64>()
    }
}

/// What every laboratory declared and has. With a round: the tubes of that round, and those whose
/// round is not known yet; a laboratory that works for several rounds has more in hand than that,
/// so the question "can it take more" is asked without one.
pub fn capacity(figures: &FiguresAt, reference: &Reference, round: Option<&Code>) -> Capacity {
    gather(figures.seq, &figures.cells, reference, round)
}

fn gather(
    seq: u64,
    cells: &Map<CellKey, Figures>,
    reference: &Reference,
    round: Option<&Code>,
) -> Capacity {
    let mut found = Capacity { seq, ..Capacity::default() };
    for (code, (name, declared)) in &reference.labs {
        let (name, declared_per_day) = (name.clone(), u64::from(*declared));
        let load = LabLoad { name, declared_per_day, tubes: Tubes::default() };
        found.labs.insert(code.clone(), load);
    }
    let wanted =
        |cell: &CellKey| cell.round.is_empty() || round.is_none_or(|round| *round == cell.round);
    for (cell, figures) in cells.iter().filter(|(cell, _)| wanted(cell)) {
        if cell.lab.is_empty() {
            found.coming.add(figures);
        } else if figures.tubes_total() > 0 || found.labs.contains_key(&cell.lab) {
            found.labs.entry(cell.lab.clone()).or_default().tubes.add(figures);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::counters::Deltas;
    use crate::engine::query::story::Story;

    fn after(lines: &str, declared: &[(&str, u32)], round: Option<&str>) -> Capacity {
        let mut deltas = Deltas::default();
        for (_, record) in Story::told(lines).tubes() {
            deltas.tube(&record.view(), 1);
        }
        let labs = declared.iter().map(|(lab, day)| (Code::from(*lab), (Code::default(), *day)));
        let reference = Reference { labs: labs.collect(), ..Reference::default() };
        gather(1, &deltas.0, &reference, round.map(Code::from).as_ref())
    }

    const STORY: &str = "1 collect T1 10 a\n2 collect T2 10 b\n3 collect T3 10 c\n4 receive T1 L\n\
                         5 plate P L T2\n6 run P R -\n7 receive T9 L\n8 open B\n\
                         9 collect T4 10 d\n10 receive T4 M\n11 collect T5 10 e\n12 lose T5";

    #[test]
    fn laboratories_and_what_is_coming_are_all_tubes() {
        let found = after(STORY, &[("L", 10), ("N", 5)], None);
        assert_eq!(found.total(), 6);
        assert_eq!(found.labs.keys().map(Code::as_str).collect::<Vec<_>>(), ["L", "M", "N"]);
        let lab = &found.labs["L"].tubes;
        let statuses = [Status::Received, Status::Resulted, Status::Awaiting];
        assert_eq!(statuses.map(|status| lab.get(status)), [1, 1, 1]);
        assert_eq!((lab.in_hand(), lab.total()), (2, 3));
        assert_eq!((found.coming.get(Status::Sealed), found.coming.get(Status::Lost)), (1, 1));
    }

    #[test]
    fn one_round_leaves_the_tubes_of_others_out() {
        let found = after(STORY, &[("L", 10)], Some("B"));
        // The awaiting tube belongs to no round yet and is never left out.
        assert_eq!(found.labs["L"].tubes.total(), 1);
        assert_eq!((found.labs["M"].tubes.total(), found.total()), (1, 3));
    }

    #[test]
    fn room_is_a_days_work_less_the_work_in_hand() {
        let cases = [
            (0, Room::Unknown, None),
            (1, Room::Over(1), Some(false)),
            (2, Room::Tubes(0), Some(false)),
            (3, Room::Tubes(1), Some(true)),
        ];
        for (declared, room, one_more) in cases {
            let lab = after(STORY, &[("L", declared)], None).labs.remove("L").expect("declared");
            assert_eq!((lab.room(), lab.can_take(1)), (room, one_more), "declared {declared}");
        }
    }
}
