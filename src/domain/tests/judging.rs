//! What the writer stamps on a fact, from the reference data of that moment.

use super::notebook::{Notebook, clock, kit, odd};
use super::rules::{close, desk, imported, jurisdiction, open, site};
use crate::domain::Time;
use crate::domain::calling::CallingRule;
use crate::domain::discrepancy::Discrepancy;
use crate::domain::fact::{Body, Fact, Stamps};
use crate::domain::judge::{CLOCK_AHEAD_MAX_MS, CLOCK_BEHIND_MAX_MS, judge, rule_now};
use crate::domain::reference::{BarcodePattern, Reference, ReferenceItem};
use crate::domain::words::{Level, LotKind};

fn lot(code: &str, kind: LotKind, expires_at: &str) -> ReferenceItem {
    ReferenceItem::Lot {
        code: code.into(),
        kind,
        product: "product".into(),
        expires_at: clock(expires_at),
    }
}

/// One open round, a desk with its device, a laboratory, a kit and three lots.
fn reference() -> Reference {
    let rule = CallingRule::clone(&kit("K1").expect("a kit"));
    let mut reference = imported(vec![
        jurisdiction("X1", "", Level::District),
        site("S1", "X1"),
        desk("D1", "S1"),
        ReferenceItem::Device { code: "V1".into(), desk: "D1".into() },
        ReferenceItem::Lab { code: "L1".into(), name: "Lab".into(), tubes_per_day_max: 0 },
        ReferenceItem::Kit { name: "Kit 1".into(), rule },
        lot("tubes", LotKind::Tube, "12:00"),
        lot("kits", LotKind::Pcr, "12:00"),
    ]);
    open(&mut reference, "R1", "key-1");
    reference
}

fn fact(line: &str) -> Fact {
    Notebook::default().line(line).fact
}

fn judged(fact: &Fact) -> Stamps {
    judge(fact, &reference(), fact.captured_at, 0)
}

#[track_caller]
fn flags(fact: &Fact, wanted: &str) {
    assert_eq!(judged(fact).flags, odd(wanted), "{fact:?}");
}

/// The fact with device and lot filled in.
fn with(line: &str, new_device: &str, new_lot: &str) -> Fact {
    let mut fact = fact(line);
    match &mut fact.body {
        Body::TubeCollected { device, lot, .. } | Body::PersonSwabbed { device, lot, .. } => {
            (*device, *lot) = (new_device.into(), new_lot.into());
        }
        Body::PlateLoaded { kit_lot, .. } => *kit_lot = new_lot.into(),
        _ => panic!("{line} has no lot"),
    }
    fact
}

#[test]
fn a_collection_at_a_known_desk() {
    for line in ["desk D1 collect T1 pool 10 members P1", "desk D1 swab T1 P1"] {
        let stamps = judged(&with(line, "V1", "tubes"));
        assert_eq!(stamps.flags, odd("none"));
        let place = stamps.place.expect("a place");
        assert_eq!((place.district.as_str(), place.site.as_str()), ("X1", "S1"));
        assert_eq!((stamps.round.as_str(), place.desk.as_str()), ("R1", "D1"));
        flags(&with(line, "", ""), "none");
        flags(&with(line, "V2", ""), "UnknownDevice");
        flags(&with(line, "", "others"), "LotUnknown");
        // A kit's lot is no lot of tubes.
        flags(&with(line, "", "kits"), "LotUnknown");
    }
    let stamps = judged(&fact("desk D9 swab T1 P1"));
    assert_eq!(stamps.flags, odd("UnknownDesk"));
    let place = stamps.place.expect("a place");
    assert_eq!((place.district.as_str(), place.desk.as_str()), ("", "D9"));
}

#[test]
fn lots_end_after_their_last_moment() {
    flags(&with("12:00 desk D1 swab T1 P1", "", "tubes"), "none");
    flags(&with("12:00:01 desk D1 swab T1 P1", "", "tubes"), "LotExpired");
    flags(&with("12:00 load PL1 L1 A1=T1", "", "kits"), "none");
    flags(&with("12:00:01 load PL1 L1 A1=T1", "", "kits"), "KitExpired");
    flags(&with("load PL1 L1 A1=T1", "", "others"), "KitLotUnknown");
    flags(&with("load PL1 L1 A1=T1", "", "tubes"), "KitLotUnknown");
    // By the corrected time of the device, not by the server's.
    let late = with("12:00:01 desk D1 swab T1 P1", "", "tubes");
    assert_eq!(judge(&late, &reference(), clock("12:00"), 1_000).flags, odd("none"));
}

#[test]
fn the_clock_of_the_device() {
    let now = clock("12:00").plus_ms(CLOCK_BEHIND_MAX_MS);
    let flag = |captured: Time, offset| {
        let fact = Fact { captured_at: captured, ..fact("lose T1") };
        judge(&fact, &reference(), now, offset).flags.has(Discrepancy::ClockSkewed)
    };
    assert!(!flag(now, 0));
    assert!(!flag(now.plus_ms(CLOCK_AHEAD_MAX_MS), 0));
    assert!(flag(now.plus_ms(CLOCK_AHEAD_MAX_MS + 1), 0));
    assert!(!flag(now.plus_ms(-CLOCK_BEHIND_MAX_MS), 0));
    assert!(flag(now.plus_ms(-CLOCK_BEHIND_MAX_MS - 1), 0));
    // A clock that is hours ahead, and known to be, is no trouble.
    assert!(!flag(now.plus_ms(CLOCK_AHEAD_MAX_MS + 1), 1));
    assert!(flag(now, -CLOCK_AHEAD_MAX_MS - 1));
    for captured in [i64::MIN, i64::MAX] {
        for offset in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert!(flag(Time(captured), offset) || captured == offset);
        }
    }
}

#[test]
fn pool_sizes_that_are_validated() {
    for pool in [1, 5, 10, 20] {
        flags(&fact(&format!("desk D1 swab T1 P1 pool {pool}")), "none");
    }
    for pool in [0, 2, 3, 11, 30, 65_535] {
        flags(&fact(&format!("desk D1 collect T1 pool {pool} members P1")), "PoolSizeUnknown");
    }
}

#[test]
fn the_check_digit_of_an_identity_number() {
    let wrong = |mut fact: Fact| {
        match &mut fact.body {
            Body::PersonSwabbed { member, .. } => member.id_check_failed = true,
            Body::TubeCollected { members, .. } => members[1].id_check_failed = true,
            Body::MemberCorrected { new, .. } => new.id_check_failed = true,
            _ => {}
        }
        fact
    };
    for line in
        ["desk D1 swab T1 P1", "desk D1 collect T1 pool 10 members P1..P3", "correct T1 P1 P2"]
    {
        flags(&fact(line), "none");
        flags(&wrong(fact(line)), "IdentityCheckDigit");
    }
}

#[test]
fn the_round_as_said_or_as_found() {
    let round = |reference: &Reference, said: &str| {
        let mut fact = fact("desk D1 swab T1 P1");
        fact.round = said.into();
        let stamps = judge(&fact, reference, fact.captured_at, 0);
        (stamps.round.to_string(), stamps.flags)
    };
    let mut reference = reference();
    assert_eq!(round(&reference, ""), ("R1".into(), odd("none")));
    assert_eq!(round(&reference, "R1"), ("R1".into(), odd("none")));
    assert_eq!(round(&reference, "R9"), ("R9".into(), odd("UnknownRound")));
    open(&mut reference, "R2", "key-2");
    assert_eq!(round(&reference, ""), (String::new(), odd("UnknownRound")));
    assert_eq!(round(&reference, "R2"), ("R2".into(), odd("none")));
    close(&mut reference, "R1", "20:00");
    assert_eq!(round(&reference, "R1"), ("R1".into(), odd("AfterClose")));
    // Both were open when it was captured: when it arrives makes no difference.
    assert_eq!(round(&reference, ""), (String::new(), odd("UnknownRound")));
    close(&mut reference, "R2", "20:00");
    assert_eq!(round(&reference, ""), (String::new(), odd("UnknownRound")));
}

#[test]
fn the_laboratory() {
    for (line, of_known) in [
        ("receive T1 L1", "none"),
        ("reject T1 leaking by L1", "none"),
        ("box B1 L1 T1", "none"),
        ("release L1 T1", "none"),
        ("load PL1 L1 A1=T1", "none"),
        ("load PL1 L1 kit K3 A1=T1", "KitUnknown"),
    ] {
        flags(&fact(line), of_known);
        let line = line.replace("L1", "L2").replace("PL2", "PL1");
        let flags = judged(&fact(&line)).flags;
        assert!(flags.has(Discrepancy::UnknownLab), "{line}");
        assert_eq!(flags.has(Discrepancy::KitUnknown), of_known == "KitUnknown");
    }
}

#[test]
fn a_plate_is_stamped_with_the_rule_of_its_captured_time() {
    let mut reference = reference();
    let second = CallingRule { version: 2, ..CallingRule::clone(&kit("K1").expect("a kit")) };
    let items = vec![ReferenceItem::Kit { name: "Kit 1".into(), rule: second }];
    let body = Body::ReferenceImported { file: "b.csv".into(), items };
    reference.apply(&super::rules::event("", "11:00", "11:00", body));
    let switch = Body::RuleSwitched { kit: "K1".into(), version: 2, from: clock("12:00") };
    reference.apply(&super::rules::event("", "11:00", "11:00", switch));
    let version = |captured: &str, offset| {
        let fact = fact(&format!("{captured} load PL1 L1 A1=T1"));
        let stamps = judge(&fact, &reference, clock("23:00"), offset);
        stamps.rule.expect("a rule").version
    };
    assert_eq!(version("11:59", 0), 1);
    assert_eq!(version("12:00", 0), 2);
    assert_eq!(version("12:00", 60_000), 1);
    assert_eq!(
        rule_now(&"K1".into(), &reference, clock("12:00")).map(|rule| rule.version),
        Some(2)
    );
    assert_eq!(rule_now(&"K3".into(), &reference, clock("12:00")), None);
    assert!(judged(&fact("load PL1 L1 kit K3 A1=T1")).rule.is_none());
    assert!(judged(&fact("run PL1 R1 A1=neg")).rule.is_none());
}

#[test]
fn barcodes() {
    let pattern = BarcodePattern { prefix: "T".into(), length: 12, luhn: true };
    for (code, wanted) in [
        ("T79927398713", "none"),
        ("T79927398710", "BarcodeCheckDigit"),
        ("T79927389713", "BarcodeCheckDigit"),
        ("T7992739871", "BarcodeMalformed"),
        ("T799273987130", "BarcodeMalformed"),
        ("X79927398713", "BarcodeMalformed"),
        ("T7992739871X", "BarcodeMalformed"),
        ("T7992739871\u{664}", "BarcodeMalformed"),
        ("", "BarcodeMalformed"),
    ] {
        let mut reference = reference();
        reference.barcodes = Some(pattern.clone());
        let mut fact = fact("lose T1");
        fact.body = Body::TubeLost { tube: code.into() };
        assert_eq!(judge(&fact, &reference, fact.captured_at, 0).flags, odd(wanted), "{code}");
        // Without a pattern every barcode is taken as it is.
        assert_eq!(judged(&fact).flags, odd("none"));
    }
}

#[test]
fn luhn_by_published_numbers() {
    let check = |code: &str| {
        let length = code.len() as u16;
        BarcodePattern { prefix: "".into(), length, luhn: true }.check(code)
    };
    for good in
        ["79927398713", "4539148803436467", "4111111111111111", "378282246310005", "18", "0"]
    {
        assert_eq!(check(good), (true, true), "{good}");
    }
    for bad in ["79927398714", "4539148803436476", "4111111111111112", "81", "1"] {
        assert_eq!(check(bad), (true, false), "{bad}");
    }
    let unchecked = BarcodePattern { prefix: "".into(), length: 2, luhn: false };
    assert_eq!(unchecked.check("81"), (true, true));
}

#[test]
fn made_barcodes_fit_their_pattern() {
    for luhn in [false, true] {
        let pattern = BarcodePattern { prefix: "CF22".into(), length: 14, luhn };
        for serial in [0, 1, 9, 10, 123_456_789, 999_999_999] {
            let code = pattern.make(serial);
            assert_eq!(pattern.check(&code), (true, true), "{code}");
            assert!(code.contains(&serial.to_string()));
        }
    }
    let pattern = BarcodePattern { prefix: "T".into(), length: 12, luhn: true };
    assert_eq!(pattern.make(7_992_739_871), "T79927398713");
}

#[test]
fn the_stamps_keep_both_clocks() {
    let fact = fact("10:00 receive T1 L1");
    let stamps = judge(&fact, &reference(), clock("10:30"), -1_500);
    assert_eq!((stamps.recorded_at, stamps.clock_offset_ms), (clock("10:30"), -1_500));
    assert_eq!((stamps.place, stamps.rule), (None, None));
}
