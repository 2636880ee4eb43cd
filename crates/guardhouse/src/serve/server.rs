//! Puts the server together: the one place that knows every part.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use guardhouse_contract::{frames::LARGEST_OF_AGENT, link::agent_link_server::AgentLinkServer};
use guardhouse_dispatch::Dispatcher;
use guardhouse_gateway::{Bound, Gateway, Parts, Registry, Settings};
use guardhouse_identity::{
    AccessKeys, Authority, Devices, EnrolmentTokens, ReleaseKey, ReportLinks, Sealing, Tokens,
    tokens::TokenSettings,
};
use guardhouse_model::{Environment, rate::Quota};
use guardhouse_services::{AgentLinkService, Context, Looking, ReportMaker, page::Pages};
use guardhouse_store::{KeyRecord, Store};
use guardhouse_worker::Worker;
use tokio::sync::oneshot;
use tonic::service::Routes;
use tracing::error;

use crate::{
    serve::{
        ServeArgs,
        background::Background,
        certificate,
        duty::Duty,
        lapses::{self, Lapses},
        locations::{self, Locations},
        membership::{self, Membership},
        overdue::{self, Overdue},
        reports,
        retention::{self, Retention},
        schedules::{self, Schedules},
        snapshot_folder,
        snapshots::{
            archives::{self, Archives},
            lost::{self, Lost},
        },
        webhooks::{self, Sender, Webhooks},
    },
    worker::{self, Local},
};

/// A server that is ready to run.
pub struct Server {
    bound: Bound,
    dispatcher: Dispatcher,
    insecure_http: bool,
    background: Background,
    worker: Option<Worker<Local>>,
}

impl Server {
    /// Opens the data folder and the port.
    pub async fn open(args: ServeArgs) -> anyhow::Result<Self> {
        let environment = Environment::system();
        let store = args.storage.open().await?;
        let authority = Arc::new(Authority::load_or_create(&store, &environment).await?);
        guardhouse_services::settle_built_in_policies(&store).await?;
        let tls = certificate::tls(&args, &authority)?;
        args.storage.write("ca.pem", &authority.certificate_pem())?;

        let tokens = Tokens::open(store.clone(), environment.clone(), token_settings(&args)?).await?;
        let devices = Devices::new(store.clone(), Arc::clone(&authority));
        let dispatcher =
            Dispatcher::new(store.clone(), environment.clone()).forbidding(&args.forbidden_actions);
        let duty = |name, term| Duty {
            name,
            term,
            store: store.clone(),
            environment: environment.clone(),
            holder: environment.uuid(),
        };
        let mut background = Background::default();
        let membership = Membership {
            store: store.clone(),
            dispatcher: dispatcher.clone(),
            duty: duty(membership::DUTY, membership::LEASE),
        };
        membership.derive_missing().await?;
        background.add_duty(membership.duty.clone(), membership.run());
        let retention = Retention {
            store: store.clone(),
            duty: duty(retention::DUTY, retention::LEASE),
            keep: args.keep_runs,
            keep_results: args.queue.keep_results,
        };
        background.add_duty(retention.duty.clone(), retention.run());
        let overdue = Overdue {
            store: store.clone(),
            duty: duty(overdue::DUTY, overdue::LEASE),
            execution_limit: args.execution_limit,
        };
        background.add_duty(overdue.duty.clone(), overdue.run());
        background.add(reports::run(ReportMaker { store: store.clone(), environment: environment.clone() }));
        let report_links = ReportLinks::load_or_create(&store, &environment).await?;
        let (period, term) = Lapses::terms(args.queue.worker_lease);
        let lapses = Lapses { store: store.clone(), duty: duty(lapses::DUTY, term), period };
        background.add_duty(lapses.duty.clone(), lapses.run());
        let device_snapshots = snapshot_folder::open(&args, &store).await?;
        let lost = Lost { store: store.clone(), duty: duty(lost::DUTY, lost::LEASE) };
        background.add_duty(lost.duty.clone(), lost.run());
        if let Some(folder) = device_snapshots.clone() {
            let archives =
                Archives { store: store.clone(), duty: duty(archives::DUTY, archives::LEASE), folder };
            background.add_duty(archives.duty.clone(), archives.run());
        }
        let schedules = Schedules {
            store: store.clone(),
            dispatcher: dispatcher.clone(),
            keeps_snapshots: device_snapshots.is_some(),
            duty: duty(schedules::DUTY, schedules::LEASE),
        };
        background.add_duty(schedules.duty.clone(), schedules.run());
        let sealing = Sealing::load_or_create(&store, &environment).await?;
        let folders = args.work.folders();
        let looking = Looking {
            store: store.clone(),
            sealing: sealing.clone(),
            folders: folders.clone(),
            environment: environment.clone(),
        };
        let locations = Locations { looking, duty: duty(locations::DUTY, locations::LEASE) };
        background.add_duty(locations.duty.clone(), locations.run());
        let workers = Arc::new(worker::service(store.clone(), &environment, &args.queue).await?);
        let worker = worker::inside(
            Arc::clone(&workers),
            &args.work,
            device_snapshots.as_deref(),
            environment.clone(),
        )?;
        let webhooks = Webhooks {
            store: store.clone(),
            duty: duty(webhooks::DUTY, webhooks::LEASE),
            sealing: sealing.clone(),
            sender: Sender::new(args.insecure_webhooks)?,
        };
        background.add_duty(webhooks.duty.clone(), webhooks.run());
        let context = Arc::new(Context {
            workers,
            environment: environment.clone(),
            dispatcher: dispatcher.clone(),
            pages: pages(&store, &environment).await?,
            report_links: report_links.clone(),
            enrolment: EnrolmentTokens::new(store.clone(), environment.clone(), authority),
            devices: devices.clone(),
            trust: tls.trust,
            release_key: ReleaseKey::load_or_create(&store, &environment).await?.public().to_vec(),
            sealing,
            folders,
            region: args.region.clone(),
            insecure_webhooks: args.insecure_webhooks,
            device_snapshots,
            store: store.clone(),
        });
        let link = AgentLinkServer::new(AgentLinkService(Arc::clone(&context)))
            .max_decoding_message_size(LARGEST_OF_AGENT);
        let parts = Parts {
            access_keys: AccessKeys::open(store.clone(), environment.clone()).await?,
            report_links,
            environment,
            store,
            registry: Registry::new(guardhouse_services::methods(&context))?,
            tokens: Arc::new(tokens),
            devices,
            tls: tls.config,
            streaming: Routes::new(link),
        };
        let bound = Gateway::bind(settings(&args), parts).await?;
        let insecure_http = args.insecure_http;
        background.add({
            let dispatcher = dispatcher.clone();
            async move { dispatcher.run().await }
        });
        Ok(Self { bound, dispatcher, insecure_http, background, worker })
    }

    /// Where clients reach the server.
    pub fn url(&self) -> String {
        let scheme = if self.insecure_http { "http" } else { "https" };
        format!("{scheme}://{}", self.bound.local_addr())
    }

    /// Serves until `shutdown` is ready; connected devices are told to come back later.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { bound, dispatcher, background, worker, .. } = self;
        let background = background.start();
        let (leave, leaving) = oneshot::channel::<()>();
        let scanning = tokio::spawn(scan(worker, async { _ = leaving.await }));
        bound
            .run(async move {
                shutdown.await;
                // What is scanned is given back while requests end.
                drop(leave);
                // Beside the end of the running requests: the port closes at once.
                tokio::spawn(async move { dispatcher.drain().await });
            })
            .await;
        _ = scanning.await;
        background.end().await;
    }
}

/// Carries out agentless scans until `shutdown` is ready.
async fn scan(worker: Option<Worker<Local>>, shutdown: impl Future<Output = ()>) {
    let Some(worker) = worker else { return };
    if let Err(status) = worker.run(shutdown).await {
        error!(%status, "no agentless scans are carried out any more");
    }
}

fn settings(args: &ServeArgs) -> Settings {
    let quota =
        (args.rate_limit > 0).then_some(Quota { burst: args.rate_limit, per: Duration::from_secs(1) });
    Settings {
        insecure_http: args.insecure_http,
        account_rate: quota,
        anonymous_rate: quota,
        answer_budget: args.answer_budget,
        ..Settings::new(args.listen)
    }
}

fn token_settings(args: &ServeArgs) -> anyhow::Result<TokenSettings> {
    let seconds = u32::try_from(args.access_token_lifetime.as_secs()).ok().filter(|seconds| *seconds > 0);
    let access_lifetime = seconds.context("--access-token-lifetime must be at least a second")?;
    Ok(TokenSettings { access_lifetime, ..TokenSettings::default() })
}

/// Page tokens stay valid across restarts: their key is kept.
async fn pages(store: &Store, environment: &Environment) -> anyhow::Result<Pages> {
    let candidate = KeyRecord { secret: environment.random::<32>().to_vec(), certificate: None };
    let kept = store.key_settle("page-tokens", candidate, environment.now()).await?;
    let key = kept.secret.as_slice().try_into().context("the key of the page tokens has a wrong length")?;
    Ok(Pages::new(key))
}
