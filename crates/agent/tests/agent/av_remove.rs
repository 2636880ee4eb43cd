//! `ThirdPartyAVRemove` with real packages and uninstallers that are really run, in an overlay over this machine. The
//! packages are empty but for their names and scripts: the products themselves are not to be had.

use guardhouse_contract::{action::ThirdPartyAvRemoveResult, automation::Action, link::Order};

use crate::{
    bench::{RUN, result},
    overlay::Overlay,
};

fn removal() -> Order {
    let action = Action { name: "ThirdPartyAVRemove".to_owned(), params: None };
    Order { run_uuid: RUN.to_owned(), action: Some(action), expire_time: None }
}

/// Each product: name, version, whether it is gone, and the code of its failure.
fn told(result: &ThirdPartyAvRemoveResult) -> Vec<String> {
    let line = |product: &guardhouse_contract::action::third_party_av_remove_result::Product| {
        let code = product.failure.as_ref().map_or("", |failure| &failure.code);
        format!("{}/{}/{}/{code}", product.name, product.version, product.removed)
    };
    result.products.iter().map(line).collect()
}

const PRODUCTS: &str = r#"
# package NAME [CONTROL FIELD] [PRERM]
package() {
    rm -rf build
    mkdir -p build/DEBIAN
    printf 'Package: %s\nVersion: 1.2-3\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n%s' \
        "$1" "${2:+$2
}" >build/DEBIAN/control
    if [ -n "${3:-}" ]; then
        printf '#!/bin/sh\n%s\n' "$3" >build/DEBIAN/prerm
        chmod 755 build/DEBIAN/prerm
    fi
    dpkg-deb --build build "$1.deb" >/dev/null
}
# program PATH TEXT
program() {
    mkdir -p "${1%/*}"
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod 755 "$1"
}
"#;

#[test]
fn every_product_for_itself() {
    let Some(overlay) = Overlay::new(&["dpkg", "dpkg-deb"]) else { return };
    for name in ["nothing", "first", "second"] {
        overlay.order(name, &removal());
    }
    overlay.order_and_cancel("cancelled", &removal());
    overlay.carry_out(&format!(
        "{PRODUCTS}
        run nothing

        package clamav-base
        package clamav-daemon 'Depends: clamav-base'
        package libclamav-test
        # Another package needs this one; it is of no product.
        package kesl
        package mail-filter-test 'Depends: kesl'
        package falcon-sensor '' '[ -e /srv/lifted ] || {{ echo A maintenance token is required >&2; exit 1; }}'
        dpkg --install *.deb >/dev/null
        # Products that are no packages: one whose uninstaller works, one whose uninstaller says so only, one without.
        program /opt/sophos-spl/base/bin/sophos_watchdog true
        program /opt/sophos-spl/bin/uninstall.sh '[ \"$1\" = --force ] && rm -rf /opt/sophos-spl && echo gone'
        program /opt/drweb.com/bin/drweb-configd true
        program /opt/drweb.com/bin/uninst.sh 'echo $DRWEB_NON_INTERACTIVE: successfully removed'
        program /opt/sophos-av/bin/savdctl true

        run cancelled
        run first
        dpkg-query -W -f '${{Package}}\\n' libclamav-test mail-filter-test kesl >$PLACE/left
        touch lifted
        dpkg --purge mail-filter-test >/dev/null
        rm -rf /opt/drweb.com /opt/sophos-av
        run second"
    ));

    let ended = overlay.ended("nothing");
    let nothing: ThirdPartyAvRemoveResult = result(&ended);
    assert!(ended.succeeded && nothing.note.contains("was found"), "{nothing:?}");
    assert_eq!((nothing.products.len(), nothing.failure), (0, None));

    let ended = overlay.ended("cancelled");
    let cancelled: ThirdPartyAvRemoveResult = result(&ended);
    assert_eq!(cancelled.failure.expect("a failure").code, "CANCELLED");

    let ended = overlay.ended("first");
    let first: ThirdPartyAvRemoveResult = result(&ended);
    assert_eq!(
        told(&first),
        [
            "ClamAV/1.2-3/true/",
            "CrowdStrike Falcon sensor/1.2-3/false/UNINSTALL_PROTECTED",
            "Dr.Web for Linux//false/UNINSTALL_FAILED",
            "Kaspersky Endpoint Security for Linux/1.2-3/false/UNINSTALL_FAILED",
            "Sophos Anti-Virus for Linux//false/NO_UNINSTALLER",
            "Sophos Protection for Linux//true/",
        ]
    );
    assert!(!ended.succeeded);
    assert_eq!((first.removed_count, first.failure.expect("a failure").code.as_str()), (2, "PRODUCTS_LEFT"));
    assert_eq!(first.products[0].command, "/usr/bin/dpkg --purge clamav-base clamav-daemon");
    assert_eq!(first.products[0].evidence, "package clamav-base");
    assert_eq!(first.products[2].output.as_ref().expect("output").head, "yes: successfully removed\n");
    assert_eq!(first.products[5].evidence, "file /opt/sophos-spl/base/bin/sophos_watchdog");
    let left = std::fs::read_to_string(overlay.place().join("left")).expect("written");
    assert_eq!(left, "kesl\nlibclamav-test\nmail-filter-test\n");

    // The administrator lifted the protection and removed what was in the way.
    let ended = overlay.ended("second");
    let second: ThirdPartyAvRemoveResult = result(&ended);
    assert_eq!(
        told(&second),
        ["CrowdStrike Falcon sensor/1.2-3/true/", "Kaspersky Endpoint Security for Linux/1.2-3/true/"]
    );
    assert!(ended.succeeded, "{:?}", second.failure);
}
