//! What reads addresses of clients and answers of stores on its own, for the fuzz targets and for the properties that do
//! the same within bounds.

pub use crate::remote::fuzzing::listing;
use crate::{Address, Credentials, ObjectStore};

/// Checks texts as the address of a store: its URL, its endpoint, and a certificate authority, a line each; the authority
/// is the rest.
///
/// # Panics
/// Nothing is said of one that is not accepted.
pub fn address(text: &str) {
    let mut parts = text.splitn(3, '\n').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let store = ObjectStore { url: part(), endpoint: part(), authorities: part(), ..ObjectStore::default() };
    let password = Credentials::Password { user: "a".to_owned(), password: "b".to_owned() };
    for credentials in [None, Some(password)] {
        let address = Address::ObjectStore(ObjectStore { credentials, ..store.clone() });
        if let Err(flaws) = address.check() {
            assert!(!flaws.is_empty() && flaws.iter().all(|flaw| !flaw.sentence.is_empty()));
        }
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::{prelude::*, sample::Index};

    use super::*;

    const GOOD: [&str; 3] = [
        "s3://bucket/images/linux\nhttps://[::1]:9000\n",
        "https://host.example.com:8443/dav/a%20b\n\n",
        "http://localhost/dav\n\n",
    ];

    #[test]
    fn seeds_of_addresses_are_accepted() {
        for (number, text) in GOOD.iter().enumerate() {
            let (url, endpoint) = text.split_once('\n').expect("two lines");
            let (url, endpoint) = (url.to_owned(), endpoint.trim_end().to_owned());
            let store = ObjectStore { url, endpoint, ..ObjectStore::default() };
            Address::ObjectStore(store).check().expect(text);
            keep("location_addresses", &number.to_string(), text.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn changed_addresses_are_accepted_or_refused(
            good in prop::sample::select(&GOOD),
            changes in prop::collection::vec((any::<Index>(), any::<char>()), 0..6),
        ) {
            let mut text: Vec<char> = good.chars().collect();
            for (place, letter) in changes {
                let place = place.index(text.len());
                text[place] = letter;
            }
            address(&text.iter().collect::<String>());
        }
    }
}
