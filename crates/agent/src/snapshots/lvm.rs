//! Logical volumes: what LVM says of them, and the commands that make and remove snapshots.

use std::process::Command;

use serde::Deserialize;

use super::is_ours;
use crate::system::{System, command};

/// The least room in a volume group with which a snapshot of a thick volume is taken, in bytes. What is written to the volume
/// meanwhile has to fit.
pub const LEAST_ROOM: u64 = 64 << 20;

/// How much room a snapshot of a thick volume gets at least where there is enough, in bytes.
const USUAL_ROOM: u64 = 256 << 20;

/// From how full on, in percent, nothing is added to a pool of thin volumes: one that runs full stops all of them.
const FULL: f64 = 95.0;

/// What is asked of LVM.
const FIELDS: &str = "lv_name,vg_name,lv_kernel_major,lv_kernel_minor,lv_attr,lv_size,vg_free,vg_extent_size,pool_lv,\
                      data_percent,metadata_percent";

/// A logical volume.
#[derive(Debug, Clone, PartialEq)]
pub struct LogicalVolume {
    /// Its volume group.
    pub group: String,
    /// Its name in that group.
    pub name: String,
    /// The device, as major and minor number; absent when it is not active.
    pub device: Option<(u32, u32)>,
    /// What it is: the first letter of its attributes, as `man lvs` has them.
    kind: char,
    /// Its state: the fifth letter.
    state: char,
    /// Its size in bytes.
    pub size: u64,
    /// What is free in its group, in bytes.
    group_free: u64,
    /// The unit in which room is given in its group, in bytes.
    extent: u64,
    /// The pool in which a thin volume lies.
    pool: Option<String>,
    /// How full it is, in percent: a pool, or a snapshot with what was written since.
    data_percent: f64,
    /// How full the metadata of a pool are, in percent.
    metadata_percent: f64,
}

/// How a snapshot of a volume can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The volume lies in a pool, and so does its snapshot.
    Thin,
    /// The snapshot gets room of its own in the group; a volume of this size wants this much.
    Thick {
        /// How much it should get, in bytes.
        wanted: u64,
    },
}

#[derive(Deserialize)]
struct Report {
    report: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    lv: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Row {
    lv_name: String,
    vg_name: String,
    lv_kernel_major: String,
    lv_kernel_minor: String,
    lv_attr: String,
    lv_size: String,
    vg_free: String,
    vg_extent_size: String,
    pool_lv: String,
    data_percent: String,
    metadata_percent: String,
}

/// Asks for all volumes; `None` where the program is missing.
#[must_use]
pub fn list(system: &System) -> Option<Command> {
    let mut command = command(system, system.program("lvs")?);
    command.args(["--reportformat", "json", "--units", "b", "--nosuffix", "--options", FIELDS]);
    Some(command)
}

/// Reads the answer to [`list`].
///
/// # Errors
/// It is no such answer.
pub fn parse(answer: &str) -> Result<Vec<LogicalVolume>, serde_json::Error> {
    let report: Report = serde_json::from_str(answer)?;
    Ok(report.report.into_iter().flat_map(|part| part.lv).map(LogicalVolume::from).collect())
}

impl From<Row> for LogicalVolume {
    fn from(row: Row) -> Self {
        let letter = |place| row.lv_attr.chars().nth(place).unwrap_or('-');
        let percent = |text: &str| text.trim().parse().unwrap_or(0.0);
        // Volumes that are not active have -1 here.
        let device = row.lv_kernel_major.trim().parse().ok().zip(row.lv_kernel_minor.trim().parse().ok());
        Self {
            device,
            kind: letter(0),
            state: letter(4),
            size: bytes(&row.lv_size),
            group_free: bytes(&row.vg_free),
            extent: bytes(&row.vg_extent_size).max(1),
            pool: Some(row.pool_lv).filter(|pool| !pool.is_empty()),
            data_percent: percent(&row.data_percent),
            metadata_percent: percent(&row.metadata_percent),
            group: row.vg_name,
            name: row.lv_name,
        }
    }
}

fn bytes(text: &str) -> u64 {
    text.trim().trim_end_matches(['B', 'b']).parse().unwrap_or(0)
}

impl LogicalVolume {
    /// How a snapshot of it can be taken, among `all` volumes.
    ///
    /// # Errors
    /// None can: why, and what would help.
    pub fn way(&self, all: &[Self]) -> Result<Way, String> {
        let Self { group, name, .. } = self;
        match self.kind {
            's' | 'S' => Err(format!("{group}/{name} is itself a snapshot")),
            'V' => {
                let is_pool =
                    |other: &&Self| other.group == *group && Some(&other.name) == self.pool.as_ref();
                let pool = all.iter().find(is_pool);
                let full =
                    pool.is_some_and(|pool| pool.data_percent >= FULL || pool.metadata_percent >= FULL);
                if full {
                    let pool = self.pool.as_deref().unwrap_or_default();
                    return Err(format!("the pool {group}/{pool} is almost full; extend it"));
                }
                Ok(Way::Thin)
            }
            _ => Ok(Way::Thick { wanted: (self.size / 10).max(USUAL_ROOM).min(self.size.max(LEAST_ROOM)) }),
        }
    }

    /// Room in its group for snapshots, in bytes: what is free, and what snapshots have now that an agent takes and removes.
    #[must_use]
    pub fn room(&self, all: &[Self]) -> u64 {
        let ours =
            all.iter().filter(|other| other.group == self.group && other.kind.eq_ignore_ascii_case(&'s'));
        let ours = ours.filter(|other| is_ours(&other.name)).map(|other| other.size);
        ours.fold(self.group_free, u64::saturating_add)
    }

    /// Rounds a size to what can be given in its group: down, but never to nothing.
    #[must_use]
    pub fn whole_extents(&self, size: u64) -> u64 {
        (size / self.extent * self.extent).max(self.extent)
    }

    /// Whether a snapshot has lost what it was taken of: more was written to the volume than it has room for.
    #[must_use]
    pub fn is_overflowed(&self) -> bool {
        self.kind == 'S'
            || matches!(self.state, 'I' | 'S')
            || (self.kind == 's' && self.data_percent >= 100.0)
    }
}

/// Divides the room of a group among the snapshots that are wanted, in their order: each gets what it wants where all fit,
/// and its share otherwise; 0 where that would be less than [`LEAST_ROOM`].
#[must_use]
pub fn divide(room: u64, wanted: &[u64]) -> Vec<u64> {
    let mut rest = room;
    let mut all: u64 = wanted.iter().copied().fold(0, u64::saturating_add);
    let mut given = Vec::with_capacity(wanted.len());
    for &want in wanted {
        let share = if all <= rest { want } else { fraction(rest, want, all) };
        // The first ones count more: better some snapshots than many that are too small.
        let share = if share < LEAST_ROOM && rest >= LEAST_ROOM { LEAST_ROOM } else { share };
        let share = if share < LEAST_ROOM { 0 } else { share };
        rest -= share;
        all -= want;
        given.push(share);
    }
    given
}

fn fraction(whole: u64, part: u64, of: u64) -> u64 {
    let share = u128::from(whole) * u128::from(part) / u128::from(of.max(1));
    u64::try_from(share).unwrap_or(whole).min(whole)
}

/// Takes a snapshot. It can be written to, so that the file system can be brought in order when it is mounted; lvcreate holds
/// the file system still meanwhile. `None` where the program is missing.
#[must_use]
pub fn create(system: &System, group: &str, origin: &str, name: &str, size: Option<u64>) -> Option<Command> {
    let mut command = command(system, system.program("lvcreate")?);
    command.args(["--yes", "--snapshot", "--name", name]);
    match size {
        Some(size) => command.args(["--size", &format!("{size}b")]),
        // Such snapshots stay off unless somebody says otherwise.
        None => command.args(["--setactivationskip", "n", "--activate", "y"]),
    };
    command.arg(format!("{group}/{origin}"));
    Some(command)
}

/// Asks for one volume, so that [`parse`] can read the answer; `None` where the program is missing.
#[must_use]
pub fn look(system: &System, group: &str, name: &str) -> Option<Command> {
    let mut command = list(system)?;
    command.arg(format!("{group}/{name}"));
    Some(command)
}

/// Removes a snapshot; `None` where the program is missing.
#[must_use]
pub fn remove(system: &System, group: &str, name: &str) -> Option<Command> {
    let mut command = command(system, system.program("lvremove")?);
    command.args(["--yes", "--force", &format!("{group}/{name}")]);
    Some(command)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: u64 = 1 << 20;

    /// As lvm2 2.03.16 answers.
    const ANSWER: &str = r#"  {
      "report": [
          {
              "lv": [
                  {"lv_name":"root", "vg_name":"vg0", "lv_kernel_major":"253", "lv_kernel_minor":"0", "lv_attr":"owi-aos---", "lv_size":"2147483648", "vg_free":"536870912", "vg_extent_size":"4194304", "pool_lv":"", "data_percent":"", "metadata_percent":""},
                  {"lv_name":"guardhouse-x-0", "vg_name":"vg0", "lv_kernel_major":"253", "lv_kernel_minor":"3", "lv_attr":"swi-a-s---", "lv_size":"268435456", "vg_free":"536870912", "vg_extent_size":"4194304", "pool_lv":"", "data_percent":"1.25", "metadata_percent":""},
                  {"lv_name":"old", "vg_name":"vg0", "lv_kernel_major":"253", "lv_kernel_minor":"4", "lv_attr":"swi-I-s---", "lv_size":"4194304", "vg_free":"536870912", "vg_extent_size":"4194304", "pool_lv":"", "data_percent":"100.00", "metadata_percent":""},
                  {"lv_name":"pool", "vg_name":"vg1", "lv_kernel_major":"253", "lv_kernel_minor":"7", "lv_attr":"twi-aotz--", "lv_size":"1073741824", "vg_free":"0", "vg_extent_size":"4194304", "pool_lv":"", "data_percent":"12.00", "metadata_percent":"95.10"},
                  {"lv_name":"data", "vg_name":"vg1", "lv_kernel_major":"-1", "lv_kernel_minor":"-1", "lv_attr":"Vwi---tz--", "lv_size":"2147483648", "vg_free":"0", "vg_extent_size":"4194304", "pool_lv":"pool", "data_percent":"", "metadata_percent":""}
              ]
          }
      ]
  }"#;

    #[test]
    fn what_lvm_says() {
        let volumes = parse(ANSWER).expect("readable");
        let [root, ours, old, pool, data] = volumes.as_slice() else { panic!("{volumes:?}") };
        assert_eq!((root.device, root.size, root.room(&volumes)), (Some((253, 0)), 2048 * MIB, 768 * MIB));
        assert_eq!(root.way(&volumes), Ok(Way::Thick { wanted: 256 * MIB }));
        assert_eq!((root.whole_extents(10 * MIB + 1), root.whole_extents(1)), (8 * MIB, 4 * MIB));
        let overflowed = volumes.iter().map(LogicalVolume::is_overflowed);
        assert_eq!(overflowed.collect::<Vec<_>>(), [false, false, true, false, false]);
        assert!(ours.way(&volumes).is_err_and(|why| why.contains("snapshot")) && old.way(&volumes).is_err());
        assert_eq!((data.device, pool.device), (None, Some((253, 7))));
        assert!(data.way(&volumes).is_err_and(|why| why.contains("vg1/pool")), "its metadata are full");
        let roomy = LogicalVolume { metadata_percent: 7.0, ..pool.clone() };
        assert_eq!(data.way(&[data.clone(), roomy]), Ok(Way::Thin));
        assert_eq!(parse(r#"{"report": [{"lv": []}]}"#).expect("readable"), []);
        parse("{").expect_err("no answer");
        parse(r#"{"report": 3}"#).expect_err("another answer");
    }

    #[test]
    fn room_is_divided() {
        let table: [(u64, &[u64], &[u64]); 6] = [
            (1000, &[256, 300], &[256, 300]),
            (400, &[400, 400], &[200, 200]),
            (100, &[256], &[100]),
            (100, &[256, 1000], &[64, 0]),
            (63, &[256], &[0]),
            (0, &[], &[]),
        ];
        for (room, wanted, expected) in table {
            let wanted: Vec<u64> = wanted.iter().map(|want| want * MIB).collect();
            let given: Vec<u64> = divide(room * MIB, &wanted).iter().map(|given| given / MIB).collect();
            assert_eq!(given, expected, "{room} for {wanted:?}");
        }
    }

    #[test]
    fn commands() {
        let root = tempfile::tempdir().expect("a folder");
        let system = System::new(root.path());
        assert!(list(&system).is_none() && remove(&system, "g", "v").is_none());
        let programs = root.path().join("usr/sbin");
        std::fs::create_dir_all(&programs).expect("made");
        for program in ["lvs", "lvcreate", "lvremove"] {
            std::fs::copy("/bin/sh", programs.join(program)).expect("copied");
        }
        let said = |command: Option<Command>| {
            let command = command.expect("the program is there");
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            said(create(&system, "vg0", "root", "n", Some(8 * MIB))),
            "--yes --snapshot --name n --size 8388608b vg0/root"
        );
        assert_eq!(
            said(create(&system, "vg0", "root", "n", None)),
            "--yes --snapshot --name n --setactivationskip n --activate y vg0/root"
        );
        assert_eq!(said(remove(&system, "vg0", "n")), "--yes --force vg0/n");
        assert!(said(look(&system, "vg0", "n")).ends_with(" vg0/n"));
    }

    proptest! {
        #[test]
        fn no_more_is_given_than_is_there(
            room in any::<u64>(),
            wanted in prop::collection::vec(LEAST_ROOM..u64::MAX / 16, 0..12),
        ) {
            let given = divide(room, &wanted);
            prop_assert_eq!(given.len(), wanted.len());
            let sum: u128 = given.iter().map(|given| u128::from(*given)).sum();
            prop_assert!(sum <= u128::from(room));
            for (given, wanted) in given.iter().zip(&wanted) {
                prop_assert!(*given == 0 || (LEAST_ROOM..=*wanted).contains(given), "{given} of {wanted}");
            }
            if let Some(first) = given.first() {
                prop_assert_eq!(*first == 0, room < LEAST_ROOM, "the first one counts most");
            }
        }
    }
}
