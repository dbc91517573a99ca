//! What holds for every city.

use proptest::prelude::*;

use super::*;

/// Round the clock; two shifts with a part of the units at night; the same with a window for the instruments.
fn calendar_of(which: u64, percent: u64) -> (Vec<Shift>, Option<InstrumentDay>) {
    let hour = 3600;
    let shift =
        |from: u64, to: u64, percent| Shift { from_s: from * hour, to_s: to * hour, percent };
    let window = InstrumentDay::Window { from_s: 4 * hour, to_s: 22 * hour };
    match which {
        0 => (Vec::new(), None),
        1 => (vec![shift(8, 20, 100), shift(20, 8, percent)], None),
        _ => (vec![shift(6, 14, percent), shift(14, 23, 100)], Some(window)),
    }
}

/// Cities with streets and labs, some of them without means, some of them another city's.
pub(super) fn cities() -> impl Strategy<Value = City> {
    let streets_of = prop::collection::vec((1u64..80_000, prop::option::of(1u64..=20)), 0..4);
    let district_of = (1u64..400_000, 0u64..800, 1u64..=20, any::<bool>(), streets_of);
    let staff = prop::collection::vec(0u64..60, StageKind::COUNT);
    let lab_of = (0u64..40, 0u64..64, staff, 0u64..3, 1u64..=100, any::<bool>());
    (prop::collection::vec(district_of, 1..5), prop::collection::vec(lab_of, 0..4)).prop_map(
        |(districts, labs)| {
            let districts: Vec<District> = districts
                .into_iter()
                .enumerate()
                .map(|(i, (people, means, pool, paid, streets))| {
                    let sum = streets.iter().map(|s| s.0).sum();
                    let people = if streets.is_empty() { people } else { sum };
                    let mut d = district(&i.to_string(), people, means);
                    d.pool = Some(pool);
                    d.stock.pcr.deposit_paid = paid;
                    d.streets = streets
                        .into_iter()
                        .enumerate()
                        .map(|(k, (people, pool))| Street {
                            pool,
                            ..street(&format!("{i}-{k}"), people, None)
                        })
                        .collect();
                    d
                })
                .collect();
            let labs = labs
                .into_iter()
                .enumerate()
                .map(|(i, (units, mask, staff, calendar, percent, outside))| {
                    let mut l = lab(&format!("L{i}"), &[], units);
                    (l.shifts, l.instrument_day) = calendar_of(calendar, percent);
                    l.derate = (percent > 50).then(|| n(percent * 10));
                    l.outside = outside;
                    l.serves = districts
                        .iter()
                        .enumerate()
                        .filter(|(d, _)| mask >> d & 1 == 1)
                        .map(|(_, d)| d.code.clone())
                        .collect();
                    for (stage, staff) in l.stages.iter_mut().zip(staff) {
                        stage.staff = staff;
                    }
                    l
                })
                .collect();
            city(districts, labs)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn filling_the_shortages_makes_the_answer_yes(c in cities(), target_h in 12u32..130) {
        let plan = solve(&c, target_h);
        let filled = fill(&c, &plan);
        let after = solve(&filled, target_h);
        prop_assert!(after.verdict.yes, "{:?}", after.verdict);
        prop_assert!(after.shortages.is_empty(), "{:?}", after.shortages);
        prop_assert!(after.verdict.norms_met);
        prop_assert_eq!(fill(&filled, &after), filled);
    }

    #[test]
    fn more_means_never_take_longer(c in cities(), more in 0usize..9, by in 1u64..20) {
        let before = solve(&c, 24);
        let mut better = c.clone();
        for d in &mut better.districts {
            match more {
                7 => d.have.desks += by,
                8 => d.have.samplers += by,
                _ => {}
            }
        }
        for stage in better.labs.iter_mut().flat_map(|l| l.stages.get_mut(more)) {
            stage.units += by;
            stage.staff += by;
        }
        let after = solve(&better, 24);
        let time = |p: &Plan| p.verdict.minutes.unwrap_or(u64::MAX);
        prop_assert!(time(&after) <= time(&before));
        prop_assert!(after.verdict.yes || !before.verdict.yes);
    }

    #[test]
    fn totals_are_the_sums_of_their_parts(c in cities()) {
        let plan = solve(&c, 24);
        let t = &plan.total;
        let sum = |f: fn(&DistrictPlan) -> u64| plan.districts.iter().map(f).sum::<u64>();
        prop_assert_eq!(t.population, c.population.value);
        prop_assert_eq!(t.sites.low, sum(|d| d.sites.low));
        prop_assert_eq!(t.desks.high, sum(|d| d.desks.high));
        prop_assert_eq!(t.samplers, sum(|d| d.samplers));
        prop_assert_eq!(t.tubes, sum(|d| d.tubes));
        // Every tube has a lab or is counted as having none, and labs carry what districts send.
        for d in &plan.districts {
            prop_assert_eq!(d.tubes, d.tubes_unmet + d.labs.iter().map(|(_, n)| n).sum::<u64>());
        }
        let sent: u64 = plan.districts.iter().flat_map(|d| &d.labs).map(|(_, n)| n).sum();
        prop_assert_eq!(plan.labs.iter().map(|l| l.load).sum::<u64>(), sent);
        for item in &plan.item_totals {
            let short: u64 = plan.shortages.iter()
                .filter(|s| s.item == item.item && (s.basis == item.basis
                    || item.basis == Basis::Norm && s.basis == Basis::Target))
                .map(|s| s.short).sum();
            prop_assert_eq!(item.short, short);
        }
        for s in &plan.shortages {
            prop_assert_eq!(s.short, s.need - s.have);
            prop_assert!(s.support <= s.short);
        }
    }

    #[test]
    fn the_estimate_agrees_with_the_verdict(c in cities(), target_h in 1u32..200) {
        let verdict = solve(&c, target_h).verdict;
        let in_time = verdict.minutes.is_some_and(|m| m <= u64::from(target_h) * 60);
        prop_assert_eq!(verdict.yes, in_time);
    }

    #[test]
    fn scaled_districts_add_up(c in cities(), people in 1u64..3_000_000) {
        let small = c.scaled(people);
        let sum: u64 = small.districts.iter().map(|d| d.population.value).sum();
        prop_assert_eq!(sum, people);
    }
}
