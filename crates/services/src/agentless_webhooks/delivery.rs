//! What is sent to a webhook, and how it is signed.
//!
//! As the Standard Webhooks say, so that receivers find libraries for it: the signature is over the id of the delivery, the
//! moment of the try and the body. By the moment a receiver refuses what somebody recorded and sends again later; by the id
//! it knows what it has already.

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use guardhouse_contract::{
    json,
    scans::{AgentlessNotice, AgentlessNoticeData},
    time::to_proto,
};
use guardhouse_identity::{Failure, Sealing};
use guardhouse_model::Timestamp;
use guardhouse_store::{AgentlessDelivery, AgentlessEvent, DueDelivery};
use uuid::Uuid;

/// A delivery, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Headers, in lower case.
    pub headers: [(&'static str, String); 4],
    /// JSON.
    pub body: Vec<u8>,
}

/// Prepares a try at `now`.
///
/// # Errors
/// The secret cannot be opened.
pub fn prepare(due: &DueDelivery, sealing: &Sealing, now: Timestamp) -> Result<Prepared, Failure> {
    let secret = sealing.open(&owner(due.delivery.webhook), &due.sealed_secret)?;
    let body = json::write_message(&notice(&due.delivery))
        .map_err(|status| Failure::Inconsistent(status.to_string()))?;
    let (id, time) = (due.delivery.id.to_string(), now.as_second().to_string());
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("webhook-signature", signature(&secret, &id, &time, &body)),
        ("webhook-id", id),
        ("webhook-timestamp", time),
    ];
    Ok(Prepared { headers, body })
}

/// For whom the secret of a webhook is sealed.
pub fn owner(webhook: Uuid) -> String {
    format!("agentless webhook {webhook}")
}

fn signature(secret: &[u8], id: &str, time: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signed = [id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
    format!("v1,{}", BASE64_STANDARD.encode(hmac::sign(&key, &signed)))
}

fn notice(delivery: &AgentlessDelivery) -> AgentlessNotice {
    let word = match delivery.event {
        AgentlessEvent::TaskFinished => "agentless.task.finished",
        AgentlessEvent::SubtaskFailed => "agentless.subtask.failed",
    };
    AgentlessNotice {
        r#type: word.to_owned(),
        timestamp: Some(to_proto(delivery.create_time)),
        data: Some(AgentlessNoticeData {
            task_uuid: delivery.task.to_string(),
            task_name: delivery.task_name.clone(),
            status: delivery.status as i32,
            subtask_uuid: delivery.subtask.map_or_else(String::new, |subtask| subtask.to_string()),
            instance_id: delivery.instance_id.clone(),
            reason: delivery.reason.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification: github.com/standard-webhooks, "Signature scheme".
    #[test]
    fn the_signature_is_that_of_the_standard() -> Result<(), base64::DecodeError> {
        let secret = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        Ok(())
    }
}
