#!/bin/bash
# Puts Debian's stock kernel and an initramfs for the machine with PCI ports into a cache folder:
#   kernel.sh FOLDER        leaves FOLDER/vmlinuz and FOLDER/initrd.gz; does nothing when they are there
# Needs apt-get with package lists, dpkg-deb, depmod, busybox-static and cpio. Installs nothing.
set -euo pipefail
cache=$1
here=$(cd "$(dirname "$0")" && pwd)
stamp=$(cat "$here/kernel.sh" "$here/pci-init.sh" | sha256sum | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock -w 300 9
[ "$(cat "$cache/stamp" 2>/dev/null || true)" = "$stamp" ] && exit 0

work=$(mktemp -d "$cache/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Under the superuser apt would hand the download to a user who cannot write here.
download() {
    local package
    package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [ -n "$package" ] && (cd "$work" && timeout 300 apt-get -qq -o APT::Sandbox::User=root download "$package" >&2)
}
if ! compgen -G "$cache/linux-image-*.deb" >/dev/null; then
    # The lists on the machine may be missing, or name a package that is no longer there.
    download || { timeout 300 apt-get -qq -o DPkg::Lock::Timeout=300 update >&2; download; } ||
        { echo "kernel: apt gives no linux-image-amd64" >&2; exit 1; }
    mv "$work"/linux-image-*.deb "$cache/"
fi

mkdir "$work/kernel" "$work/root"
dpkg-deb --fsys-tarfile "$cache"/linux-image-*.deb | tar -x -C "$work/kernel" ./boot ./lib/modules
version=$(basename "$work/kernel/lib/modules"/*)
depmod -b "$work/kernel" "$version"
mkdir -p "$work/root"/{bin,proc,sys,dev,host,modules/base,modules/e1000e}
cp /bin/busybox "$work/root/bin/"
cp "$here/pci-init.sh" "$work/root/init"
chmod 755 "$work/root/init"

# Numbered in the order in which they must be inserted: what a module depends on comes first.
gather() {
    local to=$1 number=10 file
    shift
    for module in "$@"; do
        modprobe -d "$work/kernel" -S "$version" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
        cp "$file" "$to/$number-$(basename "$file")"
        number=$((number + 1))
    done
}
gather "$work/root/modules/base" virtio_pci 9p 9pnet_virtio vfio_iommu_type1 vfio-pci
gather "$work/root/modules/e1000e" e1000e
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
mv "$work/initrd.gz" "$cache/initrd.gz"
mv "$work/kernel/boot/vmlinuz-$version" "$cache/vmlinuz"
echo "$stamp" >"$cache/stamp"
