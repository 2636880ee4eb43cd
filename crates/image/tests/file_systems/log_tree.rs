//! btrfs with changes in its log tree. What Linux makes of the same image is what must be read.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use guardhouse_image::file_system::{Kind, open};
use guardhouse_test_images::file_systems::{self as images, Image};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
    packed,
};

const REPLAYED: [&str; 1] = ["the log trees held changes; they were replayed in memory"];

/// Runs `changes.sh`: pairs of a copy and the folder with what Linux shows of it. `None` where mounting is not possible.
fn changed(image: &Image, options: &str) -> Option<Vec<(PathBuf, PathBuf)>> {
    let may = Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if !may || fs::metadata("/dev/loop-control").is_err() {
        println!("skipped: mounting needs root and loop devices");
        return None;
    }
    let folder = image.folder();
    for name in ["at", "shown"] {
        fs::create_dir(folder.join(name)).expect("a folder");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/file_systems/btrfs_images/changes.sh");
    let output = Command::new("unshare")
        .args(["-m", "sh"])
        .arg(script)
        .env("IMAGE", &image.path)
        .env("AT", folder.join("at"))
        .env("COPY", folder.join("copy"))
        .env("SHOWN", folder.join("shown"))
        .env("OPTIONS", options)
        .output()
        .expect("sh");
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) {
        println!("skipped: {text}");
        return None;
    }
    assert!(output.status.success(), "{text}");
    let copies = (1..)
        .map(|number| (folder.join(format!("copy.{number}")), folder.join("shown").join(number.to_string())));
    Some(copies.take_while(|(copy, _)| copy.exists()).collect())
}

#[test]
fn a_log_tree_of_the_past_is_replayed() {
    let image = packed::image("log");
    let file_system = open(Kind::Btrfs, FileDisk::open(&image.path)).expect("a btrfs");
    assert_eq!(packed::list(file_system.as_ref()), packed::expected("log"));
    assert_eq!(file_system.notes(), REPLAYED);
    assert_eq!(file_system.left_out(), [""; 0]);
}

#[test]
fn what_linux_replays_is_replayed() {
    for (arguments, options) in
        [(&[][..], ""), (&["-n", "4096", "-O", "^no-holes", "--csum", "xxhash"], ",compress-force=zstd")]
    {
        let image = Image::empty(128 << 20);
        images::run("btrfs-progs", "mkfs.btrfs", &[&["-q"], arguments, &[image.name()]].concat());
        let Some(copies) = changed(&image, options) else { return };
        let mut replayed = 0;
        for (copy, shown) in &copies {
            println!("{}", copy.display());
            let file_system =
                open(Kind::Btrfs, FileDisk::open(copy)).unwrap_or_else(|refusal| panic!("{refusal}"));
            compare(shown, file_system.as_ref(), Keeps::everything(shown));
            assert_eq!(file_system.left_out(), [""; 0]);
            replayed += usize::from(file_system.notes() == REPLAYED);
        }
        // Linux commits instead of logging, where a log could not say what happened.
        assert!(
            copies.len() >= 15 && replayed * 2 > copies.len(),
            "{replayed} of {} had a log",
            copies.len()
        );
    }
}
