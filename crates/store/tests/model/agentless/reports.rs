//! Reports, over plain maps.

use guardhouse_model::{Timestamp, agentless::ReportStatus};
use guardhouse_store::{ReportFormat, ReportWanted, ReportWriter, Store};
use uuid::Uuid;

use super::{Report, Scans};
use crate::bench::Model;

impl Model {
    pub fn agentless_report_write(
        &mut self,
        writer: ReportWriter,
        format: ReportFormat,
        position: u32,
        content: Vec<u8>,
    ) -> bool {
        let scans = &mut self.scans;
        let may = match writer {
            ReportWriter::Worker(lease) => scans.held(lease).is_some(),
            ReportWriter::Maker(report) => {
                scans.report(report).is_some_and(|report| report.status == ReportStatus::Running)
            }
        };
        if !may {
            return false;
        }
        let (owner, format) = (writer.owner(), format.word());
        if position == 0 {
            scans.reports.retain(|(of, kind, _), _| (*of, *kind) != (owner, format));
        }
        scans.reports.insert((owner, format, position), content);
        true
    }

    pub fn agentless_report_part(&self, owner: Uuid, format: ReportFormat, position: u32) -> Option<Vec<u8>> {
        self.scans.reports.get(&(owner, format.word(), position)).cloned()
    }

    pub fn agentless_reports_wanted(&mut self, now: Timestamp, limit: usize) -> Vec<ReportWanted> {
        let until = now + Store::AGENTLESS_REPORT_LIMIT;
        let scans = &mut self.scans;
        let subtasks =
            scans.subtasks.values().map(|kept| (kept.report, ReportWanted::Subtask(kept.shown.id)));
        let mut wanted = due(subtasks, now);
        wanted.extend(due(
            scans.tasks.values().map(|kept| (kept.report, ReportWanted::Task(kept.new.id))),
            now,
        ));
        wanted.truncate(limit);
        for report in &wanted {
            *scans.report(*report).expect("was found") =
                Report { status: ReportStatus::Running, due: Some(until) };
        }
        wanted
    }

    pub fn agentless_report_settle(&mut self, report: ReportWanted, status: ReportStatus) -> bool {
        let report = self.scans.report(report).filter(|report| report.status == ReportStatus::Running);
        report.map(|report| *report = Report { status, due: None }).is_some()
    }
}

/// Those that are to be made, the longest due first.
fn due(reports: impl Iterator<Item = (Report, ReportWanted)>, now: Timestamp) -> Vec<ReportWanted> {
    let mut due: Vec<(Timestamp, Uuid, ReportWanted)> = reports
        .filter_map(|(report, of)| Some((report.due?, ReportWriter::Maker(of).owner(), of)))
        .filter(|(due, ..)| *due <= now)
        .collect();
    due.sort_unstable_by_key(|(due, id, _)| (*due, *id));
    due.into_iter().map(|(.., of)| of).collect()
}

impl Scans {
    fn report(&mut self, of: ReportWanted) -> Option<&mut Report> {
        match of {
            ReportWanted::Task(task) => self.tasks.get_mut(&task).map(|kept| &mut kept.report),
            ReportWanted::Subtask(id) => self.subtasks.get_mut(&id).map(|kept| &mut kept.report),
        }
    }

    pub(super) fn forget_report(&mut self, subtask: Uuid) {
        self.remove_reports(subtask);
        self.subtasks.get_mut(&subtask).expect("a result has its subtask").report = Report::NONE;
    }
}
