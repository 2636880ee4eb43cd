//! The public API, as far as the generator uses it.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use guardhouse_contract::{
    automation::{
        Action, CreateTaskRequest, DeleteTaskRequest, DeviceTask, DeviceTaskTargets, ManualTrigger, Trigger,
        device_tasks_client::DeviceTasksClient,
    },
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
    time::to_proto,
};
use guardhouse_link::{channel, tls};
use guardhouse_model::Environment;
use http::Uri;
use rustls::ClientConfig;
use serde::Deserialize;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

/// No call of the generator should take longer.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How long a task stays open: hosts that enrol for a later measurement must not get it.
const TASK_LIFE: Duration = Duration::from_secs(10 * 60);

/// An account that is signed in.
#[derive(Debug)]
pub struct Api {
    tasks: DeviceTasksClient<InterceptedService<Channel, Bearer>>,
    environment: Environment,
}

/// Adds the access token to every call.
#[derive(Debug, Clone)]
struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// What the token endpoint answers (RFC 6749, section 5.1), as far as it is used here.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

impl Api {
    /// Signs in.
    ///
    /// # Errors
    /// The server cannot be reached, or name and password do not fit.
    pub async fn sign_in(
        server: &Uri,
        trust: tls::Trust,
        user: &str,
        password: &str,
        environment: Environment,
    ) -> anyhow::Result<Self> {
        let config = tls::client_config(trust, None, &[tls::HTTP_2])?;
        let token = access_token(server, &config, user, password).await?;
        let mut bearer: MetadataValue<Ascii> = format!("Bearer {token}").parse().context("an odd token")?;
        bearer.set_sensitive(true);
        let channel = channel::connect(server, config).await?;
        Ok(Self { tasks: DeviceTasksClient::with_interceptor(channel, Bearer(bearer)), environment })
    }

    /// Creates a task that runs `script` on the targets; answers its uuid.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn run_command(
        &mut self,
        targets: DeviceTaskTargets,
        script: String,
    ) -> anyhow::Result<String> {
        let command = RunCommand { command_line: script, ..Default::default() };
        let expire_time = self.environment.now().saturating_add(TASK_LIFE)?;
        let task = DeviceTask {
            display_name: "load".to_owned(),
            action: Some(Action { name: "RunCommand".to_owned(), params: Some(pack(&command)) }),
            targets: Some(targets),
            triggers: vec![Trigger {
                manual: Some(ManualTrigger {
                    expire_time: Some(to_proto(expire_time)),
                    ..Default::default()
                }),
            }],
            ..Default::default()
        };
        let created = self.tasks.create_task(CreateTaskRequest { task: Some(task) }).await;
        let created = created.context("the server did not create the task")?.into_inner();
        Ok(created.task.context("the server answered no task")?.uuid)
    }

    /// Deletes a task.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn delete_task(&mut self, task_uuid: String) -> anyhow::Result<()> {
        let deleted = self.tasks.delete_task(DeleteTaskRequest { task_uuid }).await;
        deleted.context("the server did not delete the task")?;
        Ok(())
    }
}

async fn access_token(
    server: &Uri,
    config: &Arc<ClientConfig>,
    user: &str,
    password: &str,
) -> anyhow::Result<String> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(TIME_LIMIT)
        .tls_backend_preconfigured((**config).clone())
        .build()?;
    let form = [("grant_type", "password"), ("username", user), ("password", password)];
    let url = format!("{}/oauth/token", server.to_string().trim_end_matches('/'));
    let answer = client.post(url).form(&form).send().await.context("cannot sign in")?;
    let status = answer.status();
    let body = answer.bytes().await.context("the answer to the sign-in broke off")?;
    anyhow::ensure!(
        status.is_success(),
        "cannot sign in as {user} ({status}): {}",
        String::from_utf8_lossy(&body)
    );
    Ok(serde_json::from_slice::<Granted>(&body).context("the server answered no token")?.access_token)
}
