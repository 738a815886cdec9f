//! GPUs bought, renewed and sold: what they cost, month by month.

use super::input::Input;
use super::path::{Draw, HOURS_PER_MONTH, Month};
use super::scenario::MONTHS_MAX;

/// The owned GPUs of one option in one trial.
pub(super) struct Fleet {
    price: f64,
    life_months: usize,
    /// Resale value of a GPU of so many months, over its purchase price.
    resale_monthly: f64,
    /// Power of one GPU in a month at the start, USD.
    power: f64,
    maintenance_monthly: f64,
    tax_rate: f64,
    /// GPUs bought in each month.
    bought: [f64; MONTHS_MAX],
    owned: f64,
    /// Purchase price of all that is owned.
    book: f64,
}

impl Fleet {
    pub(super) fn new(draw: &Draw) -> Fleet {
        let kwh = draw[Input::GpuPower] * draw[Input::Pue] * HOURS_PER_MONTH;
        Fleet {
            price: draw[Input::GpuPrice],
            life_months: ((draw[Input::GpuLife] * 12.0).round() as usize).max(1),
            resale_monthly: draw[Input::GpuResale].powf(1.0 / 12.0),
            power: kwh * draw[Input::Electricity],
            maintenance_monthly: draw[Input::Maintenance] / 12.0,
            tax_rate: draw[Input::TaxRate],
            bought: [0.0; MONTHS_MAX],
            owned: 0.0,
            book: 0.0,
        }
    }

    /// What a month costs after corporate tax, when so many GPUs are needed in it: GPUs at the end
    /// of their life are sold, what is lacking is bought, and straight-line depreciation lowers the
    /// tax. Months go up by one from the first on.
    pub(super) fn month(&mut self, at: usize, needed: f64, months: &[Month]) -> f64 {
        let mut cost = 0.0;
        if at >= self.life_months {
            let then = at - self.life_months;
            let gone = self.bought[then];
            if gone > 0.0 {
                let paid = gone * self.price * months[then].gpu_price;
                self.owned -= gone;
                self.book -= paid;
                cost -= paid * self.resale(self.life_months) * (1.0 - self.tax_rate);
            }
        }
        if needed > self.owned {
            let lacking = needed - self.owned;
            let paid = lacking * self.price * months[at].gpu_price;
            self.bought[at] = lacking;
            self.owned = needed;
            self.book += paid;
            cost += paid;
        }
        let power = self.owned * self.power * months[at].inflation;
        let maintenance = self.book * self.maintenance_monthly;
        let depreciation = self.book / self.life_months as f64;
        cost + (power + maintenance) * (1.0 - self.tax_rate) - depreciation * self.tax_rate
    }

    /// What the GPUs left bring after corporate tax when they are sold after the last month.
    pub(super) fn sale(&self, months: &[Month]) -> f64 {
        let horizon = months.len();
        let first = horizon.saturating_sub(self.life_months);
        let batches = self.bought[..horizon].iter().enumerate().skip(first);
        batches
            .filter(|(_, bought)| **bought > 0.0)
            .map(|(then, bought)| {
                let paid = bought * self.price * months[then].gpu_price;
                let age = horizon - then;
                let resale = self.resale(age);
                let left = 1.0 - age as f64 / self.life_months as f64;
                paid * (resale - self.tax_rate * (resale - left))
            })
            .sum()
    }

    fn resale(&self, age_months: usize) -> f64 {
        self.resale_monthly.powi(age_months as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tco::input::COUNT;

    fn fleet(tax_rate: f64) -> Fleet {
        let mut draw = Draw([0.0; COUNT]);
        for (input, value) in [
            (Input::GpuPrice, 100.0),
            (Input::GpuLife, 1.0),
            (Input::GpuResale, 0.5),
            (Input::TaxRate, tax_rate),
        ] {
            draw.0[input.index()] = value;
        }
        Fleet::new(&draw)
    }

    fn months(gpu_price_yearly: f64) -> Vec<Month> {
        let price = |at: i32| f64::powf(gpu_price_yearly, f64::from(at) / 12.0);
        let month = |at| Month {
            gpu_price: price(at),
            ..Month::default()
        };
        (0..18).map(month).collect()
    }

    fn cost(fleet: &mut Fleet, needed: f64, months: &[Month]) -> f64 {
        let paid: f64 = (0..months.len())
            .map(|at| fleet.month(at, needed, months))
            .sum();
        paid - fleet.sale(months)
    }

    #[test]
    fn gpus_are_renewed_and_sold() {
        // Two bought for 200; after a year sold for half and two bought for 200 x 0.81; after half
        // a year more those bring 162 x 0.5^0.5 = 114.5513: 200 - 100 + 162 - 114.5513.
        let total = cost(&mut fleet(0.0), 2.0, &months(0.81));
        assert!((total - 147.448_7).abs() < 1e-3, "{total}");
    }

    #[test]
    fn depreciation_and_sales_bear_on_corporate_tax() {
        // At a constant price: the first two cost 200, bring 100 x 0.75 after tax (nothing is left
        // in the books), and save 0.25 x 200 by depreciation: 75. The second two cost 200, save
        // 0.25 x 100 in half a year, and bring 141.4214 less 0.25 x (141.4214 - 100) = 131.0660:
        // 43.9340.
        let total = cost(&mut fleet(0.25), 2.0, &months(1.0));
        assert!((total - 118.934).abs() < 1e-3, "{total}");
    }

    #[test]
    fn more_are_bought_when_more_are_needed_and_none_before() {
        let mut fleet = fleet(0.0);
        let months = months(1.0);
        assert_eq!(fleet.month(0, 2.0, &months), 200.0);
        assert_eq!(fleet.month(1, 2.0, &months), 0.0);
        assert_eq!(fleet.month(2, 5.0, &months), 300.0);
        assert_eq!(fleet.month(3, 1.0, &months), 0.0);
    }
}
