//! Which version of the agent this is.

use std::hint::black_box;

use guardhouse_link::release;

/// The version as it stands in the program, where a server finds it.
static STAMP: [u8; release::STAMP_LENGTH] = release::stamp(env!("CARGO_PKG_VERSION"));

/// The version of this program.
#[must_use]
pub fn version() -> &'static str {
    // Read, not computed when the program is built: what others find in the file is what the program says of itself.
    let stamp: &'static [u8] = black_box(&STAMP);
    release::version_of_stamp(stamp).expect("it is a stamp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_is_found_in_the_program() {
        assert_eq!(version(), env!("CARGO_PKG_VERSION"));
        let program = std::fs::read("/proc/self/exe").expect("it is there");
        assert_eq!(release::version_of_program(&program), Some(version()));
    }
}
