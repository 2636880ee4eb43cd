//! `policy_assign_all`: whether assigning a policy to the group *All* costs more when there are more devices.

use std::path::Path;

use anyhow::Context as _;
use guardhouse_loadgen::process::Process;
use guardhouse_store::DATABASE_FILE;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::figures::{api::Api, figure::Measured, generator, house::House, median, now, setup::Setup};

/// How many devices there are in the full house.
const MANY: usize = 100_000;

/// How many there are in the other.
const FEW: usize = 10;

/// How many policies are assigned in each house, in turns.
const ROUNDS: usize = 100;

/// A server with devices, and what the calls to it cost.
struct Side {
    house: House,
    api: Api,
    process: Process,
    millis: Vec<f64>,
    bytes: Vec<f64>,
}

/// Assigns policies in two houses in turns; the value is the ratio of the median times.
///
/// # Errors
/// A call is refused, or a server does not start.
pub async fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let many = setup.sized(MANY, 1_000);
    let (mut few, mut full) = (Side::new(setup, FEW).await?, Side::new(setup, many).await?);
    for _ in 0..ROUNDS {
        few.assign().await?;
        full.assign().await?;
    }
    let [few_rows, full_rows] = [few.rows_of_one().await?, full.rows_of_one().await?];
    let [(few_millis, few_bytes), (millis, bytes)] = [few.end().await?, full.end().await?];
    let note = format!(
        "Median of {ROUNDS} calls of AssignPolicy on All with {many} devices: {millis:.2} ms, {full_rows} rows and \
         {bytes:.0} bytes written; with {FEW} devices in the same run, in turns: {few_millis:.2} ms, {few_rows} rows and \
         {few_bytes:.0} bytes."
    );
    Ok(Measured { holds: full_rows == few_rows, ..Measured::new(millis / few_millis, note) })
}

impl Side {
    async fn new(setup: &Setup, devices: usize) -> anyhow::Result<Self> {
        let house = House::start_new(setup).await?;
        generator::rest(setup, &house, &[], &["import", "--devices", &devices.to_string()]).await?;
        let (api, process) = (Api::sign_in(&house).await?, Process::new(house.id()?)?);
        Ok(Self { house, api, process, millis: Vec::new(), bytes: Vec::new() })
    }

    /// Assigns another policy, and takes it away again.
    async fn assign(&mut self) -> anyhow::Result<()> {
        let request = self.policy().await?;
        let (written, begun) = (self.process.written()?, now());
        let assigned = self.api.post(&self.house, "/v2/policy-assignments", &request).await?;
        self.millis.push(begun.elapsed().as_secs_f64() * 1_000.0);
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        self.bytes.push((self.process.written()? - written) as f64);
        let uuid = assigned["assignment"]["uuid"].as_str().context("an assignment without uuid")?;
        self.api.delete(&self.house, &format!("/v2/policy-assignments/{uuid}")).await
    }

    /// Creates a policy; answers the request that assigns it to *All*.
    async fn policy(&self) -> anyhow::Result<Value> {
        let feature = json!({
            "featureId": 0x4748_0001,
            "configuration": {
                "@type": "type.googleapis.com/guardhouse.policy.v1.AgentPolicy",
                "connectionInterval": "60s",
            },
        });
        let policy = json!({"policy": {"displayName": "load", "features": [feature]}});
        let created = self.api.post(&self.house, "/v2/policies", &policy).await?;
        let all = guardhouse_model::groups::ALL.to_string();
        let policy = &created["policy"]["uuid"];
        Ok(json!({"assignment": {"policyUuid": policy, "target": {"deviceGroupUuid": all}}}))
    }

    /// How many rows of the database one assignment adds.
    async fn rows_of_one(&self) -> anyhow::Result<u64> {
        let request = self.policy().await?;
        let before = rows(&self.house.data())?;
        self.api.post(&self.house, "/v2/policy-assignments", &request).await?;
        Ok(rows(&self.house.data())? - before)
    }

    /// The median time in ms and the median bytes.
    async fn end(mut self) -> anyhow::Result<(f64, f64)> {
        self.house.stop().await?;
        Ok((median(&mut self.millis), median(&mut self.bytes)))
    }
}

/// How many rows all tables have together. The server may run.
fn rows(data: &Path) -> anyhow::Result<u64> {
    let connection = Connection::open_with_flags(data.join(DATABASE_FILE), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare("select name from sqlite_schema where type = 'table'")?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let count = |table: &String| {
        connection.query_row(&format!("select count(*) from {table}"), [], |row| row.get::<_, u64>(0))
    };
    Ok(tables.iter().map(count).sum::<Result<_, _>>()?)
}
