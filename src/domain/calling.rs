//! Calling rules: how Ct values become a call. The numbers are data of a kit with a version; only
//! the form of the rule is code.

use super::fact::{Reading, Well, WellContent};
use super::words::{Call, Code, Control};

/// How one target of a kit is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRule {
    /// Name as the instrument reports it, such as `ORF1ab`.
    pub name: Code,
    /// True for the internal control, which shows that swab and extraction worked.
    pub is_internal_control: bool,
    /// Detected when the Ct is at most this, in hundredths of a cycle.
    pub cut_off: u16,
    /// Grey when above `cut_off` and at most this; 0 = the kit has no grey zone.
    pub grey_to: u16,
}

/// A kit's rule in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallingRule {
    /// Kit code.
    pub kit: Code,
    /// Version of the rule, from 1.
    pub version: u32,
    /// Targets and internal control.
    pub targets: Vec<TargetRule>,
    /// Fewest positive controls on a plate.
    pub positive_controls_min: u8,
    /// Fewest negative or blank controls on a plate.
    pub negative_controls_min: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Detected,
    Grey,
    Nothing,
}

fn seen(rule: &TargetRule, ct: u16) -> Seen {
    match ct {
        0 => Seen::Nothing,
        ct if ct <= rule.cut_off => Seen::Detected,
        ct if ct <= rule.grey_to => Seen::Grey,
        _ => Seen::Nothing,
    }
}

impl CallingRule {
    /// The Ct of a target in a reading: `None` when the run did not measure the target.
    fn ct(target: &TargetRule, names: &[Code], reading: &Reading) -> Option<u16> {
        let column = names.iter().position(|name| *name == target.name)?;
        reading.cts.get(column).copied()
    }

    /// True when the run measures every target of the kit.
    pub fn is_complete(&self, names: &[Code]) -> bool {
        self.targets.iter().all(|target| names.contains(&target.name))
    }

    /// The call of one well. A target that the run lacks counts as not detected; an internal
    /// control that it lacks counts as failed, so a short file never calls anything negative.
    pub fn call(&self, names: &[Code], reading: &Reading) -> Call {
        let (mut detected, mut grey, mut targets) = (0, 0, 0);
        let mut control_worked = !self.targets.iter().any(|t| t.is_internal_control);
        let mut complete = true;
        for target in &self.targets {
            let ct = Self::ct(target, names, reading);
            complete &= ct.is_some();
            let what = seen(target, ct.unwrap_or(0));
            if target.is_internal_control {
                control_worked |= what == Seen::Detected;
            } else {
                targets += 1;
                detected += u32::from(what == Seen::Detected);
                grey += u32::from(what == Seen::Grey);
            }
        }
        match (detected, grey) {
            (d, _) if d == targets && d > 0 => Call::Positive,
            // One target clear and the other not: handled like a positive pool, named apart.
            (d, _) if d > 0 => Call::SingleTarget,
            (_, g) if g > 0 => Call::Grey,
            _ if control_worked && complete => Call::Negative,
            _ => Call::Invalid,
        }
    }

    /// True when the controls of a plate show that the run can be trusted: enough of each kind,
    /// every positive control detected in all targets, nothing in any negative or blank control.
    pub fn controls_hold(&self, names: &[Code], wells: &[Well], readings: &[Reading]) -> bool {
        let (mut positive, mut negative) = (0_usize, 0_usize);
        for well in wells {
            let WellContent::Control(kind) = &well.content else { continue };
            let Some(reading) = readings.iter().find(|r| r.position == well.position) else {
                return false;
            };
            let sees = |wanted: Seen| {
                self.targets.iter().filter(|t| !t.is_internal_control).all(|target| {
                    seen(target, Self::ct(target, names, reading).unwrap_or(0)) == wanted
                })
            };
            let holds = match kind {
                Control::Positive => {
                    positive += 1;
                    sees(Seen::Detected)
                }
                Control::Negative | Control::Blank => {
                    negative += 1;
                    sees(Seen::Nothing)
                }
            };
            if !holds {
                return false;
            }
        }
        positive >= usize::from(self.positive_controls_min)
            && negative >= usize::from(self.negative_controls_min)
    }
}

/// Of several calls the worst; `None` when there is none.
pub fn worst(calls: impl IntoIterator<Item = Call>) -> Option<Call> {
    calls.into_iter().min()
}
