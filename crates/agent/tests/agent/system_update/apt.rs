//! With apt and dpkg, whose packages the script makes.

use super::{code, told, update};
use crate::overlay::Overlay;

const REPOSITORY: &str = include_str!("apt.sh");

fn overlay() -> Option<Overlay> {
    Overlay::new(&["apt-get", "dpkg-deb"])
}

#[test]
fn security_first_then_everything() {
    let Some(overlay) = overlay() else { return };
    for name in ["security", "nothing", "everything", "unreachable"] {
        overlay.order(name, &update(name == "everything"));
    }
    overlay.order_and_cancel("cancelled", &update(true));
    overlay.carry_out(&format!(
        "{REPOSITORY}
        run cancelled
        dpkg-query -W -f '${{Status}}\\n' guardhouse-half >$PLACE/half-before
        run security
        apt-mark showauto | grep guardhouse >$PLACE/automatic
        dpkg-query -W -f '${{Status}}\\n' guardhouse-half >$PLACE/half
        touch /run/reboot-required; echo guardhouse-hole >/run/reboot-required.pkgs
        run nothing
        rm /run/reboot-required*
        run everything
        echo 'deb [trusted=yes] http://127.0.0.1:9/ ./' >>/etc/apt/sources.list
        run unreachable"
    ));

    let (result, packages) = told(&overlay.ended("cancelled"));
    assert_eq!((code(&result), packages.len()), ("CANCELLED", 0));

    // The update that closes the hole needs a package that is not installed and an optional update.
    let (result, packages) = told(&overlay.ended("security"));
    assert_eq!((code(&result), result.package_manager.as_str(), result.security_only), ("", "apt", true));
    assert_eq!(
        packages,
        [
            "guardhouse-bad 1>2 SKIPPED",
            "guardhouse-fine 1>2 UPDATED",
            "guardhouse-held 1>2 SKIPPED",
            "guardhouse-hole 1>3 UPDATED security",
            "guardhouse-new >1 INSTALLED",
        ]
    );
    assert_eq!((result.changed_count, result.skipped_count, result.failed_count), (3, 2, 0));
    assert!(!result.reboot_required, "{}", result.note);
    assert!(result.packages[2].reason.contains("on hold"), "{}", result.packages[2].reason);
    assert!(result.output.expect("output").head.contains("Setting up guardhouse-hole"));
    let read = |name: &str| std::fs::read_to_string(overlay.place().join(name)).expect("written");
    assert_eq!(
        read("automatic"),
        "guardhouse-fine\nguardhouse-hole\nguardhouse-new\n",
        "nobody asked for them"
    );
    assert_eq!(read("half-before"), "install ok unpacked\n", "a cancelled run changes nothing");
    assert_eq!(read("half"), "install ok installed\n", "the interrupted installation was completed");

    let (result, packages) = told(&overlay.ended("nothing"));
    assert_eq!((code(&result), packages.len(), result.changed_count), ("", 2, 0));
    assert!(result.reboot_required, "an earlier update asks for it");
    assert!(result.note.contains("nothing to update") && result.note.contains("because of guardhouse-hole"));

    // An update whose script fails.
    let (result, packages) = told(&overlay.ended("everything"));
    assert_eq!((code(&result), result.exit_code, result.security_only), ("UPDATES_FAILED", 100, false));
    assert_eq!(packages, ["guardhouse-bad 1>2 FAILED", "guardhouse-held 1>2 SKIPPED"]);
    assert!(result.packages[0].reason.contains("exit status 3"), "{}", result.packages[0].reason);

    let ended = overlay.ended("unreachable");
    let (result, packages) = told(&ended);
    assert_eq!((code(&result), packages.len()), ("REPOSITORY_UNREACHABLE", 0));
    assert!(result.failure.expect("a failure").reason.contains("http://127.0.0.1:9/"));
    assert!(!ended.succeeded);
}

#[test]
fn a_lock_is_waited_for_and_dpkg_outlives_its_runner() {
    let Some(overlay) = overlay() else { return };
    let folders = ["patient", "killed"].map(|name| overlay.order(name, &update(true)));
    overlay.carry_out(&format!(
        "{REPOSITORY}
        mkfifo begun go-on
        slow='echo >/srv/begun; read answer </srv/go-on'
        package slow guardhouse-slow 1 '' \"$slow\"
        dpkg --install slow/guardhouse-slow_1.deb & holder=$!
        read answer <begun
        run patient & patient=$!
        until grep -q WAITING $PLACE/patient/progress 2>/dev/null; do sleep 0.1; done
        echo >go-on
        wait $holder
        wait $patient

        package stable guardhouse-slow 2 '' \"$slow\"
        repository stable Debian stable
        /srv/agent runner --run-dir $PLACE/killed & runner=$!
        read answer <begun
        grep -q INSTALLING $PLACE/killed/progress
        kill -KILL $runner
        wait $runner || true
        echo >go-on
        # The lock is free when the last of them is done.
        until flock --nonblock /var/lib/dpkg/lock true && ! pidof dpkg apt-get; do sleep 0.1; done
        dpkg-query -W -f '${{Version}} ${{Status}}\\n' guardhouse-slow >$PLACE/state"
    ));
    let (result, _) = told(&overlay.ended("patient"));
    assert_eq!(code(&result), "UPDATES_FAILED", "it was done: but for guardhouse-bad");
    assert_eq!(result.changed_count, 3);
    assert_eq!(folders[1].facts().expect("facts"), guardhouse_agent::runs::folder::Facts::Begun);
    let state = std::fs::read_to_string(overlay.place().join("state")).expect("written");
    assert_eq!(state, "2 install ok installed\n");
}
