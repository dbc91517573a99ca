//! Golden figures of pooled testing, one line per fact; limits and properties; advice and review.

mod beliefs;

use super::*;
use crate::planner::city::Words;

/// Rounded to `decimals`, as printed in the source.
#[track_caller]
fn printed(value: f64, decimals: usize, expected: &str, what: &str) {
    assert_eq!(format!("{value:.decimals$}"), expected, "{what}: {value}");
}

#[track_caller]
fn near(value: f64, expected: f64, relative: f64, what: &str) {
    assert!((value - expected).abs() <= relative * expected.abs(), "{what}: {value} ≠ {expected}");
}

fn model(se: f64, sp: f64, rho: f64) -> Model {
    Model::new(se, sp, rho).expect("a valid model")
}

fn beta(alpha: f64, beta: f64) -> Belief {
    Belief::new(Prior::Beta { alpha, beta }).expect("a valid prior")
}

fn fixed(p: f64) -> Belief {
    Belief::new(Prior::Fixed(p)).expect("a share")
}

fn zone(sizes: &[u32], belief: Belief, model: Model, recall_tubes: f64) -> Zone {
    Zone {
        name: Words::new("防范区", "prevention zone"),
        persons: 4_035_967,
        sizes: sizes.to_vec(),
        belief,
        model,
        price: Price { recall_tubes, single_tubes: 1.0 },
        level: 0.9,
    }
}

#[test]
fn two_stage_tests_are_those_of_bin_group() {
    // G1: pool, tests per pool, per person (p 0.01, Se and Sp 0.99)
    let assay = model(0.99, 0.99, 0.0);
    for (n, pool, person) in
        [(9, "1.8528", ".2059"), (10, "2.0371", ".2037"), (11, "2.2383", ".2035")]
    {
        let d = dorfman(0.01, n, &assay).unwrap();
        printed(d.tests_per_pool, 4, pool, "G1");
        printed(d.tests_per_person, 4, &format!("0{person}"), "G1");
    }
    assert_eq!(optimal_size(0.01, POOL_MAX, &assay).unwrap().0, 11, "G1");
    let ten = dorfman(0.01, 10, &assay).unwrap();
    let eleven = dorfman(0.01, 11, &assay).unwrap();
    for (what, value, decimals, expected) in [
        ("G2 PSe", ten.sensitivity, 4, "0.9801"),
        ("G2 PSp", ten.specificity, 4, "0.9991"),
        ("G2 PPPV", ten.ppv.unwrap(), 4, "0.9127"),
        ("G2 PNPV", ten.npv.unwrap(), 4, "0.9998"),
        ("G3 PSp", eleven.specificity, 4, "0.9990"),
        ("G3 PPPV", eleven.ppv.unwrap(), 4, "0.9052"),
        ("G4 saved", ten.saved() * 100.0, 2, "79.63"),
        ("G4 capacity", ten.capacity_gain() * 100.0, 2, "390.90"),
    ] {
        printed(value, decimals, expected, what);
    }
}

#[test]
fn not_knowing_the_prevalence_asks_for_pools_of_eight() {
    let best = minimax_size(50).unwrap();
    assert_eq!(best.pool, 8, "G5");
    printed(best.regret, 4, "0.1386", "G5");
    assert_eq!(minimax_size(POOL_MAX / 10).unwrap().pool, 8, "G5");
    // With at most seven swabs the worst prevalence is none at all: 1/7.
    assert_eq!(minimax_size(7).unwrap(), Minimax { pool: 7, regret: 1.0 / 7.0, at: 0.0 });
}

#[test]
fn thresholds_are_where_pooling_stops() {
    printed(INDIVIDUAL_FROM, 6, "0.381966", "G6");
    near(INDIVIDUAL_FROM, (3.0 - 5f64.sqrt()) / 2.0, 1e-15, "G6");
    printed(POOLING_BELOW, 6, "0.306639", "G7");
    near(POOLING_BELOW, 1.0 - 3f64.powf(-1.0 / 3.0), 1e-15, "G7");
    let best = |p| optimal_size(p, 1000, &Model::PERFECT).unwrap().0;
    assert_eq!((best(POOLING_BELOW - 1e-9), best(POOLING_BELOW + 1e-9)), (3, 1), "G7");
}

#[test]
fn published_savings_are_persons_over_tests() {
    // study, persons, tests, persons per test, saved per cent
    for (study, persons, tests, ratio, saved) in [
        ("G8 P-BEST design", 384.0, 48.0, "8.000", "87.5"),
        ("G8 P-BEST trial", 1115.0, 144.0, "7.743", "87.1"),
        ("G9 Christoff", 19_535.0, 4400.0, "4.440", "77.5"),
        ("G11 Chan", 39_770.0, 39_770.0 - 13_824.0, "1.533", "34.8"),
    ] {
        let d = Dorfman {
            tests_per_person: tests / persons,
            ..dorfman(0.0, 2, &Model::PERFECT).unwrap()
        };
        printed(d.capacity_gain() + 1.0, 3, ratio, study);
        printed(d.saved() * 100.0, 1, saved, study);
    }
}

#[test]
fn best_sizes_with_a_perfect_test() {
    // G14: prevalence, best size, tests per person
    for (p, n, tests) in [
        (0.001, 32, "0.0628"),
        (0.005, 15, "0.1391"),
        (0.01, 11, "0.1956"),
        (0.02, 8, "0.2742"),
        (0.05, 5, "0.4262"),
        (0.1, 4, "0.5939"),
        (0.15, 3, "0.7192"),
        (0.2, 3, "0.8213"),
    ] {
        let (best, least) = optimal_size(p, POOL_MAX, &Model::PERFECT).unwrap();
        assert_eq!(best, n, "G14 {p}");
        printed(least, 4, tests, "G14");
        near(dorfman(p, n, &Model::PERFECT).unwrap().tests_per_person, least, 1e-14, "G14");
        // Samuels 1978, on which the minimax search rests.
        let root = p.powf(-0.5) as u32;
        assert!(best == root + 1 || best == root + 2, "{p}: {best}");
    }
}

#[test]
fn arrays_and_clusters() {
    printed(array_a2(0.01, 25).unwrap(), 6, "0.135475", "G15");
    let clustered = dorfman(0.01, 10, &model(1.0, 1.0, 0.1)).unwrap();
    printed(clustered.tube_unclean, 5, "0.06780", "G16");
    printed(clustered.tests_per_person, 4, "0.1678", "G16");
    printed(tube_unclean(0.01, 10, &Model::PERFECT).unwrap(), 5, "0.09562", "G16");
    // ρ = ½, p = ½ is Beta(½, ½): C(2k, k)/4^k.
    near(all_negative(0.5, 10, 0.5).unwrap(), 184_756.0 / 1_048_576.0, 1e-14, "arcsine");
    // a = b = 1: every number of positives is as likely, 1/(k+1). Gamma functions would overflow here.
    near(all_negative(0.5, POOL_MAX, 1.0 / 3.0).unwrap(), 1.0 / 10_001.0, 1e-10, "uniform");
}

#[test]
fn without_correlation_the_beta_binomial_is_the_binomial() {
    for p in [0.0, 1e-12, 1e-4, 0.01, 0.3, 0.999, 1.0] {
        for n in [1, 2, 10, 20, 1000] {
            let binomial = all_negative(p, n, 0.0).unwrap();
            near(binomial, (1.0 - p).powi(n as i32), 1e-9, "powers");
            near(all_negative(p, n, 1e-300).unwrap(), binomial, 1e-9, "limit");
            near(all_negative(p, n, 1e-13).unwrap(), binomial, 1e-6, "nearly");
            // Full correlation: the tube is one person.
            let one = all_negative(p, n, 1.0 - 1e-15).unwrap();
            assert!((one - (1.0 - p)).abs() < 1e-9, "{p} {n}: {one}");
        }
    }
    // No cancellation where the prevalence is tiny.
    near(tube_unclean(1e-18, 20, &Model::PERFECT).unwrap(), 2e-17, 1e-12, "tiny");
    near(
        tube_unclean(1e-18, 20, &model(1.0, 1.0, 0.1)).unwrap(),
        (0..20).map(|i| 1e-18 * 0.9 / (0.9 + 0.1 * f64::from(i))).sum::<f64>(),
        1e-12,
        "tiny, clustered",
    );
}

#[test]
fn recalls_of_chifeng_depend_on_the_prevalence() {
    // G17, G18: prevalence, pool, tubes, single retests, extra load in per cent
    for (p, pool, tubes, singles, extra) in [
        (1e-4, 10, 403_597, "4034", "1.00"),
        (1e-4, 20, 201_799, "8064", "4.00"),
        (2e-3, 10, 403_597, "79997", "19.82"),
        (2e-3, 20, 201_799, "158408", "78.50"),
    ] {
        let load = retest_load(4_035_967, p, pool, &Model::PERFECT).unwrap();
        assert_eq!(load.tubes, tubes, "G17, G18");
        printed(load.singles(), 0, singles, "G17, G18");
        printed(load.extra_percent(), 2, extra, "G17, G18");
        near(load.unclean * f64::from(pool), load.recalled, 1e-5, "members");
    }
    // An unclean single tube names its person: nobody is called back, and Se counts once.
    let single = retest_load(1000, 0.1, 1, &model(0.9, 1.0, 0.0)).unwrap();
    assert_eq!((single.tubes, single.recalled, single.recalls), (1000, 0.0, 0.0));
    near(single.missed, 10.0, 1e-12, "single");
    near(retest_load(1000, 0.1, 10, &model(0.9, 1.0, 0.0)).unwrap().missed, 19.0, 1e-12, "pooled");
    // The last tube is not full: eleven persons at p = 1 are two tubes, of which one is a single swab.
    let eleven = retest_load(11, 1.0, 10, &Model::PERFECT).unwrap();
    assert_eq!((eleven.tubes, eleven.unclean, eleven.recalled), (2, 2.0, 10.0));
}

#[test]
fn questions_without_an_answer_are_refused() {
    let nan = f64::NAN;
    let refused = |what: &str, name: &str, result: Result<f64, Error>| match result {
        Err(Error::OutOfRange { name: named, .. }) => assert_eq!(named, name, "{what}"),
        other => panic!("{what}: {other:?}"),
    };
    for p in [-1e-9, 1.0 + 1e-9, nan, f64::INFINITY] {
        refused("all_negative", "prevalence", all_negative(p, 10, 0.0));
        refused("unclean", "prevalence", tube_unclean(p, 10, &Model::PERFECT));
        refused("dorfman", "prevalence", dorfman(p, 10, &Model::PERFECT).map(|_| 0.0));
        refused("optimal", "prevalence", optimal_size(p, 10, &Model::PERFECT).map(|_| 0.0));
        refused("array", "prevalence", array_a2(p, 10));
        refused("load", "prevalence", retest_load(1, p, 10, &Model::PERFECT).map(|_| 0.0));
        refused("belief", "prevalence", Belief::new(Prior::Fixed(p)).map(|_| 0.0));
        refused("Se", "sensitivity", Model::new(p, 1.0, 0.0).map(|_| 0.0));
        refused("Sp", "specificity", Model::new(1.0, p, 0.0).map(|_| 0.0));
        refused("quantile", "level", beta(1.0, 1.0).quantile(p));
    }
    for n in [0, POOL_MAX + 1] {
        refused("all_negative", "pool", all_negative(0.1, n, 0.0));
        refused("unclean", "pool", tube_unclean(0.1, n, &Model::PERFECT));
        refused("dorfman", "pool", dorfman(0.1, n, &Model::PERFECT).map(|_| 0.0));
        refused("optimal", "pool", optimal_size(0.1, n, &Model::PERFECT).map(|_| 0.0));
        refused("minimax", "pool", minimax_size(n).map(|_| 0.0));
        refused("load", "pool", retest_load(1, 0.1, n, &Model::PERFECT).map(|_| 0.0));
        refused(
            "zone",
            "pool",
            advise(&zone(&[10, n], fixed(0.1), Model::PERFECT, 0.0)).map(|_| 0.0),
        );
        let seen = Seen { tubes: 1, unclean: 0, pool: n };
        refused("update", "pool", fixed(0.1).update(seen, &Model::PERFECT).map(|_| 0.0));
    }
    refused("array", "array", array_a2(0.1, 1));
    for rho in [-1e-9, 1.0, nan] {
        refused("rho", "rho", all_negative(0.1, 10, rho));
        refused("rho", "rho", Model::new(1.0, 1.0, rho).map(|_| 0.0));
    }
    for bad in [0.0, 0.049, -1.0, nan, f64::INFINITY] {
        refused("alpha", "alpha", Belief::new(Prior::Beta { alpha: bad, beta: 1.0 }).map(|_| 0.0));
        refused("beta", "beta", Belief::new(Prior::Beta { alpha: 1.0, beta: bad }).map(|_| 0.0));
    }
    for cost in [-1.0, nan, f64::INFINITY] {
        let asked = zone(&[10], fixed(0.1), Model::PERFECT, cost);
        refused("cost", "recall price", advise(&asked).map(|_| 0.0));
        let price = Price { recall_tubes: 1.0, single_tubes: cost };
        refused("cost", "single price", advise(&Zone { price, ..asked }).map(|_| 0.0));
    }
    assert_eq!(Model::new(0.5, 0.5, 0.0), Err(Error::Uninformative { se: 0.5, sp: 0.5 }));
    assert_eq!(advise(&zone(&[], fixed(0.1), Model::PERFECT, 0.0)), Err(Error::NoSizes));
    let seen = Seen { tubes: 3, unclean: 4, pool: 10 };
    let refusal = Error::MoreUncleanThanSeen { tubes: 3, unclean: 4 };
    assert_eq!(fixed(0.1).update(seen, &Model::PERFECT), Err(refusal.clone()));
    assert_eq!(fixed(0.1).tails(seen, &Model::PERFECT), Err(refusal));
}

#[test]
fn nobody_positive_and_everybody_positive_are_answered() {
    let none = dorfman(0.0, 10, &Model::PERFECT).unwrap();
    assert_eq!((none.tests_per_pool, none.ppv, none.npv), (1.0, None, Some(1.0)));
    let all = dorfman(1.0, 10, &model(1.0, 1.0, 0.2)).unwrap();
    assert_eq!((all.tests_per_pool, all.ppv, all.npv), (11.0, Some(1.0), None));
    assert_eq!(optimal_size(0.0, 50, &Model::PERFECT).unwrap(), (50, 0.02));
    assert_eq!(optimal_size(1.0, 50, &Model::PERFECT).unwrap(), (1, 1.0));
    assert_eq!(retest_load(0, 0.1, 10, &Model::PERFECT).unwrap(), Load::default());
}

#[test]
fn every_refusal_is_told_in_both_languages() {
    let fixed = |p| Belief::new(Prior::Fixed(p)).map(|_| ());
    let beta = |alpha, beta| Belief::new(Prior::Beta { alpha, beta }).map(|_| ());
    let model = |se, sp, rho| Model::new(se, sp, rho).map(|_| ());
    for (refused, zh, en) in [
        (fixed(2.0), "阳性率为 2；应为 [0, 1]", "prevalence is 2; it must lie in [0, 1]"),
        (beta(0.01, 1.0), "阳性率的 alpha 为 0.01；应为 [0.05, 1e9]", "alpha is 0.01"),
        (beta(1.0, 0.01), "阳性率的 beta 为 0.01", "beta is 0.01"),
        (model(2.0, 1.0, 0.0), "灵敏度为 2", "sensitivity is 2"),
        (model(1.0, 2.0, 0.0), "特异度为 2", "specificity is 2"),
        (model(1.0, 1.0, 1.0), "管内相关 ρ 为 1；应为 [0, 1)", "rho is 1"),
        (model(0.5, 0.5, 0.0), "灵敏度 0.5 与特异度 0.5 之和不大于 1", "says nothing"),
        (array_a2(0.1, 1).map(|_| ()), "阵列边长为 1；应为 2 到 10000", "array is 1"),
        (minimax_size(0).map(|_| ()), "每管人数为 0；应为 1 到 10000 人", "pool is 0"),
    ] {
        let words = refused.expect_err(zh).words();
        assert!(words.zh.starts_with(zh) && words.en.contains(en), "{words:?}");
    }
}
