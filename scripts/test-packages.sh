#!/bin/sh
# Installs the official SDKs that the end-to-end tests run, the oracles that other tests compare
# with (python-stdnum, genai-prices) and NumPy for the second TCO model, each pinned by version and
# hash, into the runtime directory. What was installed from the same pins is kept, without network.
set -eu
cd "$(dirname "$0")/.."

runtime=${TOLLGATE_RUNTIME:-.runtime}
sdk=tests/sdk

# Runs the command unless the directory was made from these very files.
install() { # directory, file of pins, command
    directory=$1 pins=$2
    shift 2
    hash=$(sha256sum <"$pins")
    if [ "$(cat "$directory/.pins" 2>/dev/null || true)" = "$hash" ]; then
        echo "$directory: present"
        return
    fi
    echo "$directory: installing what $pins pins"
    rm -rf "$directory"
    mkdir -p "$directory"
    if ! "$@" "$directory"; then
        echo "error: $directory could not be filled" >&2
        echo "help: its client's own message above says why; then run \`make test\` again" >&2
        exit 1
    fi
    printf '%s\n' "$hash" >"$directory/.pins"
}

python_packages() {
    python3 -m venv "$1" &&
        "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
            --require-hashes -r "$sdk/requirements.txt"
}

node_packages() {
    cp "$sdk/package.json" "$sdk/package-lock.json" "$1/" &&
        (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
}

if [ -f "$sdk/requirements.txt" ]; then
    install "$runtime/sdk-python" "$sdk/requirements.txt" python_packages
fi
if [ -f "$sdk/package-lock.json" ]; then
    install "$runtime/sdk-node" "$sdk/package-lock.json" node_packages
fi
