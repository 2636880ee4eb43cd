//! Volumes that are put together as an fstab says.

use super::*;

#[test]
fn volumes_are_put_together_as_fstab_says() {
    let mut disks = Disks::new();
    let fstab = "etc/fstab=UUID=AAAA / ext4 defaults 0 1\n\
        /dev/mapper/vg--0-var /var ext4 defaults 0 2\n\
        LABEL=label\\040boot /boot ext4 ro\n\
        PARTUUID=PART-efi /boot/efi vfat umask=0077\n\
        /dev/sdb7 /srv/data ext4 defaults\n\
        UUID=gone /gone xfs defaults\n\
        UUID=manual /manual xfs noauto\n\
        tmpfs /tmp tmpfs size=1g\n\
        /srv/data/home /home none bind\n";
    disks
        .add("partition 1", "vfat", "efi", &["EFI/boot.efi"])
        .add("partition 2", "ext4", "boot", &["vmlinuz", "efi/"])
        .add(
            "partition 3",
            "ext4",
            "aaaa",
            &[
                "etc/os-release -> ../usr/lib/os-release",
                DEBIAN,
                fstab,
                "bin -> usr/bin",
                "usr/bin/sh",
                "var/hidden",
                "boot/",
                "srv/data/",
                "home/",
                "manual/",
                "var/lock -> ../../../run/lock",
                "run/lock=x",
            ],
        )
        .add(
            "logical volume vg-0/var",
            "ext4",
            "var",
            &["lib/dpkg/status=Package: x", "lock -> ../../run/lock"],
        )
        .add("partition 7", "ext4", "data", &["home/me/notes"])
        .add("partition 8", "xfs", "manual", &["by-hand"]);
    let systems = disks.systems();
    let [system, manual] = systems.as_slice() else { panic!("two systems in {systems:?}") };

    assert_eq!(system.place, "partition 3");
    assert_eq!(system.os.as_ref().map(|os| (os.id.as_str(), os.version.as_str())), Some(("debian", "12")));
    assert_eq!(
        paths(&system.tree),
        [
            "/bin",
            "/boot",
            "/boot/efi",
            "/boot/efi/EFI",
            "/boot/efi/EFI/boot.efi",
            "/boot/vmlinuz",
            "/etc",
            "/etc/fstab",
            "/etc/os-release",
            "/home",
            "/home/me",
            "/home/me/notes",
            "/manual",
            "/run",
            "/run/lock",
            "/srv",
            "/srv/data",
            "/srv/data/home",
            "/srv/data/home/me",
            "/srv/data/home/me/notes",
            "/usr",
            "/usr/bin",
            "/usr/bin/sh",
            "/usr/lib",
            "/usr/lib/os-release",
            "/var",
            "/var/lib",
            "/var/lib/dpkg",
            "/var/lib/dpkg/status",
            "/var/lock",
        ]
    );
    assert_eq!(read(&system.tree, "/var/lib/dpkg/status").as_deref(), Some("Package: x"));
    assert_eq!(
        read(&system.tree, "/var/lock").as_deref(),
        Some("x"),
        "a link leads out of its volume, not further"
    );
    assert_eq!(read(&system.tree, "/bin/sh").as_deref(), Some(""));
    assert_eq!(read(&system.tree, "/var/hidden"), None);
    assert_eq!(
        system.notes,
        [
            "/gone of /etc/fstab (UUID=gone) is not put in: no volume with files on the target has this name",
            "/srv/data of /etc/fstab: took partition 7 for /dev/sdb7, by its number alone",
        ]
    );

    assert_eq!((manual.place.as_str(), &manual.os), ("partition 8", &None));
    assert_eq!(paths(&manual.tree), ["/by-hand"]);
}

#[test]
fn systems_beside_each_other_have_their_own_volumes() {
    let mut disks = Disks::new();
    disks
        .add("partition 1", "ext4", "a", &[DEBIAN, "etc/fstab=UUID=home /home ext4\n", "home/"])
        .add(
            "partition 2",
            "ext4",
            "b",
            &["etc/alpine-release=3.20.3\n", "etc/fstab=UUID=home /home ext4\n", "home/"],
        )
        .add("partition 3", "ntfs", "c", &["WINDOWS/System32/ntdll.dll"])
        .add("partition 4", "ext4", "home", &["me/x"])
        .add("partition 5", "ext4", "other", &["y"]);
    let systems = disks.systems();
    let brief: Vec<_> = systems
        .iter()
        .map(|system| (system.place.as_str(), system.os.as_ref().map(|os| os.id.as_str())))
        .collect();
    assert_eq!(
        brief,
        [
            ("partition 1", Some("debian")),
            ("partition 2", Some("alpine")),
            ("partition 3", Some("windows")),
            ("partition 5", None),
        ]
    );
    assert!(systems.iter().take(2).all(|system| read(&system.tree, "/home/me/x").is_some()));
}

#[test]
fn later_mounts_hide_earlier_ones() {
    let mut disks = Disks::new();
    disks.add("0", "ext4", "", &["a/b/below", "a/x"]).add("1", "ext4", "", &["first"]).add(
        "2",
        "ext4",
        "",
        &["b/second"],
    );
    let mount = |at: &str, from: &str, number: usize| match &disks.volumes[number].content {
        Content::Files(file_system) => Mount {
            at: FilePath::new(at.as_bytes()),
            file_system: Arc::clone(file_system),
            from: FilePath::new(from.as_bytes()),
            volume: number.to_string(),
        },
        other => panic!("no files: {other:?}"),
    };
    let tree = |mounts: Vec<Mount>| Tree { mounts };
    let seen = paths(&tree(vec![mount("/", "/", 0), mount("/a/b", "/", 1)]));
    assert_eq!(seen, ["/a", "/a/b", "/a/b/first", "/a/x"]);
    let seen = paths(&tree(vec![mount("/", "/", 0), mount("/a/b", "/", 1), mount("/a", "/", 2)]));
    assert_eq!(seen, ["/a", "/a/b", "/a/b/second"]);
    let itself = paths(&tree(vec![mount("/", "/", 0), mount("/a/b", "/", 0)]));
    assert_eq!(itself, ["/a", "/a/b", "/a/b/a", "/a/b/a/b", "/a/b/a/b/below", "/a/b/a/x", "/a/x"]);
    assert!(tree(vec![mount("/", "/nowhere", 0)]).reader().is_err());
    assert!(tree(vec![mount("/a", "/", 0)]).reader().is_err());
    assert!(tree(Vec::new()).reader().is_err());
}

#[test]
fn a_file_that_says_what_system_it_is_and_cannot_be_read_is_told() {
    let mut disks = Disks::new();
    disks.add(
        "disk",
        "ext4",
        "root",
        &["etc/os-release -> os-release", "etc/debian_version=12.1", "etc/fstab=x"],
    );
    let system = disks.systems().remove(0);
    assert_eq!(system.os.map(|os| os.id), Some("debian".to_owned()));
    let expected = "/etc/os-release, which says what system this is, cannot be read: more than";
    assert!(system.left_out[0].starts_with(expected), "{:?}", system.left_out);
    assert_eq!(system.left_out.len(), 1);
}
