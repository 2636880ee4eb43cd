//! Which machine a device is: whether two machines are one, and which of two that say they are one device came first.
//!
//! A machine is known by digests of what its firmware says and of the present life of its kernel; never by an address of
//! a network adapter, which docks, containers and users change.

use std::time::Duration;

use jiff::Timestamp;

/// SHA-256 of something that does not leave its machine.
pub type Digest = [u8; 32];

/// How recently a device was in contact that has to be taken for connected: its last contact is noted once a minute, in
/// portions that are spread over a minute.
pub const PRESENT: Duration = Duration::from_secs(150);

/// How many earlier starts of a machine are kept. A copy that takes turns with its original shows within two.
const EARLIER_STARTS: usize = 8;

/// The code of a run whose device left the management.
pub const DEVICE_RETIRED: &str = "DEVICE_RETIRED";

/// The code of a run whose device was installed and enrolled anew.
pub const DEVICE_ENROLLED_ANEW: &str = "DEVICE_ENROLLED_ANEW";

/// What tells a machine from others. What it does not have, or shares with many, is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Machine {
    /// The uuid that the firmware tells.
    pub uuid: Option<Digest>,
    /// The serial number that the firmware tells.
    pub serial_number: Option<Digest>,
    /// The present life of the kernel.
    pub boot: Option<Digest>,
}

/// Whether two machines are one, by what their firmware says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// What both know is equal.
    Same,
    /// Something that both know is not.
    Other,
    /// They know nothing in common.
    Unknown,
}

/// The machine that a device is, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownMachine {
    /// What it said last.
    pub machine: Machine,
    /// Its starts before the present one, the latest first.
    pub earlier_boots: Vec<Digest>,
}

/// Another machine that said it were a device: what an identity question is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newcomer {
    /// What it said first.
    pub machine: Machine,
    /// Its starts, the latest last.
    pub boots: Vec<Digest>,
    /// An administrator has decided that it is a device of its own.
    pub is_another: bool,
}

/// What is to become of a machine that says it is a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meeting {
    /// It is the device; this is known of it from now on.
    Device(KnownMachine),
    /// It is the device, which has this life still although another one was seen meanwhile: that was another machine.
    Returned {
        /// What is known of the device from now on.
        known: KnownMachine,
        /// The life that is not the device's.
        other: Digest,
    },
    /// It is another machine, and nobody has decided yet what it is to be.
    Newcomer,
    /// It is another machine, which is to become a device of its own, as was decided of the newcomer in this place.
    Another(usize),
}

/// A device that a host may have been before, with equal digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The machine that it is.
    pub machine: Machine,
    /// Its name as it reported it.
    pub host_name: String,
    /// It has a key: somebody may be connected as this device.
    pub is_managed: bool,
    /// When it was in contact last.
    pub last_contact: Option<Timestamp>,
}

/// Which of the candidates a host is that enrols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The one in this place, which it takes over.
    TakeOver(usize),
    /// The one in this place is at work in another life: both seem to be one machine, and cannot be.
    InUse(usize),
    /// None, or nobody can tell which.
    Nobody,
}

impl Machine {
    /// Compares what the firmware of two machines says.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Likeness {
        let pairs = [(self.uuid, other.uuid), (self.serial_number, other.serial_number)];
        let mut likeness = Likeness::Unknown;
        for (this, that) in pairs.into_iter().filter_map(|(this, that)| this.zip(that)) {
            if this != that {
                return Likeness::Other;
            }
            likeness = Likeness::Same;
        }
        likeness
    }

    /// What is known when this machine says `news`: what it does not say stays.
    fn joined(&self, news: &Self) -> Self {
        Self {
            uuid: news.uuid.or(self.uuid),
            serial_number: news.serial_number.or(self.serial_number),
            boot: news.boot.or(self.boot),
        }
    }
}

impl From<Machine> for KnownMachine {
    fn from(machine: Machine) -> Self {
        Self { machine, earlier_boots: Vec::new() }
    }
}

impl Newcomer {
    /// How many starts of one newcomer are told from those of the device.
    const MOST_BOOTS: usize = 16;

    /// Notes a start of this newcomer.
    pub fn note(&mut self, boot: Digest) {
        if !self.boots.contains(&boot) {
            self.boots.push(boot);
            let surplus = self.boots.len().saturating_sub(Self::MOST_BOOTS);
            self.boots.drain(..surplus);
        }
    }
}

/// Judges a machine that says it is a device of which `known` is known and for which the `newcomers` have come before.
#[must_use]
pub fn meet(known: Option<&KnownMachine>, said: &Machine, newcomers: &[Newcomer]) -> Meeting {
    let Some(known) = known else { return Meeting::Device((*said).into()) };
    let by_boot = |newcomer: &Newcomer| said.boot.is_some_and(|boot| newcomer.boots.contains(&boot));
    if let Some(place) = newcomers.iter().position(by_boot) {
        return if newcomers[place].is_another { Meeting::Another(place) } else { Meeting::Newcomer };
    }
    if known.machine.likeness(said) == Likeness::Other {
        let decided = newcomers
            .iter()
            .position(|newcomer| newcomer.is_another && newcomer.machine.likeness(said) == Likeness::Same);
        return decided.map_or(Meeting::Newcomer, Meeting::Another);
    }
    let mut kept =
        KnownMachine { machine: known.machine.joined(said), earlier_boots: known.earlier_boots.clone() };
    let (Some(boot), Some(latest)) = (said.boot, known.machine.boot) else { return Meeting::Device(kept) };
    if boot == latest {
        return Meeting::Device(kept);
    }
    // No machine has a life of its kernel twice: who shows an old one has had it all the time.
    if let Some(place) = kept.earlier_boots.iter().position(|earlier| *earlier == boot) {
        kept.earlier_boots.drain(..=place);
        return Meeting::Returned { known: kept, other: latest };
    }
    kept.earlier_boots.insert(0, latest);
    kept.earlier_boots.truncate(EARLIER_STARTS);
    Meeting::Device(kept)
}

/// Finds the device that a host was before it was installed anew: one whose firmware says the same, and which is not at
/// work. Of several it is the one that had its name.
#[must_use]
pub fn claim(candidates: &[Candidate], said: &Machine, host_name: &str, now: Timestamp) -> Claim {
    let mut same: Vec<usize> = (0..candidates.len())
        .filter(|place| candidates[*place].machine.likeness(said) == Likeness::Same)
        .collect();
    let has_name = |place: &usize| candidates[*place].host_name.eq_ignore_ascii_case(host_name);
    if same.iter().any(has_name) {
        same.retain(has_name);
    }
    if let Some(place) = same.iter().find(|place| is_at_work(&candidates[**place], said, now)) {
        return Claim::InUse(*place);
    }
    match same[..] {
        [place] => Claim::TakeOver(place),
        _ => Claim::Nobody,
    }
}

/// Whether somebody else may be connected as a device at this moment. The same life of the kernel is the same machine:
/// only its agent was installed anew.
fn is_at_work(candidate: &Candidate, said: &Machine, now: Timestamp) -> bool {
    let is_recent = candidate
        .last_contact
        .is_some_and(|last| Duration::try_from(last.duration_until(now)).unwrap_or_default() < PRESENT);
    let same_life = said.boot.is_some() && candidate.machine.boot == said.boot;
    candidate.is_managed && is_recent && !same_life
}

#[cfg(test)]
#[path = "machines/tests.rs"]
mod tests;
