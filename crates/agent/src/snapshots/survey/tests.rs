use super::*;
use crate::snapshots::{lvm, mounts};

/// Rows of `lvs`: group, name, minor number, attributes, MiB, MiB free in the group.
type Row<'a> = (&'a str, &'a str, u32, &'a str, u64, u64);

fn lvm(rows: &[Row<'_>]) -> Lvm {
    let rows: Vec<serde_json::Value> = rows
        .iter()
        .map(|(group, name, minor, attributes, size, free)| {
            serde_json::json!({
                "lv_name": name, "vg_name": group, "lv_attr": attributes,
                "lv_kernel_major": "253", "lv_kernel_minor": minor.to_string(),
                "lv_size": (size << 20).to_string(), "vg_free": (free << 20).to_string(),
                "vg_extent_size": "4194304", "pool_lv": if attributes.starts_with('V') { "pool" } else { "" },
                "data_percent": "10.00",
            })
        })
        .collect();
    let volumes = lvm::parse(&serde_json::json!({"report": [{"lv": rows}]}).to_string()).expect("readable");
    Lvm { devices: (0..9).map(|minor| (253, minor)).collect(), volumes: Ok(volumes) }
}

fn none() -> Lvm {
    Lvm { devices: BTreeSet::new(), volumes: Ok(Vec::new()) }
}

/// Mounts as the kernel writes them: device, folder, mount point, type, source, options.
fn mounted(lines: &[&str]) -> Vec<Mount> {
    let line = |line: &&str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [device, root, point, kind, source, options] = fields.as_slice() else { panic!("{line}") };
        format!("1 1 {device} {root} {point} rw shared:1 - {kind} {source} rw,{options}\n")
    };
    mounts::parse(lines.iter().map(line).collect::<String>().as_bytes())
}

/// What a survey finds, in words: `mount points kind MiB` and a `*` behind data; then what is left out.
fn words(mounts: &[&str], lvm: &Lvm, data_disks: bool) -> (Vec<String>, Vec<(String, String)>) {
    let survey = Survey::new(&mounted(mounts), lvm, data_disks, &|_| 7);
    let volume = |volume: &Volume| {
        let tree = |tree: &Tree| match tree.root == Path::new("/") {
            true => tree.mount_point.display().to_string(),
            false => format!("{}={}", tree.mount_point.display(), tree.root.display()),
        };
        let trees: Vec<String> = volume.trees.iter().map(tree).collect();
        let kind = match &volume.origin {
            Origin::Lvm { group, name, room: Some(room), .. } => format!("{group}/{name} {}", room >> 20),
            Origin::Lvm { group, name, room: None, .. } => format!("{group}/{name} thin"),
            Origin::Btrfs { subvolume } => format!("subvolume {}", subvolume.display()),
        };
        format!("{} {kind}{}", trees.join(","), if volume.data_disk { "*" } else { "" })
    };
    let left = survey.left_out.iter().map(|left| (left.path.display().to_string(), left.reason.clone()));
    (survey.volumes.iter().map(volume).collect(), left.collect())
}

const LVM: [&str; 9] = [
    "253:0 / / ext4 /dev/mapper/vg0-root errors=remount-ro",
    "0:5 / /dev devtmpfs udev mode=755",
    "8:1 / /boot ext2 /dev/sda1 x",
    "253:1 / /home xfs /dev/mapper/vg0-home x",
    "253:2 / /var/lib/data ext4 /dev/mapper/vg1-data x",
    "253:3 / /mnt/x ext4 /dev/mapper/vg0-x x",
    "0:50 / /mnt/far nfs4 files:/far x",
    "253:0 /srv/www /var/www ext4 /dev/mapper/vg0-root x",
    "8:1 /grub /mnt/grub ext2 /dev/sda1 x",
];

const ROWS: [Row<'_>; 4] = [
    ("vg0", "root", 0, "-wi-ao----", 4000, 2000),
    ("vg0", "home", 1, "-wi-ao----", 1000, 2000),
    ("vg1", "data", 2, "Vwi-aotz--", 1000, 0),
    ("vg0", "x", 3, "-wi-ao----", 1000, 2000),
];

#[test]
fn what_lies_on_logical_volumes() {
    let (volumes, left) = words(&LVM, &lvm(&ROWS), true);
    assert_eq!(
        volumes,
        ["/ vg0/root 400", "/home vg0/home 256", "/mnt/x vg0/x 256*", "/var/lib/data vg1/data thin*"]
    );
    let paths: Vec<&str> = left.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/boot", "/mnt/far"], "the second place of /boot is not named again: {left:?}");
    assert!(left[0].1.contains("ext2 on /dev/sda1"), "{left:?}");

    let (volumes, left) = words(&LVM, &lvm(&ROWS), false);
    assert_eq!(volumes, ["/ vg0/root 400", "/home vg0/home 256"]);
    assert!(left.iter().any(|(path, reason)| path == "/mnt/x" && reason.contains("data disk")), "{left:?}");
}

#[test]
fn room_goes_to_the_system_first() {
    let rows = |free| {
        ROWS.map(|(group, name, minor, attributes, size, _)| (group, name, minor, attributes, size, free))
    };
    let (volumes, left) = words(&LVM, &lvm(&rows(140)), true);
    assert_eq!(volumes, ["/ vg0/root 64", "/home vg0/home 64", "/var/lib/data vg1/data thin*"]);
    assert!(left.iter().any(|(path, reason)| path == "/mnt/x" && reason.contains("has 140 MiB")), "{left:?}");

    let survey = Survey::new(&mounted(&LVM), &lvm(&rows(60)), false, &|_| 7);
    assert!(survey.volumes.is_empty());
    let refusal = survey.refusal().expect("nothing of the root");
    assert!(
        refusal.contains("volume group vg0 has 60 MiB") && refusal.contains("at least 64 MiB"),
        "{refusal}"
    );
}

#[test]
fn subvolumes() {
    let mounts = [
        "0:30 /@ / btrfs /dev/sda2 subvolid=256,subvol=/@",
        "0:30 /@home /home btrfs /dev/sda2 subvolid=257,subvol=/@home",
        "0:30 /@/srv/www /var/www btrfs /dev/sda2 subvolid=256,subvol=/@",
        "0:30 /@snap/1/snapshot /mnt/old btrfs /dev/sda2 subvolid=300,subvol=/@snap/1/snapshot",
        "0:30 /@other/folder /mnt/part btrfs /dev/sda2 subvolid=301,subvol=/@other",
        "0:41 / /var/lib btrfs /dev/sdb subvolid=5,subvol=/",
    ];
    let (volumes, left) = words(&mounts, &none(), true);
    let expected = [
        "/ subvolume /@",
        "/home subvolume /@home",
        "/mnt/old subvolume /@snap/1/snapshot*",
        "/var/lib subvolume /*",
    ];
    assert_eq!(volumes, expected);
    assert_eq!(left.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["/mnt/part"]);
    let survey = Survey::new(&mounted(&mounts), &none(), true, &|_| 7);
    assert_eq!(survey.refusal(), None);
    let used: Vec<u64> = survey.volumes.iter().map(|volume| volume.used_bytes).collect();
    assert_eq!(used, [7, 0, 0, 7], "what is used of one btrfs is counted once");
}

#[test]
fn a_system_in_a_folder() {
    // As systems are mounted whose files come as one image.
    let mounts = [
        "253:0 /ostree/deploy/x/deploy/1 / ext4 /dev/mapper/vg0-root x",
        "253:0 /ostree/deploy/x/var /var ext4 /dev/mapper/vg0-root x",
        "253:0 / /sysroot ext4 /dev/mapper/vg0-root x",
    ];
    let (volumes, left) = words(&mounts, &lvm(&ROWS), false);
    assert_eq!(volumes, ["/=/ostree/deploy/x/deploy/1,/var=/ostree/deploy/x/var vg0/root 400"]);
    assert!(left[0].0 == "/sysroot" && left[0].1.contains("mounted at /"), "{left:?}");
}

#[test]
fn why_nothing_can_be_taken_of_the_root() {
    let unknown = Lvm { volumes: Err("the program lvs is not on this device".to_owned()), ..lvm(&[]) };
    let snapshot = lvm(&[("vg0", "root", 0, "swi-aos---", 100, 100)]);
    let plain = ["8:1 / / ext4 /dev/sda1 x"];
    let container = ["0:70 / / overlay overlay x"];
    let table: [(&[&str], &Lvm, &str); 7] = [
        (&plain, &none(), "ext4 on /dev/sda1 lies neither on a logical volume"),
        (&container, &none(), "overlay on overlay"),
        (&["0:2 / / tmpfs tmpfs x"], &none(), "nothing that lasts"),
        (&[], &none(), "nothing that lasts"),
        (&LVM, &unknown, "lvs is not on this device"),
        (&LVM, &lvm(&[]), "LVM does not list /dev/mapper/vg0-root"),
        (&LVM, &snapshot, "vg0/root is itself a snapshot"),
    ];
    for (mounts, lvm, expected) in table {
        let refusal = Survey::new(&mounted(mounts), lvm, true, &|_| 7).refusal().expect("no snapshot");
        assert!(refusal.contains(expected), "{expected}: {refusal}");
    }
}

#[test]
fn what_belongs_to_the_system() {
    let table = [
        ("/", false, true),
        ("/var", false, true),
        ("/usr", false, true),
        ("/var/lib/docker", false, false),
        ("/var/lib/docker", true, true),
        ("/home", false, false),
        ("/home/a", true, true),
        ("/srv", true, true),
        ("/mnt", true, false),
        ("/variety", true, false),
    ];
    for (place, beside_root, expected) in table {
        assert_eq!(is_system(Path::new(place), beside_root), expected, "{place} {beside_root}");
    }
}
