//! The belief about the prevalence against closed forms, and the advice that rests on it.

use super::*;

/// P(Beta(a, b) ≤ q) with a = 1 has the closed quantile 1−(1−level)^(1/b).
#[test]
fn the_grid_has_the_moments_and_quantiles_of_the_beta() {
    for (a, b) in [(0.05, 5.0), (0.5, 0.5), (1.0, 99.0), (2.0, 1998.0), (5e4, 1e9), (1.0, 1e7)] {
        let belief = beta(a, b);
        let mean = a / (a + b);
        near(belief.mean(), mean, 1e-9, "mean");
        let square = mean * (a + 1.0) / (a + b + 1.0);
        near(belief.expect(|p| p * p), square, 1e-9, "second moment");
        // E (1−p)^10 = Π (b+i)/(a+b+i): a Beta prior over tubes is a beta-binomial of members.
        let clean: f64 = (0..10).map(|i| (b + f64::from(i)) / (a + b + f64::from(i))).product();
        near(belief.expect(|p| all_negative(p, 10, 0.0).unwrap()), clean, 1e-9, "clean");
    }
    for b in [1.0, 99.0, 1e5] {
        for level in [0.01, 0.05, 0.5, 0.9, 0.99] {
            let exact = -(f64::ln_1p(-level) / b).exp_m1();
            near(beta(1.0, b).quantile(level).unwrap(), exact, 1e-3, "quantile");
        }
    }
    let spread = beta(1.0, 99.0);
    let levels = [0.0, 1e-6, 0.1, 0.5, 0.9, 1.0].map(|level| spread.quantile(level).unwrap());
    assert!(levels.is_sorted() && levels[0] < levels[5], "{levels:?}");
}

#[test]
fn single_tubes_update_a_beta_to_a_beta() {
    for (a, b, tubes, unclean) in [
        (1.0, 99.0, 500, 7),
        (0.5, 0.5, 10, 0),
        (0.5, 0.5, 10, 10),
        (2.0, 1998.0, 100_000_000, 200_000),
        (1.0, 1e6, 1_000_000, 300_000),
    ] {
        let seen = Seen { tubes, unclean, pool: 1 };
        let (hit, miss) = (unclean as f64, (tubes - unclean) as f64);
        let (a1, b1) = (a + hit, b + miss);
        let after = beta(a, b).update(seen, &Model::PERFECT).unwrap();
        let mean = a1 / (a1 + b1);
        near(after.mean(), mean, 1e-7, "posterior mean");
        let variance = after.expect(|p| (p - mean) * (p - mean));
        near(variance, mean * (1.0 - mean) / (a1 + b1 + 1.0), 1e-5, "posterior variance");
    }
}

#[test]
fn pool_size_correlation_and_assay_are_accounted_for() {
    // Many tubes: the posterior sits where P(unclean) is the share that was seen.
    for (p, pool, how) in [
        (1e-3, 10, Model::PERFECT),
        (1e-3, 20, model(1.0, 1.0, 0.1)),
        (5e-3, 10, model(0.95, 0.998, 0.05)),
        (0.02, 5, model(0.9, 1.0, 0.0)),
    ] {
        let unclean = (tube_unclean(p, pool, &how).unwrap() * 1e7).round() as u64;
        let seen = Seen { tubes: 10_000_000, unclean, pool };
        let after = beta(1.0, 999.0).update(seen, &how).unwrap();
        near(after.mean(), p, 0.005, "posterior");
        assert!(
            after.quantile(0.95).unwrap() < p * 1.05 && after.quantile(0.05).unwrap() > p * 0.95
        );
        // Whoever forgets the correlation puts it too low by much.
        if how.rho() > 0.05 {
            let naive = beta(1.0, 999.0).update(seen, &Model::PERFECT).unwrap();
            assert!(naive.mean() < 0.7 * p, "{}", naive.mean());
        }
    }
}

#[test]
fn evidence_counts_the_same_in_any_order_and_portion() {
    let how = model(0.95, 0.999, 0.1);
    let start = beta(1.0, 999.0);
    let ten = |tubes, unclean| Seen { tubes, unclean, pool: 10 };
    let twenty = Seen { tubes: 300, unclean: 11, pool: 20 };
    let one = start.update(ten(100, 2), &how).unwrap().update(twenty, &how).unwrap();
    let one = one.update(ten(200, 5), &how).unwrap();
    let other = start.update(twenty, &how).unwrap().update(ten(300, 7), &how).unwrap();
    near(one.mean(), other.mean(), 1e-12, "order");
    assert_eq!(start.update(ten(0, 0), &how).unwrap().mean(), start.mean());
    assert_eq!(fixed(0.01).update(twenty, &how).unwrap().mean(), 0.01);
}

#[test]
fn tails_are_those_of_the_binomial() {
    let tails = |p, tubes, unclean| {
        fixed(p).tails(Seen { tubes, unclean, pool: 1 }, &Model::PERFECT).unwrap()
    };
    // prevalence, tubes, unclean, P(X ≥ k), P(X ≤ k)
    for (p, n, k, upper, lower) in [
        (0.5, 4, 3, 5.0 / 16.0, 15.0 / 16.0),
        (0.5, 4, 0, 1.0, 1.0 / 16.0),
        (0.1, 3, 3, 0.001, 1.0),
        (0.0, 9, 0, 1.0, 1.0),
        (0.0, 9, 1, 0.0, 1.0),
        (1.0, 9, 8, 1.0, 0.0),
    ] {
        let t = tails(p, n, k);
        assert!(
            (t.upper - upper).abs() < 1e-12 && (t.lower - lower).abs() < 1e-12,
            "{p} {n} {k}: {t:?}"
        );
    }
    // Nothing seen of a hundred thousand at 1e-4 is (1−p)^n; 60 of 1000 at 3 % is far out, by exact sums.
    near(tails(1e-4, 100_000, 0).lower, (1e5 * f64::ln_1p(-1e-4)).exp(), 1e-9, "none");
    let pmf = |k: u64| {
        (0..k).map(|i| (1000 - i) as f64 / (i + 1) as f64 * 0.03 / 0.97).product::<f64>()
            * 0.97f64.powi(1000)
    };
    near(tails(0.03, 1000, 60).upper, (60..=1000).map(pmf).sum(), 1e-10, "upper");
    near(tails(0.03, 1000, 20).lower, (0..=20).map(pmf).sum(), 1e-10, "lower");
    // Far out on the lower side, where one less the upper tail would be nothing but rounding.
    let half = |k: u64| {
        (0..k).map(|i| (400 - i) as f64 / (i + 1) as f64).product::<f64>() * 0.5f64.powi(400)
    };
    near(tails(0.5, 400, 80).lower, (0..=80).map(half).sum(), 1e-10, "far out");
    // A uniform prevalence makes every count as likely: P(X ≥ k) = (n+1−k)/(n+1).
    let t = beta(1.0, 1.0).tails(Seen { tubes: 9, unclean: 7, pool: 1 }, &Model::PERFECT).unwrap();
    near(t.upper, 0.3, 1e-6, "uniform");
    near(t.lower, 0.8, 1e-6, "uniform");
}

#[test]
fn the_advised_size_falls_with_the_prevalence() {
    // prevalence, price of a recall, of a person called back, advised size; the first four are G17 and G18
    for (p, recall_tubes, single_tubes, pool) in [
        (1e-4, 0.0, 1.0, 20),
        (1e-4, 20.0, 4.0, 20),
        (2e-3, 30.0, 1.0, 20),
        (2e-3, 30.0, 4.0, 10),
        (0.0, 50.0, 1.0, 20),
        (0.01, 0.0, 1.0, 10),
        (0.02, 5.0, 1.0, 10),
        (0.02, 5.0, 4.0, 5),
        (0.05, 0.0, 1.0, 5),
        (0.05, 20.0, 1.0, 1),
        (0.32, 0.0, 1.0, 1),
    ] {
        let price = Price { recall_tubes, single_tubes };
        let asked = zone(&[20, 1, 10, 5, 10], fixed(p), Model::PERFECT, 0.0);
        let advice = advise(&Zone { price, ..asked }).unwrap();
        assert_eq!(advice.choice().pool, pool, "p {p}, {price:?}");
        assert_eq!(advice.choices.iter().map(|c| c.pool).collect::<Vec<_>>(), [1, 5, 10, 20]);
        for choice in &advice.choices {
            assert!(choice.cost_tubes >= advice.choice().cost_tubes);
            let load = retest_load(4_035_967, p, choice.pool, &Model::PERFECT).unwrap();
            assert_eq!(choice.load, load);
            let second = load.singles() * single_tubes + load.recalls * recall_tubes;
            near(choice.cost_tubes, load.tubes as f64 + second, 1e-12, "cost");
        }
    }
    // Two sizes that cost the same: the smaller one.
    let few = Zone { persons: 4, ..zone(&[5, 10], fixed(0.1), Model::PERFECT, 1.0) };
    assert_eq!(advise(&few).unwrap().choice().pool, 5);
}

#[test]
fn the_break_even_is_where_two_sizes_cost_the_same() {
    for (cost, how) in
        [(0.0, Model::PERFECT), (30.0, Model::PERFECT), (10.0, model(0.95, 0.999, 0.1))]
    {
        let at = |p| advise(&zone(&[1, 5, 10, 20], fixed(p), how, cost)).unwrap();
        let flip = at(1e-5).flip.expect("a smaller size is cheaper somewhere");
        assert_eq!(at(1e-5).choice().pool, 20);
        assert_eq!(at(flip.prevalence * (1.0 - 1e-9)).choice().pool, 20);
        assert_eq!(at(flip.prevalence * (1.0 + 1e-9)).choice().pool, flip.to);
        let share = tube_unclean(flip.prevalence, 20, &how).unwrap();
        assert_eq!(flip.unclean_share, share);
    }
    // Closed form, persons a multiple of both, free recalls: 1/5 − q^5 = 1/10 − q^10 for 10 to 5.
    let even = Zone { persons: 1000, ..zone(&[5, 10], fixed(1e-3), Model::PERFECT, 0.0) };
    let q5 = (1.0 + 0.6f64.sqrt()) / 2.0;
    near(advise(&even).unwrap().flip.unwrap().prevalence, 1.0 - q5.powf(0.2), 1e-12, "closed form");
    // The smallest size has nowhere to turn.
    assert_eq!(advise(&zone(&[1], fixed(0.5), Model::PERFECT, 0.0)).unwrap().flip, None);
}

#[test]
fn a_belief_is_averaged_and_its_quantile_is_reported() {
    let (a, b) = (1.0, 999.0);
    let advice = advise(&zone(&[1, 10, 20], beta(a, b), Model::PERFECT, 10.0)).unwrap();
    for choice in &advice.choices {
        let n = choice.pool;
        let clean: f64 = (0..n).map(|i| (b + f64::from(i)) / (a + b + f64::from(i))).product();
        let tubes = 4_035_967.0 / f64::from(n);
        near(choice.load.unclean, tubes * (1.0 - clean), 1e-4, "unclean");
        if n == 1 {
            assert_eq!((choice.load.recalled, choice.extra_percent_quantile), (0.0, 0.0));
            continue;
        }
        let high = 1.0 - 0.1f64.powf(1.0 / 999.0);
        let extra = 100.0 * f64::from(n) * (1.0 - (1.0 - high).powi(n as i32));
        near(choice.extra_percent_quantile, extra, 2e-3, "quantile");
        assert!(choice.extra_percent_quantile > 1.5 * choice.load.extra_percent());
    }
}

#[test]
fn a_wrong_prior_is_noticed_and_the_advice_turns() {
    let zone = zone(&[1, 5, 10, 20], beta(1.0, 9999.0), Model::PERFECT, 20.0);
    assert_eq!(advise(&zone).unwrap().choice().pool, 20);
    let seen = |tubes, unclean| Seen { tubes, unclean, pool: 20 };
    // As expected: about 2 of 1000.
    let calm = review(&zone, seen(1000, 2)).unwrap();
    assert!(!calm.refuted && calm.advice.choice().pool == 20);
    near(calm.expected_share, 0.002, 0.01, "expected");
    // Ten times that, and more.
    let wrong = review(&zone, seen(1000, 60)).unwrap();
    assert!(wrong.refuted && wrong.tails.upper < 1e-6);
    near(wrong.belief.mean(), 1.0 - 0.94f64.powf(0.05), 0.02, "posterior");
    assert_eq!(wrong.advice.choice().pool, 20);
    let worse = review(&zone, seen(1000, 160)).unwrap();
    assert_eq!((worse.refuted, worse.advice.choice().pool), (true, 10));
    assert_eq!(worse.sentences.last().unwrap().zh, "由 20 合 1 混采改为 10 合 1 混采。");
    // Two tubes of one household refute nothing, though they are unlikely.
    let two = review(&zone, seen(3, 2)).unwrap();
    assert!(!two.refuted && two.tails.upper < 0.005 && two.advice.choice().pool == 20);
    assert!(
        wrong.sentences[0].zh.starts_with("警告") && wrong.sentences[0].en.starts_with("Warning")
    );
    // Too few are a wrong prior, too.
    let fewer = Zone { belief: beta(50.0, 4950.0), ..zone.clone() };
    let none = review(&fewer, seen(1000, 0)).unwrap();
    assert!(none.refuted && none.tails.lower < 1e-6);
    assert!(none.sentences[0].zh.contains("低于"));
    // A fixed figure does not learn, until it is refuted.
    let known = Zone { belief: fixed(1e-4), ..zone };
    let kept = review(&known, seen(1000, 2)).unwrap();
    assert!(!kept.refuted && kept.belief.mean() == 1e-4);
    let dropped = review(&known, seen(1000, 160)).unwrap();
    assert!(dropped.refuted && dropped.belief == worse.belief);
}

#[test]
fn sentences_say_what_the_numbers_say() {
    let asked = zone(&[1, 5, 10], fixed(2e-3), model(0.95, 1.0, 0.0), 30.0);
    let words = advise(&asked).unwrap().sentences;
    let pairs: Vec<(&str, &str)> =
        words.iter().map(|words| (words.zh.as_str(), words.en.as_str())).collect();
    assert_eq!(
        pairs,
        [
            (
                "防范区（4,035,967 人，感染率按 0.200 % 计）建议 10 合 1 混采：采样管 403,597 支。",
                "prevention zone (4,035,967 persons, prevalence taken as 0.200 %): 10 swabs per tube, 403,597 tubes.",
            ),
            (
                "预计非阴性管 7,600 支，须召回 75,997 人单采复核，检测量增加 18.8 %。",
                "Expect 7,600 tubes that are not negative: 75,997 persons are called back and swabbed singly, 18.8 % \
                 more tubes.",
            ),
            (
                "按所给灵敏度，预计漏检感染者 787 人。",
                "At the given sensitivity, expect 787 positive persons to be missed.",
            ),
            (
                "若查明感染率达到 2.67 %（非阴性管占 22.5 %），应改为单采单检。",
                "If the prevalence proves to be 2.67 % or more (22.5 % of the tubes not negative), change to single \
                 tubes.",
            ),
        ]
    );
    // Under a prior the quantile is said, too; a single tube has no second stage, and nothing is missed.
    let unsure = Zone { belief: beta(1.0, 499.0), model: Model::PERFECT, ..asked.clone() };
    let words = advise(&unsure).unwrap().sentences;
    assert!(words[1].zh.ends_with("（90 % 把握不超过 45.1 %）。"), "{}", words[1].zh);
    assert!(words[1].en.ends_with("(with 90 % confidence at most 45.1 %)."), "{}", words[1].en);
    let single = Zone { sizes: vec![1], ..unsure };
    assert_eq!(advise(&single).unwrap().sentences.len(), 1);
    // Without single tubes nothing beats the larger pool when every tube is recalled anyway, at a price of nothing.
    let price = Price { recall_tubes: 0.0, single_tubes: 0.0 };
    let free = Zone { price, sizes: vec![5, 10], ..asked };
    let words = advise(&free).unwrap().sentences;
    assert_eq!(words[3].zh, "无论感染率多高，都无需改用更小的混采规格。");
}

#[test]
fn at_its_turning_point_the_advice_does_not_contradict_itself() {
    let sizes = [1, 5, 10, 20];
    let turn =
        |belief: Belief| advise(&zone(&sizes, belief, model(1.0, 1.0, 0.1), 1.0)).expect("advice");
    let flip = turn(fixed(0.01)).flip.expect("a smaller size is cheaper somewhere");
    let last = |advice: &Advice| advice.sentences.last().expect("a sentence").clone();
    // Below it by less than is told, at it, and far below it.
    let near = turn(fixed(flip.prevalence * (1.0 - 1e-9)));
    assert_eq!(near.choice().pool, turn(fixed(0.01)).choice().pool);
    let (at, said) = (last(&near), last(&turn(fixed(0.01))));
    assert!(
        at.en.contains("is the turning point, where")
            && at.en.contains("if it proves to be higher")
    );
    assert!(at.zh.contains("正在转折点上") && at.zh.contains("若查明高于"), "{}", at.zh);
    assert!(
        said.en.starts_with("If the prevalence proves to be")
            && said.zh.starts_with("若查明感染率达到")
    );
    // A belief whose mean lies beyond the turning point of the size that is cheapest on average.
    let wide = (1..200)
        .map(|i| turn(beta(0.05, 0.05 * f64::from(i))))
        .find(|advice| advice.flip.is_some_and(|flip| flip.prevalence < advice.prevalence * 0.9));
    let said = last(&wide.expect("such a belief"));
    assert!(said.en.starts_with("The prevalence is not known, and on average"), "{}", said.en);
    assert!(said.zh.starts_with("感染率尚不确知"), "{}", said.zh);
}

#[test]
fn zones_allow_what_the_rules_allow() {
    let largest = ZoneKind::ALL.map(|zone| zone.sizes().value.iter().copied().max());
    assert_eq!(largest, [Some(1), Some(10), Some(20)]);
    assert!(ZoneKind::ALL.iter().all(|zone| zone.sizes().value.is_sorted()));
}
