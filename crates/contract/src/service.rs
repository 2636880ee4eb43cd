//! What a service implementation receives with every call, and how its methods are found by name.

use std::{fmt, net::IpAddr, pin::Pin, sync::Arc};

use bytes::Bytes;
use prost::Message;
use uuid::Uuid;

use crate::Status;

/// The circumstances of one call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Identifies the call in answers, logs and the audit trail.
    pub request_id: Uuid,
    /// Who calls; already authenticated and entitled to call the method.
    pub caller: Caller,
    /// The address the call came from, where there is one.
    pub peer: Option<IpAddr>,
    /// Where the caller reaches this server, as `https://guard.example.com:7443`: what links in answers begin with.
    pub base: Option<String>,
    /// What the caller's program calls itself; empty: it does not say. Nobody vouches for it.
    pub user_agent: String,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody known yet: the method itself judges what the request carries (an enrolment token).
    Anonymous,
    /// An account with a valid access token.
    Account(Account),
    /// A device with a valid client certificate.
    Device(Uuid),
}

/// An account of an administrator or an automation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Identity of the account.
    pub uuid: Uuid,
    /// Its unique name.
    pub name: String,
    /// What it may do.
    pub access: Access,
    /// The names of the actions that it may use in tasks; `None`: all of them.
    pub actions: Option<Vec<String>>,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Sign in, but call nothing.
    None,
    /// Call what only reads.
    Read,
    /// Call everything that people and automations call.
    Full,
    /// Carry out agentless scans, and nothing else: whoever does that learns what opens the places where targets lie, which
    /// nobody else does.
    Worker,
}

type Answer = Pin<Box<dyn Future<Output = Result<Bytes, Status>> + Send>>;

/// One unary method, bound to its implementation, over encoded messages.
#[derive(Clone)]
pub struct Method {
    /// Full name of the service, for example `eset.connect.automation.v1.DeviceTasks`.
    pub service: &'static str,
    /// Name of the method, for example `CreateTask`.
    pub name: &'static str,
    handler: Arc<dyn Fn(Call, Bytes) -> Answer + Send + Sync>,
}

impl Method {
    /// Binds a handler over decoded messages. Called by generated code.
    pub fn new<Request, Response, Handler, Answered>(
        service: &'static str,
        name: &'static str,
        handler: Handler,
    ) -> Self
    where
        Request: Message + Default + 'static,
        Response: Message + 'static,
        Handler: Fn(Call, Request) -> Answered + Send + Sync + 'static,
        Answered: Future<Output = Result<Response, Status>> + Send + 'static,
    {
        let handler = move |call: Call, request: Bytes| -> Answer {
            match Request::decode(request) {
                Ok(request) => {
                    let answer = handler(call, request);
                    Box::pin(async move { Ok(Bytes::from(answer.await?.encode_to_vec())) })
                }
                Err(error) => Box::pin(async move {
                    Err(Status::invalid("the request is not a valid message").because(error))
                }),
            }
        };
        Self { service, name, handler: Arc::new(handler) }
    }

    /// Calls the method with an encoded request; answers the encoded response.
    pub fn call(
        &self,
        call: Call,
        request: Bytes,
    ) -> impl Future<Output = Result<Bytes, Status>> + Send + use<> {
        (self.handler)(call, request)
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.name)
    }
}
