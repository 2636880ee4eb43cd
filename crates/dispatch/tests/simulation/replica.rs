//! A process of the server: a real dispatcher on the shared database.

use std::{cell::RefCell, io, rc::Rc, time::Duration};

use futures_util::{StreamExt as _, stream};
use guardhouse_contract::link::{AgentFrame, ServerFrame};
use guardhouse_dispatch::Dispatcher;
use guardhouse_store::{Line, Reach, Store};
use tokio::{sync::mpsc, task::spawn_local, time::sleep};
use turmoil::net::{TcpListener, TcpStream};

use crate::{
    operator::{self, Command},
    wire::{Wire, wire},
    world::World,
};

/// Where replicas listen.
pub const PORT: u16 = 443;

/// The longest journey to the database, one way.
pub const SLOWEST: Duration = Duration::from_millis(150);

/// One process of the server, as the simulation holds it.
#[derive(Default)]
pub struct Replica {
    life: RefCell<Option<Life>>,
    /// What becomes of the announcements on their way to it.
    pub hearing: RefCell<Hearing>,
}

/// What becomes of announcements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hearing {
    /// They arrive soon.
    #[default]
    Good,
    /// Each is lost or late, by chance.
    Bad,
    /// They are lost.
    Deaf,
}

/// From a start to a crash.
struct Life {
    line: Line,
    dispatcher: Dispatcher,
    commands: mpsc::UnboundedSender<Command>,
}

impl Replica {
    /// Cuts or mends the line to the database.
    pub fn set_reach(&self, reach: Reach) {
        if let Some(life) = &*self.life.borrow() {
            life.line.set(reach);
        }
    }

    /// Asks for something as a person would; nothing happens when the process is dead.
    pub fn command(&self, command: Command) {
        if let Some(life) = &*self.life.borrow() {
            let _ = life.commands.send(command);
        }
    }

    /// How many devices are connected to it.
    pub fn connected(&self) -> usize {
        self.life.borrow().as_ref().map_or(0, |life| life.dispatcher.connected())
    }

    /// Forgets a process that was killed.
    pub fn bury(&self) {
        *self.life.borrow_mut() = None;
    }
}

/// The life of a replica.
pub async fn run(world: Rc<World>, place: usize) -> turmoil::Result {
    world.note(&format!("replica {place} starts"));
    let environment = world.environment.clone();
    let pace = move || {
        let [spread, slow] = environment.random::<2>();
        let most = if slow < 10 { SLOWEST } else { Duration::from_millis(6) };
        most * u32::from(spread) / 255
    };
    let line = Line::new(pace);
    let store = world.store.over(line.clone()).expect("in memory");
    let dispatcher = Dispatcher::new(store.clone(), world.environment.clone());
    let (commands, ordered) = mpsc::unbounded_channel();
    *world.replicas[place].life.borrow_mut() =
        Some(Life { line: line.clone(), dispatcher: dispatcher.clone(), commands });

    spawn_local(carry_announcements(Rc::clone(&world), place, line));
    spawn_local(obey(Rc::clone(&world), store, dispatcher.clone(), ordered));
    spawn_local({
        let dispatcher = dispatcher.clone();
        async move { dispatcher.run().await }
    });
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    loop {
        let (stream, peer) = listener.accept().await?;
        // In the real link the certificate of the device tells.
        let name = turmoil::reverse_lookup(peer.ip()).ok_or_else(|| io::Error::other("an unknown host"))?;
        let device = name.strip_prefix("device-").and_then(|place| place.parse().ok());
        let device: usize = device.ok_or_else(|| io::Error::other("not a device"))?;
        spawn_local(serve(Rc::clone(&world), place, device, dispatcher.clone(), stream));
    }
}

async fn serve(world: Rc<World>, place: usize, device: usize, dispatcher: Dispatcher, stream: TcpStream) {
    let Wire { inbound, outbound } = wire::<AgentFrame, ServerFrame>(stream);
    let frames = stream::unfold(inbound, async |mut inbound| {
        inbound.recv().await.map(|frame: AgentFrame| (frame, inbound))
    });
    let (out, mut sent) = mpsc::channel::<Box<ServerFrame>>(32);
    let id = world.devices[device].id;
    let watch = Rc::clone(&world);
    spawn_local(async move {
        let mut epoch = 0;
        while let Some(frame) = sent.recv().await {
            watch.notes.borrow_mut().sent(&watch, place, device, &mut epoch, &frame);
            if outbound.send(*frame).is_err() {
                return;
            }
        }
    });
    let ended = dispatcher.serve(id, None, frames.boxed(), out).await;
    let outcome = ended.map_or_else(|error| error.to_string(), |()| "ended".to_owned());
    world.note(&format!("replica {place}: session of device {device}: {outcome}"));
}

/// Brings announcements to the replica: soon, late, or never.
async fn carry_announcements(world: Rc<World>, place: usize, line: Line) {
    loop {
        let payload = line.announced().await;
        let milliseconds = Duration::from_millis;
        let late = match *world.replicas[place].hearing.borrow() {
            Hearing::Good => world.between(milliseconds(1), milliseconds(20)),
            Hearing::Bad if world.chance(50) => world.between(milliseconds(20), milliseconds(5_000)),
            Hearing::Bad | Hearing::Deaf => {
                world.note(&format!("an announcement to replica {place} is lost"));
                continue;
            }
        };
        let line = line.clone();
        spawn_local(async move {
            sleep(late).await;
            line.hear(payload);
        });
    }
}

/// Does what people ask of this replica; several things at the same time.
async fn obey(
    world: Rc<World>,
    store: Store,
    dispatcher: Dispatcher,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    while let Some(command) = commands.recv().await {
        spawn_local(operator::carry_out(Rc::clone(&world), store.clone(), dispatcher.clone(), command));
    }
}
