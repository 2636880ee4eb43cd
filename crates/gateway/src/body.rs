//! Reading the body of a request.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use guardhouse_contract::Status;
use http_body_util::BodyExt as _;
use tokio::time;

/// How long a client may take to send a body.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How much of a body that is too large is read and thrown away, in times its limit. A client that is still
/// sending does not see the answer; if the connection is closed on it, it may never see it.
const PATIENCE: usize = 4;

/// How much of a body is read and thrown away where the request was answered without it, in bytes, and how
/// long the client may take to send that. As much as any method takes: nobody is cut off for a wrong token.
const MAX_UNWANTED: u64 = 8 * 1024 * 1024;
const UNWANTED_TIME_LIMIT: Duration = Duration::from_secs(5);

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Larger than allowed.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The client took too long.
    #[error("the body did not arrive within {} s", TIME_LIMIT.as_secs())]
    TooSlow,
    /// The connection or the framing broke.
    #[error("the body ends before its end")]
    Broken,
}

impl From<Unreadable> for Status {
    fn from(error: Unreadable) -> Self {
        let reason = match error {
            Unreadable::TooLarge(_) => "BODY_TOO_LARGE",
            Unreadable::TooSlow | Unreadable::Broken => "BODY_INCOMPLETE",
        };
        Self::new(guardhouse_contract::Code::InvalidArgument, reason, error.to_string())
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// It is larger, comes too slowly, or ends too early.
pub async fn read<B>(body: B, limit: usize) -> Result<Bytes, Unreadable>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    time::timeout(TIME_LIMIT, read_all(body, limit)).await.unwrap_or(Err(Unreadable::TooSlow))
}

async fn read_all<B: http_body::Body<Data = Bytes>>(body: B, limit: usize) -> Result<Bytes, Unreadable> {
    let mut body = std::pin::pin!(body);
    let (mut read, mut seen) = (BytesMut::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unreadable::Broken)?.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen <= limit {
            read.extend_from_slice(&data);
        } else {
            read = BytesMut::new();
        }
        if seen > limit.saturating_mul(PATIENCE) {
            break;
        }
    }
    if seen > limit { Err(Unreadable::TooLarge(limit)) } else { Ok(read.freeze()) }
}

/// Reads what a request was answered without, and throws it away. Many clients see an answer only when they
/// have sent their request, and on HTTP/1.1 the next request of the connection begins behind it.
///
/// `false`: there is more of it than is worth reading, so no request can follow.
pub async fn discard<B: http_body::Body<Data = Bytes> + Unpin>(body: &mut B) -> bool {
    if body.is_end_stream() {
        return true;
    }
    let all = async {
        let mut seen = 0_u64;
        while seen.saturating_add(body.size_hint().lower()) <= MAX_UNWANTED {
            match body.frame().await {
                Some(Ok(frame)) => seen += frame.data_ref().map_or(0, |data| data.len() as u64),
                Some(Err(_)) => return false,
                None => return true,
            }
        }
        false
    };
    time::timeout(UNWANTED_TIME_LIMIT, all).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read() {
        assert_eq!(read(Full::from("12345678"), 8).await.expect("fits"), "12345678");
        assert!(matches!(read(Full::from("123456789"), 8).await, Err(Unreadable::TooLarge(8))));
        assert_eq!(read(Full::from(""), 8).await.expect("fits"), "");
    }

    #[tokio::test]
    async fn an_endless_body_is_left() {
        let piece = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"1234")));
        let endless = StreamBody::new(stream::repeat_with(piece));
        assert!(matches!(read(endless, 1_000).await, Err(Unreadable::TooLarge(1_000))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_body_is_left() {
        let stalled = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert!(matches!(read(stalled, 8).await, Err(Unreadable::TooSlow)));
    }

    #[tokio::test(start_paused = true)]
    async fn only_small_bodies_are_read_in_vain() {
        let of = |size: u64| Full::from(vec![b' '; usize::try_from(size).expect("fits")]);
        assert!(discard(&mut of(0)).await);
        assert!(discard(&mut of(MAX_UNWANTED)).await);
        assert!(!discard(&mut of(MAX_UNWANTED + 1)).await);
        let piece = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"1234")));
        assert!(!discard(&mut StreamBody::new(stream::repeat_with(piece))).await);
        assert!(!discard(&mut StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>())).await);
    }

    #[tokio::test]
    async fn a_broken_body_is_an_error() {
        let pieces = [Ok(Frame::data(Bytes::from_static(b"1234"))), Err("reset")];
        let status = Status::from(read(StreamBody::new(stream::iter(pieces)), 8).await.expect_err("broken"));
        assert_eq!((status.http(), status.reason()), (400, "BODY_INCOMPLETE"));
    }
}
