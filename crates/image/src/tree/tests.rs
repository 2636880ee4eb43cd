use std::{fs, ops::ControlFlow, os::unix::fs::symlink, path::Path, sync::Arc};

use super::*;
use crate::{
    file_system::{ReadError, Reader, folder::Folder},
    volume::{Content, Volume},
};

/// A real folder that says to be a volume.
#[derive(Debug)]
struct Disk {
    folder: Folder,
    kind: &'static str,
    uuid: String,
    label: String,
    default: FilePath,
}

impl FileSystem for Disk {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn label(&self) -> &str {
        &self.label
    }
    fn uuid(&self) -> &str {
        &self.uuid
    }
    fn default_folder(&self) -> FilePath {
        self.default.clone()
    }
    fn reader(&self) -> Result<Box<dyn Reader>, ReadError> {
        self.folder.reader()
    }
}

/// Volumes in a folder that goes with them.
struct Disks {
    folder: tempfile::TempDir,
    volumes: Vec<Volume>,
}

impl Disks {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("there is a temporary folder"), volumes: Vec::new() }
    }

    /// Adds a volume: its files as lines `path`, `path=content`, `path -> target` or `path/`.
    fn add(&mut self, place: &str, kind: &'static str, uuid: &str, files: &[&str]) -> &mut Self {
        self.add_with_default(place, kind, uuid, "/", files)
    }

    fn add_with_default(
        &mut self,
        place: &str,
        kind: &'static str,
        uuid: &str,
        default: &str,
        files: &[&str],
    ) -> &mut Self {
        let root = self.folder.path().join(self.volumes.len().to_string());
        fs::create_dir(&root).expect("the folder is ours");
        for file in files {
            write(&root, file);
        }
        let disk = Disk {
            folder: Folder::open(&root).expect("it was just made"),
            kind,
            uuid: uuid.to_owned(),
            label: format!("label {uuid}"),
            default: FilePath::new(default.as_bytes()),
        };
        self.volumes.push(Volume {
            place: place.to_owned(),
            size: 1 << 20,
            partition_uuid: format!("part-{uuid}"),
            partition_label: String::new(),
            content: Content::Files(Arc::new(disk)),
        });
        self
    }

    fn systems(&self) -> Vec<System> {
        systems(&self.volumes)
    }
}

fn write(root: &Path, file: &str) {
    let (path, content) = match (file.split_once(" -> "), file.split_once('=')) {
        (Some((path, _)), _) | (None, Some((path, _))) => (path, file.split_once('=').map(|(_, text)| text)),
        (None, None) => (file, None),
    };
    let at = root.join(path);
    fs::create_dir_all(at.parent().expect("it lies below the root")).expect("the folder is ours");
    let made = match file.split_once(" -> ") {
        Some((_, target)) => symlink(target, &at),
        None if path.ends_with('/') => fs::create_dir_all(&at),
        None => fs::write(&at, content.unwrap_or_default()),
    };
    made.expect("the folder is ours");
}

/// Every path of a tree, sorted.
fn paths(tree: &Tree) -> Vec<String> {
    let mut reader = tree.reader().expect("the tree can be read");
    let (mut open, mut seen) = (vec![reader.root()], Vec::new());
    while let Some(folder) = open.pop() {
        let mut entries = Vec::new();
        reader
            .read_folder(&folder, &mut |_, place| {
                entries.push(place);
                ControlFlow::Continue(())
            })
            .expect("the folder can be read");
        for place in entries {
            seen.push(place.path.to_string());
            if reader.metadata(&place).expect("it is there").kind == crate::FileKind::Folder {
                open.push(place);
            }
        }
    }
    seen.sort();
    seen
}

fn read(tree: &Tree, path: &str) -> Option<String> {
    let mut reader = tree.reader().expect("the tree can be read");
    let bytes = reader.read_head(&FilePath::new(path.as_bytes()), 4096).expect("it can be looked for")?;
    Some(String::from_utf8(bytes).expect("tests write texts"))
}

const DEBIAN: &str = "usr/lib/os-release=ID=debian\nVERSION_ID=\"12\"\n";

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

#[test]
fn links_stay_in_the_tree_and_end() {
    let mut disks = Disks::new();
    let outside = disks.folder.path().join("outside");
    fs::write(&outside, "secret").expect("the folder is ours");
    let absolute = format!("absolute -> {}", outside.display());
    let mut files = vec![
        "loop -> loop",
        "a -> b",
        "b -> a",
        "up -> ../../../../outside",
        "in -> /etc/../etc/./x",
        "etc/x=found",
        "file/../through",
        "etc/deep -> ../etc/x/../x",
        &absolute,
    ];
    let chain: Vec<String> = (0..45).map(|number| format!("c{number} -> c{}", number + 1)).collect();
    files.extend(chain.iter().map(String::as_str));
    files.push("c45=end");
    disks.add("disk", "ext4", "a", &files);
    let tree = disks.systems().remove(0).tree;
    assert_eq!(read(&tree, "/in").as_deref(), Some("found"));
    assert_eq!(read(&tree, "/up"), None);
    assert_eq!(read(&tree, "/absolute"), None);
    assert_eq!(read(&tree, "/etc/deep"), None, "a file has no entries");
    assert_eq!(read(&tree, "/c5").as_deref(), Some("end"));
    let mut reader = tree.reader().expect("the tree can be read");
    for path in ["/loop", "/a/x", "/c4"] {
        let found = reader.find(&FilePath::new(path.as_bytes()));
        assert!(matches!(found, Err(ReadError::Limit { limit: 40, .. })), "{path}: {found:?}");
    }
    let link = reader.find_entry(&FilePath::new(b"/loop")).expect("it is there").expect("it is there");
    assert_eq!(reader.read_link(&link).expect("it is a link"), b"loop");
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
