//! Magic numbers with a fixed place.

use crate::file_system::Kind;

/// What a magic number means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    Is(Kind),
    Lvm,
    Nothing(&'static str),
    Encrypted(&'static str),
    NotRead(&'static str),
}

use Meaning::{Encrypted, Is, Lvm, NotRead, Nothing};

/// Where, what, and what it means; the first that is there counts.
pub(super) const HEADS: [(usize, &[u8], Meaning); 73] = [
    // What encrypts, spreads or stores.
    (0, b"LUKS\xba\xbe", Encrypted("LUKS")),
    // The second head of LUKS2, where the first one was wiped.
    (0x4000, b"SKUL\xba\xbe", Encrypted("LUKS2")),
    (3, b"-FVE-FS-", Encrypted("BitLocker")),
    (
        0x1a8,
        b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01",
        Encrypted("BitLocker To Go"),
    ),
    (536, b"LVM2 001", Lvm),
    (24, b"LVM2 001", Lvm),
    (1048, b"LVM2 001", Lvm),
    (1560, b"LVM2 001", Lvm),
    (0, b"HM\x01\0", NotRead("LVM1")),
    (0x1018, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", NotRead("bcache")),
    (0x1018, b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef", NotRead("bcachefs")),
    (516, b"!Stra0tis\x86\xff\x02^Arh", NotRead("stratis")),
    (0, b"dmvdo001", NotRead("vdo")),
    (0, b"bluestore block device", NotRead("ceph bluestore")),
    (0, b"verity\0\0", NotRead("dm-verity hashes")),
    (0, b"integrt\0", NotRead("dm-integrity")),
    (32, b"ORCLDISK", NotRead("Oracle ASM")),
    (0x1000, b"SPACEDB ", NotRead("Windows storage space")),
    // Memory that was written out: it may hold secrets, but no files.
    (4086, b"SWAPSPACE2", Nothing("swap")),
    (4086, b"SWAP-SPACE", Nothing("swap")),
    (8182, b"SWAPSPACE2", Nothing("swap")),
    (16374, b"SWAPSPACE2", Nothing("swap")),
    (32758, b"SWAPSPACE2", Nothing("swap")),
    (65526, b"SWAPSPACE2", Nothing("swap")),
    (4086, b"S1SUSPEND", Nothing("swsuspend")),
    (4086, b"S2SUSPEND", Nothing("swsuspend")),
    (4086, b"ULSUSPEND", Nothing("swsuspend")),
    (4086, b"LINHIB0001", Nothing("swsuspend")),
    (8182, b"S1SUSPEND", Nothing("swsuspend")),
    (16374, b"S1SUSPEND", Nothing("swsuspend")),
    (65526, b"S1SUSPEND", Nothing("swsuspend")),
    // File systems that are read.
    (0, b"XFSB", Is(Kind::Xfs)),
    (0x1_0040, b"_BHRfS_M", Is(Kind::Btrfs)),
    (3, b"NTFS    ", Is(Kind::Ntfs)),
    (3, b"EXFAT   ", Is(Kind::Fat)),
    (0, b"hsqs", Is(Kind::Squashfs)),
    (0x438, b"\x53\xef", Is(Kind::Ext)),
    // File systems that are not.
    (3, b"ReFS\0\0\0\0", NotRead("refs")),
    (32, b"NXSB", NotRead("apfs")),
    (0x400, b"H+\0\x04", NotRead("hfsplus")),
    (0x400, b"HX\0\x05", NotRead("hfsplus")),
    (0x400, b"BD", NotRead("hfs")),
    (0x400, b"\x10\x20\xf5\xf2", NotRead("f2fs")),
    (0x400, b"\xe2\xe1\xf5\xe0", NotRead("erofs")),
    (0x406, b"\x34\x34", NotRead("nilfs2")),
    (0x410, b"\x7f\x13", NotRead("minix")),
    (0x410, b"\x8f\x13", NotRead("minix")),
    (0x410, b"\x68\x24", NotRead("minix")),
    (0x410, b"\x78\x24", NotRead("minix")),
    (0x418, b"\x5a\x4d", NotRead("minix")),
    (0x8000, b"JFS1", NotRead("jfs")),
    (0x1_0034, b"ReIsErFs", NotRead("reiserfs")),
    (0x1_0034, b"ReIsEr2Fs", NotRead("reiserfs")),
    (0x1_0034, b"ReIsEr3Fs", NotRead("reiserfs")),
    (0x2034, b"ReIsErFs", NotRead("reiserfs")),
    (0x1_0000, b"ReIsEr4", NotRead("reiser4")),
    (0x1_0000, b"\x01\x16\x19\x70", NotRead("gfs2")),
    (0x400, b"OCFSV2", NotRead("ocfs2")),
    (0x800, b"OCFSV2", NotRead("ocfs2")),
    (0x1000, b"OCFSV2", NotRead("ocfs2")),
    (0x1_055c, b"\x19\x01\x54\x19", NotRead("ufs")),
    (0x255c, b"\x54\x19\x01\0", NotRead("ufs")),
    (0x255c, b"\x19\x01\x54\x19", NotRead("ufs")),
    (0, b"sqsh", NotRead("squashfs, big-endian")),
    (0, b"\x45\x3d\xcd\x28", NotRead("cramfs")),
    (0, b"-rom1fs-", NotRead("romfs")),
    (0, b"\x31\x18\x10\x06", NotRead("ubifs")),
    (0, b"UBI#", NotRead("ubi")),
    (0x8001, b"CD001", NotRead("iso9660")),
    (0x8001, b"BEA01", NotRead("udf")),
    (0x200, b"PM\0\0", NotRead("apple partition map")),
    (508, b"\xda\xbe", NotRead("sun disk label")),
    (0, b"\x0b\xe5\xa9\x41", NotRead("sgi disk label")),
];
