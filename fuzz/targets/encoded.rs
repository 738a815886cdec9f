//! Any text in layers of encodings, for what decodes: the first byte says which.
#![no_main]

use std::fmt::Write;

fn layer(kind: u8, text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let written = match kind % 5 {
            0 => write!(out, "%{byte:02X}"),
            1 => write!(out, "&#{byte};"),
            2 => write!(out, "\\u{byte:04x}"),
            3 => write!(out, "{byte:02x}"),
            _ => write!(out, "{}\u{200b}", char::from(byte & 0x7f)),
        };
        written.expect("a string takes it all");
    }
    out
}

libfuzzer_sys::fuzz_target!(|input: (u8, u8, &str)| {
    let (one, two, text) = input;
    let once = layer(one, text);
    tollgate_fuzz::inspect(&once);
    // Each layer is up to seven times as long as what is in it.
    if once.len() < 4096 {
        tollgate_fuzz::inspect(&format!("{text} {}", layer(two, &once)));
    }
});
