//! `tollgate keys`.

use clap::{Args, Subcommand};
use std::num::{NonZeroU32, NonZeroU64};
use tollgate_analytics::money::NanoUsd;

/// What to do with the callers' keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Create a key and show it, this once: only its hash is kept.
    ///
    /// What it may use stands with it, and is what counts unless the configuration has a table
    /// `[caller.NAME]`. Without either there is no bound but that of its team and its project.
    #[command(visible_alias = "add")]
    Create(CreateKeyArgs),
    /// List the keys, revoked ones included.
    List {
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: it opens nothing from now on.
    Revoke {
        /// Its name or its id.
        #[arg(value_name = "NAME")]
        which: String,
    },
}

/// Arguments of `keys create`.
#[derive(Debug, Default, Args)]
pub struct CreateKeyArgs {
    /// Whose key it is; stands in the records. Unique among the keys in use.
    #[arg(long)]
    pub name: String,
    /// The team that it belongs to; stands in the records, and policies can look at it.
    #[arg(long, default_value = "")]
    pub team: String,
    /// The project that it is for; stands in the records.
    #[arg(long, default_value = "")]
    pub project: String,
    /// Requests within a minute.
    #[arg(long, value_name = "N")]
    pub requests_per_minute: Option<NonZeroU64>,
    /// Tokens within a minute, of requests and answers together.
    #[arg(long, value_name = "N")]
    pub tokens_per_minute: Option<NonZeroU64>,
    /// Requests in work at once.
    #[arg(long, value_name = "N")]
    pub requests_max: Option<NonZeroU32>,
    /// A model that it may ask for, `*` for any run of characters; may be given several times.
    #[arg(long = "model", value_name = "PATTERN")]
    pub models: Vec<String>,
    /// An endpoint that may answer; may be given several times.
    #[arg(long = "endpoint", value_name = "NAME")]
    pub endpoints: Vec<String>,
    /// US dollars that it may spend within a month, such as 500 or 499.95.
    #[arg(long, value_name = "USD")]
    pub budget_usd: Option<NanoUsd>,
    /// Only tell when they are spent; do not refuse what costs more.
    #[arg(long, requires = "budget_usd")]
    pub budget_soft: bool,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}
