//! What people do to the gate and to its records, in a ledger of its own beside that of the
//! exchanges: same format, same checks, so that whoever erases or exports leaves a line that can
//! be verified too. It is opened for one line at a time, also while a gate runs.

use super::checkpoint::Checkpointer;
use super::lines::Lines;
use super::{Error, Ledger, Options, Signer, Sync, segment};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for another process that is writing its line.
const PATIENCE: Duration = Duration::from_secs(5);

/// An act, when and by whom it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// Microseconds since the Unix epoch.
    pub at_us: i64,
    /// The operating system's number of the user.
    pub uid: u32,
    /// What was done.
    pub act: Act,
}

/// What can be done. Holds names that operators chose, labels and numbers; no text of callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// A gate began to work.
    GateStarted {
        /// The version of the policy in force, as records name it.
        policy: String,
    },
    /// A running gate took another configuration, policy or rules.
    Reloaded {
        /// The version of the configuration file: the first 16 hex digits of its SHA-256.
        config: String,
        /// The version of the policy in force from then on.
        policy: String,
        /// That of the policy before.
        policy_before: String,
    },
    /// A caller's key was made.
    KeyCreated {
        /// Its id; nothing of the key itself.
        id: String,
        /// Whose it is.
        name: String,
        /// Of which team.
        team: String,
    },
    /// A caller's key was revoked.
    KeyRevoked {
        /// Its id.
        id: String,
        /// Whose it was.
        name: String,
    },
    /// Records were given away with their proofs.
    Exported {
        /// The first record.
        from: u64,
        /// The record after the last.
        to: u64,
    },
    /// Records are about to be erased.
    Erased {
        /// Those of exchanges that began before this; microseconds since the Unix epoch.
        before_us: i64,
        /// Only under this jurisdiction.
        jurisdiction: Option<String>,
        /// Only with this label among the findings.
        finding: Option<String>,
        /// How many that are.
        records: u64,
        /// The first and the last of them.
        span: Option<(u64, u64)>,
    },
}

/// Writes one line into the ledger of acts in `dir`, on stable storage, and signs for it when there
/// is a `signer`. Blocks; not to be called where waiting is forbidden.
///
/// # Errors
/// [`Error::Locked`] when another process holds it for more than five seconds; otherwise when it
/// cannot be written or does not hold.
pub fn note(dir: &Path, done: &Done, signer: Option<Signer>) -> Result<u64, Error> {
    let options = Options {
        sync: Sync::Always,
        ..Options::default()
    };
    let since = Instant::now();
    let ledger = loop {
        match Ledger::open(dir, options) {
            Err(Error::Locked { .. }) if since.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            opened => break opened?,
        }
    };
    let json = serde_json::to_vec(done).map_err(|source| Error::Form {
        seq: ledger.next_seq(),
        source: Arc::new(source),
    })?;
    let seq = ledger.append_act(json)?;
    if let Some(signer) = signer {
        Checkpointer::open(&ledger, signer)?.take()?;
    }
    Ok(seq)
}

/// All acts of the ledger of acts in `dir`, with their sequence numbers; none if there is no such
/// ledger.
///
/// # Errors
/// When it cannot be read or does not hold.
pub fn acts(dir: &Path) -> Result<Vec<(u64, Done)>, Error> {
    #[derive(Deserialize)]
    struct In {
        act: Done,
    }
    let mut all = Vec::new();
    if !dir.is_dir() {
        return Ok(all);
    }
    let mut head = None;
    for segment in segment::list(dir)? {
        let mut lines = Lines::of(segment, head)?;
        while let Some(line) = lines.advance()? {
            let read: In = serde_json::from_slice(line.json).map_err(|source| Error::Form {
                seq: line.seq,
                source: Arc::new(source),
            })?;
            all.push((line.seq, read.act));
        }
        head = lines.head();
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::verify;
    use ed25519_dalek::SigningKey;

    fn done(n: i64) -> Done {
        Done {
            at_us: 1_790_000_000_000_000 + n,
            uid: 1_000,
            act: match n % 3 {
                0 => Act::GateStarted {
                    policy: "0123456789abcdef".into(),
                },
                1 => Act::KeyRevoked {
                    id: "k1".into(),
                    name: "ci".into(),
                },
                _ => Act::Erased {
                    before_us: n,
                    jurisdiction: Some("US".into()),
                    finding: None,
                    records: 2,
                    span: Some((1, 4)),
                },
            },
        }
    }

    #[test]
    fn acts_are_kept_signed_for_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("acts");
        assert_eq!(acts(&place).unwrap(), []);
        for n in 0..6 {
            let signer = Signer::new("example.org/acts", SigningKey::from_bytes(&[1; 32])).unwrap();
            // Who lacks the passphrase notes what was done; the next who has it signs.
            let signer = (n % 2 == 1).then_some(signer);
            assert_eq!(note(&place, &done(n), signer).unwrap(), n as u64);
        }
        let all: Vec<_> = (0..6).map(|n| (n as u64, done(n))).collect();
        assert_eq!(acts(&place).unwrap(), all);
        let report = verify(&place).unwrap();
        assert!(report.is_sound());
        assert_eq!(
            (report.records, report.signed, report.checkpoints),
            (6, 6, 3)
        );
    }

    #[test]
    fn several_at_once_wait_for_each_other() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let dir = dir.path();
                scope.spawn(move || note(dir, &done(n), None).unwrap());
            }
        });
        let mut times: Vec<_> = acts(dir.path())
            .unwrap()
            .into_iter()
            .map(|(_, d)| d.at_us)
            .collect();
        times.sort_unstable();
        assert_eq!(times, (0..8).map(|n| done(n).at_us).collect::<Vec<_>>());
    }
}
