//! The end of the management of this device.

use guardhouse_contract::link::server_frame;
use tokio::time::sleep;
use tonic::transport::Channel;

use super::{
    super::{AgentError, Ended},
    Work,
};
use crate::{
    departure::{self, ASK_AGAIN},
    session::Inbound,
};

impl Work {
    /// Asks the server over a link that stands, and that the caller keeps, to manage this device no longer. Nothing else is
    /// done for it any more.
    pub(in crate::agent) async fn depart(
        &mut self,
        channel: Channel,
        mut inbound: Inbound,
    ) -> Result<Ended, AgentError> {
        let run = self.departure.run().unwrap_or_default().to_owned();
        let asking = async {
            while let Err(reason) = departure::retire(channel.clone(), &run).await {
                tracing::warn!(reason, "the server has not agreed to let this device go; asking again");
                sleep(ASK_AGAIN).await;
            }
        };
        let closed = async {
            loop {
                match inbound.receive().await {
                    Ok(frames) => {
                        let kinds = frames.into_iter().filter_map(|frame| frame.kind);
                        let mut reasons = kinds.filter_map(|kind| match kind {
                            server_frame::Kind::GoAway(go_away) => Some(go_away.reason()),
                            _ => None,
                        });
                        if let Some(reason) = reasons.next() {
                            return Ended::GoneAway(reason);
                        }
                    }
                    Err(error) => return Ended::Lost(error),
                }
            }
        };
        let ended = tokio::select! {
            // The server closes the link of a device that it has let go.
            biased;
            () = asking => Ended::Departed,
            ended = closed => ended,
        };
        if matches!(ended, Ended::Departed) {
            self.departure.agree()?;
        }
        Ok(ended)
    }
}
