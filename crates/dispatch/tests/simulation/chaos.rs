//! What goes wrong, when, and until when.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use guardhouse_store::Reach;
use turmoil::Sim;

use crate::{
    operator::{self, Command},
    replica::Hearing,
    world::{DEVICES, REPLICAS, World},
};

/// The shortest and the longest that something stays broken.
const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(20);

/// The troubles of one simulation.
pub struct Chaos {
    world: Rc<World>,
    /// How much time passes between two troubles, on average.
    mean: Duration,
    next_trouble: Duration,
    next_command: Duration,
    /// What ends when.
    ends: BTreeMap<(Duration, usize), End>,
    count: usize,
}

/// How a trouble ends.
#[derive(Debug, Clone)]
enum End {
    Start(String),
    Restart(usize),
    Reach(usize),
    Hearing(usize),
    Link(usize, usize),
}

impl Chaos {
    pub fn new(world: Rc<World>) -> Self {
        let mean = Duration::from_millis([300, 1_000, 3_000][world.below(3)]);
        Self { world, mean, next_trouble: mean, next_command: SHORT, ends: BTreeMap::new(), count: 0 }
    }

    /// Lets happen what happens now.
    pub fn step(&mut self, sim: &mut Sim<'_>) {
        let now = self.world.elapsed();
        while let Some(entry) = self.ends.first_entry()
            && entry.key().0 <= now
        {
            let end = entry.remove();
            self.end(sim, &end);
        }
        if now >= self.next_command {
            self.next_command = now + self.world.between(Duration::ZERO, Duration::from_millis(1_200));
            let replica = self.world.below(REPLICAS);
            self.world.replicas[replica].command(operator::by_chance(&self.world));
        }
        if now >= self.next_trouble {
            self.next_trouble = now + self.world.between(Duration::ZERO, 2 * self.mean);
            self.trouble(sim);
        }
    }

    /// Everything that is broken is mended.
    pub fn heal(&mut self, sim: &mut Sim<'_>) {
        self.world.note("everything is mended");
        for end in std::mem::take(&mut self.ends).into_values() {
            self.end(sim, &end);
        }
        self.world.devices.iter().for_each(|device| device.doomed.set(false));
    }

    fn trouble(&mut self, sim: &mut Sim<'_>) {
        let world = Rc::clone(&self.world);
        let (replica, device) = (world.below(REPLICAS), world.below(DEVICES));
        let (server, host) = (format!("replica-{replica}"), format!("device-{device}"));
        let kind = world.below(14);
        world.note(&format!("trouble {kind} for replica {replica} or device {device}"));
        match kind {
            0 | 1 => self.kill_replica(sim, replica),
            2 => {
                world.replicas[replica].command(Command::Drain);
                self.until(Duration::from_secs(3), End::Restart(replica));
            }
            3 | 4 => {
                world.replicas[replica].set_reach(if kind == 3 { Reach::Cut } else { Reach::OneWay });
                self.for_a_while(End::Reach(replica));
            }
            5 => {
                let hearing = if world.chance(50) { Hearing::Bad } else { Hearing::Deaf };
                *world.replicas[replica].hearing.borrow_mut() = hearing;
                self.for_a_while(End::Hearing(replica));
            }
            6 => {
                sim.partition(server, host);
                self.for_a_while(End::Link(replica, device));
            }
            7 => {
                if world.chance(50) {
                    sim.partition_oneway(server, host)
                } else {
                    sim.partition_oneway(host, server)
                };
                self.for_a_while(End::Link(replica, device));
            }
            8 => {
                sim.hold(server, host);
                self.for_a_while(End::Link(replica, device));
            }
            // The device comes back elsewhere while its replica believes in the old connection, of which frames may
            // still arrive later.
            9 | 10 => {
                let Some(old) = world.devices[device].connected.get() else { return };
                let server = format!("replica-{old}");
                if kind == 9 {
                    sim.partition(server, host)
                } else {
                    sim.hold(server, host)
                };
                world.devices[device].hurry.notify_one();
                self.for_a_while(End::Link(old, device));
            }
            11 => self.kill_agent(sim, device, &host),
            12 => {
                world.devices[device].lose_power();
                self.kill_agent(sim, device, &host);
            }
            _ => world.devices[device].doomed.set(true),
        }
    }

    fn kill_replica(&mut self, sim: &mut Sim<'_>, replica: usize) {
        let name = format!("replica-{replica}");
        if sim.is_host_running(name.as_str()) {
            sim.crash(name.as_str());
            self.world.replicas[replica].bury();
            self.for_a_while(End::Start(name));
        }
    }

    fn kill_agent(&mut self, sim: &mut Sim<'_>, device: usize, host: &str) {
        if sim.is_host_running(host) {
            sim.crash(host);
            self.world.devices[device].connected.set(None);
            self.for_a_while(End::Start(host.to_owned()));
        }
    }

    fn end(&mut self, sim: &mut Sim<'_>, end: &End) {
        self.world.note(&format!("ends: {end:?}"));
        match end {
            End::Start(host) => sim.bounce(host.as_str()),
            End::Restart(replica) => {
                let name = format!("replica-{replica}");
                // If it was killed meanwhile, it starts again in its own time.
                if sim.is_host_running(name.as_str()) {
                    sim.crash(name.as_str());
                    self.world.replicas[*replica].bury();
                    sim.bounce(name.as_str());
                }
            }
            End::Reach(replica) => self.world.replicas[*replica].set_reach(Reach::Whole),
            End::Hearing(replica) => *self.world.replicas[*replica].hearing.borrow_mut() = Hearing::Good,
            End::Link(replica, device) => {
                let (server, host) = (format!("replica-{replica}"), format!("device-{device}"));
                sim.release(server.as_str(), host.as_str());
                sim.repair(server, host);
            }
        }
    }

    fn for_a_while(&mut self, end: End) {
        // Short troubles are as interesting as long ones.
        let most = if self.world.chance(50) { LONG } else { LONG / 10 };
        self.until(self.world.between(SHORT, most), end);
    }

    fn until(&mut self, wait: Duration, end: End) {
        self.count += 1;
        self.ends.insert((self.world.elapsed() + wait, self.count), end);
    }
}
