//! A small city to test with; golden figures, one line per fact; properties of `solve`, `fill` and `diff`; closed forms
//! of queues.

mod apart;
mod crews;
mod diff;
mod far;
mod fleet;
mod golden;
mod late;
mod layers;
mod model;
mod more_units;
mod properties;
pub(super) mod queueing;
mod reach;
mod staffed_day;
mod streets_and_shifts;
mod teams;
mod unworkable;
mod what_if;
mod xian;
mod xian_told;

use super::*;

fn n(value: u64) -> Sourced<u64> {
    Sourced::new(value, "test", Status::Assumed)
}

/// Chifeng 2022-63 with the default times, as the built-in pack has them.
fn norm() -> Norm {
    use Clock::{Instrument, Staffed};
    let stage = |kind, clock, run_s, load_s, crew| StageNorm {
        kind,
        clock,
        run_s: n(run_s),
        load_s: n(load_s),
        crew: n(crew),
        spread_permille: n(if clock == Staffed { 760 } else { 100 }),
        breakdowns_permille_day: n(if clock == Staffed { 0 } else { 20 }),
        repair_s: n(7200),
        hold_s: n(1800),
    };
    Norm {
        name: "test".to_owned(),
        title_zh: "测试".to_owned(),
        title_en: "test".to_owned(),
        target_h: n(24),
        persons_per_site_min: n(2000),
        persons_per_site_max: n(3000),
        persons_per_desk_min: n(600),
        persons_per_desk_max: n(800),
        persons_per_sampler: n(360),
        persons_per_sampler_day: n(1600),
        registrars_per_desk: n(1),
        pool: n(10),
        rounds: n(10),
        rounds_physical: n(6),
        instrument_hours: n(18),
        staff_hours: n(24),
        shifts: n(3),
        sampling_hours: n(16),
        desk_rate_tenths: n(1187),
        wells: n(96),
        wells_usable: n(94),
        box_s: n(3600),
        transport_s: n(7200),
        stages: [
            stage(StageKind::Receive, Staffed, 564, 0, 1),
            stage(StageKind::Inactivate, Instrument, 1800, 300, 0),
            stage(StageKind::Decap, Staffed, 2700, 0, 2),
            stage(StageKind::Extract, Instrument, 1200, 480, 0),
            stage(StageKind::Setup, Staffed, 660, 0, 1),
            stage(StageKind::Pcr, Instrument, 6480, 0, 0),
            stage(StageKind::Review, Staffed, 300, 0, 1),
        ],
        kit_reactions: n(96),
        large_city: None,
        field: FieldNorm {
            ramp_s: n(3600),
            ramp_percent: n(72),
            desk_spread_permille: n(120),
            site_spread_permille: n(200),
            box_tubes: n(94),
            straggler_permille: n(100),
            straggler_tail_s: n(14_400),
            coverage_permille: n(1000),
        },
        transport: TransportNorm {
            vehicle_tubes: n(2000),
            handling_s: n(600),
            travel_s: n(1800),
            travel_spread_permille: n(350),
            hold_s: n(1800),
            speed_kmh_tenths: n(400),
            persons_per_vehicle: n(10_000),
        },
        recall: RecallNorm {
            delay_s: n(5400),
            delay_spread_permille: n(500),
            travel_s: n(1800),
            hold_s: n(900),
        },
        prevalence: PrevalenceNorm {
            alpha_milli: n(1000),
            beta_milli: n(9_999_000),
            rho_permille: n(100),
            cluster_tubes_tenths: n(15),
        },
        derate: DerateNorm { mean_permille: n(850), spread_permille: n(60) },
        zones: Vec::new(),
    }
}

fn origin() -> Origin {
    Origin::new("test", Status::Assumed)
}

fn lab(code: &str, serves: &[&str], units: u64) -> Lab {
    let norm = norm();
    Lab {
        code: code.to_owned(),
        name: Words::new(code, code),
        serves: serves.iter().map(|s| (*s).to_owned()).collect(),
        stages: StageKind::ALL.map(|kind| {
            let mut stage = LabStage::of_norm(kind, &norm);
            stage.units = units;
            stage.staff = units * stage.crew * 3;
            stage
        }),
        place: None,
        outside: false,
        shifts: Vec::new(),
        instrument_day: None,
        derate: None,
        origin: origin(),
    }
}

fn district(code: &str, people: u64, means: u64) -> District {
    let ledger = Ledger { physical: means * 100, agreement: means * 50, deposit_paid: false };
    District {
        code: code.to_owned(),
        name: Words::new(code, code),
        population: n(people),
        pool: None,
        pool_origin: None,
        zone: None,
        place: None,
        have: Have {
            sites: means / 4,
            desks: means,
            samplers: means * 2,
            registrars: means,
            origin: origin(),
        },
        stock: Stock {
            tubes: ledger,
            extraction: ledger,
            pcr: ledger,
            held: Vec::new(),
            origin: origin(),
        },
        fleet: None,
        sampling: None,
        streets: Vec::new(),
    }
}

/// A street; `have` of each thing, where given.
fn street(code: &str, people: u64, have: Option<u64>) -> Street {
    Street {
        code: code.to_owned(),
        name: Words::new(code, code),
        population: n(people),
        have: have.map(|means| Have {
            sites: means,
            desks: means,
            samplers: means,
            registrars: means,
            origin: origin(),
        }),
        pool: None,
        pool_origin: None,
        zone: None,
        place: None,
    }
}

fn city(districts: Vec<District>, labs: Vec<Lab>) -> City {
    City {
        code: "0".to_owned(),
        name: Words::new("测试市", "Test"),
        population: n(districts.iter().map(|d| d.population.value).sum()),
        target_h: 24,
        deadline: None,
        plan: PlanHead::default(),
        start_s: 21_600,
        one_to_one: false,
        max_travel_s: None,
        max_travel_origin: None,
        target_from: Default::default(),
        target_origin: None,
        norm: norm(),
        districts,
        labs,
        claims: Vec::new(),
        written: None,
    }
}
