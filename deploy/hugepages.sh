# For scripts to source: hugepages for the time of their run, where the machine has none.
#
#   reserve_hugepages      once, before they are wanted
#   give_back_hugepages    in the trap that ends the script; does nothing where nothing was reserved

pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
old_pages= mounted=

reserve_hugepages() {
    [ -e "$pages" ] || { echo "hugepages: this kernel has none of 2 MiB" >&2; return 0; }
    if [ "$(cat "$pages")" = 0 ]; then
        local available
        available=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
        old_pages=0
        echo $((available > 6144 ? 512 : 256)) >"$pages" 2>/dev/null || old_pages=
        echo "hugepages: $(cat "$pages") for the time of the run" >&2
    fi
    if ! grep -q ' hugetlbfs ' /proc/mounts; then
        local how=mounted
        [ -d /dev/hugepages ] || { mkdir /dev/hugepages && how=made; }
        mount -t hugetlbfs none /dev/hugepages 2>/dev/null && mounted=$how
    fi
    return 0
}

give_back_hugepages() {
    [ -z "$mounted" ] || { umount /dev/hugepages && [ "$mounted" = mounted ] || rmdir /dev/hugepages; }
    [ -z "$old_pages" ] || echo "$old_pages" >"$pages"
}
