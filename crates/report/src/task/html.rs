//! The page about a task: it stands on its own, as that about an asset, and leads nowhere.

use std::io::{self, Write};

use super::{AssetLine, Ending, Found, TaskReport, TaskTotals, Vulnerabilities};
use crate::{
    html::begin,
    text::{count, html, moment, size},
    view::LEVELS,
};

/// Writes the report.
///
/// # Errors
/// What `out` says.
pub fn write(report: &TaskReport, out: &mut dyn Write) -> io::Result<()> {
    let name = html(&report.task.name);
    begin(&format!("{name}: vulnerabilities"), out)?;
    writeln!(out, "<header>\n<h1>{name}</h1>")?;
    let (id, version) = (html(&report.task.id), html(&report.tool_version));
    let ended = report.task.ended.map_or_else(String::new, |ended| format!(" to {}", moment(ended)));
    writeln!(out, "<p>Task {id}, {}{ended}, by Guardhouse {version}</p>", moment(report.task.started))?;
    let not_run: Vec<_> =
        report.projects.iter().filter(|project| !project.run).map(|project| html(&project.name)).collect();
    if !not_run.is_empty() {
        writeln!(out, "<p class=\"note\">Not run: {}</p>", not_run.join(", "))?;
    }
    writeln!(out, "</header>")?;
    failures(&report.assets, out)?;
    totals(&report.totals, out)?;
    table(&report.assets, out)?;
    writeln!(out, "</body>\n</html>")
}

/// What there is no result of comes first: of these assets nothing is known.
fn failures(assets: &[AssetLine], out: &mut dyn Write) -> io::Result<()> {
    let failed = || assets.iter().filter(|line| line.ending != Ending::Done);
    if failed().next().is_none() {
        return Ok(());
    }
    let number = count(failed().count(), "asset", "assets");
    writeln!(out, "<section class=\"problems\">\n<h2>Not scanned: {number}</h2>\n<ul>")?;
    for line in failed() {
        let reason = if line.reason.is_empty() { words(line.ending).to_owned() } else { html(&line.reason) };
        writeln!(out, "<li><strong>{}</strong>: {reason}</li>", html(&line.name))?;
    }
    writeln!(out, "</ul>\n</section>")
}

fn totals(totals: &TaskTotals, out: &mut dyn Write) -> io::Result<()> {
    let found = &totals.vulnerabilities;
    let assets = count(totals.done, "asset", "assets");
    let vulnerabilities = count(found.total, "vulnerability", "vulnerabilities");
    writeln!(out, "<section class=\"result\">\n<h2>{vulnerabilities} in {assets}</h2>\n<p>")?;
    levels(found, out)?;
    writeln!(out, "</p>")?;
    let vulnerable = count(totals.vulnerable, "asset is", "assets are");
    writeln!(
        out,
        "<p>{vulnerable} vulnerable. A fixed version is there for {} vulnerabilities.</p>",
        found.fixable
    )?;
    if totals.with_problems > 0 {
        let partly = count(totals.with_problems, "asset was", "assets were");
        writeln!(out, "<p>{partly} not scanned wholly: the report of each says what was left out.</p>")?;
    }
    writeln!(out, "<p>Read {}.</p>\n</section>", size(totals.bytes_read))
}

fn levels(found: &Vulnerabilities, out: &mut dyn Write) -> io::Result<()> {
    for level in LEVELS {
        let number = found.levels.of(level);
        if number > 0 {
            writeln!(out, "<span class=\"level {level}\">{number} {level}</span>")?;
        }
    }
    if found.suppressed > 0 {
        writeln!(out, "<span class=\"level\">{} suppressed</span>", found.suppressed)?;
    }
    Ok(())
}

fn table(assets: &[AssetLine], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<main>\n<table>\n<thead><tr><th>Asset</th><th>System</th><th>Packages</th><th>Vulnerabilities</th>\
         <th>Read</th><th>Scanned</th></tr></thead>\n<tbody>"
    )?;
    for line in assets {
        writeln!(out, "<tr>\n<td>{}<br><code>{}</code></td>", html(&line.name), html(&line.instance_id))?;
        match &line.found {
            Some(found) => self::found(found, out)?,
            None if line.ending == Ending::Done => {
                writeln!(out, "<td colspan=\"3\">its result is not kept any more</td>")?;
            }
            None => writeln!(out, "<td colspan=\"3\">{}</td>", words(line.ending))?,
        }
        let ended = line.ended.map_or_else(String::new, moment);
        writeln!(out, "<td>{}</td><td>{ended}</td>\n</tr>", size(line.bytes_read))?;
    }
    writeln!(out, "</tbody>\n</table>\n</main>")
}

fn found(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let systems: Vec<_> = found.systems.iter().map(|system| html(system)).collect();
    let systems = if systems.is_empty() { "none recognised".to_owned() } else { systems.join("<br>") };
    writeln!(out, "<td>{systems}</td><td>{}</td>\n<td>", found.packages)?;
    if found.not_compared {
        writeln!(out, "nothing was compared: there are no advisories")?;
    } else if found.vulnerabilities.total == 0 {
        writeln!(out, "none")?;
    }
    levels(&found.vulnerabilities, out)?;
    if found.problems > 0 {
        writeln!(out, "<br>not scanned wholly: {}", count(found.problems, "problem", "problems"))?;
    }
    writeln!(out, "</td>")
}

fn words(ending: Ending) -> &'static str {
    match ending {
        Ending::Done => "scanned",
        Ending::Failed => "failed",
        Ending::TimedOut => "took too long",
        Ending::Cancelled => "cancelled",
    }
}
