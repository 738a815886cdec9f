//! Money as an integer: nano-USD, checked, never a float until it is printed.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An amount of US dollars in billionths (1 USD = 1,000,000,000), from about -9.2 to +9.2 billion
/// dollars.
///
/// Arithmetic is checked: an amount that does not fit is `None`, never a wrapped figure.
/// `Display` prints dollars exactly (`$1,234.50`, `$0.000012`); a precision rounds half away from
/// zero (`{:.2}`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

const DIGITS: usize = 9;
const ONE_USD: i64 = 1_000_000_000;

impl NanoUsd {
    /// Nothing at all, which is not the same as "not priced".
    pub const ZERO: NanoUsd = NanoUsd(0);

    /// Whole dollars; `None` if they do not fit.
    pub fn from_usd(usd: i64) -> Option<NanoUsd> {
        usd.checked_mul(ONE_USD).map(NanoUsd)
    }

    /// The sum, or `None` if it does not fit.
    pub fn checked_add(self, other: NanoUsd) -> Option<NanoUsd> {
        self.0.checked_add(other.0).map(NanoUsd)
    }

    /// The difference, or `None` if it does not fit.
    pub fn checked_sub(self, other: NanoUsd) -> Option<NanoUsd> {
        self.0.checked_sub(other.0).map(NanoUsd)
    }

    /// The sum of all, or `None` if it (or a partial sum) does not fit.
    pub fn checked_sum(amounts: impl IntoIterator<Item = NanoUsd>) -> Option<NanoUsd> {
        amounts
            .into_iter()
            .try_fold(NanoUsd::ZERO, NanoUsd::checked_add)
    }

    /// This amount taken as a rate for `per` units, times `quantity` units, rounded half up once.
    /// `None` if the result does not fit or `per` is 0.
    ///
    /// For instance 2.50 USD per 1,000,000 tokens times 1,200 tokens.
    pub fn rate(self, quantity: i128, per: i128) -> Option<NanoUsd> {
        round_half_up(i128::from(self.0).checked_mul(quantity)?, per)
            .and_then(|nano| i64::try_from(nano).ok())
            .map(NanoUsd)
    }

    /// Plain decimal dollars, exact, without sign of currency or separators (`1234.5`, `-0.25`):
    /// the form for CSV and JSON.
    pub fn to_decimal(self) -> String {
        let (sign, whole, fraction) = self.parts();
        match fraction.trim_end_matches('0') {
            "" => format!("{sign}{whole}"),
            digits => format!("{sign}{whole}.{digits}"),
        }
    }

    fn parts(self) -> (&'static str, u64, String) {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let one = ONE_USD.unsigned_abs();
        (sign, magnitude / one, format!("{:09}", magnitude % one))
    }
}

/// `numerator / denominator`, halves rounded towards positive infinity; `None` if the denominator
/// is not positive.
pub(crate) fn round_half_up(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let (quotient, rest) = (
        numerator.div_euclid(denominator),
        numerator.rem_euclid(denominator),
    );
    Some(if rest >= denominator - rest {
        quotient + 1
    } else {
        quotient
    })
}

/// `1234567` as `1,234,567`.
pub fn group_thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, whole, fraction) = self.parts();
        let (whole, fraction) = match f.precision() {
            // At least cents, then as many digits as the amount has.
            None => {
                let shown = fraction.trim_end_matches('0').len().max(2);
                (whole, fraction[..shown].to_owned())
            }
            Some(precision) => {
                let precision = precision.min(DIGITS);
                let unit = 10_u64.pow((DIGITS - precision) as u32);
                let magnitude = self.0.unsigned_abs();
                let rounded = (magnitude / unit)
                    + u64::from(magnitude % unit >= unit.div_ceil(2) && unit > 1);
                let scale = 10_u64.pow(precision as u32);
                let digits = if precision == 0 {
                    String::new()
                } else {
                    format!("{:0precision$}", rounded % scale)
                };
                (rounded / scale, digits)
            }
        };
        let point = if fraction.is_empty() { "" } else { "." };
        let text = format!("{sign}${}{point}{fraction}", group_thousands(whole));
        match f.width() {
            Some(width) => write!(f, "{text:>width$}"),
            None => f.write_str(&text),
        }
    }
}

/// The text is not a decimal amount of dollars with at most nine decimal places.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an amount: expected decimal dollars such as \"2.50\", at most 9 decimal places, below 9.2 billion"
)]
pub struct InvalidAmount {
    text: String,
}

impl FromStr for NanoUsd {
    type Err = InvalidAmount;

    /// Reads plain decimal dollars (`2.50`, `-3`, `0.000000001`), exactly.
    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        parse_nano(text).map(NanoUsd).ok_or_else(|| InvalidAmount {
            text: text.to_owned(),
        })
    }
}

/// A plain decimal number with at most nine places, in billionths.
pub(crate) fn parse_nano(text: &str) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > DIGITS {
        return None;
    }
    let nano: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
    i64::try_from(if negative { -nano } else { nano }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_dollars() {
        for (nano, exact, cents) in [
            (0, "$0.00", "$0.00"),
            (12_000, "$0.000012", "$0.00"),
            (5_000_000, "$0.005", "$0.01"),
            (4_999_999, "$0.004999999", "$0.00"),
            (1_234_500_000_000, "$1,234.50", "$1,234.50"),
            (-250_000_000, "-$0.25", "-$0.25"),
            (999_999_999, "$0.999999999", "$1.00"),
            (i64::MAX, "$9,223,372,036.854775807", "$9,223,372,036.85"),
            (i64::MIN, "-$9,223,372,036.854775808", "-$9,223,372,036.85"),
        ] {
            assert_eq!(NanoUsd(nano).to_string(), exact);
            assert_eq!(format!("{:.2}", NanoUsd(nano)), cents);
        }
        assert_eq!(format!("{:.0}", NanoUsd(1_500_000_000)), "$2");
        assert_eq!(format!("{:>10.2}", NanoUsd(1_500_000_000)), "     $1.50");
    }

    #[test]
    fn refuses_what_is_not_an_amount() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1e3",
            "+1",
            "1,000",
            "0.1234567891",
            "9999999999999",
            "٣",
        ] {
            assert!(text.parse::<NanoUsd>().is_err(), "{text:?} was taken");
        }
        assert_eq!("2.50".parse(), Ok(NanoUsd(2_500_000_000)));
        assert_eq!("-3".parse(), Ok(NanoUsd(-3_000_000_000)));
    }

    #[test]
    fn overflow_is_none() {
        assert_eq!(NanoUsd(i64::MAX).checked_add(NanoUsd(1)), None);
        assert_eq!(NanoUsd(i64::MIN).checked_sub(NanoUsd(1)), None);
        assert_eq!(NanoUsd(i64::MAX).rate(2, 1), None);
        assert_eq!(NanoUsd(1).rate(1, 0), None);
        assert_eq!(NanoUsd::from_usd(i64::MAX), None);
    }

    #[test]
    fn rates_round_half_up_once() {
        assert_eq!(NanoUsd(1).rate(1, 2), Some(NanoUsd(1)));
        assert_eq!(NanoUsd(1).rate(49, 100), Some(NanoUsd(0)));
        assert_eq!(NanoUsd(-1).rate(1, 2), Some(NanoUsd(0)));
        assert_eq!(
            NanoUsd(2_500_000_000).rate(1_200, 1_000_000),
            Some(NanoUsd(3_000_000))
        );
    }

    proptest! {
        #[test]
        fn decimal_form_reads_back(nano in any::<i64>()) {
            prop_assert_eq!(NanoUsd(nano).to_decimal().parse(), Ok(NanoUsd(nano)));
        }

        #[test]
        fn rounding_is_within_half(n in -(1_i128 << 90)..(1_i128 << 90), d in 1_i128..(1 << 60)) {
            let q = round_half_up(n, d).unwrap();
            let twice_error = 2 * (q * d - n);
            prop_assert!(twice_error > -d && twice_error <= d);
        }
    }
}
