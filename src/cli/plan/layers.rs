//! The three layers side by side: the guide's arithmetic, the round as flows, the round simulated with its chance.

use super::progress::Progress;
use super::remedy::{self, Remedy};
use super::search::{Search, TUBES_MAX, filling};
use super::words::never;
use crate::planner::apart::{self, Apart, Steps};
use crate::planner::assign::LabLoad;
use crate::planner::fluid::{self, CityFlow};
use crate::planner::model::{HORIZON_DAYS, MINUTE, Model, Ms};
use crate::planner::round::{Error, Round};
use crate::planner::study::{self, Study};
use crate::planner::{self, City, FieldItem, FieldMore, OneMore, Plan, StageKind, Words};

/// How often the round is simulated, and with which chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dice {
    /// Replications; 0 leaves the simulation out.
    pub replications: usize,
    /// Seed: the same one gives the same figures.
    pub seed: u64,
}

impl Dice {
    /// The same with at most so many replications.
    pub fn at_most(self, most: usize) -> Dice {
        Dice { replications: self.replications.min(most), ..self }
    }
}

/// What the layers after the rules say of a round.
pub(super) struct Layers {
    /// The round, with its assignment.
    pub round: Round,
    /// The flows.
    pub flow: CityFlow,
    /// One more unit at each stage of each lab, by the flows.
    pub one_more: Vec<[OneMore; StageKind::COUNT]>,
    /// Whether each street keeps to one lab.
    pub one_to_one: bool,
    /// The simulation; none with 0 replications.
    pub study: Option<Study>,
    /// By lab: one more of what the street has whose tubes it waits for longest, by the flows; none without tubes.
    pub field_more: Vec<Option<[FieldMore; FieldItem::ALL.len()]>>,
    /// Why the simulation is later than the flows; none where it was not asked or would take too long.
    pub apart: Option<Apart>,
    /// What would bring it within the target; none where it is.
    pub remedy: Option<Remedy>,
}

impl Layers {
    /// The layers of a city at its own target.
    ///
    /// # Errors
    /// Why the city gives no round.
    pub fn of(city: &City, dice: Dice, progress: &Progress) -> Result<Layers, Error> {
        let mut layers = Layers::without_remedy(city, dice, progress)?;
        layers.apart = layers.why_apart(dice, progress);
        if !layers.in_time() {
            progress.step("查找使其按时的措施", "looking for measures to be in time");
            let search = Search::new(TUBES_MAX, progress);
            layers.remedy = Some(remedy::find(city, &layers, dice, &search));
        }
        Ok(layers)
    }

    /// The same without looking for remedies.
    pub fn without_remedy(city: &City, dice: Dice, progress: &Progress) -> Result<Layers, Error> {
        Ok(Layers::of_round(city, round(city, progress)?, dice, progress))
    }

    /// The same of a city with its shortages filled, beside the layers of the city, with the same dice: a round that is no other
    /// is not simulated again, and a very large one with fewer replications (`filling`).
    pub fn filled(
        city: &City,
        other: Option<&Layers>,
        dice: Dice,
        progress: &Progress,
    ) -> Result<Layers, Error> {
        let round = round(city, progress)?;
        let same =
            |other: &&Layers| other.round.model == round.model && other.round.doubt == round.doubt;
        let study = match other.filter(same) {
            Some(other) => other.study.clone(),
            None => {
                let (what, dice) = (Words::new(FILLED.0, FILLED.1), filling(&round.model, dice));
                simulated_as(&what, &round, &round.model, dice, progress)
            }
        };
        Ok(Layers::with_study(city, round, study, progress))
    }

    /// The same of a round of the city.
    pub fn of_round(city: &City, round: Round, dice: Dice, progress: &Progress) -> Layers {
        let study = simulated(&round, &round.model, dice, progress);
        Layers::with_study(city, round, study, progress)
    }

    fn with_study(city: &City, round: Round, study: Option<Study>, progress: &Progress) -> Layers {
        progress.step("推算流体和再增 1 台的效果", "reckoning the flows, and what one more saves");
        let flow = fluid::city(&round.model);
        let one_more = planner::one_more(city, &round, &flow);
        let field_more = planner::field_more(city, &round, &flow);
        let one_to_one = city.one_to_one;
        let (apart, remedy) = (None, None);
        Layers { round, flow, one_more, field_more, one_to_one, study, apart, remedy }
    }

    /// Whether the flows or a simulated round are not done within what is reckoned: there is no difference of what has no end.
    fn endless(&self) -> bool {
        let study = self.study.iter().flat_map(|study| &study.finishes);
        never(self.flow.finish) || study.copied().any(never)
    }

    /// That the simulation and the flows are not held against each other, where one of them has no end.
    pub fn not_apart(&self) -> Option<Words> {
        let told = self.study.is_some() && self.endless();
        told.then(|| {
            Words::new(
                format!("模拟与流体：不作比较，其中有 {HORIZON_DAYS} 天内不能完成的"),
                format!("simulation and flows: not compared, for not all of them are done within {HORIZON_DAYS} days"),
            )
        })
    }

    fn why_apart(&self, dice: Dice, progress: &Progress) -> Option<Apart> {
        if self.endless() {
            return None;
        }
        let told = || {
            progress
                .tell(&|| Words::new("查找各层结果相差的原因", "finding why the layers lie apart"));
            true
        };
        let study = (self.study.as_ref()?, dice.seed);
        let Round { model, doubt, .. } = &self.round;
        apart::simulation_and_flows(model, doubt, study, self.flow.finish, &told)
    }

    /// The steps from the arithmetic to the flows; none where that never ends.
    pub fn steps(&self, city: &City, plan: &Plan) -> Option<Steps> {
        let minutes = plan.verdict.minutes?.saturating_mul(u64::from(MINUTE));
        let rules = Ms::try_from(minutes).ok()?;
        apart::steps(city, &self.round, rules, self.flow.finish)
    }

    /// What each lab has to do in the assignment that the round follows.
    pub fn loads(&self) -> &[LabLoad] {
        let assignment = &self.round.assignment;
        if self.one_to_one { &assignment.whole.labs } else { &assignment.shares.labs }
    }

    /// The one more unit that saves most at a lab; none where it has no tubes.
    pub fn best_more(&self, lab: usize) -> Option<OneMore> {
        let flow = self.flow.labs.get(lab).filter(|flow| flow.tubes > 0)?;
        Some(planner::best(self.one_more.get(lab)?, flow.binding))
    }

    /// Since when a stage of a lab has more waiting than it can take.
    pub fn binds_from(&self, lab: usize, stage: StageKind) -> Option<Ms> {
        self.flow.labs.get(lab).and_then(|lab| lab.stages[stage.index()].backlog_from)
    }

    /// What keeps the lab that is last from being done sooner, and since when.
    pub fn binds(&self, city: &City) -> Words {
        fluid::binds(city, &self.flow, self.round.model.target)
    }

    /// Why an end of the simulation stands at a closing hour, where it does.
    pub fn late_comers(&self) -> Option<Words> {
        let study = self.study.as_ref()?;
        planner::late_words(&self.round.model, self.flow.sampled, study)
    }

    /// What the flows say, where they say otherwise than the simulation.
    pub fn flows_differ(&self) -> Option<Words> {
        let simulated = self.study.as_ref()?.finish.p50;
        planner::flows_differ(self.flow.finish, simulated, self.round.model.target)
    }

    /// When the round is done: the median of the simulation, else the flows' time.
    pub fn finish(&self) -> Ms {
        self.study.as_ref().map_or(self.flow.finish, |study| study.finish.p50)
    }

    /// Whether that is within the target.
    pub fn in_time(&self) -> bool {
        self.finish() <= self.round.model.target
    }
}

/// The round of a city, of which the assignment of streets to labs may take long.
fn round(city: &City, progress: &Progress) -> Result<Round, Error> {
    progress.step("分派街道到实验室", "assigning streets to labs");
    Round::of(city)
}

/// What is being simulated where it is the city with its shortages filled.
const FILLED: (&str, &str) =
    ("模拟缺口补齐后的城市", "simulating the city with its shortages filled");

/// The study of a model of this round; none with 0 replications.
pub(super) fn simulated(
    round: &Round,
    model: &Model,
    dice: Dice,
    progress: &Progress,
) -> Option<Study> {
    simulated_as(&Words::new("模拟", "simulating"), round, model, dice, progress)
}

/// The same, where it is said what is being simulated.
fn simulated_as(
    what: &Words,
    round: &Round,
    model: &Model,
    dice: Dice,
    progress: &Progress,
) -> Option<Study> {
    let Dice { replications, seed } = dice;
    let told = |done: usize| {
        progress.tell(&|| {
            Words::new(
                format!("{}：{done}/{replications} 次", what.zh),
                format!("{}: {done} of {replications} replications", what.en),
            )
        });
        true
    };
    let run = || study::study(model, Some(&round.doubt), seed, replications, &told);
    (replications > 0).then(|| {
        progress.step(&what.zh, &what.en);
        run()
    })
}

/// Whether everybody is resulted in time: by the rules, and by the simulation's median or, without it, by the flows.
pub(super) fn yes(plan: &Plan, layers: &Result<Layers, Words>) -> bool {
    plan.verdict.yes && layers.as_ref().is_ok_and(Layers::in_time)
}
