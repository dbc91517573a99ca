//! Calling rules: one line per reading, for two kits.

use super::notebook::{call, kit};
use crate::domain::calling::{CallingRule, worst};
use crate::domain::fact::{Reading, Well, WellContent};
use crate::domain::words::{Call, Code, Control};
use std::sync::Arc;

fn names(text: &str) -> Vec<Code> {
    text.split(',').map(Code::from).collect()
}

fn reading(position: u16, cts: &str) -> Reading {
    let cts = cts.split('/').filter(|ct| !ct.is_empty()).map(|ct| ct.parse().expect("a Ct"));
    Reading { position, cts: cts.collect() }
}

/// Lines `3800/3800/2500 -> positive`, read with these targets by this rule.
#[track_caller]
fn check_with(rule: &CallingRule, targets: &str, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (cts, wanted) = line.split_once("->").expect("an arrow");
        let is = rule.call(&names(targets), &reading(0, cts.trim()));
        assert_eq!(Some(is), call(wanted.trim()), "{line}");
    }
}

fn rule(name: &str) -> Arc<CallingRule> {
    kit(name).expect("a kit of the notebook")
}

#[test]
fn two_targets_with_a_grey_zone_and_an_internal_control() {
    check_with(
        &rule("K1"),
        "ORF1ab,N,IC",
        "2500/2600/2800 -> positive
         3800/3800/2800 -> positive
         1/1/2800       -> positive
         2500/2600/0    -> positive
         3800/0/2800    -> single-target
         0/3800/2800    -> single-target
         3800/0/0       -> single-target
         3800/3801/2800 -> single-target
         3800/4000/2800 -> single-target
         3801/3801/2800 -> grey
         4000/0/2800    -> grey
         0/4000/2800    -> grey
         4000/4000/0    -> grey
         4001/0/2800    -> negative
         4001/4001/2800 -> negative
         65535/0/2800   -> negative
         0/0/2800       -> negative
         0/0/3500       -> negative
         0/0/3501       -> invalid
         0/0/0          -> invalid
         4001/4001/0    -> invalid",
    );
}

#[test]
fn two_targets_without_grey_zone_and_without_internal_control() {
    check_with(
        &rule("K2"),
        "E,RdRp",
        "4000/4000 -> positive
         4000/4001 -> single-target
         0/1       -> single-target
         4001/4001 -> negative
         0/0       -> negative",
    );
}

#[test]
fn a_target_that_was_not_measured() {
    check_with(
        &rule("K1"),
        "ORF1ab,IC",
        "2500/2800 -> single-target
         3900/2800 -> grey
         0/2800    -> invalid",
    );
    check_with(
        &rule("K1"),
        "ORF1ab,N",
        "2500/2500 -> positive
         0/0       -> invalid",
    );
    // The file is too short for its own heading, or names nothing that the kit knows.
    check_with(&rule("K1"), "ORF1ab,N,IC", "0/0 -> invalid\n2500 -> single-target\n -> invalid");
    check_with(&rule("K2"), "ORF1ab,N,IC", "2500/2500/2500 -> invalid");
    assert!(rule("K1").is_complete(&names("IC,N,ORF1ab,ROX")));
    assert!(!rule("K1").is_complete(&names("IC,N")));
}

#[test]
fn targets_go_by_name_not_by_place() {
    check_with(
        &rule("K1"),
        "IC,ROX,N,ORF1ab",
        "2800/100/0/0 -> negative\n0/0/2500/2500 -> positive",
    );
}

#[test]
fn one_target_is_positive_by_itself() {
    let mut one = CallingRule::clone(&rule("K1"));
    one.targets.remove(1);
    check_with(&one, "ORF1ab,IC", "3800/0 -> positive\n3900/2800 -> grey\n0/2800 -> negative");
}

#[test]
fn the_worst_of_several_calls() {
    assert_eq!(worst([]), None);
    assert_eq!(worst([Call::Negative]), Some(Call::Negative));
    for (at, call) in Call::ALL.iter().enumerate() {
        for milder in &Call::ALL[at + 1..] {
            assert_eq!(worst([*milder, *call, *milder]), Some(*call));
            assert!(call.is_worse_than(*milder) && !milder.is_worse_than(*call));
        }
        assert!(!call.is_worse_than(*call));
    }
}

/// Controls `positive=2500/2600/0`, one for each word, and whether they hold.
#[track_caller]
fn controls(rule: &CallingRule, line: &str, hold: bool) {
    let (mut wells, mut readings) = (Vec::new(), Vec::new());
    for (word, position) in line.split_whitespace().zip(80..) {
        let (kind, cts) = word.split_once('=').expect("a control and its reading");
        let kind = super::notebook::named(Control::ALL, Control::name, kind).expect("a control");
        wells.push(Well { position, content: WellContent::Control(kind) });
        if cts != "unread" {
            readings.push(reading(position, cts));
        }
    }
    // A tube's well says nothing about the controls.
    wells.push(Well { position: 0, content: WellContent::Tube("T1".into()) });
    readings.push(reading(0, "2500/2500/2500"));
    let names = names("ORF1ab,N,IC");
    assert_eq!(rule.controls_hold(&names, &wells, &readings), hold, "{line}");
}

#[test]
fn controls_show_whether_a_run_can_be_trusted() {
    let rule = rule("K1");
    controls(&rule, "positive=2500/2600/2800 negative=0/0/2800", true);
    controls(&rule, "positive=2500/2600/0 blank=0/0/0", true);
    controls(&rule, "positive=3800/3800/0 negative=4001/4001/0", true);
    controls(&rule, "positive=3801/3800/0 negative=0/0/0", false);
    controls(&rule, "positive=2500/0/2800 negative=0/0/2800", false);
    controls(&rule, "positive=2500/2600/0 negative=4000/0/0", false);
    controls(&rule, "positive=2500/2600/0 negative=2500/0/0", false);
    controls(&rule, "positive=2500/2600/0 blank=0/3900/0", false);
    controls(&rule, "positive=2500/2600/0 negative=0/0/0 negative=2500/0/0", false);
    controls(&rule, "positive=2500/2600/0 negative=unread", false);
    controls(&rule, "positive=unread positive=2500/2600/0 negative=0/0/0", false);
    controls(&rule, "positive=2500/2600/0", false);
    controls(&rule, "negative=0/0/2800", false);
    controls(&rule, "", false);
    let strict = CallingRule { negative_controls_min: 3, ..CallingRule::clone(&rule) };
    controls(&strict, "positive=2500/2600/0 negative=0/0/0 negative=0/0/0", false);
    controls(&strict, "positive=2500/2600/0 negative=0/0/0 blank=0/0/0 negative=0/0/0", true);
    let none = CallingRule { positive_controls_min: 0, negative_controls_min: 0, ..strict };
    controls(&none, "", true);
    controls(&none, "negative=2500/2500/0", false);
}
