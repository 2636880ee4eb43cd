//! `TakeSnapshot`: the device takes snapshots of its file systems and sends them to the server, as one archive.
//!
//! The server is asked first whether it still wants them. The snapshots are taken together (`take`), read by a thread of
//! its own (`archive`) as fast as the server takes what was read (`upload`), and removed as soon as they are read. What
//! a run leaves that dies on the way, the agent removes (`snapshots::leftovers`).

mod archive;
mod holes;
mod mount;
mod parts;
mod take;
mod upload;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use guardhouse_contract::{
    action::{ActionFailure, TakeSnapshot, TakeSnapshotResult, take_snapshot_result::Volume as Archived},
    status::pack,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use crate::{
    outcome::{Failure, Outcome},
    snapshots::{
        look::{Look, last_words},
        survey::Survey,
    },
    system::{System, Tools},
    workplace::Workplace,
};
use archive::{Archive, Omissions};
use parts::{Parts, Word};
use take::{Readable, Snapshots};
use upload::Upload;

/// How long programs may take, in hours: as long as the whole.
const TIME_LIMIT: u64 = 24;

/// How strongly the archive is packed: as fast as possible.
const LEVEL: i32 = 1;

/// How many words may wait between who reads and who sends.
const WAITING: usize = 2;

/// How often it is looked whether the snapshots still are what they were.
const LOOK: Duration = Duration::from_secs(30);

/// How often the wish to stop is heeded while there is nothing to send.
const HEED: Duration = Duration::from_secs(1);

/// The least important of all work (`man 2 setpriority`): reading also comes last then.
const NICE: i32 = 19;

/// The action, ready to begin.
#[derive(Debug)]
pub struct Snapshot {
    system: System,
    look: Look,
    survey: Survey,
}

/// Finds out of what snapshots can be taken.
///
/// # Errors
/// None can be taken of what the device starts from.
pub fn prepare(order: &TakeSnapshot, workplace: &Workplace) -> Result<Snapshot, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new("NOT_PERMITTED", "snapshots are taken by root only; run the agent as root"));
    }
    let system = System::default();
    let look = Look::new(&system);
    let answer = match look.question(&system) {
        Ok(Some(mut question)) => {
            let tools = tools(workplace, &system)?;
            let ended = tools.query(&mut question)?;
            match ended.code {
                0 => Ok(Some(ended.said)),
                code => Err(format!("lvs: {}", last_words(&ended.said, code))),
            }
        }
        Ok(None) => Ok(None),
        Err(reason) => Err(reason),
    };
    let survey = look.survey(answer, order.data_disks);
    match survey.refusal() {
        Some(reason) => Err(Failure::new("SNAPSHOT_NOT_POSSIBLE", reason)),
        None => Ok(Snapshot { system, look, survey }),
    }
}

fn tools<'a>(workplace: &'a Workplace, system: &'a System) -> Result<Tools<'a>, Failure> {
    Tools::new(workplace, system, TIME_LIMIT)
        .map_err(|error| Failure::new("PROGRAM_NOT_STARTED", error.to_string()))
}

impl Snapshot {
    /// Takes the snapshots and sends them.
    pub async fn perform(self, workplace: &Workplace) -> Outcome {
        let mut result = TakeSnapshotResult::default();
        let mut omissions = Omissions::default();
        for left in &self.survey.left_out {
            omissions.add(&left.path, left.reason.clone());
        }
        let done = self.carry_out(workplace, &mut result, &mut omissions).await;
        result.left_out_count = omissions.count;
        result.left_out = omissions.named;
        if let Err(Failure { code, reason, .. }) = done {
            result.failure = Some(ActionFailure { code: code.to_owned(), reason });
        }
        Outcome { succeeded: result.failure.is_none(), suppressed: false, result: pack(&result) }
    }

    async fn carry_out(
        &self,
        workplace: &Workplace,
        result: &mut TakeSnapshotResult,
        omissions: &mut Omissions,
    ) -> Result<(), Failure> {
        let tools = tools(workplace, &self.system)?;
        let mut upload = Upload::new(workplace);
        workplace.progress("SNAPSHOTTING", None, "asking the server whether it wants the snapshot");
        upload.ask().await?;
        workplace.progress("SNAPSHOTTING", None, "taking the snapshots");
        let mut snapshots = Snapshots::new(&tools);
        let sent = match snapshots.take(&self.survey.volumes, &self.look, omissions).await {
            Ok(readable) => self.send(readable, &mut snapshots, &mut upload, result, omissions).await,
            Err(failure) => Err(failure),
        };
        result.archive_bytes = upload.kept();
        snapshots.remove_all().await;
        sent
    }

    /// Reads the snapshots and sends what is read.
    async fn send(
        &self,
        readable: Vec<Readable>,
        snapshots: &mut Snapshots<'_>,
        upload: &mut Upload<'_>,
        result: &mut TakeSnapshotResult,
        omissions: &mut Omissions,
    ) -> Result<(), Failure> {
        let content_bytes = Arc::new(AtomicU64::new(0));
        let (out, mut words) = mpsc::channel(WAITING);
        let reading = read(readable, out, Arc::clone(&content_bytes), std::mem::take(omissions))
            .map_err(|error| Failure::new("SNAPSHOT_FAILED", format!("no thread can be started: {error}")))?;
        let sent = self.pass_on(&mut words, snapshots, upload, &content_bytes).await;
        // Where something failed, the thread must not wait for somebody to listen.
        drop(words);
        let read = reading.join().unwrap_or_else(|_| {
            let error = io::Error::other("who reads the snapshots died; the log of the agent says why");
            ReadOut { ended: Err(error), volumes: Vec::new(), omissions: Omissions::default() }
        });
        *omissions = read.omissions;
        result.volumes = read.volumes;
        result.content_bytes = content_bytes.load(Ordering::Relaxed);
        sent?;
        read.ended.map_err(|error| Failure::new("SNAPSHOT_FAILED", error.to_string()))
    }

    async fn pass_on(
        &self,
        words: &mut mpsc::Receiver<Word>,
        snapshots: &mut Snapshots<'_>,
        upload: &mut Upload<'_>,
        content_bytes: &AtomicU64,
    ) -> Result<(), Failure> {
        let all = self.survey.volumes.iter().map(|volume| volume.used_bytes).fold(1, u64::saturating_add);
        let mut looked = Instant::now();
        loop {
            let Ok(word) = timeout(HEED, words.recv()).await else {
                // A large hole, or many files that were left out: nothing comes for a while.
                upload.may_go_on()?;
                continue;
            };
            let Some(word) = word else { return Ok(()) };
            match word {
                Word::Part { content, last } => {
                    let done = content_bytes.load(Ordering::Relaxed);
                    let percent = u32::try_from((u128::from(done) * 100 / u128::from(all)).min(99)).ok();
                    let message = format!("{} MiB read, {} MiB sent", done >> 20, upload.kept() >> 20);
                    upload.workplace().progress("SENDING", percent, message);
                    upload.put(&content, last).await?;
                    if looked.elapsed() >= LOOK {
                        snapshots.check_all()?;
                        looked = Instant::now();
                    }
                }
                Word::Read(number) => {
                    snapshots.check(number)?;
                    snapshots.remove(number).await;
                }
            }
        }
    }
}

/// What the thread that reads leaves.
struct ReadOut {
    /// Whether it came to the end.
    ended: io::Result<()>,
    volumes: Vec<Archived>,
    omissions: Omissions,
}

/// Reads snapshots in a thread of its own.
fn read(
    readable: Vec<Readable>,
    out: mpsc::Sender<Word>,
    content_bytes: Arc<AtomicU64>,
    omissions: Omissions,
) -> io::Result<JoinHandle<ReadOut>> {
    let read = move || {
        // Of this thread only. Where it is not allowed, the work is as important as others.
        let _ = rustix::process::setpriority_process(None, NICE);
        let mut left = ReadOut { ended: Ok(()), volumes: Vec::new(), omissions };
        left.ended = archive_all(readable, out, content_bytes, &mut left.volumes, &mut left.omissions);
        left
    };
    thread::Builder::new().name("archive".to_owned()).spawn(read)
}

fn archive_all(
    readable: Vec<Readable>,
    out: mpsc::Sender<Word>,
    content_bytes: Arc<AtomicU64>,
    volumes: &mut Vec<Archived>,
    omissions: &mut Omissions,
) -> io::Result<()> {
    let packed = zstd::stream::write::Encoder::new(Parts::new(out), LEVEL)?;
    let mount_points =
        readable.iter().flat_map(|snapshot| &snapshot.trees).map(|tree| tree.mount_point.clone());
    let mut archive = Archive::new(packed, mount_points.collect(), content_bytes);
    archive.omissions = std::mem::take(omissions);
    let add_all = || -> io::Result<()> {
        for snapshot in readable {
            for tree in &snapshot.trees {
                let entry_count = archive.add(tree)?;
                let mount_point = tree.mount_point.to_string_lossy().into_owned();
                volumes.push(Archived { mount_point, kind: snapshot.kind.to_owned(), entry_count });
            }
            let number = snapshot.number;
            // Before it is removed it has to be unmounted.
            drop(snapshot);
            archive.out().get_ref().read(number)?;
        }
        Ok(())
    };
    let added = add_all();
    *omissions = std::mem::take(&mut archive.omissions);
    added?;
    archive.finish()?.finish()?.finish()
}
