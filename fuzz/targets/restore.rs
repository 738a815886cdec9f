//! Any answer in any pieces: restored piece by piece it is what it is in one.
#![no_main]

use tollgate_redaction::{
    placeholder::MasterKey,
    restore::{Escape, Restorer, restore_all},
    vault::{Vault, VaultLimits},
};

libfuzzer_sys::fuzz_target!(|input: (Vec<u8>, bool, &str)| {
    let (cuts, json, text) = input;
    let key = MasterKey::new([7; 32]).scope("fuzz");
    let mut vault = Vault::new(&key, VaultLimits::default());
    // `~` in the input stands for a placeholder, so that there are many.
    let placeholder = vault
        .placeholder("PERSON", "Anna \"Q\" Berg")
        .expect("a placeholder");
    let answer = text.replace('~', placeholder);
    let escape = if json { Escape::Json } else { Escape::None };
    let (whole, _) = restore_all(&vault, &answer, escape);
    let mut restorer = Restorer::new(escape);
    let (mut pieces, mut rest) = (String::new(), &answer[..]);
    for cut in cuts {
        let at = rest.floor_char_boundary(usize::from(cut).min(rest.len()));
        restorer.push(&vault, &rest[..at], &mut pieces);
        rest = &rest[at..];
    }
    restorer.push(&vault, rest, &mut pieces);
    restorer.finish(&vault, &mut pieces);
    assert_eq!(pieces, whole, "split differently, restored differently");
});
