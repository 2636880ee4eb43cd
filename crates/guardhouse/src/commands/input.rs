//! Files that a command reads, `-` being standard input.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

/// Reads a text.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read(file: &Path) -> io::Result<String> {
    if file != Path::new("-") {
        return fs::read_to_string(file);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

/// What a message calls it.
pub fn name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}
