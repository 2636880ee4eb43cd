//! How agents tell the tasks of this measurement from others.
//!
//! An order does not name its task, so the script does: it is a comment with a number.

/// The tasks of one run of the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series(pub u64);

/// One task of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(pub u32);

impl Series {
    /// A script that does nothing and says to which task it belongs.
    pub fn script(self, mark: Mark) -> String {
        format!("{}{}", self.prefix(), mark.0)
    }

    /// The task of this series to which a script belongs.
    pub fn mark_in(self, script: &str) -> Option<Mark> {
        script.strip_prefix(&self.prefix())?.parse().ok().map(Mark)
    }

    fn prefix(self) -> String {
        format!("# guardhouse-loadgen {:016x} ", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tasks_of_the_series_are_recognised() {
        let (series, other) = (Series(7), Series(70));
        assert_eq!(series.mark_in(&series.script(Mark(12))), Some(Mark(12)));
        assert_eq!(series.mark_in(&other.script(Mark(12))), None);
        for script in ["", "uname -a", "# guardhouse-loadgen 0000000000000007 x"] {
            assert_eq!(series.mark_in(script), None, "{script}");
        }
    }
}
