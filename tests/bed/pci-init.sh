#!/bin/busybox sh
# PID 1 of the machine with PCI ports: the host's root file system, read-only, on Debian's kernel.
# From the kernel's command line: BED_BIND (vfio-pci, e1000e or none), BED_SERVE, BED_HUGEPAGES.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev

insert() { for file in "/modules/$1"/*.ko; do insmod "$file" || echo "init: $file is not accepted"; done; }
stop() { echo "init: $1"; poweroff -f; }
insert base
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144 host /host || stop "the host's root cannot be mounted"
mount -t proc none /host/proc
mount -t sysfs none /host/sys
mount -t devtmpfs none /host/dev
mkdir -p /host/dev/shm /host/dev/pts
mount -t tmpfs none /host/dev/shm
mount -t devpts none /host/dev/pts
mount -t tmpfs none /host/run
mkdir -p /host/run/huge /host/run/bed /host/run/tmp
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 bed /host/run/bed || stop "the run folder cannot be mounted"
# An odd or missing figure leaves the machine without hugepages, which is a case of its own.
echo "${BED_HUGEPAGES:-0}" >/proc/sys/vm/nr_hugepages
mount -t hugetlbfs none /host/run/huge
ip link set lo up

[ "$BED_BIND" = e1000e ] && insert e1000e
if [ "$BED_BIND" = vfio-pci ]; then
    for device in /sys/bus/pci/devices/*; do
        [ "$(cat "$device/class")" = 0x020000 ] || continue
        echo vfio-pci >"$device/driver_override"
        echo "${device##*/}" >/sys/bus/pci/drivers/vfio-pci/bind || echo "init: ${device##*/} is not accepted by vfio-pci"
    done
fi

mkdir -p /host/run/bed/cmd
echo "init: ready, kernel $(uname -r)"
echo ready >/host/run/bed/ready
exec chroot /host /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root TERM=dumb TMPDIR=/run/tmp \
    /bin/bash "$BED_SERVE" /run/bed/cmd
