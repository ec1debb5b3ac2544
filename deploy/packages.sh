#!/bin/bash
# Installs the Debian packages that the build, the tests and the demo need. Only what is missing is
# fetched, so a second run costs nothing and needs no network. Needs root; starts no service.
#
#   deploy/packages.sh          build, tests and demo
#   deploy/packages.sh build    what cargo build needs, no more
#   deploy/packages.sh compare  what benches/compare.sh needs
#   deploy/packages.sh run      what a machine needs that only runs the demo with a ready binary
#   deploy/packages.sh --list   prints the names and does nothing
set -euo pipefail

build=(gcc libc6-dev pkg-config clang libclang-dev libdpdk-dev)
# `dpdk` brings every driver that the gateway may load, and testpmd, dumpcap and devbind.
run=(dpdk iproute2 ethtool tcpdump iperf3 iputils-ping procps)
# user-mode-linux is the MACsec peer; qemu, busybox and cpio make the machine with PCI ports;
# g++ compiles libFuzzer; prometheus scrapes; wpasupplicant speaks MKA; ca-certificates and xz-utils fetch and unpack.
tests=(g++ user-mode-linux kmod wpasupplicant prometheus qemu-system-x86 busybox-static cpio xz-utils dpdk-dev)
# Libraries whose AES-GCM is compared with ours. Intel's is for its own CPUs' kind only.
peers=(libssl-dev)
[ "$(dpkg --print-architecture)" != amd64 ] || peers+=(libipsec-mb-dev)

case ${1:-all} in
    build) wanted=("${build[@]}") ;;
    run) wanted=("${run[@]}") ;;
    compare) wanted=("${build[@]}" "${run[@]}" "${peers[@]}") ;;
    all | --list) wanted=("${build[@]}" "${run[@]}" "${tests[@]}" "${peers[@]}") ;;
    *) echo "packages: unknown set '$1'; one of: build, compare, run, --list, or nothing for all" >&2; exit 2 ;;
esac
if [ "${1:-}" = --list ]; then printf '%s\n' "${wanted[@]}"; exit 0; fi

missing=()
for name in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || { echo "packages: all ${#wanted[@]} present"; exit 0; }
[ "$(id -u)" = 0 ] || { echo "packages: missing ${missing[*]}; run this as root, or: apt-get install ${missing[*]}" >&2; exit 1; }

# Debian starts services when it installs them (prometheus here). This file tells its scripts not to;
# a machine that has one of its own keeps it.
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
made_policy=
finish() {
    rm -f "$log"
    [ -z "$made_policy" ] || rm -f "$policy"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt() { timeout -k 10 "$1" apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "${@:2}" >>"$log" 2>&1 </dev/null; }
echo "packages: installing ${missing[*]}"
# The lists on the machine often do: they are fetched anew only when they are missing or out of date.
if ! apt 900 install --no-install-recommends "${missing[@]}"; then
    : > "$log"
    apt 300 update || true
    if ! apt 900 install --no-install-recommends "${missing[@]}"; then
        echo "packages: apt-get failed; its last lines:" >&2
        tail -n 20 "$log" >&2
        exit 1
    fi
fi
echo "packages: done"
