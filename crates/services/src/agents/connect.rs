//! `AgentLink.Connect`

use std::{net::IpAddr, sync::Arc};

use guardhouse_contract::{
    Call, Caller,
    link::{AgentFrame, ServerFrame, agent_link_server::AgentLink},
};
use guardhouse_model::DeviceId;
use tokio::sync::mpsc;
use tokio_stream::{StreamExt as _, adapters::Map, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};
use tracing::{debug, warn};

use super::admit::{Admitted, admit};
use crate::Context;

/// Frames that may wait for a slow device before its session waits too.
const OUTGOING: usize = 32;

/// Serves the agent link: joins a stream to the dispatcher.
#[derive(Debug, Clone)]
pub struct AgentLinkService(pub Arc<Context>);

// Boxed: a channel makes room for many frames at once, and there is one for every connected device.
type Frames = Map<ReceiverStream<Box<ServerFrame>>, fn(Box<ServerFrame>) -> Result<ServerFrame, Status>>;

#[tonic::async_trait]
impl AgentLink for AgentLinkService {
    type ConnectStream = Frames;

    async fn connect(&self, request: Request<Streaming<AgentFrame>>) -> Result<Response<Frames>, Status> {
        let (device, peer) = caller(&request)?;
        let (out, frames) = mpsc::channel(OUTGOING);
        let incoming = request.into_inner().map_while(move |frame| {
            frame.inspect_err(|error| debug!(%device, %error, "the link broke")).ok()
        });
        let context = Arc::clone(&self.0);
        tokio::spawn(async move {
            let frames = match Box::pin(admit(&context, device, peer, incoming)).await {
                Ok(Admitted::Device(frames)) => frames,
                Ok(Admitted::Refused(refusal)) => return drop(out.send(Box::new(refusal)).await),
                Ok(Admitted::Silent) => return,
                Err(error) => {
                    return warn!(%device, %error, "the machine could not be judged; it will connect again");
                }
            };
            if let Err(error) = context.dispatcher.serve(device, peer, frames, out).await {
                warn!(%device, %error, "the session ended; the device will connect again");
            }
        });
        Ok(Response::new(
            ReceiverStream::new(frames).map((|frame: Box<ServerFrame>| Ok(*frame)) as fn(_) -> _),
        ))
    }
}

/// The device behind a link, as the gateway has authenticated it.
fn caller<T>(request: &Request<T>) -> Result<(DeviceId, Option<IpAddr>), Status> {
    match request.extensions().get::<Call>() {
        Some(Call { caller: Caller::Device(device), peer, .. }) => Ok((DeviceId(*device), *peer)),
        _ => Err(Status::unauthenticated("the link needs the certificate of an enrolled device")),
    }
}
