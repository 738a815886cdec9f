use super::*;
use crate::placeholder::MasterKey;
use crate::vault::VaultLimits;
use proptest::prelude::*;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    value: Vec<Value>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    label: String,
    tag: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    text: String,
    expect: String,
    #[serde(default)]
    escape: EscapeName,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EscapeName {
    #[default]
    None,
    Json,
}

impl From<EscapeName> for Escape {
    fn from(name: EscapeName) -> Self {
        match name {
            EscapeName::None => Self::None,
            EscapeName::Json => Self::Json,
        }
    }
}

fn stream<'c>(
    vault: &Vault,
    escape: Escape,
    chunks: impl IntoIterator<Item = &'c str>,
) -> (String, u32) {
    let mut restorer = Restorer::new(escape);
    let mut out = String::new();
    for chunk in chunks {
        restorer.push(vault, chunk, &mut out);
        assert!(restorer.pending() <= HELD_LEN_MAX);
    }
    restorer.finish(vault, &mut out);
    assert_eq!(restorer.pending(), 0);
    (out, restorer.restored())
}

fn chars(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices()
        .map(|(at, c)| &text[at..at + c.len_utf8()])
}

#[test]
fn table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/restore");
    let mut cases = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let suite: Suite = toml::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let values: Vec<_> = suite
            .value
            .iter()
            .map(|v| (&*v.label, &*v.tag, &*v.value))
            .collect();
        let vault = Vault::with_tags(&values);
        for Case {
            name,
            text,
            expect,
            escape,
        } in suite.case
        {
            let escape = escape.into();
            let case = format!("{}: {name}", path.file_name().unwrap().display());
            let (whole, restored) = restore_all(&vault, &text, escape);
            assert_eq!(whole, expect, "{case}");
            assert_eq!(restored > 0, text != expect, "{case}");
            assert_eq!(
                stream(&vault, escape, chars(&text)),
                (expect.clone(), restored),
                "{case}"
            );
            for (at, _) in text.char_indices() {
                let halves = [&text[..at], &text[at..]];
                let cut = stream(&vault, escape, halves);
                assert_eq!(cut, (expect.clone(), restored), "{case}, cut at {at}");
            }
            cases += 1;
        }
    }
    assert!(cases > 90, "{cases} cases");
}

fn vault() -> Vault {
    Vault::with_tags(&[
        ("PERSON", "K7Q2MX", "Ada \"A\" Muster"),
        ("PERSON", "K7Q2MX4", "Bea"),
        ("DATE_OF_BIRTH", "D4KK2P", "1980-02-29"),
        ("ORG", "P9TTTT", "K7Q2MX [PERSON_K7Q2MX] GmbH & Söhne\\"),
    ])
}

#[test]
fn ordinary_text_is_not_held_back() {
    let vault = vault();
    let mut restorer = Restorer::new(Escape::None);
    let mut out = String::new();
    for (chunk, pending) in [
        ("Hello", ""),
        (" wor", ""),
        ("ld, k", "k"),
        ("ind regards, K7", "K7"),
        ("7. It is 7", ""),
        (" o'clock \u{e9}t\u{e9}", ""),
        (" [", "["),
        ("see", "[see"),
        (" t", ""),
        ("he or", "or"),
        ("igin (pages 1", ""),
        ("-3) of [PERSON_K7Q2MX]", ""),
    ] {
        restorer.push(&vault, chunk, &mut out);
        assert_eq!(restorer.held, pending, "after {chunk:?}");
    }
    assert!(out.ends_with("of Ada \"A\" Muster"));
}

#[test]
fn empty_vault_holds_nothing_back() {
    let vault = Vault::with_tags(&[]);
    let mut restorer = Restorer::new(Escape::Json);
    let mut out = String::new();
    for chunk in ["[PERSON_", "K7Q2MX", "\\", "["] {
        restorer.push(&vault, chunk, &mut out);
        assert_eq!(restorer.pending(), 0);
    }
    assert_eq!(out, "[PERSON_K7Q2MX\\[");
    assert!(matches!(
        restore_all(&vault, "[x]", Escape::None),
        (Cow::Borrowed("[x]"), 0)
    ));
}

#[test]
fn longest_form_fits_what_may_be_held_back() {
    let tag = "D4D4D4D4D4D4D4D4";
    let vault = Vault::with_tags(&[("PERSON", tag, "Ada")]);
    let escaped = |text: &str| {
        text.chars().fold(String::new(), |mut json, c| {
            json += &format!("\\u{:04x}", c as u32);
            json
        })
    };
    let words = [
        "\u{e9}".repeat(8),
        "\u{e9}".repeat(8),
        "\u{e9}".repeat(8),
        "\u{e9}".repeat(8),
    ];
    let label = words
        .iter()
        .fold(String::new(), |label, word| label + word + "\\_\\-\\_");
    let text = escaped(&format!("\\[  {label}{tag}  \\]"));
    assert_eq!(text.len(), HELD_LEN_MAX);
    assert_eq!(restore_all(&vault, &text, Escape::Json), ("Ada".into(), 1));
    assert_eq!(
        stream(&vault, Escape::Json, chars(&text)),
        ("Ada".into(), 1)
    );
}

#[test]
fn json_escapes_are_those_of_serde_json() {
    let all: String = (0..0x180).filter_map(char::from_u32).collect();
    let mut out = String::new();
    escape_json(&all, &mut out);
    assert_eq!(
        serde_json::from_str::<String>(&format!("\"{out}\"")).unwrap(),
        all
    );
}

#[test]
fn debug_shows_no_text() {
    let mut restorer = Restorer::new(Escape::None);
    restorer.push(&vault(), "[Ada", &mut String::new());
    assert_eq!(
        format!("{restorer:?}"),
        "Restorer { pending: 4, restored: 0, .. }"
    );
}

/// Pieces from which near-placeholders arise.
fn adversarial() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "[",
        "]",
        "[",
        "]",
        "(",
        ")",
        "\\",
        "\\",
        "_",
        "-",
        " ",
        "  ",
        ":",
        "PERSON",
        "person",
        "DATE",
        "OF",
        "BIRTH",
        "ORG",
        "K7Q2MX",
        "K7Q2MX",
        "k7q2mx",
        "K7Q2MX4",
        "D4KK2P",
        "P9TTTT",
        "K7",
        "Q2MX",
        "4",
        "s",
        "'s",
        "\u{e9}",
        "\u{4eba}\u{7269}",
        "\u{ff3b}",
        "\u{ff3d}",
        "\u{ff2b}",
        "\u{201c}",
        "\u{201d}",
        "\u{ab}",
        "\u{bb}",
        "\\u005b",
        "\\u005d",
        "\\u00",
        "\\n",
        "\\\"",
        "\"",
        "\n",
        "x",
        "[PERSON_K7Q2MX]",
        "[PERSON_",
        "\u{1f600}",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

fn escapes() -> impl Strategy<Value = Escape> {
    prop::sample::select(vec![Escape::None, Escape::Json])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_chunking_equals_the_whole(
        text in adversarial(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        escape in escapes(),
    ) {
        let vault = vault();
        let (whole, restored) = restore_all(&vault, &text, escape);
        let whole = (whole.into_owned(), restored);
        prop_assert_eq!(stream(&vault, escape, chars(&text)), whole.clone());
        let mut cuts: Vec<_> =
            cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]);
        prop_assert_eq!(stream(&vault, escape, chunks), whole);
    }

    #[test]
    fn restoring_what_was_pseudonymised_is_identity(
        pieces in prop::collection::vec((adversarial(), "\\PC{1,8}"), 0..8),
        tail in adversarial(),
    ) {
        let key = MasterKey::new([5; 32]).scope("hr");
        let mut vault = Vault::new(&key, VaultLimits::default());
        let mut original = String::new();
        for (between, value) in &pieces {
            original += between;
            original += value;
        }
        original += &tail;
        vault.reserve(&original);
        let mut sent = String::new();
        for (between, value) in &pieces {
            sent += between;
            sent += vault.placeholder("CUSTOM", value).unwrap();
        }
        sent += &tail;
        let (restored, count) = restore_all(&vault, &sent, Escape::None);
        prop_assert_eq!(restored, original);
        prop_assert_eq!(count as usize, pieces.len());
        prop_assert_eq!(stream(&vault, Escape::None, chars(&sent)).1, count);
    }

    #[test]
    fn what_is_not_in_the_vault_passes(text in "\\PC{0,200}", escape in escapes()) {
        let vault = Vault::with_tags(&[("PERSON", "Z9Z9Z9Z9Z9Z9", "Ada")]);
        prop_assert_eq!(stream(&vault, escape, chars(&text)), (text.clone(), 0));
    }
}
