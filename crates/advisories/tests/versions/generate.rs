//! Versions of every kind, from few parts, so that many are alike up to their end.

use guardhouse_packages::Kind;
use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;

/// Texts that match a pattern; read once, not for every draw.
pub fn matching(pattern: &str) -> impl Strategy<Value = String> {
    string_regex(pattern).expect("the patterns here are patterns")
}

/// What most versions of a kind look like, and what is nearly one.
pub fn pattern(kind: Kind) -> &'static str {
    match kind {
        Kind::Deb => "([01]:)?(0|1|01|10|1a|a)([.+~:-]{1,2}(0|1|9|09|10|a|b|rc1|Z)?){0,4}(-[01](~|\\+b1)?)?",
        Kind::Rpm => concat!(
            "([01]:)?(0|1|01|10|1a|a)([._+~^]{1,2}(0|1|9|09|10|a|b|rc1|Z|el9)?){0,4}",
            "(-[01~^](\\.el[89])?)?",
        ),
        Kind::Apk => concat!(
            "[019]{1,2}(\\.(0|00|1|9|10|09)){0,3}[ab]?",
            "(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)(1|9|10)?){0,2}(~[0a])?(-r[019])?",
        ),
        Kind::Cargo => {
            "(0|1|10|9)\\.(0|1|10|9)\\.[01](-(0|1|10|9|a|b|rc|-1|a-1)(\\.(0|1|10|9|a|b|rc|-))?)?(\\+a)?"
        }
        Kind::Npm => concat!(
            "[v=]?(0|1|10|09)\\.(0|1|10|9)\\.[01]",
            "((-(0|1|10|09|-1|-)|-?(a|b|rc|a-1))(\\.(0|1|10|09|a|b|rc|-))?)?(\\+a)?",
        ),
        Kind::Pypi => concat!(
            "v?([01]!)?(0|1|01)(\\.(0|1|10)){0,3}",
            "([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-2]?)?([-_.]?(post|rev|r)[0-2]?|-[0-2])?",
            "(\\.?dev[0-2]?)?(\\+(a|1|1\\.a|a_1))?",
        ),
        Kind::Golang => concat!(
            "(v|go)?(0|1|10)\\.(0|1|20|21|22)(rc[129]|beta1|rc10|(\\.(0|1|10))",
            "(-(0|pre|rc\\.1|rc\\.10|0\\.20240101000000-0123456789ab))?(\\+incompatible)?)?",
        ),
        Kind::Maven => concat!(
            "(0|1|01|10|a|x)([.-]{1,2}(0|1|01|10|20240101000000000000|a|b|m|x|rc|cr|ga|final|sp|alpha|beta|",
            "snapshot|milestone|foo|1a|a1|x1|RC1|Final0)?){0,4}",
        ),
        Kind::Gem => "(0|1|01|10)(\\.(0|1|01|10|a|b|pre|rc1|1a|a0)){0,4}(-(0|1|a|b-1|--)(\\.(0|a))?)?",
        Kind::Composer => concat!(
            "v?(0|1|01|10|2020|20200101)(\\.(0|1|10|01)){0,3}",
            "([._-]?(stable|beta|b|RC|alpha|a|patch|pl|p|B)([.-]?[019]){0,2})?([.-]?dev)?(\\+a)?|",
            "[12](\\.(x|1))?(\\.x)?-dev|",
            "2020[.-]01[.-]0[12]([.:-]1[01])?(-beta1)?",
        ),
        Kind::Nuget => {
            "(0|1|01|10)(\\.(0|1|10)){0,3}(-(0|1|01|10|a|A|b|rc|-1|a-1)(\\.(0|1|10|a|B|-))?)?(\\+a)?"
        }
    }
}

/// As [`pattern`], where the tool's order is total. Maven's is not where parts are empty or words follow words.
pub fn ordinary(kind: Kind) -> &'static str {
    match kind {
        Kind::Maven => {
            concat!(
                "(0|1|01|10)(\\.(0|1|9|10)){0,3}",
                "(-(alpha|beta|m|rc|sp|foo|jre)(-?(1|2|10)(-SNAPSHOT)?)?|[.-](RC1|Final|GA)|-SNAPSHOT)?",
            )
        }
        kind => pattern(kind),
    }
}

/// Pairs of versions, the same ones in every run.
pub fn pairs(kind: Kind, count: usize) -> Vec<(String, String)> {
    let mut runner = TestRunner::deterministic();
    let versions = (matching(pattern(kind)), matching(pattern(kind)));
    let mut draw = || versions.new_tree(&mut runner).expect("a strategy without a filter").current();
    (0..count).map(|_| draw()).collect()
}
