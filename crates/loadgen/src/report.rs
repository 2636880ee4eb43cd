//! What was measured, as a table for people or a line of JSON per figure for programs.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::statistics::Times;

/// One measured figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured; a constant that programs can compare.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
}

/// The figures of one run, in the order in which they were measured.
#[derive(Debug, Default)]
pub struct Report(Vec<Figure>);

impl Report {
    /// Adds a number of things.
    pub fn count(&mut self, name: &str, value: usize) {
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        self.add(name, value as f64, "");
    }

    /// Adds a time, in milliseconds.
    pub fn time(&mut self, name: &str, value: Duration) {
        self.add(name, value.as_secs_f64() * 1_000.0, "ms");
    }

    /// Adds an amount of memory, in KiB.
    pub fn memory(&mut self, name: &str, kib: f64) {
        self.add(name, kib, "KiB");
    }

    /// Adds how often something happened per second.
    pub fn rate(&mut self, name: &str, count: usize, during: Duration) {
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        self.add(name, count as f64 / during.as_secs_f64().max(f64::EPSILON), "1/s");
    }

    /// Adds `NAME_p50`, `NAME_p90`, `NAME_p99` and `NAME_max` of measured times; nothing if there are none.
    pub fn times(&mut self, name: &str, times: Vec<Duration>) {
        let Some(times) = Times::new(times) else { return };
        self.time(&format!("{name}_p50"), times.median());
        self.time(&format!("{name}_p90"), times.quantile(0.9));
        self.time(&format!("{name}_p99"), times.quantile(0.99));
        self.time(&format!("{name}_max"), times.longest());
    }

    fn add(&mut self, name: &str, value: f64, unit: &'static str) {
        self.0.push(Figure { name: name.to_owned(), value: rounded(value), unit });
    }

    /// Writes the figures to standard output.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self, as_json: bool) -> io::Result<()> {
        let text = if as_json { self.json()? } else { self.table() };
        io::stdout().lock().write_all(text.as_bytes())
    }

    /// One JSON object per line.
    ///
    /// # Errors
    /// None that a figure could cause.
    pub fn json(&self) -> serde_json::Result<String> {
        self.0.iter().map(|figure| Ok(serde_json::to_string(figure)? + "\n")).collect()
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["FIGURE", "VALUE", "UNIT"]);
        for figure in &self.0 {
            table.add_row([figure.name.as_str(), &figure.value.to_string(), figure.unit]);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.trim_fmt() + "\n"
    }
}

/// Three decimals: what lies beyond is noise.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.count("agents", 20);
        report.time("dispatch_p50", Duration::from_micros(12_345));
        report.rate("enrolment_rate", 30, Duration::from_secs(4));
        report.memory("memory_per_agent", 17.123_456);
        report
    }

    #[test]
    fn one_object_per_line() {
        let expected = "\
            {\"name\":\"agents\",\"value\":20.0,\"unit\":\"\"}\n\
            {\"name\":\"dispatch_p50\",\"value\":12.345,\"unit\":\"ms\"}\n\
            {\"name\":\"enrolment_rate\",\"value\":7.5,\"unit\":\"1/s\"}\n\
            {\"name\":\"memory_per_agent\",\"value\":17.123,\"unit\":\"KiB\"}\n";
        assert_eq!(report().json().expect("JSON"), expected);
    }

    #[test]
    fn a_table_for_people() {
        let table = report().table();
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["FIGURE", "VALUE", "UNIT"]);
        assert_eq!(lines[2], ["dispatch_p50", "12.345", "ms"]);
        assert_eq!(lines.len(), 5);
    }
}
