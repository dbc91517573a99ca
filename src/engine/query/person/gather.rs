//! The answer about a person, from the events and tubes that know of it.

use super::{InRound, NeedAnswer, OnRoster, PersonAnswer, PersonResult, Sample, Traces};
use crate::domain::certificate::{self, Certificate};
use crate::domain::fact::FactId;
use crate::domain::gate::{self, Gate, Standing};
use crate::domain::person::{PersonRecord, follow_up};
use crate::domain::reference::Reference;
use crate::domain::tube::{TubeRecord, TubeView};
use crate::domain::words::{Call, Code, PersonKey, Status, Time};
use std::collections::{BTreeMap, HashMap};

/// The answer from what the log knows.
pub fn answer(traces: &[Traces], reference: &Reference, as_of: Time) -> PersonAnswer {
    let mut found = Gathered::default();
    for trace in traces {
        found.take_rosters(trace);
        found.take_tubes(trace);
    }
    let mut rounds: Vec<InRound> = found
        .rounds
        .into_iter()
        .map(|(round, known)| {
            let (gate, since) = gate::of_person(&known.standings);
            InRound { round, on_roster: known.roster.map(|(_, roster)| roster), gate, since }
        })
        .collect();
    // A round that nobody opened cannot be newer than one that somebody did.
    let opened = |one: &InRound| reference.rounds.get(&one.round).map(|round| round.opened_at);
    rounds.sort_by(|a, b| (opened(b), &b.round).cmp(&(opened(a), &a.round)));
    found.samples.sort_by(|a, b| (b.sampled_at, &b.tube).cmp(&(a.sampled_at, &a.tube)));
    found.needs.sort_by(|a, b| (b.sampled_at, &b.tube).cmp(&(a.sampled_at, &a.tube)));
    let newest = rounds.first();
    // Of two results of the same moment the worse one counts.
    let result = found
        .results
        .into_iter()
        .max_by(|a, b| (a.sampled_at, b.call, &a.tube).cmp(&(b.sampled_at, a.call, &b.tube)));
    let recalled = found.needs.iter().any(|n| n.reason.is_recall() && n.closed_by.is_none());
    let certificate = result.as_ref().filter(|r| r.call == Call::Negative && !recalled);
    let certificate = certificate
        .and_then(|r| Some(Certificate::new(r.tube.clone(), r.sampled_at, r.released_at?, as_of)));
    PersonAnswer {
        registered: !rounds.is_empty(),
        on_roster: newest.and_then(|round| round.on_roster.clone()),
        gate: newest.map_or(Gate::NotSampled, |round| round.gate),
        gate_since: newest.and_then(|round| round.since),
        rounds,
        samples: found.samples,
        taken_out_of: found.taken_out_of,
        result,
        certificate,
        needs: found.needs,
    }
}

/// What is known of a person in one round.
#[derive(Default)]
struct Known {
    /// The roster that counts, with what it is ordered by.
    roster: Option<((Time, FactId), OnRoster)>,
    standings: Vec<Standing>,
}

#[derive(Default)]
struct Gathered {
    rounds: BTreeMap<Code, Known>,
    samples: Vec<Sample>,
    taken_out_of: Vec<Code>,
    results: Vec<PersonResult>,
    needs: Vec<NeedAnswer>,
}

impl Gathered {
    fn take_rosters(&mut self, trace: &Traces) {
        for part in &trace.rosters {
            let known = self.rounds.entry(part.round.clone()).or_default();
            if known.roster.as_ref().is_none_or(|(other, _)| *other < part.order) {
                let roster =
                    OnRoster { roster: part.roster.clone(), district: part.district.clone() };
                known.roster = Some((part.order.clone(), roster));
            }
        }
    }

    fn take_tubes(&mut self, trace: &Traces) {
        let mut tubes: Vec<(&Code, &TubeRecord, TubeView)> = Vec::with_capacity(trace.tubes.len());
        for (code, record) in &trace.tubes {
            let view = record.view();
            if view.members.binary_search(&trace.key).is_ok() {
                tubes.push((code, record, view));
            } else {
                self.taken_out_of.push(code.clone());
            }
        }
        // The same fold as the stored follow-ups, from the same tubes: so this answer and the
        // counters of recalls cannot say different things.
        let mut follow_ups = PersonRecord::default();
        tubes.iter().for_each(|(code, _, view)| follow_ups.set(code, follow_up(view)));
        let of: HashMap<&Code, usize> =
            tubes.iter().enumerate().map(|(at, (code, ..))| (*code, at)).collect();
        let mut open = vec![false; tubes.len()];
        for need in follow_ups.needs() {
            let Some(&at) = of.get(need.tube) else { continue };
            let (_, record, view) = &tubes[at];
            open[at] = need.closed_by.is_none();
            self.needs.push(NeedAnswer {
                tube: need.tube.clone(),
                round: need.cell.round.clone(),
                reason: need.reason,
                sampled_at: need.sampled_at,
                opened_at: gate::need_since(record, view),
                closed_by: need.closed_by.map(|(tube, _)| tube.clone()),
            });
        }
        for ((code, record, view), need_open) in tubes.into_iter().zip(open) {
            self.take_tube(trace.key, code, record, view, need_open);
        }
    }

    fn take_tube(
        &mut self,
        key: PersonKey,
        code: &Code,
        record: &TubeRecord,
        view: TubeView,
        need_open: bool,
    ) {
        let sampled_at = certificate::swabbed_at(record, key).or(view.sampled_at);
        let standing = gate::of_tube(record, &view, need_open);
        self.rounds.entry(view.round.clone()).or_default().standings.push(standing);
        if let Some(call) = certificate::given(&view) {
            self.results.push(PersonResult {
                call,
                tube: code.clone(),
                sampled_at: sampled_at.unwrap_or_default(),
                released_at: view.released_at,
            });
        }
        self.samples.push(Sample {
            tube: code.clone(),
            sampled_at,
            status: view.status,
            pool: view.pool,
            single: view.is_single(),
            call: told(&view),
            gate: standing.gate,
            since: standing.since,
            round: view.round,
            place: view.place,
            lab: view.lab,
        });
    }
}

/// The call that may be told of a tube to its member: the result it gives, or the unclear call of
/// the person's own tube.
fn told(view: &TubeView) -> Option<Call> {
    let own = view.is_single() && matches!(view.status, Status::Resulted | Status::Released);
    certificate::given(view).or(view.call.filter(|call| own && *call != Call::Negative))
}
