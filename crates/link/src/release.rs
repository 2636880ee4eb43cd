//! Versions of the agent: how one is told from another, and how a server vouches for it.
//!
//! A program says which version it is by a stamp among its constants, so that a server can tell without running it,
//! whatever machine it is for. What a server signs is a text of lines; see `AgentRelease` in the contract.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

/// Length of a stamp in bytes.
pub const STAMP_LENGTH: usize = 96;

/// Most characters of a version.
pub const LONGEST_VERSION: usize = 64;

/// How a stamp begins; the version follows, then zeros.
const MARK: &[u8] = b"guardhouse-agent, version ";

/// A version of the agent for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release<'a> {
    /// The version, as the program itself tells it.
    pub version: &'a str,
    /// The platform it runs on, for example `x86_64-linux`.
    pub platform: &'a str,
    /// Size of the program in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the program.
    pub sha256: &'a [u8],
}

impl Release<'_> {
    /// The signature of a server over this version.
    #[must_use]
    pub fn sign(&self, key: &Ed25519KeyPair) -> Vec<u8> {
        key.sign(self.text().as_bytes()).as_ref().to_vec()
    }

    /// Whether the server whose public key this is has signed this version.
    #[must_use]
    pub fn is_signed(&self, public_key: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, public_key).verify(self.text().as_bytes(), signature).is_ok()
    }

    fn text(&self) -> String {
        let Self { version, platform, size_bytes, sha256 } = self;
        let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("guardhouse agent release\n{version}\n{platform}\n{size_bytes}\n{sha256}\n")
    }
}

/// Whether a text can be a version: letters, digits, and `.+-~` between them. It is the name of a folder, too.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.len() <= LONGEST_VERSION
        && text.bytes().all(|byte| plain(byte) || b".+-~".contains(&byte))
        && text.bytes().next().is_some_and(plain)
        && text.bytes().next_back().is_some_and(plain)
}

/// The platform that this program was built for.
#[must_use]
pub fn own_platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// The stamp of a version, for a constant of the program.
///
/// # Panics
/// The version is longer than [`LONGEST_VERSION`]: the program is not built.
#[must_use]
pub const fn stamp(version: &str) -> [u8; STAMP_LENGTH] {
    assert!(version.len() <= LONGEST_VERSION && MARK.len() + LONGEST_VERSION < STAMP_LENGTH);
    let mut stamp = [0; STAMP_LENGTH];
    let mut at = 0;
    while at < MARK.len() {
        stamp[at] = MARK[at];
        at += 1;
    }
    let mut at = 0;
    while at < version.len() {
        stamp[MARK.len() + at] = version.as_bytes()[at];
        at += 1;
    }
    stamp
}

/// The version that a stamp tells; `None`: it is not one.
#[must_use]
pub fn version_of_stamp(stamp: &[u8]) -> Option<&str> {
    let rest = stamp.get(..STAMP_LENGTH)?.strip_prefix(MARK)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (version, padding) = rest.split_at(end);
    let version = std::str::from_utf8(version).ok()?;
    (is_version(version) && padding.iter().all(|byte| *byte == 0)).then_some(version)
}

/// The version that a program tells by its stamp; `None`: it is not an agent.
#[must_use]
pub fn version_of_program(program: &[u8]) -> Option<&str> {
    program.windows(STAMP_LENGTH).filter(|window| window[0] == MARK[0]).find_map(version_of_stamp)
}

/// The platform that a program runs on; `None`: it is not one for a machine that the agent knows.
#[must_use]
pub fn platform_of_program(program: &[u8]) -> Option<&'static str> {
    // ELF, 64 bits, little-endian; then e_machine.
    let header = program.get(..20)?;
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    match u16::from_le_bytes([header[18], header[19]]) {
        62 => Some("x86_64-linux"),
        183 => Some("aarch64-linux"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::KeyPair as _;

    use super::*;

    #[test]
    fn only_what_was_signed_is_signed() {
        let key = Ed25519KeyPair::generate().expect("a key");
        let other = Ed25519KeyPair::generate().expect("a key");
        let release =
            Release { version: "1.2.3", platform: "x86_64-linux", size_bytes: 7, sha256: &[0xab; 32] };
        let signature = release.sign(&key);
        let public = key.public_key().as_ref();
        assert!(release.is_signed(public, &signature));
        let changed = [
            Release { version: "1.2.4", ..release.clone() },
            Release { platform: "aarch64-linux", ..release.clone() },
            Release { size_bytes: 8, ..release.clone() },
            Release { sha256: &[0xac; 32], ..release.clone() },
        ];
        for release in changed {
            assert!(!release.is_signed(public, &signature), "{release:?}");
        }
        assert!(!release.is_signed(other.public_key().as_ref(), &signature));
        assert!(!release.is_signed(public, &signature[1..]) && !release.is_signed(&[], &signature));
    }

    #[test]
    fn a_program_tells_its_version() {
        let stamp = stamp("1.2.3-rc.1");
        assert_eq!(version_of_stamp(&stamp), Some("1.2.3-rc.1"));
        // The mark alone may stand elsewhere in a program.
        let program = [&b"\x7fELF"[..], MARK, b"\xff", &stamp, b"rest"].concat();
        assert_eq!(version_of_program(&program), Some("1.2.3-rc.1"));
        assert_eq!(version_of_program(&program[..program.len() - 5]), None, "it is cut off");
        assert_eq!(version_of_program(b"#!/bin/sh"), None);
        let mut spoilt = stamp;
        spoilt[STAMP_LENGTH - 1] = b'x';
        assert_eq!(version_of_stamp(&spoilt), None);
    }

    #[test]
    fn versions_are_names_of_folders() {
        for good in ["1", "0.1.0", "1.2.3-rc.1+5~2", &"1".repeat(LONGEST_VERSION)] {
            assert!(is_version(good), "{good}");
        }
        for bad in
            ["", ".", "..", "../1", "1/2", "1.", "-1", "1 2", "1\n", "ä", &"1".repeat(LONGEST_VERSION + 1)]
        {
            assert!(!is_version(bad), "{bad:?}");
        }
    }

    #[test]
    fn this_program_runs_on_this_platform() {
        let own = std::fs::read("/proc/self/exe").expect("it is there");
        assert_eq!(platform_of_program(&own).map(str::to_owned), Some(own_platform()));
        assert_eq!(platform_of_program(b"\x7fELF"), None);
        assert_eq!(platform_of_program(b"#!/bin/sh\nexec guardhouse-agent\n"), None);
    }
}
