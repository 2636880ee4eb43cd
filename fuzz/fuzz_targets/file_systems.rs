//! File systems on damaged disks: the first byte picks the kind, the rest changes bytes of a small good image. Nothing
//! may panic, hang or take much memory. The images are made once, by the tools that `scripts/test` installs.

#![no_main]

use std::{
    io,
    ops::ControlFlow,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use guardhouse_image::{
    BlockRead, FileKind, Place, Reader,
    file_system::{Kind, open},
};
use guardhouse_test_images::file_systems::{self as images, Source};
use libfuzzer_sys::fuzz_target;

/// An image whose pages of zeros are not kept.
#[derive(Debug)]
struct Pages {
    length: u64,
    /// In the order of their places.
    kept: Vec<(u64, Vec<u8>)>,
}

const PAGE: usize = 4096;

/// A read for each change, and as many as only a loop makes.
#[derive(Debug)]
struct Changed {
    good: &'static Pages,
    changes: Vec<(u64, u8)>,
    reads: AtomicU64,
}

impl BlockRead for Changed {
    fn len(&self) -> u64 {
        self.good.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        assert!(self.reads.fetch_add(1, Ordering::Relaxed) < 300_000, "a hang");
        assert!(buffer.len() <= 64 << 20, "a read of {} bytes", buffer.len());
        let end = offset.checked_add(buffer.len() as u64).filter(|&end| end <= self.good.length);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.fill(0);
        let first = self.good.kept.partition_point(|(start, _)| start + PAGE as u64 <= offset);
        for (start, bytes) in self.good.kept[first..].iter().take_while(|(start, _)| *start < end) {
            let (from, to) = ((*start).max(offset), (start + PAGE as u64).min(end));
            buffer[(from - offset) as usize..(to - offset) as usize]
                .copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
        }
        for &(at, value) in &self.changes {
            if (offset..end).contains(&at) {
                buffer[(at - offset) as usize] = value;
            }
        }
        Ok(())
    }
}

static IMAGES: OnceLock<Vec<(Kind, Pages)>> = OnceLock::new();

fn images() -> Vec<(Kind, Pages)> {
    let unix = images::source(Source { many: 60, unix: true, sparse: true });
    std::fs::remove_file(unix.path().join("longer-link")).expect("removed");
    let plain = images::source(Source { many: 60, unix: false, sparse: true });
    let made = [
        (Kind::Ext, images::ext("mkfs.ext4", &["-O", "^metadata_csum,inline_data"], unix.path(), 24)),
        (Kind::Ext, images::ext("mkfs.ext2", &["-b", "1024"], unix.path(), 24)),
        (Kind::Xfs, images::xfs(&["-m", "crc=0"], unix.path())),
        (Kind::Btrfs, images::btrfs(&[], unix.path())),
        (Kind::Ntfs, images::ntfs(&[], plain.path(), 16)),
        (Kind::Fat, images::fat(&["-F", "12", "-s", "16"], plain.path(), 16)),
        (Kind::Fat, images::fat(&["-F", "32", "-s", "1"], plain.path(), 48)),
        (Kind::Squashfs, images::squashfs(&["-noI", "-noF"], unix.path())),
        (Kind::Squashfs, images::squashfs(&["-comp", "xz"], unix.path())),
    ];
    let pages = |path| {
        let bytes = std::fs::read(path).expect("the image");
        let kept = bytes.chunks_exact(PAGE).enumerate().filter(|(_, page)| page.iter().any(|&byte| byte != 0));
        let kept = kept.map(|(number, page)| ((number * PAGE) as u64, page.to_vec())).collect();
        Pages { length: bytes.len() as u64 / PAGE as u64 * PAGE as u64, kept }
    };
    made.into_iter().map(|(kind, image)| (kind, pages(&image.path))).collect()
}

fn read_all(reader: &mut dyn Reader) {
    let mut buffer = vec![0; 100_000];
    let mut folders = vec![(reader.root(), 0)];
    let mut left = 1000;
    while let Some((folder, depth)) = folders.pop() {
        let mut entries: Vec<Place> = Vec::new();
        let _ = reader.read_folder(&folder, &mut |entry| {
            assert!(!entry.name.is_empty() && !entry.name.contains(&b'/') && !entry.name.contains(&0));
            entries.push(Place { path: folder.path.join(entry.name), node: entry.node });
            if entries.len() < 300 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        for place in entries {
            left -= 1;
            if left == 0 {
                return;
            }
            let Ok(metadata) = reader.metadata(&place) else { continue };
            match metadata.kind {
                FileKind::Folder if depth < 24 => folders.push((place, depth + 1)),
                FileKind::Symlink => drop(reader.read_link(&place)),
                FileKind::File => {
                    for offset in [0, metadata.size / 2, u64::MAX - 5] {
                        assert!(reader.read_at(&place, offset, &mut buffer).unwrap_or(0) <= buffer.len());
                    }
                }
                _ => {}
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&which, rest)) = data.split_first() else { return };
    let images = IMAGES.get_or_init(images);
    let (kind, good) = &images[usize::from(which) % images.len()];
    // Each change: which page that is not empty, where in it, and the new byte.
    let changes = rest.chunks_exact(5).map(|change| {
        let page = usize::from(u16::from_le_bytes([change[0], change[1]])) % good.kept.len();
        let within = u64::from(u16::from_le_bytes([change[2], change[3]])) % PAGE as u64;
        (good.kept[page].0 + within, change[4])
    });
    let disk = Arc::new(Changed { good, changes: changes.collect(), reads: AtomicU64::new(0) });
    let Ok(file_system) = open(*kind, disk) else { return };
    if let Ok(mut reader) = file_system.reader() {
        read_all(reader.as_mut());
    }
});
