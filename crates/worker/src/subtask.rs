//! One subtask, from its address to its end.

use std::{path::PathBuf, sync::Arc, time::Duration};

use guardhouse_contract::{
    Status,
    scans::{LeaseState, LeasedSubtask, PutReportPartRequest, ScanOptions},
};
use guardhouse_detect::Request;
use guardhouse_locations::{Address, Fetched, fetch};
use guardhouse_model::Environment;
use guardhouse_scan::Project;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::{
    Queue, Settings,
    board::{Hand, Held, Why},
    outcome::{Outcome, Over, end, left, timed_out},
    parts::parts,
    queue::{HAND_IN, answer, is_passing, pause},
    scratch::Scratch,
};

/// What all subtasks of a worker work with.
#[derive(Debug)]
pub struct Workshop<Q> {
    /// Where they come from.
    pub queue: Q,
    /// How they are worked on.
    pub settings: Settings,
    /// Time and randomness.
    pub environment: Environment,
    /// Where copies go.
    pub scratch: Scratch,
}

/// The projects that a subtask is scanned for: those that were asked for and exist; all that exist when none was named.
pub fn projects(options: &ScanOptions) -> Vec<Project> {
    if options.projects.is_empty() {
        return Project::ALL.to_vec();
    }
    options.projects.iter().filter_map(|name| Project::named(name)).collect()
}

/// Scans a subtask and says how that ended.
pub async fn work<Q: Queue>(workshop: Arc<Workshop<Q>>, held: Held, subtask: LeasedSubtask) {
    let hand = held.hand();
    let name = subtask.target_name.clone();
    info!(image = name, task = subtask.task_uuid, "a scan begins");
    let over = workshop.scan(hand, subtask).await;
    match workshop.hand_in(hand, over).await {
        Ok(()) => info!(image = name, stopped = ?hand.why(), "a scan is over"),
        Err(status) => warn!(image = name, %status, "the end of a scan was not taken; its lease runs out"),
    }
}

impl<Q: Queue> Workshop<Q> {
    async fn scan(self: &Arc<Self>, hand: &Arc<Hand>, subtask: LeasedSubtask) -> Over {
        let begun = Instant::now();
        let limit = Duration::from_millis(u64::try_from(subtask.time_left_ms).unwrap_or(0));
        let options = subtask.options.unwrap_or_default();
        let projects = projects(&options);
        if projects.is_empty() {
            let all = Project::ALL.map(Project::name).join(", ");
            let asked = options.projects.join(", ");
            return Outcome::Failed(format!("nothing looks for {asked} yet; there are {all}")).into();
        }
        let Some(address) = subtask.address else {
            return Outcome::Failed("its location was removed".to_owned()).into();
        };
        let address = match Address::read(address, subtask.credentials) {
            Ok(address) => address,
            Err(flaw) => {
                let why = format!("the address of its location is wrong: {} {}", flaw.field, flaw.sentence);
                return Outcome::Failed(why).into();
            }
        };
        let fetched = tokio::select! {
            _ = hand.stopped() => return Outcome::Stopped.into(),
            () = tokio::time::sleep(limit) => return timed_out("it was fetched").into(),
            fetched = fetch(&address, &subtask.target_name, self.scratch.path(), &self.settings.folders) => fetched,
        };
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(trouble) => return Outcome::Failed(trouble.to_string()).into(),
        };
        let Some(timeout) = left(limit, begun.elapsed()) else {
            return timed_out("it was fetched").into();
        };
        let (workshop, hand, name) = (Arc::clone(self), Arc::clone(hand), subtask.target_name);
        let scan = move || workshop.detect(&hand, fetched, name, projects, timeout);
        // It ends by itself soon after the hand is stopped; until then it reads what was fetched.
        tokio::task::spawn_blocking(scan).await.unwrap_or_else(|panic| {
            warn!(%panic, "a scan broke");
            Outcome::Failed("the scan broke; the log of the worker says where".to_owned()).into()
        })
    }

    fn detect(
        &self,
        hand: &Hand,
        fetched: Fetched,
        name: String,
        projects: Vec<Project>,
        timeout: Duration,
    ) -> Over {
        let scratch = match self.scratch.folder(&self.environment) {
            Ok(folder) => folder,
            Err(error) => {
                let place = self.scratch.path().display();
                let why = format!("there is no room for temporary files in {place} of the worker: {error}");
                return Outcome::Failed(why).into();
            }
        };
        let request = Request {
            target: fetched.path.clone(),
            name,
            also: fetched.also.clone(),
            platform: None,
            image: fetched.image.clone(),
            projects,
            knowledge: self.settings.knowledge.clone(),
            notes: Vec::new(),
            timeout: Some(timeout),
            threads: Some(self.settings.threads()),
            max_memory: self.settings.max_memory,
            scratch: PathBuf::from(scratch.path()),
        };
        let tell = &mut |progress| hand.advance(progress);
        guardhouse_detect::scan(&request, &self.settings.launch, &self.environment, hand.scan_stop(), tell)
            .into()
    }

    /// Says how it ended, after handing in the report, if there is one.
    async fn hand_in(&self, hand: &Hand, over: Over) -> Result<(), Status> {
        let Outcome::Done(report) = &over.outcome else { return self.say(hand, &over, 0).await };
        let parts = match parts(report) {
            Ok(parts) => parts,
            Err(error) => {
                let failed = Outcome::Failed(format!("its report cannot be written: {error}"));
                return self.say(hand, &Over { outcome: failed, ..over }, 0).await;
            }
        };
        let count = parts.len();
        let said = match self.put(hand, parts).await {
            Ok(()) => self.say(hand, &over, count).await,
            Err(status) => Err(status),
        };
        let Err(status) = said else { return Ok(()) };
        let failed = Outcome::Failed(format!("its report was not taken: {status}"));
        self.say(hand, &Over { outcome: failed, ..over }, 0).await
    }

    async fn put(&self, hand: &Hand, parts: Vec<Vec<u8>>) -> Result<(), Status> {
        for (position, content) in parts.into_iter().enumerate() {
            let position = i32::try_from(position).unwrap_or(i32::MAX);
            let request = PutReportPartRequest { lease: Some(hand.lease()), position, content };
            let Some(answer) = insist(hand, || self.queue.put(request.clone())).await? else { return Ok(()) };
            if answer.lease() == LeaseState::Lost {
                hand.stop(Why::Lost);
            }
        }
        Ok(())
    }

    async fn say(&self, hand: &Hand, over: &Over, parts: usize) -> Result<(), Status> {
        let Some(request) = end(hand.lease(), over, parts, hand.why()) else { return Ok(()) };
        if let Some(answer) = insist(hand, || self.queue.end(request.clone())).await?
            && answer.lease() == LeaseState::Lost
        {
            hand.stop(Why::Lost);
        }
        Ok(())
    }
}

/// Calls until there is an answer; `None`: the subtask is lost, and nothing needs to be said.
async fn insist<T, F>(hand: &Hand, call: impl Fn() -> F) -> Result<Option<T>, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let mut failures = 0;
    loop {
        if hand.why() == Some(Why::Lost) {
            return Ok(None);
        }
        match answer(HAND_IN, call()).await {
            Ok(answer) => return Ok(Some(answer)),
            Err(status) if is_passing(&status) => {
                warn!(%status, "the queue does not take what is said of a scan; it is said again");
                tokio::time::sleep(pause(failures)).await;
                failures = failures.saturating_add(1);
            }
            Err(status) => return Err(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_and_exists_is_looked_for() {
        let of = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            projects(&ScanOptions { projects: names, ..ScanOptions::default() })
        };
        assert_eq!(of(&[]), Project::ALL);
        assert_eq!(of(&["vul", "webshell"]), [Project::Vul]);
        assert_eq!(of(&["webshell"]), []);
    }
}
