//! What the subtasks of a task make of it.

/// How a task or a subtask is, in the numbers of the public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskStatus {
    /// It waits, or it is worked on.
    Running = 1,
    /// It is over, and there is a result.
    Done = 2,
    /// It could not be scanned.
    Failed = 3,
    /// It took longer than it may.
    TimedOut = 4,
    /// Somebody ended it. The public API does not know that.
    Cancelled = 5,
}

impl TaskStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Running, Self::Done, Self::Failed, Self::TimedOut, Self::Cancelled];

    /// The status with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| *status as i32 == number)
    }

    /// Whether what is so can be tried again: it is over, and there is no result.
    #[must_use]
    pub fn can_be_retried(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Cancelled)
    }
}

/// How the report of a task or a subtask is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportStatus {
    /// There is nothing to report yet.
    None = 0,
    /// It is to be made.
    Prepared = 1,
    /// It is being made.
    Running = 2,
    /// It is there.
    Success = 3,
    /// Making it took too long.
    Timeout = 4,
    /// It cannot be made.
    Failed = 5,
}

impl ReportStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Prepared, Self::Running, Self::Success, Self::Timeout, Self::Failed];

    /// The status with this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| *status as i32 == number)
    }

    /// The word of the public API; empty while there is nothing to report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Prepared => "PREPARED",
            Self::Running => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Timeout => "TIMEOUT",
            Self::Failed => "FAILED",
        }
    }
}

/// The subtasks of a task, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub subtasks: u32,
    /// That are done.
    pub done: u32,
    /// That failed.
    pub failed: u32,
    /// That took too long.
    pub timed_out: u32,
    /// That somebody ended.
    pub cancelled: u32,
    /// The sum of the progress of all, each 0 to 100.
    pub progress_sum: u64,
}

impl Tally {
    /// Whether all are over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let over = [self.done, self.failed, self.timed_out, self.cancelled];
        over.iter().map(|count| u64::from(*count)).sum::<u64>() >= u64::from(self.subtasks)
    }

    /// How the task is: what is worst among its subtasks once all are over. What somebody ended counts for nothing, unless
    /// there is nothing else.
    #[must_use]
    pub fn status(&self) -> TaskStatus {
        if !self.is_over() {
            TaskStatus::Running
        } else if self.failed > 0 {
            TaskStatus::Failed
        } else if self.timed_out > 0 {
            TaskStatus::TimedOut
        } else if self.done == 0 && self.cancelled > 0 {
            TaskStatus::Cancelled
        } else {
            TaskStatus::Done
        }
    }

    /// One more is over, at this progress.
    pub fn add(&mut self, status: TaskStatus, progress: u8) {
        if let Some(count) = self.count_of(status) {
            *count = count.saturating_add(1);
            self.progress_sum = self.progress_sum.saturating_add(progress.into());
        }
    }

    /// One that was over at this progress is not any more.
    pub fn take_back(&mut self, status: TaskStatus, progress: u8) {
        if let Some(count) = self.count_of(status) {
            *count = count.saturating_sub(1);
            self.progress_sum = self.progress_sum.saturating_sub(progress.into());
        }
    }

    /// How many are over with a status; `None`: those are not over.
    fn count_of(&mut self, status: TaskStatus) -> Option<&mut u32> {
        match status {
            TaskStatus::Running => None,
            TaskStatus::Done => Some(&mut self.done),
            TaskStatus::Failed => Some(&mut self.failed),
            TaskStatus::TimedOut => Some(&mut self.timed_out),
            TaskStatus::Cancelled => Some(&mut self.cancelled),
        }
    }

    /// How far the task is: the mean of its subtasks, rounded down, 0 to 100.
    #[must_use]
    pub fn progress(&self) -> u8 {
        let mean = self.progress_sum.checked_div(u64::from(self.subtasks)).unwrap_or(100);
        u8::try_from(mean.min(100)).unwrap_or(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_subtask_decides_once_all_are_over() {
        let tally = |subtasks, done, failed, timed_out, cancelled| {
            Tally { subtasks, done, failed, timed_out, cancelled, progress_sum: 0 }.status()
        };
        let table = [
            ((2, 1, 0, 0, 0), TaskStatus::Running),
            ((2, 0, 1, 0, 0), TaskStatus::Running),
            ((2, 2, 0, 0, 0), TaskStatus::Done),
            ((2, 1, 1, 0, 0), TaskStatus::Failed),
            ((3, 1, 1, 1, 0), TaskStatus::Failed),
            ((2, 1, 0, 1, 0), TaskStatus::TimedOut),
            ((2, 1, 0, 0, 1), TaskStatus::Done),
            ((2, 0, 0, 0, 2), TaskStatus::Cancelled),
            ((2, 0, 1, 0, 1), TaskStatus::Failed),
            ((0, 0, 0, 0, 0), TaskStatus::Done),
        ];
        for ((subtasks, done, failed, timed_out, cancelled), expected) in table {
            assert_eq!(tally(subtasks, done, failed, timed_out, cancelled), expected);
        }
    }

    #[test]
    fn progress_is_the_mean() {
        let progress =
            |subtasks, progress_sum| Tally { subtasks, progress_sum, ..Tally::default() }.progress();
        let table = [((0, 0), 100), ((3, 0), 0), ((3, 299), 99), ((3, 300), 100), ((1, 1_000), 100)];
        for ((subtasks, sum), expected) in table {
            assert_eq!(progress(subtasks, sum), expected);
        }
    }

    #[test]
    fn what_is_taken_back_was_not_added() {
        let before = Tally { subtasks: 7, done: 1, progress_sum: 100, ..Tally::default() };
        for status in TaskStatus::ALL {
            let mut tally = before;
            tally.add(status, 40);
            assert_eq!(tally == before, status == TaskStatus::Running, "what runs is not counted");
            tally.take_back(status, 40);
            assert_eq!(tally, before, "{status:?}");
        }
    }

    #[test]
    fn numbers_name_their_status() {
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::numbered(status as i32), Some(status));
        }
        for status in ReportStatus::ALL {
            assert_eq!(ReportStatus::numbered(status as i32), Some(status));
        }
        assert_eq!((TaskStatus::numbered(0), ReportStatus::numbered(6)), (None, None));
    }
}
