//! Versions in the form of the contract.

use guardhouse_contract::devices::Version;

/// A version by its name. Its id packs up to four numbers, 16 bits each, so that ids compare like versions.
/// `major`, `minor` and `patch` are set only for a name that begins with three numbers.
pub(super) fn version(name: &str) -> Version {
    let numbers = numbers(name);
    let id = (0..4).fold(0, |id, at| id << 16 | u64::from(numbers.get(at).copied().unwrap_or(0)));
    let (major, minor, patch) = match numbers[..] {
        [major, minor, patch, ..] => (major.into(), minor.into(), patch.into()),
        _ => (0, 0, 0),
    };
    Version { id, name: name.to_owned(), major, minor, patch }
}

/// The numbers between the dots, as far as there are such; one that does not fit counts as the largest.
fn numbers(name: &str) -> Vec<u16> {
    let mut numbers = Vec::new();
    for part in name.split('.').take(4) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() {
            break;
        }
        numbers.push(digits.parse().unwrap_or(u16::MAX));
        if digits.len() < part.len() {
            break;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let table = [
            ("10.2.3.145", 10 << 48 | 2 << 32 | 3 << 16 | 145, (10, 2, 3)),
            ("0.1.0", 1 << 32, (0, 1, 0)),
            ("24.04", 24 << 48 | 4 << 32, (0, 0, 0)),
            ("12", 12 << 48, (0, 0, 0)),
            ("6.1.0-13-amd64", 6 << 48 | 1 << 32, (6, 1, 0)),
            ("1.99999.2", 1 << 48 | 65_535 << 32 | 2 << 16, (1, 65_535, 2)),
            ("trixie/sid", 0, (0, 0, 0)),
            ("", 0, (0, 0, 0)),
        ];
        for (name, id, (major, minor, patch)) in table {
            let expected = Version { id, name: name.to_owned(), major, minor, patch };
            assert_eq!(version(name), expected, "{name}");
        }
        assert!(version("10.2.3").id < version("10.2.3.1").id);
    }
}
