//! Replicas that are killed or stopped while a task to many devices is under way.

use std::io::ErrorKind;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::House;
use crate::support::wait_for;

const AGENTS: usize = 5;

#[tokio::test]
async fn tasks_to_many_devices_survive_replicas_that_are_killed() {
    let mut house = House::new(2).await;
    house.lead_to(&[0, 1]);
    house.start_agents(AGENTS).await;
    for round in 0..4 {
        // Some of the devices are there when it dies: connections are led to both in turns.
        let (victim, survivor) = (round % 2, (round + 1) % 2);
        let api = house.replicas[survivor].admin().await;
        let before = house.tasks.len() * AGENTS;
        for _ in 0..4 {
            house.run_everywhere(&api, &house.evidence.script()).await;
        }
        house.begun(before + AGENTS).await;
        house.replicas[victim].kill().await;
        house.check(&api).await;
        house.replicas[victim].restart().await;
    }
}

#[tokio::test]
async fn nothing_is_lost_when_all_replicas_are_killed_together() {
    let mut house = House::new(2).await;
    house.lead_to(&[0, 1]);
    house.start_agents(AGENTS).await;
    for _ in 0..2 {
        let api = house.replicas[0].admin().await;
        let before = house.tasks.len() * AGENTS;
        for _ in 0..4 {
            house.run_everywhere(&api, &house.evidence.script()).await;
        }
        house.begun(before + AGENTS).await;
        for replica in &mut house.replicas {
            replica.kill().await;
        }
        for replica in &mut house.replicas {
            replica.restart().await;
        }
    }
    house.check(&house.replicas[1].admin().await).await;
}

#[tokio::test]
async fn a_replica_that_stops_sends_its_devices_to_the_other() {
    let mut house = House::new(2).await;
    house.lead_to(&[1]);
    house.start_agents(AGENTS).await;
    house.all_connected_to(1).await;
    let api = house.replicas[0].admin().await;
    house.run_everywhere(&api, &house.evidence.held_script()).await;
    house.begun(AGENTS).await;
    house.lead_to(&[0, 1]);

    // The process does not end before this request does.
    let unfinished = begin_request(&house, 1).await;
    house.replicas[1].ask_to_end();
    let refused = async || {
        let attempt = TcpStream::connect(house.replicas[1].socket()).await;
        attempt.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused).then_some(())
    };
    wait_for("the port is closed", refused).await;
    assert!(house.replicas[1].runs(), "the port closes first");
    for agent in &house.agents {
        house.replicas[1].logged(&["device disconnected", &agent.device, "SHUTTING_DOWN"]).await;
    }
    house.all_connected_to(0).await;
    house.evidence.release();
    house.check(&api).await;
    drop(unfinished);
    house.replicas[1].ended().await;
}

/// Sends the head of a request and waits until the replica asks for the rest.
async fn begin_request(house: &House, replica: usize) -> TcpStream {
    let mut connection = TcpStream::connect(house.replicas[replica].socket()).await.expect("it listens");
    let head = "POST /oauth/token HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
                content-type: application/x-www-form-urlencoded\r\ncontent-length: 10\r\n\r\n";
    connection.write_all(head.as_bytes()).await.expect("it reads");
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.expect("it answers");
    assert_eq!(&answer, b"HTTP/1.1 100");
    connection
}
