//! Places on the map.

use super::parts::TransportNorm;

/// A point in WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Degrees east, times a million.
    pub lon_e6: i64,
    /// Degrees north, times a million.
    pub lat_e6: i64,
}

impl Place {
    /// Metres to another place along the great circle.
    pub fn metres_to(&self, other: &Place) -> u64 {
        const EARTH_M: f64 = 6_371_000.0;
        let radians = |e6: i64| (e6 as f64 / 1e6).to_radians();
        let (lat, lat_other) = (radians(self.lat_e6), radians(other.lat_e6));
        let (half_lat, half_lon) =
            ((lat_other - lat) / 2.0, (radians(other.lon_e6) - radians(self.lon_e6)) / 2.0);
        let chord = half_lat.sin().powi(2) + lat.cos() * lat_other.cos() * half_lon.sin().powi(2);
        (2.0 * EARTH_M * chord.sqrt().min(1.0).asin()).round() as u64
    }
}

impl TransportNorm {
    /// Median seconds on the way between two places: by their distance, or `travel_s` where one of them is not known.
    pub fn way_s(&self, from: Option<&Place>, to: Option<&Place>) -> u64 {
        match (from, to) {
            // metres · 3600 s / (tenths of km/h · 100 m) = metres · 36 / tenths
            (Some(from), Some(to)) => {
                from.metres_to(to).saturating_mul(36).div_ceil(self.speed_kmh_tenths.value.max(1))
            }
            _ => self.travel_s.value,
        }
    }
}
