//! Whether a restart is due because of the kernel.

use std::cmp::Ordering;

use super::System;

/// Whether a restart would bring another kernel than `running` (`uname -r`): a newer one is installed, or the modules
/// of the running one are gone while there are others. Why, for people.
///
/// A kernel counts as installed when its modules are there together with its image. A machine whose kernel comes from
/// outside (a container, a virtual machine that is started with one) has no such pairs, or older ones.
#[must_use]
pub fn restart_pending(system: &System, running: &str) -> Option<String> {
    let modules = ["/usr/lib/modules", "/lib/modules"];
    let mut installed: Vec<String> = modules.iter().flat_map(|folder| system.names(folder)).collect();
    installed.sort_by(|one, other| compare(one, other).then_with(|| one.cmp(other)));
    installed.dedup();
    let has_image = |version: &String| {
        let inside = modules.iter().map(|folder| format!("{folder}/{version}/vmlinuz"));
        // Alpine names the image by the flavour alone.
        let flavour = version.rsplit('-').next().unwrap_or_default();
        let boot = [version.as_str(), flavour].map(|name| format!("/boot/vmlinuz-{name}"));
        inside.chain(boot).any(|path| system.exists(path))
    };
    let bootable: Vec<&String> = installed.iter().filter(|version| has_image(version)).collect();
    let newest = bootable.last()?;
    match compare(newest, running) {
        Ordering::Greater => Some(format!("kernel {newest} is installed and {running} runs")),
        _ if !installed.iter().any(|version| version == running) && is_replaced(system, running) => {
            Some(format!("the modules of the running kernel {running} are gone, {newest} is installed"))
        }
        _ => None,
    }
}

/// Whether the running kernel was installed on this system, and is not any more: its image in the boot folder has no
/// version in its name (Arch Linux and Alpine replace it in place).
fn is_replaced(system: &System, running: &str) -> bool {
    let flavour = running.rsplit('-').next().unwrap_or_default();
    let images = system.names("/boot");
    images.iter().any(|name| {
        name.strip_prefix("vmlinuz-").is_some_and(|rest| rest.starts_with("linux") || rest == flavour)
    })
}

/// Compares versions of kernels: numbers by value, other parts as text.
fn compare(one: &str, other: &str) -> Ordering {
    let parts = |version: &str| -> Vec<(u64, String)> {
        let separate = |letter: char| !letter.is_ascii_alphanumeric();
        let mut parts = Vec::new();
        for part in version.split(separate) {
            let digits = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
            let (number, rest) = part.split_at(digits);
            // A word sorts before any number: 6.1-rc1 before 6.1-1.
            let number = number.parse::<u64>().map_or(0, |number| number.saturating_add(1));
            parts.push((number, rest.to_owned()));
        }
        parts
    };
    let (one, other) = (parts(one), parts(other));
    // Names of flavours tell nothing of age: `6.1.0-10-amd64` and `6.1.0-10-cloud-amd64` are equally new.
    let numbers = |parts: &[(u64, String)]| -> Vec<u64> {
        parts.iter().map(|(number, _)| *number).filter(|number| *number > 0).collect()
    };
    numbers(&one).cmp(&numbers(&other))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn system(files: &[&str]) -> (tempfile::TempDir, System) {
        let root = tempfile::tempdir().expect("a folder");
        let system = System::new(root.path());
        for file in files {
            let path = system.path(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "").expect("written");
        }
        (root, system)
    }

    #[test]
    fn versions_of_kernels() {
        let table = [
            ("6.1.0-9-amd64", "6.1.0-10-amd64", Ordering::Less),
            ("6.1.0-10-cloud-amd64", "6.1.0-10-amd64", Ordering::Equal),
            ("6.10.1-arch1-1", "6.9.7-arch1-1", Ordering::Greater),
            ("5.14.0-427.13.1.el9_4.x86_64", "5.14.0-362.8.1.el9_3.x86_64", Ordering::Greater),
            ("6.6.32-0-lts", "6.6.32-0-lts", Ordering::Equal),
            ("6.18.44-fc-v445", "6.1.0-10-amd64", Ordering::Greater),
        ];
        for (one, other, expected) in table {
            assert_eq!(compare(one, other), expected, "{one} {other}");
            assert_eq!(compare(other, one), expected.reverse(), "{other} {one}");
        }
    }

    #[test]
    fn a_newer_kernel_or_one_in_place_of_the_running_one() {
        let debian = ["/boot/vmlinuz-6.1.0-9-amd64", "/lib/modules/6.1.0-9-amd64/modules.dep"];
        let newer = ["/boot/vmlinuz-6.1.0-10-amd64", "/lib/modules/6.1.0-10-amd64/modules.dep"];
        let removed = ["/lib/modules/6.1.0-10-amd64/kernel/left-behind.ko"];
        let arch = ["/boot/vmlinuz-linux", "/usr/lib/modules/6.9.7-arch1-1/vmlinuz"];
        let alpine = ["/boot/vmlinuz-lts", "/lib/modules/6.6.32-0-lts/modules.dep"];
        let table: [(&[&[&str]], &str, bool); 10] = [
            (&[&debian], "6.1.0-9-amd64", false),
            (&[&debian, &newer], "6.1.0-9-amd64", true),
            (&[&debian, &newer], "6.1.0-10-amd64", false),
            (&[&debian, &removed], "6.1.0-9-amd64", false),
            (&[&debian], "6.18.44-fc", false),
            (&[], "6.18.44-fc", false),
            (&[&arch], "6.9.7-arch1-1", false),
            (&[&arch], "6.9.8-arch1-1", true),
            (&[&alpine], "6.6.32-0-lts", false),
            (&[&alpine], "6.6.31-0-lts", true),
        ];
        for (files, running, expected) in table {
            let (_root, system) = system(&files.concat());
            assert_eq!(restart_pending(&system, running).is_some(), expected, "{files:?} {running}");
        }
    }
}
