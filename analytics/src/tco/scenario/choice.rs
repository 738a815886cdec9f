use serde::{Deserialize, Serialize};

/// Which of several ways of reckoning holds. They are alternatives and are never added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// How the yearly part of the compliance tax is put.
    pub tax: TaxMethod,
    /// How the hosting of an own model is put.
    pub hosting: Hosting,
    /// Whether GPUs are bought or rented, where hosting is by capacity.
    pub gpu: Gpu,
}

/// How the yearly part of the compliance tax is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxMethod {
    /// A share of the team's capacity, and audits.
    TeamCapacity,
    /// A share of the team's budget.
    BudgetShare,
    /// One amount.
    YearlyAmount,
}

/// How the hosting of an own model is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hosting {
    /// GPUs for the busiest hour, their power and maintenance.
    Capacity,
    /// One amount a year, from the published table.
    Table,
}

/// Whether GPUs are bought or rented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gpu {
    /// Bought, with power and maintenance, renewed at the end of their life, sold at the end.
    Buy,
    /// Rented by the hour, around the clock.
    Rent,
}

impl TaxMethod {
    /// All of them.
    pub const ALL: [TaxMethod; 3] = [
        TaxMethod::TeamCapacity,
        TaxMethod::YearlyAmount,
        TaxMethod::BudgetShare,
    ];

    /// The name of the part of the tax that it makes.
    pub fn title(self) -> &'static str {
        match self {
            TaxMethod::TeamCapacity => "Team capacity and audits",
            TaxMethod::BudgetShare => "Share of the team's budget",
            TaxMethod::YearlyAmount => "Compliance overhead",
        }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            TaxMethod::TeamCapacity => "a share of the team's capacity, and audits",
            TaxMethod::BudgetShare => "a share of the team's budget",
            TaxMethod::YearlyAmount => "one yearly amount",
        }
    }
}
