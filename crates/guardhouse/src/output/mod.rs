//! What commands print: data to standard output, everything else to standard error.
//!
//! A table is for people; its layout may change. JSON is for programs: the canonical JSON of the answer, with
//! the pages of a list put together.

pub mod agentless;
pub mod agentless_locations;
pub mod device_runs;
pub mod device_states;
pub mod devices;
pub mod dynamic_groups;
pub mod effective_policies;
mod error;
pub mod groups;
pub mod identity_questions;
pub mod policies;
pub mod runs;
pub mod tasks;

use std::io::{self, Write as _};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use guardhouse_contract::json;
use guardhouse_model::Timestamp;
use prost::{Message, Name};

pub use error::report;

/// How answers are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

impl OutputFormat {
    /// Prints an answer.
    ///
    /// # Errors
    /// The answer has no JSON form, or standard output cannot be written.
    pub fn show<M: Message + Name>(self, answer: &M, table: impl FnOnce(&M) -> String) -> anyhow::Result<()> {
        let text = match self {
            Self::Table => table(answer),
            Self::Json => document(answer)?,
        };
        Ok(print(&text)?)
    }
}

/// The canonical JSON of a message, indented.
fn document<M: Message + Name>(message: &M) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&json::to_value(message)?)?)
}

/// Writes a text and a line end to standard output. Nobody left to read it (`| head`) is no error.
pub fn print(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| {
        if !text.is_empty() && !text.ends_with('\n') {
            output.write_all(b"\n")?;
        }
        output.flush()
    });
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Aligned columns without lines or colours. Cells are made fit for a terminal; an empty one is shown as `-`.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| if cell.is_empty() { "-".to_owned() } else { one_line(&cell) }));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// A name and a value per line.
pub fn sheet<const N: usize>(lines: [(&str, String); N]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): (&str, String)| {
        let value = if value.is_empty() { "-".to_owned() } else { one_line(&value) };
        format!("{name:width$}  {value}\n")
    };
    lines.map(line).concat()
}

/// A text in which nothing controls the terminal. Names and output come from devices, which may be hostile:
/// an escape sequence could rewrite what is on the screen. JSON has every text as it is.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.replace("\r\n", "\n").chars() {
        match letter {
            '\n' | '\t' => shown.push(letter),
            letter if letter.is_control() || is_direction(letter) => shown.extend(letter.escape_unicode()),
            letter => shown.push(letter),
        }
    }
    shown
}

/// A printable text on one line.
fn one_line(text: &str) -> String {
    printable(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Whether a character changes the direction of the text that follows.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A moment, in UTC to the second; empty when it is absent.
pub fn time(time: Option<&prost_types::Timestamp>) -> String {
    let time = time.and_then(|time| Timestamp::new(time.seconds, 0).ok());
    time.map(|time| time.to_string()).unwrap_or_default()
}

/// A constant of an enum without the prefix that all of them have; empty for the one that says nothing.
pub fn constant(name: &str, prefix: &str) -> String {
    let name = name.strip_prefix(prefix).unwrap_or(name);
    if name == "UNSPECIFIED" { String::new() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_plain() {
        let rows = [["web-1".to_owned(), String::new()], ["a\u{1b}[2Jb\nc".to_owned(), "x".to_owned()]];
        let expected = "\
            NAME            STATE\n\
            web-1           -\n\
            a\\u{1b}[2Jb\\nc  x";
        assert_eq!(table(["NAME", "STATE"], rows), expected);
        assert_eq!(table(["NAME", "STATE"], []), "NAME  STATE");
    }

    #[test]
    fn sheets_are_aligned() {
        let text = sheet([("name", "web-1".to_owned()), ("description", String::new())]);
        assert_eq!(text, "name         web-1\ndescription  -\n");
    }

    #[test]
    fn nothing_controls_the_terminal() {
        for (text, shown) in [
            ("plain ž 漢\tx\n", "plain ž 漢\tx\n"),
            ("line\r\nline", "line\nline"),
            ("50%\r100%", "50%\\u{d}100%"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
            ("a\u{202e}b", "a\\u{202e}b"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn moments_are_shown_to_the_second() {
        let moment = prost_types::Timestamp { seconds: 1_700_000_000, nanos: 999_999_999 };
        assert_eq!(time(Some(&moment)), "2023-11-14T22:13:20Z");
        assert_eq!(time(None), "");
        assert_eq!(time(Some(&prost_types::Timestamp { seconds: i64::MAX, nanos: 0 })), "");
    }
}
