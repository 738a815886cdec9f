//! How an uncertain quantity is spread, as its quantile function: one uniform draw makes one value.

use super::normal;

/// A distribution of one quantity.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// One value.
    Fixed(f64),
    /// Every value between the ends is as likely.
    Uniform {
        /// The least value.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// Every ratio between the ends is as likely: for ranges over orders of magnitude.
    LogUniform {
        /// The least value, above 0.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// Likeliest at the mode, falling in a straight line to both ends.
    Triangular {
        /// The least value.
        low: f64,
        /// The likeliest.
        mode: f64,
        /// The greatest.
        high: f64,
    },
    /// The beta distribution of project planning (Malcolm et al. 1959), scale 4: likeliest at the
    /// mode, with less weight at the ends than a triangle.
    Pert {
        /// The least value.
        low: f64,
        /// The likeliest.
        mode: f64,
        /// The greatest.
        high: f64,
        /// Its quantiles between 0 and 1, at equal steps of probability.
        table: PertTable,
    },
    /// Its logarithm is normal: `low` and `high` are the 5th and the 95th percentile.
    Lognormal {
        /// The 5th percentile, above 0.
        low: f64,
        /// The 95th percentile.
        high: f64,
    },
    /// 1 with this chance, else 0.
    Event {
        /// The chance, 0 to 1.
        chance: f64,
    },
}

/// Quantiles of a beta distribution at equal steps of probability.
#[derive(Clone, Debug, PartialEq)]
pub struct PertTable(Vec<f64>);

/// Why a distribution is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// The range contradicts itself.
    #[error("{0}")]
    Range(String),
    /// No such distribution.
    #[error(
        "unknown distribution {0:?}: expected fixed, uniform, log_uniform, triangular, pert, lognormal or event"
    )]
    Unknown(String),
}

impl Distribution {
    /// Every value from `low` to `high` alike.
    pub fn uniform(low: f64, high: f64) -> Result<Distribution, Invalid> {
        ascending(&[("low", low), ("high", high)])?;
        Ok(Distribution::Uniform { low, high })
    }

    /// Every ratio from `low` to `high` alike.
    pub fn log_uniform(low: f64, high: f64) -> Result<Distribution, Invalid> {
        ascending(&[("low", low), ("high", high)])?;
        above_zero(low)?;
        Ok(Distribution::LogUniform { low, high })
    }

    /// A triangle.
    pub fn triangular(low: f64, mode: f64, high: f64) -> Result<Distribution, Invalid> {
        ascending(&[("low", low), ("mode", mode), ("high", high)])?;
        Ok(Distribution::Triangular { low, mode, high })
    }

    /// A PERT distribution.
    pub fn pert(low: f64, mode: f64, high: f64) -> Result<Distribution, Invalid> {
        ascending(&[("low", low), ("mode", mode), ("high", high)])?;
        let table = PertTable::new((mode - low) / (high - low));
        Ok(Distribution::Pert {
            low,
            mode,
            high,
            table,
        })
    }

    /// A lognormal distribution by its 5th and 95th percentiles.
    pub fn lognormal(low: f64, high: f64) -> Result<Distribution, Invalid> {
        ascending(&[("low", low), ("high", high)])?;
        above_zero(low)?;
        Ok(Distribution::Lognormal { low, high })
    }

    /// An event that happens or not.
    pub fn event(chance: f64) -> Result<Distribution, Invalid> {
        if (0.0..=1.0).contains(&chance) {
            Ok(Distribution::Event { chance })
        } else {
            Err(Invalid::Range(format!(
                "a chance of {chance}: expected 0 to 1"
            )))
        }
    }

    /// The value below which a share `p` (above 0, below 1) of all values lies.
    pub fn quantile(&self, p: f64) -> f64 {
        match self {
            Distribution::Fixed(value) => *value,
            Distribution::Uniform { low, high } => low + p * (high - low),
            Distribution::LogUniform { low, high } => low * (p * (high / low).ln()).exp(),
            Distribution::Triangular { low, mode, high } => {
                let (rise, fall, width) = (mode - low, high - mode, high - low);
                if p * width < rise {
                    low + (p * width * rise).sqrt()
                } else {
                    high - ((1.0 - p) * width * fall).sqrt()
                }
            }
            Distribution::Pert {
                low, high, table, ..
            } => low + table.quantile(p) * (high - low),
            Distribution::Lognormal { low, high } => {
                let middle = (low * high).sqrt();
                let sigma = (high / low).ln() / (2.0 * normal::Z95);
                middle * (sigma * normal::quantile(p)).exp()
            }
            Distribution::Event { chance } => f64::from(p >= 1.0 - chance),
        }
    }

    /// Whether it has one value only.
    pub fn is_fixed(&self) -> bool {
        match self {
            Distribution::Fixed(_) => true,
            Distribution::Event { chance } => *chance == 0.0 || *chance == 1.0,
            _ => false,
        }
    }

    /// The numbers that state it.
    pub fn numbers(&self) -> Vec<f64> {
        match *self {
            Distribution::Fixed(value) => vec![value],
            Distribution::Uniform { low, high }
            | Distribution::LogUniform { low, high }
            | Distribution::Lognormal { low, high } => vec![low, high],
            Distribution::Triangular { low, mode, high }
            | Distribution::Pert {
                low, mode, high, ..
            } => vec![low, mode, high],
            Distribution::Event { chance } => vec![chance],
        }
    }

    /// Its name in scenario files.
    pub fn name(&self) -> &'static str {
        match self {
            Distribution::Fixed(_) => "fixed",
            Distribution::Uniform { .. } => "uniform",
            Distribution::LogUniform { .. } => "log_uniform",
            Distribution::Triangular { .. } => "triangular",
            Distribution::Pert { .. } => "pert",
            Distribution::Lognormal { .. } => "lognormal",
            Distribution::Event { .. } => "event",
        }
    }
}

/// Fails unless the numbers rise, and the last is above the first.
fn ascending(numbers: &[(&str, f64)]) -> Result<(), Invalid> {
    for pair in numbers.windows(2) {
        let [(left, a), (right, b)] = pair else {
            continue;
        };
        if a > b {
            return Err(Invalid::Range(format!(
                "the range contradicts itself: {left} is {a}, above {right}, which is {b}"
            )));
        }
    }
    match (numbers.first(), numbers.last()) {
        (Some((_, first)), Some((_, last))) if first == last => Err(Invalid::Range(format!(
            "the range has no width: all of it is {first}; expected distribution = \"fixed\" with a value"
        ))),
        _ => Ok(()),
    }
}

fn above_zero(low: f64) -> Result<(), Invalid> {
    if low > 0.0 {
        Ok(())
    } else {
        Err(Invalid::Range(format!(
            "low is {low}: a logarithm needs it above 0"
        )))
    }
}

impl PertTable {
    /// Steps of probability. Linear between them, a mean is wrong by less than 2e-5 of the range.
    const STEPS: usize = 4_096;
    /// Steps of the integral over the density.
    const FINE: usize = 1 << 15;

    /// The table of a mode between 0 and 1.
    fn new(mode: f64) -> PertTable {
        let (a, b) = (4.0 * mode, 4.0 * (1.0 - mode));
        // The density's exponents are these: alpha - 1 and beta - 1.
        let density = |x: f64| x.powf(a) * (1.0 - x).powf(b);
        let width = 1.0 / Self::FINE as f64;
        let mut below = Vec::with_capacity(Self::FINE + 1);
        let mut sum = 0.0;
        below.push(sum);
        for i in 0..Self::FINE {
            let x = i as f64 * width;
            // Simpson's rule over one step.
            sum += density(x) + 4.0 * density(x + width / 2.0) + density(x + width);
            below.push(sum);
        }
        let mut table = Vec::with_capacity(Self::STEPS + 1);
        let mut at = 0;
        for step in 0..=Self::STEPS {
            let wanted = sum * step as f64 / Self::STEPS as f64;
            while at + 1 < Self::FINE && below[at + 1] < wanted {
                at += 1;
            }
            let rise = below[at + 1] - below[at];
            let part = if rise > 0.0 {
                ((wanted - below[at]) / rise).clamp(0.0, 1.0)
            } else {
                0.0
            };
            table.push((at as f64 + part) * width);
        }
        PertTable(table)
    }

    fn quantile(&self, p: f64) -> f64 {
        let at = p * Self::STEPS as f64;
        let step = (at as usize).min(Self::STEPS - 1);
        let (left, right) = (self.0[step], self.0[step + 1]);
        left + (at - step as f64) * (right - left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The mean over equal steps of probability.
    fn mean(distribution: &Distribution) -> f64 {
        let n = 200_000;
        let of = |i: i32| distribution.quantile((f64::from(i) + 0.5) / f64::from(n));
        (0..n).map(of).sum::<f64>() / f64::from(n)
    }

    #[test]
    fn means_are_those_of_the_textbook() {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-4, "{a} is not {b}");
        close(mean(&Distribution::uniform(2.0, 6.0).unwrap()), 4.0);
        close(mean(&Distribution::triangular(0.0, 1.0, 5.0).unwrap()), 2.0);
        // (low + 4 mode + high) / 6
        close(mean(&Distribution::pert(0.0, 1.0, 5.0).unwrap()), 1.5);
        close(mean(&Distribution::pert(0.0, 0.0, 6.0).unwrap()), 1.0);
        close(
            mean(&Distribution::pert(2.0, 3.0, 3.0).unwrap()),
            17.0 / 6.0,
        );
        // (high - low) / ln(high / low)
        close(
            mean(&Distribution::log_uniform(1.0, 100.0).unwrap()),
            99.0 / 100_f64.ln(),
        );
        // exp(mu + sigma^2 / 2), here mu = 0 and sigma = ln 4 / 1.6449.
        let sigma = 4_f64.ln() / 1.644_853_626_951_472_7;
        close(
            mean(&Distribution::lognormal(0.25, 4.0).unwrap()),
            (sigma * sigma / 2.0).exp(),
        );
        close(mean(&Distribution::event(0.73).unwrap()), 0.73);
    }

    #[test]
    fn pert_quantiles_are_those_of_the_beta_distribution() {
        // Beta(3, 3) is symmetric, with quantile 0.1 at 0.2466355 (I_x(3,3) = 10x^3-15x^4+6x^5).
        let pert = Distribution::pert(0.0, 0.5, 1.0).unwrap();
        let below = |x: f64| 10.0 * x.powi(3) - 15.0 * x.powi(4) + 6.0 * x.powi(5);
        for p in [0.01, 0.1, 0.37, 0.5, 0.9, 0.999] {
            assert!((below(pert.quantile(p)) - p).abs() < 1e-5, "{p}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let said = |result: Result<Distribution, Invalid>| result.unwrap_err().to_string();
        assert!(
            said(Distribution::pert(3.0, 2.0, 4.0)).contains("low is 3, above mode, which is 2")
        );
        assert!(said(Distribution::uniform(5.0, 1.0)).contains("contradicts itself"));
        assert!(said(Distribution::uniform(5.0, 5.0)).contains("no width"));
        assert!(said(Distribution::log_uniform(0.0, 1.0)).contains("above 0"));
        assert!(said(Distribution::event(1.5)).contains("expected 0 to 1"));
    }

    proptest! {
        #[test]
        fn quantiles_rise_and_stay_within(
            low in -1e6_f64..1e6, a in 0.0_f64..1e6, b in 0.001_f64..1e6,
            p in 0.0001_f64..0.9999, q in 0.0001_f64..0.9999,
        ) {
            let (mode, high) = (low + a, low + a + b);
            let (p, q) = (p.min(q), p.max(q));
            for distribution in [
                Distribution::uniform(low, high),
                Distribution::triangular(low, mode, high),
                Distribution::pert(low, mode, high),
            ] {
                let distribution = distribution.unwrap();
                let (x, y) = (distribution.quantile(p), distribution.quantile(q));
                prop_assert!(low <= x && x <= y && y <= high, "{} {} {} {}", low, x, y, high);
            }
        }
    }
}
