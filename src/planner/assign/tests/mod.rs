//! Small cities worked out by hand, one fact per line; properties of every city; the largest flow against brute force.

mod properties;
mod table;

use super::*;

/// A lab: rate, head start.
fn lab(rate: f64, head_start_h: f64) -> Lab {
    Lab { code: format!("r{rate}"), rate, head_start_h, ..Lab::default() }
}

/// A lab of another city.
fn outside(rate: f64, head_start_h: f64) -> Lab {
    Lab { outside: true, ..lab(rate, head_start_h) }
}

/// A street: tubes, and (lab, km) of its ways.
fn street(tubes: u64, ways: &[(usize, f64)]) -> Street {
    let way = |&(lab, km)| Way { lab, minutes: 20.0 + km, km };
    let ways = ways.iter().map(way).collect();
    Street { code: format!("s{tubes}"), tubes, ways, ..Street::default() }
}

fn problem(labs: Vec<Lab>, streets: Vec<Street>) -> Problem {
    Problem { streets, labs }
}

/// The assignment without slack.
fn exact(problem: &Problem, target_h: Option<f64>) -> Assignment {
    solve(problem, &Options { target_h, slack: 0.0, ..Options::default() }, None).unwrap()
}

/// Shares as (street, lab, tubes).
fn sent(shares: &[Share]) -> Vec<(usize, usize, u64)> {
    shares.iter().map(|share| (share.street, share.lab, share.tubes)).collect()
}
