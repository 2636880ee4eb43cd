# Packages for pacman, and a repository of them.

# package FOLDER NAME VERSION [DEPENDENCY]
package() {
    rm -rf build
    mkdir -p "build/usr/share/$2" "$1"
    echo "$3" >"build/usr/share/$2/version"
    printf 'pkgname = %s\npkgbase = %s\npkgver = %s\npkgdesc = test\nbuilddate = 1\nsize = 10\narch = any\n%s' \
        "$2" "$2" "$3" "${4:+depend = $4
}" >build/.PKGINFO
    tar -C build -czf "$1/$2-$3-any.pkg.tar.gz" .PKGINFO usr
    mkdir -p "$1.database/$2-$3"
    {
        printf '%%FILENAME%%\n%s\n\n%%NAME%%\n%s\n\n%%VERSION%%\n%s\n\n' "$2-$3-any.pkg.tar.gz" "$2" "$3"
        printf '%%CSIZE%%\n%s\n\n%%ISIZE%%\n10\n\n%%ARCH%%\nany\n\n' "$(stat -c %s "$1/$2-$3-any.pkg.tar.gz")"
        [ -z "${4:-}" ] || printf '%%DEPENDS%%\n%s\n\n' "$4"
    } >"$1.database/$2-$3/desc"
}

rm -rf /var/lib/pacman
mkdir -p /var/lib/pacman
printf '[options]\nArchitecture = auto\nSigLevel = Never\nIgnorePkg = guardhouse-held\n[core]\nServer = file:///srv/stable\n' \
    >/etc/pacman.conf
for name in fine hole held; do package old "guardhouse-$name" 1-1; done
pacman -U --noconfirm old/*.pkg.tar.gz >/dev/null

package stable guardhouse-fine 2-1
package stable guardhouse-hole 2-1 guardhouse-new
package stable guardhouse-new 1-1
package stable guardhouse-held 2-1
(cd stable.database && tar -czf ../stable/core.db *)
