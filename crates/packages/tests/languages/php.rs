use guardhouse_packages::Origin;

use crate::support::{format, names, packages, refusal};

const MONOLOG: &str =
    r#"{"name": "Monolog/monolog", "version": "2.8.0", "license": ["MIT"], "require": {"php": ">=7"}}"#;
const SYMFONY: &str = r#"{"name": "symfony/http-kernel", "version": "v5.4.0", "dist": {"type": "zip"}}"#;
const FOLDER: &str = r#"{"name": "mine/lib", "version": "1.0.0", "dist": {"type": "path", "url": "../lib"}}"#;
const EXPECTED: [&str; 2] = ["monolog/monolog 2.8.0", "symfony/http-kernel 5.4.0"];

#[test]
fn composer_lock() {
    let lock = format!(
        r#"{{"_readme": ["x"], "content-hash": "01", "packages": [{MONOLOG}, {FOLDER}], "packages-dev": [{SYMFONY}]}}"#
    );
    assert_eq!(names("/srv/composer.lock", lock), EXPECTED);
    assert_eq!(names("/srv/composer.lock", r#"{"packages": [], "packages-dev": null}"#), [""; 0]);
    assert!(refusal("/srv/composer.lock", "{}").contains("packages"));
    assert!(format("/srv/vendor/monolog/monolog/composer.lock").is_none());
}

#[test]
fn what_composer_installed() {
    for text in
        [format!("[{MONOLOG}, {SYMFONY}]"), format!(r#"{{"packages": [{MONOLOG}, {SYMFONY}], "dev": true}}"#)]
    {
        assert_eq!(names("/srv/vendor/composer/installed.json", &text), EXPECTED);
        let found = packages("/srv/vendor/composer/installed.json", text.as_bytes());
        assert!(found.iter().all(|package| package.origin == Origin::Installed));
        assert_eq!(found[0].licences, ["MIT"]);
    }
}
