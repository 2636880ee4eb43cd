//! Subvolumes and snapshots.

use super::*;

#[test]
fn subvolumes_are_roots_and_snapshots_are_not() {
    let mut disks = Disks::new();
    let fstab =
        "etc/fstab=UUID=b / btrfs subvol=@\nUUID=b /home btrfs subvol=/@home\nUUID=b /mnt btrfs subvolid=5\n";
    let root = |folder: &str, file: &str| format!("{folder}/{file}");
    let files: Vec<String> = ["@", "@before-upgrade"]
        .iter()
        .flat_map(|folder| {
            [DEBIAN, fstab, "home/", "mnt/", ".snapshots/1/snapshot/etc/x"].map(|file| root(folder, file))
        })
        .chain([
            "@home/me".to_owned(),
            "@spare/z".to_owned(),
            "timeshift-btrfs/snapshots/1/@/etc/y".to_owned(),
        ])
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    disks.add("partition 1", "btrfs", "b", &files);
    let systems = disks.systems();
    let brief: Vec<_> = systems.iter().map(|system| (system.place.as_str(), system.os.is_some())).collect();
    assert_eq!(brief, [("partition 1, subvolume /@", true), ("partition 1, subvolume /@spare", false)]);
    assert_eq!(
        paths(&systems[0].tree),
        [
            "/.snapshots",
            "/etc",
            "/etc/fstab",
            "/home",
            "/home/me",
            "/mnt",
            "/usr",
            "/usr/lib",
            "/usr/lib/os-release",
        ]
    );
    assert_eq!(
        systems[0].notes,
        [
            "/@before-upgrade is a copy of /@: it is not read",
            "/timeshift-btrfs has snapshots: they are not read",
            "/mnt of /etc/fstab (UUID=b) is not put in: partition 1 is seen elsewhere in the tree",
            "the snapshots in /.snapshots are not read",
        ]
    );
}

#[test]
fn snapshots_inside_of_a_root_are_not_read() {
    // Neither has an fstab or a machine id that would show what is a copy.
    for (root, place) in [("", "partition 1"), ("@/", "partition 1, subvolume /@")] {
        let mut disks = Disks::new();
        let folders = ["", ".snapshots/1/snapshot/", "timeshift-btrfs/snapshots/1/@/"];
        let files: Vec<String> = folders
            .iter()
            .flat_map(|folder| [DEBIAN, "etc/hosts"].map(|file| format!("{root}{folder}{file}")))
            .collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        disks.add("partition 1", "btrfs", "b", &files);
        let systems = disks.systems();
        let places: Vec<_> = systems.iter().map(|system| system.place.as_str()).collect();
        assert_eq!(places, [place], "{systems:?}");
        let seen = paths(&systems[0].tree);
        let expected = [
            "/.snapshots",
            "/etc",
            "/etc/hosts",
            "/timeshift-btrfs",
            "/usr",
            "/usr/lib",
            "/usr/lib/os-release",
        ];
        assert_eq!(seen, expected, "{place}");
        for folder in ["/.snapshots", "/timeshift-btrfs"] {
            let note = format!("the snapshots in {folder} are not read");
            assert!(systems[0].notes.contains(&note), "{:?}", systems[0].notes);
        }
    }
}

#[test]
fn the_default_subvolume_is_the_root() {
    let mut disks = Disks::new();
    let fstab = "etc/fstab=UUID=b / btrfs\nUUID=b /var btrfs subvol=/@/var\nUUID=b /.snapshots btrfs subvol=/@/.snapshots\n";
    let files: Vec<String> = ["1", "7"]
        .iter()
        .flat_map(|number| {
            [DEBIAN, fstab, "var/", ".snapshots/"]
                .map(|file| format!("@/.snapshots/{number}/snapshot/{file}"))
        })
        .chain(["@/var/lib/rpm/Packages".to_owned()])
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    disks.add_with_default("partition 1", "btrfs", "b", "/@/.snapshots/7/snapshot", &files);
    let systems = disks.systems();
    let places: Vec<_> = systems.iter().map(|system| system.place.as_str()).collect();
    assert_eq!(places, ["partition 1, subvolume /@/.snapshots/7/snapshot"], "{systems:?}");
    assert!(read(&systems[0].tree, "/var/lib/rpm/Packages").is_some());
}
