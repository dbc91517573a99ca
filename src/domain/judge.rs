//! Stamps: what the writer puts on a fact at commit, from the reference data of that moment.
//! Pure: the clock and the reference data are handed in.

use super::discrepancy::{Discrepancies, Discrepancy};
use super::fact::{Body, Fact, Place, Stamps};
use super::reference::Reference;
use super::words::{Code, HOUR_MS, LotKind, Time};

/// A corrected captured time further in the future than this is `ClockSkewed`. Assumed: a phone
/// that lost its network keeps time to seconds a day.
pub const CLOCK_AHEAD_MAX_MS: i64 = HOUR_MS / 6;

/// A corrected captured time further in the past than this is `ClockSkewed`. Assumed: weeks of
/// scans may wait in a device, a wrong year may not pass.
pub const CLOCK_BEHIND_MAX_MS: i64 = 60 * 24 * HOUR_MS;

/// Pool sizes that are validated (National Health Commission, 9 June 2022).
pub const POOL_SIZES: [u16; 4] = [1, 5, 10, 20];

/// The stamps of a fact.
pub fn judge(fact: &Fact, reference: &Reference, now: Time, clock_offset_ms: i64) -> Stamps {
    let captured = fact.captured_at.plus_ms(clock_offset_ms.saturating_neg());
    let mut stamps = Stamps {
        recorded_at: now,
        clock_offset_ms,
        round: fact.round.clone(),
        ..Stamps::default()
    };
    let mut flags = Discrepancies::NONE;
    let ahead = captured.ms_since(now);
    flags.add_if(
        !(-CLOCK_BEHIND_MAX_MS..=CLOCK_AHEAD_MAX_MS).contains(&ahead),
        Discrepancy::ClockSkewed,
    );
    if let Some(tube) = fact.body.tube() {
        judge_barcode(tube, reference, &mut flags);
    }
    match &fact.body {
        Body::PersonSwabbed { pool, desk, device, lot, member, .. } => {
            flags.add_if(member.id_check_failed, Discrepancy::IdentityCheckDigit);
            let place = judge_collection(reference, *pool, desk, device, lot, captured, &mut flags);
            stamps.place = Some(place);
            judge_round(&mut stamps.round, captured, reference, &mut flags);
        }
        Body::TubeCollected { pool, desk, device, lot, members, .. } => {
            flags.add_if(
                members.iter().any(|member| member.id_check_failed),
                Discrepancy::IdentityCheckDigit,
            );
            let place = judge_collection(reference, *pool, desk, device, lot, captured, &mut flags);
            stamps.place = Some(place);
            judge_round(&mut stamps.round, captured, reference, &mut flags);
        }
        Body::MemberCorrected { new, .. } => {
            flags.add_if(new.id_check_failed, Discrepancy::IdentityCheckDigit);
        }
        // A box may set off before it is known where to, and not every instrument says where it is.
        Body::BoxHandedOver { lab, .. } | Body::RunReported { lab, .. } => {
            flags.add_if(
                !lab.is_empty() && !reference.labs.contains_key(lab),
                Discrepancy::UnknownLab,
            );
        }
        Body::BoxReceived { lab, .. }
        | Body::TubeReceived { lab, .. }
        | Body::TubeRejected { lab, .. }
        | Body::ResultReleased { lab, .. } => {
            flags.add_if(!reference.labs.contains_key(lab), Discrepancy::UnknownLab);
        }
        Body::PlateLoaded { lab, kit, kit_lot, .. } => {
            flags.add_if(!reference.labs.contains_key(lab), Discrepancy::UnknownLab);
            let rule = reference.kits.get(kit).and_then(|kit| kit.rule_at(captured));
            flags.add_if(rule.is_none(), Discrepancy::KitUnknown);
            stamps.rule = rule.cloned();
            judge_lot(reference, kit_lot, LotKind::Pcr, captured, &mut flags);
        }
        Body::RosterImported { .. } => {
            judge_round(&mut stamps.round, captured, reference, &mut flags)
        }
        _ => {}
    }
    stamps.flags = flags;
    stamps
}

/// The rule for a plate that is judged again: the one in force now.
pub fn rule_now(
    kit: &Code,
    reference: &Reference,
    now: Time,
) -> Option<std::sync::Arc<super::calling::CallingRule>> {
    reference.kits.get(kit)?.rule_at(now).cloned()
}

fn judge_barcode(tube: &Code, reference: &Reference, flags: &mut Discrepancies) {
    if let Some(pattern) = &reference.barcodes {
        let (fits, check_holds) = pattern.check(tube);
        flags.add_if(!fits, Discrepancy::BarcodeMalformed);
        flags.add_if(!check_holds, Discrepancy::BarcodeCheckDigit);
    }
}

fn judge_round(round: &mut Code, captured: Time, reference: &Reference, flags: &mut Discrepancies) {
    if round.is_empty()
        && let Some(open) = reference.round_at(captured)
    {
        *round = open.clone();
    }
    match reference.rounds.get(round) {
        None => flags.add(Discrepancy::UnknownRound),
        Some(known) => flags.add_if(known.closed_at.is_some(), Discrepancy::AfterClose),
    }
}

fn judge_collection(
    reference: &Reference,
    pool: u16,
    desk: &Code,
    device: &Code,
    lot: &Code,
    captured: Time,
    flags: &mut Discrepancies,
) -> Place {
    flags.add_if(!POOL_SIZES.contains(&pool), Discrepancy::PoolSizeUnknown);
    flags.add_if(
        !device.is_empty() && !reference.devices.contains_key(device),
        Discrepancy::UnknownDevice,
    );
    judge_lot(reference, lot, LotKind::Tube, captured, flags);
    reference.place(desk).unwrap_or_else(|| {
        flags.add(Discrepancy::UnknownDesk);
        Place { desk: desk.clone(), ..Place::default() }
    })
}

/// A fact that names no lot is not judged: not every desk scans lots.
fn judge_lot(
    reference: &Reference,
    lot: &Code,
    kind: LotKind,
    captured: Time,
    flags: &mut Discrepancies,
) {
    if lot.is_empty() {
        return;
    }
    let (unknown, expired) = match kind {
        LotKind::Tube => (Discrepancy::LotUnknown, Discrepancy::LotExpired),
        _ => (Discrepancy::KitLotUnknown, Discrepancy::KitExpired),
    };
    match reference.lots.get(lot).filter(|(known, ..)| *known == kind) {
        None => flags.add(unknown),
        Some((_, _, expires_at)) => flags.add_if(captured > *expires_at, expired),
    }
}
