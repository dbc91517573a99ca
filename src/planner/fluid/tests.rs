//! look
use super::*;
use crate::planner::example;

#[test]
fn look() {
    let mut counts: std::collections::BTreeMap<String, (u32, u32, i64, String)> = Default::default();
    for seed in 0..400u64 {
        for none in [true, false] {
            let mut model = example::by_chance(seed);
            if none { model.recall.prevalence = 0.0; }
            let before = city(&model);
            let mut see = |what: String, m: &Model| {
                let after = city(m);
                for (f, a, b) in [("finish", before.finish, after.finish), ("closed", before.closed, after.closed)] {
                    let e = counts.entry(format!("{what} {f} none={none}")).or_default();
                    e.0 += 1;
                    if b > a { e.1 += 1; let by = i64::from(b) - i64::from(a); if by > e.2 { e.2 = by; e.3 = format!("{seed} {a} {b}"); } }
                }
            };
            for lab in 0..model.labs.len() {
                for kind in StageKind::ALL {
                    let mut m = model.clone();
                    add_unit(&mut m.labs[lab].stages[kind.index()]);
                    see(format!("{kind:?}"), &m);
                }
            }
            for i in 0..model.streets.len().min(4) {
                let mut m = model.clone();
                m.streets[i].desks += 1;
                see("desk".into(), &m);
                let mut m = model.clone();
                m.streets[i].vehicles += 1;
                see("vehicle".into(), &m);
            }
        }
    }
    for (k, v) in counts { eprintln!("{k}: of {} later {} worst {:.1} min {}", v.0, v.1, v.2 as f64 / 6e4, v.3); }
}
