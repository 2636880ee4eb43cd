//! The queue of a server, over gRPC.

use std::sync::Arc;

use anyhow::Context as _;
use guardhouse_contract::{
    Code, Status, rpc,
    scans::{
        EndSubtaskRequest, EndSubtaskResponse, PutReportPartRequest, PutReportPartResponse,
        ReportProgressRequest, ReportProgressResponse, TakeSubtasksRequest, TakeSubtasksResponse,
        agentless_workers_client::AgentlessWorkersClient,
    },
};
use guardhouse_link::{
    channel,
    tls::{HTTP_2, Trust, client_config},
};
use guardhouse_model::Environment;
use guardhouse_worker::Queue;
use prost::Message as _;
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tonic::{
    Request, Response,
    metadata::MetadataValue,
    transport::{Channel, Endpoint, Uri},
};

use crate::client::{Connection, Http, Refusal, login::Login};

/// A server, and what proves to it that a worker calls.
#[derive(Debug)]
pub struct Remote {
    client: AgentlessWorkersClient<Channel>,
    login: Login,
    http: Http,
}

impl Remote {
    /// Connects and signs in when the first call is made.
    ///
    /// # Errors
    /// The address is none, or the certificate authorities cannot be used.
    pub fn new(connection: Connection, environment: Environment) -> anyhow::Result<Self> {
        let Connection { server, ca, credentials } = connection;
        let uri: Uri = server.to_string().parse().context("the address of the server")?;
        let channel = if server.is_plain() {
            Endpoint::from(uri).connect_lazy()
        } else {
            channel::connect_when_used(&uri, tls(ca.as_deref())?)?
        };
        Ok(Self {
            client: AgentlessWorkersClient::new(channel),
            http: Http::new(server, ca.as_deref(), environment.clone())?,
            login: Login::new(credentials, environment),
        })
    }

    /// Calls a method; once more with another token where the server does not take the first one any more.
    async fn call<T, A, F>(
        &self,
        message: T,
        method: impl Fn(AgentlessWorkersClient<Channel>, Request<T>) -> F,
    ) -> Result<A, Status>
    where
        T: Clone,
        F: Future<Output = Result<Response<A>, tonic::Status>>,
    {
        let mut refused: Option<String> = None;
        loop {
            let token =
                self.login.access_token(&self.http, refused.as_deref()).await.map_err(not_signed_in)?;
            let Some(token) = token else {
                return Err(unauthenticated("the access token is not taken any more"));
            };
            let mut request = Request::new(message.clone());
            let authorization = MetadataValue::try_from(format!("Bearer {token}"))
                .map_err(|_| unauthenticated("the access token cannot be sent"))?;
            request.metadata_mut().insert("authorization", authorization);
            match method(self.client.clone(), request).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if status.code() == tonic::Code::Unauthenticated && refused.is_none() => {
                    refused = Some(token);
                }
                Err(status) => return Err(read(&status)),
            }
        }
    }
}

impl Queue for Remote {
    async fn take(&self, request: TakeSubtasksRequest) -> Result<TakeSubtasksResponse, Status> {
        self.call(request, |mut client, request| async move { client.take_subtasks(request).await }).await
    }

    async fn progress(&self, request: ReportProgressRequest) -> Result<ReportProgressResponse, Status> {
        self.call(request, |mut client, request| async move { client.report_progress(request).await }).await
    }

    async fn put(&self, request: PutReportPartRequest) -> Result<PutReportPartResponse, Status> {
        self.call(request, |mut client, request| async move { client.put_report_part(request).await }).await
    }

    async fn end(&self, request: EndSubtaskRequest) -> Result<EndSubtaskResponse, Status> {
        self.call(request, |mut client, request| async move { client.end_subtask(request).await }).await
    }
}

/// Trusts the authorities in `ca`, or those of this machine.
fn tls(ca: Option<&std::path::Path>) -> anyhow::Result<Arc<ClientConfig>> {
    let authorities = match ca {
        Some(ca) => CertificateDer::pem_file_iter(ca)
            .and_then(Iterator::collect)
            .with_context(|| format!("{} is not a PEM file with certificates", ca.display()))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    client_config(Trust::Authorities(authorities), None, &[HTTP_2])
        .context("cannot set up TLS; name the authority of the server with --ca")
}

/// What the server said. A way that broke off may be there again later.
fn read(status: &tonic::Status) -> Status {
    let travelled = rpc::Status::decode(status.details()).ok();
    let said = travelled.filter(|said| said.code != 0).and_then(|said| Status::from_proto(&said));
    said.unwrap_or_else(|| {
        let code = Code::from_number(status.code() as i32).unwrap_or(Code::Unavailable);
        Status::new(code, "", status.message())
    })
}

/// A server that refuses, or is not the one that it should be, is told apart from one that is away.
fn not_signed_in(error: anyhow::Error) -> Status {
    let said = format!("{error:#}");
    match error.downcast_ref::<Refusal>().map(|refusal| refusal.http) {
        // Too slow, too early, too many: of these the next try knows nothing.
        Some(408 | 425 | 429) => Status::new(Code::Unavailable, "UNAVAILABLE", said),
        Some(400..500) => unauthenticated(&said),
        None if said.contains("invalid peer certificate") => {
            Status::new(Code::FailedPrecondition, "FAILED_PRECONDITION", said)
        }
        _ => Status::new(Code::Unavailable, "UNAVAILABLE", said),
    }
}

fn unauthenticated(why: &str) -> Status {
    Status::new(Code::Unauthenticated, "UNAUTHENTICATED", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_said_is_read_back() {
        let said = Status::not_found("subtask 1");
        let read_back = read(&said.to_grpc());
        assert_eq!(
            (read_back.code(), read_back.reason(), read_back.message()),
            (said.code(), said.reason(), said.message())
        );
        for (code, expected) in [
            (tonic::Code::Unavailable, Code::Unavailable),
            (tonic::Code::Unknown, Code::Unavailable),
            (tonic::Code::Cancelled, Code::Unavailable),
            (tonic::Code::PermissionDenied, Code::PermissionDenied),
        ] {
            assert_eq!(read(&tonic::Status::new(code, "")).code(), expected, "{code:?}");
        }
    }

    #[test]
    fn a_server_that_refuses_is_told_apart_from_one_that_is_away() {
        let refusal = |http| {
            let refusal = Refusal::read(http, String::new(), br#"{"error":"invalid_grant"}"#);
            not_signed_in(anyhow::Error::from(refusal).context("cannot sign in as ann"))
        };
        for (http, code) in [
            (400, Code::Unauthenticated),
            (401, Code::Unauthenticated),
            (403, Code::Unauthenticated),
            (408, Code::Unavailable),
            (429, Code::Unavailable),
            (503, Code::Unavailable),
        ] {
            assert_eq!(refusal(http).code(), code, "{http}");
        }
        assert_eq!(refusal(400).message(), "cannot sign in as ann: invalid_grant");
        for (said, code) in [
            ("invalid peer certificate: UnknownIssuer", Code::FailedPrecondition),
            ("connection refused", Code::Unavailable),
        ] {
            assert_eq!(
                not_signed_in(anyhow::anyhow!("{said}").context("cannot sign in")).code(),
                code,
                "{said}"
            );
        }
    }
}
