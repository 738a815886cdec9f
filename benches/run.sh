#!/usr/bin/env bash
# Benchmarks against peers on this machine. Results go to stdout as Markdown; commit them to
# benches/RESULTS.md with date and machine. Needs nginx and wrk (Debian packages), installed here
# if missing.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in nginx wrk; do
  if ! command -v "$tool" >/dev/null; then
    echo "installing $tool" >&2
    apt-get install -y -qq "$tool" >&2 || { echo "error: $tool is missing; install the package $tool" >&2; exit 1; }
  fi
done
cargo build --release --locked >&2
exec python3 benches/gateway/run.py --tollgate "${CARGO_TARGET_DIR:-target}/release/tollgate" "$@"
