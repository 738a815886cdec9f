#!/bin/sh
# Compares detection with Microsoft Presidio on labelled text: scripts/eval/run.sh DIRECTORY
#
# Presidio goes into a virtual environment of its own below the target directory. Its larger
# English model needs Python 3.12 or newer (EVAL_PYTHON names one); an older Python gets the small
# model. Prints Markdown tables.
set -eu
cd "$(dirname "$0")/../.."
data=${1:-${EVAL_DATA:-}}
[ -d "$data" ] || { echo "usage: $0 DIRECTORY with labelled JSON lines" >&2; exit 2; }
target=${CARGO_TARGET_DIR:-target}
work=$target/eval
mkdir -p "$work"

python=
for candidate in ${EVAL_PYTHON:-} python3.13 python3.12 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
python=${python:-python3}
stamp=$(cat scripts/eval/requirements.txt | cksum)-$("$python" -V)
if [ "$(cat "$work/venv/stamp" 2>/dev/null)" != "$stamp" ]; then
    rm -rf "$work/venv"
    "$python" -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --requirement scripts/eval/requirements.txt
    printf %s "$stamp" >"$work/venv/stamp"
fi

cargo build --quiet --locked -p tollgate-redaction --example spans
spans=$target/debug/examples/spans
"$spans" "$data" "$work/rules.jsonl" --no-ner
"$spans" "$data" "$work/model.jsonl"
"$work/venv/bin/python" scripts/eval/presidio.py "$data" "$work/presidio.jsonl" 2>"$work/presidio.log"
"$work/venv/bin/python" scripts/eval/compare.py "$data" \
    "Tollgate=$work/model.jsonl" "Tollgate, rules only=$work/rules.jsonl" \
    "Presidio=$work/presidio.jsonl"
