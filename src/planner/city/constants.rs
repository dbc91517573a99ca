//! Every constant of a norm pack as it is written in files: for the report, which prints all of them, and for `diff`.

use super::norm::{Clock, Norm, StageNorm};
use super::parts::{
    DerateNorm, FieldNorm, LargeCity, PrevalenceNorm, RecallNorm, TransportNorm, ZoneNorm,
};
use super::sourced::{Origin, Sourced};
use super::words::Words;

/// One constant, in the unit of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant<'n> {
    /// Its key in the file; `table.key` inside a table, `zone[key].key` in a list.
    pub key: String,
    /// What it is.
    pub title: Words,
    /// The number.
    pub value: String,
    /// Its unit.
    pub unit: Words,
    /// Where it comes from.
    pub origin: &'n Origin,
}

/// How a number is kept and written.
#[derive(Clone, Copy)]
enum Unit {
    Persons,
    Tubes,
    Hours,
    Rounds,
    Wells,
    Reactions,
    Shifts,
    /// Kept in tenths.
    PersonsPerHour,
    /// Kept in seconds, written in minutes.
    Minutes,
    Percent,
    /// Kept in permille, written in percent.
    Permille,
    /// Kept in permille per day.
    PermilleDay,
    /// Kept in tenths.
    Speed,
    /// Kept in thousandths, without a unit.
    Milli,
    /// Kept in tenths.
    TubesTenths,
}

impl Unit {
    /// What the kept number is divided by, and the words of the unit.
    fn parts(self) -> (u64, &'static str, &'static str) {
        match self {
            Unit::Persons => (1, "人", "persons"),
            Unit::Tubes => (1, "管", "tubes"),
            Unit::Hours => (1, "小时", "h"),
            Unit::Rounds => (1, "轮", "rounds"),
            Unit::Wells => (1, "孔", "wells"),
            Unit::Reactions => (1, "人份", "reactions"),
            Unit::Shifts => (1, "班", "shifts"),
            Unit::PersonsPerHour => (10, "人", "persons"),
            Unit::Minutes => (60, "分钟", "min"),
            Unit::Percent => (1, "%", "%"),
            Unit::Permille => (10, "%", "%"),
            Unit::PermilleDay => (10, "%/日", "%/day"),
            Unit::Speed => (10, "公里/小时", "km/h"),
            Unit::Milli => (1000, "", ""),
            Unit::TubesTenths => (10, "管", "tubes"),
        }
    }
}

/// `n / scale` in digits, to three decimals at least, exactly where `scale` is a power of ten.
pub(super) fn decimal(n: u64, scale: u64) -> String {
    let (whole, rest) = (n / scale, n % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let places = scale.ilog10().max(3);
    let ten = u128::from(10u64.pow(places));
    let part = (u128::from(rest) * ten + u128::from(scale) / 2) / u128::from(scale);
    let digits = format!("{part:0width$}", width = places as usize);
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// The list while it grows.
struct List<'n> {
    constants: Vec<Constant<'n>>,
    /// Prefix of keys.
    table: String,
    /// Prefix of titles.
    of: Words,
}

impl<'n> List<'n> {
    fn add(&mut self, key: &str, number: &'n Sourced<u64>, unit: Unit, zh: &str, en: &str) {
        let (scale, unit_zh, unit_en) = unit.parts();
        self.constants.push(Constant {
            key: format!("{}{key}", self.table),
            title: Words::new(format!("{}{zh}", self.of.zh), format!("{}{en}", self.of.en)),
            value: decimal(number.value, scale),
            unit: Words::new(unit_zh, unit_en),
            origin: &number.origin,
        });
    }

    fn table(&mut self, table: &str, zh: &str, en: &str) {
        self.table = format!("{table}.");
        self.of = Words::new(format!("{zh}："), format!("{en}: "));
    }
}

impl Norm {
    /// Every constant, in the order of the file.
    pub fn constants(&self) -> Vec<Constant<'_>> {
        use Unit::*;
        // Taken apart by name, so that no constant can be forgotten.
        let Norm {
            name: _,
            title_zh: _,
            title_en: _,
            target_h,
            persons_per_site_min,
            persons_per_site_max,
            persons_per_desk_min,
            persons_per_desk_max,
            persons_per_sampler,
            persons_per_sampler_day,
            registrars_per_desk,
            pool,
            rounds,
            rounds_physical,
            instrument_hours,
            staff_hours,
            shifts,
            sampling_hours,
            desk_rate_tenths,
            wells,
            wells_usable,
            box_s,
            transport_s,
            stages,
            kit_reactions,
            large_city,
            field,
            transport,
            recall,
            prevalence,
            derate,
            zones,
        } = self;
        let none = Words::default();
        let mut list = List { constants: Vec::new(), table: String::new(), of: none };
        for (key, number, unit, zh, en) in [
            ("target_hours", target_h, Hours, "完成时限", "target"),
            (
                "persons_per_site_min",
                persons_per_site_min,
                Persons,
                "每个采样点最少人数",
                "fewest persons per site",
            ),
            (
                "persons_per_site_max",
                persons_per_site_max,
                Persons,
                "每个采样点最多人数",
                "most persons per site",
            ),
            (
                "persons_per_desk_min",
                persons_per_desk_min,
                Persons,
                "每个采样台最少人数",
                "fewest persons per desk",
            ),
            (
                "persons_per_desk_max",
                persons_per_desk_max,
                Persons,
                "每个采样台最多人数",
                "most persons per desk",
            ),
            (
                "persons_per_sampler",
                persons_per_sampler,
                Persons,
                "每名采样人员对应人口",
                "persons per sampler",
            ),
            (
                "persons_per_sampler_day",
                persons_per_sampler_day,
                Persons,
                "每名采样人员每日采样",
                "persons per sampler and day",
            ),
            (
                "registrars_per_desk",
                registrars_per_desk,
                Persons,
                "每台登记人员",
                "registrars per desk",
            ),
            ("persons_per_tube", pool, Persons, "每管人数", "persons per tube"),
            ("rounds", rounds, Rounds, "储备轮数", "rounds held"),
            ("rounds_physical", rounds_physical, Rounds, "实物储备轮数", "rounds on the shelf"),
            ("instrument_hours_per_day", instrument_hours, Hours, "设备每日工作", "instrument day"),
            (
                "staff_hours_per_day",
                staff_hours,
                Hours,
                "人员每日工作（自本轮开始时刻起）",
                "staffed day, from the start of the round",
            ),
            ("shifts", shifts, Shifts, "班次", "shifts"),
            ("sampling_hours_per_day", sampling_hours, Hours, "每日采样时长", "sampling day"),
            (
                "persons_per_desk_hour",
                desk_rate_tenths,
                PersonsPerHour,
                "每台每小时采样",
                "persons per desk and hour",
            ),
            ("wells", wells, Wells, "每板孔数", "wells of a plate"),
            ("wells_usable", wells_usable, Wells, "样本孔数", "wells that hold specimens"),
            ("kit_reactions", kit_reactions, Reactions, "每盒试剂", "reactions of a kit"),
            ("box_minutes", box_s, Minutes, "封箱时限", "a box leaves after"),
            ("transport_minutes", transport_s, Minutes, "转运时限", "limit of transport"),
        ] {
            list.add(key, number, unit, zh, en);
        }
        for stage in stages {
            stage_constants(&mut list, stage);
        }
        if let Some(LargeCity { above_persons, target_h }) = large_city {
            list.table("large_city", "大城市", "large city");
            list.add("above_persons", above_persons, Persons, "人口超过", "more persons than");
            list.add("target_hours", target_h, Hours, "完成时限", "target");
        }
        field_constants(&mut list, field);
        transport_constants(&mut list, transport);
        recall_constants(&mut list, recall);
        prevalence_constants(&mut list, prevalence);
        let DerateNorm { mean_permille, spread_permille } = derate;
        list.table("derate", "实际能力占公布能力", "real share of declared capacity");
        list.add("mean_percent", mean_permille, Permille, "均值", "mean");
        list.add("spread_percent", spread_permille, Permille, "标准差", "standard deviation");
        for ZoneNorm { key, title, pool } in zones {
            list.table(&format!("zone[{key}]"), &title.zh, &title.en);
            list.add("persons_per_tube", pool, Persons, "每管人数", "persons per tube");
        }
        list.constants
    }
}

fn stage_constants<'n>(list: &mut List<'n>, stage: &'n StageNorm) {
    let StageNorm {
        kind,
        clock,
        run_s,
        load_s,
        crew,
        spread_permille,
        breakdowns_permille_day,
        repair_s,
        hold_s,
    } = stage;
    let name = kind.name();
    list.table(kind.key(), &name.zh, &name.en);
    list.add("run_minutes", run_s, Unit::Minutes, "每次运行", "one run");
    if let Some(run) = list.constants.last_mut() {
        run.unit = match clock {
            Clock::Instrument => Words::new("分钟（仪器日）", "min (instrument day)"),
            Clock::Staffed => Words::new("分钟（轮班）", "min (shifts)"),
        };
    }
    list.add("load_minutes", load_s, Unit::Minutes, "装卸", "loading");
    list.add("crew", crew, Unit::Persons, "每班人数", "persons per shift");
    list.add(
        "spread_percent",
        spread_permille,
        Unit::Permille,
        "最多延长",
        "takes longer by up to",
    );
    list.add(
        "breakdowns_percent_day",
        breakdowns_permille_day,
        Unit::PermilleDay,
        "故障率",
        "breakdowns",
    );
    list.add("repair_minutes", repair_s, Unit::Minutes, "修复用时", "repair");
    list.add(
        "hold_minutes",
        hold_s,
        Unit::Minutes,
        "等待满批的时限",
        "longest wait for a full batch",
    );
}

fn field_constants<'n>(list: &mut List<'n>, field: &'n FieldNorm) {
    let FieldNorm {
        ramp_s,
        ramp_percent,
        desk_spread_permille,
        site_spread_permille,
        box_tubes,
        straggler_permille,
        straggler_tail_s,
        coverage_permille,
    } = field;
    use Unit::{Minutes, Percent, Permille, Tubes};
    list.table("field", "采样", "collection");
    for (key, number, unit, zh, en) in [
        ("ramp_minutes", ramp_s, Minutes, "起步阶段", "first minutes, slower"),
        ("ramp_percent", ramp_percent, Percent, "起步阶段速度", "speed in the first minutes"),
        (
            "desk_spread_percent",
            desk_spread_permille,
            Permille,
            "台间速度离散",
            "spread between desks",
        ),
        (
            "site_spread_percent",
            site_spread_permille,
            Permille,
            "点间速度离散",
            "spread between sites",
        ),
        ("box_tubes", box_tubes, Tubes, "每箱管数", "tubes of a full box"),
        ("straggler_percent", straggler_permille, Permille, "晚到者占比", "people who come late"),
        (
            "straggler_tail_minutes",
            straggler_tail_s,
            Minutes,
            "平均晚到",
            "mean delay of late comers",
        ),
        ("coverage_percent", coverage_permille, Permille, "到检率", "residents who come"),
    ] {
        list.add(key, number, unit, zh, en);
    }
}

fn transport_constants<'n>(list: &mut List<'n>, transport: &'n TransportNorm) {
    let TransportNorm {
        vehicle_tubes,
        handling_s,
        travel_s,
        travel_spread_permille,
        hold_s,
        speed_kmh_tenths,
        persons_per_vehicle,
    } = transport;
    use Unit::{Minutes, Permille, Persons, Speed, Tubes};
    list.table("transport", "转运", "transport");
    for (key, number, unit, zh, en) in [
        ("vehicle_tubes", vehicle_tubes, Tubes, "每车管数", "tubes of one trip"),
        ("handling_minutes", handling_s, Minutes, "装车交接", "loading and hand-over"),
        (
            "travel_minutes",
            travel_s,
            Minutes,
            "路途时间（中位数，亦为下限）",
            "time on the way (median, and the least)",
        ),
        (
            "travel_spread_percent",
            travel_spread_permille,
            Permille,
            "路途离散",
            "spread of the way",
        ),
        ("hold_minutes", hold_s, Minutes, "封箱后最长等待", "longest wait of a closed box"),
        ("speed_kmh", speed_kmh_tenths, Speed, "直线速度", "speed along the straight line"),
        (
            "persons_per_vehicle",
            persons_per_vehicle,
            Persons,
            "每车对应人口",
            "residents per vehicle",
        ),
    ] {
        list.add(key, number, unit, zh, en);
    }
}

fn recall_constants<'n>(list: &mut List<'n>, recall: &'n RecallNorm) {
    let RecallNorm { delay_s, delay_spread_permille, travel_s, hold_s } = recall;
    use Unit::{Minutes, Permille};
    list.table("recall", "追阳复采", "recall");
    for (key, number, unit, zh, en) in [
        ("delay_minutes", delay_s, Minutes, "到复采中位数", "median until the single sample"),
        ("delay_spread_percent", delay_spread_permille, Permille, "离散", "spread"),
        ("travel_minutes", travel_s, Minutes, "送检路途", "way to the lab"),
        ("hold_minutes", hold_s, Minutes, "优先板最长等待", "longest wait of a priority plate"),
    ] {
        list.add(key, number, unit, zh, en);
    }
}

fn prevalence_constants<'n>(list: &mut List<'n>, prevalence: &'n PrevalenceNorm) {
    let PrevalenceNorm { alpha_milli, beta_milli, rho_permille, cluster_tubes_tenths } = prevalence;
    use Unit::{Milli, Permille, TubesTenths};
    list.table("prevalence", "阳性率", "prevalence");
    for (key, number, unit, zh, en) in [
        ("alpha", alpha_milli, Milli, "贝塔先验 α", "beta prior, alpha"),
        ("beta", beta_milli, Milli, "贝塔先验 β", "beta prior, beta"),
        ("rho_percent", rho_permille, Permille, "管内相关", "correlation in a tube"),
        (
            "cluster_tubes",
            cluster_tubes_tenths,
            TubesTenths,
            "相邻阳性管数",
            "positive tubes in a row",
        ),
    ] {
        list.add(key, number, unit, zh, en);
    }
}
