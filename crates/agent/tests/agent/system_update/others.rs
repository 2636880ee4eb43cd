//! With the package managers of other distributions, as Debian has them. They keep nothing of this machine: their
//! databases are made by the script, and `os-release` says in the overlay what the distribution is.

use super::{code, told, update};
use crate::overlay::Overlay;

const RPM: &str = include_str!("rpm.sh");
const PACMAN: &str = include_str!("pacman.sh");

/// A script that begins with a system of this kind.
fn script(id: &str, packages: &str, rest: &str) -> String {
    format!("rm -f /etc/os-release; echo ID={id} >/etc/os-release\n{packages}\n{rest}")
}

/// dnf and zypper see the same packages.
fn with_rpm(overlay: &Overlay, id: &str) {
    for name in ["security", "everything", "unreachable"] {
        overlay.order(name, &update(name == "everything"));
    }
    overlay.order_and_cancel("cancelled", &update(true));
    let rest = "run cancelled
        run security
        run everything
        repository dead http://127.0.0.1:9/
        run unreachable";
    overlay.carry_out(&script(id, RPM, rest));

    let (result, packages) = told(&overlay.ended("cancelled"));
    assert_eq!((code(&result), packages.len()), ("CANCELLED", 0));

    let (result, packages) = told(&overlay.ended("security"));
    assert_eq!((code(&result), result.security_only), ("", true));
    assert_eq!(
        packages,
        [
            "guardhouse-bad.noarch 1-1>2-1 SKIPPED",
            "guardhouse-fine.noarch 1-1>2-1 SKIPPED",
            "guardhouse-hole.noarch 1-1>2-1 UPDATED security",
            "guardhouse-new.noarch >1-1 INSTALLED",
        ]
    );

    let (result, packages) = told(&overlay.ended("everything"));
    assert_eq!(code(&result), "UPDATES_FAILED");
    assert_eq!(packages[0], "guardhouse-bad.noarch 1-1>2-1 FAILED");
    assert!(result.packages[0].reason.contains("guardhouse-bad"), "{}", result.packages[0].reason);
    assert!(result.output.expect("output").head.contains("out of order"));

    let (result, packages) = told(&overlay.ended("unreachable"));
    assert_eq!((code(&result), packages.len()), ("REPOSITORY_UNREACHABLE", 0));
}

#[test]
fn dnf() {
    let Some(overlay) = Overlay::new(&["dnf", "rpmbuild", "createrepo_c"]) else { return };
    with_rpm(&overlay, "fedora");
    let (result, packages) = told(&overlay.ended("everything"));
    assert_eq!((result.package_manager.as_str(), result.exit_code), ("dnf", 1));
    assert_eq!(packages[1..], ["guardhouse-fine.noarch 1-1>2-1 UPDATED"]);
}

#[test]
fn zypper() {
    let Some(overlay) = Overlay::new(&["zypper", "rpmbuild", "createrepo_c"]) else { return };
    with_rpm(&overlay, "opensuse-leap");
    let (result, _) = told(&overlay.ended("everything"));
    assert_eq!((result.package_manager.as_str(), result.exit_code), ("zypper", 8));
}

#[test]
fn pacman() {
    let Some(overlay) = Overlay::new(&["pacman"]) else { return };
    for name in ["everything", "nothing", "unreachable"] {
        overlay.order(name, &update(false));
    }
    overlay.order_and_cancel("cancelled", &update(false));
    let rest = "run cancelled
        run everything
        run nothing
        printf '[dead]\\nServer = http://127.0.0.1:9/\\n' >>/etc/pacman.conf
        run unreachable
        ls /var/lib/pacman/sync >$PLACE/databases || true";
    overlay.carry_out(&script("arch", PACMAN, rest));

    let (result, packages) = told(&overlay.ended("cancelled"));
    assert_eq!((code(&result), packages.len()), ("CANCELLED", 0));

    let (result, packages) = told(&overlay.ended("everything"));
    assert_eq!((code(&result), result.package_manager.as_str(), result.security_only), ("", "pacman", false));
    assert!(result.note.contains("cannot tell"), "{}", result.note);
    assert_eq!(
        packages,
        [
            "guardhouse-fine 1-1>2-1 UPDATED",
            "guardhouse-held 1-1>2-1 SKIPPED",
            "guardhouse-hole 1-1>2-1 UPDATED",
            "guardhouse-new >1-1 INSTALLED",
        ]
    );
    let (result, packages) = told(&overlay.ended("nothing"));
    assert_eq!((code(&result), packages.len(), result.changed_count), ("", 1, 0));

    let (result, _) = told(&overlay.ended("unreachable"));
    assert_eq!(code(&result), "REPOSITORY_UNREACHABLE");
    // What was not installed left no database behind that is newer than the packages.
    let databases = std::fs::read_to_string(overlay.place().join("databases")).expect("written");
    assert_eq!(databases, "core.db\n");
}
