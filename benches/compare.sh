#!/bin/bash
# Everything that is compared with others, in one table, on the machine that it runs on: installs what it
# needs, builds, measures in rounds that take turns, and leaves the table as compare.txt, compare.csv and
# compare.svg in target/compare. As root, on Debian 12 with a Rust toolchain. Twenty minutes at most when
# all is built.
#
#   benches/compare.sh [--quick] [--width 256] [--keep] [PART...]
#
# Parts, all of them without one:
#   engines    AES-GCM alone, in bursts: the gateway's engines and those of others, against the CPU's bound
#   path       the whole gateway beside DPDK's l2fwd-crypto and testpmd on the same virtual ports, one core
#   validate   a validate lane on fresh packet numbers with replay protection on
#   memif      the gateway between another process's ports, through shared memory
#   links      15 links on one worker against one
#   sas        many receive SAs on one link against one
#   report     only the table, of what was measured before
#
# --quick: a smoke run of some minutes, with one round and few sizes.
# --width 256: nothing takes vectors of more than 256 bits, as on a CPU without AVX-512, and the bound is that
#   of such instructions; the table is in target/compare-256. Ours is the engine vaes256, ipsec-mb what it has
#   for AVX2, also inside DPDK's drivers; OpenSSL, aws-lc-rs and the C library are told by their environment,
#   DPDK by an option of EAL. aes-gcm, which can't be told, is left out of it.
# --keep: the table has what earlier runs measured of other parts, too.
# Settings come from the environment:
#   SIZES=64,1518,imix   frame sizes in octets on the plain wire, with FCS
#   ROUNDS=60            rounds that take turns
#   KEYS=256  BURST=32  AAD=28  ENGINES=ring,ipsec   of the engines part: key lengths, frames in a burst,
#                        octets of additional data, engines whose name has one of these in it
#   SWEEP=64,imix        sizes at which every length of burst is measured
#   SECONDS_EACH=1  CORE=1  ENGINE=ring   of the other parts: seconds of one run, the CPU that forwards, and the
#                        gateway's engine, if not the fastest
#   WIDTH=256            the same as --width 256
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "compare: $*" >&2; }
die() { say "$*"; exit 1; }

target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
peers=$target/peers/release/macsecgw-peers

quick=
keep=
parts=()
export WIDTH=${WIDTH:-}
while [ $# -gt 0 ]; do
    argument=$1
    shift
    case $argument in
        --quick) quick=--quick ;;
        --keep) keep=yes ;;
        --width) WIDTH=${1:-none}; [ $# = 0 ] || shift ;;
        --width=*) WIDTH=${argument#*=} ;;
        -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
        engines | path | validate | memif | links | sas | report) parts+=("$argument") ;;
        *) die "unknown part '$argument'; see --help" ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(engines path validate memif links sas)
has() { case " ${parts[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

case $WIDTH in
    '') export COMPARE_DIR=$target/compare ;;
    256)
        [ "$(uname -m)" = x86_64 ] || die "--width 256 is of x86-64 only"
        export COMPARE_DIR=$target/compare-256
        # Leaf 7 of CPUID without what is of AVX-512: EBX 16, 17, 21, 26 to 28, 30, 31; ECX 1, 6, 11, 12, 14.
        export OPENSSL_ia32cap='~0x0:~0x5842dc230000'
        export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD
        ;;
    *) die "--width $WIDTH: 256 is what there is" ;;
esac

systems=()
for part in path validate memif links sas; do
    ! has "$part" || systems+=("$part")
done

command -v cargo >/dev/null || die "no cargo in PATH: install Rust first (https://rustup.rs)"
[ "$(id -u)" = 0 ] || [ ${#systems[@]} = 0 ] || die "DPDK needs root: run this as root, or only the part 'engines'"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/macsecgw-compare.XXXXXX")
running=
# All programs get them: on ordinary pages a short frame costs the gateway half as much again.
. deploy/hugepages.sh
finish() {
    local status=$?
    trap '' HUP INT TERM
    if [ -n "$running" ]; then
        kill -TERM "$running" 2>/dev/null || true
        wait "$running" 2>/dev/null || true
        # What it started ends with it, a little later.
        sleep 1
    fi
    rm -rf "$scratch"
    give_back_hugepages || true
    # What a run that was ended in its midst leaves: its names end with the number of its process.
    local left
    for left in /dev/shm/macsecgw-e2e-* "${TMPDIR:-/tmp}"/macsecgw-e2e-* /run/dpdk/e2e-*; do
        [ ! -d "$left" ] || [ -d "/proc/${left##*-}" ] || rm -rf "$left"
    done
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# limited SECONDS COMMAND...: in the background, so that a signal to this script is acted upon at once.
limited() {
    timeout -k 10 "$@" &
    running=$!
    local status=0
    wait "$running" || status=$?
    running=
    [ "$status" != 124 ] || say "not done within $1 s: ${*:2}"
    return "$status"
}

# DPDK's example comes from Debian's source package, read through apt with lists of its own: the
# machine's sources stay as they are.
build_l2fwd_crypto() {
    local apt=$scratch/apt version
    version=$(dpkg-query -W -f '${Version}' libdpdk-dev)
    mkdir -p "$apt"/{parts,state/lists/partial,cache/archives/partial,source}
    # Old lists in one-line form, and newer ones.
    sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}/deb-src \1/p' /etc/apt/sources.list 2>/dev/null >"$apt/parts/a.list" || true
    local file at=0
    for file in /etc/apt/sources.list.d/*; do
        at=$((at + 1))
        case $file in
            *.sources) sed 's/^Types:.*/Types: deb-src/' "$file" >"$apt/parts/$at.sources" ;;
            *.list) sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}/deb-src \1/p' "$file" >"$apt/parts/$at.list" ;;
        esac
    done
    local options=(-qq -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$apt/parts"
        -o "Dir::State=$apt/state" -o "Dir::State::status=/var/lib/dpkg/status" -o "Dir::Cache=$apt/cache"
        -o "APT::Sandbox::User=root" -o "Acquire::Retries=3")
    # A third party's list without sources is no reason to stop.
    limited 200 apt-get "${options[@]}" update >"$scratch/log" 2>&1 || true
    (cd "$apt/source" && timeout -k 10 200 apt-get "${options[@]}" source --download-only "dpdk=$version") \
        >>"$scratch/log" 2>&1 || { tail -n 5 "$scratch/log" >&2; return 1; }
    tar -xJf "$apt"/source/dpdk_*.orig.tar.xz -C "$scratch" --strip-components=1 --wildcards '*/examples/l2fwd-crypto/*'
    local limit=()
    [ -z "$WIDTH" ] || limit=(-mno-avx512f)
    # As its own Makefile has it, and for this CPU.
    # shellcheck disable=SC2046
    limited 200 gcc -O3 $(pkg-config --cflags libdpdk) -march=native "${limit[@]}" -DALLOW_EXPERIMENTAL_API \
        "$scratch/examples/l2fwd-crypto/main.c" -o "$scratch/l2fwd-crypto" \
        $(pkg-config --libs libdpdk) -lrte_crypto_scheduler
}

# DPDK's drivers of ipsec-mb have it look at the CPU, whatever EAL was told: they are given its
# initialisation for AVX2 in place of that.
build_preload() {
    cat >"$scratch/avx2.c" <<'END'
#include <intel-ipsec-mb.h>
void init_mb_mgr_auto(IMB_MGR *manager, IMB_ARCH *arch) {
    init_mb_mgr_avx2(manager);
    if (arch)
        *arch = IMB_ARCH_AVX2;
}
END
    limited 60 gcc -O2 -shared -fPIC "$scratch/avx2.c" -o "$scratch/avx2.so" -lIPSec_MB
}

deploy/packages.sh compare >&2
limited 3000 cargo build --release --locked --quiet --manifest-path benches/peers/Cargo.toml \
    --target-dir "$target/peers"
mkdir -p "$COMPARE_DIR"
if has report; then
    "$peers" report
    exit 0
fi
# What is left from an earlier run is no part of this one.
old=(engines path validate memif links sas)
[ -z "$keep" ] || old=("${parts[@]}")
for part in "${old[@]}"; do
    rm -f "$COMPARE_DIR/$part".{txt,csv}
done
echo "$WIDTH" >"$COMPARE_DIR/width.txt"
{
    echo "$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) CPUs, Linux $(uname -r)"
    echo "macsecgw $(git rev-parse --short HEAD 2>/dev/null || echo unknown), DPDK $(pkg-config --modversion libdpdk), load before: $(cut -d' ' -f1-3 /proc/loadavg)"
    if [ -n "$WIDTH" ]; then
        echo "vectors of $WIDTH bits at most, as on a CPU without AVX-512"
    else
        echo "vectors as wide as the CPU has"
    fi
} >"$COMPARE_DIR/machine.txt"

if has engines; then
    limited 600 "$peers" engines $quick >"$scratch/engines" || { cat "$scratch/engines" >&2; exit 1; }
fi
if [ ${#systems[@]} -gt 0 ]; then
    if has path; then
        if build_l2fwd_crypto && { [ -z "$WIDTH" ] || build_preload; }; then
            export L2FWD_CRYPTO=$scratch/l2fwd-crypto
            [ -z "$WIDTH" ] || export L2FWD_PRELOAD=$scratch/avx2.so
        else
            say "l2fwd-crypto could not be built: the path is measured without it"
        fi
    fi
    limited 3000 cargo bench --locked --quiet --bench end_to_end --no-run
    reserve_hugepages
    # Shell and program have a variable of the same name.
    limited 1200 env SECONDS="${SECONDS_EACH:-}" cargo bench --locked --quiet --bench end_to_end -- \
        "${systems[@]}" $quick >"$scratch/systems"
fi
"$peers" report
say "the table is in $COMPARE_DIR: compare.txt, compare.csv, compare.svg"
