//! Which operating system a tree is of, as its own files say.

use super::{Os, TreeReader};
use crate::path::FilePath;

/// How much of such a file is read: real ones have some hundred bytes.
const BYTES: usize = 64 * 1024;

/// Reads one of the files.
type Read = fn(&str) -> Option<Os>;

/// The files that say it, and who reads them, the best first. Ubuntu has a `debian_version` of Debian's.
const FILES: [(&str, Read); 12] = [
    ("/etc/os-release", os_release),
    ("/usr/lib/os-release", os_release),
    ("/etc/lsb-release", lsb_release),
    ("/etc/alpine-release", alpine_release),
    ("/etc/oracle-release", red_hat_release),
    ("/etc/centos-release", red_hat_release),
    ("/etc/fedora-release", red_hat_release),
    ("/etc/redhat-release", red_hat_release),
    ("/etc/system-release", red_hat_release),
    ("/etc/SuSE-release", suse_release),
    ("/etc/debian_version", debian_version),
    ("/etc/arch-release", arch_release),
];

/// Files one of which every system has; see also [`super::roots`].
pub(super) fn files() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, _)| *path)
}

/// What a tree says, `None` when it has none of the files, or they are empty; and, in a sentence, which file could not be
/// read before: another one was asked in its place, which knows less.
pub(super) fn recognise(reader: &mut TreeReader) -> (Option<Os>, Option<String>) {
    let mut unread = None;
    let os = FILES.iter().find_map(|(path, read)| {
        match reader.read_head(&FilePath::new(path.as_bytes()), BYTES) {
            Ok(bytes) => read(&String::from_utf8_lossy(&bytes?)),
            Err(error) => {
                unread.get_or_insert_with(|| {
                    format!("{path}, which says what system this is, cannot be read: {error}")
                });
                None
            }
        }
    });
    (os, unread)
}

/// Reads a text as each of the files.
#[cfg(any(test, fuzzing))]
pub(super) fn read_all(text: &str) {
    for (_, read) in FILES {
        read(text);
    }
}

/// `os-release(5)`.
fn os_release(text: &str) -> Option<Os> {
    let mut os = Os::default();
    for (key, value) in assignments(text) {
        match key {
            "ID" => os.id = value.to_ascii_lowercase(),
            "ID_LIKE" => os.id_like = value.split_ascii_whitespace().map(str::to_ascii_lowercase).collect(),
            "VERSION_ID" => os.version = value,
            "VERSION_CODENAME" => os.codename = value,
            "PRETTY_NAME" => os.name = value,
            "NAME" if os.name.is_empty() => os.name = value,
            _ => {}
        }
    }
    // Without an ID the specification says "linux"; a file without any known line says nothing.
    if os == Os::default() {
        return None;
    }
    if os.id.is_empty() {
        os.id = "linux".to_owned();
    }
    Some(os)
}

/// The lines `KEY=value`, with the quoting of a shell: a later line wins, as there.
fn assignments(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.lines().filter_map(|line| {
        let (key, value) = line.trim_start().split_once('=')?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (!key.is_empty() && key.bytes().all(is_name)).then(|| (key, unquote(value.trim_end())))
    })
}

/// A value of a shell assignment: single quotes take everything as it is, double quotes know the escapes of `"`, `$`,
/// `\` and a backquote, outside a backslash escapes anything. Quoted parts may follow each other.
fn unquote(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut quote = None;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, '\\') => text.extend(characters.next()),
            (Some('"'), '\\') => match characters.next() {
                Some(escaped @ ('"' | '$' | '\\' | '`')) => text.push(escaped),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            // The rest is no value: a word of its own, or a comment.
            (None, ' ' | '\t') => break,
            _ => text.push(character),
        }
    }
    text
}

/// `DISTRIB_ID=Ubuntu`, of the Linux Standard Base.
fn lsb_release(text: &str) -> Option<Os> {
    let mut os = Os::default();
    for (key, value) in assignments(text) {
        match key {
            "DISTRIB_ID" => os.id = value.to_ascii_lowercase(),
            "DISTRIB_RELEASE" => os.version = value,
            "DISTRIB_CODENAME" => os.codename = value,
            "DISTRIB_DESCRIPTION" => os.name = value,
            _ => {}
        }
    }
    (!os.id.is_empty()).then_some(os)
}

/// `3.2.0`.
fn alpine_release(text: &str) -> Option<Os> {
    let version = text.trim();
    let starts_right = version.starts_with(|first: char| first.is_ascii_digit());
    starts_right.then(|| named("alpine", version, format!("Alpine Linux {version}")))
}

/// `CentOS release 6.10 (Final)`, `Red Hat Enterprise Linux Server release 7.9 (Maipo)`.
fn red_hat_release(text: &str) -> Option<Os> {
    const IDS: [(&str, &str); 10] = [
        ("Red Hat Enterprise", "rhel"),
        ("CentOS", "centos"),
        ("Fedora", "fedora"),
        ("Rocky", "rocky"),
        ("AlmaLinux", "almalinux"),
        ("Oracle", "ol"),
        ("Enterprise Linux", "ol"),
        ("Scientific", "scientific"),
        ("Amazon", "amzn"),
        ("CloudLinux", "cloudlinux"),
    ];
    let line = text.lines().next()?.trim();
    let (_, id) = IDS.iter().find(|(name, _)| line.starts_with(name))?;
    let version = line.split("release ").nth(1).and_then(|rest| rest.split([' ', '(']).next()).unwrap_or("");
    let mut os = named(id, version, line.to_owned());
    os.codename = line.split(['(', ')']).nth(1).unwrap_or("").to_owned();
    if !matches!(*id, "fedora" | "rhel" | "amzn") {
        os.id_like = vec!["rhel".to_owned(), "fedora".to_owned()];
    }
    Some(os)
}

/// `SUSE Linux Enterprise Server 11 (x86_64)`, `VERSION = 11`, `PATCHLEVEL = 4`.
fn suse_release(text: &str) -> Option<Os> {
    let line = text.lines().next()?.trim();
    let id = match line {
        _ if line.starts_with("SUSE Linux Enterprise Desktop") => "sled",
        _ if line.starts_with("SUSE Linux Enterprise") => "sles",
        _ if line.to_ascii_lowercase().contains("suse") => "opensuse",
        _ => return None,
    };
    let field = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(name))?;
        line.split_once('=').map(|(_, value)| value.trim().to_owned())
    };
    let version = match (field("VERSION").unwrap_or_default(), field("PATCHLEVEL")) {
        (version, Some(level)) if level != "0" => format!("{version}.{level}"),
        (version, _) => version,
    };
    let mut os = named(id, &version, line.to_owned());
    os.id_like = vec!["suse".to_owned()];
    Some(os)
}

/// `7.11`, or `bookworm/sid` before a release.
fn debian_version(text: &str) -> Option<Os> {
    let text = text.lines().next()?.trim();
    let first = text.chars().next()?;
    if !first.is_ascii_digit() {
        let mut os = named("debian", "", format!("Debian GNU/Linux {text}"));
        os.codename = text.split('/').next().unwrap_or("").to_owned();
        return Some(os);
    }
    // As its os-release has it since there is one: without the number of the point release.
    let version = text.split('.').next().unwrap_or(text);
    Some(named("debian", version, format!("Debian GNU/Linux {text}")))
}

/// Empty since ever: that it is there says it.
fn arch_release(_: &str) -> Option<Os> {
    Some(named("arch", "", "Arch Linux".to_owned()))
}

fn named(id: &str, version: &str, name: String) -> Os {
    Os { id: id.to_owned(), version: version.to_owned(), name, ..Os::default() }
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::prelude::*;

    use super::*;

    fn brief(os: Option<Os>) -> String {
        let Some(Os { id, version, codename, name, .. }) = os else { return "none".to_owned() };
        [id, version, codename, name].join("|")
    }

    #[test]
    fn seeds_of_systems_are_read() {
        for (name, text, id) in [
            (
                "os-release",
                "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian \\$12'\nID_LIKE=\"a b\"\n",
                "debian",
            ),
            ("lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\n", "ubuntu"),
            ("redhat-release", "CentOS release 6.10 (Final)\n", "centos"),
            (
                "SuSE-release",
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
                "sles",
            ),
            ("debian_version", "wheezy/sid\n", "debian"),
        ] {
            assert!(FILES.iter().any(|(_, read)| read(text).is_some_and(|os| os.id == id)), "{name}");
            keep("fstab", name, text.as_bytes());
        }
    }

    #[test]
    fn os_release_is_read_as_a_shell_would() {
        for (text, os) in [
            (
                "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
                 VERSION_CODENAME=bookworm\nID=debian\n",
                "debian|12|bookworm|Debian GNU/Linux 12 (bookworm)",
            ),
            ("NAME='Alpine Linux'\nID=alpine\nVERSION_ID=3.20.3", "alpine|3.20.3||Alpine Linux"),
            ("# ID=a\n ID=b\nID=Arch\nexport X=1\n=3\n", "arch|||"),
            ("NAME=\"a \\\"b\\\" \\$c \\x\"\n", "linux|||a \"b\" $c \\x"),
            ("ID=x\nNAME=a\\ b' c'\"d\" e", "x|||a b cd"),
            ("", "none"),
            ("<html>", "none"),
        ] {
            assert_eq!(brief(os_release(text)), os, "{text}");
        }
        let os = os_release("ID=rocky\nID_LIKE=\"rhel centos fedora\"").expect("it names itself");
        assert_eq!(os.id_like, ["rhel", "centos", "fedora"]);
    }

    #[test]
    fn older_systems_are_known() {
        for (read, text, os) in [
            (
                red_hat_release as Read,
                "CentOS release 6.10 (Final)\n",
                "centos|6.10|Final|CentOS release 6.10 (Final)",
            ),
            (
                red_hat_release,
                "Red Hat Enterprise Linux Server release 5.11 (Tikanga)",
                "rhel|5.11|Tikanga|Red Hat Enterprise Linux Server release 5.11 (Tikanga)",
            ),
            (red_hat_release, "something else", "none"),
            (debian_version, "6.0.10\n", "debian|6||Debian GNU/Linux 6.0.10"),
            (debian_version, "wheezy/sid\n", "debian||wheezy|Debian GNU/Linux wheezy/sid"),
            (alpine_release, "3.2.0\n", "alpine|3.2.0||Alpine Linux 3.2.0"),
            (
                lsb_release,
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\nDISTRIB_DESCRIPTION=\"Ubuntu 10.04 LTS\"",
                "ubuntu|10.04|lucid|Ubuntu 10.04 LTS",
            ),
            (
                suse_release,
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
                "sles|11.4||SUSE Linux Enterprise Server 11 (x86_64)",
            ),
        ] {
            assert_eq!(brief(read(text)), os, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,80}") {
            read_all(&text);
        }
    }
}
