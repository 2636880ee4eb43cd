//! Paths inside a file tree.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The path of a file inside its tree: bytes, absolute, with `/` between names, without `.`, `..` and empty names.
/// The root is `/`.
///
/// Its text form is for people, JSON and terminals: what is not printable UTF-8, and the backslash itself, is written as
/// `\xNN` for each byte, so that different paths have different texts and no name can move the cursor of a terminal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Vec<u8>);

impl FilePath {
    /// `/`.
    #[must_use]
    pub fn root() -> Self {
        Self(b"/".to_vec())
    }

    /// Reads a path as a file of the tree writes it. `..` goes up, at the root it stays there.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut path = Self::root();
        for name in bytes.split(|&byte| byte == b'/') {
            match name {
                b"" | b"." => {}
                b".." => path = path.parent().unwrap_or_else(Self::root),
                _ => path.push(name),
            }
        }
        path
    }

    /// The bytes, from the first `/` on.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is `/`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == b"/"
    }

    /// The path of an entry of this folder.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        let mut path = Self(Vec::with_capacity(self.0.len() + 1 + name.len()));
        path.0.extend_from_slice(&self.0);
        path.push(name);
        path
    }

    fn push(&mut self, name: &[u8]) {
        if !self.is_root() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(name);
    }

    /// This path, seen from a folder that it is put into: `/etc` at `/mnt` is `/mnt/etc`.
    #[must_use]
    pub fn below(&self, folder: &Self) -> Self {
        match (folder.is_root(), self.is_root()) {
            (true, _) => self.clone(),
            (_, true) => folder.clone(),
            _ => Self([folder.as_bytes(), self.as_bytes()].concat()),
        }
    }

    /// The path from a folder on: `/mnt/etc` from `/mnt` is `/etc`. `None` when it does not lie there.
    #[must_use]
    pub fn from(&self, folder: &Self) -> Option<Self> {
        if folder.is_root() {
            return Some(self.clone());
        }
        match self.0.strip_prefix(folder.as_bytes())? {
            b"" => Some(Self::root()),
            rest if rest[0] == b'/' => Some(Self(rest.to_vec())),
            _ => None,
        }
    }

    /// The folder; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        Some(Self(self.0[..end.max(1)].to_vec()))
    }

    /// The last name; empty for the root.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        let start = self.0.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
        &self.0[start..]
    }

    /// The names from the root on.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/').filter(|name| !name.is_empty())
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

/// Bytes out of an image in the text form of a path, for messages.
pub(crate) struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() || character == '\\' || is_invisible(character) {
                    let mut bytes = [0; 4];
                    for byte in character.encode_utf8(&mut bytes).bytes() {
                        write!(f, "\\x{byte:02x}")?;
                    }
                } else {
                    f.write_char(character)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Characters that reorder or hide the text around them.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for FilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        unescape(&text)
            .map(|bytes| Self::new(&bytes))
            .ok_or_else(|| D::Error::custom("not a path: \\xNN expected"))
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        for (written, read) in [
            ("", "/"),
            ("/", "/"),
            ("etc//passwd", "/etc/passwd"),
            ("/a/./b/../c/", "/a/c"),
            ("../../etc/shadow", "/etc/shadow"),
        ] {
            assert_eq!(FilePath::new(written.as_bytes()).to_string(), read, "{written}");
        }
    }

    #[test]
    fn folders_are_put_into_each_other() {
        let path = |text: &str| FilePath::new(text.as_bytes());
        assert_eq!(path("/etc").below(&path("/mnt")), path("/mnt/etc"));
        assert_eq!(path("/").below(&path("/mnt")), path("/mnt"));
        assert_eq!(path("/mnt/etc").from(&path("/mnt")), Some(path("/etc")));
        assert_eq!(path("/mnt").from(&path("/mnt")), Some(path("/")));
        assert_eq!(path("/mnt2").from(&path("/mnt")), None);
        assert_eq!(path("/etc/apt").parent(), Some(path("/etc")));
        assert_eq!(path("/etc").parent(), Some(path("/")));
        assert_eq!(path("/etc/apt").name(), b"apt");
    }

    #[test]
    fn names_cannot_speak_to_a_terminal() {
        let path = FilePath::new(b"/a\x1b[2J\\\xff\xe2\x80\xae");
        assert_eq!(path.to_string(), "/a\\x1b[2J\\x5c\\xff\\xe2\\x80\\xae");
    }

    proptest! {
        #[test]
        fn texts_lead_back_to_their_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let path = FilePath::new(&bytes);
            let text = serde_json::to_string(&path).expect("a path is a text");
            prop_assert_eq!(serde_json::from_str::<FilePath>(&text).expect("its text is a path"), path);
        }
    }
}
