//! Numbers of a city that a file may give by themselves, and where each comes from: the file, with or without a source, the norm
//! pack, the program, or whoever asks.

use super::{City, Origin, Words};

/// Where the target of a city comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetFrom {
    /// The city file.
    #[default]
    File,
    /// The norm pack: the city file gives none.
    Norm,
    /// Whoever asks gave another one.
    Asked,
}

/// A number with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Key: `district[530102].persons_per_tube`.
    pub key: String,
    /// The number in its unit.
    pub value: Words,
    /// Its unit; empty where there is no number.
    pub unit: Words,
    /// Where it comes from, as a key: `city_file`, `norm`, `asked`, `product`.
    pub from: &'static str,
    /// Its status and source, where they are stated.
    pub origin: Option<Origin>,
}

impl Given {
    /// Where it comes from, for one whose source is not stated.
    pub fn from_words(&self) -> Words {
        match self.from {
            "asked" => Words::new("本次提问所给", "given with the question"),
            "product" => Words::new(
                "程序默认，城市文件未写",
                "the program's default: the city file gives none",
            ),
            "norm" => Words::new("规范包", "the norm pack"),
            _ => Words::new("城市文件，未注明来源", "the city file, which states no source"),
        }
    }
}

impl City {
    /// The target, the longest way, and each pool size that the city file gives in place of the norm pack's.
    pub fn given(&self) -> Vec<Given> {
        let (hours, minutes) = (Words::new("小时", "h"), Words::new("分钟", "min"));
        let (from, origin) = match self.target_from {
            TargetFrom::File => ("city_file", self.target_origin.clone()),
            TargetFrom::Norm => {
                ("norm", Some(self.norm.target_origin(self.population.value).clone()))
            }
            TargetFrom::Asked => ("asked", None),
        };
        let number = |n: u64| Words::new(n.to_string(), n.to_string());
        let target = Given {
            key: "target_hours".to_owned(),
            value: number(self.target_h.into()),
            unit: hours,
            from,
            origin,
        };
        let travel = Given {
            key: "max_travel_minutes".to_owned(),
            value: match self.max_travel_s {
                Some(seconds) => number(seconds / 60),
                None => Words::new("不限", "no limit"),
            },
            unit: if self.max_travel_s.is_some() { minutes } else { Words::default() },
            from: if self.max_travel_s.is_some() { "city_file" } else { "product" },
            origin: self.max_travel_origin.clone(),
        };
        let pool = |key: String, pool: Option<u64>, origin: &Option<Origin>| {
            Some(Given {
                key: format!("{key}.persons_per_tube"),
                value: number(pool?),
                unit: Words::new("人", "persons"),
                from: "city_file",
                origin: origin.clone(),
            })
        };
        let pools = self.districts.iter().flat_map(|d| {
            let at = format!("district[{}]", d.code);
            let own = pool(at.clone(), d.pool, &d.pool_origin);
            let streets = d.streets.iter().filter_map(move |s| {
                pool(format!("{at}.street[{}]", s.code), s.pool, &s.pool_origin)
            });
            own.into_iter().chain(streets).collect::<Vec<_>>()
        });
        [target, travel].into_iter().chain(pools).collect()
    }
}
