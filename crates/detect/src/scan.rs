//! A scan: the process, what it tells, the comparison.

use std::time::Duration;

use guardhouse_model::Environment;
use guardhouse_report::Report;
use guardhouse_scan::{
    Event, Project,
    supervisor::{self, Launch, Outcome, Patience, Stop},
};

use crate::{Error, Request, assemble::Assembler, judge::StoreJudge};

/// How far a project is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which.
    pub project: Project,
    /// 0 to 100; never falls, and 100 only at its end.
    pub percent: u8,
}

/// What a scan came to.
#[derive(Clone, Debug)]
pub struct Detected {
    /// What was found.
    pub report: Report,
    /// What of VEX documents and rules has no effect, as sentences.
    pub notes: Vec<String>,
    /// Whether everything was looked at.
    pub ending: Ending,
}

/// How a scan ended of which there is a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything was looked at, but for what the report names.
    Complete,
    /// It was given up, and the report has what was found until then; why, in a sentence.
    GivenUp(String),
    /// It took longer than this, and the report has what was found until then.
    OutOfTime(Duration),
}

/// Scans a target and compares what is there with the advisories. Ends within half a second of `stop`, with its process.
///
/// # Errors
/// The knowledge cannot be read, which is found out before the work; the target cannot be opened or nothing of it read; the
/// process cannot be started; it was stopped.
pub fn scan(
    request: &Request,
    launch: &Launch,
    environment: &Environment,
    stop: &Stop,
    tell: &mut dyn FnMut(Progress),
) -> Result<Detected, Error> {
    let started = environment.now();
    let mut judge = StoreJudge::open(&request.knowledge, started)?;
    let mut assembler = Assembler::new(&request.name);
    let options = request.options();
    let patience = Patience { total: request.timeout, ..Patience::default() };
    let show = &mut |event| match event {
        Event::Progress { project, percent } => tell(Progress { project, percent }),
        event => assembler.take(event),
    };
    let ended = supervisor::scan(launch, &request.targets(), &options, patience, stop, show);
    let ended = ended.map_err(Error::Start)?;
    assembler.end(&ended);
    let ending = match ended.outcome {
        Outcome::Stopped => return Err(Error::Stopped),
        Outcome::NotOpened(why) => return Err(Error::NotScanned(why)),
        Outcome::GivenUp(why) if !assembler.is_open() => return Err(Error::NotScanned(why)),
        Outcome::GivenUp(why) => Ending::GivenUp(why),
        Outcome::OutOfTime(total) => Ending::OutOfTime(total),
        Outcome::Complete => Ending::Complete,
    };
    for note in &request.notes {
        assembler.note(note.clone());
    }
    let report = assembler.finish(&options.projects, &mut judge, started, || environment.now())?;
    Ok(Detected { report, notes: judge.notes(), ending })
}
