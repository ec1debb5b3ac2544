#!/bin/bash
# PID 1 of a user-mode-linux guest. The root is the host's own, read-only; only BED_DIR (a folder of the
# host) can be written. Settings come from the kernel's command line: BED_DIR, BED_SERVE, BED_MTU.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/bed /run/tmp /run/kmod/lib/modules
export TMPDIR=/run/tmp
mount -t hostfs -o "$BED_DIR" none /run/bed || echo "init: the run folder cannot be mounted"
exec >>/run/bed/guest.log 2>&1

off() { sync; echo o >/proc/sysrq-trigger; read -rt 5 <>/run/tmp/never; }
fail() { echo "init: $1"; echo "$1" >/run/bed/failed; off; }
mkfifo /run/tmp/never

# The modules are in a place of their own, and the host may have no /lib/modules to mount over.
ln -s "/usr/lib/uml/modules/$(uname -r)" "/run/kmod/lib/modules/$(uname -r)"
printf '#!/bin/sh\nexec /sbin/modprobe -d /run/kmod "$@"\n' >/run/modprobe
chmod 755 /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe

# Loaded with IPv6 off before anything opens an IPv6 socket, else neighbour discovery leaves in clear.
/run/modprobe ipv6 disable_ipv6=1 || fail "no module ipv6"
/run/modprobe -a macsec gcm ctr ghash-generic || fail "no module macsec"
ip link set lo up
ip link set vec0 mtu "$BED_MTU" || fail "vec0 does not take MTU $BED_MTU"
ip link set vec0 up || fail "vec0 does not come up"
# Only now: some ethtool requests on a vector device that is down stop this kernel.
ethtool -K vec0 tx off rx off sg off tso off gso off gro off >/dev/null 2>&1

mkdir -p /run/bed/cmd
echo "init: ready, kernel $(uname -r)"
echo ready >/run/bed/ready
exec /bin/bash "$BED_SERVE" /run/bed/cmd
