#!/bin/sh
# Fuzzes one target with libFuzzer, guided by coverage: scripts/fuzz.sh TARGET [libFuzzer's arguments]
#
# Works on the stable toolchain: the compiler's coverage passes are asked for by name, and no
# sanitizer is used (there is next to no unsafe code to sanitize). The corpus grows in the target
# directory; a crashing input is written beside it.
set -eu
cd "$(dirname "$0")/.."
target=${1:?usage: $0 inspect|encoded|restore [libFuzzer arguments]}
shift
triple=$(rustc -vV | sed -n 's/^host: //p')
work=$(mkdir -p "${CARGO_TARGET_DIR:-target}/fuzz" && cd "${CARGO_TARGET_DIR:-target}/fuzz" && pwd)
mkdir -p "$work/corpus/$target"
# With a target named, build scripts and macros are not instrumented.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Ccodegen-units=1 --cfg fuzzing" \
    cargo build --quiet --locked --release --manifest-path fuzz/Cargo.toml \
    --target "$triple" --target-dir "$work" --bin "$target"
exec "$work/$triple/release/$target" -artifact_prefix="$work/$target-" -timeout=60 "$@" "$work/corpus/$target"
