//! How many GPUs the traffic takes in its busiest hour.

use super::input::Input;
use super::path::{Draw, SECONDS_PER_MONTH};

/// The GPUs that an own model needs in one trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capacity {
    /// GPUs that one request a month keeps busy in the busiest hour, at the use aimed for.
    per_request: f64,
    gpus_per_replica: f64,
}

impl Capacity {
    pub(super) fn new(draw: &Draw) -> Capacity {
        let classes = [
            (Input::MixShort, Input::ThroughputShort),
            (Input::MixPromptHeavy, Input::ThroughputPromptHeavy),
            (Input::MixBalanced, Input::ThroughputBalanced),
            (Input::MixLong, Input::ThroughputLong),
        ];
        let weights: f64 = classes.iter().map(|(mix, _)| draw[*mix]).sum();
        let gpu_seconds_per_token: f64 = classes
            .iter()
            .map(|(mix, throughput)| draw[*mix] / weights / draw[*throughput])
            .sum();
        let tokens = draw[Input::InputTokens] + draw[Input::OutputTokens];
        let gpu_seconds = tokens * gpu_seconds_per_token * draw[Input::ModelFactor];
        Capacity {
            per_request: gpu_seconds / SECONDS_PER_MONTH * draw[Input::Peak]
                / draw[Input::Utilisation],
            gpus_per_replica: draw[Input::GpusPerReplica].round(),
        }
    }

    /// GPUs for so many requests a month: whole copies of the model, and one to spare (N+1).
    pub(super) fn gpus(&self, requests: f64) -> f64 {
        let replicas = (requests * self.per_request / self.gpus_per_replica).ceil();
        (replicas + 1.0) * self.gpus_per_replica
    }
}
