//! The agent link behind the authentication of the port.

use std::time::Duration;

use guardhouse_contract::{
    Call, Caller,
    link::{
        AgentFrame, ServerFrame, Welcome, agent_link_client::AgentLinkClient, agent_link_server::AgentLink,
        server_frame::Kind,
    },
};
use guardhouse_identity::enrolment::Host;
use guardhouse_model::groups::ALL;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_stream::{StreamExt as _, iter};
use tonic::{Code, Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::support::Server;

/// A link that says in its first frame which device it is.
pub struct Link;

#[tonic::async_trait]
impl AgentLink for Link {
    type ConnectStream = tokio_stream::Iter<std::vec::IntoIter<Result<ServerFrame, Status>>>;

    async fn connect(
        &self,
        request: Request<Streaming<AgentFrame>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let call = request.extensions().get::<Call>().expect("the gateway puts the call here");
        let Caller::Device(device) = call.caller else { panic!("{:?} is no device", call.caller) };
        let epoch = device.as_u64_pair().0;
        let welcome = ServerFrame { kind: Some(Kind::Welcome(Welcome { epoch, server_time: None })) };
        Ok(Response::new(iter(vec![Ok(welcome)])))
    }
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

async fn enrol(server: &Server) -> (Uuid, Identity) {
    let token = server.enrolment.create(ALL, 1, Duration::from_secs(60)).await.expect("a token");
    let key = KeyPair::generate().expect("a key");
    let request = CertificateParams::default().serialize_request(&key).expect("a request");
    let host = Host {
        token: &token.to_string(),
        signing_request: request.der(),
        host_name: "alpha".to_owned(),
        attributes: Vec::new(),
        facts: guardhouse_model::dynamic_groups::AttributeFacts::default(),
        machine: guardhouse_model::machines::Machine::default(),
        public_ip_address: String::new(),
    };
    let enrolled = server.enrolment.redeem(host).await.expect("a device");
    let identity = (vec![enrolled.certificate.into()], PrivateKeyDer::Pkcs8(key.serialize_der().into()));
    (enrolled.device.into(), identity)
}

async fn connect(server: &Server, identity: Option<Identity>) -> Result<Streaming<ServerFrame>, Status> {
    let uri = format!("https://{}", server.address).parse().expect("a URI");
    let tls = server.tls(identity, &[b"h2"]);
    let channel = guardhouse_link::channel::connect(&uri, tls).await.expect("a connection");
    let response = AgentLinkClient::new(channel).connect(tokio_stream::empty()).await?;
    assert!(response.metadata().contains_key("request-id"));
    Ok(response.into_inner())
}

#[tokio::test]
async fn a_device_is_known_by_its_certificate() {
    let server = Server::new().await;
    let (device, identity) = enrol(&server).await;
    let mut frames = connect(&server, Some(identity)).await.expect("the link opens");
    let first = frames.next().await.expect("a frame").expect("no error");
    let Some(Kind::Welcome(welcome)) = first.kind else { panic!("{first:?}") };
    assert_eq!(welcome.epoch, device.as_u64_pair().0);
}

#[tokio::test]
async fn nobody_else_opens_a_link() {
    let server = Server::new().await;
    let refused = connect(&server, None).await.expect_err("no certificate");
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("client certificate"), "{refused}");

    // Signed by the authority, but no device: the certificate of a server is none.
    let shown = server.authority.server_certificate(&["127.0.0.1".to_owned()]).expect("a certificate");
    let uri = format!("https://{}", server.address).parse().expect("a URI");
    let tls = server.tls(Some((shown.chain, shown.key)), &[b"h2"]);
    let outcome = guardhouse_link::channel::connect(&uri, tls).await;
    if let Ok(channel) = outcome {
        AgentLinkClient::new(channel)
            .connect(tokio_stream::empty())
            .await
            .expect_err("not a client certificate");
    }
}
