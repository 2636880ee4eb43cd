//! A figure that was measured, or why it was not; as a line of a table or of JSON.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::targets::{Bound, Name};

/// What a measurement found.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// In the unit of the figure.
    pub value: f64,
    /// What the same machine could do at best, measured in the same run and in the same unit.
    pub limit: Option<f64>,
    /// The promise also depends on something else, and whether that holds.
    pub holds: bool,
    /// Under which conditions, and what else was seen.
    pub note: String,
}

impl Measured {
    /// A value without a limit or a further condition.
    pub fn new(value: f64, note: String) -> Self {
        Self { value, limit: None, holds: true, note }
    }
}

/// One line of the answer.
#[derive(Debug, Serialize)]
pub struct Figure {
    name: String,
    value: Option<f64>,
    unit: &'static str,
    target: f64,
    met: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    peer: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip)]
    bound: Bound,
}

impl Figure {
    /// Judges what was measured.
    pub fn new(name: Name, outcome: Result<Measured, String>) -> Self {
        let target = name.target();
        let figure = Self {
            name: name.text(),
            value: None,
            unit: target.unit,
            target: target.bound.number(),
            met: false,
            limit: None,
            peer: target.peer,
            note: String::new(),
            error: None,
            bound: target.bound,
        };
        match outcome {
            Ok(Measured { value, limit, holds, note }) => {
                let met = holds && target.bound.admits(value);
                Self { value: Some(rounded(value)), met, limit: limit.map(rounded), note, ..figure }
            }
            Err(error) => Self { error: Some(error), ..figure },
        }
    }

    /// One JSON object.
    ///
    /// # Errors
    /// None that a figure could cause.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// All of them, for people.
pub fn table(figures: &[Figure]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["FIGURE", "VALUE", "UNIT", "TARGET", "MET", "LIMIT"]);
    for figure in figures {
        let sign = if matches!(figure.bound, Bound::AtMost(_)) { "<=" } else { ">=" };
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        table.add_row([
            figure.name.clone(),
            number(figure.value),
            figure.unit.to_owned(),
            format!("{sign} {}", figure.target),
            if figure.met { "yes" } else { "no" }.to_owned(),
            number(figure.limit),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = table.trim_fmt() + "\n\n";
    for figure in figures {
        let said =
            figure.error.as_ref().map_or_else(|| figure.note.clone(), |error| format!("ERROR: {error}"));
        let peer = if figure.peer.is_empty() { String::new() } else { format!(" Peers: {}.", figure.peer) };
        text.push_str(&format!("{}: {said}{peer}\n", figure.name));
    }
    text
}

/// Three decimals: what lies beyond is noise.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(value: f64) -> Measured {
        Measured::new(value, "three runs.".to_owned())
    }

    #[test]
    fn a_promise_is_kept_only_if_everything_holds() {
        let met = |measured| Figure::new(Name::ImportRate, Ok(measured)).met;
        assert!(met(measured(50_000.0)));
        assert!(!met(measured(49_999.0)));
        assert!(!met(Measured { holds: false, ..measured(90_000.0) }));
        assert!(!Figure::new(Name::ImportRate, Err("no disk".to_owned())).met);
    }

    #[test]
    fn one_object_says_everything() {
        let figure = Figure::new(Name::Start1m, Ok(Measured { limit: Some(0.5), ..measured(1.234_56) }));
        let expected = r#"{"name":"start_1m","value":1.235,"unit":"s","target":2.0,"met":true,"limit":0.5,"note":"three runs."}"#;
        assert_eq!(figure.json().expect("JSON"), expected);
        let failed = Figure::new(Name::Start1m, Err("no disk".to_owned())).json().expect("JSON");
        assert!(failed.contains(r#""value":null"#) && failed.contains(r#""error":"no disk""#), "{failed}");
    }

    #[test]
    fn the_table_has_a_line_and_a_note_for_each() {
        let table = table(&[Figure::new(Name::Dispatch1k, Ok(measured(200.0)))]);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["dispatch_1k", "200", "ms", "<=", "250", "yes", "-"]);
        assert!(
            lines[3].starts_with(&["dispatch_1k:", "three", "runs.", "Peers:", "MeshCentral"]),
            "{table}"
        );
    }
}
