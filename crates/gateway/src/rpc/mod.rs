//! The RPC face: public APIs in which an action is named by a header or a parameter, parameters come in the query, in
//! a form or in both, and each request is signed.
//!
//! What it answers is always a JSON object, errors included: its clients fail without a reason on anything else.

mod actions;
pub mod bind;
mod caller;
pub mod parameters;
pub mod refusal;
pub mod signature;

use std::{error::Error, sync::Arc};

use bytes::Bytes;
use guardhouse_contract::{Status, actions::REQUEST_ID, json};
use guardhouse_identity::{AccessKeys, Tokens};
use guardhouse_model::Environment;
use http::{HeaderMap, Method, Request, Response, StatusCode, header, request::Parts};
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use uuid::Uuid;

use self::{
    actions::{Action, Actions},
    caller::Callers,
    parameters::Parameters,
    refusal::Refusal,
    signature::Scheme,
};
use crate::{
    answer::{self, Body},
    body,
    call::{Calls, Running},
    origin::Origin,
    registry::{Registry, Unary},
};

/// The largest body, in bytes: a few thousand ids.
const MAX_BODY: usize = 1024 * 1024;

/// What the answers say they are.
const JSON: &str = "application/json;charset=utf-8";

/// The RPC face.
#[derive(Debug)]
pub struct Rpc {
    actions: Actions,
    callers: Callers,
    calls: Arc<Calls>,
}

impl Rpc {
    /// The face of the methods in `registry` that are spoken RPC style.
    pub fn new(
        environment: Environment,
        registry: &Registry,
        calls: Arc<Calls>,
        tokens: Arc<Tokens>,
        access_keys: AccessKeys,
    ) -> Self {
        let callers = Callers::new(environment, tokens, access_keys);
        Self { actions: Actions::new(registry), callers, calls }
    }

    /// Whether a request is one of this face: at `/` all of them are; elsewhere those that cannot be anything else.
    /// Clients that are given an endpoint with a path put it before what they sign.
    pub fn is_for(head: &Parts) -> bool {
        head.uri.path() == "/" || Scheme::shows(head)
    }

    /// Answers a request.
    pub async fn serve<B>(&self, request: Request<B>, request_id: Uuid, origin: &Origin) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let id = shown(request_id);
        match self.answer(&head, body, request_id, origin).await {
            Ok(document) => answer::with_body(StatusCode::OK, JSON, document),
            Err(refusal) => refusal.into_answer(&id, &signature::host(&head)),
        }
    }

    async fn answer<B>(
        &self,
        head: &Parts,
        body: B,
        request_id: Uuid,
        origin: &Origin,
    ) -> Result<Vec<u8>, Refusal>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        if ![Method::GET, Method::POST].contains(&head.method) {
            return Err(Refusal::method(&head.method));
        }
        // In one of the schemes everything is in the form, the signature too: nobody is known before it is read.
        let body = body::read(body, MAX_BODY).await.map_err(Refusal::body)?;
        let parameters = Parameters::read(head.uri.query(), form(&head.headers, &body)?)?;
        let scheme = Scheme::of(head, &parameters)?;
        check_format(&parameters)?;
        let action = self.action(&scheme, head, &parameters)?;

        let unary = &action.unary;
        let caller = self.callers.know(&scheme, head, &parameters, &body).await?;
        let account = caller.account().clone();
        let call = self.calls.admit_account(account, unary.access, request_id, origin, &head.headers)?;
        // Who calls too often costs no write.
        self.callers.accept(caller).await?;
        let request = bind::bind(&unary.descriptor.input(), &action.required, &parameters)?;
        let answer = Running::start(unary, call, request.encode_to_vec().into()).answer().await?;
        Ok(to_json(unary, answer, request_id)?)
    }

    fn action(&self, scheme: &Scheme<'_>, head: &Parts, parameters: &Parameters) -> Result<&Action, Refusal> {
        let named = |name: &str, header: &str| {
            let of_header = head.headers.get(header).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let of_parameter = parameters.get(name).map(Into::into);
            let value = if scheme.is_by_headers() { of_header.or(of_parameter) } else { of_parameter };
            value.filter(|value| !value.is_empty()).ok_or_else(|| Refusal::missing(name))
        };
        let version = named("Version", signature::VERSION)?;
        let action = named("Action", signature::ACTION)?;
        self.actions.find(&version, &action)
    }
}

/// The body as a form. What is not a form must be empty: it would not be looked at, and some of it is not signed.
fn form<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<&'a [u8], Refusal> {
    let media_type = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let essence = media_type.as_deref().map(|text| text.split(';').next().unwrap_or_default().trim());
    match essence {
        _ if body.is_empty() => Ok(body),
        None | Some("") => Ok(body),
        Some(essence) if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") => Ok(body),
        Some(essence) => {
            let message = format!(
                "Content-Type: a body must be application/x-www-form-urlencoded, not {essence:?}; \
                 send the parameters as a form or in the query"
            );
            Err(Refusal::bad_request("InvalidParameter", message))
        }
    }
}

/// Answers are JSON. Clients that ask for XML and read what they get are served, too.
fn check_format(parameters: &Parameters) -> Result<(), Refusal> {
    match parameters.get("Format") {
        Some(format) if !["", "json", "xml"].contains(&format.to_ascii_lowercase().as_str()) => {
            let message = "Format must be XML/JSON; this server answers JSON in either case";
            Err(Refusal::bad_request("InvalidParameter.Format", message.to_owned()))
        }
        _ => Ok(()),
    }
}

/// An id as these APIs show it.
fn shown(request_id: Uuid) -> String {
    request_id.hyphenated().to_string().to_ascii_uppercase()
}

fn to_json(unary: &Unary, response: Bytes, request_id: Uuid) -> Result<Vec<u8>, Status> {
    let output = unary.descriptor.output();
    let field = output.get_field_by_json_name(REQUEST_ID);
    let field = field.ok_or_else(|| Status::internal("an answer has no place for the id of its request"))?;
    let mut message = DynamicMessage::decode(output, response).map_err(Status::internal)?;
    message.try_set_field(&field, Value::String(shown(request_id))).map_err(Status::internal)?;
    json::write_with_numbers(&message)
}

#[cfg(test)]
mod tests;
