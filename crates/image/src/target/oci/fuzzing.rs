//! For the fuzz target `oci`, and the properties that do the same within bounds.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{BLOCK, Opened, Options, store::Store};
use crate::{file_system::layers::unpack::Scratch, fuzzing::Memory, volume::Refusal};

/// What begins a part.
const MARK: &[u8] = b"%%%";

/// Takes bytes for the parts of an image, puts them into an archive, and reads that. A part begins with `%%%` and its
/// name, a line; it is found by that name and by its digest. `@name` in a later part stands for the digest, so that what
/// a fuzzer changes is read all the same.
pub fn archive(bytes: &[u8]) {
    let _ = read(bytes);
}

fn read(bytes: &[u8]) -> Result<Opened, Refusal> {
    let mut archive = Vec::new();
    let mut digests: Vec<(Vec<u8>, String)> = Vec::new();
    for part in split(bytes) {
        let end = part.iter().position(|&byte| byte == b'\n').unwrap_or(part.len());
        let (name, content) = part.split_at(end);
        let content = named(content.get(1..).unwrap_or_default(), &digests);
        let digest: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        archive.extend(entry(name, &content));
        archive.extend(entry(format!("blobs/sha256/{digest}").as_bytes(), &content));
        digests.push((name.to_vec(), digest));
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    let scratch = Scratch::new(None);
    let store = Store::archive(Arc::new(Memory(archive)), &scratch)?;
    super::read(&store, &scratch, &Options::default())
}

/// At most as many parts as an image of interest has.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while parts.len() < 30
        && let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK)
    {
        let (part, after) = rest.split_at(at);
        parts.push(part);
        rest = after.get(MARK.len()..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}

/// The content with digests in the place of names.
fn named(content: &[u8], digests: &[(Vec<u8>, String)]) -> Vec<u8> {
    let mut named = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some((&first, after)) = rest.split_first() {
        let digest = digests
            .iter()
            .rev()
            .find(|(name, _)| first == b'@' && !name.is_empty() && after.starts_with(name));
        match digest {
            Some((name, digest)) => {
                named.extend_from_slice(digest.as_bytes());
                rest = after.get(name.len()..).unwrap_or_default();
            }
            None => {
                named.push(first);
                rest = after;
            }
        }
    }
    named
}

/// A file of a tar archive.
fn entry(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut entry = vec![0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        entry.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
    };
    put(0, name.get(..100).unwrap_or(name));
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = entry.iter().map(|&byte| u32::from(byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    entry.iter_mut().skip(148).zip(sum.as_bytes()).for_each(|(to, from)| *to = *from);
    entry.extend_from_slice(content);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    entry
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use guardhouse_test_images::seeds::keep;
    use proptest::{prelude::*, sample::Index};

    use super::*;
    use crate::volume::Content;

    const LAYOUT: &str = r#"%%%config
{"os":"linux","architecture":"arm64","variant":"v8","rootfs":{"type":"layers","diff_ids":["sha256:@plain"]}}%%%manifest
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:@config","size":1},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:@plain"},{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:@gzip"},{"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","digest":"sha256:@zstd"}]}%%%inner
{"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:@manifest","platform":{"os":"linux","architecture":"arm64","variant":"v8"},"annotations":{"org.opencontainers.image.ref.name":"a"}}]}%%%oci-layout
{"imageLayoutVersion":"1.0.0"}%%%index.json
{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:@inner","size":1},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:@manifest","annotations":{"vnd.docker.reference.type":"attestation-manifest"}}]}"#;

    const DOCKER: &str = r#"%%%config.json
{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:@plain","sha256:@plain"]}}%%%manifest.json
[{"Config":"config.json","RepoTags":["a:1","a:2"],"Layers":["plain","gzip"]},{"Config":"blobs/sha256/@config.json","RepoTags":null,"Layers":["plain","zstd"]}]"#;

    /// Layers in each form, and what describes them.
    fn seeds() -> [(&'static str, Vec<u8>); 2] {
        let plain = [entry(b"etc/os-release", b"ID=a\n"), entry(b"etc/.wh.b", b"")].concat();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&plain).expect("memory");
        let gzip = gzip.finish().expect("memory");
        let zstd = zstd::encode_all(plain.as_slice(), 1).expect("memory");
        let layers = [b"%%%plain\n", plain.as_slice(), b"%%%gzip\n", &gzip, b"%%%zstd\n", &zstd].concat();
        [("layout", LAYOUT), ("docker", DOCKER)]
            .map(|(name, text)| (name, [&layers, text.as_bytes()].concat()))
    }

    #[test]
    fn seeds_are_read() {
        for ((name, bytes), images) in seeds().into_iter().zip([1, 2]) {
            let opened = read(&bytes).expect("an image");
            let is_read = |volume: &crate::Volume| matches!(volume.content, Content::Files(_));
            assert_eq!(opened.volumes.iter().filter(|volume| is_read(volume)).count(), images, "{opened:?}");
            keep("oci", name, &bytes);
        }
    }

    proptest! {
        #[test]
        fn changed_images_are_no_danger(
            which in 0_usize..2,
            changes in prop::collection::vec((any::<Index>(), prop::sample::select(b"{}[]\",:.@%\n\0a1\xff".to_vec())), 1..6),
        ) {
            let [layout, docker] = seeds();
            let mut bytes = if which == 0 { layout.1 } else { docker.1 };
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            archive(&bytes);
        }
    }
}
