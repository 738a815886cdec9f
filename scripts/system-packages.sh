#!/bin/sh
# Finds what the build and the set-up need from the system, and installs what is missing where
# that may be done: on a Debian-like system, as root or with a sudo that asks for nothing.
# When nothing is missing, nothing is run and no network is used.
set -eu

missing=''   # Debian's names of the packages that are missing
why=''       # one line for each, for those who install them by hand

need() { # package, what it is for, command that succeeds if it is there
    package=$1 purpose=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        missing="$missing $package"
        why="$why
  $package: $purpose"
    fi
}

have() { command -v "$1"; }

has_libclang() {
    for dir in "${LIBCLANG_PATH:-/nonexistent}" /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib64 \
        /usr/lib /usr/local/lib "$(llvm-config --libdir 2>/dev/null || echo /nonexistent)"; do
        # By the names that bindgen looks for. `libclang-cpp` is another library.
        for file in "$dir"/libclang.so "$dir"/libclang.so.* "$dir"/libclang-[0-9]*.so; do
            if [ -e "$file" ]; then return 0; fi
        done
    done
    return 1
}

need build-essential 'C and C++ compilers, for the local model and TLS' \
    sh -c 'command -v cc && command -v c++ && command -v make'
need cmake 'builds the local model' have cmake
need libclang-dev 'lets bindgen read C headers' has_libclang
need pkg-config 'finds OpenSSL' have pkg-config
need libssl-dev "OpenSSL's headers" pkg-config --exists openssl
need python3 'fetches libraries and models, with pip' have python3
need python3-pip 'fetches libraries and models' python3 -m pip --version
need python3-venv 'holds the SDKs that the tests run' python3 -c 'import venv, ensurepip'
need npm 'fetches the engine of the analytics store' sh -c 'command -v node && command -v npm'

# rustup may have been installed without the shell having been told.
if [ -d "${CARGO_HOME:-$HOME/.cargo}/bin" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi
cargo_missing=''
have cargo >/dev/null || cargo_missing=1

if [ -z "$missing$cargo_missing" ]; then
    exit 0
fi

as_root=''
if [ "$(id -u)" -ne 0 ]; then
    if have sudo >/dev/null && sudo -n true 2>/dev/null; then as_root='sudo -n'; else as_root=no; fi
fi

if [ -n "$missing" ]; then
    if ! have apt-get >/dev/null || [ "$as_root" = no ]; then
        {
            echo "error: these packages are missing (named as on Debian):$why"
            if have apt-get >/dev/null; then
                echo "help: run \`apt-get install$missing\` as root, then try again"
            else
                echo "help: install them with your system's package manager, then try again"
            fi
        } >&2
        exit 1
    fi
    echo "installing$missing"
    # A package list that could not be brought up to date may still do.
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || true
    # The names hold no spaces: they are meant to be split.
    # shellcheck disable=SC2086
    if ! $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends $missing; then
        echo "error: apt-get could not install these packages:$why" >&2
        echo "help: its own message above says why; install them, then try again" >&2
        exit 1
    fi
fi

if [ -n "$cargo_missing" ]; then
    if have apt-get >/dev/null && [ "$as_root" != no ] &&
        apt-cache show rustup >/dev/null 2>&1 &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y rustup; then
        exit 0
    fi
    echo 'error: cargo is missing: Rust builds everything here' >&2
    echo 'help: install rustup (rust-toolchain.toml names the version that it then takes)' >&2
    exit 1
fi
