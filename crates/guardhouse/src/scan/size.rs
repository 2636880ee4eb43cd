//! Amounts of memory as people type them: `512M`, `4G`.

/// The units, each 1024 of the one before.
const UNITS: [(char, u32); 4] = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];

/// Reads an amount, in bytes.
///
/// # Errors
/// What would be right, in words.
pub fn parse(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find_map(|&(unit, bits)| Some((text.strip_suffix(unit)?, bits)));
    let (number, bits) = unit.unwrap_or((text, 0));
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << bits));
    match bytes {
        Some(bytes) if bytes >= LEAST => Ok(bytes),
        Some(_) => Err(format!("{text:?} is too little to scan with; at least 64M is needed")),
        None => Err(format!("{text:?} is not an amount of memory; write it like 512M or 4G")),
    }
}

/// The least that a scanner is started with, in bytes.
const LEAST: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_type_them() {
        let table = [("64M", 64 << 20), ("2G", 2 << 30), ("1T", 1 << 40), ("67108864", 64 << 20)];
        for (text, bytes) in table {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "G", "1.5G", "-1G", "2g", "63M", "99999999999T"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
