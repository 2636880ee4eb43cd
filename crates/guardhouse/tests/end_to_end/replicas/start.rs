//! Replicas that start at the same moment, on a database with nothing in it.

use guardhouse_testing::postgres::Server as PostgresServer;
use tokio::join;

use super::{CONNECTIONS, House, everybody};
use crate::support::{ADMIN, READER, Server};

#[tokio::test]
async fn replicas_that_start_together_agree() {
    let database = PostgresServer::shared().empty_database();
    let url = database.url() + CONNECTIONS;
    let [mut first, mut second, mut third, beside] = std::array::from_fn(|_| Server::replica(&url, &[]));
    join!(first.restart(), second.restart(), third.restart(), beside.add_account(ADMIN, "full"));
    beside.add_account(READER, "read").await;

    let replicas = [first, second, third];
    let certificate = |server: &Server| std::fs::read_to_string(server.certificate_file()).expect("ca.pem");
    let token = replicas[0].admin().await.token().to_owned();
    for replica in &replicas {
        assert_eq!(certificate(replica), certificate(&replicas[0]));
        replica.account(READER).await;
        replica.anonymous().with_token(&token).run_command(everybody(), "true").await;
    }
}

/// What a replica logs about the duty.
const OURS: &[&str] = &["this process removes what is old", "retention"];

#[tokio::test]
async fn one_replica_at_a_time_has_a_duty() {
    let mut house = House::new(3).await;
    let mut holders = Vec::new();
    for (place, replica) in house.replicas.iter().enumerate() {
        replica.logged(&["removes what is old"]).await;
        holders.extend(replica.has_logged(OURS).then_some(place));
    }
    let [holder] = holders[..] else { panic!("one of them: {holders:?}") };

    // It gives the duty up when it stops, and the next that asks has it.
    house.replicas[holder].stop().await;
    let mut next = Server::replica(&(house.database.url() + CONNECTIONS), &[]);
    next.restart().await;
    next.logged(OURS).await;
}
