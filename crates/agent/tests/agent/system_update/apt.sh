# Packages and repositories for apt: `stable`, and `security`, which says that it is one.

# package FOLDER NAME VERSION [CONTROL FIELD] [POSTINST]
package() {
    rm -rf build
    mkdir -p "build/DEBIAN" "build/usr/share/$2" "$1"
    echo "$3" >"build/usr/share/$2/version"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n%s' \
        "$2" "$3" "${4:+$4
}" >build/DEBIAN/control
    if [ -n "${5:-}" ]; then
        printf '#!/bin/sh\n%s\n' "$5" >build/DEBIAN/postinst
        chmod 755 build/DEBIAN/postinst
    fi
    dpkg-deb --build build "$1/$2_$3.deb" >/dev/null
}

# repository FOLDER LABEL SUITE
repository() {
    for deb in "$1"/*.deb; do
        dpkg-deb --field "$deb"
        printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "${deb#*/}" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
    done >"$1/Packages"
    printf 'Origin: Debian\nLabel: %s\nSuite: %s\nCodename: %s\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n %s %s Packages\n' \
        "$2" "$3" "$3" "$(sha256sum "$1/Packages" | cut -d ' ' -f 1)" "$(stat -c %s "$1/Packages")" >"$1/Release"
}

# Only the repositories of the test.
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/preferences.d/*
for folder in stable security; do
    echo "deb [trusted=yes] file:///srv/$folder ./" >>/etc/apt/sources.list
done

package old guardhouse-fine 1
package old guardhouse-hole 1
package old guardhouse-held 1
package old guardhouse-bad 1
package old guardhouse-half 1 '' '[ -e /srv/half-may-work ]'
dpkg --install old/guardhouse-[!h]*.deb old/guardhouse-hole_1.deb old/guardhouse-held_1.deb >/dev/null
apt-mark auto guardhouse-fine guardhouse-hole >/dev/null
apt-mark hold guardhouse-held >/dev/null
# dpkg was interrupted here.
dpkg --unpack old/guardhouse-half_1.deb >/dev/null
touch half-may-work

package stable guardhouse-fine 2
package stable guardhouse-held 2
# The newest version, from the other repository, contains the one that closes the hole.
package stable guardhouse-hole 3 'Depends: guardhouse-new, guardhouse-fine (>= 2)'
package stable guardhouse-new 1
package stable guardhouse-bad 2 '' 'echo out of order; exit 3'
package security guardhouse-hole 2
repository stable Debian stable
repository security Debian-Security stable-security
