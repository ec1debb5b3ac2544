#!/bin/bash
# Everything that must hold before a change goes in, on a fresh Debian 12 with a Rust toolchain and root:
# packages, format, lints, purity, documentation, every test. Its exit status is 0 only if all of it did.
#
#   deploy/test.sh             all steps
#   deploy/test.sh STEP...     some: format scripts lint purity docs build unit dpdk files optimised fuzz system doctests
#   deploy/test.sh --keep-going STEP...   goes on after a failed step
#
# Network tests run in namespaces of their own. What it changes on the machine (hugepages, a mount for
# them) it puts back, and it removes what its tests made, also when a step fails or it is interrupted.
# Installed packages and the target folder stay. Less than 30 minutes on two quiet cores; after 45 it fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

total=2700
[ "$(id -u)" = 0 ] || { echo "test: network namespaces and DPDK need root: run this as root" >&2; exit 1; }
command -v cargo >/dev/null || { echo "test: no cargo in PATH: install Rust first (https://rustup.rs)" >&2; exit 1; }

# What the tests name begins with this, so that the end finds it and touches nothing else.
export MACSECGW_BED=mt$$
TMPDIR=$(mktemp -d "/tmp/$MACSECGW_BED.XXXXXX") || exit 1
# A test that asks as another user has to reach what it copied there.
chmod 755 "$TMPDIR"
export TMPDIR CARGO_TERM_COLOR=never RUST_BACKTRACE=${RUST_BACKTRACE:-0}
target=${CARGO_TARGET_DIR:-target}
running=
# Without hugepages (a container may not have the right) the tests that need shared memory say so, and the
# others run on ordinary memory.
. deploy/hugepages.sh

eal_files() { ls -d /run/dpdk/* /dev/hugepages/*map_* 2>/dev/null | sort; }
eal_before=$(eal_files)
# EAL holds a lock on its files for as long as it lives; what is locked belongs to somebody.
in_use() {
    local file
    for file in "$1" "$1"/config; do
        [ -f "$file" ] && grep -q ":$(stat -c %i "$file") " /proc/locks && return 0
    done
    return 1
}

namespaces() { ip netns list 2>/dev/null | awk -v p="$MACSECGW_BED-" 'index($1, p) == 1 { print $1 }'; }

# Ends what was left running in our namespaces, deletes them, and says so.
tidy() {
    local name pids left=0
    for name in $(namespaces); do
        echo "test: left behind: namespace $name" >&2
        left=1
        pids=$(ip netns pids "$name")
        [ -z "$pids" ] || { kill -TERM $pids; sleep 1; pids=$(ip netns pids "$name"); }
        [ -z "$pids" ] || kill -KILL $pids
        ip netns del "$name"
    done 2>/dev/null
    for name in $(comm -13 <(echo "$eal_before") <(eal_files)); do
        in_use "$name" || rm -rf "$name"
    done
    return $left
}

finish() {
    local status=$?
    trap '' HUP INT TERM
    if [ -n "$running" ]; then
        kill -TERM "$running" 2>/dev/null
        wait "$running" 2>/dev/null
    fi
    tidy || true
    give_back_hugepages
    rm -rf "$TMPDIR" /dev/shm/"$MACSECGW_BED"-*
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

report=()
failed=0
# step NAME SECONDS COMMAND...: runs it under a limit; the first failure ends the script.
step() {
    local name=$1 limit=$2 begun=$SECONDS status left=$((total - SECONDS))
    shift 2
    [ "$limit" -le "$left" ] || limit=$left
    if [ "$limit" -lt 1 ]; then
        echo "test: no time left for $name" >&2
        exit 1
    fi
    echo "== $name"
    # In the background, so that a signal to this script is acted upon at once.
    timeout -k 20 "$limit" "$@" </dev/null &
    running=$!
    wait "$running"
    status=$?
    running=
    [ "$status" != 124 ] || echo "test: $name did not end within $limit s" >&2
    report+=("$(printf '%-10s %4d s  %s' "$name" $((SECONDS - begun)) "$([ "$status" = 0 ] && echo ok || echo "failed ($status)")")")
    [ "$status" = 0 ] && return 0
    failed=1
    [ -n "$keep_going" ] || { summary; exit 1; }
}

summary() {
    echo "== summary"
    printf '%s\n' "${report[@]}"
    [ "$failed" = 0 ] && echo "test: all passed in $SECONDS s" || echo "test: FAILED after $SECONDS s" >&2
}

# Test files that stand on the test bed start DPDK processes and guests: one test at a time.
system_files() { grep -l '^mod support;' tests/*.rs; }
other_files() { grep -L '^mod support;' tests/*.rs; }
as_arguments() { sed 's|^tests/\(.*\)\.rs$|--test=\1|'; }

run_step() {
    case $1 in
        format) step format 60 cargo fmt --all --check ;;
        scripts) step scripts 30 bash -c 'for f in $(git ls-files "*.sh" 2>/dev/null || find deploy tests -name "*.sh"); do bash -n "$f" || exit 1; done' ;;
        lint) step lint 600 cargo clippy --quiet --workspace --all-targets -- -D warnings ;;
        # The half that knows no clock, no file and no port must build without the other one.
        purity) step purity 120 cargo check --quiet --lib --no-default-features ;;
        docs) RUSTDOCFLAGS="-D warnings" step docs 300 cargo doc --quiet --workspace --no-deps ;;
        build) step build 900 cargo test --quiet --workspace --no-run ;;
        unit) step unit 600 cargo test -p macsec-gateway --lib --bins -- --test-threads=2 ;;
        # An EAL takes its cores for itself, and a process can have one only once.
        dpdk) step dpdk 300 cargo test -p dpdk -p dpdk-sys -- --test-threads=1 ;;
        files) [ -z "$(other_files)" ] || step files 600 cargo test -p macsec-gateway $(other_files | as_arguments) -- --test-threads=2 ;;
        # Engines and the frame path as they are shipped: their instructions, and that engines are right.
        optimised) step optimised 600 cargo test --quiet --profile counts -p macsec-gateway --test=instruction_counts --test=crypto_constant_time --test=crypto_engines ;;
        # A million inputs for each decoder; most of the time goes into building it with instrumentation.
        fuzz) step fuzz 900 deploy/fuzz.sh ;;
        system)
            step kernel 700 tests/bed/kernel.sh "$target/tmp/bed"
            step supplicant 500 tests/bed/supplicant.sh "$target/tmp/bed/supplicant"
            step system 1500 cargo test -p macsec-gateway --no-fail-fast $(system_files | as_arguments) -- --test-threads=1
            ;;
        doctests) step doctests 300 cargo test --workspace --doc ;;
        *) echo "test: no step '$1'" >&2; exit 2 ;;
    esac
}

keep_going=
if [ "${1:-}" = --keep-going ]; then keep_going=yes; shift; fi
steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(format scripts lint purity docs build unit dpdk files optimised fuzz system doctests)

step packages 1000 deploy/packages.sh
reserve_hugepages
for name in "${steps[@]}"; do run_step "$name"; done
if ! tidy; then
    report+=("tidy       a test left something behind")
    failed=1
fi
summary
exit "$failed"
