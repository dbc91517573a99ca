//! A city of another size with the same shape.

use super::City;
use super::norm::{mul_div, mul_div_ceil};
use super::sourced::{Sourced, Status};
use super::stock::Ledger;
use super::words::Words;

impl City {
    /// A city of `people` persons with the same shape: districts, staff, stock and lab units in proportion.
    ///
    /// Districts get their share by largest remainder, so that they add up exactly; what they have is rounded up. A
    /// district without people is left out, and so is a lab that serves none of the others. 0 counts as 1 person.
    /// Streets and the owners of stock are dropped: a scaled city is planned by districts.
    pub fn scaled(&self, people: u64) -> City {
        let people = people.max(1);
        let base = self.districts.iter().fold(0u64, |n, d| n.saturating_add(d.population.value));
        let shares = largest_remainder(
            &self.districts.iter().map(|d| d.population.value).collect::<Vec<_>>(),
            people,
        );
        let part = |n: u64| mul_div_ceil(n, people, base);
        let ledger = |l: &Ledger| Ledger {
            physical: part(l.physical),
            agreement: part(l.agreement),
            deposit_paid: l.deposit_paid,
        };
        let scaled_source = |n: u64| {
            Sourced::new(
                n,
                Words::new(
                    format!("{}按比例折算到 {people} 人", self.name.zh),
                    format!("{} scaled to {people}", self.name.en),
                ),
                Status::Calculated,
            )
        };
        let mut districts = Vec::new();
        for (district, &share) in self.districts.iter().zip(&shares) {
            if share == 0 {
                continue;
            }
            let mut small = district.clone();
            small.population = scaled_source(share);
            small.have.sites = part(district.have.sites);
            small.have.desks = part(district.have.desks);
            small.have.samplers = part(district.have.samplers);
            small.have.registrars = part(district.have.registrars);
            small.stock.tubes = ledger(&district.stock.tubes);
            small.stock.extraction = ledger(&district.stock.extraction);
            small.stock.pcr = ledger(&district.stock.pcr);
            if let Some(fleet) = &mut small.fleet {
                fleet.vehicles = part(fleet.vehicles).max(1);
            }
            small.stock.held.clear();
            small.streets.clear();
            districts.push(small);
        }
        let mut labs = Vec::new();
        for lab in &self.labs {
            let mut small = lab.clone();
            small.serves.retain(|code| districts.iter().any(|d| d.code == *code));
            if small.serves.is_empty() {
                continue;
            }
            for stage in &mut small.stages {
                // Rounded to whole crews: fewer persons than one crew would stop a unit that the real city runs.
                let crew = stage.crew.saturating_mul(self.norm.shifts.value).max(1);
                stage.units = part(stage.units);
                stage.staff = part(stage.staff.div_ceil(crew)).saturating_mul(crew);
            }
            labs.push(small);
        }
        City { population: scaled_source(people), districts, labs, ..self.clone() }
    }
}

/// `total` dealt out in proportion to `weights`: parts add up to `total` exactly; ties go to the earlier one.
pub(in crate::planner) fn largest_remainder(weights: &[u64], total: u64) -> Vec<u64> {
    let sum = weights.iter().fold(0u64, |n, &w| n.saturating_add(w));
    if sum == 0 {
        return weights.iter().map(|_| 0).collect();
    }
    let mut parts: Vec<u64> = weights.iter().map(|&w| mul_div(w, total, sum)).collect();
    let given: u64 = parts.iter().sum();
    let rest = |w: u64| u128::from(w) * u128::from(total) % u128::from(sum);
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(rest(weights[i])), i));
    for &i in order.iter().take(usize::try_from(total.saturating_sub(given)).unwrap_or(0)) {
        parts[i] += 1;
    }
    parts
}
