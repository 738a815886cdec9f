//! Signed notes: text with Ed25519 signatures under it, as <https://c2sp.org/signed-note> has them,
//! and a witness's cosignatures (<https://c2sp.org/tlog-cosignature>).
//!
//! ```text
//! <text, any lines>
//!
//! — <key name> <base64 of key ID and signature>
//! ```

use super::hash::Hash;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::fmt;
use std::str::FromStr;

/// Signatures under one note at most; the specification asks for at least 16.
const SIGNATURES_MAX: usize = 64;

/// Why a text is not a note, or a key not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not in the form of a signed note.
    #[error("not a signed note: {0}")]
    Form(&'static str),
    /// Not in the form of a verifier key.
    #[error("not a verifier key: {0}")]
    Key(&'static str),
}

/// What a key's signatures say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The text itself: type 0x01.
    Ed25519,
    /// That a witness saw the checkpoint at a time: type 0x04.
    Cosignature,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            KeyKind::Ed25519 => 1,
            KeyKind::Cosignature => 4,
        }
    }
}

/// A public key with its name, written `<name>+<key ID>+<base64 of type and key>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

/// What a note's signatures say about it, asked of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key has not signed it.
    Unsigned,
    /// A signature in the key's name does not hold.
    Wrong,
    /// It is signed; by a witness, at this time in seconds since the Unix epoch.
    Signed(Option<u64>),
}

impl VerifierKey {
    /// A key under a name.
    ///
    /// # Errors
    /// When the name is empty or holds a space, a control character or a plus.
    pub fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Result<VerifierKey, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Key("its name is empty, or holds a space or a +"));
        }
        let name = name.to_owned();
        Ok(VerifierKey { name, kind, key })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its signatures say.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key.
    pub fn public(&self) -> &VerifyingKey {
        &self.key
    }

    fn id(&self) -> [u8; 4] {
        let kind = [self.kind.byte()];
        let hash = Hash::of_all(&[self.name.as_bytes(), b"\n", &kind, self.key.as_bytes()]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        [a, b, c, d]
    }

    /// What this key says about a note. Weak keys and malleable signatures are refused.
    pub fn check(&self, note: &Note) -> Verdict {
        let id = self.id();
        let ours = |line: &&SignatureLine| line.name == self.name && line.id == id;
        let mut verdict = Verdict::Unsigned;
        for signature in note.signatures.iter().filter(ours) {
            verdict = self.holds(&note.text, &signature.bytes);
            if verdict == Verdict::Wrong {
                break;
            }
        }
        verdict
    }

    fn holds(&self, text: &str, bytes: &[u8]) -> Verdict {
        let (time, signature, message) = match self.kind {
            KeyKind::Ed25519 => (None, bytes, text.to_owned()),
            KeyKind::Cosignature => {
                let Some((time, signature)) = bytes.split_first_chunk::<8>() else {
                    return Verdict::Wrong;
                };
                let time = u64::from_be_bytes(*time);
                let message = format!("cosignature/v1\ntime {time}\n{text}");
                (Some(time), signature, message)
            }
        };
        let holds = Signature::from_slice(signature)
            .and_then(|signature| self.key.verify_strict(message.as_bytes(), &signature));
        match holds {
            Ok(()) => Verdict::Signed(time),
            Err(_) => Verdict::Wrong,
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(self.key.as_bytes());
        let id = u32::from_be_bytes(self.id());
        write!(f, "{}+{id:08x}+{}", self.name, STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<VerifierKey, NoteError> {
        let form = || NoteError::Key("expected NAME+KEYID+BASE64");
        let (name, rest) = text.trim().split_once('+').ok_or_else(form)?;
        let (id, key) = rest.split_once('+').ok_or_else(form)?;
        let key = STANDARD.decode(key).map_err(|_| form())?;
        let (kind, key) = match key.split_first() {
            Some((1, key)) => (KeyKind::Ed25519, key),
            Some((4, key)) => (KeyKind::Cosignature, key),
            _ => return Err(NoteError::Key("neither Ed25519 nor a witness's")),
        };
        let key = key.try_into().map_err(|_| form())?;
        let key = VerifyingKey::from_bytes(key)
            .map_err(|_| NoteError::Key("its bytes are no point of the curve"))?;
        let key = VerifierKey::new(name, kind, key)?;
        if format!("{:08x}", u32::from_be_bytes(key.id())) != id {
            return Err(NoteError::Key("its ID is not that of its name and bytes"));
        }
        Ok(key)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// A text and the signatures under it. Reading one checks nothing but its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// The text, its last newline included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many signatures it bears, known or not.
    pub fn signatures(&self) -> usize {
        self.signatures.len()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for SignatureLine { name, id, bytes } in &self.signatures {
            let bytes = STANDARD.encode([id, bytes.as_slice()].concat());
            writeln!(f, "— {name} {bytes}")?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(whole: &str) -> Result<Note, NoteError> {
        if whole.chars().any(|c| c.is_ascii_control() && c != '\n') {
            return Err(NoteError::Form("it holds a control character"));
        }
        let (text, signatures) = whole.rsplit_once("\n\n").ok_or(NoteError::Form(
            "expected a blank line above the signatures",
        ))?;
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or(NoteError::Form("its last line is not whole"))?;
        let line = |line: &str| {
            let (name, bytes) = line.strip_prefix("— ")?.split_once(' ')?;
            let bytes = STANDARD.decode(bytes).ok()?;
            let (id, bytes) = bytes.split_first_chunk::<4>()?;
            (is_name(name) && !bytes.is_empty()).then(|| SignatureLine {
                name: name.to_owned(),
                id: *id,
                bytes: bytes.to_vec(),
            })
        };
        let signatures: Vec<_> = signatures
            .split('\n')
            .take(SIGNATURES_MAX + 1)
            .map(line)
            .collect::<Option<_>>()
            .ok_or(NoteError::Form("expected signature lines at its end"))?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::Form("it bears more than 64 signatures"));
        }
        Ok(Note {
            text: format!("{text}\n"),
            signatures,
        })
    }
}

#[cfg(test)]
impl Note {
    /// Adds what a witness would.
    pub(super) fn cosign(&mut self, key: &VerifierKey, secret: &SigningKey, time: u64) {
        let message = format!("cosignature/v1\ntime {time}\n{}", self.text);
        let signature = secret.sign(message.as_bytes()).to_bytes();
        self.signatures.push(SignatureLine {
            name: key.name.clone(),
            id: key.id(),
            bytes: [&time.to_be_bytes()[..], &signature].concat(),
        });
    }
}

/// A secret key with its name. Never shown.
pub struct Signer {
    verifier: VerifierKey,
    key: SigningKey,
}

impl Signer {
    /// A key under a name.
    ///
    /// # Errors
    /// When the name is empty or holds a space, a control character or a plus.
    pub fn new(name: &str, key: SigningKey) -> Result<Signer, NoteError> {
        let verifier = VerifierKey::new(name, KeyKind::Ed25519, key.verifying_key())?;
        Ok(Signer { verifier, key })
    }

    /// The same key under another name, for another ledger: trees of two ledgers must not be signed
    /// for under one name.
    ///
    /// # Errors
    /// When the name is empty or holds a space, a control character or a plus.
    pub fn renamed(self, name: &str) -> Result<Signer, NoteError> {
        Signer::new(name, self.key)
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text that ends with a newline.
    pub(super) fn sign(&self, text: String) -> Note {
        let signature = self.key.sign(text.as_bytes());
        let line = SignatureLine {
            name: self.verifier.name.clone(),
            id: self.verifier.id(),
            bytes: signature.to_bytes().to_vec(),
        };
        Note {
            text,
            signatures: vec![line],
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("verifier", &self.verifier.to_string())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of the specification, and the key that the Go implementation's tests have for
    /// the same text.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn the_published_note_holds_and_no_other() {
        let key: VerifierKey = PETER.parse().unwrap();
        assert_eq!(key.to_string(), PETER);
        let note: Note = NOTE.parse().unwrap();
        assert_eq!(note.to_string(), NOTE);
        assert_eq!(key.check(&note), Verdict::Signed(None));
        let changed: Note = NOTE.replace("think", "thunk").parse().unwrap();
        assert_eq!(key.check(&changed), Verdict::Wrong);
        let renamed: Note = NOTE.replace("— Peter", "— Pieter").parse().unwrap();
        assert_eq!(key.check(&renamed), Verdict::Unsigned);
    }

    #[test]
    fn what_is_no_key_or_no_note_is_told() {
        for bad in [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+CRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzh",
        ] {
            assert!(
                matches!(bad.parse::<VerifierKey>(), Err(NoteError::Key(_))),
                "{bad}"
            );
        }
        for bad in [
            "",
            "text\n",
            "text\n\n",
            "a\n\n— name\n",
            "a\n\n- n AAAAAAA=\n",
            "a\n\n— n AAAA\n",
        ] {
            assert!(
                matches!(bad.parse::<Note>(), Err(NoteError::Form(_))),
                "{bad:?}"
            );
        }
        let many = format!("a\n\n{}", "— n AAAAAAA=\n".repeat(SIGNATURES_MAX + 1));
        assert!(many.parse::<Note>().is_err());
    }

    #[test]
    fn ours_is_accepted_by_an_implementation_that_is_not_ours() {
        use signed_note::{Note as Theirs, StandardVerifier, VerifierList};
        let signer = Signer::new("example.org/log", SigningKey::from_bytes(&[7; 32])).unwrap();
        let note = signer.sign("some\n\ntext\n".into());
        let theirs = StandardVerifier::new(&signer.verifier().to_string()).unwrap();
        let known = VerifierList::new(vec![Box::new(theirs)]);
        let read = Theirs::from_bytes(note.to_string().as_bytes()).unwrap();
        let (verified, unknown) = read.verify(&known).unwrap();
        assert_eq!((verified.len(), unknown.len()), (1, 0));
        assert!(!format!("{signer:?}").contains("7, 7"));
    }

    #[test]
    fn a_witness_s_cosignature_says_when() {
        let witness = SigningKey::from_bytes(&[9; 32]);
        let key = VerifierKey::new("w.example/1", KeyKind::Cosignature, witness.verifying_key());
        let key = key.unwrap();
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let signer = Signer::new("example.org/log", SigningKey::from_bytes(&[7; 32])).unwrap();
        let mut note = signer.sign("example.org/log\n1\nAAAA\n".into());
        assert_eq!(key.check(&note), Verdict::Unsigned);
        let time = 1_790_000_000;
        note.cosign(&key, &witness, time);
        let read: Note = note.to_string().parse().unwrap();
        assert_eq!(key.check(&read), Verdict::Signed(Some(time)));
        assert_eq!(signer.verifier().check(&read), Verdict::Signed(None));
        note.signatures[1].bytes[7] ^= 1;
        assert_eq!(key.check(&note), Verdict::Wrong);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_what_is_read_writes_back(text in "\\PC*(\n\\PC*){0,4}") {
            if let Ok(note) = text.parse::<Note>() {
                prop_assert_eq!(note.to_string().parse(), Ok(note));
            }
            let _ = text.parse::<VerifierKey>();
        }
    }
}
