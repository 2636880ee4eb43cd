//! What is promised, and what others reach.

use clap::ValueEnum;

/// The name of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
#[allow(missing_docs, reason = "benches/README.md says what each name means")]
pub enum Name {
    #[value(name = "dispatch_1k")]
    Dispatch1k,
    #[value(name = "dispatch_10k")]
    Dispatch10k,
    CpuPerResult,
    MemoryPerAgent,
    AgentRss,
    #[value(name = "reconnect_10k")]
    Reconnect10k,
    ImportRate,
    ImportRatePostgres,
    ListDepth,
    Checkins,
    #[value(name = "start_1m")]
    Start1m,
    PolicyMerge,
    PolicyAssignAll,
    PolicyLooks,
    PolicyReach,
    #[value(name = "policy_reach_1k")]
    PolicyReach1k,
    #[value(name = "policy_reach_10k")]
    PolicyReach10k,
    Formats,
    VmPackages,
    ReadRate,
    ManyFiles,
    AgentlessList,
    AgentlessQueue,
}

/// Which values keep a promise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

/// A promise.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The unit of the value.
    pub unit: &'static str,
    /// What is promised.
    pub bound: Bound,
    /// What others reach; measured on a machine like the one of the promise, under load, their best values.
    pub peer: &'static str,
}

impl Name {
    /// What is promised of it.
    pub const fn target(self) -> Target {
        use Bound::{AtLeast, AtMost};
        const DISPATCH: &str = "MeshCentral 400 agents 428 ms, nothing stored; Salt 50 agents 3.4 s; \
             bare NATS without TLS or storage 1,000 replies 158 ms";
        let (unit, bound, peer) = match self {
            Self::Dispatch1k => ("ms", AtMost(250.0), DISPATCH),
            Self::Dispatch10k => ("ms", AtMost(2_500.0), DISPATCH),
            Self::CpuPerResult => ("ms", AtMost(0.1), "MeshCentral 0.22 ms, Salt 6.7 ms, NATS 0.035 ms"),
            Self::MemoryPerAgent => {
                ("KiB", AtMost(24.0), "MeshCentral 512 KiB, NATS 11 to 14 KiB without TLS")
            }
            Self::AgentRss => ("MiB", AtMost(8.0), "MeshAgent 8 to 10 MiB, Salt minion 52 MiB"),
            Self::Reconnect10k => ("s", AtMost(10.0), "MeshCentral 400 agents 15 s"),
            Self::ImportRate | Self::ImportRatePostgres => ("1/s", AtLeast(50_000.0), "MeshCentral 9,460/s"),
            Self::ListDepth => ("ms", AtMost(10.0), "MeshCentral 10,105 devices in 71 ms, one message"),
            Self::Checkins => ("cores", AtMost(1.0), ""),
            Self::Start1m => ("s", AtMost(2.0), ""),
            Self::PolicyMerge => ("ms", AtMost(1.0), ""),
            Self::PolicyAssignAll => ("x", AtMost(1.5), ""),
            Self::PolicyLooks => ("µs", AtMost(20.0), ""),
            Self::PolicyReach => ("ms", AtMost(1_000.0), ""),
            Self::PolicyReach1k => ("ms", AtMost(250.0), ""),
            Self::PolicyReach10k => ("ms", AtMost(2_500.0), ""),
            Self::Formats => ("s", AtMost(1.1), "dissect 15.9 s; Trivy 0.59 reads one of seven kinds"),
            Self::VmPackages => ("s", AtMost(0.4), "Trivy 1.19 s and 143 MB for the list alone"),
            Self::ReadRate => ("s", AtMost(0.25), "Sleuth Kit 0.39 s, dissect 11.3 s"),
            Self::ManyFiles => ("x", AtMost(1.1), "grype 12 GB"),
            Self::AgentlessList | Self::AgentlessQueue => ("x", AtMost(1.5), ""),
        };
        Target { unit, bound, peer }
    }

    /// As it is written.
    pub fn text(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl Bound {
    /// Whether a value keeps the promise.
    pub fn admits(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    /// The number of the promise.
    pub const fn number(self) -> f64 {
        match self {
            Self::AtMost(number) | Self::AtLeast(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_documentation() {
        let names: Vec<_> = Name::value_variants().iter().map(|name| name.text()).collect();
        let readme = include_str!("../../../../benches/README.md");
        for name in &names {
            assert!(readme.contains(&format!("`{name}`")), "{name} is not explained");
        }
        assert_eq!(names[..3], ["dispatch_1k", "dispatch_10k", "cpu_per_result"]);
    }

    #[test]
    fn bounds_are_inclusive() {
        assert!(Bound::AtMost(2.0).admits(2.0) && !Bound::AtMost(2.0).admits(2.1));
        assert!(Bound::AtLeast(2.0).admits(2.0) && !Bound::AtLeast(2.0).admits(1.9));
    }
}
