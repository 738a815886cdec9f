//! `[ledger]` of the configuration.

use super::anchor::Anchor;
use serde::Deserialize;
use std::time::Duration;
use tollgate_analytics::ledger::{Check, Options, Sync};
use tollgate_proxy::gate::OnFull;

/// How the ledger is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// When a record counts as written.
    pub mode: Mode,
    /// What happens to exchanges when the disk is full: `refuse` or `degrade`.
    pub on_full: OnFull,
    /// Seconds between signed checkpoints, while records come in.
    pub checkpoint_interval_s: u64,
    /// What the ledger is called in checkpoints: a name of your own without spaces or `+`, such as
    /// `gate.example.org/ledger`. Empty: one made from the key.
    pub origin: String,
    /// The passphrase that the signing key is encrypted under: `env:NAME` or `file:PATH`. Absent:
    /// the key is plain, readable for the gate's user alone.
    pub key_passphrase: Option<String>,
    /// Where checkpoints are written as well.
    pub anchor: Vec<Anchor>,
}

/// When a record counts as written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Handed to the operating system: survives the end of the process at any point; a power cut
    /// may cost the last 50 ms.
    Relaxed,
    /// On stable storage: survives a power cut. An answer is completed only then.
    Strict,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Relaxed,
            on_full: OnFull::Refuse,
            checkpoint_interval_s: 60,
            origin: String::new(),
            key_passphrase: None,
            anchor: Vec::new(),
        }
    }
}

impl Settings {
    /// The ledger's options. Closed segments are not read again at every start: the newest
    /// checkpoint is compared with what is kept of them.
    pub fn options(&self) -> Options {
        Options {
            sync: match self.mode {
                Mode::Relaxed => Options::default().sync,
                Mode::Strict => Sync::Always,
            },
            check: Check::LastSegment,
            ..Options::default()
        }
    }

    /// Whether it differs from another in nothing but what a running gate can take up.
    pub fn is_same_at_start(&self, other: &Settings) -> bool {
        let on_full = self.on_full;
        let other = Settings {
            on_full,
            ..other.clone()
        };
        *self == other
    }

    /// The time between checkpoints.
    pub fn checkpoint_interval(&self) -> Duration {
        Duration::from_secs(self.checkpoint_interval_s)
    }

    /// What is wrong with a value, if something is.
    pub fn fault(&self) -> Option<String> {
        if self.checkpoint_interval_s == 0 {
            return Some("ledger.checkpoint_interval_s: expected at least 1".into());
        }
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        self.origin.contains(bad).then(|| {
            let found = &self.origin;
            format!("ledger.origin: expected a name without spaces or +, found {found:?}")
        })
    }
}
