#!/bin/bash
# The main job, end to end, on virtual ports of this machine:
#
#   router --- edge [gateway] === MACsec === [gateway] cloud --- vpc
#
# Four network namespaces joined by veth pairs; two gateways that agree on their keys by MKA with the profile
# aws-direct-connect-100g, in must_encrypt; ping, iperf3 both ways, then a rekey and the change to another
# CKN/CAK pair while iperf3 runs, with captures on the wire between the gateways. Prints a short report. Exit
# status 0 only if everything in it is as it should be. Needs root; leaves nothing behind.
#
#   deploy/demo.sh          run it
#   deploy/demo.sh --keep   leave namespaces and gateways running, and say how to look at them
#   deploy/demo.sh --stop   end what --keep left
#
# SECONDS_EACH_WAY=4 and BINARY=path/to/macsecgw can be set.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

run=/run/macsecgw-demo
seconds=${SECONDS_EACH_WAY:-4}
namespaces=(router edge cloud vpc)

fail() { echo "demo: $*" >&2; exit 1; }
# Not for what runs in the background: its pid would be that of a shell.
in_ns() { ip netns exec "$@"; }

# Ends what the demo started, by the pids that it wrote down, and removes what it made.
stop() {
    local file pid name waited
    for file in "$run"/*.pid; do
        [ -e "$file" ] || continue
        pid=$(cat "$file")
        # A pid of another time may be somebody else's by now.
        grep -qs "macsecgw-demo\|tcpdump\|iperf3" "/proc/$pid/cmdline" || continue
        kill -TERM "$pid" 2>/dev/null
        for waited in {1..60}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null
    done
    if [ -e "$run/made" ]; then
        for name in "${namespaces[@]}"; do ip netns del "$name" 2>/dev/null; done
    fi
    rm -rf "$run" /run/dpdk/macsecgw-demo-edge /run/dpdk/macsecgw-demo-cloud
}

keep=
case ${1:-} in
    "") ;;
    --keep) keep=yes ;;
    --stop) [ "$(id -u)" = 0 ] || fail "run this as root"; stop; exit 0 ;;
    *) fail "unknown argument '$1'; --keep, --stop or nothing" ;;
esac
[ "$(id -u)" = 0 ] || fail "network namespaces and DPDK need root: run this as root"
[ ! -e "$run" ] || fail "a demo runs already, or was killed; deploy/demo.sh --stop ends it"

# ---- what is needed
if [ -n "${BINARY:-}" ]; then
    deploy/packages.sh run || exit 1
else
    command -v cargo >/dev/null || fail "no cargo in PATH: install Rust first (https://rustup.rs)"
    deploy/packages.sh build && deploy/packages.sh run || exit 1
    echo "demo: building"
    timeout -k 10 1500 cargo build --quiet --release --bin macsecgw || fail "the build failed"
    BINARY=${CARGO_TARGET_DIR:-target}/release/macsecgw
fi
for name in "${namespaces[@]}"; do
    [ ! -e "/run/netns/$name" ] || fail "there is a network namespace '$name' that is not the demo's; remove or rename it first"
done

umask 077
mkdir -p "$run" || exit 1
cp "$BINARY" "$run/macsecgw" || exit 1
gateway=$run/macsecgw
finish() {
    local status=$?
    trap '' HUP INT TERM
    if [ -n "$keep" ] && [ -e "$run/ready" ]; then exit "$status"; fi
    stop
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- the wires
touch "$run/made"
for name in "${namespaces[@]}"; do
    ip netns add "$name" || fail "no network namespace can be made here"
    in_ns "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip -n "$name" link set lo up
done
# A veth pair without offloads: checksums that the stack leaves to a NIC would reach the wire unfinished.
wire() {
    local ns_a=$1 if_a=$2 ns_b=$3 if_b=$4 mtu=$5 feature end
    ip -n "$ns_a" link add "$if_a" mtu "$mtu" type veth peer name "$if_b" mtu "$mtu" netns "$ns_b" || fail "no veth pair can be made here"
    for end in "$ns_a $if_a" "$ns_b $if_b"; do
        set -- $end
        for feature in rx tx sg tso gso gro rxvlan txvlan rx-vlan-stag-hw-parse tx-vlan-stag-hw-insert; do
            in_ns "$1" ethtool -K "$2" "$feature" off >/dev/null 2>&1
        done
        ip -n "$1" link set "$2" up
    done
}
wire router to-edge edge plain 1508
wire edge secure cloud secure 1540
wire cloud plain vpc to-cloud 1508
# The gateways' own interfaces must stay silent: nothing of the kernel's may leave beside the frames.
for end in "edge plain" "edge secure" "cloud secure" "cloud plain"; do
    set -- $end
    ip -n "$1" link set "$2" arp off
done
ip -n edge link set secure address 02:00:00:00:0e:01
ip -n cloud link set secure address 02:00:00:00:0c:01
ip -n router link set to-edge mtu 1500
ip -n vpc link set to-cloud mtu 1500
ip -n router address add 192.0.2.1/24 dev to-edge
ip -n vpc address add 192.0.2.2/24 dev to-cloud

# ---- keys and configs
for pair in old new; do
    "$gateway" keygen cak --out-dir "$run" --name "$pair" >/dev/null || fail "no key could be made"
done
cpus=$(nproc)
# config NAME CPU PRIORITY PAIR...
config() {
    local name=$1 cpu=$2 priority=$3 pair
    shift 3
    cat >"$run/$name.toml" <<END
[gateway]
name = "macsecgw-demo-$name"
runtime_dir = "$run/$name"
state_dir = "$run/$name-state"
[eal]
args = ["--no-telemetry"]
[workers]
cores = [$cpu]
[metrics]
listen = "127.0.0.1:9464"
[[link]]
name = "demo"
plain = "net_af_packet0,iface=plain"
secure = "net_af_packet1,iface=secure"
mtu = 1500
encryption = "must_encrypt"
agreement = "mka"
profile = "aws-direct-connect-100g"
[link.mka]
key_server_priority = $priority
END
    for pair in "$@"; do
        printf '[[link.cak]]\nckn = "%s"\ncak_file = "%s.cak"\n' "$(cat "$run/$pair.ckn")" "$pair" >>"$run/$name.toml"
    done
}
pairs() {
    case $1 in
        edge) config edge 0 8 "${@:2}" ;;
        cloud) config cloud $((cpus > 1 ? 1 : 0)) 16 "${@:2}" ;;
    esac
}
pairs edge old
pairs cloud old

# ---- captures on both ends of the wire: each sees what the other end sent
capture() {
    ip netns exec "$1" tcpdump -Z root -p -n -s 34 -B 32768 -i secure -Q in -w "$run/$1-$2.pcap" "$3" >/dev/null 2>"$run/$1-$2.log" &
    echo $! >"$run/$1-$2.pid"
}
for name in edge cloud; do
    capture "$name" macsec 'ether proto 0x88e5'
    capture "$name" clear 'not ether proto 0x88e5 and not ether proto 0x888e'
done

# ---- run
for name in edge cloud; do
    ip netns exec "$name" "$gateway" run --config "$run/$name.toml" >"$run/$name.log" 2>&1 &
    echo $! >"$run/$name.pid"
done
field() { "$gateway" status --json --socket "$run/$1/control.sock" 2>/dev/null | sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -1; }
ready=
for waited in {1..150}; do
    if [ "$(field edge controlled_port_open) $(field cloud controlled_port_open)" = "true true" ]; then ready=yes; break; fi
    for name in edge cloud; do
        kill -0 "$(cat "$run/$name.pid")" 2>/dev/null || { tail -n 5 "$run/$name.log" >&2; fail "the gateway in $name ended by itself"; }
    done
    sleep 0.1
done
if [ -z "$ready" ]; then
    tail -n 5 "$run/edge.log" "$run/cloud.log" >&2
    fail "the gateways were not secured within 15 s"
fi

echo "demo: ping, iperf3 for $seconds s each way, then new keys under way"
pings=$(in_ns router ping -q -c 50 -i 0.02 -W 1 192.0.2.2)
loss=$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' <<<"$pings")
rtt=$(sed -n 's/^rtt [^=]*= [^/]*\/\([^/]*\)\/.*/\1/p' <<<"$pings")
ip netns exec vpc iperf3 -s >/dev/null 2>&1 &
echo $! >"$run/iperf.pid"
sleep 0.5
mbit() { sed -n 's/.* \([0-9.]*\) Mbits\/sec *receiver.*/\1/p' <<<"$1"; }
there=$(mbit "$(in_ns router timeout $((seconds + 10)) iperf3 -f m -t "$seconds" -c 192.0.2.2 2>&1)")
back=$(mbit "$(in_ns router timeout $((seconds + 10)) iperf3 -f m -t "$seconds" -R -c 192.0.2.2 2>&1)")

# ---- new keys while datagrams flow: a rekey on the operator's word, then another CKN/CAK pair, edge first
reload() {
    pairs "$@"
    kill -HUP "$(cat "$run/$1.pid")"
    sleep 0.7
}
# The CKN in use. (Each pair has a field "principal" of its own, true or false.)
ckn_in_use() { "$gateway" status --json --socket "$run/$1/control.sock" 2>/dev/null | sed -n 's/^ *"principal": "\([0-9a-f]*\)",\{0,1\}$/\1/p'; }
# wait_for SECONDS COMMAND...
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}
rekeyed() { [ "$(field edge rekeys)" != "$rekeys" ]; }
rolled() { [ "$(ckn_in_use edge) $(ckn_in_use cloud)" = "$(cat "$run/new.ckn") $(cat "$run/new.ckn")" ]; }
# Protected frames that the far end's SecY has not accepted so far, over all keys.
counted() { in_ns "$1" timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/9464 && printf "GET /metrics HTTP/1.0\r\n\r\n" >&3 && cat <&3' | awk -v name="$2" 'index($1, name "{") == 1 { sum += $2 } END { printf "%d\n", sum }'; }
unaccepted() {
    local all=0
    for way in "edge cloud" "cloud edge"; do
        set -- $way
        all=$((all + $(counted "$1" macsec_tx_sc_out_pkts_encrypted_total) - $(counted "$2" macsec_rx_sc_in_pkts_ok_total)))
    done
    echo "$all"
}
# TCP has just filled every queue; what that cost is no matter of keys.
sleep 0.5
before=$(unaccepted)
ip netns exec router iperf3 -u -b 50M -l 1400 -w 2M -t 22 -f m -c 192.0.2.2 >"$run/datagrams.log" 2>&1 &
echo $! >"$run/datagrams.pid"
rekeys=$(field edge rekeys)
said=$("$gateway" rekey demo --socket "$run/edge/control.sock" 2>&1) || fail "no rekey: $said"
wait_for 15 rekeyed && rekey=done || rekey="not within 15 s"
reload edge old new
reload cloud old new
wait_for 15 rolled && rollover=done || rollover="not within 15 s"
reload edge new
reload cloud new
# Past the retirement of the last key that came by the old pair.
sleep 4
rolled || rollover="lost again"
kill -0 "$(cat "$run/datagrams.pid")" 2>/dev/null || rollover="later than the datagrams"
wait_for 30 bash -c "! kill -0 $(cat "$run/datagrams.pid") 2>/dev/null"
rm -f "$run/datagrams.pid"
# Lost and sent, as the far end reported.
read -r datagrams_lost datagrams < <(sed -n 's|.* \([0-9]*\)/\([0-9]*\) (.*receiver.*|\1 \2|p' "$run/datagrams.log")

# ---- count
sleep 0.5
kill -TERM "$(cat "$run/iperf.pid")" 2>/dev/null
captured() { sed -n 's/^\([0-9]*\) packets\{0,1\} captured$/\1/p' "$run/$1.log"; }
lost_by() { sed -n 's/^\([0-9]*\) packets\{0,1\} dropped by kernel$/\1/p' "$run/$1.log"; }
protected=0 clear=0 unseen=0
for name in edge cloud; do
    for kind in macsec clear; do
        kill -TERM "$(cat "$run/$name-$kind.pid")" 2>/dev/null
    done
    for kind in macsec clear; do
        for waited in {1..50}; do [ -n "$(lost_by "$name-$kind")" ] && break; sleep 0.1; done
        [ -n "$(lost_by "$name-$kind")" ] || fail "the capture on the wire failed: $(tail -n 1 "$run/$name-$kind.log")"
        rm -f "$run/$name-$kind.pid"
    done
    protected=$((protected + $(captured "$name-macsec") + $(lost_by "$name-macsec")))
    clear=$((clear + $(captured "$name-clear")))
    unseen=$((unseen + $(lost_by "$name-clear")))
done
# Adds up the drops of both lanes.
drops() { "$gateway" status --json --socket "$run/$1/control.sock" | sed -n 's/^ *"dropped": \([0-9]*\),$/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'; }
unaccepted=$(($(unaccepted) - before))
dropped=$(($(drops edge) + $(drops cloud)))
secured=no
[ "$(field edge secured) $(field cloud secured)" = "true true" ] && secured=yes

wrong=()
[ "$secured" = yes ] || wrong+=("not secured at both ends")
[ "$loss" = 0 ] || wrong+=("pings were lost")
[ -n "$there" ] && [ -n "$back" ] || wrong+=("iperf3 did not finish")
[ "$clear" = 0 ] && [ "$unseen" = 0 ] || wrong+=("clear frames on the wire, or a capture that can't tell")
[ "$rekey" = done ] || wrong+=("the rekey: $rekey")
[ "$rollover" = done ] || wrong+=("the change of the CKN/CAK pair: $rollover")
[ "${datagrams_lost:-x}" = 0 ] || wrong+=("datagrams were lost while keys changed")
[ "$unaccepted" = 0 ] || wrong+=("protected frames that the far end did not accept")
[ "$protected" -gt 100 ] || wrong+=("hardly any MACsec on the wire")

cat <<END

  secured        $secured
  suite          $(field edge cipher_suite), must_encrypt, MKA with the profile aws-direct-connect-100g
  engine         $(field edge engine)
  ping           50 sent, ${loss:-?} % lost, ${rtt:-?} ms on average
  throughput     ${there:-?} Mbit/s router to vpc, ${back:-?} Mbit/s back (TCP)
  rekey          $rekey; change of the CKN/CAK pair: $rollover
  meanwhile      ${datagrams:-?} datagrams sent, ${datagrams_lost:-?} lost
                 $unaccepted protected frames that the far end did not accept
  on the wire    $protected MACsec frames, $clear clear
  gateways       $dropped frames dropped (full queues under TCP's own probing)
END
if [ -n "$keep" ]; then
    touch "$run/ready"
    cat <<END
  metrics        ip netns exec edge curl http://127.0.0.1:9464/metrics
  status         $gateway status --socket $run/edge/control.sock
  try            ip netns exec router ping 192.0.2.2
  end it         deploy/demo.sh --stop
END
else
    echo "  metrics        http://127.0.0.1:9464/metrics in each gateway's namespace, while it runs (--keep)"
fi
[ ${#wrong[@]} -eq 0 ] && { echo "demo: ok"; exit 0; }
printf 'demo: WRONG: %s\n' "${wrong[@]}" >&2
for name in edge cloud; do echo "-- log of $name" >&2; tail -n 15 "$run/$name.log" >&2; done
exit 1
