//! What a fact says, in words: for the history of a tube. Names no person.

use super::super::pb;
use super::words::text;
use crate::domain::fact::Body;
use pb::FactKind as Kind;

/// The kind of a fact on the wire.
pub const fn kind(body: &Body) -> Kind {
    match body {
        Body::PersonSwabbed { .. } => Kind::PersonSwabbed,
        Body::TubeCollected { .. } => Kind::TubeCollected,
        Body::MemberWithdrawn { .. } => Kind::MemberWithdrawn,
        Body::MemberCorrected { .. } => Kind::MemberCorrected,
        Body::TubeSealed { .. } => Kind::TubeSealed,
        Body::TubeVoided { .. } => Kind::TubeVoided,
        Body::TubesPacked { .. } => Kind::TubesPacked,
        Body::BoxHandedOver { .. } => Kind::BoxHandedOver,
        Body::BoxReceived { .. } => Kind::BoxReceived,
        Body::TubeReceived { .. } => Kind::TubeReceived,
        Body::TubeRejected { .. } => Kind::TubeRejected,
        Body::TubeLost { .. } => Kind::TubeLost,
        Body::PlateLoaded { .. } => Kind::PlateLoaded,
        Body::RunReported { .. } => Kind::RunReported,
        Body::CallReviewed { .. } => Kind::CallReviewed,
        Body::ResultAmended { .. } => Kind::ResultAmended,
        Body::ResultReleased { .. } => Kind::ResultReleased,
        Body::PlateReassessed { .. } => Kind::PlateReassessed,
        Body::ReferenceImported { .. } => Kind::ReferenceImported,
        Body::RosterImported { .. } => Kind::RosterImported,
        Body::RoundOpened { .. } => Kind::RoundOpened,
        Body::RoundClosed {} => Kind::RoundClosed,
        Body::RuleSwitched { .. } => Kind::RuleSwitched,
        Body::ClockTicked { .. } => Kind::ClockTicked,
    }
}

/// What a fact says, for people.
pub fn say(body: &Body) -> pb::Text {
    let both = |zh: String, en: String| pb::Text { zh, en };
    match body {
        Body::PersonSwabbed { desk, pool, .. } => both(
            format!("采样台 {desk} 采入一人（{pool} 混采）"),
            format!("one person swabbed at desk {desk}, pool of {pool}"),
        ),
        Body::TubeCollected { desk, pool, members, .. } => both(
            format!("采样台 {desk} 整管采样 {} 人（{pool} 混采）", members.len()),
            format!("collected at desk {desk} with {} people, pool of {pool}", members.len()),
        ),
        Body::MemberWithdrawn { .. } => text("撤销一人登记", "one person's registration withdrawn"),
        Body::MemberCorrected { .. } => text("更正一人登记", "one person's registration corrected"),
        Body::TubeSealed { swabs, .. } => {
            both(format!("封管，共 {swabs} 支拭子"), format!("sealed with {swabs} swabs"))
        }
        Body::TubesPacked { container, tubes } => both(
            format!("装入转运箱 {container}（本次 {} 管）", tubes.len()),
            format!("packed in box {container} with {} tubes", tubes.len()),
        ),
        Body::BoxHandedOver { container, carrier, lab } => both(
            format!("转运箱 {container} 交接给 {carrier}，送往 {lab}"),
            format!("box {container} handed over to {carrier}, bound for {lab}"),
        ),
        Body::BoxReceived { container, lab, tubes } if tubes.is_empty() => both(
            format!("实验室 {lab} 整箱接收 {container}"),
            format!("box {container} taken unopened by {lab}"),
        ),
        Body::BoxReceived { container, lab, tubes } => both(
            format!("实验室 {lab} 接收转运箱 {container}，扫描 {} 管", tubes.len()),
            format!("box {container} taken by {lab}, {} tubes scanned", tubes.len()),
        ),
        Body::TubeReceived { lab, condition, .. } => both(
            format!("实验室 {lab} 收样，{}", condition.zh()),
            format!("taken by {lab}, {}", condition.en()),
        ),
        Body::TubeRejected { lab, reason, .. } => both(
            format!("实验室 {lab} 拒收：{}", reason.zh()),
            format!("refused by {lab}: {}", reason.en()),
        ),
        Body::TubeLost { .. } => text("报失", "reported lost"),
        Body::TubeVoided { reason, replaced_by, .. } if replaced_by.is_empty() => {
            both(format!("作废：{}", reason.zh()), format!("made void: {}", reason.en()))
        }
        Body::TubeVoided { reason, replaced_by, .. } => both(
            format!("作废：{}，样本在 {replaced_by}", reason.zh()),
            format!("made void: {}, the swabs are in {replaced_by}", reason.en()),
        ),
        Body::PlateLoaded { plate, lab, kit, .. } => both(
            format!("实验室 {lab} 上板 {plate}，试剂盒 {kit}"),
            format!("loaded on plate {plate} at {lab}, kit {kit}"),
        ),
        Body::RunReported { plate, run, instrument, .. } => both(
            format!("仪器 {instrument} 报告板 {plate} 批次 {run}"),
            format!("run {run} of plate {plate} reported by {instrument}"),
        ),
        Body::CallReviewed { call, reviewer, .. } => both(
            format!("{reviewer} 复核：{}", call.map_or("以所列批次为准", |call| call.zh())),
            format!(
                "reviewed by {reviewer}: {}",
                call.map_or("by the named runs", |call| call.en())
            ),
        ),
        Body::ResultAmended { call, reason, .. } => both(
            format!("结果更正为{}：{reason}", call.zh()),
            format!("result amended to {}: {reason}", call.en()),
        ),
        Body::ResultReleased { lab, .. } => {
            both(format!("实验室 {lab} 发布结果"), format!("result released by {lab}"))
        }
        Body::PlateReassessed { plate } => {
            both(format!("板 {plate} 重新判读"), format!("plate {plate} judged again"))
        }
        Body::ReferenceImported { file, items } => both(
            format!("导入基础数据 {file}（{} 项）", items.len()),
            format!("reference data imported from {file}, {} items", items.len()),
        ),
        Body::RosterImported { roster, persons, .. } => both(
            format!("导入名册 {roster}（{} 人）", persons.len()),
            format!("roster {roster} imported, {} people", persons.len()),
        ),
        Body::RoundOpened { name, .. } => {
            both(format!("轮次开始：{name}"), format!("round opened: {name}"))
        }
        Body::RoundClosed {} => text("轮次结束", "round closed"),
        Body::RuleSwitched { kit, version, .. } => both(
            format!("试剂盒 {kit} 改用第 {version} 版判读规则"),
            format!("kit {kit} switched to version {version} of its rule"),
        ),
        Body::ClockTicked { .. } => text("演练时钟", "drill clock"),
    }
}
