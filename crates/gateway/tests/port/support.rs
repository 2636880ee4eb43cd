//! A server for the tests, and its clients.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use guardhouse_contract::{
    Access, Call, Caller, Status,
    agentless::{ListAgentlessRegionRequest, ListAgentlessRegionResponse},
    assets::{
        CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest, DeleteGroupResponse, Groups,
        MoveGroupRequest, MoveGroupResponse, RenameGroupRequest, RenameGroupResponse, groups_methods,
    },
    link::{EnrolRequest, EnrolResponse, agent_link_server::AgentLinkServer},
    service::Method as ServiceMethod,
};
use guardhouse_gateway::{Bound, Gateway, Parts, Registry, Settings};
use guardhouse_identity::{
    AccessKeys, Accounts, Authority, Devices, EnrolmentTokens, ReportLinks, Tokens, tokens::TokenSettings,
};
use guardhouse_link::tls::{Trust, client_config, server_config};
use guardhouse_model::Environment;
use guardhouse_store::Store;
use reqwest::{Method, RequestBuilder, Response};
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};

use crate::{agent_link::Link, testing::every_method};

pub const PASSWORD: &str = "correct horse battery staple";
pub const GROUP: &str = "0193a1b2-0000-7000-8000-000000000001";

/// Groups that are nowhere kept. Creating answers what was sent, deleting finds nothing, moving panics, and
/// renaming waits until the test lets it go.
#[derive(Debug)]
pub struct TestGroups {
    pub may_rename: Semaphore,
    pub renamed: AtomicU32,
}

impl Groups for TestGroups {
    async fn create_group(
        &self,
        _: &Call,
        request: CreateGroupRequest,
    ) -> Result<CreateGroupResponse, Status> {
        Ok(CreateGroupResponse { group: request.group })
    }

    async fn delete_group(
        &self,
        _: &Call,
        request: DeleteGroupRequest,
    ) -> Result<DeleteGroupResponse, Status> {
        Err(Status::not_found(format!("group {}", request.group_uuid)).because("the test keeps no groups"))
    }

    async fn move_group(&self, _: &Call, _: MoveGroupRequest) -> Result<MoveGroupResponse, Status> {
        panic!("a secret of the house")
    }

    async fn rename_group(
        &self,
        _: &Call,
        request: RenameGroupRequest,
    ) -> Result<RenameGroupResponse, Status> {
        self.renamed.fetch_add(1, Ordering::SeqCst);
        self.may_rename.acquire().await.expect("open").forget();
        if request.display_name.is_empty() {
            return Err(Status::invalid_field("displayName", "must not be empty"));
        }
        Ok(RenameGroupResponse { group: None })
    }
}

/// Enrols nobody: says in the answer who called.
async fn enrol(call: Call, _: EnrolRequest) -> Result<EnrolResponse, Status> {
    Ok(EnrolResponse { device_uuid: format!("{:?}", call.caller), ..Default::default() })
}

/// One region, which is named after who asks.
async fn regions(call: Call, _: ListAgentlessRegionRequest) -> Result<ListAgentlessRegionResponse, Status> {
    let Caller::Account(account) = call.caller else { return Err(Status::internal("no account")) };
    Ok(ListAgentlessRegionResponse { region_list: vec![account.name], ..Default::default() })
}

/// A server that runs until it is dropped or stopped.
pub struct Server {
    pub address: SocketAddr,
    pub groups: Arc<TestGroups>,
    pub tokens: Arc<Tokens>,
    pub access_keys: AccessKeys,
    pub report_links: ReportLinks,
    pub store: Store,
    pub authority: Arc<Authority>,
    pub enrolment: EnrolmentTokens,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl Server {
    /// A server on loopback with plain HTTP and without limits; `change` may change that.
    pub async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let environment = Environment::system();
        let store = Store::open(folder.path()).expect("a store");
        let accounts = Accounts::new(store.clone(), environment.clone());
        for (name, access) in [("admin", Access::Full), ("reader", Access::Read), ("nobody", Access::None)] {
            accounts.add(name, PASSWORD, access, None).await.expect("a new account");
        }
        let authority = Authority::load_or_create(&store, &environment).await.expect("an authority");
        let authority = Arc::new(authority);
        let shown = authority.server_certificate(&["127.0.0.1".to_owned()]).expect("a certificate");
        let tls = server_config(shown.chain, shown.key, authority.certificate_der().clone()).expect("TLS");
        let tokens = Tokens::open(store.clone(), environment.clone(), TokenSettings::default()).await;
        let tokens = Arc::new(tokens.expect("tokens"));
        let access_keys = AccessKeys::open(store.clone(), environment.clone()).await.expect("access keys");
        let report_links = ReportLinks::load_or_create(&store, &environment).await.expect("links");
        let groups = Arc::new(TestGroups { may_rename: Semaphore::new(0), renamed: AtomicU32::new(0) });

        let mut methods = groups_methods(&groups);
        methods.push(ServiceMethod::new("guardhouse.link.v1.Enrolment", "Enrol", enrol));
        methods.push(ServiceMethod::new("alibaba.sas.v20181203.Agentless", "ListAgentlessRegion", regions));

        let mut settings = Settings::new("127.0.0.1:0".parse().expect("an address"));
        settings.insecure_http = true;
        (settings.account_rate, settings.anonymous_rate) = (None, None);
        change(&mut settings);
        let parts = Parts {
            environment: environment.clone(),
            store: store.clone(),
            registry: Registry::new(every_method(methods)).expect("complete"),
            tokens: Arc::clone(&tokens),
            access_keys: access_keys.clone(),
            report_links: report_links.clone(),
            devices: Devices::new(store.clone(), Arc::clone(&authority)),
            tls,
            streaming: tonic::service::Routes::new(AgentLinkServer::new(Link)),
        };
        let bound = Gateway::bind(settings, parts).await.expect("a free port");
        let enrolment = EnrolmentTokens::new(store.clone(), environment, Arc::clone(&authority));
        let (address, stop, running) = run(bound);
        let (stop, running) = (Some(stop), Some(running));
        Self {
            address,
            groups,
            tokens,
            access_keys,
            report_links,
            store,
            authority,
            enrolment,
            stop,
            running,
            _folder: folder,
        }
    }

    /// A server with the settings of the other tests.
    pub async fn new() -> Self {
        Self::start(|_| ()).await
    }

    /// Tells the server to stop, and answers what ends when it has stopped.
    pub fn stop(&mut self) -> JoinHandle<()> {
        self.stop.take().expect("not stopped yet").send(()).expect("it runs");
        self.running.take().expect("not stopped yet")
    }

    pub async fn token(&self, account: &str) -> String {
        self.tokens.password_grant(account, PASSWORD).await.expect("the password is right").access_token
    }

    /// TLS for a client, with a certificate of its own where it has one.
    pub fn tls(
        &self,
        identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
        alpn: &[&[u8]],
    ) -> Arc<ClientConfig> {
        let trust = Trust::Authorities(vec![self.authority.certificate_der().clone()]);
        client_config(trust, identity, alpn).expect("TLS")
    }

    /// A client that trusts the server.
    pub fn client(&self, alpn: &[&[u8]]) -> reqwest::Client {
        let builder = reqwest::Client::builder().no_proxy();
        builder.tls_backend_preconfigured((*self.tls(None, alpn)).clone()).build().expect("a client")
    }

    /// A plain request without authorisation.
    pub fn plain(&self, verb: Method, path: &str) -> RequestBuilder {
        self.client(&[b"http/1.1"]).request(verb, format!("http://{}{path}", self.address))
    }

    /// A plain request of the account `admin`.
    pub async fn admin(&self, verb: Method, path: &str) -> RequestBuilder {
        self.plain(verb, path).bearer_auth(self.token("admin").await)
    }
}

fn run(bound: Bound) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let address = bound.local_addr();
    let running = tokio::spawn(bound.run(async {
        // Dropped with the server at the end of a test, which is as good as a signal.
        let _ = stopped.await;
    }));
    (address, stop, running)
}

/// What an answer says.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The stable reason of a `google.rpc.Status`.
    pub fn reason(&self) -> &str {
        self.body["details"][0]["reason"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Sends a request and reads the answer, which is JSON or empty and always has an id.
pub async fn send(request: RequestBuilder) -> Answer {
    let response: Response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.expect("a body");
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
    let answer = Answer { status, headers, body };
    assert!(uuid::Uuid::try_parse(answer.header("request-id")).is_ok(), "{answer:?}");
    answer
}
