//! The periods that the dashboard can look back over.

use serde::Serialize;

/// How far back the dashboard looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// The last 15 minutes.
    Minutes15,
    /// The last hour.
    Hour,
    /// The last 24 hours.
    #[default]
    Day,
    /// The last 7 days.
    Week,
    /// Everything that the store holds.
    All,
}

impl Period {
    /// From the shortest to the longest.
    pub const EVERY: [Period; 5] = [
        Period::Minutes15,
        Period::Hour,
        Period::Day,
        Period::Week,
        Period::All,
    ];

    /// Its length in seconds; absent for everything.
    pub fn seconds(self) -> Option<i64> {
        match self {
            Period::Minutes15 => Some(15 * 60),
            Period::Hour => Some(3_600),
            Period::Day => Some(24 * 3_600),
            Period::Week => Some(7 * 24 * 3_600),
            Period::All => None,
        }
    }

    /// How it is named on the command line and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Period::Minutes15 => "15m",
            Period::Hour => "1h",
            Period::Day => "24h",
            Period::Week => "7d",
            Period::All => "all",
        }
    }

    /// The period of that name.
    pub fn named(name: &str) -> Option<Period> {
        Period::EVERY
            .into_iter()
            .find(|period| period.name() == name)
    }

    /// The next shorter one; the shortest stays.
    pub fn shorter(self) -> Period {
        let place = Period::EVERY
            .iter()
            .position(|&period| period == self)
            .unwrap_or(0);
        Period::EVERY[place.saturating_sub(1)]
    }

    /// The next longer one; the longest stays.
    pub fn longer(self) -> Period {
        let place = Period::EVERY
            .iter()
            .position(|&period| period == self)
            .unwrap_or(0);
        Period::EVERY[(place + 1).min(Period::EVERY.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stop_at_both_ends() {
        assert_eq!(Period::Minutes15.shorter(), Period::Minutes15);
        assert_eq!(Period::Minutes15.longer(), Period::Hour);
        assert_eq!(Period::All.longer(), Period::All);
        assert_eq!(Period::All.shorter(), Period::Week);
    }

    #[test]
    fn every_name_names_its_period() {
        for period in Period::EVERY {
            assert_eq!(Period::named(period.name()), Some(period));
        }
        assert_eq!(Period::named("2h"), None);
    }
}
