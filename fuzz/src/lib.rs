//! What the targets have in common: the shipped rules, and what holds of any inspection.

use std::{
    path::Path,
    sync::LazyLock,
    time::{Duration, Instant},
};
use tollgate_redaction::{
    Device, Finding, Hints, NerConfig, Redactor, RedactorConfig,
    placeholder::MasterKey,
    restore::{Escape, restore_all},
    vault::{Vault, VaultLimits},
};

static RULES: LazyLock<Redactor> = LazyLock::new(|| {
    Redactor::new(&RedactorConfig {
        rules_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules"),
        jurisdictions: Vec::new(),
        ner: NerConfig {
            device: Device::Off,
            ..NerConfig::default()
        },
    })
    .expect("the shipped rules load")
});

/// Inspects `text` with every recognizer but the model and holds what comes to its promises:
/// findings are on character boundaries, ordered, disjoint and not empty; replaced and restored,
/// the text is what it was. Ten seconds for what libFuzzer gives (some kilobytes) are far too many.
pub fn inspect(text: &str) {
    let rules = &*RULES;
    let deadline = Instant::now() + Duration::from_secs(10);
    let inspection = rules
        .inspect(&[text], &Hints::default(), deadline)
        .expect("in time");
    let findings = &inspection.findings[0];
    let mut end = 0;
    for finding in findings {
        assert!(end <= finding.span.start && !finding.span.is_empty());
        assert!(text.get(finding.span.range()).is_some());
        assert!((0.0..=1.0).contains(&finding.score));
        end = finding.span.end;
    }
    comes_back(text, findings);
}

fn comes_back(text: &str, findings: &[Finding]) {
    let key = MasterKey::new([7; 32]).scope("fuzz");
    let mut vault = Vault::new(&key, VaultLimits::default());
    vault.reserve(text);
    let (mut redacted, mut at) = (String::new(), 0);
    for finding in findings {
        redacted.push_str(&text[at..finding.span.start]);
        let value = &text[finding.span.range()];
        let placeholder = vault.placeholder(finding.entity.as_str(), value);
        redacted.push_str(placeholder.expect("a placeholder"));
        at = finding.span.end;
    }
    redacted.push_str(&text[at..]);
    let (restored, _) = restore_all(&vault, &redacted, Escape::None);
    assert_eq!(restored, text, "restored to something else");
}
