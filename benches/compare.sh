#!/bin/bash
# Everything that is compared with others, in one table, on the machine that it runs on: builds, measures
# in rounds that take turns, and leaves the table as text, CSV and SVG in target/compare. As root, on
# Debian 12 with a Rust toolchain.
#
#   benches/compare.sh [--quick] [PART...]
#
# Parts, all of them without one:
#   engines   AES-GCM alone, in bursts: the gateway's engines and those of others, against the CPU's bound
#
# --quick: a smoke run, with few rounds and sizes. Settings come from the environment:
#   SIZES=64,1518,imix   frame sizes in octets on the plain wire, with FCS
#   ROUNDS=60            rounds that take turns
#   KEYS=256  BURST=32  AAD=28  ENGINES=ring,ipsec   of the engines part: key lengths, frames in a burst,
#                        octets of additional data, engines whose name has one of these in it
#   SWEEP=64,imix        sizes at which every length of burst is measured
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "compare: $*" >&2; }
die() { say "$*"; exit 1; }

target=$PWD/${CARGO_TARGET_DIR:-target}
export COMPARE_DIR=$target/compare

quick=
parts=()
for argument in "$@"; do
    case $argument in
        --quick) quick=--quick ;;
        -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
        engines) parts+=("$argument") ;;
        *) die "unknown part '$argument'; see --help" ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(engines)

engines() {
    timeout -k 10 600 "$target/peers/release/macsecgw-peers" engines $quick
}

command -v cargo >/dev/null || die "no cargo in PATH: install Rust first (https://rustup.rs)"
deploy/packages.sh compare >&2
timeout -k 10 3000 cargo build --release --locked --quiet --manifest-path benches/peers/Cargo.toml \
    --target-dir "$target/peers"
for part in "${parts[@]}"; do
    "$part"
done
