//! Any text, by every recognizer and normaliser.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| tollgate_fuzz::inspect(text));
