//! Images that Linux itself has written, copied while they were mounted: as a snapshot of a running machine has them.
//! This needs root, in a mount namespace of its own; without, the tests say so and skip.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use guardhouse_image::{
    FileSystem,
    file_system::{Kind, open},
};
use guardhouse_test_images::file_systems::{self as images, Image, Source};

use crate::{
    compare::{Keeps, compare},
    disks::{ChangedDisk, FileDisk},
};

/// Runs a script with `$IMAGE`, `$SOURCE`, an empty folder `$AT` to mount it at, and `$COPY` to copy it to while it is
/// mounted. The copy's path; `None` when that is not allowed here.
fn copy_mounted(image: &Image, source: &Path, script: &str) -> Option<PathBuf> {
    let at = image.folder().join("at");
    fs::create_dir(&at).expect("a folder");
    let copy = image.folder().join("copy");
    let may = Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if !may || fs::metadata("/dev/loop-control").is_err() {
        println!("skipped: mounting needs root and loop devices");
        return None;
    }
    let output = Command::new("unshare")
        .args(["-m", "sh", "-ec", &format!("PATH=$PATH:/usr/sbin:/sbin\n{script}\nsync -f $AT; cp --sparse=always $IMAGE $COPY; umount $AT")])
        .env("IMAGE", &image.path)
        .env("SOURCE", source)
        .env("AT", &at)
        .env("COPY", &copy)
        .output()
        .expect("sh");
    if !output.status.success() {
        println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(copy)
}

fn read(kind: Kind, copy: &Path) -> Arc<dyn FileSystem> {
    open(kind, FileDisk::open(copy)).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// Files are made, the folder of the many is made new, and a part is deleted again: blocks are used twice.
const BUSY: &str = "mount -o loop $IMAGE $AT
cp -a $SOURCE/. $AT/; rm -r $AT/many $AT/text; sync -f $AT
cp -a $SOURCE/many $SOURCE/text $AT/; mkdir $AT/gone; cp -a $SOURCE/many/. $AT/gone/; sync -f $AT; rm -r $AT/gone";

#[test]
fn a_journal_with_changes_is_replayed() {
    let source = images::source(Source { many: 500, unix: true, sparse: true });
    for arguments in
        [&["-b", "1024", "-O", "^metadata_csum"][..], &["-b", "4096"], &["-O", "64bit,fast_commit"]]
    {
        let image = Image::empty(96 << 20);
        images::run("e2fsprogs", "mkfs.ext4", &[&["-q", "-F"], arguments, &[image.name()]].concat());
        for options in ["", ",data=journal"] {
            let script = BUSY.replace("-o loop", &format!("-o loop{options}"));
            fs::remove_dir(image.folder().join("at")).ok();
            let Some(copy) = copy_mounted(&image, source.path(), &script) else { return };
            let file_system = read(Kind::Ext, &copy);
            assert!(
                file_system.notes().iter().any(|note| note.contains("replayed in memory")),
                "{file_system:?}"
            );
            compare(source.path(), file_system.as_ref(), Keeps::everything(source.path()));
        }
    }
}

/// What fast commits tell of: files made, made longer and shorter, replaced, moved, linked and deleted, in old folders and
/// in new ones; the numbers of deleted files are taken again. Each step is its own fast commit.
const STEPS: &str = "cd $AT; mkdir old old/rmdir; echo base > keep; echo over > over; echo victim > victim
for i in $(seq 120); do echo $i > old/a-file-with-a-long-name-$i; done
head -c 20000 /dev/zero | tr '\\0' a > grow; cp grow cut; cp grow middle; sync -f .
head -c 5000 /dev/zero | tr '\\0' b > new; sync new; cat new >> grow; sync grow; truncate -s 5000 cut; sync cut
dd if=new of=middle bs=1000 seek=7 conv=notrunc status=none; sync middle; rm victim; cp new other; sync other
cp new over.tmp; sync over.tmp; mv over.tmp over; sync over; mv old/a-file-with-a-long-name-7 moved; sync moved
ln keep hard; sync keep; mkdir folder; echo in > folder/in; sync folder/in; mkdir folder/deeper
echo in > folder/deeper/in; sync folder/deeper/in; rmdir old/rmdir
for i in $(seq 20 60); do rm old/a-file-with-a-long-name-$i; done; echo last > old/last; sync old/last
truncate -s 60000 sparse; echo end >> sparse; sync sparse; cd /";

#[test]
fn fast_commits_are_replayed() {
    for arguments in [&["-b", "1024"][..], &["-b", "4096"], &["-O", "inline_data", "-I", "512"]] {
        let image = Image::empty(64 << 20);
        let all = [&["-q", "-F", "-O", "fast_commit"], arguments, &[image.name()]].concat();
        images::run("e2fsprogs", "mkfs.ext4", &all);
        let expected = tempfile::tempdir().expect("a folder");
        // What is synchronised as a whole is a transaction; Linux says what comes of the copy.
        let script = format!(
            "mount -o loop,commit=300 $IMAGE $AT\n{STEPS}\ncp --sparse=always $IMAGE $COPY; umount $AT
            cp --sparse=always $COPY $COPY.replayed; mount -o loop $COPY.replayed $AT; cp -a $AT/. $SOURCE/
            rmdir $SOURCE/lost+found; umount $AT; mount -t tmpfs none $AT; COPY=$COPY.unused"
        );
        if copy_mounted(&image, expected.path(), &script).is_none() {
            return;
        }
        let file_system = read(Kind::Ext, &image.folder().join("copy"));
        assert!(file_system.notes().iter().any(|note| note.contains("fast commit")), "{file_system:?}");
        assert_eq!(file_system.left_out(), [""; 0]);
        compare(expected.path(), file_system.as_ref(), Keeps::everything(expected.path()));
    }
}

#[test]
fn a_log_with_changes_is_replayed() {
    let source = images::source(Source { many: 500, unix: true, sparse: true });
    let image = Image::empty(320 << 20);
    images::run("xfsprogs", "mkfs.xfs", &["-q", image.name()]);
    let Some(copy) = copy_mounted(&image, source.path(), BUSY) else { return };
    let file_system = read(Kind::Xfs, &copy);
    assert_eq!(file_system.notes(), ["the log held changes; they were replayed in memory"]);
    compare(source.path(), file_system.as_ref(), Keeps::everything(source.path()));
}

#[test]
fn the_log_tree_of_a_btrfs_is_replayed() {
    let source = images::source(Source { many: 500, unix: true, sparse: true });
    fs::write(source.path().join("late"), "late").expect("written");
    for compression in ["zlib", "lzo", "zstd"] {
        let image = Image::empty(256 << 20);
        images::run("btrfs-progs", "mkfs.btrfs", &["-q", image.name()]);
        // What is only synchronised goes into the log tree.
        let script = format!(
            "mount -o loop,compress-force={compression} $IMAGE $AT
            cp -a $SOURCE/. $AT/; rm $AT/late; sync -f $AT; cp -a $SOURCE/late $AT/; sync $AT/late
            cp $IMAGE $COPY; umount $AT
            IMAGE=$COPY; mkdir -p $AT; mount -t tmpfs none $AT"
        );
        let script = format!("{script}; COPY=$COPY.unused");
        if copy_mounted(&image, source.path(), &script).is_none() {
            return;
        }
        let file_system = read(Kind::Btrfs, &image.folder().join("copy"));
        assert_eq!(file_system.notes(), ["the log trees held changes; they were replayed in memory"]);
        assert_eq!(file_system.left_out(), [""; 0]);
        compare(source.path(), file_system.as_ref(), Keeps::everything(source.path()));
    }
}

#[test]
fn subvolumes_of_a_btrfs_are_folders() {
    let source = images::source(Source { many: 20, unix: true, sparse: false });
    let image = Image::empty(256 << 20);
    images::run("btrfs-progs", "mkfs.btrfs", &["-q", image.name()]);
    let script = "mount -o loop $IMAGE $AT
        btrfs -q subvolume create $AT/@; mkdir -p $AT/@/a/b; btrfs -q subvolume create $AT/@/a/b/inner
        echo here > $AT/@/a/b/inner/file; btrfs -q subvolume snapshot $AT/@ $AT/snapshot
        btrfs subvolume set-default $AT/@/a/b/inner > /dev/null; sync -f $AT";
    let Some(copy) = copy_mounted(&image, source.path(), script) else { return };
    let file_system = read(Kind::Btrfs, &copy);
    assert_eq!(file_system.default_folder().to_string(), "/@/a/b/inner");
    let mut reader = file_system.reader().expect("a reader");
    let found = crate::compare::walk(reader.as_mut());
    let paths: Vec<_> = found.keys().map(|path| String::from_utf8_lossy(path)).collect();
    let expected = ["/@", "/@/a", "/@/a/b", "/@/a/b/inner", "/@/a/b/inner/file"];
    let snapshot = ["/snapshot", "/snapshot/a", "/snapshot/a/b", "/snapshot/a/b/inner"];
    assert_eq!(paths, [&expected[..], &snapshot].concat());
}

#[test]
fn compressed_files_of_an_ntfs_are_read() {
    let source = images::source(Source { many: 50, unix: false, sparse: true });
    fs::hard_link(source.path().join("text"), source.path().join("text 2")).expect("a link");
    // The root itself does not hand compression down to what is made in it.
    let outer = tempfile::tempdir().expect("a folder");
    fs::rename(source.path(), outer.path().join("inner")).expect("moved");
    let image = Image::empty(96 << 20);
    images::run("ntfs-3g", "mkfs.ntfs", &["-q", "-F", "-f", image.name()]);
    let script = "test -c /dev/fuse; ntfs-3g -o compression $IMAGE $AT; mkdir $AT/inner
        python3 -c \"import os; os.setxattr('$AT/inner', 'system.ntfs_attrib_be', bytes([0, 0, 8, 0]))\"
        cp -a $SOURCE/. $AT/
        python3 -c \"import os; assert os.getxattr('$AT/inner/text', 'system.ntfs_attrib_be')[2] & 8\"
        umount $AT; cp $IMAGE $COPY; mount -t tmpfs none $AT; COPY=$COPY.unused";
    if copy_mounted(&image, outer.path(), script).is_none() {
        return;
    }
    let file_system = read(Kind::Ntfs, &image.folder().join("copy"));
    let keeps = Keeps { modes: false, owner: None, times: Some(0), hard_links: true, spaces: true };
    compare(outer.path(), file_system.as_ref(), keeps);
}

#[test]
fn large_folders_and_files_in_many_pieces_of_an_ntfs_are_read() {
    let source = tempfile::tempdir().expect("a folder");
    let many = source.path().join("many");
    fs::create_dir(&many).expect("a folder");
    for number in 0..10_000 {
        fs::write(many.join(format!("File number {:05}", number * 7919 % 10_000)), [b'x'; 3])
            .expect("written");
    }
    std::os::unix::fs::symlink("many/File number 00001", source.path().join("link")).expect("a link");
    fs::hard_link(many.join("File number 00002"), source.path().join("again")).expect("a link");
    let image = Image::empty(64 << 20);
    images::run("ntfs-3g", "mkfs.ntfs", &["-q", "-F", "-f", "-c", "512", image.name()]);
    // Two files that grow in turns lie in pieces, more of them than one record has room for.
    let script = "test -c /dev/fuse; ntfs-3g -o special_files=wsl $IMAGE $AT; cp -a $SOURCE/. $AT/
        python3 -c \"
import os
one, other = open('$AT/one', 'wb', 0), open('$AT/other', 'wb', 0)
for number in range(1500):
    one.write(os.urandom(700)); other.write(os.urandom(700))
\"
        truncate -s 5M $AT/sparse; printf here >> $AT/sparse; cp $AT/one $AT/other $AT/sparse $SOURCE
        touch -r $AT/one $SOURCE/one; touch -r $AT/other $SOURCE/other; touch -r $AT/sparse $SOURCE/sparse
        umount $AT; cp $IMAGE $COPY; mount -t tmpfs none $AT; COPY=$COPY.unused";
    if copy_mounted(&image, source.path(), script).is_none() {
        return;
    }
    let file_system = read(Kind::Ntfs, &image.folder().join("copy"));
    let keeps = Keeps { modes: false, owner: None, times: Some(1), hard_links: true, spaces: true };
    compare(source.path(), file_system.as_ref(), keeps);
    crate::ntfs::look_up(file_system.as_ref());
    // The way to a name is a block on each level, not the folder.
    let disk = Arc::new(ChangedDisk {
        below: FileDisk::open(&image.folder().join("copy")),
        turned: Vec::new(),
        length: 64 << 20,
        reads: AtomicU64::new(0),
        most_reads: u64::MAX,
    });
    let file_system = open(Kind::Ntfs, disk.clone()).unwrap_or_else(|refusal| panic!("{refusal}"));
    let mut reader = file_system.reader().expect("a reader");
    let folder = reader.lookup(&reader.root(), b"many").expect("the root").expect("the folder");
    let before = disk.reads.load(Ordering::Relaxed);
    for number in 0..100 {
        let name = format!("File number {:05}", number * 97);
        assert!(reader.lookup(&folder, name.as_bytes()).expect("the folder").is_some(), "{name}");
    }
    let reads = disk.reads.load(Ordering::Relaxed) - before;
    assert!(reads < 2000, "{reads} reads for 100 names");
}
