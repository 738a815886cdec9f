//! Virtual keys: what a caller shows to the gate instead of a provider's credential.
//!
//! A key is `tg-` and 256 random bits in base32. `keys.json` keeps its SHA-256 only, so the file
//! lets nobody in; a slow hash would add nothing, because there is no guessable password behind it.
//! The file is replaced atomically under a lock. A [`KeyRing`] is what stood in it when it was
//! read; a running gate looks for a replacement and reads it anew ([`KeyRing::renewed`]).
//!
//! Once a key has been created, every caller needs one, even after the last is revoked. What cannot
//! be read is an error, never "no keys".

use crate::callers::Allowance;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file's name in the data directory.
pub const FILE: &str = "keys.json";
/// What every key starts with.
pub const PREFIX: &str = "tg-";
/// Longest name of a key or a team, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// A longer token is no key of ours and is not hashed.
const TOKEN_BYTES_MAX: usize = 256;
/// RFC 4648 base32 in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Who calls, according to the key shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key's name.
    pub name: String,
    /// The team that the key belongs to; may be empty.
    pub team: String,
    /// The project that it is for; may be empty.
    pub project: String,
    /// What it may use, if it brings that along.
    pub allowance: Option<Arc<Allowance>>,
}

/// One key as the file keeps it: nothing here opens the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Unique among the keys that are not revoked.
    pub name: String,
    /// May be empty.
    #[serde(default)]
    pub team: String,
    /// May be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// What it may use, where the configuration has no table for it.
    #[serde(default, skip_serializing_if = "Allowance::is_unbounded")]
    pub allowance: Allowance,
    /// Lower-case hex SHA-256 of the whole key, prefix included.
    pub sha256: String,
    /// When it was created; seconds since the Unix epoch.
    pub created: i64,
    /// When it was revoked; seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<i64>,
}

impl Key {
    /// First eight hex digits of the hash: tells keys of the same name apart.
    pub fn id(&self) -> &str {
        self.sha256.get(..8).unwrap_or(&self.sha256)
    }
}

/// Why keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("could not {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is not what this program writes.
    #[error("{} is not a key file of version 1; restore it from a backup, or move it away to start without keys", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where it goes wrong, when the JSON itself is at fault.
        source: Option<serde_json::Error>,
    },
    /// A name that could not stand in a record.
    #[error(
        "{what} {given:?} must be 1 to {NAME_BYTES_MAX} of the characters a-z A-Z 0-9 . _ - @ and not start with a sign"
    )]
    Name {
        /// `name`, `team` or `project`.
        what: &'static str,
        /// What was given.
        given: String,
    },
    /// The name is in use.
    #[error("a key named {0:?} exists; revoke it first or choose another name")]
    Taken(String),
    /// Nothing to revoke.
    #[error("no key in use has the name or id {0:?}; `tollgate keys list` shows them")]
    NotFound(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: u32,
    keys: Vec<Key>,
}

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct NewKey<'a> {
    /// Whose it is.
    pub name: &'a str,
    /// May be empty.
    pub team: &'a str,
    /// May be empty.
    pub project: &'a str,
    /// What it may use.
    pub allowance: Allowance,
}

/// Creates a key from 256 `random` bits, stores its hash in `dir`, and returns the key itself: it
/// can be shown now and never again. `now` is in seconds since the Unix epoch.
///
/// # Errors
/// When a name is malformed or taken, or the file cannot be read or replaced.
pub fn create(dir: &Path, new: NewKey<'_>, random: [u8; 32], now: i64) -> Result<String, KeyError> {
    let NewKey { name, team, .. } = new;
    check_name("name", name)?;
    for (what, given) in [("team", team), ("project", new.project)] {
        if !given.is_empty() {
            check_name(what, given)?;
        }
    }
    let token = format!("{PREFIX}{}", base32(&random));
    update(dir, |keys| {
        if keys
            .iter()
            .any(|key| key.revoked.is_none() && key.name == name)
        {
            return Err(KeyError::Taken(name.to_owned()));
        }
        keys.push(Key {
            name: name.to_owned(),
            team: team.to_owned(),
            project: new.project.to_owned(),
            allowance: new.allowance,
            sha256: hex(&digest(&token)),
            created: now,
            revoked: None,
        });
        Ok(())
    })?;
    Ok(token)
}

/// Revokes the key in use whose name or id is `which`. `now` is in seconds since the Unix epoch.
///
/// # Errors
/// When there is no such key, or the file cannot be read or replaced.
pub fn revoke(dir: &Path, which: &str, now: i64) -> Result<Key, KeyError> {
    update(dir, |keys| {
        let key = keys
            .iter_mut()
            .find(|key| key.revoked.is_none() && (key.name == which || key.id() == which))
            .ok_or_else(|| KeyError::NotFound(which.to_owned()))?;
        key.revoked = Some(now);
        Ok(key.clone())
    })
}

/// All keys in the order of their creation, revoked ones included; none when there is no file.
///
/// # Errors
/// When the file cannot be read or is malformed.
pub fn list(dir: &Path) -> Result<Vec<Key>, KeyError> {
    Ok(read(&dir.join(FILE))?.unwrap_or_default())
}

/// The keys that open the gate, as they stood in the file when it was read.
#[derive(Debug, Default)]
pub struct KeyRing {
    /// By the first eight bytes of the hash; the rest is compared in constant time.
    callers: HashMap<u64, Vec<([u8; 32], Caller)>>,
    any: bool,
}

impl KeyRing {
    /// Reads the keys of a data directory. No file means that no key has been created.
    ///
    /// # Errors
    /// When the file cannot be read or is malformed.
    pub fn load(dir: &Path) -> Result<KeyRing, KeyError> {
        let path = dir.join(FILE);
        let Some(keys) = read(&path)? else {
            return Ok(KeyRing::default());
        };
        let mut ring = KeyRing {
            any: !keys.is_empty(),
            ..KeyRing::default()
        };
        for key in keys.into_iter().filter(|key| key.revoked.is_none()) {
            let hash = unhex(&key.sha256).ok_or_else(|| KeyError::Malformed {
                path: path.clone(),
                source: None,
            })?;
            let caller = Caller {
                name: key.name,
                team: key.team,
                project: key.project,
                allowance: (!key.allowance.is_unbounded()).then(|| Arc::new(key.allowance)),
            };
            let bucket = ring.callers.entry(bucket_of(&hash)).or_default();
            bucket.push((hash, caller));
        }
        Ok(ring)
    }

    /// Reads the keys anew.
    ///
    /// # Errors
    /// As [`KeyRing::load`]; and when there were keys and the file is gone, which must not open
    /// the gate.
    pub fn renewed(&self, dir: &Path) -> Result<KeyRing, KeyError> {
        let ring = KeyRing::load(dir)?;
        if self.any && !ring.any {
            return Err(KeyError::Io {
                action: "find keys in",
                path: dir.join(FILE),
                source: io::ErrorKind::NotFound.into(),
            });
        }
        Ok(ring)
    }

    /// Whether callers must show a key: true from the first key created on.
    pub fn is_required(&self) -> bool {
        self.any
    }

    /// The caller whose key this is; `None` for an unknown or revoked key.
    pub fn lookup(&self, token: &str) -> Option<&Caller> {
        if !token.starts_with(PREFIX) || token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let shown = digest(token);
        let bucket = self.callers.get(&bucket_of(&shown))?;
        let mut found = None;
        for (hash, caller) in bucket {
            if equal_in_constant_time(hash, &shown) {
                found = Some(caller);
            }
        }
        found
    }
}

fn read(path: &Path) -> Result<Option<Vec<Key>>, KeyError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(KeyError::Io {
                action: "read",
                path: path.to_owned(),
                source,
            });
        }
    };
    let malformed = |source| KeyError::Malformed {
        path: path.to_owned(),
        source,
    };
    let file: KeyFile = serde_json::from_str(&text).map_err(|error| malformed(Some(error)))?;
    let sound = file.version == 1 && file.keys.iter().all(|key| unhex(&key.sha256).is_some());
    sound
        .then_some(Some(file.keys))
        .ok_or_else(|| malformed(None))
}

/// Changes the file under a lock that other processes respect, and replaces it whole.
fn update<T>(
    dir: &Path,
    change: impl FnOnce(&mut Vec<Key>) -> Result<T, KeyError>,
) -> Result<T, KeyError> {
    let path = dir.join(FILE);
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| KeyError::Io {
            action,
            path,
            source,
        }
    };
    fs::create_dir_all(dir).map_err(failed("create", dir))?;
    let guard = dir.join("keys.lock");
    let lock = private(&guard).map_err(failed("open", &guard))?;
    lock.lock().map_err(failed("lock", &guard))?;

    let mut keys = read(&path)?.unwrap_or_default();
    let result = change(&mut keys)?;
    let mut text = serde_json::to_vec_pretty(&KeyFile { version: 1, keys }).map_err(|source| {
        KeyError::Malformed {
            path: path.clone(),
            source: Some(source),
        }
    })?;
    text.push(b'\n');

    let partial = dir.join("keys.json.partial");
    let write = || {
        let mut file = private(&partial)?;
        file.set_len(0)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&partial, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(failed("replace", &path))?;
    Ok(result)
}

/// Opens a file that only its owner may read.
fn private(path: &Path) -> io::Result<File> {
    File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Whether a key, a team or a project can be called so.
pub(crate) fn is_name(given: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    given.len() <= NAME_BYTES_MAX
        && given.starts_with(|first: char| first.is_ascii_alphanumeric())
        && given.bytes().all(allowed)
}

fn check_name(what: &'static str, given: &str) -> Result<(), KeyError> {
    if is_name(given) {
        Ok(())
    } else {
        Err(KeyError::Name {
            what,
            given: given.to_owned(),
        })
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn bucket_of(hash: &[u8; 32]) -> u64 {
    hash[..8]
        .iter()
        .fold(0, |bucket, byte| bucket << 8 | u64::from(*byte))
}

fn equal_in_constant_time(left: &[u8; 32], right: &[u8; 32]) -> bool {
    let difference = left
        .iter()
        .zip(right)
        .fold(0, |seen, (a, b)| seen | (a ^ b));
    std::hint::black_box(difference) == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64
        || !digits
            .iter()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    let value = |digit: u8| {
        if digit.is_ascii_digit() {
            digit - b'0'
        } else {
            digit - b'a' + 10
        }
    };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0]) << 4 | value(pair[1]);
    }
    Some(bytes)
}

/// Without padding.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u16, 0);
    for byte in bytes {
        held = held << 8 | u16::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[usize::from(held >> bits & 31)]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(BASE32[usize::from(held << (5 - bits) & 31)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn caller(name: &str, team: &str) -> Caller {
        Caller {
            name: name.into(),
            team: team.into(),
            project: String::new(),
            allowance: None,
        }
    }

    fn new<'a>(name: &'a str, team: &'a str) -> NewKey<'a> {
        NewKey {
            name,
            team,
            ..NewKey::default()
        }
    }

    #[test]
    fn what_a_key_may_use_stands_with_it_and_a_file_of_before_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let allowance = Allowance {
            models: vec!["gpt-*".into()],
            requests_per_minute: std::num::NonZeroU64::new(60),
            ..Allowance::default()
        };
        let made = NewKey {
            project: "chat",
            allowance: allowance.clone(),
            ..new("ci", "a")
        };
        let token = create(dir.path(), made, [1; 32], 1).unwrap();
        let ring = KeyRing::load(dir.path()).unwrap();
        let caller = ring.lookup(&token).unwrap();
        assert_eq!(caller.project, "chat");
        assert_eq!(caller.allowance.as_deref(), Some(&allowance));
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(text.contains("\"requests_per_minute\": 60"), "{text}");

        let plain = tempfile::tempdir().unwrap();
        create(plain.path(), new("ci", "a"), [1; 32], 1).unwrap();
        let text = fs::read_to_string(plain.path().join(FILE)).unwrap();
        assert!(!text.contains("project") && !text.contains("allowance"));
    }

    #[test]
    fn a_key_opens_until_it_is_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let none = KeyRing::load(dir.path()).unwrap();
        assert!(!none.is_required());

        let one = create(dir.path(), new("billing", "finance"), [7; 32], 100).unwrap();
        let two = create(dir.path(), new("ci", ""), [8; 32], 101).unwrap();
        let both = none.renewed(dir.path()).unwrap();
        assert!(both.is_required() && !none.is_required());
        assert_eq!(both.lookup(&one), Some(&caller("billing", "finance")));
        assert_eq!(both.lookup(&two), Some(&caller("ci", "")));
        assert_eq!(both.lookup(&one[..one.len() - 1]), None);
        assert_eq!(both.lookup("sk-somebody-elses"), None);
        assert_eq!(both.lookup(""), None);

        revoke(dir.path(), "billing", 102).unwrap();
        let id = list(dir.path()).unwrap()[1].id().to_owned();
        revoke(dir.path(), &id, 103).unwrap();
        let revoked = both.renewed(dir.path()).unwrap();
        assert_eq!((revoked.lookup(&one), revoked.lookup(&two)), (None, None));
        assert!(
            revoked.is_required(),
            "revoking the last key must not open the gate"
        );
        assert!(matches!(
            revoke(dir.path(), "ci", 104),
            Err(KeyError::NotFound(_))
        ));
    }

    #[test]
    fn the_file_holds_no_key_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let token = create(dir.path(), new("ci", "platform"), [1; 32], 100).unwrap();
        assert_eq!(token.len(), PREFIX.len() + 52);
        let path = dir.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&token[PREFIX.len()..]));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_damaged_or_deleted_file_is_an_error_and_not_an_open_gate() {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), new("ci", ""), [1; 32], 100).unwrap();
        let ring = KeyRing::load(dir.path()).unwrap();
        let path = dir.path().join(FILE);

        fs::write(&path, "{\"version\":1,\"keys\":[").unwrap();
        let renewed = ring.renewed(dir.path());
        assert!(matches!(renewed, Err(KeyError::Malformed { .. })));
        let no_hash = r#"{"version":1,"keys":[{"name":"x","sha256":"zz","created":1}]}"#;
        fs::write(&path, no_hash).unwrap();
        assert!(matches!(
            KeyRing::load(dir.path()),
            Err(KeyError::Malformed { source: None, .. })
        ));
        for gone in ["{\"version\":1,\"keys\":[]}", ""] {
            match gone {
                "" => fs::remove_file(&path).unwrap(),
                empty => fs::write(&path, empty).unwrap(),
            }
            let renewed = ring.renewed(dir.path());
            assert!(matches!(renewed, Err(KeyError::Io { .. })));
        }
    }

    #[test]
    fn names_are_checked_and_unique_while_in_use() {
        let dir = tempfile::tempdir().unwrap();
        for bad in ["", "-x", "a b", "a\nb", &"x".repeat(65), "é"] {
            assert!(matches!(
                create(dir.path(), new(bad, ""), [1; 32], 1),
                Err(KeyError::Name { what: "name", .. })
            ));
        }
        create(dir.path(), new("ci", ""), [1; 32], 1).unwrap();
        assert!(matches!(
            create(dir.path(), new("ci", ""), [2; 32], 1),
            Err(KeyError::Taken(_))
        ));
        revoke(dir.path(), "ci", 2).unwrap();
        create(dir.path(), new("ci", ""), [3; 32], 3).unwrap();
        assert_eq!(list(dir.path()).unwrap().len(), 2);
    }

    #[test]
    fn keys_created_at_the_same_time_are_all_kept() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for index in 0..8_u8 {
                let dir = dir.path();
                scope.spawn(move || {
                    create(dir, new(&format!("k{index}"), ""), [index; 32], 1).unwrap()
                });
            }
        });
        assert_eq!(list(dir.path()).unwrap().len(), 8);
    }

    #[test]
    fn base32_agrees_with_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "my"),
            ("fo", "mzxq"),
            ("foo", "mzxw6"),
            ("foobar", "mzxw6ytboi"),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(base32(plain.as_bytes()), encoded);
        }
    }
}
