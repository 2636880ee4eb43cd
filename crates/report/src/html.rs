//! A page that stands on its own: no script, nothing loaded, printable. What of it opens and filters is done by the
//! elements and the style themselves.

use std::io::{self, Write};

use guardhouse_advisories::SeverityLevel;
use jiff::Timestamp;

use crate::model::{Report, SystemReport};
use crate::text::{advisories, age, count, files, html, link, moment, size};
use crate::view::{Counts, LEVELS, Row, rows};

/// The style of the page.
const STYLE: &str = include_str!("html.css");

/// Writes the report.
///
/// # Errors
/// What `out` says.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let name = html(&report.target.name);
    begin(&format!("{name}: vulnerabilities"), out)?;
    header(report, out)?;
    problems(report, out)?;
    let rows = rows(report);
    result(report, out)?;
    filter(&rows, out)?;
    writeln!(out, "<main>")?;
    for (index, system) in report.systems.iter().enumerate() {
        let of_system: Vec<&Row<'_>> = rows.iter().filter(|row| row.system_index == index).collect();
        self::system(system, &of_system, out)?;
    }
    writeln!(out, "</main>")?;
    footer(report, out)?;
    writeln!(out, "</body>\n</html>")
}

/// Writes what every page begins with, up to its body. `title` is fit for a page already.
pub(crate) fn begin(title: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    // Nothing may be loaded, run or sent, whatever a name in the image tries.
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">"
    )?;
    writeln!(out, "<meta name=\"referrer\" content=\"no-referrer\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>")
}

fn header(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<header>\n<h1>{}</h1>", html(&report.target.name))?;
    let size =
        if report.target.size == 0 { String::new() } else { format!(", {}", size(report.target.size)) };
    let kind = html(&report.target.kind);
    let version = html(&report.tool_version);
    writeln!(out, "<p>{kind}{size}, scanned {} with Guardhouse {version}</p>", moment(report.ended))?;
    for note in &report.target.notes {
        writeln!(out, "<p class=\"note\">{}</p>", html(note))?;
    }
    if let Some(names) = report.not_run() {
        writeln!(out, "<p class=\"note\">Not run: {}</p>", html(&names))?;
    }
    writeln!(out, "</header>")
}

fn problems(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section class=\"problems\">")?;
    writeln!(
        out,
        "<h2>Not scanned wholly: {}</h2>\n<ul>",
        count(report.problems.len(), "problem", "problems")
    )?;
    let mut problems: Vec<_> = report.problems.iter().collect();
    problems
        .sort_by_key(|problem| crate::model::ProblemKind::ALL.iter().position(|kind| *kind == problem.kind));
    for problem in problems {
        let place = html(&problem.place);
        let place = if place.is_empty() { place } else { format!("<code>{place}</code>: ") };
        writeln!(
            out,
            "<li><strong>{}</strong>: {place}{}</li>",
            problem.kind.words(),
            html(&problem.message)
        )?;
    }
    writeln!(out, "</ul>\n</section>")
}

fn result(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let packages: usize = report.systems.iter().map(|system| system.packages.len()).sum();
    let packages = count(packages, "package", "packages");
    let partly = if report.problems.is_empty() { "" } else { ", in what could be scanned" };
    if report.advisories.is_empty() {
        writeln!(
            out,
            "<section class=\"problems\">\n<h2>Nothing was compared: there are no advisories</h2>"
        )?;
        return writeln!(
            out,
            "<p>{packages} found{partly}; whether they are vulnerable is not known.</p>\n</section>"
        );
    }
    let counts = Counts::of(report.findings.iter().map(|finding| &finding.finding));
    writeln!(
        out,
        "<section class=\"result\">\n<h2>{} among {packages}{partly}</h2>\n<p>",
        vulnerabilities(&counts)
    )?;
    for (level, number) in LEVELS.iter().zip(counts.by_level).filter(|(_, number)| *number > 0) {
        writeln!(out, "<span class=\"level {level}\">{number} {level}</span>")?;
    }
    if counts.suppressed > 0 {
        writeln!(out, "<span class=\"level\">{} suppressed</span>", counts.suppressed)?;
    }
    writeln!(out, "</p>")?;
    if counts.counted > 0 {
        writeln!(out, "<p>A fixed version is there for {} of them.</p>", counts.fixable)?;
    }
    writeln!(out, "<p>Compared with:</p>\n<ul>")?;
    for source in &report.advisories {
        let of =
            |moment: Timestamp| format!("{} ({})", moment.strftime("%Y-%m-%d"), age(moment, report.ended));
        let newest =
            source.newest.map_or_else(String::new, |newest| format!(", newest change {}", of(newest)));
        let (name, imported) = (html(&source.name), of(source.imported));
        writeln!(out, "<li>{name}: {}, imported {imported}{newest}</li>", advisories(source))?;
    }
    writeln!(out, "</ul>\n</section>")
}

fn vulnerabilities(counts: &Counts) -> String {
    count(counts.counted, "vulnerability", "vulnerabilities")
}

/// A box for every level that there is; the style hides the findings of those that are not ticked. They stand before
/// `main`, where the style can refer to them.
fn filter(rows: &[Row<'_>], out: &mut dyn Write) -> io::Result<()> {
    let there = |level: SeverityLevel| rows.iter().any(|row| row.finding.severity.level == level);
    let levels: Vec<SeverityLevel> = LEVELS.into_iter().filter(|level| there(*level)).collect();
    if levels.len() < 2 {
        return Ok(());
    }
    for level in levels {
        writeln!(out, "<input class=\"filter\" type=\"checkbox\" id=\"show-{level}\" checked>")?;
        writeln!(out, "<label class=\"filter\" for=\"show-{level}\">{level}</label>")?;
    }
    Ok(())
}

fn system(system: &SystemReport, rows: &[&Row<'_>], out: &mut dyn Write) -> io::Result<()> {
    let counts = Counts::of(rows.iter().map(|row| row.finding));
    writeln!(out, "<section>\n<h2>{}</h2>", html(&system.title()))?;
    let packages = count(system.packages.len(), "package", "packages");
    writeln!(out, "<p>{}, {packages}</p>", vulnerabilities(&counts))?;
    for note in &system.notes {
        writeln!(out, "<p class=\"note\">{}</p>", html(note))?;
    }
    let (suppressed, counted): (Vec<&Row<'_>>, Vec<&Row<'_>>) =
        rows.iter().copied().partition(|row| row.finding.suppressed.is_some());
    table(&counted, out)?;
    if !suppressed.is_empty() {
        writeln!(out, "<details>\n<summary>{} suppressed</summary>", suppressed.len())?;
        table(&suppressed, out)?;
        writeln!(out, "</details>")?;
    }
    if !system.packages.is_empty() {
        package_list(system, &packages, out)?;
    }
    writeln!(out, "</section>")
}

fn table(rows: &[&Row<'_>], out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<table>\n<thead><tr><th>Severity</th><th>Package</th><th>Installed</th><th>Fixed in</th>\
         <th>Advisory</th></tr></thead>\n<tbody>"
    )?;
    for row in rows {
        let package = &row.package.package;
        let level = row.finding.severity.level;
        let score = row.finding.severity.score.map_or_else(String::new, |score| format!(" {score:.1}"));
        writeln!(out, "<tr class=\"finding {level}\">")?;
        writeln!(out, "<td><span class=\"level {level}\">{level}{score}</span></td>")?;
        writeln!(out, "<td>{}<br><code>{}</code></td>", html(&package.name), html(&row.package.evidence()))?;
        writeln!(out, "<td>{}</td>", html(&package.version))?;
        writeln!(out, "<td>{}</td>", row.finding.fixed.as_deref().map_or_else(|| "no fix".to_owned(), html))?;
        writeln!(out, "<td>")?;
        advisory(row, out)?;
        writeln!(out, "</td>\n</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>")
}

fn advisory(row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (finding, id) = (row.finding, html(&row.advisory()));
    let links: Vec<String> =
        finding.references.iter().filter_map(|reference| link(reference)).map(html).collect();
    match links.first() {
        Some(page) => writeln!(out, "<a href=\"{page}\" rel=\"noopener noreferrer\">{id}</a>")?,
        None => writeln!(out, "{id}")?,
    }
    writeln!(out, "<span class=\"source\">{}</span>", html(&finding.source))?;
    if !finding.summary.is_empty() {
        writeln!(out, "<br>{}", html(&finding.summary))?;
    }
    if let Some(suppression) = &finding.suppressed {
        let (status, by) = (html(&suppression.status), html(&suppression.by));
        writeln!(out, "<br><em>{status} by {by}: {}</em>", html(&suppression.reason))?;
    }
    let details = [
        ("Also known as", finding.aliases.join(", ")),
        ("Vector", finding.severity.vector.clone()),
        ("The source's word", finding.severity.word.clone()),
        ("Compared", format!("{} {}", finding.affected_name, finding.compared_version).trim().to_owned()),
    ];
    let details: Vec<_> = details.iter().filter(|(_, value)| !value.is_empty()).collect();
    if details.is_empty() && links.len() < 2 {
        return Ok(());
    }
    writeln!(out, "<details><summary>details</summary>\n<dl>")?;
    for (name, value) in details {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", html(value))?;
    }
    for page in links.iter().skip(1) {
        writeln!(out, "<dt>See also</dt><dd><a href=\"{page}\" rel=\"noopener noreferrer\">{page}</a></dd>")?;
    }
    writeln!(out, "</dl></details>")
}

fn package_list(system: &SystemReport, packages: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<details>\n<summary>{packages}</summary>\n<table>")?;
    writeln!(
        out,
        "<thead><tr><th>Kind</th><th>Package</th><th>Version</th><th>Found in</th></tr></thead>\n<tbody>"
    )?;
    for found in &system.packages {
        let package = &found.package;
        let (name, version, evidence) =
            (html(&package.name), html(&package.version), html(&found.evidence()));
        writeln!(
            out,
            "<tr><td>{}</td><td>{name}</td><td>{version}</td><td><code>{evidence}</code></td></tr>",
            package.kind
        )?;
    }
    writeln!(out, "</tbody>\n</table>\n</details>")
}

fn footer(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<footer>")?;
    if !report.volumes.is_empty() {
        writeln!(
            out,
            "<table>\n<thead><tr><th>Volume</th><th>Content</th><th>Size</th><th>Scanned</th></tr></thead>\n<tbody>"
        )?;
        for volume in &report.volumes {
            let scanned = if volume.scanned { "yes" } else { "no" };
            let notes: String = volume.notes.iter().map(|note| format!("<br>{}", html(note))).collect();
            let (place, content) = (html(&volume.place), html(&volume.content));
            writeln!(
                out,
                "<tr><td>{place}</td><td>{content}{notes}</td><td>{}</td><td>{scanned}</td></tr>",
                size(volume.size)
            )?;
        }
        writeln!(out, "</tbody>\n</table>")?;
    }
    let totals = &report.totals;
    let (bytes, read) = (size(totals.bytes), size(totals.bytes_read));
    writeln!(out, "<p>Looked at {}, {bytes}; read {read}.</p>\n</footer>", files(totals))
}
