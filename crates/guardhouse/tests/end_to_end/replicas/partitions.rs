//! Connections that are cut or stand still: between replicas and the database, and between agents and replicas.

use guardhouse_contract::automation::{ListTasksRequest, ListTasksResponse};
use guardhouse_testing::{Proxy, postgres::Server as PostgresServer};
use reqwest::StatusCode;

use super::House;
use crate::support::{Api, of_devices};

const AGENTS: usize = 4;

/// Two replicas, of which the second reaches the database through a proxy, with agents at the second.
async fn house_with_a_thin_thread() -> (House, Proxy) {
    let server = PostgresServer::shared();
    let (database, proxy) = (server.empty_database(), server.proxy());
    let urls = [database.url(), database.url_through(&proxy)];
    let mut house = House::at(database, &urls).await;
    house.lead_to(&[1]);
    house.start_agents(AGENTS).await;
    house.all_connected_to(1).await;
    (house, proxy)
}

/// Calls a replica that does not reach its database.
async fn refuses(api: &Api) {
    let called: Result<ListTasksResponse, _> = api.call(&ListTasksRequest::default()).await;
    let refusal = called.expect_err("the database is away");
    assert_eq!(refusal.status, StatusCode::SERVICE_UNAVAILABLE, "{refusal:?}");
    assert_eq!(refusal.refusal().1, "DATABASE_UNAVAILABLE", "{refusal:?}");
}

#[tokio::test]
async fn results_wait_while_the_only_replica_is_cut_off_from_the_database() {
    let (mut house, proxy) = house_with_a_thin_thread().await;
    let [here, there] = [house.replicas[0].admin().await, house.replicas[1].admin().await];
    house.run_everywhere(&here, &house.evidence.held_script()).await;
    house.begun(AGENTS).await;
    proxy.cut();
    refuses(&there).await;
    // The scripts end now, and there is nobody who could keep their results. This one is told nobody, either.
    house.evidence.release();
    house.run_everywhere(&here, &house.evidence.script()).await;
    refuses(&there).await;
    proxy.heal();
    house.check(&there).await;
}

#[tokio::test]
async fn devices_leave_a_replica_whose_database_stands_still() {
    let (mut house, proxy) = house_with_a_thin_thread().await;
    let [here, there] = [house.replicas[0].admin().await, house.replicas[1].admin().await];
    house.run_everywhere(&here, &house.evidence.held_script()).await;
    house.begun(AGENTS).await;
    proxy.freeze();
    refuses(&there).await;
    house.lead_to(&[0]);
    house.evidence.release();
    // They cannot hand their results in where they are.
    house.all_connected_to(0).await;
    house.check(&here).await;

    // What stood still goes on, and changes nothing.
    proxy.heal();
    house.run_everywhere(&there, &house.evidence.script()).await;
    house.check(&there).await;

    // A replica does not need the database to stop in order.
    proxy.freeze();
    house.replicas[1].stop().await;
}

#[tokio::test]
async fn tasks_survive_a_replica_that_loses_its_database_again_and_again() {
    let (mut house, proxy) = house_with_a_thin_thread().await;
    let [here, there] = [house.replicas[0].admin().await, house.replicas[1].admin().await];
    for round in 1..=5 {
        for _ in 0..4 {
            house.run_everywhere(&here, &house.evidence.script()).await;
        }
        // In the middle of whatever is under way: orders, starts and results of these tasks and of those before.
        house.begun(round * AGENTS).await;
        proxy.cut();
        refuses(&there).await;
        proxy.heal();
    }
    house.check(&here).await;
}

#[tokio::test]
async fn all_replicas_bear_a_database_that_crashes() {
    let mut postgres = PostgresServer::own();
    let database = postgres.empty_database();
    let urls = [database.url(), database.url()];
    let mut house = House::at(database, &urls).await;
    house.lead_to(&[0, 1]);
    house.start_agents(AGENTS).await;
    let [here, there] = [house.replicas[0].admin().await, house.replicas[1].admin().await];
    house.run_everywhere(&here, &house.evidence.held_script()).await;
    house.begun(AGENTS).await;
    postgres.stop_immediately();
    refuses(&here).await;
    refuses(&there).await;
    house.evidence.release();
    postgres.start();
    house.check(&there).await;
    // New work finds its way between them, too.
    house.run_everywhere(&here, &house.evidence.script()).await;
    house.run_everywhere(&there, &house.evidence.script()).await;
    house.check(&here).await;
}

#[tokio::test]
async fn a_later_connection_fences_one_that_is_half_dead() {
    let mut house = House::new(2).await;
    let link = Proxy::to_tcp(house.replicas[1].socket());
    house.balancer.lead_to(&[link.address()]);
    house.start_agents(AGENTS).await;
    house.all_connected_to(1).await;
    let api = house.replicas[0].admin().await;
    house.run_everywhere(&api, &house.evidence.held_script()).await;
    house.begun(AGENTS).await;

    // The replica does not learn that its agents die, and the new ones come to the other.
    link.freeze();
    house.lead_to(&[0]);
    for agent in &mut house.agents {
        agent.kill().await;
        agent.start();
    }
    for agent in &house.agents {
        house.replicas[0].logged(&["device connected", &agent.device, "epoch=2"]).await;
        house.replicas[1].logged(&["device disconnected", &agent.device, "epoch=1", "superseded"]).await;
    }
    house.evidence.release();
    house.check(&api).await;

    // What the frozen link still held arrives at a session that is over.
    link.heal();
    let there = house.replicas[1].admin().await;
    for agent in &house.agents {
        let task = there.run_command(of_devices(&[&agent.device]), &house.evidence.script()).await;
        there.ended_runs(&task, 1).await;
    }
    assert_eq!(house.evidence.runs().len(), 2 * AGENTS);
    let connections = |log: String| log.lines().filter(|line| line.contains("device connected")).count();
    assert_eq!(house.replicas.iter().map(|it| connections(it.log())).collect::<Vec<_>>(), [AGENTS, AGENTS]);
}
