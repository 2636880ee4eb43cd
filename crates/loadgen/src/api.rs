//! Calls of the public API, over gRPC: those of tasks here, those of policies beside.

mod policies;

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
use guardhouse_link::channel;
use guardhouse_model::Environment;
use http::Uri;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

use crate::account::SignedIn;
pub use policies::PolicyApi;

/// How long a task stays open: hosts that enrol for a later measurement must not get it.
const TASK_LIFE: Duration = Duration::from_secs(10 * 60);

/// The tasks of a server, for an account.
#[derive(Debug)]
pub struct Api {
    tasks: DeviceTasksClient<Signed>,
    environment: Environment,
}

/// A connection with what signs its calls.
type Signed = InterceptedService<Channel, Bearer>;

/// Adds the access token to every call.
#[derive(Debug, Clone)]
struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

async fn connect(server: &Uri, account: &SignedIn) -> anyhow::Result<(Channel, Bearer)> {
    let bearer = format!("Bearer {}", account.token).parse();
    let mut bearer: MetadataValue<Ascii> = bearer.context("an odd token")?;
    bearer.set_sensitive(true);
    Ok((channel::connect(server, Arc::clone(&account.tls)).await?, Bearer(bearer)))
}

impl Api {
    /// Opens a connection for an account that is signed in.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn open(server: &Uri, account: &SignedIn, environment: Environment) -> anyhow::Result<Self> {
        let (channel, bearer) = connect(server, account).await?;
        Ok(Self { tasks: DeviceTasksClient::with_interceptor(channel, bearer), environment })
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
