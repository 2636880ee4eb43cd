//! The gRPC face: the same methods, the agent link, reflection and health.

mod codec;
mod texts;

use std::{
    convert::Infallible,
    error::Error,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use guardhouse_contract::{Call, Code, DESCRIPTORS, Status};
use http::{HeaderMap, Request, Response, header};
use tonic::{server::Grpc as Unframed, service::Routes};
use tonic_health::server::HealthReporter;
use tower::ServiceExt as _;
use uuid::Uuid;

use self::codec::Raw;
use crate::{
    answer::{Body, Failure},
    authenticate::AUTHORIZATION_MISSING,
    call::{Answer, Calls, Running},
    origin::Origin,
    registry::{Entry, Registry, Unary},
    rest::MAX_BODY,
};

/// The gRPC face.
pub struct Grpc {
    registry: Arc<Registry>,
    calls: Arc<Calls>,
    routes: Routes,
    health: HealthReporter,
}

impl Grpc {
    /// The face of the methods in `registry` and of the tonic services in `routes`, to which reflection and
    /// health are added.
    ///
    /// # Errors
    /// The descriptors of the contract cannot be reflected.
    pub fn new(
        registry: Arc<Registry>,
        calls: Arc<Calls>,
        routes: Routes,
    ) -> Result<Self, tonic_reflection::server::Error> {
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let (health, health_service) = tonic_health::server::health_reporter();
        let routes = routes
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?)
            .add_service(health_service)
            .prepare();
        Ok(Self { registry, calls, routes, health })
    }

    /// Tells those who watch the health of the server that it stops.
    pub async fn not_serving(&self) {
        self.health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    }

    /// Answers a request. The HTTP status is always 200; the outcome is in `grpc-status`.
    pub async fn serve<B>(&self, request: Request<B>, request_id: Uuid, origin: &Origin) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        match self.registry.find(request.uri().path()) {
            Some(Entry::Unary(unary)) => {
                let admitted = self.calls.admit(unary.access, request_id, origin, request.headers()).await;
                match admitted {
                    Ok(call) => call_unary(Arc::clone(unary), call, request).await,
                    Err(status) => refuse(status),
                }
            }
            Some(Entry::Streaming(access)) => {
                let admitted = self.calls.admit(*access, request_id, origin, request.headers()).await;
                match admitted {
                    Ok(call) => self.route(request, Some(call)).await,
                    Err(status) => refuse(status),
                }
            }
            // Never to `routes`: nothing there would ask who calls.
            Some(Entry::Missing) => refuse(Status::new(
                Code::Unimplemented,
                "UNIMPLEMENTED",
                "this server does not serve this method",
            )),
            None => self.route(request, None).await,
        }
    }

    /// Hands a request to the tonic services. Those of the contract find the [`Call`] in its extensions.
    async fn route<B>(&self, mut request: Request<B>, call: Option<Call>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    {
        if let Some(call) = call {
            request.extensions_mut().insert(call);
        }
        let served: Result<_, Infallible> = self.routes.clone().oneshot(request).await;
        served.unwrap_or_else(|never| match never {})
    }
}

/// Whether a request speaks gRPC. gRPC-Web, which this port does not speak, has a type of its own.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type
        .strip_prefix("application/grpc")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

async fn call_unary<B>(unary: Arc<Unary>, call: Call, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
    // tonic turns the status of a failed call into headers; the log wants the other half of it.
    let failure = Arc::new(OnceLock::new());
    let failed = Arc::clone(&failure);
    let method = tower::service_fn(move |request: tonic::Request<Bytes>| {
        let (unary, call, failed) = (Arc::clone(&unary), call.clone(), Arc::clone(&failed));
        async move {
            let answer = run(&unary, call, request.into_inner()).await;
            answer.map(tonic::Response::new).map_err(|status| to_grpc(failed.get_or_init(|| status)))
        }
    });
    let mut response = Unframed::new(Raw).max_decoding_message_size(MAX_BODY).unary(method, request).await;
    if let Some(status) = failure.get() {
        response.extensions_mut().insert(Failure(status.clone()));
    }
    response
}

async fn run(unary: &Unary, call: Call, request: Bytes) -> Answer {
    texts::check(unary.descriptor.input(), request.clone())?;
    Running::start(unary, call, request).answer().await
}

fn refuse(status: Status) -> Response<Body> {
    let mut response = to_grpc(&status).into_http();
    response.extensions_mut().insert(Failure(status));
    response
}

/// A status as gRPC knows it. Over HTTP the public API calls a missing authorisation a bad request; gRPC has
/// a code for it.
fn to_grpc(status: &Status) -> tonic::Status {
    if status.reason() == AUTHORIZATION_MISSING {
        return Status::new(Code::Unauthenticated, AUTHORIZATION_MISSING, status.message()).to_grpc();
    }
    status.to_grpc()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn grpc_is_known_by_its_content_type() {
        for (media_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=x", true),
            ("application/grpc-web", false),
            ("application/json", false),
            ("", false),
        ] {
            let headers =
                [(header::CONTENT_TYPE, HeaderValue::from_static(media_type))].into_iter().collect();
            assert_eq!(is_grpc(&headers), expected, "{media_type:?}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}
