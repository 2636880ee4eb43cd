//! How large the frames of the agent link may be, and how they are buffered.

use std::marker::PhantomData;

use prost::Message;
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// What a stream holds for writing, and again for reading, while nothing passes, in bytes. A frame is seldom
/// longer, and a longer one finds room; tonic's own 8 KiB are most of what an idle link would cost here.
const BUFFER: usize = 256;

/// Largest frame that the server takes of an agent, in bytes.
pub const LARGEST_OF_AGENT: usize = 1024 * 1024;

/// Largest frame that an agent takes, in bytes. All frames but one are small: the merge of the policies of a device may
/// hold what vendors keep in theirs. No policy alone can be so large, as no request to create one can.
pub const LARGEST_TO_AGENT: usize = 32 * 1024 * 1024;

/// From how many bytes on frames that wait are sent without looking for more. What tonic does by itself.
const ENOUGH: usize = 32 * 1024;

/// The codec of streaming services: protobuf, as everywhere, but with buffers for many streams that are silent
/// most of the time.
#[derive(Debug, Clone, Copy)]
pub struct FrameCodec<Out, In>(PhantomData<(Out, In)>);

impl<Out, In> Default for FrameCodec<Out, In> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Out, In> Codec for FrameCodec<Out, In>
where
    Out: Message + 'static,
    In: Message + Default + 'static,
{
    type Encode = Out;
    type Decode = In;
    type Encoder = FrameEncoder<Out>;
    type Decoder = FrameDecoder<In>;

    fn encoder(&mut self) -> FrameEncoder<Out> {
        FrameEncoder(PhantomData)
    }

    fn decoder(&mut self) -> FrameDecoder<In> {
        FrameDecoder(PhantomData)
    }
}

/// Writes frames.
#[derive(Debug, Clone, Copy)]
pub struct FrameEncoder<Out>(PhantomData<Out>);

impl<Out: Message> Encoder for FrameEncoder<Out> {
    type Item = Out;
    type Error = Status;

    fn encode(&mut self, frame: Out, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        // Once, not piece by piece.
        buffer.reserve(frame.encoded_len());
        frame.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        settings()
    }
}

/// Reads frames.
#[derive(Debug, Clone, Copy)]
pub struct FrameDecoder<In>(PhantomData<In>);

impl<In: Message + Default> Decoder for FrameDecoder<In> {
    type Item = In;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<In>, Status> {
        // INTERNAL is what gRPC says of a message that cannot be decoded.
        In::decode(buffer).map(Some).map_err(|error| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        settings()
    }
}

fn settings() -> BufferSettings {
    BufferSettings::new(BUFFER, ENOUGH)
}
