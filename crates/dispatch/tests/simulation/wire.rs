//! Frames of the link over a simulated TCP connection: each with its length before it. A length of nothing is a sign
//! of life, as HTTP/2 pings are in the real link.

use std::time::Duration;

use prost::Message;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    task::spawn_local,
    time::timeout,
};
use turmoil::net::{
    TcpStream,
    tcp::{OwnedReadHalf, OwnedWriteHalf},
};

/// How long an end may be silent before it gives a sign of life.
const PING: Duration = Duration::from_secs(4);

/// How long nothing may be heard before a connection is given up.
pub const SILENCE: Duration = Duration::from_secs(10);

/// One end of a connection. It is closed when `outbound` is dropped, and what was sent has gone out.
pub struct Wire<In, Out> {
    pub inbound: mpsc::UnboundedReceiver<In>,
    pub outbound: mpsc::UnboundedSender<Out>,
}

/// Speaks frames over `stream`.
pub fn wire<In: Message + Default + 'static, Out: Message + 'static>(stream: TcpStream) -> Wire<In, Out> {
    let (heard, inbound) = mpsc::unbounded_channel();
    let (outbound, to_send) = mpsc::unbounded_channel();
    let (reading, writing) = stream.into_split();
    spawn_local(async move {
        // Whichever ends first takes the connection along.
        tokio::select! {
            biased;
            () = read(reading, heard) => {}
            () = write(writing, to_send) => {}
        }
    });
    Wire { inbound, outbound }
}

async fn read<In: Message + Default>(mut from: OwnedReadHalf, heard: mpsc::UnboundedSender<In>) {
    while let Ok(Ok(length)) = timeout(SILENCE, from.read_u32()).await {
        if length == 0 {
            continue;
        }
        let mut bytes = vec![0; length as usize];
        let Ok(Ok(_)) = timeout(SILENCE, from.read_exact(&mut bytes)).await else { return };
        let frame = In::decode(bytes.as_slice()).expect("the other end speaks the same language");
        if heard.send(frame).is_err() {
            return;
        }
    }
}

async fn write<Out: Message>(mut to: OwnedWriteHalf, mut frames: mpsc::UnboundedReceiver<Out>) {
    loop {
        let bytes = match timeout(PING, frames.recv()).await {
            Ok(Some(frame)) => frame.encode_to_vec(),
            Ok(None) => return,
            Err(_) => Vec::new(),
        };
        let length = u32::try_from(bytes.len()).expect("frames are small");
        let packet = [&length.to_be_bytes()[..], &bytes].concat();
        if to.write_all(&packet).await.is_err() {
            return;
        }
    }
}
