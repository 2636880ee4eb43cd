//! A document of the store on its way out.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use guardhouse_contract::Status;
use guardhouse_identity::{Failure, report_links::Linked};
use guardhouse_model::agentless::ReportStatus;
use guardhouse_store::Store;
use http_body::Frame;
use tokio::sync::mpsc;
use zstd::{
    stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer},
    zstd_safe,
};

/// How much is unpacked at a time, in bytes.
const PIECE: usize = 64 * 1024;

/// Unpacking may use that much memory, as a power of two: what compressors need unless they are told to take more.
const WINDOW_LOG: u32 = 23;

/// A report that is there.
pub struct Unpacked {
    store: Store,
    linked: Linked,
    first: Vec<u8>,
}

impl Unpacked {
    /// Looks for a report; `None`: there is none.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open(store: Store, linked: Linked) -> Result<Option<Self>, Status> {
        if !is_made(&store, linked).await? {
            return Ok(None);
        }
        let first = part(&store, linked, 0).await?;
        Ok(first.map(|first| Self { store, linked, first }))
    }

    /// How long it is, in bytes, where that is known before the end.
    pub fn length(&self) -> Option<u64> {
        zstd_safe::get_frame_content_size(&self.first).ok().flatten()
    }

    /// Its content. What is not whole in the store breaks off, so that nobody takes a part for all of it.
    pub fn into_body(self) -> Content {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            if let Err(error) = self.unpack(&sender).await {
                // A client that is gone needs no word.
                let _ = sender.send(Err(error)).await;
            }
        });
        Content(receiver)
    }

    async fn unpack(self, out: &mpsc::Sender<Result<Bytes, io::Error>>) -> io::Result<()> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        let (mut packed, mut position, mut buffer) = (self.first, 0, vec![0; PIECE]);
        loop {
            let mut input = InBuffer::around(&packed);
            let is_whole = loop {
                let mut output = OutBuffer::around(&mut buffer[..]);
                let missing = decoder.run(&mut input, &mut output)?;
                let piece = Bytes::copy_from_slice(output.as_slice());
                let is_full = piece.len() == PIECE;
                if !piece.is_empty() && out.send(Ok(piece)).await.is_err() {
                    return Ok(());
                }
                // At its end everything was handed out; asked again, it would wait for another beginning.
                if input.pos() == packed.len() && (missing == 0 || !is_full) {
                    break missing == 0;
                }
            };
            position += 1;
            match part(&self.store, self.linked, position).await.map_err(io::Error::other)? {
                Some(next) => packed = next,
                None if is_whole => return Ok(()),
                None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the report is not whole")),
            }
        }
    }
}

/// Whether the report is there as a whole.
async fn is_made(store: &Store, linked: Linked) -> Result<bool, Failure> {
    let status = match store.agentless_subtask_get(linked.owner).await? {
        Some(subtask) => Some(subtask.report_status),
        None => store.agentless_task_get(linked.owner).await?.map(|task| task.report_status),
    };
    Ok(status == Some(ReportStatus::Success))
}

async fn part(store: &Store, linked: Linked, position: u32) -> Result<Option<Vec<u8>>, Failure> {
    Ok(store.agentless_report_part(linked.owner, linked.format, position).await?)
}

/// The body of an answer, filled as it is read.
#[derive(Debug)]
pub struct Content(mpsc::Receiver<Result<Bytes, io::Error>>);

impl http_body::Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
