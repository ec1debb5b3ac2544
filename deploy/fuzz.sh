#!/bin/bash
# Fuzzes every decoder: each fuzz target of tests/fuzz runs at least a million inputs, starting from the
# corpus that is kept beside it, guided by coverage. Stable Rust; libFuzzer comes with a crate. Prints a
# line for each: inputs, coverage (edges of the instrumented code that some input reached; features also
# count how often), corpus, seconds. Any crash, hang or broken promise is a failure, and the input
# is kept in target/fuzz/found.
#
#   deploy/fuzz.sh                        all targets
#   deploy/fuzz.sh TARGET...              some
#   deploy/fuzz.sh --runs 100000000 ...   more inputs (1000000)
#   deploy/fuzz.sh --minimise TARGET...   makes the corpus anew from its named seeds, itself and what runs
#                                         found: the fewest inputs that reach every edge
set -uo pipefail
cd "$(dirname "$0")/../tests/fuzz" || exit 1

runs=1000000
# The slowest input takes milliseconds: one of ten seconds hangs.
limits=(-timeout=10 -rss_limit_mb=2048)
minimise=
while [ $# -gt 0 ]; do
    case $1 in
        --runs) runs=$2; shift 2 ;;
        --minimise) minimise=yes; shift ;;
        -*) echo "fuzz: unknown option '$1'" >&2; exit 2 ;;
        *) break ;;
    esac
done
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=($(cd targets && basename -s .rs -- *.rs))

work=${CARGO_TARGET_DIR:-$PWD/../../target}/fuzz
case $work in /*) ;; *) work=$OLDPWD/$work ;; esac
scratch=$(mktemp -d "${TMPDIR:-/tmp}/macsecgw-fuzz.XXXXXX") || exit 1
export TMPDIR=$scratch
pids=()
finish() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What the compiler of a stable toolchain has for libFuzzer. The target is named so that build scripts
# and macros stay as they are.
triple=$(rustc -vV | sed -n 's/^host: //p')
flags="-Cpasses=sancov-module --cfg fuzzing"
for flag in level=3 inline-8bit-counters pc-table; do flags+=" -Cllvm-args=-sanitizer-coverage-$flag"; done
# The toolchain that rust-toolchain.toml names; libFuzzer itself is C++.
CARGO_TARGET_DIR=$work RUSTFLAGS=$flags cargo build --quiet --locked --release --target "$triple" || exit 1
built=$work/$triple/release

count() { find "$1" -type f 2>/dev/null | wc -l; }

# One target: its line of the report goes to a file, so that two can run side by side.
fuzz() {
    local name=$1 log=$scratch/$1.log status
    local new=$work/corpus/$name found=$work/found/$name
    mkdir -p "$new" "$found"
    if [ -n "$minimise" ]; then
        mkdir -p "$scratch/$name"
        # Seeds written by hand have names and stay; what the fuzzer found is named by its hash.
        find "corpus/$name" -type f ! -name "$(printf '[0-9a-f]%.0s' {1..40})" -exec cp -t "$scratch/$name" {} +
        "$built/$name" "${limits[@]}" -set_cover_merge=1 -use_counters=0 -max_len=512 "$scratch/$name" "corpus/$name" "$new" >"$log" 2>&1
        status=$?
        if [ $status = 0 ]; then rm -rf "corpus/$name"; mv "$scratch/$name" "corpus/$name"; fi
    else
        # The seed is printed by a failure; what is found goes to `new`, and the corpus stays.
        "$built/$name" "${limits[@]}" -runs="$runs" -max_len=512 -print_final_stats=1 \
            -artifact_prefix="$found/" "$new" "corpus/$name" >"$log" 2>&1
        status=$?
    fi
    awk -v name="$name" -v kept="$(count "corpus/$name")" -v found="$(count "$new")" -v status=$status '
        { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1); else if ($i == "ft:") ft = $(i + 1) }
        /INFO: Loaded .* PC tables/ { if (match($0, /\([0-9]+ PCs\)/)) edges = substr($0, RSTART + 1, RLENGTH - 6) }
        /^stat::number_of_executed_units:/ { inputs = $2 }
        /^Done .* runs in/ { seconds = $5 }
        END { printf "%-19s %9d inputs  cov: %5d of %5d edges  ft: %6d  corpus: %4d kept, %4d new  %3d s  %s\n",
              name, inputs, cov, edges, ft, kept, found, seconds, status == 0 ? "ok" : "FAILED" }' "$log"
    if [ $status != 0 ]; then
        echo "fuzz: $name ended with $status; the input is in $found, its end was:" >&2
        tail -n 40 "$log" >&2
        return 1
    fi
    local inputs
    inputs=$(awk '/^stat::number_of_executed_units:/ { print $2 }' "$log")
    if [ -z "$minimise" ] && [ "${inputs:-0}" -lt "$runs" ]; then
        echo "fuzz: $name ran ${inputs:-0} inputs of $runs" >&2
        return 1
    fi
}

# Two at a time.
failed=0
for name in "${targets[@]}"; do
    [ -f "targets/$name.rs" ] || { echo "fuzz: no target '$name'; there are: $(cd targets && basename -s .rs -- *.rs | paste -sd' ')" >&2; exit 2; }
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || failed=1; done
    fuzz "$name" &
    pids+=($!)
done
while [ "$(jobs -p | wc -l)" -gt 0 ]; do wait -n; status=$?; [ $status = 127 ] && break; [ $status = 0 ] || failed=1; done
pids=()
[ $failed = 0 ] && echo "fuzz: ${#targets[@]} decoders, nothing found" || echo "fuzz: FAILED" >&2
exit $failed
