//! What lists show, found by looking at everything.

use guardhouse_model::{Timestamp, agentless::TaskStatus};
use guardhouse_store::{
    AgentlessSubtask, AgentlessSubtaskFilter, AgentlessTask, AgentlessTaskFilter, PageNumber, Paged,
};
use uuid::Uuid;

use super::{KeptScan, KeptSubtask};
use crate::bench::Model;

impl Model {
    pub fn agentless_task_get(&self, task: Uuid) -> Option<AgentlessTask> {
        self.scans.tasks.get(&task).map(|kept| self.shown_task(kept))
    }

    pub fn agentless_subtask_get(&self, subtask: Uuid) -> Option<AgentlessSubtask> {
        self.scans.subtasks.get(&subtask).map(shown)
    }

    pub fn agentless_tasks_list(
        &self,
        filter: AgentlessTaskFilter,
        page: PageNumber,
    ) -> Paged<AgentlessTask> {
        let all = self.scans.tasks.values().map(|kept| self.shown_task(kept));
        let mut rows: Vec<AgentlessTask> = all
            .filter(|task| picks(&filter, task.id, task.status, task.target_type, task.start_time))
            .collect();
        rows.sort_by_key(|task| std::cmp::Reverse((task.start_time, task.id)));
        paged(rows, page)
    }

    pub fn agentless_subtasks_list(
        &self,
        filter: AgentlessSubtaskFilter,
        page: PageNumber,
    ) -> Paged<AgentlessSubtask> {
        let is_wanted = |kept: &&KeptSubtask| {
            let shown = &kept.shown;
            let is = |wanted: &str, has: &str| wanted.is_empty() || wanted == has;
            let is_in =
                |wanted: &str, has: &str| has.to_ascii_lowercase().contains(&wanted.to_ascii_lowercase());
            filter.task.is_none_or(|task| task == shown.task)
                && picks(&filter.common, shown.id, shown.status, shown.target_type, shown.start_time)
                && is(&filter.instance_id, &shown.instance_id)
                && is(&filter.internet_ip, &shown.internet_ip)
                && is(&filter.intranet_ip, &shown.intranet_ip)
                && is_in(&filter.machine_name, &shown.instance_name)
                && is_in(&filter.target_name, &shown.target_name)
        };
        let mut rows: Vec<&KeptSubtask> = self.scans.subtasks.values().filter(is_wanted).collect();
        rows.sort_by_key(|kept| (std::cmp::Reverse((kept.shown.start_time, kept.shown.task)), kept.position));
        paged(rows.into_iter().map(shown).collect(), page)
    }

    fn shown_task(&self, kept: &KeptScan) -> AgentlessTask {
        let (new, tally) = (&kept.new, self.scans.tally(kept.new.id));
        let of_task = self.scans.subtasks.values().filter(|kept| kept.shown.task == new.id);
        AgentlessTask {
            id: new.id,
            name: new.name.clone(),
            target_type: new.target_type,
            account: new.account,
            schedule: new.schedule,
            options: new.options.clone(),
            status: tally.status(),
            start_time: new.start_time,
            end_time: kept.end_time,
            tally,
            measure_bytes: of_task.map(|kept| kept.shown.measure_bytes).sum(),
            report_status: kept.report.status,
        }
    }
}

fn shown(kept: &KeptSubtask) -> AgentlessSubtask {
    AgentlessSubtask { report_status: kept.report.status, ..kept.shown.clone() }
}

fn picks(
    filter: &AgentlessTaskFilter,
    id: Uuid,
    status: TaskStatus,
    target_type: i32,
    start_time: Timestamp,
) -> bool {
    filter.ids.as_ref().is_none_or(|ids| ids.contains(&id))
        && (filter.statuses.is_empty() || filter.statuses.contains(&status))
        && filter.target_type.is_none_or(|wanted| wanted == target_type)
        && filter.from.is_none_or(|from| start_time >= from)
        && filter.until.is_none_or(|until| start_time <= until)
}

fn paged<T>(rows: Vec<T>, page: PageNumber) -> Paged<T> {
    let total = rows.len() as u64;
    let skip = usize::try_from(page.skip).expect("a handful");
    Paged { rows: rows.into_iter().skip(skip).take(page.size).collect(), total }
}
