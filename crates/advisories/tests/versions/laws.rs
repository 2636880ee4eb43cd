//! Every order of versions is total: it turns round, it goes through, and equal versions are equal to all others.

use std::cmp::Ordering;

use guardhouse_advisories::version::{Version, compare};
use guardhouse_packages::Kind;
use guardhouse_test_images::seeds::keep;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::generate::{matching, ordinary};

#[test]
fn orders_are_total() {
    for kind in Kind::ALL {
        proptest!(ProptestConfig::with_cases(128), |(texts in vec(matching(ordinary(kind)), 8))| {
            let versions: Vec<_> = texts.iter().filter_map(|text| Version::parse(kind, text).ok()).collect();
            let orders: Vec<Vec<Ordering>> =
                versions.iter().map(|left| versions.iter().map(|right| order(left, right)).collect()).collect();
            let all = || 0..versions.len();
            for (a, b) in all().flat_map(|a| all().map(move |b| (a, b))) {
                prop_assert_eq!(orders[a][b], orders[b][a].reverse());
                prop_assert!(a != b || orders[a][b].is_eq());
                for c in all().filter(|c| orders[a][b].is_le() && orders[b][*c].is_le()) {
                    let shown = (&versions[a], &versions[b], &versions[c]);
                    prop_assert_eq!(orders[a][c], orders[a][b].then(orders[b][c]), "{:?}", shown);
                }
            }
        });
    }
}

fn order(left: &Version, right: &Version) -> Ordering {
    left.partial_cmp(right).expect("versions of one kind have an order")
}

#[test]
fn most_generated_texts_are_versions() {
    for kind in Kind::ALL {
        let pairs = crate::generate::pairs(kind, 500);
        let compared = pairs.iter().filter(|(left, right)| compare(kind, left, right).is_ok()).count();
        assert!(compared >= 150, "{kind}: only {compared} of 500");
    }
}

#[test]
fn seeds_are_versions() {
    for kind in Kind::ALL {
        for (number, (left, right)) in crate::generate::pairs(kind, 12).into_iter().enumerate() {
            keep("versions", &format!("{kind}-{number}"), format!("{kind}\n{left}\n{right}").as_bytes());
        }
    }
}

proptest! {
    #[test]
    fn no_text_is_too_much(left in ".{0,40}", right in "[0-9a-z.:~^+_-]{0,40}") {
        for kind in Kind::ALL {
            if let (Ok(left), Ok(right)) = (Version::parse(kind, &left), Version::parse(kind, &right)) {
                prop_assert_eq!(left.partial_cmp(&right), right.partial_cmp(&left).map(Ordering::reverse));
            }
        }
    }
}
