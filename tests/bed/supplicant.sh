#!/bin/bash
# Puts Debian testing's wpa_supplicant, which is newer than the machine's, into a cache folder:
#   supplicant.sh FOLDER    leaves FOLDER/wpa_supplicant; does nothing when it is there
# Needs apt-get, dpkg-deb, gcc and a Debian mirror. Installs nothing: apt works on folders of its own here,
# the program runs by the C library that came with it.
set -euo pipefail
cache=$1
here=$(cd "$(dirname "$0")" && pwd)
stamp=$(cat "$here/supplicant.sh" "$here/nl80211.c" | sha256sum | cut -c1-16)
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
exec 9>"$cache/.lock"
flock -w 300 9
[ "$(cat "$cache/stamp" 2>/dev/null || true)" = "$stamp" ] && exit 0

work=$(mktemp -d "$cache/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/apt/{lists/partial,cache/archives/partial} "$work"/{debs,root}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian testing main" \
    >"$work/apt/sources.list"
: >"$work/apt/status"
# The superuser's apt would hand downloads to a user who cannot write here.
cat >"$work/apt/apt.conf" <<END
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/apt/lists";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "root";
APT::Architecture "amd64";
Acquire::Languages "none";
Acquire::Retries "3";
END
export APT_CONFIG=$work/apt/apt.conf
fail() { echo "supplicant: $1" >&2; exit 1; }
timeout 120 apt-get -qq update >&2 || fail "apt gives no lists of Debian testing"
# Of what it wants installed, the libraries: services are not run here.
wanted=$(apt-get -s --no-install-recommends install wpasupplicant 2>/dev/null |
    awk '$1 == "Inst" && $2 ~ /^(lib|zlib|wpasupplicant)/ { print $2 }')
[ -n "$wanted" ] || fail "Debian testing has no wpasupplicant"
(cd "$work/debs" && timeout 300 apt-get -qq download $wanted >&2) || fail "apt gives no wpasupplicant of Debian testing"
for package in "$work"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work/root" --wildcards './usr/lib/*' './usr/sbin/*' 2>/dev/null ||
        [ "${PIPESTATUS[0]}" = 0 ] || fail "$package can't be unpacked"
done
gcc -shared -fPIC -O1 -fno-builtin -o "$work/root/nl80211.so" "$here/nl80211.c" -ldl

rm -rf "$cache/root"
mv "$work/root" "$cache/root"
libraries=$cache/root/usr/lib/x86_64-linux-gnu
cat >"$cache/wpa_supplicant" <<END
#!/bin/sh
exec "$libraries/ld-linux-x86-64.so.2" --preload "$cache/root/nl80211.so" --library-path "$libraries" \\
    "$cache/root/usr/sbin/wpa_supplicant" "\$@"
END
chmod 755 "$cache/wpa_supplicant"
version=$("$cache/wpa_supplicant" -v | sed -n 's/^wpa_supplicant v//p')
case $version in
    2.[0-9] | 2.10 | "") fail "Debian testing's wpa_supplicant is ${version:-none that runs here}; 2.11 or newer is wanted" ;;
esac
echo "$stamp" >"$cache/stamp"
