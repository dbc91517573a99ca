//! The problem: streets with tubes, labs with a rate, and who may send to whom. What is wrong with it is said by name.

use crate::planner::city::Words;

/// Most tubes of one problem. Above it, the integers of the flow would lose the last digits of the finish.
pub const TUBES_MAX: u64 = 1 << 32;
/// Most labs of one problem.
pub const LABS_MAX: usize = 4096;
/// Slowest and fastest lab that is taken for a lab, in tubes per hour. A rate of 0 is a lab that cannot work.
const RATES: std::ops::RangeInclusive<f64> = 1e-6..=1e9;
/// Longest head start, in hours: ten years.
const HEAD_START_MAX: f64 = 87_600.0;
/// Longest way, in kilometres: half around the Earth.
const KM_MAX: f64 = 20_000.0;
/// Longest travel, in minutes: two weeks.
const MINUTES_MAX: f64 = 20_160.0;

/// Streets, labs, and the ways between them. Streets and labs are named by their index everywhere else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problem {
    /// Who sends.
    pub streets: Vec<Street>,
    /// Who tests.
    pub labs: Vec<Lab>,
}

/// A street (街道) and the labs it may send to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Street {
    /// Its code, for messages.
    pub code: String,
    /// Its name; may be empty.
    pub name: Words,
    /// Tubes to be tested. 0 is a street that sends nothing; it may have no way.
    pub tubes: u64,
    /// The labs it may send to, each at most once.
    pub ways: Vec<Way>,
}

/// A street may send to this lab.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// Index of the lab.
    pub lab: usize,
    /// Travel, in minutes. It is reported; what the first boxes lose by it is in the lab's head start.
    pub minutes: f64,
    /// Distance, in km. Counted to the metre.
    pub km: f64,
}

/// A lab: `load` tubes are tested `head_start_h + load / rate` hours from now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lab {
    /// Its code, for messages.
    pub code: String,
    /// Its name; may be empty.
    pub name: Words,
    /// Tubes per hour. 0 is legal: the lab takes nothing.
    pub rate: f64,
    /// Hours until its first tube can be worked: first boxes and their transport.
    pub head_start_h: f64,
    /// Whether it belongs to another city: it is used only when those inside cannot do it, and as little as possible.
    pub outside: bool,
}

impl Street {
    /// What it is called in a sentence: its name, else its code.
    pub(super) fn called(&self) -> Words {
        let or_code = |name: &str| if name.is_empty() { &self.code } else { name }.to_owned();
        Words::new(or_code(&self.name.zh), or_code(&self.name.en))
    }
}

impl Lab {
    /// What it is called in a sentence: its code and name, where it has one.
    pub(super) fn called(&self) -> Words {
        let with_code = |name: &str| format!("{} {name}", self.code).trim_end().to_owned();
        Words::new(with_code(&self.name.zh), with_code(&self.name.en))
    }
}

/// What is wrong with a problem. The first fault is told: labs by index, then streets.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nobody tests.
    #[error("there are no labs")]
    NoLabs,
    /// More than [`LABS_MAX`].
    #[error("{labs} labs, more than {LABS_MAX}")]
    TooManyLabs {
        /// How many.
        labs: usize,
    },
    /// More than [`TUBES_MAX`] over all streets.
    #[error("more than {TUBES_MAX} tubes in all streets")]
    TooManyTubes,
    /// A number of a lab is not one that a lab can have.
    #[error("lab {code}: {what} {value} is not between {low} and {high}")]
    BadLab {
        /// Index of the lab.
        lab: usize,
        /// Its code.
        code: String,
        /// Which number.
        what: &'static str,
        /// The number; may be no number.
        value: f64,
        /// Least allowed (a rate may also be 0).
        low: f64,
        /// Most allowed.
        high: f64,
    },
    /// A number of a way is not one that a way can have.
    #[error(
        "street {code}: {what} {value} to lab number {} is not between 0 and {high}", lab + 1
    )]
    BadWay {
        /// Index of the street.
        street: usize,
        /// Its code.
        code: String,
        /// Index of the lab.
        lab: usize,
        /// Which number.
        what: &'static str,
        /// The number; may be no number.
        value: f64,
        /// Most allowed.
        high: f64,
    },
    /// A way leads to a lab that is not there.
    #[error("street {code}: lab number {} is unknown, there are {labs} labs", lab + 1)]
    UnknownLab {
        /// Index of the street.
        street: usize,
        /// Its code.
        code: String,
        /// The index that is not there.
        lab: usize,
        /// How many labs there are.
        labs: usize,
    },
    /// The same lab twice for one street.
    #[error("street {code}: lab number {} is listed twice", lab + 1)]
    TwoWays {
        /// Index of the street.
        street: usize,
        /// Its code.
        code: String,
        /// Index of the lab.
        lab: usize,
    },
    /// A street with tubes has no way to any lab.
    #[error("street {code} has {tubes} tubes and may send to no lab")]
    NoWay {
        /// Index of the street.
        street: usize,
        /// Its code.
        code: String,
        /// Its tubes.
        tubes: u64,
    },
    /// A street with tubes may send only to labs that cannot work: a stage of each has no unit or nobody.
    #[error("street {code} has {tubes} tubes and its only labs cannot work: {}", codes.join(", "))]
    OnlyIdleLabs {
        /// Index of the street.
        street: usize,
        /// Its code.
        code: String,
        /// Its tubes.
        tubes: u64,
        /// Indices of the labs.
        labs: Vec<usize>,
        /// Their codes.
        codes: Vec<String>,
    },
    /// An option is out of its range.
    #[error("{what} {value} is not between {low} and {high}")]
    BadOption {
        /// Which.
        what: &'static str,
        /// The number; may be no number.
        value: f64,
        /// Least allowed.
        low: f64,
        /// Most allowed.
        high: f64,
    },
    /// A list that goes by street or by lab has another length.
    #[error("{what}: {has} entries, expected {expected}")]
    Length {
        /// Which list.
        what: &'static str,
        /// Its length.
        has: usize,
        /// The number of streets or labs.
        expected: usize,
    },
}

impl Problem {
    /// Tubes of all streets.
    pub fn tubes(&self) -> u64 {
        self.streets.iter().fold(0, |sum, street| sum.saturating_add(street.tubes))
    }

    /// Whether a plan can be made of it.
    ///
    /// # Errors
    /// The first fault, with the street or lab that has it.
    pub fn check(&self) -> Result<(), Error> {
        if self.labs.is_empty() {
            return Err(Error::NoLabs);
        }
        if self.labs.len() > LABS_MAX {
            return Err(Error::TooManyLabs { labs: self.labs.len() });
        }
        for (lab, it) in self.labs.iter().enumerate() {
            let bad = |what, value, low, high| Error::BadLab {
                lab,
                code: it.code.clone(),
                what,
                value,
                low,
                high,
            };
            if it.rate != 0.0 && !RATES.contains(&it.rate) {
                return Err(bad("rate per hour", it.rate, *RATES.start(), *RATES.end()));
            }
            if !(0.0..=HEAD_START_MAX).contains(&it.head_start_h) {
                return Err(bad("head start in hours", it.head_start_h, 0.0, HEAD_START_MAX));
            }
        }
        let mut last_street_of = vec![usize::MAX; self.labs.len()];
        for (street, it) in self.streets.iter().enumerate() {
            self.check_ways(street, it, &mut last_street_of)?;
        }
        // Each street by itself first, so that the sum cannot run over.
        let most = self.streets.iter().map(|street| street.tubes).max().unwrap_or(0);
        if most > TUBES_MAX || self.tubes() > TUBES_MAX {
            return Err(Error::TooManyTubes);
        }
        Ok(())
    }

    fn check_ways(
        &self,
        street: usize,
        it: &Street,
        last_street_of: &mut [usize],
    ) -> Result<(), Error> {
        let code = || it.code.clone();
        for way in &it.ways {
            let lab = way.lab;
            let Some(last) = last_street_of.get_mut(lab) else {
                return Err(Error::UnknownLab { street, code: code(), lab, labs: self.labs.len() });
            };
            if std::mem::replace(last, street) == street {
                return Err(Error::TwoWays { street, code: code(), lab });
            }
            for (what, value, high) in
                [("km", way.km, KM_MAX), ("travel minutes", way.minutes, MINUTES_MAX)]
            {
                if !(0.0..=high).contains(&value) {
                    return Err(Error::BadWay { street, code: code(), lab, what, value, high });
                }
            }
        }
        if it.tubes > 0 && it.ways.is_empty() {
            return Err(Error::NoWay { street, code: code(), tubes: it.tubes });
        }
        if it.tubes > 0 && it.ways.iter().all(|way| self.labs[way.lab].rate == 0.0) {
            let labs: Vec<usize> = it.ways.iter().map(|way| way.lab).collect();
            let codes = labs.iter().map(|&lab| self.labs[lab].code.clone()).collect();
            return Err(Error::OnlyIdleLabs { street, code: code(), tubes: it.tubes, labs, codes });
        }
        Ok(())
    }
}
