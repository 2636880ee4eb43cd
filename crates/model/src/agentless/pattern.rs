//! Patterns for the names of assets.

/// Whether a name fits a pattern as a whole, in which `*` stands for any text, an empty one included, and `?` for one
/// character. Upper and lower case are told apart, as file systems and stores do.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Behind the last `*`, and how far the text reached that it stands for: only that one is ever tried again, so that
    // the time is bounded by the product of the lengths.
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                star = Some((at, read));
            }
            Some(character) if *character == '?' || *character == name[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((behind, reached)) => {
                    (at, read) = (behind, reached + 1);
                    star = Some((behind, reached + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    #[test]
    fn names_fit_patterns() {
        let table = [
            ("web.qcow2", "web.qcow2", true),
            ("web.qcow2", "web.qcow", false),
            ("*.qcow2", "web.qcow2", true),
            ("*.qcow2", "backup/web.qcow2", true),
            ("web-?.raw", "web-1.raw", true),
            ("web-?.raw", "web-12.raw", false),
            ("w*b*", "web", true),
            ("*a*b", "aab-ab", true),
            ("*a*b", "aab-a", false),
            ("*", "", true),
            ("?", "", false),
            ("?", "ü", true),
            ("", "", true),
            ("", "a", false),
            ("WEB*", "web", false),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(fits(pattern, name), expected, "{pattern:?} {name:?}");
        }
    }

    proptest! {
        #[test]
        fn as_a_regular_expression_says(pattern in "[ab*?]{0,8}", name in "[abc]{0,10}") {
            let same: String = pattern.chars().map(|character| match character {
                '*' => ".*".to_owned(),
                '?' => ".".to_owned(),
                other => other.to_string(),
            }).collect();
            let same = Regex::new(&format!("^{same}$")).expect("an expression");
            prop_assert_eq!(fits(&pattern, &name), same.is_match(&name));
        }
    }
}
