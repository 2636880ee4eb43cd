//! The REST face: the public API as its documents describe it.

pub mod bind;
mod query;
pub mod routes;

use std::{error::Error, sync::Arc};

use bytes::Bytes;
use guardhouse_contract::{Code, Status, json};
use guardhouse_model::Environment;
use http::{HeaderMap, Request, Response, request::Parts};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use uuid::Uuid;

use self::routes::{Found, Miss, Routes};
use crate::{
    accepted::{self, Accepted, Key, Progress},
    answer::{self, Body, RESPONSE_ID},
    body,
    call::{Calls, Running},
    origin::Origin,
    registry::{Registry, Unary},
};

/// The largest body that a method is given, in bytes.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// The REST face.
#[derive(Debug)]
pub struct Rest {
    environment: Environment,
    routes: Routes,
    calls: Arc<Calls>,
    accepted: Arc<Accepted>,
}

impl Rest {
    /// The face of the methods in `registry`.
    ///
    /// # Errors
    /// Two paths of the contract cannot be told apart.
    pub fn new(
        environment: Environment,
        registry: &Registry,
        calls: Arc<Calls>,
        accepted: Accepted,
    ) -> Result<Self, matchit::InsertError> {
        Ok(Self { environment, routes: Routes::new(registry)?, calls, accepted: Arc::new(accepted) })
    }

    /// Answers a request.
    pub async fn serve<B>(&self, request: Request<B>, request_id: Uuid, origin: &Origin) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        match self.routes.find(&head.method, head.uri.path()) {
            Ok(found) => {
                self.call(&found, &head, body, request_id, origin).await.unwrap_or_else(answer::error)
            }
            Err(Miss::Verb(allow)) => answer::verb_not_allowed(&allow),
            Err(Miss::Path) => {
                let message = "this server has no such path; /openapi.json lists those that it has";
                answer::error(Status::new(Code::NotFound, "PATH_NOT_FOUND", message))
            }
        }
    }

    async fn call<B>(
        &self,
        found: &Found<'_>,
        head: &Parts,
        body: B,
        request_id: Uuid,
        origin: &Origin,
    ) -> Result<Response<Body>, Status>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let unary = &found.route.unary;
        // Nobody sends megabytes before it is known who that is.
        let call = self.calls.admit(unary.access, request_id, origin, &head.headers).await?;
        let body = if found.route.has_body { body::read(body, MAX_BODY).await? } else { Bytes::new() };
        let line = head.uri.path_and_query().map_or("", |line| line.as_str());
        let key = Key::new(&call.caller, head.method.as_str(), line, &body);

        let progress = match response_id(&head.headers)? {
            Some(id) => self.accepted.resume(id, &key).await?,
            None => {
                let request = bind::bind(found, head.uri.query(), &body)?.encode_to_vec().into();
                let id = self.environment.uuid();
                self.accepted.begin(id, key, || Running::start(unary, call, request)).await?
            }
        };
        match progress {
            Progress::Ready(answer) => to_json(unary, answer?),
            Progress::Accepted(id) => Ok(answer::accepted(id)),
        }
    }
}

/// The call whose answer the client asks for, if it asks for one.
fn response_id(headers: &HeaderMap) -> Result<Option<Uuid>, Status> {
    let Some(value) = headers.get(RESPONSE_ID) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    Uuid::try_parse(&text).map(Some).map_err(|_| accepted::unknown(&text))
}

fn to_json(unary: &Unary, response: Bytes) -> Result<Response<Body>, Status> {
    let message = DynamicMessage::decode(unary.descriptor.output(), response).map_err(Status::internal)?;
    Ok(answer::json(json::write(&message)?))
}
