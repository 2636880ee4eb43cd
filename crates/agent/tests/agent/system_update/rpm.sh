# Packages for dnf and zypper, a repository of them with an advisory, and a database of rpm's own for this overlay.

# package FOLDER NAME VERSION [TAG] [SECTION]
package() {
    mkdir -p "$1" specs
    cat >"specs/$2.spec" <<END
%define _build_id_links none
Name: $2
Version: $3
Release: 1
Summary: test
License: test
BuildArch: noarch
${4:-}
%description
test
%files
${5:-}
END
    rpmbuild --quiet -bb --define "_rpmdir $PWD/$1" --define '_rpmfilename %%{NAME}-%%{VERSION}.rpm' "specs/$2.spec"
}

# Debian's rpm keeps its database in the home of the user; that of a system is where dnf and zypper look.
mkdir -p /etc/rpm /var/lib/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
rm -rf /var/lib/rpm/* /etc/yum.repos.d /etc/zypp/repos.d
mkdir -p /etc/yum.repos.d /etc/zypp/repos.d

for name in fine hole bad; do package old "guardhouse-$name" 1; done
rpm --force-debian --install old/*.rpm 2>/dev/null

package stable guardhouse-fine 2
package stable guardhouse-hole 2 'Requires: guardhouse-new'
package stable guardhouse-new 1
package stable guardhouse-bad 2 '' '%pre -p <lua>
error("out of order")'
createrepo_c --quiet stable
cat >updateinfo.xml <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="test" status="stable" type="security" version="1">
<id>TEST-2026:1</id><title>a hole</title><severity>Important</severity>
<issued date="2026-01-01 00:00:00"/><description>a hole</description>
<pkglist><collection short="test"><name>test</name>
<package name="guardhouse-hole" version="2" release="1" epoch="0" arch="noarch" src="guardhouse-hole-2.src.rpm">
<filename>guardhouse-hole-2.rpm</filename></package>
</collection></pkglist></update></updates>
END
modifyrepo_c updateinfo.xml stable/repodata >/dev/null

# repository NAME ADDRESS, for both.
repository() {
    printf '[%s]\nname=%s\nbaseurl=%s\nenabled=1\ngpgcheck=0\nautorefresh=0\n' "$1" "$1" "$2" |
        tee "/etc/yum.repos.d/$1.repo" >"/etc/zypp/repos.d/$1.repo"
}
repository test file:///srv/stable
