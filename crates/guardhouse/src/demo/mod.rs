//! `guardhouse demo`: the main job on the machine it stands on, step by step.
//!
//! Everything is real: the server is the one that `guardhouse serve` runs, the agent is a process of its own,
//! and each step goes through the public API as the printed `curl` line does.

mod agent;
mod steps;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Args;
use guardhouse_contract::Access;
use guardhouse_identity::{Accounts, Authority, EnrolmentTokens};
use guardhouse_model::{Environment, groups::LOST_AND_FOUND};
use tokio::sync::oneshot;

use crate::{
    client::{Client, Connection, Credentials},
    serve::{ServeArgs, Server},
    storage::StorageArgs,
    worker::{QueueArgs, WorkArgs},
};

/// Show the whole of Guardhouse on this machine.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Stop when the last step is done instead of staying up.
    #[arg(long)]
    once: bool,

    /// Loopback address to listen on; port 0 lets the system choose one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Folder to make and use; a fresh temporary one when left out.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// The account of the demonstration.
const USER: &str = "demo@example.com";

/// Runs the demonstration.
pub async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let environment = Environment::system();
    let folder = match args.folder {
        Some(folder) => folder,
        None => std::env::temp_dir().join(format!("guardhouse-demo-{}", environment.uuid().simple())),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let data_dir = folder.join("data");
    let storage = StorageArgs::folder(data_dir.clone());

    let server = Server::open(ServeArgs {
        listen: args.listen,
        storage: storage.clone(),
        insecure_http: true,
        tls_certificate: None,
        tls_key: None,
        tls_names: Vec::new(),
        rate_limit: 10,
        answer_budget: Duration::from_secs(30),
        access_token_lifetime: Duration::from_secs(3_600),
        forbidden_actions: Vec::new(),
        region: "local".to_owned(),
        keep_runs: Duration::from_secs(86_400),
        execution_limit: Duration::from_secs(86_400),
        work: WorkArgs::none(),
        queue: QueueArgs::default(),
        insecure_webhooks: false,
        device_snapshots: None,
    })
    .await?;
    let url = server.url();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.run(async move {
        // Either told to stop, or the demonstration itself is gone.
        let _ = stopped.await;
    }));

    let password = secret(&environment);
    let token = prepare(&storage, &environment, &password).await?;
    println!("A server listens on {url}, with its data in {}.", data_dir.display());
    println!("Its account is {USER} with the password {password}.\n");

    let credentials = Credentials::Password { user: USER.to_owned(), password: password.clone() };
    let client =
        Client::new(Connection { server: url.parse()?, ca: None, credentials }, environment.clone())?;
    let outcome = async {
        steps::sign_in(&url, USER, &password);
        steps::import(&client, &url).await?;
        let agent = agent::start(&url, &token, &folder.join("agent")).await?;
        steps::enrolled(&agent);
        steps::run_command(&client, &url, &agent.device).await?;
        if !args.once {
            steps::farewell(&url, &folder);
            tokio::signal::ctrl_c().await.context("Ctrl-C cannot be waited for")?;
        }
        agent.stop().await
    }
    .await;

    // Sessions end first, so that the server has nothing to wait for.
    let _ = stop.send(());
    serving.await.context("the server ended badly")?;
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Makes the account and an enrolment token; answers the text of the token.
async fn prepare(storage: &StorageArgs, environment: &Environment, password: &str) -> anyhow::Result<String> {
    let store = storage.open().await?;
    Accounts::new(store.clone(), environment.clone()).add(USER, password, Access::Full, None).await?;
    let authority = Authority::load_or_create(&store, environment).await?.into();
    let lifetime = Duration::from_secs(3_600);
    let tokens = EnrolmentTokens::new(store, environment.clone(), authority);
    Ok(tokens.create(LOST_AND_FOUND, 1, lifetime).await?.to_string())
}

fn secret(environment: &Environment) -> String {
    environment.random::<12>().iter().map(|byte| format!("{byte:02x}")).collect()
}
