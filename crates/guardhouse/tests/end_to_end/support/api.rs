//! The REST face, as a client written from the contract sees it.

use guardhouse_contract::{
    http::{Binding, bindings},
    json, rpc,
};
use prost::Name;
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use rustls::ClientConfig;
use serde_json::Value;

use super::PASSWORD;

/// A client, perhaps signed in.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
    url: String,
    token: Option<String>,
}

/// A request line and body.
#[derive(Debug, Clone)]
pub struct Request {
    pub verb: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Request {
    /// A request for `binding` with `fields`, whose names are those of JSON: the binding says where each goes.
    pub fn new(binding: &Binding, mut fields: Value) -> Self {
        let mut path = binding.template.clone();
        for name in binding.path_fields() {
            let field = binding.method.input().get_field_by_name(name).expect("a field of the request");
            let members = fields.as_object_mut().expect("an object");
            let value = members.remove(field.json_name()).unwrap_or_default();
            path = path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default());
        }
        let (mut query, mut body) = (Vec::new(), None);
        if binding.has_body {
            body = Some(fields);
        } else {
            flatten("", &fields, &mut query);
        }
        Self { verb: binding.verb.clone(), path, query, body }
    }

    /// A request for the method that takes `request`.
    pub fn of<M: Name>(request: &M) -> Self {
        Self::new(&binding_of::<M>(), json::to_value(request).expect("JSON"))
    }
}

fn binding_of<M: Name>() -> Binding {
    let found = bindings().into_iter().find(|binding| binding.method.input().full_name() == M::full_name());
    found.expect("a request of the public API")
}

/// Writes `value` as query parameters: nested members with dots, lists as repetitions.
fn flatten(name: &str, value: &Value, query: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                let dot = if name.is_empty() { "" } else { "." };
                flatten(&format!("{name}{dot}{member}"), value, query);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| flatten(name, element, query)),
        Value::String(text) => query.push((name.to_owned(), text.clone())),
        other => query.push((name.to_owned(), other.to_string())),
    }
}

impl Api {
    /// A client of the server at `url`.
    pub fn new(url: String, tls: &ClientConfig) -> Self {
        let client = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls.clone());
        Self { client: client.build().expect("a client"), url, token: None }
    }

    /// The same client, signed in as `account`.
    pub async fn sign_in(self, account: &str) -> Self {
        let token = self.try_sign_in(account, PASSWORD).await.expect("a token");
        self.with_token(&token)
    }

    /// An access token for `account`, or the refusal.
    pub async fn try_sign_in(&self, account: &str, password: &str) -> Result<String, Answer> {
        let form = [("grant_type", "password"), ("username", account), ("password", password)];
        let answer = send(self.raw(Method::POST, "/oauth/token").form(&form)).await;
        let token = answer.body["access_token"].as_str().map(str::to_owned);
        token.filter(|_| answer.status == StatusCode::OK).ok_or(answer)
    }

    /// The same client with another access token.
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("signed in")
    }

    /// A request outside of the contract, without authorisation.
    pub fn raw(&self, verb: Method, path: &str) -> RequestBuilder {
        self.client.request(verb, format!("{}{path}", self.url))
    }

    /// Sends a request with the authorisation of this client.
    pub async fn send(&self, request: &Request) -> Answer {
        self.send_with(request, |builder| builder).await
    }

    /// Sends a request after `change`.
    pub async fn send_with(
        &self,
        request: &Request,
        change: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        let mut builder = self.raw(request.verb.clone(), &request.path).query(&request.query);
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        send(change(builder)).await
    }

    /// Calls the method that takes `request`.
    pub async fn call<M: Name, A: Name + Default>(&self, request: &M) -> Result<A, Answer> {
        assert_eq!(binding_of::<M>().method.output().full_name(), A::full_name(), "the type of the answer");
        let answer = self.send(&Request::of(request)).await;
        if answer.status == StatusCode::OK { Ok(answer.message()) } else { Err(answer) }
    }
}

/// Sends a request and reads the answer, which is JSON or empty and always has an id.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.expect("a body");
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
    let answer = Answer { status, headers, body };
    assert!(uuid::Uuid::try_parse(answer.header("request-id")).is_ok(), "{answer:?}");
    answer
}

impl Answer {
    /// The body as a message of the contract.
    pub fn message<A: Name + Default>(&self) -> A {
        json::from_value(&self.body).expect("a message of the contract")
    }

    /// The text and the stable reason of an error.
    pub fn refusal(&self) -> (String, String) {
        let status: rpc::Status = self.message();
        let info = status.details.iter().find_map(|detail| detail.to_msg::<rpc::ErrorInfo>().ok());
        (status.message, info.unwrap_or_default().reason)
    }

    /// The value of a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
