//! Reference data and administrative facts from the wire.

use super::super::errors::Error;
use super::super::limits::{ITEMS_MAX, ROSTER_PEOPLE_MAX, TARGETS_MAX};
use super::super::pb;
use super::fact::Context;
use super::words::{at_most, code, number, required, size, word};
use crate::domain::calling::{CallingRule, TargetRule};
use crate::domain::fact::{Body, Fact, FactId};
use crate::domain::reference::{BarcodePattern, ReferenceItem};
use crate::domain::words::{Code, Level, LotKind, Time};
use pb::reference_item::Item as Wire;

/// Id and captured time of an administrative fact.
fn said(
    context: &Context<'_>,
    wire: Option<&pb::AdministrationFact>,
    now: Time,
) -> Result<(FactId, Time), Error> {
    let wire = wire.cloned().unwrap_or_default();
    let id = context.id(wire.id.as_ref()).map_err(|error| match error {
        Error::Invalid { field, problem } => {
            Error::Invalid { field: format!("fact.{field}"), problem }
        }
        other => other,
    })?;
    let at = if wire.captured_at_ms == 0 { now } else { Time(wire.captured_at_ms) };
    Ok((id, at))
}

/// Reference data.
pub fn import(
    context: &Context<'_>,
    wire: &pb::ImportReferenceRequest,
    now: Time,
) -> Result<Fact, Error> {
    let (id, captured_at) = said(context, wire.fact.as_ref(), now)?;
    let items = at_most("items", &wire.items, ITEMS_MAX, ("项", "items"))?;
    if items.is_empty() {
        return Err(Error::EmptyBatch);
    }
    let items = items.iter().enumerate().map(|(at, one)| item(at, one));
    let items = items.collect::<Result<_, _>>()?;
    let body = Body::ReferenceImported { file: code("file", &wire.file)?, items };
    Ok(Fact { id, captured_at, round: Code::default(), body })
}

fn item(at: usize, wire: &pb::ReferenceItem) -> Result<ReferenceItem, Error> {
    let field = |name: &str| format!("items[{at}].{name}");
    Ok(match wire.item.as_ref().ok_or(Error::KindUnknown)? {
        Wire::Jurisdiction(w) => ReferenceItem::Jurisdiction {
            code: required(field("code"), &w.code)?,
            parent: code(field("parent"), &w.parent)?,
            level: word(field("level"), w.level, Level::from_number)?,
            name: code(field("name"), &w.name)?,
        },
        Wire::Site(w) => ReferenceItem::Site {
            code: required(field("code"), &w.code)?,
            jurisdiction: code(field("jurisdiction"), &w.jurisdiction)?,
            name: code(field("name"), &w.name)?,
        },
        Wire::Desk(w) => ReferenceItem::Desk {
            code: required(field("code"), &w.code)?,
            site: code(field("site"), &w.site)?,
        },
        Wire::Device(w) => ReferenceItem::Device {
            code: required(field("code"), &w.code)?,
            desk: code(field("desk"), &w.desk)?,
        },
        Wire::Lab(w) => ReferenceItem::Lab {
            code: required(field("code"), &w.code)?,
            name: code(field("name"), &w.name)?,
            tubes_per_day_max: w.tubes_per_day_max,
        },
        Wire::Instrument(w) => ReferenceItem::Instrument {
            code: required(field("code"), &w.code)?,
            lab: code(field("lab"), &w.lab)?,
            model: code(field("model"), &w.model)?,
        },
        Wire::Kit(w) => kit(at, w)?,
        Wire::Lot(w) => ReferenceItem::Lot {
            code: required(field("code"), &w.code)?,
            kind: word(field("kind"), w.kind, LotKind::from_number)?,
            product: code(field("product"), &w.product)?,
            expires_at: Time(w.expires_at_ms),
        },
        Wire::Barcodes(w) => barcodes(at, w)?,
    })
}

fn kit(at: usize, w: &pb::Kit) -> Result<ReferenceItem, Error> {
    let field = |name: &str| format!("items[{at}].{name}");
    if w.version == 0 {
        return Err(Error::invalid(
            field("version"),
            "规则版本从 1 开始：请填写后重发",
            "versions count from 1: fill it in and send it again",
        ));
    }
    let targets = at_most(field("targets"), &w.targets, TARGETS_MAX, ("个靶标", "targets"))?;
    if !targets.iter().any(|target| !target.is_internal_control) {
        return Err(Error::invalid(
            field("targets"),
            "至少要有一个非内标靶标：请填写后重发",
            "needs one target that is no internal control: fill it in and send it again",
        ));
    }
    let targets = targets.iter().map(|target| {
        Ok(TargetRule {
            name: required(field("targets.name"), &target.name)?,
            is_internal_control: target.is_internal_control,
            cut_off: number(field("targets.cut_off_hundredths"), target.cut_off_hundredths)?,
            grey_to: number(field("targets.grey_to_hundredths"), target.grey_to_hundredths)?,
        })
    });
    let rule = CallingRule {
        kit: required(field("code"), &w.code)?,
        version: w.version,
        targets: targets.collect::<Result<_, Error>>()?,
        positive_controls_min: number(field("positive_controls_min"), w.positive_controls_min)?,
        negative_controls_min: number(field("negative_controls_min"), w.negative_controls_min)?,
    };
    Ok(ReferenceItem::Kit { name: code(field("name"), &w.name)?, rule })
}

fn barcodes(at: usize, w: &pb::BarcodePattern) -> Result<ReferenceItem, Error> {
    let field = |name: &str| format!("items[{at}].{name}");
    let prefix = code(field("prefix"), &w.prefix)?;
    let length: u16 = number(field("length"), w.length)?;
    // A pattern without room for a serial number fits nothing and would flag every tube.
    if usize::from(length) <= prefix.len() + usize::from(w.luhn) {
        return Err(Error::invalid(
            field("length"),
            "长度须大于前缀加校验位：请更正后重发",
            "must be more than prefix and check digit: correct it and send it again",
        ));
    }
    Ok(ReferenceItem::Barcodes(BarcodePattern { prefix, length, luhn: w.luhn }))
}

/// A piece of a roster.
pub fn roster(
    context: &Context<'_>,
    wire: &pb::ImportRosterRequest,
    now: Time,
) -> Result<Fact, Error> {
    let (id, captured_at) = said(context, wire.fact.as_ref(), now)?;
    let people = at_most("people", &wire.people, ROSTER_PEOPLE_MAX, ("人", "people"))?;
    if people.is_empty() {
        return Err(Error::EmptyBatch);
    }
    let named = context.round(&code("round", &wire.round)?)?;
    let people = context.people(&named, "people", people)?;
    let body = Body::RosterImported {
        roster: required("roster", &wire.roster)?,
        district: code("district", &wire.district)?,
        persons: people.into_iter().map(|member| member.person).collect(),
    };
    Ok(Fact { id, captured_at, round: named.round, body })
}

/// The opening of a round. The key is named after the round when the request names none.
pub fn open_round(
    context: &Context<'_>,
    wire: &pb::OpenRoundRequest,
    now: Time,
) -> Result<Fact, Error> {
    let (id, captured_at) = said(context, wire.fact.as_ref(), now)?;
    let round = required("round", &wire.round)?;
    let key_id = match wire.key_id.is_empty() {
        true => round.clone(),
        false => code("key_id", &wire.key_id)?,
    };
    let body = Body::RoundOpened { name: code("name", &wire.name)?, key_id, pool: size(wire.pool) };
    Ok(Fact { id, captured_at, round, body })
}

/// The closing of a round.
pub fn close_round(
    context: &Context<'_>,
    wire: &pb::CloseRoundRequest,
    now: Time,
) -> Result<Fact, Error> {
    let (id, captured_at) = said(context, wire.fact.as_ref(), now)?;
    let round = required("round", &wire.round)?;
    if !context.reference.rounds.contains_key(&round) {
        return Err(Error::RoundUnknown { round: round.into() });
    }
    Ok(Fact { id, captured_at, round, body: Body::RoundClosed {} })
}

/// A switch to another version of a kit's rule.
pub fn switch_rule(
    context: &Context<'_>,
    wire: &pb::SwitchRuleRequest,
    now: Time,
) -> Result<Fact, Error> {
    let (id, captured_at) = said(context, wire.fact.as_ref(), now)?;
    let kit = required("kit", &wire.kit)?;
    let known = context.reference.kits.get(&kit);
    if known.and_then(|known| known.rule(wire.version)).is_none() {
        return Err(Error::invalid(
            "version",
            "该试剂盒没有此规则版本：请先导入",
            "the kit has no rule of this version: import it first",
        ));
    }
    let from = Time(wire.from_ms);
    let body = Body::RuleSwitched { kit, version: wire.version, from };
    Ok(Fact { id, captured_at, round: Code::default(), body })
}

/// A tick of a drill's clock.
pub fn tick(context: &Context<'_>, wire: &pb::TickRequest, now: Time) -> Result<Fact, Error> {
    let (id, captured_at) = said(context, wire.fact.as_ref(), now)?;
    let body = Body::ClockTicked { now: Time(wire.now_ms) };
    Ok(Fact { id, captured_at, round: Code::default(), body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reference::Reference;
    use crate::keyring::KeyRing;

    fn comes_of(item: Wire) -> String {
        let dir = tempfile::tempdir().unwrap();
        let (keys, reference) = (KeyRing::open(dir.path()).unwrap(), Reference::default());
        let context = Context::new(&keys, &reference, None);
        let id = Some(pb::FactId { source: "office".into(), epoch: 1, number: 1 });
        let wire = pb::ImportReferenceRequest {
            fact: Some(pb::AdministrationFact { id, captured_at_ms: 0 }),
            file: "f".into(),
            items: vec![pb::ReferenceItem { item: Some(item) }],
        };
        match import(&context, &wire, Time(9)) {
            Ok(fact) => {
                assert_eq!(fact.captured_at, Time(9), "0 stands for now");
                "imported".into()
            }
            Err(error) => format!("{:?} {}", error.reason(), error.field()),
        }
    }

    fn kit(version: u32, internal: bool, cut_off: u32) -> Wire {
        let target = pb::TargetRule {
            name: "N".into(),
            is_internal_control: internal,
            cut_off_hundredths: cut_off,
            grey_to_hundredths: 0,
        };
        let targets = vec![target];
        Wire::Kit(pb::Kit { code: "K".into(), version, targets, ..pb::Kit::default() })
    }

    #[test]
    fn a_line_of_a_file_that_means_nothing_is_named() {
        let site = |code: &str| Wire::Site(pb::Site { code: code.into(), ..pb::Site::default() });
        let level = |level: i32| {
            Wire::Jurisdiction(pb::Jurisdiction { code: "J".into(), level, ..Default::default() })
        };
        let bars = |prefix: &str, length: u32| {
            Wire::Barcodes(pb::BarcodePattern { prefix: prefix.into(), length, luhn: true })
        };
        let table = [
            (site("S1"), "imported"),
            (site(""), "Invalid items[0].code"),
            (site(&"S".repeat(65)), "TooLarge items[0].code"),
            (level(2), "imported"),
            (level(0), "Invalid items[0].level"),
            (kit(1, false, 3_800), "imported"),
            (kit(0, false, 3_800), "Invalid items[0].version"),
            (kit(1, true, 3_800), "Invalid items[0].targets"),
            (kit(1, false, 70_000), "Invalid items[0].targets.cut_off_hundredths"),
            (bars("AB", 12), "imported"),
            (bars("AB", 3), "Invalid items[0].length"),
        ];
        for (item, expected) in table {
            assert_eq!(comes_of(item.clone()), expected, "{item:?}");
        }
    }
}
