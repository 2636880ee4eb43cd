//! In which forms the report is handed out, and where to.

use std::{
    fs::{self, File},
    io::{self, BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use guardhouse_model::Environment;
use guardhouse_report::{Report, cyclonedx, html, json, sarif, spdx, table, table::Style};
use rustix::termios::tcgetwinsize;

use super::interrupt::Leftovers;

/// A form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// The whole report; its form is documented in docs/scan-report.md.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
    /// `CycloneDX`: packages and vulnerabilities.
    Cyclonedx,
    /// SPDX: packages.
    Spdx,
    /// A page without anything from elsewhere.
    Html,
}

/// A form, and the file that it is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    format: Format,
    file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((format, file)) => (format, Some(file)),
            None => (text, None),
        };
        if file == Some("") {
            return Err("the name of the file is missing behind the =".to_owned());
        }
        let format = Format::from_str(format, false).map_err(|_| {
            let names = Format::value_variants().iter().filter_map(Format::to_possible_value);
            let names: Vec<_> = names.map(|value| value.get_name().to_owned()).collect();
            format!("{format:?} is none of {}", names.join(", "))
        })?;
        Ok(Self { format, file: file.map(PathBuf::from) })
    }
}

/// What is written where: at most one form to standard output.
///
/// # Errors
/// Two forms for one place.
pub fn plan(outputs: &[Output], file: Option<&Path>) -> anyhow::Result<Vec<Output>> {
    let mut plan = if outputs.is_empty() {
        vec![Output { format: Format::Table, file: None }]
    } else {
        outputs.to_vec()
    };
    if let Some(file) = file {
        match plan.iter_mut().find(|output| output.file.is_none()) {
            Some(output) => output.file = Some(file.to_owned()),
            None => bail!("every --format has its own file, so there is nothing for --output to take"),
        }
    }
    for (index, output) in plan.iter().enumerate() {
        if plan.iter().skip(index + 1).any(|other| other.file == output.file) {
            match &output.file {
                Some(file) => bail!("two formats for {}", file.display()),
                None => {
                    bail!("two formats for standard output; write one of them to a file: --format json=FILE")
                }
            }
        }
    }
    Ok(plan)
}

/// Writes a report in one form.
///
/// # Errors
/// The file, or standard output, cannot be written.
pub fn write(
    output: &Output,
    report: &Report,
    environment: &Environment,
    leftovers: &Leftovers,
) -> anyhow::Result<()> {
    let form = |style, out: &mut dyn Write| form(output.format, report, style, environment, out);
    match &output.file {
        Some(file) => write_file(file, leftovers, |out| form(Style::default(), out))
            .with_context(|| format!("cannot write {}", file.display())),
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            match form(style(), &mut out).and_then(|()| out.flush()) {
                // Nobody is left to read it (`| head`).
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written.context("cannot write to standard output"),
            }
        }
    }
}

fn form(
    format: Format,
    report: &Report,
    style: Style,
    environment: &Environment,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Cyclonedx => cyclonedx::write(report, environment.uuid(), out),
        Format::Spdx => spdx::write(report, environment.uuid(), out),
        Format::Html => html::write(report, out),
    }
}

/// How standard output wants it: in colours and as wide as the terminal, where it is one.
fn style() -> Style {
    if !io::stdout().is_terminal() {
        return Style::default();
    }
    // https://no-color.org
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let width = tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col).filter(|&columns| columns > 0);
    Style { colour, width }
}

/// Writes a file that is there as a whole or not at all.
fn write_file(
    file: &Path,
    leftovers: &Leftovers,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if file.exists() && !file.is_file() {
        // A pipe, a terminal: there is nothing to replace.
        let mut out = BufWriter::new(File::options().write(true).open(file)?);
        write(&mut out)?;
        return out.flush();
    }
    let mut name = file.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    // What is half written helps nobody.
    let created = File::create_new(&new)?;
    let _leftover = leftovers.keep(&new);
    let mut out = BufWriter::new(created);
    write(&mut out)?;
    out.into_inner()?.sync_all()?;
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Output {
        text.parse().expect(text)
    }

    #[test]
    fn each_form_has_a_place_of_its_own() {
        let table = Output { format: Format::Table, file: None };
        assert_eq!(plan(&[], None).expect("right"), [table]);
        let json = Output { format: Format::Json, file: Some("a=b.json".into()) };
        assert_eq!(plan(&[output("json=a=b.json")], None).expect("right"), std::slice::from_ref(&json));
        assert_eq!(plan(&[output("json")], Some(Path::new("a=b.json"))).expect("right"), [json]);
        assert_eq!(plan(&[output("table"), output("html=x")], None).expect("right").len(), 2);
        for (wrong, file) in [
            (&[output("json"), output("table")][..], None),
            (&[output("json=x"), output("sarif=x")], None),
            (&[output("json=x")], Some(Path::new("y"))),
            (&[output("json=x"), output("table")], Some(Path::new("x"))),
        ] {
            assert!(plan(wrong, file).is_err(), "{wrong:?} {file:?}");
        }
        for wrong in ["", "yaml", "json=", "=x"] {
            assert!(wrong.parse::<Output>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("report");
        fs::write(&file, "before").expect("a file");
        write_file(&file, &Leftovers::default(), |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        })
        .expect_err("the writer's error");
        assert_eq!(fs::read(&file).expect("a file"), b"before");
        write_file(&file, &Leftovers::default(), |out| out.write_all(b"after")).expect("written");
        assert_eq!(fs::read(&file).expect("a file"), b"after");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
