//! The other side of the scanning process: starts it, reads what it tells, and starts it again without the file that
//! killed it. Nothing that the process says is trusted: lines, events and times are bounded.

mod child;
mod death;
mod ledger;
mod stop;

use std::{
    collections::HashSet,
    ffi::OsString,
    io,
    path::PathBuf,
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::Duration,
};

use crate::{
    event::Event,
    positions::Spot,
    process::{NOT_OPENED, ScanOptions, Targets},
};
use child::Child;
pub(crate) use child::Message;
#[cfg(any(test, fuzzing))]
pub(crate) use child::forward;
pub use death::Death;
pub(crate) use ledger::Ledger;
pub use stop::Stop;

/// How the scanning process is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments; `--also`, `--scratch` and the target follow.
    pub arguments: Vec<OsString>,
}

/// How long a scan may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// All of it; without a bound when there is none.
    pub total: Option<Duration>,
    /// A single file or folder.
    pub file: Duration,
    /// How often the process is started again.
    pub restarts: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self { total: None, file: Duration::from_secs(600), restarts: 20 }
    }
}

/// How a scan ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What became of it.
    pub outcome: Outcome,
    /// How often the process died, and of what.
    pub deaths: Vec<Death>,
}

/// What became of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was looked at, but for what is named as a cause of death.
    Complete,
    /// The target cannot be opened; why, in a sentence.
    NotOpened(String),
    /// It was given up; what was told before is true. Why, in a sentence.
    GivenUp(String),
    /// It took longer than this; what was told before is true.
    OutOfTime(Duration),
    /// Somebody stopped it.
    Stopped,
}

/// How often the time is looked at.
const TICK: Duration = Duration::from_millis(500);

/// How many lines wait to be read.
const WAITING: usize = 256;

/// Scans a target in a process of its own, and shows what it tells: each thing once, progress that never falls, and
/// [`Event::Done`] at most once, at the end. Ends within half a second of `stop`.
///
/// # Errors
/// The process cannot be started.
pub fn scan(
    launch: &Launch,
    targets: &Targets,
    options: &ScanOptions,
    patience: Patience,
    stop: &Stop,
    show: &mut dyn FnMut(Event),
) -> io::Result<Ended> {
    let (sender, messages) = mpsc::sync_channel(WAITING);
    let (_end, ended) = mpsc::sync_channel::<()>(0);
    let tick = patience.total.map_or(TICK, |total| TICK.min(total)).min(patience.file);
    let ticks = sender.clone();
    // Ends with this function, when `_end` is dropped.
    thread::Builder::new().spawn(move || ring(&ended, tick, &ticks))?;
    let mut scan = Scan {
        launch,
        targets,
        options: options.clone(),
        patience,
        stop,
        tick,
        passed: Duration::ZERO,
        ledger: Ledger::default(),
        deaths: Vec::new(),
        sender,
        messages,
        show,
    };
    let outcome = scan.run()?;
    Ok(Ended { outcome, deaths: scan.deaths })
}

fn ring(ended: &Receiver<()>, tick: Duration, ticks: &SyncSender<Message>) {
    while ended.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
        if ticks.send(Message::Tick).is_err() {
            return;
        }
    }
}

struct Scan<'a> {
    launch: &'a Launch,
    targets: &'a Targets,
    options: ScanOptions,
    patience: Patience,
    stop: &'a Stop,
    tick: Duration,
    /// How much time has passed, counted in ticks.
    passed: Duration,
    ledger: Ledger,
    deaths: Vec<Death>,
    sender: SyncSender<Message>,
    messages: Receiver<Message>,
    show: &'a mut dyn FnMut(Event),
}

/// Why a process was ended by us.
#[derive(Clone, Debug)]
enum Killed {
    /// Somebody stopped the scan.
    Stopped,
    /// The scan took too long.
    OutOfTime,
    /// One file took too long.
    Stuck(Spot),
    /// It said what no scanner says.
    Unruly(String),
}

impl Scan<'_> {
    fn run(&mut self) -> io::Result<Outcome> {
        loop {
            if self.stop.is_stopped() {
                return Ok(Outcome::Stopped);
            }
            self.ledger.begin(self.options.only_suspects);
            let mut child = Child::start(self.launch, self.targets, &self.options, &self.sender)?;
            let killed = self.listen(&mut child);
            let (status, last_words) = child.wait()?;
            if status.success() && self.ledger.finish(self.show) {
                return Ok(Outcome::Complete);
            }
            if status.code() == Some(i32::from(NOT_OPENED)) {
                return Ok(Outcome::NotOpened(last_words));
            }
            let cause = match &killed {
                None => death::cause(status, &last_words, &self.options.resources),
                Some(Killed::Stopped) => return Ok(Outcome::Stopped),
                Some(Killed::OutOfTime) => {
                    return Ok(Outcome::OutOfTime(self.patience.total.unwrap_or_default()));
                }
                Some(Killed::Unruly(how)) => return Ok(Outcome::GivenUp(how.clone())),
                Some(Killed::Stuck(_)) => {
                    format!("it took longer than {:?} for one file", self.patience.file)
                }
            };
            let spots = match killed {
                Some(Killed::Stuck(spot)) => vec![spot],
                _ => child.spots()?,
            };
            if let Some(outcome) = self.learn(cause, spots) {
                return Ok(outcome);
            }
        }
    }

    /// Reads what a process tells until it ends; says why, if we ended it.
    fn listen(&mut self, child: &mut Child) -> Option<Killed> {
        let mut killed = None;
        let mut waited = Duration::ZERO;
        while let Ok(message) = self.messages.recv() {
            let reason = match message {
                Message::End => break,
                // What it told before its end is true, but for one that says what no scanner says.
                Message::Line(_) if matches!(killed, Some(Killed::Unruly(_))) => None,
                Message::Line(line) => self.ledger.take(&line, self.show).err().map(Killed::Unruly),
                Message::TooLong => {
                    Some(Killed::Unruly("the scanner told a line that is too long".to_owned()))
                }
                Message::Tick => {
                    self.passed += self.tick;
                    waited += self.tick;
                    if self.stop.is_stopped() {
                        Some(Killed::Stopped)
                    } else if self.patience.total.is_some_and(|total| self.passed >= total) {
                        Some(Killed::OutOfTime)
                    } else if waited >= self.patience.file {
                        waited = Duration::ZERO;
                        child.stuck().map(Killed::Stuck)
                    } else {
                        None
                    }
                }
            };
            if killed.is_none() && reason.is_some() {
                child.kill();
                killed = reason;
            }
        }
        killed
    }

    /// Draws the conclusion from a death: what the next process does not touch. An outcome when there is no next one.
    fn learn(&mut self, cause: String, spots: Vec<Spot>) -> Option<Outcome> {
        let known: HashSet<_> = self.options.avoid.iter().map(|spot| (spot.system, &spot.path)).collect();
        let spots: Vec<_> = spots
            .into_iter()
            .filter(|spot| spot.system.is_some() && !known.contains(&(spot.system, &spot.path)))
            .collect();
        let give_up = |why: &str| Some(Outcome::GivenUp(format!("the scanner died: {cause}; {why}")));
        if spots.is_empty() {
            return give_up("at nothing that could be left out");
        }
        if self.deaths.len() >= self.patience.restarts {
            return give_up("it was started again too often");
        }
        self.options.only_suspects = self.ledger.has_walked();
        let mut killer = None;
        if let [spot] = spots.as_slice() {
            killer = Some(spot.clone());
            self.options
                .suspects
                .retain(|suspect| (suspect.system, &suspect.path) != (spot.system, &spot.path));
            self.options.avoid.push(spot.clone());
        } else {
            // One of several threads died of its file. Which one shows when they are read one after the other.
            for spot in spots {
                let is_new = |suspect: &Spot| (suspect.system, &suspect.path) != (spot.system, &spot.path);
                if self.options.suspects.iter().all(is_new) {
                    self.options.suspects.push(spot);
                }
            }
        }
        self.deaths.push(Death { cause, killer });
        None
    }
}
