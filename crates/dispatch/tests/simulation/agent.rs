//! An agent: the journal's ledger and the decisions are those of the real one; disk, processes and the link are
//! simulated.

use std::{convert::Infallible, rc::Rc, time::Duration};

use guardhouse_contract::{
    link::{
        AgentFrame, Hello, Inventory, PolicyReport, ServerFrame, agent_frame, go_away::Reason, server_frame,
    },
    time::from_proto,
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use turmoil::net::TcpStream;

use crate::{
    replica::PORT,
    runs::{Died, Runs},
    wire::{SILENCE, Wire, wire},
    world::{REPLICAS, World},
};

/// The longest that an agent waits before it connects again. The real one waits longer after many failures, which
/// only costs simulated time here.
const BACKOFF: Duration = Duration::from_secs(2);

/// The longest that a dead agent takes to be started again.
const RESTART: Duration = Duration::from_secs(3);

/// Lives, again and again.
pub async fn run(world: Rc<World>, place: usize) -> turmoil::Result {
    loop {
        let Err(Died) = live(&world, place).await;
        world.note(&format!("the agent of device {place} dies"));
        world.devices[place].connected.set(None);
        sleep(world.between(Duration::ZERO, RESTART)).await;
    }
}

async fn live(world: &Rc<World>, place: usize) -> Result<Infallible, Died> {
    let mut runs = Runs::new(Rc::clone(world), place)?;
    loop {
        // Whoever spreads connections over replicas: a load balancer, or names.
        let replica = world.below(REPLICAS);
        let connect = timeout(SILENCE, TcpStream::connect((format!("replica-{replica}"), PORT)));
        if let Ok(Ok(stream)) = during(&mut runs, connect).await? {
            talk(world, place, replica, &mut runs, stream).await?;
            world.devices[place].connected.set(None);
            runs.disconnected();
        }
        during(&mut runs, sleep(world.between(Duration::ZERO, BACKOFF))).await?;
    }
}

/// Drives the runs while `future` is waited for.
async fn during<T>(runs: &mut Runs, future: impl Future<Output = T>) -> Result<T, Died> {
    tokio::pin!(future);
    let device = Rc::clone(&runs.device);
    loop {
        tokio::select! {
            biased;
            done = &mut future => return Ok(done),
            () = device.exited.notified() => runs.runners_exited()?,
        }
    }
}

async fn talk(
    world: &World,
    place: usize,
    replica: usize,
    runs: &mut Runs,
    stream: TcpStream,
) -> Result<(), Died> {
    let Wire { mut inbound, outbound } = wire::<ServerFrame, AgentFrame>(stream);
    let inventory = Inventory { host_name: format!("device-{place}"), ..Default::default() };
    let policy_report = runs.device.policy.get().map(report);
    let hello =
        agent_frame::Kind::Hello(Hello { inventory: Some(inventory), policy_report, ..Default::default() });
    let _ = outbound.send(AgentFrame { kind: Some(hello) });
    let welcome = during(runs, timeout(SILENCE, inbound.recv())).await?;
    let Ok(Some(ServerFrame { kind: Some(server_frame::Kind::Welcome(welcome)) })) = welcome else {
        return Ok(());
    };
    world.note(&format!("device {place} is connected with replica {replica}, epoch {}", welcome.epoch));
    let device = Rc::clone(&runs.device);
    device.connected.set(Some(replica));
    runs.connected(welcome.server_time.as_ref().and_then(from_proto))?;
    loop {
        while let Some(frame) = runs.next_frame() {
            // Fails only when the link is over, and `inbound` says so.
            let _ = outbound.send(frame);
        }
        tokio::select! {
            biased;
            () = device.hurry.notified() => return Ok(()),
            frame = inbound.recv() => {
                let Some(frame) = frame else { return Ok(()) };
                if take(world, place, runs, together(frame, &mut inbound))? {
                    return Ok(());
                }
            }
            () = device.exited.notified() => runs.runners_exited()?,
        }
    }
}

/// What the agent says of its policy: it does all that it is told.
fn report(generation: [u8; 32]) -> PolicyReport {
    PolicyReport { generation: generation.to_vec(), unapplied: Vec::new() }
}

fn together(first: ServerFrame, rest: &mut mpsc::UnboundedReceiver<ServerFrame>) -> Vec<ServerFrame> {
    let mut frames = vec![first];
    while let Ok(frame) = rest.try_recv() {
        frames.push(frame);
    }
    frames
}

/// Takes frames that arrived together, in the order of the real agent; true: the server closes the link.
fn take(world: &World, place: usize, runs: &mut Runs, frames: Vec<ServerFrame>) -> Result<bool, Died> {
    let (mut orders, mut acks, mut closes, mut settled) = (Vec::new(), Vec::new(), false, false);
    for kind in frames.into_iter().filter_map(|frame| frame.kind) {
        match kind {
            server_frame::Kind::Order(order) => {
                world.notes.borrow_mut().ordered(world, place, &order.run_uuid);
                orders.push(order);
            }
            server_frame::Kind::RunEndedAck(ack) => acks.push(ack),
            server_frame::Kind::Withdraw(withdraw) => {
                runs.order(std::mem::take(&mut orders))?;
                runs.withdraw(&withdraw)?;
            }
            server_frame::Kind::GoAway(go_away) => {
                if go_away.reason() == Reason::NotManaged {
                    world.violation(format!("device {place} was dismissed"));
                }
                closes = true;
            }
            server_frame::Kind::Policy(policy) => {
                runs.order(std::mem::take(&mut orders))?;
                let generation = policy.generation.try_into().expect("32 bytes");
                runs.keep_policy(generation)?;
                runs.send(agent_frame::Kind::PolicyReport(report(generation)));
            }
            server_frame::Kind::CancelRun(cancel) => {
                runs.order(std::mem::take(&mut orders))?;
                runs.cancel(&cancel)?;
            }
            server_frame::Kind::Settled(_) => settled = true,
            server_frame::Kind::Welcome(_)
            | server_frame::Kind::AgentRelease(_)
            | server_frame::Kind::EnrolAnew(_) => {}
        }
    }
    runs.order(orders)?;
    runs.acknowledged(&acks)?;
    if settled {
        runs.settled()?;
    }
    Ok(closes)
}
