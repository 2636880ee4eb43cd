//! The codec of the agent link.

use futures_util::{FutureExt as _, stream};
use guardhouse_contract::{
    frames::FrameCodec,
    link::{AgentFrame, RunStarted, agent_frame::Kind},
};
use prost::Message;
use tonic::{
    Code, Status,
    codec::{Codec as _, EncodeBody, Streaming},
};

/// What the other end reads of `messages`, until the first that it cannot read.
fn read_back<Sent: Message + 'static>(messages: Vec<Sent>) -> Result<Vec<AgentFrame>, Status> {
    let mut codec = FrameCodec::<Sent, AgentFrame>::default();
    let messages = stream::iter(messages.into_iter().map(Ok));
    let body = EncodeBody::new_client(codec.encoder(), messages, None, None);
    let mut stream = Streaming::new_request(codec.decoder(), body, None, None);
    let mut read = Vec::new();
    while let Some(frame) = stream.message().now_or_never().expect("everything is there")? {
        read.push(frame);
    }
    Ok(read)
}

fn frame(length: usize) -> AgentFrame {
    AgentFrame { kind: Some(Kind::RunStarted(RunStarted { run_uuid: "x".repeat(length) })) }
}

#[test]
fn frames_of_any_length_arrive_as_they_were_sent() {
    let frames: Vec<_> = (0..600).chain([70_000, 0, 2_000_000, 40]).map(frame).collect();
    assert!(read_back(frames.clone()).expect("frames") == frames);
}

#[test]
fn what_is_no_frame_is_an_error() {
    // A number where a message must be.
    let error = read_back(vec![7_u32]).expect_err("is no frame");
    assert_eq!(error.code(), Code::Internal);
}
