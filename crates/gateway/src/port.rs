//! Every request of the port: gives it an id, finds its face, writes its line in the log.

use std::error::Error;

use bytes::Bytes;
use guardhouse_contract::Code;
use guardhouse_model::Environment;
use http::{HeaderValue, Request, Response, Version, header};
use tokio::time::Instant;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::{
    answer::{Body, Failure, REQUEST_ID, uuid_value},
    body,
    documents::Documents,
    grpc::{self, Grpc},
    oauth::{Dialect, OAuth},
    origin::Origin,
    reports::Reports,
    rest::Rest,
    rpc::Rpc,
};

/// All faces of the port.
pub struct Port {
    pub(crate) environment: Environment,
    pub(crate) rest: Rest,
    pub(crate) rpc: Rpc,
    pub(crate) grpc: Grpc,
    pub(crate) oauth: OAuth,
    pub(crate) documents: Documents,
    pub(crate) reports: Reports,
}

impl Port {
    /// Answers a request. Every answer has a `request-id`; the log line of the request has the same.
    pub async fn serve<B>(&self, request: Request<B>, origin: &Origin) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        let request_id = self.environment.uuid();
        let begun = Instant::now();
        let origin = &origin.of_request(request.uri(), request.headers());
        // The query may hold what a log should not; the path names things only.
        let (verb, path) = (request.method().clone(), request.uri().path().to_owned());

        let mut response = if grpc::is_grpc(request.headers()) {
            self.grpc.serve(request, request_id, origin).await
        } else {
            self.serve_http(request, request_id, origin).await
        };
        response.headers_mut().insert(REQUEST_ID, uuid_value(request_id));

        let (status, elapsed) = (response.status().as_u16(), begun.elapsed());
        match response.extensions().get::<Failure>().map(|failure| &failure.0) {
            Some(failure) if is_ours(failure.code()) => {
                let cause = failure.cause().unwrap_or_default();
                warn!(%request_id, %verb, path, status, ?elapsed, %failure, cause, "request failed");
            }
            Some(failure) => debug!(%request_id, %verb, path, status, ?elapsed, %failure, "request refused"),
            None => debug!(%request_id, %verb, path, status, ?elapsed, "request answered"),
        }
        response
    }

    /// Answers a request that is not gRPC.
    async fn serve_http<B>(&self, request: Request<B>, request_id: Uuid, origin: &Origin) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        let (head, mut body) = request.into_parts();
        let is_http1 = head.version <= Version::HTTP_11;
        // A client that asks before it sends its body is not asked to send it in vain.
        let asks_first = is_http1 && head.headers.contains_key(header::EXPECT);
        let is_rpc = Rpc::is_for(&head);
        let request = Request::from_parts(head, &mut body);

        let path = request.uri().path();
        let mut response = if let Some(dialect) = Dialect::of(path) {
            self.oauth.serve(dialect, request, origin).await
        } else if let Some(document) = self.documents.serve(request.method(), path) {
            document
        } else if Reports::is_for(path) {
            self.reports.serve(request.method(), request.uri()).await
        } else if is_rpc {
            self.rpc.serve(request, request_id, origin).await
        } else {
            self.rest.serve(request, request_id, origin).await
        };

        // Many requests are refused before their body has arrived. hyper would then close the stream or the
        // connection without a word, and the client would send its next request into the void.
        let is_read = !asks_first && body::discard(&mut body).await;
        if is_http1 && !is_read && !body.is_end_stream() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Whether an error with `code` is the server's own fault, so that somebody should look at it.
fn is_ours(code: Code) -> bool {
    matches!(code, Code::Internal | Code::Unavailable | Code::DeadlineExceeded)
}
