//! Closed forms of queues, to hold a simulation of a lab against, with the confidence interval that such a comparison
//! needs. Rates are per mean service time (μ = 1) unless said otherwise; queue lengths exclude those in service.

/// What a queue looks like in the long run.
#[derive(Clone, Copy, Debug)]
pub struct MMc {
    /// Erlang's C: chance that a customer must wait.
    pub wait_chance: f64,
    /// Mean wait in queue, in service times.
    pub wait: f64,
    /// Mean number in queue.
    pub queue: f64,
}

/// M/M/c at utilisation `rho` = λ/c (Erlang 1917). C from Erlang's B, whose recursion B = aB/(k+aB) cannot overflow.
/// Needs 0 ≤ `rho` < 1 and `servers` ≥ 1.
pub fn mmc(servers: u32, rho: f64) -> MMc {
    let load = f64::from(servers) * rho;
    let blocked = (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b));
    let wait_chance = blocked / (1.0 - rho * (1.0 - blocked));
    let wait = wait_chance / (f64::from(servers) * (1.0 - rho));
    MMc { wait_chance, wait, queue: load * wait }
}

/// Mean queue of M/D/c with service time 1, at utilisation `rho` < 1, by Crommelin's chain (1932): whoever is in
/// service now has left one service time later, so n' = max(n − c, 0) + Poisson(λ).
pub fn mdc_queue(servers: usize, rho: f64) -> f64 {
    let stationary = bulk_chain(servers, rho);
    stationary.iter().enumerate().map(|(n, mass)| n.saturating_sub(servers) as f64 * mass).sum()
}

/// Bailey's bulk service (1954): every service time the server takes up to `batch` of those waiting, full or not. In
/// units of Poisson arrivals `batch`·`rho` per service time.
#[derive(Clone, Copy, Debug)]
pub struct Bulk {
    /// Mean number waiting just before a service begins.
    pub queue_before: f64,
    /// Chance that the next batch is not full.
    pub not_full: f64,
}

/// The same chain as Crommelin's, read just before a service begins. Needs 0 < `rho` < 1.
pub fn bulk_service(batch: usize, rho: f64) -> Bulk {
    let stationary = bulk_chain(batch, rho);
    Bulk {
        queue_before: stationary.iter().enumerate().map(|(n, mass)| n as f64 * mass).sum(),
        not_full: stationary[..batch].iter().sum(),
    }
}

/// Stationary chances of n' = max(n − c, 0) + Poisson(c·rho), truncated where their geometric tail is below 1e-14, by
/// repetition from an empty system until nothing moves by more than 1e-13.
fn bulk_chain(c: usize, rho: f64) -> Vec<f64> {
    let mean = c as f64 * rho;
    // The tail decays by 1/z per customer, z > 1 the root of z^c = exp(mean (z − 1)).
    let (mut low, mut high) = (1.0 + 1e-9, 2.0);
    let beyond = |z: f64| mean * (z - 1.0) > c as f64 * z.ln();
    while !beyond(high) {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if beyond(middle) { high = middle } else { low = middle }
    }
    let states = c + (32.5 / high.ln()).ceil() as usize + (mean + 10.0 * mean.sqrt()) as usize;
    let mut arrivals = vec![(-mean).exp()];
    for k in 1..states {
        arrivals.push(arrivals[k - 1] * mean / k as f64);
    }
    let few = arrivals.iter().rposition(|&chance| chance > 1e-18).map_or(1, |k| k + 1);
    let mut mass = vec![0.0; states];
    mass[0] = 1.0;
    for _ in 0..100_000 {
        let mut next = vec![0.0; states];
        for left in 0..states - c {
            // All states up to c leave nobody behind.
            let here = if left == 0 { mass[..=c].iter().sum() } else { mass[left + c] };
            for (more, chance) in arrivals[..few.min(states - left)].iter().enumerate() {
                next[left + more] += here * chance;
            }
        }
        let total: f64 = next.iter().sum();
        next.iter_mut().for_each(|chance| *chance /= total);
        let moved = next.iter().zip(&mass).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        mass = next;
        if moved < 1e-13 {
            break;
        }
    }
    mass
}

/// Mean of a correlated series and the half-width of its 95 % interval: the series is cut into `batches` equal runs
/// (what does not divide is dropped at the start, where a simulation still warms up), whose means are taken as
/// independent. Nothing if there are fewer than two batches or fewer samples than batches.
pub fn batch_means(samples: &[f64], batches: usize) -> Option<(f64, f64)> {
    if batches < 2 || samples.len() < batches {
        return None;
    }
    let size = samples.len() / batches;
    let kept = &samples[samples.len() - size * batches..];
    let means: Vec<f64> =
        kept.chunks_exact(size).map(|run| run.iter().sum::<f64>() / size as f64).collect();
    let count = batches as f64;
    let mean = means.iter().sum::<f64>() / count;
    let variance = means.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / (count - 1.0);
    Some((mean, student_975(batches - 1) * (variance / count).sqrt()))
}

/// The 97.5 % point of Student's t: exact for 1 and 2 degrees of freedom, tabled for 3 to 5, beyond that the expansion
/// in 1/ν around the normal point (Cornish and Fisher; error below 2e-4).
pub fn student_975(freedom: usize) -> f64 {
    match freedom {
        0 => f64::INFINITY,
        1 => 12.706_205,
        2 => 4.302_653,
        3 => 3.182_446,
        4 => 2.776_445,
        5 => 2.570_582,
        freedom => {
            let (z, v) = (1.959_963_985_f64, freedom as f64);
            let first = (z.powi(3) + z) / 4.0;
            let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
            let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
            let fourth = (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5)
                - 1920.0 * z.powi(3)
                - 945.0 * z)
                / 92_160.0;
            z + first / v + second / v.powi(2) + third / v.powi(3) + fourth / v.powi(4)
        }
    }
}

#[track_caller]
fn printed(value: f64, expected: &str) {
    let decimals = expected.split('.').nth(1).map_or(0, str::len);
    assert_eq!(format!("{value:.decimals$}"), expected);
}

#[test]
fn many_servers_wait_as_erlang_says() {
    // servers, utilisation, wait, chance of waiting, queue ("" where none is printed)
    for (c, rho, wait, chance, queue) in [
        (1, 0.8, "4", "0.8", "3.2"),
        (2, 0.75, "1.285714", "", ""),
        (5, 0.8, "0.554113", "0.554113", "2.216450"),
        (10, 0.9, "0.668732", "0.668732", "6.018584"),
        (20, 0.95, "0.755401", "0.755401", "14.352623"),
    ] {
        let known = mmc(c, rho);
        for (value, expected) in
            [(known.wait, wait), (known.wait_chance, chance), (known.queue, queue)]
        {
            if !expected.is_empty() {
                printed(value, expected);
            }
        }
    }
    // Nobody waits where nobody comes; a thousand servers neither overflow nor underflow.
    assert_eq!(mmc(5, 0.0).wait_chance, 0.0);
    let many = mmc(1000, 0.99);
    assert!((0.6..0.8).contains(&many.wait_chance), "{many:?}");
}

#[test]
fn fixed_service_times_queue_as_crommelin_says() {
    for (c, rho, queue) in
        [(1, 0.8, "1.6"), (2, 0.8, "1.44525"), (5, 0.8, "1.15624"), (5, 0.9, "3.49513")]
    {
        printed(mdc_queue(c, rho), queue);
    }
    // One server is Pollaczek and Khinchin's ρ²/(2(1−ρ)).
    for rho in [0.1, 0.5, 0.9, 0.95] {
        let exact = rho * rho / (2.0 * (1.0 - rho));
        assert!((mdc_queue(1, rho) / exact - 1.0).abs() < 1e-7, "{rho}");
    }
}

#[test]
fn plates_of_94_are_served_as_bailey_says() {
    let known = bulk_service(94, 0.9);
    printed(known.queue_before, "85.7686");
    printed(known.not_full, "0.793");
    // What comes must go: the mean batch is what arrives in one service time.
    let (c, mean) = (94, 94.0 * 0.9);
    let chain = bulk_chain(c, 0.9);
    let taken: f64 = chain.iter().enumerate().map(|(n, mass)| n.min(c) as f64 * mass).sum();
    assert!((taken / mean - 1.0).abs() < 1e-10, "{taken}");
}

#[test]
fn batch_means_give_an_interval() {
    // Student's t from printed tables.
    for (freedom, t) in [
        (1, "12.706"),
        (2, "4.303"),
        (5, "2.571"),
        (6, "2.447"),
        (9, "2.262"),
        (19, "2.093"),
        (29, "2.045"),
        (120, "1.980"),
    ] {
        printed(student_975(freedom), t);
    }
    // Batch means 2, 4, 6, 8: mean 5, standard error √(20/3/4); the odd first sample is dropped.
    let samples = [99.0, 1.0, 3.0, 3.0, 5.0, 5.0, 7.0, 7.0, 9.0];
    let (mean, half) = batch_means(&samples, 4).expect("enough samples");
    assert_eq!(mean, 5.0);
    assert!((half - 3.182_446 * (20.0f64 / 12.0).sqrt()).abs() < 1e-9, "{half}");
    assert_eq!(batch_means(&samples, 1), None);
    assert_eq!(batch_means(&samples[..3], 4), None);
}

/// Congruential generator of Knuth's MMIX; uniform in (0, 1).
struct Draws(u64);

impl Draws {
    fn exponential(&mut self, mean: f64) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        -mean * uniform.ln()
    }
}

#[test]
fn the_interval_covers_the_closed_form() {
    // M/M/1 at ρ = ½ by Lindley's recursion: mean wait 1. Of 100 intervals at 95 %, 100 − 5 ± 4·2.2 cover it.
    let exact = mmc(1, 0.5).wait;
    let covered = (0..100)
        .filter(|&seed| {
            let mut draws = Draws(seed);
            let mut wait = 0.0f64;
            let waits: Vec<f64> = (0..20_000)
                .map(|_| {
                    wait = (wait + draws.exponential(1.0) - draws.exponential(2.0)).max(0.0);
                    wait
                })
                .collect();
            let (mean, half) = batch_means(&waits, 20).expect("enough samples");
            (mean - exact).abs() <= half
        })
        .count();
    assert!((86..=100).contains(&covered), "{covered} of 100");
}
