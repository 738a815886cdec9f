//! The inputs of the model: every quantity that a scenario states, with its unit and the range in
//! which it means something.

/// What a quantity is: its name in scenario files, its unit, its bounds, its meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// `group.name`, as in a scenario file and in `--set`.
    pub key: &'static str,
    /// The unit. Where it begins with `USD`, a scenario may state another currency with a dated
    /// rate.
    pub unit: &'static str,
    /// The least and the greatest value that mean something.
    pub bounds: (f64, f64),
    /// What it is, in words that stand in a table.
    pub what: &'static str,
}

macro_rules! inputs {
    ($($name:ident $key:literal, $unit:literal, $min:literal..=$max:literal, $what:literal;)*) => {
        /// An input of the model; [`Input::spec`] says what it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is described by its Spec")]
        pub enum Input { $($name),* }

        /// All inputs, in the order in which they are told.
        pub const INPUTS: &[Input] = &[$(Input::$name),*];

        const SPECS: &[Spec] = &[
            $(Spec { key: $key, unit: $unit, bounds: ($min, $max), what: $what }),*
        ];
    };
}

inputs! {
    Requests "demand.requests", "requests/month", 0.0..=1e12, "Requests a month, in the first month";
    Growth "demand.growth", "share/year", -0.9..=10.0, "Growth of the traffic";
    InputTokens "demand.input_tokens", "tokens/request", 0.0..=1e7, "Input tokens a request";
    OutputTokens "demand.output_tokens", "tokens/request", 0.0..=1e7, "Output tokens a request";
    CachedShare "demand.cached_share", "share", 0.0..=1.0, "Input tokens read from the provider's cache";
    Peak "demand.peak", "x mean", 1.0..=1e6, "Busiest hour over the mean hour";
    MixShort "demand.mix_short", "weight", 0.0..=1e15, "Tokens in short chats";
    MixPromptHeavy "demand.mix_prompt_heavy", "weight", 0.0..=1e15, "Tokens in prompt-heavy requests";
    MixBalanced "demand.mix_balanced", "weight", 0.0..=1e15, "Tokens in balanced requests";
    MixLong "demand.mix_long", "weight", 0.0..=1e15, "Tokens in long-context requests";

    ThroughputShort "capacity.throughput_short", "tokens/s/GPU", 1e-3..=1e9, "Throughput, short chats";
    ThroughputPromptHeavy "capacity.throughput_prompt_heavy", "tokens/s/GPU", 1e-3..=1e9, "Throughput, prompt-heavy";
    ThroughputBalanced "capacity.throughput_balanced", "tokens/s/GPU", 1e-3..=1e9, "Throughput, balanced";
    ThroughputLong "capacity.throughput_long", "tokens/s/GPU", 1e-3..=1e9, "Throughput, long context";
    ModelFactor "capacity.model_factor", "x GPU time", 1e-3..=1e4, "GPU time of the own model over the measured one's";
    Utilisation "capacity.utilisation", "share", 0.01..=1.0, "Use of the GPUs in the busiest hour";
    GpusPerReplica "capacity.gpus_per_replica", "GPUs", 1.0..=1024.0, "GPUs that one copy of the model takes";

    PriceInput "api.price_input", "USD/Mtok", 0.0..=1e5, "API price, input";
    PriceCached "api.price_cached", "USD/Mtok", 0.0..=1e5, "API price, input from cache";
    PriceOutput "api.price_output", "USD/Mtok", 0.0..=1e5, "API price, output";
    PriceFactor "api.price_factor", "x list price", 0.0..=100.0, "What is paid over those prices";
    PriceYearly "api.price_yearly_factor", "x/year", 1e-4..=10.0, "API price, one year to the next";

    TaxBudget "tax.team_budget", "USD/year", 0.0..=1e11, "Yearly cost of the AI team";
    TaxCapacity "tax.capacity_share", "share", 0.0..=1.0, "Share of the team's capacity that compliance takes";
    TaxBudgetShare "tax.budget_share", "share", 0.0..=1.0, "Share of the team's budget that compliance takes";
    TaxYearly "tax.yearly_amount", "USD/year", 0.0..=1e11, "Compliance overhead as one amount";
    TaxAudits "tax.audits", "USD/year", 0.0..=1e11, "Audits and tools for global APIs";
    Residency "tax.residency_uplift", "x list price", 1.0..=10.0, "Regional processing over the list price";
    TokenInflation "tax.token_inflation", "share", -0.5..=10.0, "Input tokens that placeholders add";
    GateCost "tax.gate_cost", "USD/million requests", 0.0..=1e9, "Inspecting and recording requests";

    GpuPrice "gpu.price", "USD/GPU", 0.0..=1e7, "A GPU with its part of the server";
    GpuPriceYearly "gpu.price_yearly_factor", "x/year", 1e-4..=10.0, "GPU price, one year to the next";
    GpuLife "gpu.life", "years", 0.25..=20.0, "Useful life of a GPU";
    GpuResale "gpu.resale_yearly_factor", "x/year", 0.0..=1.0, "Resale value, one year to the next";
    GpuPower "gpu.power", "kW/GPU", 0.0..=100.0, "Power of a GPU with its part of the server";
    Pue "gpu.pue", "ratio", 1.0..=5.0, "Power usage effectiveness";
    Electricity "gpu.electricity", "USD/kWh", 0.0..=100.0, "Electricity";
    Maintenance "gpu.maintenance_share", "share/year", 0.0..=1.0, "Maintenance over the purchase price";
    GpuRent "gpu.rent", "USD/GPU-hour", 0.0..=1e4, "Rent of a GPU";

    Premium "staff.premium", "share", 0.0..=10.0, "Salary premium for sovereign AI";
    FteCost "staff.fte_cost", "USD/year", 0.0..=1e8, "An operator's yearly cost";
    OpsFte "staff.ops_fte", "FTE", 0.0..=1e5, "Operators of a small cluster";

    Schedule "project.schedule_factor", "x plan", 0.1..=20.0, "Time taken over time planned";
    Migration "project.migration", "USD", 0.0..=1e11, "Moving the applications, as if built new";
    MigrationFactor "project.migration_factor", "x greenfield", 0.0..=100.0, "Retrofit over building new";
    OverrunEvent "project.overrun", "yes or no", 0.0..=1.0, "Whether the migration overruns";
    OverrunSize "project.overrun_size", "x budget", 0.0..=100.0, "Size of the overrun, where there is one";

    BuildTime "build.time", "months", 0.0..=240.0, "Build: time to a first product";
    BuildTraining "build.training", "USD", 0.0..=1e12, "Build: training compute";
    BuildRetraining "build.retraining_share", "share/year", 0.0..=10.0, "Build: yearly retraining over the training";
    BuildTalent "build.talent", "USD/year", 0.0..=1e11, "Build: talent";
    BuildPlatform "build.platform", "USD/year", 0.0..=1e11, "Build: MLOps platform";
    BuildCompliance "build.compliance", "USD/year", 0.0..=1e11, "Build: compliance, legal, audit";
    BuildHosting "build.hosting", "USD/year", 0.0..=1e11, "Build: hosting as one amount";

    FineTuneTime "fine_tune.time", "months", 0.0..=240.0, "Fine-tune: time to a first product";
    FineTuneTraining "fine_tune.training", "USD", 0.0..=1e12, "Fine-tune: training compute";
    FineTuneRetraining "fine_tune.retraining_share", "share/year", 0.0..=10.0, "Fine-tune: yearly retraining over the training";
    FineTuneTalent "fine_tune.talent", "USD/year", 0.0..=1e11, "Fine-tune: talent";
    FineTunePlatform "fine_tune.platform", "USD/year", 0.0..=1e11, "Fine-tune: MLOps platform";
    FineTuneCompliance "fine_tune.compliance", "USD/year", 0.0..=1e11, "Fine-tune: compliance, legal, audit";
    FineTuneHosting "fine_tune.hosting", "USD/year", 0.0..=1e11, "Fine-tune: hosting as one amount";

    ManagedTime "managed.time", "months", 0.0..=240.0, "Managed: time to a first product";
    ManagedFee "managed.fee", "USD/year", 0.0..=1e11, "Managed: service fee at the first month's volume";
    ManagedTalent "managed.talent", "USD/year", 0.0..=1e11, "Managed: talent";
    ManagedCompliance "managed.compliance", "USD/year", 0.0..=1e11, "Managed: compliance, legal, audit";
    FeeVolumeShare "managed.fee_volume_share", "share", 0.0..=1.0, "Share of a fee that grows with the traffic";

    HybridTime "hybrid.time", "months", 0.0..=240.0, "Hybrid: time until on-prem answers";
    HybridLocalShare "hybrid.local_share", "share", 0.0..=1.0, "Hybrid: share of the tokens that stays on-prem";
    HybridTaxKept "hybrid.tax_kept", "share", 0.0..=1.0, "Hybrid: share of the yearly tax that remains";
    HybridMigration "hybrid.migration_share", "share", 0.0..=10.0, "Hybrid: migration over a full one";
    HybridPlatform "hybrid.platform", "USD/year", 0.0..=1e11, "Hybrid: running the gate";
    HybridCompliance "hybrid.compliance", "USD/year", 0.0..=1e11, "Hybrid: compliance of the on-prem part";

    Discount "finance.discount_rate", "share/year", -0.5..=10.0, "Discount rate";
    Inflation "finance.inflation", "share/year", -0.5..=10.0, "Rise of salaries, fees and services";
    TaxRate "finance.tax_rate", "share", 0.0..=0.99, "Corporate tax on profits";
}

/// How many inputs there are.
pub(super) const COUNT: usize = INPUTS.len();

impl Input {
    /// Its place in [`INPUTS`].
    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// What it is.
    pub fn spec(self) -> &'static Spec {
        &SPECS[self.index()]
    }

    /// The input of that key.
    pub fn named(key: &str) -> Option<Input> {
        INPUTS.iter().copied().find(|input| input.spec().key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn keys_are_distinct_and_bounds_in_order() {
        let keys: BTreeSet<_> = INPUTS.iter().map(|input| input.spec().key).collect();
        assert_eq!(keys.len(), COUNT);
        for input in INPUTS {
            let Spec { key, bounds, .. } = input.spec();
            assert!(bounds.0 < bounds.1, "{key}");
            assert_eq!(Input::named(key), Some(*input));
            assert_eq!(key.split('.').count(), 2, "{key}");
        }
        assert_eq!(Input::named("demand.nothing"), None);
    }
}
