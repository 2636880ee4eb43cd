//! A server for the tests of the link: real TLS, real HTTP/2, its memory instead of a database.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use guardhouse_agent::identity::{Identity, key, signing_request, store_release_key};
use guardhouse_contract::{
    link::{
        AgentFrame, DeviceState, EnrolRequest, EnrolResponse, FetchReleaseRequest, FetchReleaseResponse,
        GoAway, Hello, Order, Policy, PolicyReport, RetireRequest, RetireResponse, RunEnded, RunEndedAck,
        ServerFrame, Settled, Welcome, agent_frame,
        agent_link_server::{AgentLink, AgentLinkServer},
        go_away::Reason,
        server_frame,
    },
    rpc,
    status::pack,
};
use guardhouse_link::{EnrolmentToken, tls};
use guardhouse_model::DeviceId;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use prost::Message as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType, IsCa,
    KeyPair,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::AbortHandle,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

pub const DEVICE: &str = "01890000-0000-7000-8000-0000000000dd";

/// The most bytes of a program that are given at once.
const PART: usize = 1024 * 1024;

/// How frames get to a device.
type Link = mpsc::Sender<Result<ServerFrame, Status>>;

/// The port by which a request came.
#[derive(Clone, Copy)]
struct Port(u16);

/// What the server knows of a link.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The port by which the device came.
    pub port: u16,
    /// What it said first.
    pub hello: Hello,
    /// It has ended its side.
    pub over: bool,
}

/// What the server knows of policies.
#[derive(Debug, Default)]
pub struct Rule {
    /// The policy of the device.
    policy: Policy,
    /// How often one was sent.
    pub sent: usize,
    /// What the device reported, besides what it said first on a link.
    pub reports: Vec<PolicyReport>,
}

/// What the server knows of a run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    pub order: Order,
    pub started: u32,
    pub ended: Option<RunEnded>,
    pub withdrawn: bool,
}

/// The server; clones share everything.
#[derive(Clone)]
pub struct Server {
    pub port: u16,
    authority: Arc<CertifiedIssuer<'static, KeyPair>>,
    runs: Arc<Mutex<BTreeMap<String, Run>>>,
    /// Ends of runs are stored, but not acknowledged, as long as this is set.
    pub deaf: Arc<Mutex<bool>>,
    /// The links to devices, absent when they are over; and what is known of them.
    links: Arc<Mutex<Vec<Option<Link>>>>,
    visits: Arc<Mutex<Vec<Visit>>>,
    rule: Arc<Mutex<Rule>>,
    /// The clock of the server as it says Welcome; absent: the server does not say.
    pub clock: Arc<Mutex<Option<prost_types::Timestamp>>>,
    /// The key by which the server signs versions of the agent.
    pub release_key: Arc<Ed25519KeyPair>,
    /// The program of the version of the agent that the server has.
    pub program: Arc<Mutex<Vec<u8>>>,
    /// How many bytes of it were fetched.
    pub fetched: Arc<Mutex<usize>>,
    /// What the device said of its state, besides what it said first on a link.
    pub states: Arc<Mutex<Vec<DeviceState>>>,
    /// The runs because of which the device asked to leave.
    pub leaving: Arc<Mutex<Vec<String>>>,
    /// The server agrees to let devices go; otherwise it does not know that call.
    pub lets_go: Arc<Mutex<bool>>,
    /// Keys that asked for enrolment, in this order.
    pub asked: Arc<Mutex<Vec<Vec<u8>>>>,
    changed: watch::Sender<u64>,
}

impl Server {
    pub async fn start() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, "test authority");
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("issuer");

        let mut server = Self {
            port: 0,
            authority: Arc::new(authority),
            runs: Arc::default(),
            deaf: Arc::default(),
            clock: Arc::default(),
            links: Arc::default(),
            visits: Arc::default(),
            rule: Arc::default(),
            release_key: Arc::new(Ed25519KeyPair::generate().expect("a key")),
            program: Arc::default(),
            fetched: Arc::default(),
            states: Arc::default(),
            leaving: Arc::default(),
            lets_go: Arc::default(),
            asked: Arc::default(),
            changed: watch::Sender::new(0),
        };
        (server.port, _) = server.listen().await;
        server
    }

    /// Listens on one more port, until it is told to stop; links that came by it go on.
    pub async fn listen(&self) -> (u16, AbortHandle) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let acceptor = TlsAcceptor::from(self.tls());
        let serving = self.clone();
        let listening = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, server) = (acceptor.clone(), serving.clone());
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    let service = tower::service_fn(move |request| server.clone().answer(port, request));
                    let connection = auto::Builder::new(TokioExecutor::new());
                    let _ = connection
                        .serve_connection(TokioIo::new(tls), TowerToHyperService::new(service))
                        .await;
                });
            }
        });
        (port, listening.abort_handle())
    }

    fn tls(&self) -> Arc<rustls::ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &*self.authority).expect("a certificate").der().clone();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        tls::server_config(vec![certificate, self.certificate()], key, self.certificate())
            .expect("configuration")
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.authority.der().clone()
    }

    pub fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub fn token(&self) -> EnrolmentToken {
        EnrolmentToken { id: [1; 8], secret: [2; 32], authority: tls::fingerprint(&self.certificate()) }
    }

    /// Enrols a device without any connection.
    pub fn enrol(&self, identity: &Path) {
        let request = signing_request(&key(identity).expect("a key")).expect("a request");
        let device: DeviceId = DEVICE.parse().expect("a uuid");
        let server = self.address().parse().expect("a URI");
        let certificate = self.issue(request);
        Identity::create(identity, server, device, None, certificate, vec![self.certificate()])
            .expect("created");
        store_release_key(identity, self.release_key.public_key().as_ref()).expect("stored");
    }

    fn issue(&self, request: Vec<u8>) -> CertificateDer<'static> {
        let request = CertificateSigningRequestDer::from(request);
        let request = CertificateSigningRequestParams::from_der(&request).expect("a request");
        request.signed_by(&*self.authority).expect("a certificate").der().clone()
    }

    pub fn runs(&self) -> MutexGuard<'_, BTreeMap<String, Run>> {
        self.runs.lock().expect("not poisoned")
    }

    /// Makes a run and hands it out to whoever is connected.
    pub fn hand_out(&self, order: Order) {
        let run = Run { order: order.clone(), ..Default::default() };
        self.runs().insert(order.run_uuid.clone(), run);
        self.send(server_frame::Kind::Order(order));
    }

    /// Sends a frame to the latest link.
    pub fn send(&self, kind: server_frame::Kind) {
        if let Some(Some(link)) = self.links.lock().expect("not poisoned").last() {
            let _ = link.try_send(Ok(ServerFrame { kind: Some(kind) }));
        }
    }

    pub fn visits(&self) -> MutexGuard<'_, Vec<Visit>> {
        self.visits.lock().expect("not poisoned")
    }

    pub fn rule(&self) -> MutexGuard<'_, Rule> {
        self.rule.lock().expect("not poisoned")
    }

    /// Gives the device a policy.
    pub fn set_policy(&self, policy: Policy) {
        let mut rule = self.rule();
        rule.policy = policy.clone();
        if matches!(self.links.lock().expect("not poisoned").last(), Some(Some(_))) {
            rule.sent += 1;
            self.send(server_frame::Kind::Policy(policy));
        }
    }

    /// Waits until the device has reported its policy this often, and answers the last report.
    pub async fn until_reported(&self, times: usize) -> PolicyReport {
        self.until(|_| self.rule().reports.len() >= times).await;
        self.rule().reports.last().cloned().unwrap_or_default()
    }

    /// Waits until agents have connected this often.
    pub async fn until_linked(&self, times: usize) {
        self.until(|_| self.links.lock().expect("not poisoned").len() >= times).await;
    }

    /// Waits until the runs are as wanted.
    pub async fn until(&self, wanted: impl Fn(&BTreeMap<String, Run>) -> bool) {
        let mut changes = self.changed.subscribe();
        let met = async {
            while !wanted(&self.runs()) {
                changes.changed().await.expect("the server lives");
            }
        };
        if tokio::time::timeout(std::time::Duration::from_secs(60), met).await.is_err() {
            panic!("waited in vain: {:#?}", self.runs());
        }
    }

    async fn answer(
        self,
        port: u16,
        mut request: http::Request<hyper::body::Incoming>,
    ) -> Result<http::Response<tonic::body::Body>, Infallible> {
        request.extensions_mut().insert(Port(port));
        if request.uri().path() == "/guardhouse.link.v1.Enrolment/Enrol" {
            let codec = tonic_prost::ProstCodec::<EnrolResponse, EnrolRequest>::default();
            let service = tower::service_fn(move |request: Request<EnrolRequest>| {
                let server = self.clone();
                async move { server.redeem(request.into_inner()).map(Response::new) }
            });
            return Ok(tonic::server::Grpc::new(codec).unary(service, request).await);
        }
        if request.uri().path() == "/guardhouse.link.v1.AgentReleases/Fetch" {
            let codec = tonic_prost::ProstCodec::<FetchReleaseResponse, FetchReleaseRequest>::default();
            let service = tower::service_fn(move |request: Request<FetchReleaseRequest>| {
                let server = self.clone();
                async move { Ok(Response::new(server.part(request.into_inner()))) }
            });
            return Ok(tonic::server::Grpc::new(codec).unary(service, request).await);
        }
        if request.uri().path() == "/guardhouse.link.v1.Enrolment/Retire" {
            let codec = tonic_prost::ProstCodec::<RetireResponse, RetireRequest>::default();
            let service = tower::service_fn(move |request: Request<RetireRequest>| {
                let server = self.clone();
                async move { server.retire(request.into_inner()).map(Response::new) }
            });
            return Ok(tonic::server::Grpc::new(codec).unary(service, request).await);
        }
        tower::Service::call(&mut AgentLinkServer::new(self), request).await
    }

    fn redeem(&self, request: EnrolRequest) -> Result<EnrolResponse, Status> {
        self.asked.lock().expect("not poisoned").push(request.signing_request.clone());
        if request.token != self.token().to_string() {
            return Err(Status::unauthenticated("the enrolment token is not known"));
        }
        let inventory = request.inventory.unwrap_or_default();
        assert!(!inventory.host_name.is_empty() && inventory.encoded_len() > 50, "{inventory:?}");
        Ok(EnrolResponse {
            device_uuid: DEVICE.to_owned(),
            certificate: self.issue(request.signing_request).to_vec(),
            authorities: vec![self.certificate().to_vec()],
            release_key: self.release_key.public_key().as_ref().to_vec(),
        })
    }

    /// A part of the program.
    fn part(&self, request: FetchReleaseRequest) -> FetchReleaseResponse {
        let program = self.program.lock().expect("not poisoned");
        let rest = program.get(request.offset as usize..).unwrap_or_default();
        let content = rest[..rest.len().min(PART)].to_vec();
        *self.fetched.lock().expect("not poisoned") += content.len();
        FetchReleaseResponse { content }
    }

    fn retire(&self, request: RetireRequest) -> Result<RetireResponse, Status> {
        let answer = match self.is_left() {
            true => Err(not_managed()),
            false if *self.lets_go.lock().expect("not poisoned") => Ok(RetireResponse {}),
            false => Err(Status::unimplemented("not known")),
        };
        self.leaving.lock().expect("not poisoned").push(request.run_uuid);
        self.changed.send_modify(|changes| *changes += 1);
        answer
    }

    /// Whether the server has let the device go.
    fn is_left(&self) -> bool {
        *self.lets_go.lock().expect("not poisoned") && !self.leaving.lock().expect("not poisoned").is_empty()
    }

    fn take(&self, frame: AgentFrame) -> Option<ServerFrame> {
        let mut answer = None;
        let mut runs = self.runs();
        match frame.kind {
            Some(agent_frame::Kind::RunStarted(started)) => {
                runs.entry(started.run_uuid).or_default().started += 1;
            }
            Some(agent_frame::Kind::RunWithdrawn(withdrawn)) => {
                runs.entry(withdrawn.run_uuid).or_default().withdrawn = true;
            }
            Some(agent_frame::Kind::RunEnded(ended)) => {
                let run_uuid = ended.run_uuid.clone();
                runs.entry(run_uuid.clone()).or_default().ended.get_or_insert(ended);
                if !*self.deaf.lock().expect("not poisoned") {
                    let kind = server_frame::Kind::RunEndedAck(RunEndedAck { run_uuid });
                    answer = Some(ServerFrame { kind: Some(kind) });
                }
            }
            Some(agent_frame::Kind::State(state)) => self.states.lock().expect("not poisoned").push(state),
            Some(agent_frame::Kind::PolicyReport(report)) => self.rule().reports.push(report),
            _ => {}
        }
        drop(runs);
        self.changed.send_modify(|changes| *changes += 1);
        answer
    }
}

#[tonic::async_trait]
impl AgentLink for Server {
    type ConnectStream = ReceiverStream<Result<ServerFrame, Status>>;

    async fn connect(
        &self,
        request: Request<Streaming<AgentFrame>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        if self.is_left() {
            return Err(not_managed());
        }
        let port = request.extensions().get::<Port>().map_or(0, |port| port.0);
        let mut frames = request.into_inner();
        let (link, answers) = mpsc::channel(256);
        let first = frames.message().await?.and_then(|frame| frame.kind);
        let Some(agent_frame::Kind::Hello(hello)) = first else {
            return Err(Status::failed_precondition("Hello comes first"));
        };
        let welcome = Welcome { epoch: 1, server_time: *self.clock.lock().expect("not poisoned") };
        let mut begin = vec![server_frame::Kind::Welcome(welcome)];
        let number = {
            let runs = self.runs();
            let mut rule = self.rule();
            let known = hello.policy_report.as_ref().map(|report| report.generation.as_slice());
            if rule.policy.generation != known.unwrap_or_default() {
                rule.sent += 1;
                begin.push(server_frame::Kind::Policy(rule.policy.clone()));
            }
            let open = runs.values().filter(|run| run.ended.is_none() && !run.withdrawn);
            begin.extend(open.map(|run| server_frame::Kind::Order(run.order.clone())));
            begin.push(server_frame::Kind::Settled(Settled {}));
            self.visits().push(Visit { port, hello, over: false });
            let mut links = self.links.lock().expect("not poisoned");
            // As the real one does: a later link of a device ends the earlier one.
            if let Some(Some(earlier)) = links.last() {
                let go_away = GoAway { reason: Reason::Superseded.into() };
                let kind = Some(server_frame::Kind::GoAway(go_away));
                let _ = earlier.try_send(Ok(ServerFrame { kind }));
            }
            links.push(Some(link.clone()));
            links.len() - 1
        };
        self.changed.send_modify(|changes| *changes += 1);
        for kind in begin {
            let _ = link.try_send(Ok(ServerFrame { kind: Some(kind) }));
        }
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(frame)) = frames.message().await {
                if let Some(answer) = server.take(frame) {
                    let _ = link.try_send(Ok(answer));
                }
            }
            server.links.lock().expect("not poisoned")[number] = None;
            server.visits()[number].over = true;
            server.changed.send_modify(|changes| *changes += 1);
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}

/// What the server answers a device that it manages no longer.
fn not_managed() -> Status {
    let info = rpc::ErrorInfo { reason: "DEVICE_NOT_MANAGED".to_owned(), ..Default::default() };
    let details = rpc::Status { details: vec![pack(&info)], ..Default::default() };
    Status::with_details(Code::Unauthenticated, "the device is not managed", details.encode_to_vec().into())
}
