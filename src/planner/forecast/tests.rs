//! The forecast, held against rounds whose end is known.

use super::*;

#[test]
fn look() {
    for (surprising, name) in [(false, "modelled"), (true, "unmodelled")] {
        let t = std::time::Instant::now();
        eprintln!("{name} {:?} {:?}", trial::score(0..100, surprising, 200), t.elapsed());
    }
}
