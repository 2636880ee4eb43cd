//! The images of btrfs that are kept with the tests, for machines on which nothing can be mounted. `btrfs_images/make.sh`
//! makes them.

use std::{fmt::Write as _, fs, fs::File, io::Read as _, os::unix::fs::FileExt as _, path::PathBuf};

use guardhouse_image::{FileKind, FilePath, FileSystem};
use guardhouse_test_images::file_systems::Image;

use crate::compare::walk;

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/file_systems/btrfs_images", name].iter().collect()
}

/// An unpacked image; pieces of zeros are holes.
pub fn image(name: &str) -> Image {
    let packed = File::open(path(&format!("{name}.zst"))).expect("the packed image");
    let mut unpacked = zstd::stream::Decoder::new(packed).expect("packed by zstd");
    let image = Image::empty(0);
    let file = File::options().write(true).open(&image.path).expect("the image");
    let mut length = 0;
    loop {
        let mut piece = Vec::new();
        let read = unpacked.by_ref().take(64 << 10).read_to_end(&mut piece).expect("unpacks") as u64;
        if piece.iter().any(|&byte| byte != 0) {
            file.write_all_at(&piece, length).expect("written");
        }
        length += read;
        if read == 0 {
            file.set_len(length).expect("a length");
            return image;
        }
    }
}

/// What an image holds, as Linux said when the image was made.
pub fn expected(name: &str) -> String {
    fs::read_to_string(path(&format!("{name}.expected"))).expect("the list")
}

/// What a file system holds, in the same words.
pub fn list(file_system: &dyn FileSystem) -> String {
    let found = walk(file_system.reader().expect("a reader").as_mut());
    let mut lines = Vec::new();
    for (path, file) in found {
        let path = FilePath::new(&path).to_string();
        let (path, metadata) = (path.trim_start_matches('/'), file.metadata);
        lines.push(match metadata.kind {
            FileKind::File => {
                let digest = file.digest.iter().fold(String::new(), |mut text, byte| {
                    write!(text, "{byte:02x}").expect("a string");
                    text
                });
                format!("f {:o} {} {digest} {path}\n", metadata.mode, metadata.size)
            }
            FileKind::Folder => format!("d {:o} {path}\n", metadata.mode),
            FileKind::Symlink => format!("l {} {path}\n", String::from_utf8_lossy(&file.link)),
            FileKind::Other => format!("p {:o} {path}\n", metadata.mode),
        });
    }
    lines.sort();
    lines.concat()
}
