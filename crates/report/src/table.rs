//! For a terminal: problems first, then the findings by system, then the result in a line or two.
//!
//! A scan that found nothing says what it compared with; a scan that could not look everywhere, or had nothing to compare
//! with, never reads like one that found nothing.

use std::io::{self, Write};

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width, presets};
use guardhouse_advisories::SeverityLevel;
use jiff::Timestamp;

use crate::model::{Problem, ProblemKind, Report, SystemReport};
use crate::text::{advisories, age, count, files, printable, size};
use crate::view::{Counts, LEVELS, Row, rows};

/// How it is to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With colours; for a terminal that wants them.
    pub colour: bool,
    /// How many columns there are; `None` for as many as it takes.
    pub width: Option<u16>,
}

/// How many problems of a kind are shown; the others are counted.
const PROBLEMS_SHOWN: usize = 20;

/// The narrowest table: below, lines wrap anyhow.
const NARROWEST: u16 = 60;

/// Writes the report.
///
/// # Errors
/// What `out` says.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let target = &report.target;
    let of_size = if target.size == 0 { String::new() } else { format!(", {}", size(target.size)) };
    writeln!(out, "{} ({}{of_size})", printable(&target.name), printable(&target.kind))?;
    for note in &target.notes {
        writeln!(out, "  {}", printable(note))?;
    }
    volumes(report, out)?;
    problems(report, style, out)?;
    let rows = rows(report);
    for (index, system) in report.systems.iter().enumerate() {
        let of_system: Vec<&Row<'_>> = rows.iter().filter(|row| row.system_index == index).collect();
        self::system(system, &of_system, style, out)?;
    }
    writeln!(out)?;
    result(report, style, out)
}

/// The parts of the target, where there is more to it than files.
fn volumes(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for volume in &report.volumes {
        let scanned = if volume.scanned { "" } else { ", not scanned" };
        let content = printable(&volume.content);
        writeln!(out, "  {}: {content}, {}{scanned}", printable(&volume.place), size(volume.size))?;
        for note in &volume.notes {
            writeln!(out, "    {}", printable(note))?;
        }
    }
    Ok(())
}

fn problems(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    let title = format!("NOT SCANNED WHOLLY: {}", count(report.problems.len(), "problem", "problems"));
    writeln!(out, "\n{}", paint(&title, RED, style))?;
    for kind in ProblemKind::ALL {
        let of_kind: Vec<&Problem> = report.problems.iter().filter(|problem| problem.kind == kind).collect();
        for problem in of_kind.iter().take(PROBLEMS_SHOWN) {
            let place = printable(&problem.place);
            let place = if place.is_empty() { place } else { format!("{place}: ") };
            writeln!(out, "  {}: {place}{}", kind.words(), printable(&problem.message))?;
        }
        if let Some(more) = of_kind.len().checked_sub(PROBLEMS_SHOWN).filter(|more| *more > 0) {
            writeln!(out, "  {}: {more} more; the JSON form lists them all", kind.words())?;
        }
    }
    Ok(())
}

fn system(system: &SystemReport, rows: &[&Row<'_>], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let packages = count(system.packages.len(), "package", "packages");
    let counts = Counts::of(rows.iter().map(|row| row.finding));
    let findings = if rows.is_empty() {
        String::new()
    } else {
        format!(", {}{}", summary(&counts), suppressed(&counts))
    };
    writeln!(out, "\n{}: {packages}{findings}", printable(&system.title()))?;
    for note in &system.notes {
        writeln!(out, "  {}", printable(note))?;
    }
    let counted: Vec<&&Row<'_>> = rows.iter().filter(|row| row.finding.suppressed.is_none()).collect();
    if counted.is_empty() {
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match style.width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(NARROWEST));
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(["SEVERITY", "PACKAGE", "INSTALLED", "FIXED IN", "ADVISORY", "FOUND IN"]);
    for row in counted {
        table.add_row(cells(row));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 2 } else { 0 }, 2));
        if index == 0 {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(SEVERITY_WIDTH)));
        }
    }
    for line in table.trim_fmt().lines() {
        writeln!(out, "{}", painted_by_level(line.trim_end(), style))?;
    }
    Ok(())
}

/// The longest word of a level with its padding.
const SEVERITY_WIDTH: u16 = 14;

fn cells(row: &Row<'_>) -> [Cell; 6] {
    let finding = row.finding;
    let fixed = finding.fixed.as_deref().map_or_else(|| "no fix".to_owned(), printable);
    [
        Cell::new(finding.severity.level),
        Cell::new(printable(&row.package.package.name)),
        Cell::new(printable(&row.package.package.version)),
        Cell::new(fixed),
        Cell::new(printable(&row.advisory())),
        Cell::new(printable(&row.package.evidence())),
    ]
}

/// `3 vulnerabilities (1 critical, 2 low)`.
fn summary(counts: &Counts) -> String {
    let levels = if counts.counted == 0 { String::new() } else { format!(" ({})", counts.levels()) };
    format!("{}{levels}", count(counts.counted, "vulnerability", "vulnerabilities"))
}

/// `; 2 suppressed`, where there are some.
fn suppressed(counts: &Counts) -> String {
    if counts.suppressed == 0 { String::new() } else { format!("; {} suppressed", counts.suppressed) }
}

fn result(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let packages = report.systems.iter().map(|system| system.packages.len()).sum();
    let packages = count(packages, "package", "packages");
    let partly =
        if report.problems.is_empty() { "" } else { ", in what could be scanned (see the problems above)" };
    if report.advisories.is_empty() {
        let title = "NOTHING WAS COMPARED: there are no advisories.";
        writeln!(out, "{} `guardhouse advisories import FILE` reads some.", paint(title, RED, style))?;
        writeln!(out, "Found: {packages}{partly}; whether they are vulnerable is not known.")?;
    } else {
        let counts = Counts::of(report.findings.iter().map(|finding| &finding.finding));
        let colour = if counts.counted > 0 || !report.problems.is_empty() { RED } else { GREEN };
        let found = paint(&format!("Found: {}", summary(&counts)), colour, style);
        writeln!(out, "{found} among {packages}{partly}{}.", suppressed(&counts))?;
        if counts.counted > 0 {
            writeln!(out, "A fixed version is there for {} of them.", counts.fixable)?;
        }
        writeln!(out, "Compared with:")?;
        for source in &report.advisories {
            let of = |moment: Timestamp| {
                format!("{} ({})", moment.strftime("%Y-%m-%d"), age(moment, report.ended))
            };
            let newest =
                source.newest.map_or_else(String::new, |newest| format!(", newest change {}", of(newest)));
            let (name, imported) = (printable(&source.name), of(source.imported));
            writeln!(out, "  {name}: {}, imported {imported}{newest}", advisories(source))?;
        }
    }
    if let Some(names) = report.not_run() {
        writeln!(out, "Not run: {}.", printable(&names))?;
    }
    let totals = &report.totals;
    writeln!(out, "Looked at {}, {}; read {}.", files(totals), size(totals.bytes), size(totals.bytes_read))
}

const RED: &str = "\u{1b}[1;31m";
const GREEN: &str = "\u{1b}[32m";
const RESET: &str = "\u{1b}[0m";

fn paint(text: &str, colour: &str, style: Style) -> String {
    if style.colour { format!("{colour}{text}{RESET}") } else { text.to_owned() }
}

/// Paints the word of a level that a line of the table begins with. Done after the table is laid out, to which colours
/// would be text.
fn painted_by_level(line: &str, style: Style) -> String {
    let rest = line.trim_start();
    let word = LEVELS.into_iter().find(|level| {
        let after = rest.strip_prefix(level.to_string().as_str());
        after.is_some_and(|after| after.starts_with(' '))
    });
    match word {
        // Only the first column is indented by two.
        Some(level) if style.colour && line.len() == rest.len() + 2 => {
            let word = level.to_string();
            format!("  {}{word}{RESET}{}", colour_of(level), rest.strip_prefix(&word).unwrap_or_default())
        }
        _ => line.to_owned(),
    }
}

fn colour_of(level: SeverityLevel) -> &'static str {
    match level {
        SeverityLevel::Critical => RED,
        SeverityLevel::High => "\u{1b}[31m",
        SeverityLevel::Medium => "\u{1b}[33m",
        SeverityLevel::Low => "\u{1b}[36m",
        SeverityLevel::Negligible | SeverityLevel::Unknown => "\u{1b}[2m",
    }
}
