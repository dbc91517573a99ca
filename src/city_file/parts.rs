//! The parts of a norm pack that describe the way of people and tubes. A pack states them; a pack on a base, and a city,
//! state only what differs: what they leave out is `kept` with its source.

use super::sheet::Block;
use crate::planner::{
    DerateNorm, FieldNorm, LargeCity, Norm, PrevalenceNorm, RecallNorm, Sourced, TARGET_HOURS_MAX,
    TransportNorm, Words, ZoneNorm,
};

type Sources = [(String, Words)];

/// One table of numbers: what stands there, and what is kept where nothing stands.
struct Part<'b, 's, T> {
    block: Block<'s>,
    kept: Option<&'b T>,
    sources: &'b Sources,
}

impl<T> Part<'_, '_, T> {
    /// A number of the table in units of 1/`scale`, or the kept one.
    fn of(
        &self,
        key: &'static str,
        scale: u64,
        bounds: [u64; 2],
        kept: fn(&T) -> &Sourced<u64>,
    ) -> Option<Sourced<u64>> {
        let [from, to] = bounds;
        self.block.sourced_or(key, scale, from..=to, self.sources, self.kept.map(kept))
    }

    /// Notes a number that may be as small as its unit allows, but not 0.
    fn above_zero(&self, key: &'static str, read: &Option<Sourced<u64>>) {
        if read.as_ref().is_some_and(|n| n.value == 0) {
            let what = [format!("“{key}”为 0"), format!("`{key}` is 0")];
            let at = self.block.spot(key);
            self.block.sheet.problem(&at, [&what[0], &what[1]], ["大于 0", "above 0"]);
        }
    }
}

/// Reads the table `key` by `read`, or keeps what is there.
fn part<'b, 's, T: Clone>(
    root: &Block<'s>,
    key: &'static str,
    kept: Option<&'b T>,
    sources: &'b Sources,
    read: fn(&Part<'b, 's, T>) -> Option<T>,
) -> Option<T> {
    let block = match kept {
        Some(_) if !root.has(key) => {
            return kept.cloned();
        }
        _ => root.block(key)?,
    };
    let part = Part { block, kept, sources };
    let value = read(&part);
    part.block.close();
    value
}

/// Minutes to seconds.
const MINUTES: u64 = 60;
/// Percent to permille.
const PERCENT: u64 = 10;
/// Most minutes of a wait: a week.
const WAIT_MAX: u64 = 10_080;

/// `[field]`.
pub(super) fn field(
    root: &Block<'_>,
    kept: Option<&FieldNorm>,
    sources: &Sources,
) -> Option<FieldNorm> {
    part(root, "field", kept, sources, |p| {
        let ramp_s = p.of("ramp_minutes", MINUTES, [0, 1440], |n| &n.ramp_s);
        let ramp_percent = p.of("ramp_percent", 1, [1, 100], |n| &n.ramp_percent);
        let desk = p.of("desk_spread_percent", PERCENT, [0, 200], |n| &n.desk_spread_permille);
        let site = p.of("site_spread_percent", PERCENT, [0, 200], |n| &n.site_spread_permille);
        let box_tubes = p.of("box_tubes", 1, [1, 10_000], |n| &n.box_tubes);
        let straggler = p.of("straggler_percent", PERCENT, [0, 100], |n| &n.straggler_permille);
        let tail = p.of("straggler_tail_minutes", MINUTES, [0, WAIT_MAX], |n| &n.straggler_tail_s);
        let coverage = p.of("coverage_percent", PERCENT, [1, 100], |n| &n.coverage_permille);
        Some(FieldNorm {
            ramp_s: ramp_s?,
            ramp_percent: ramp_percent?,
            desk_spread_permille: desk?,
            site_spread_permille: site?,
            box_tubes: box_tubes?,
            straggler_permille: straggler?,
            straggler_tail_s: tail?,
            coverage_permille: coverage?,
        })
    })
}

/// `[transport]`.
pub(super) fn transport(
    root: &Block<'_>,
    kept: Option<&TransportNorm>,
    sources: &Sources,
) -> Option<TransportNorm> {
    part(root, "transport", kept, sources, |p| {
        let tubes = p.of("vehicle_tubes", 1, [1, 10_000_000], |n| &n.vehicle_tubes);
        let handling = p.of("handling_minutes", MINUTES, [0, 1440], |n| &n.handling_s);
        let travel = p.of("travel_minutes", MINUTES, [0, WAIT_MAX], |n| &n.travel_s);
        let spread =
            p.of("travel_spread_percent", PERCENT, [0, 200], |n| &n.travel_spread_permille);
        let hold = p.of("hold_minutes", MINUTES, [0, 1440], |n| &n.hold_s);
        let speed = p.of("speed_kmh", 10, [1, 300], |n| &n.speed_kmh_tenths);
        let persons = p.of("persons_per_vehicle", 1, [1, 100_000_000], |n| &n.persons_per_vehicle);
        Some(TransportNorm {
            vehicle_tubes: tubes?,
            handling_s: handling?,
            travel_s: travel?,
            travel_spread_permille: spread?,
            hold_s: hold?,
            speed_kmh_tenths: speed?,
            persons_per_vehicle: persons?,
        })
    })
}

/// `[recall]`.
pub(super) fn recall(
    root: &Block<'_>,
    kept: Option<&RecallNorm>,
    sources: &Sources,
) -> Option<RecallNorm> {
    part(root, "recall", kept, sources, |p| {
        let delay = p.of("delay_minutes", MINUTES, [0, WAIT_MAX], |n| &n.delay_s);
        let spread = p.of("delay_spread_percent", PERCENT, [0, 300], |n| &n.delay_spread_permille);
        let travel = p.of("travel_minutes", MINUTES, [0, WAIT_MAX], |n| &n.travel_s);
        let hold = p.of("hold_minutes", MINUTES, [0, 1440], |n| &n.hold_s);
        Some(RecallNorm {
            delay_s: delay?,
            delay_spread_permille: spread?,
            travel_s: travel?,
            hold_s: hold?,
        })
    })
}

/// `[prevalence]`.
pub(super) fn prevalence(
    root: &Block<'_>,
    kept: Option<&PrevalenceNorm>,
    sources: &Sources,
) -> Option<PrevalenceNorm> {
    part(root, "prevalence", kept, sources, |p| {
        let alpha = p.of("alpha", 1000, [0, 1_000_000_000], |n| &n.alpha_milli);
        let beta = p.of("beta", 1000, [0, 1_000_000_000], |n| &n.beta_milli);
        p.above_zero("alpha", &alpha);
        p.above_zero("beta", &beta);
        let rho = p.of("rho_percent", PERCENT, [0, 99], |n| &n.rho_permille);
        let cluster = p.of("cluster_tubes", 10, [1, 1000], |n| &n.cluster_tubes_tenths);
        Some(PrevalenceNorm {
            alpha_milli: alpha?,
            beta_milli: beta?,
            rho_permille: rho?,
            cluster_tubes_tenths: cluster?,
        })
    })
}

/// `[derate]`.
pub(super) fn derate(
    root: &Block<'_>,
    kept: Option<&DerateNorm>,
    sources: &Sources,
) -> Option<DerateNorm> {
    part(root, "derate", kept, sources, |p| {
        let mean = p.of("mean_percent", PERCENT, [1, 100], |n| &n.mean_permille);
        let spread = p.of("spread_percent", PERCENT, [0, 50], |n| &n.spread_permille);
        if let (Some(mean), Some(spread)) = (&mean, &spread)
            && spread.value > 0
            && spread.value.pow(2) >= mean.value * (1000 - mean.value)
        {
            let what = [
                "数字矛盾：“spread_percent”过大，不成贝塔分布",
                "numbers contradict: `spread_percent` is too large for a beta distribution",
            ];
            let expected = [
                "其平方小于 mean_percent ×（100 − mean_percent）",
                "its square below mean_percent × (100 − mean_percent)",
            ];
            p.block.sheet.problem(&p.block.spot("spread_percent"), what, expected);
        }
        Some(DerateNorm { mean_permille: mean?, spread_permille: spread? })
    })
}

/// `[large_city]` of a pack; a pack that states a target of its own does not keep the one of its base.
pub(super) fn large_city(
    root: &Block<'_>,
    kept: Option<&Norm>,
    sources: &Sources,
) -> Option<Option<LargeCity>> {
    let Some(block) = root.block_maybe("large_city") else {
        // A table that is no table is noted already.
        let kept = kept.filter(|_| !root.has("target_hours"));
        return Some(kept.and_then(|norm| norm.large_city.clone()));
    };
    let above = block.sourced("above_persons", 1, 1..=2_000_000_000, sources);
    let target = block.sourced("target_hours", 1, 1..=TARGET_HOURS_MAX.into(), sources);
    block.close();
    Some(Some(LargeCity { above_persons: above?, target_h: target? }))
}

/// `[[zone]]` of a pack: all of them, or the base's.
pub(super) fn zones(
    root: &Block<'_>,
    kept: Option<&Norm>,
    sources: &Sources,
) -> Option<Vec<ZoneNorm>> {
    match root.has("zone") {
        true => stated_zones(root, &[], sources).into_iter().collect(),
        false => Some(kept.map_or_else(Vec::new, |norm| norm.zones.clone())),
    }
}

/// `[[zone]]` of a city: one that the pack has as well takes its place, another stands behind the pack's.
pub(super) fn zones_over(root: &Block<'_>, pack: &[ZoneNorm], sources: &Sources) -> Vec<ZoneNorm> {
    let mut zones = pack.to_vec();
    for zone in stated_zones(root, pack, sources).into_iter().flatten() {
        match zones.iter_mut().find(|known| known.key == zone.key) {
            Some(known) => *known = zone,
            None => zones.push(zone),
        }
    }
    zones
}

/// Each `[[zone]]` that stands there; the titles of one that is `known` may be left out.
fn stated_zones(root: &Block<'_>, known: &[ZoneNorm], sources: &Sources) -> Vec<Option<ZoneNorm>> {
    let mut keys: Vec<String> = Vec::new();
    let mut zones = Vec::new();
    for block in root.blocks("zone") {
        let key = block.text("key");
        let same = known.iter().find(|zone| key.as_ref() == Some(&zone.key));
        let title = |name, of: fn(&Words) -> &String| match same {
            Some(same) if !block.has(name) => Some(of(&same.title).clone()),
            _ => block.text(name),
        };
        let (zh, en) = (title("title", |w| &w.zh), title("title_en", |w| &w.en));
        let pool = block.sourced("persons_per_tube", 1, 1..=50, sources);
        if let Some(key) = key.as_ref().filter(|key| keys.contains(key)) {
            let what = [
                format!("[[zone]] 的 key“{key}”重复"),
                format!("[[zone]] key \"{key}\" is used twice"),
            ];
            let at = block.spot("key");
            block.sheet.problem(&at, [&what[0], &what[1]], ["每个只用一次", "each once"]);
        }
        keys.extend(key.clone());
        block.close();
        let whole = || Some(ZoneNorm { key: key?, title: Words::new(zh?, en?), pool: pool? });
        zones.push(whole());
    }
    zones
}

/// A box must fit into a vehicle.
pub(super) fn box_fits(root: &Block<'_>, field: &FieldNorm, transport: &TransportNorm) {
    let (tubes, vehicle) = (field.box_tubes.value, transport.vehicle_tubes.value);
    if tubes > vehicle {
        let what = [
            format!("数字矛盾：“box_tubes” {tubes} 大于“vehicle_tubes” {vehicle}"),
            format!(
                "numbers contradict: `box_tubes` {tubes} is more than `vehicle_tubes` {vehicle}"
            ),
        ];
        let at = root.spot(if root.has("field") { "field" } else { "transport" });
        let expected = ["一箱装得进一车", "a box that fits into a vehicle"];
        root.sheet.problem(&at, [&what[0], &what[1]], expected);
    }
}
