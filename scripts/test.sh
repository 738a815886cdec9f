#!/bin/sh
# Runs every test. The documentation's examples come first, so that the closing summary of the
# tests is the last thing printed.
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

"$cargo" test --workspace --locked --doc --quiet
if "$cargo" nextest --version >/dev/null 2>&1; then
    exec "$cargo" nextest run --workspace --locked "$@"
fi
echo 'cargo-nextest is not installed: `cargo test` runs the tests instead, one program at a time'
exec "$cargo" test --workspace --locked --lib --bins --tests "$@"
