//! The places that a city file knows: to which of them a site belongs, and whether they pool.

use crate::domain::counters::CellKey;
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Level};
use std::collections::HashMap;

/// The places that a city file knows.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The district of each street, and the swabs of one of its tubes, by the street's code. A district without streets is
    /// a street of its own code.
    streets: HashMap<String, (String, u64)>,
    /// Most swabs of one tube in any street of a district.
    districts: HashMap<String, u64>,
}

/// Where a cell is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// By what key.
    pub key: String,
    /// Whether its tubes are planned for several people: a tube for one is then not a first test.
    pub pools: bool,
}

impl Places {
    /// From districts, streets, and swabs per tube.
    pub fn of<'a>(streets: impl Iterator<Item = (&'a str, &'a str, u64)>) -> Places {
        let mut places = Places::default();
        for (district, street, pool) in streets {
            let most = places.districts.entry(district.to_owned()).or_default();
            *most = pool.max(*most);
            places.streets.insert(street.to_owned(), (district.to_owned(), pool));
        }
        places
    }

    /// The finest of these places that a site lies in: it, or a jurisdiction above it, is a street; else its district.
    /// `round_pool`: swabs of a tube as the round was opened; where that is one person, no place pools, whatever was planned.
    pub fn place(&self, reference: &Reference, cell: &CellKey, round_pool: u64) -> Place {
        let mut code = reference.sites.get(&cell.site).map(|(jurisdiction, _)| jurisdiction);
        // At most as many steps as there are levels: a file with a circle in it cannot hold us.
        for _ in Level::ALL {
            let Some(here) = code else { break };
            if let Some((district, pool)) = self.streets.get(here.as_str()) {
                return Place {
                    key: place_key(district, here),
                    pools: *pool != 1 && round_pool != 1,
                };
            }
            code = reference.jurisdictions.get(here).map(|(parent, _, _)| parent);
        }
        let planned = self.districts.get(cell.district.as_str()).copied().unwrap_or(round_pool);
        let pools = planned != 1 && round_pool != 1;
        Place { pools, ..Place::of_district(&cell.district, round_pool) }
    }
}

impl Place {
    /// A district in which `pool` swabs go into a tube; 0 = not told, and mass tests pool.
    pub fn of_district(district: &Code, pool: u64) -> Place {
        Place { key: district.to_string(), pools: pool != 1 }
    }
}

/// The key of a street of a district.
pub fn place_key(district: &str, street: &str) -> String {
    if district == street { district.to_owned() } else { format!("{district}/{street}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_belongs_to_the_finest_place_above_it_and_pools_as_that_does() {
        let places =
            Places::of([("01", "0101", 10), ("01", "0102", 1), ("02", "02", 1)].into_iter());
        let mut reference = Reference::default();
        for (code, parent, level) in [
            ("010101", "0101", Level::Community),
            ("0101", "01", Level::Subdistrict),
            ("0102", "01", Level::Subdistrict),
            // A circle.
            ("a", "b", Level::Community),
            ("b", "a", Level::Subdistrict),
        ] {
            reference.jurisdictions.insert(code.into(), (parent.into(), level, Code::default()));
        }
        for (site, jurisdiction) in
            [("S1", "010101"), ("S2", "0102"), ("S3", "01"), ("S4", "02"), ("S5", "a")]
        {
            reference.sites.insert(site.into(), (jurisdiction.into(), Code::default()));
        }
        for (site, district, pool, key, pools) in [
            ("S1", "01", 10, "01/0101", true),
            ("S1", "01", 0, "01/0101", true),
            // The round was opened for one person to a tube.
            ("S1", "01", 1, "01/0101", false),
            ("S2", "01", 10, "01/0102", false),
            // Known by its district only: pooled as soon as one of its streets is.
            ("S3", "01", 10, "01", true),
            ("S3", "01", 1, "01", false),
            ("S4", "02", 10, "02", false),
            // Not known: as the round says.
            ("S5", "03", 10, "03", true),
            ("S5", "03", 1, "03", false),
            ("S5", "03", 0, "03", true),
            ("?", "", 10, "", true),
        ] {
            let cell =
                CellKey { site: site.into(), district: district.into(), ..CellKey::default() };
            let found = places.place(&reference, &cell, pool);
            assert_eq!(found, Place { key: key.to_owned(), pools }, "{site} {pool}");
        }
    }
}
