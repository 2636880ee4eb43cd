use std::{fs, path::Path, sync::Arc};

use guardhouse_image::{
    block::{
        BlockRead, Cache,
        container::{Allowed, ContainerError, open},
    },
    fuzzing::{self, Memory, Sparse},
};
use guardhouse_test_images::{
    disks::{self, text},
    run,
    seeds::keep,
};

fn opened(bytes: Vec<u8>) -> Result<Arc<dyn BlockRead>, ContainerError> {
    let opened = open(Arc::new(Memory(bytes)), Path::new(""), &Allowed::default(), &Cache::new(1 << 20));
    opened.map(|container| container.disk)
}

fn seed(name: &str, bytes: Vec<u8>, disk: Option<&[u8]>) {
    let sparse = Sparse::encode(&bytes);
    match (opened(bytes), disk) {
        (Ok(read), Some(disk)) => {
            let mut beginning = vec![0; disk.len()];
            read.read_at(0, &mut beginning).expect("reads");
            assert!(beginning == disk, "{name}");
        }
        (Err(_), None) => {}
        (read, disk) => panic!("{name}: {:?}, {:?}", read.err(), disk.map(<[u8]>::len)),
    }
    fuzzing::container(Arc::new(Sparse::decode(&sparse).expect("a disk")));
    assert!(sparse.len() < 1 << 20, "{name} has {} bytes", sparse.len());
    keep("containers", name, &sparse);
}

#[test]
fn seeds_of_containers_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = folder.path().join("disk.raw");
    let mut disk = vec![0; 2 << 20];
    disk[..7].copy_from_slice(b"\xfa mixed");
    disk[70_000..90_000].copy_from_slice(&guardhouse_test_images::bytes::prose(1, 20_000));
    disk[1_500_000..1_500_100].fill(7);
    fs::write(&raw, &disk).expect("written");
    for container in &disks::CONTAINERS {
        let path = disks::convert(&raw, container);
        seed(container.name, fs::read(path).expect("the image"), Some(&disk));
    }
}

/// Not read on their own, but their heads are.
#[test]
fn seeds_of_other_containers_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let make = |name: &str, arguments: &[&str]| {
        run("qemu-img", &[&["create", "-q"], arguments, &[text(&path(name)), "1M"]].concat());
        fs::read(path(name)).expect("the image")
    };
    make("below.qcow2", &["-f", "qcow2"]);
    let backing = ["-f", "qcow2", "-F", "qcow2", "-b", "below.qcow2"];
    seed("backing.qcow2", make("backing.qcow2", &backing), None);
    seed("encrypted.qcow2", encrypted(folder.path()), None);
    seed("data-file.qcow2", make("data.qcow2", &["-f", "qcow2", "-o", &data_file(&path("data.raw"))]), None);
    for kind in ["monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"] {
        let name = format!("{kind}.vmdk");
        let bytes = make(&name, &["-f", "vmdk", "-o", &format!("subformat={kind}")]);
        seed(&name, bytes, None);
    }
    let zeros =
        b"# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"custom\"\n\
        RW 4096 ZERO\nRW 2048 FLAT \"a.raw\" 0\nRW 2048 SPARSE \"b.vmdk\"\n";
    seed("descriptor.vmdk", zeros.to_vec(), None);
}

fn data_file(path: &Path) -> String {
    format!("data_file={},data_file_raw=on", text(path))
}

fn encrypted(folder: &Path) -> Vec<u8> {
    let path = folder.join("encrypted.qcow2");
    let secret = ["--object", "secret,id=s,data=secret"];
    let options = ["-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10"];
    run(
        "qemu-img",
        &[&["create", "-q", "-f", "qcow2"], &secret[..], &options, &[text(&path), "64K"]].concat(),
    );
    fs::read(path).expect("the image")
}
