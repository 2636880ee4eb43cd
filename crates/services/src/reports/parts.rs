//! Documents of the store as readers and writers, for threads that may wait.

use std::io::{self, Read, Write};

use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{ReportFormat, ReportWanted, ReportWriter, Store};
use tokio::runtime::Handle;
use uuid::Uuid;

/// The largest part, in bytes.
const PART: usize = 1 << 20;

/// Unpacking may use that much memory, as a power of two.
const WINDOW_LOG: u32 = 23;

/// What stands between a thread and the documents.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where they are.
    pub store: Store,
    /// The clock.
    pub environment: Environment,
    /// Where the store is waited for.
    pub runtime: Handle,
    /// When reading and writing end, with [`io::ErrorKind::TimedOut`].
    pub deadline: Timestamp,
}

/// Nobody waits for the report any more: its task was tried again or deleted, or it took so long that another process is
/// making it.
#[derive(Debug, thiserror::Error)]
#[error("nobody waits for the report any more")]
pub struct NotWanted;

impl Desk {
    /// Reads a document.
    ///
    /// # Errors
    /// The decompressor cannot be made.
    pub fn read(&self, owner: Uuid, format: ReportFormat) -> io::Result<impl Read + use<>> {
        let packed = Packed { desk: self.clone(), owner, format, position: 0, part: Vec::new(), read: 0 };
        let mut reader = zstd::Decoder::new(packed)?;
        reader.window_log_max(WINDOW_LOG)?;
        Ok(reader)
    }

    /// Writes a document with `write`, in the place of the one that was there.
    ///
    /// # Errors
    /// What `write` says, [`NotWanted`], or the store fails.
    pub fn write(
        &self,
        report: ReportWanted,
        format: ReportFormat,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let parts = Parts { desk: self.clone(), report, format, position: 0, part: Vec::new() };
        let mut writer = io::BufWriter::new(zstd::Encoder::new(parts, zstd::DEFAULT_COMPRESSION_LEVEL)?);
        write(&mut writer)?;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.keep()
    }

    /// # Errors
    /// There is no time left.
    pub fn check_time(&self) -> io::Result<()> {
        let is_late = self.environment.now() >= self.deadline;
        if is_late { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

/// A document on its way out of the store, compressed.
struct Packed {
    desk: Desk,
    owner: Uuid,
    format: ReportFormat,
    position: u32,
    part: Vec<u8>,
    read: usize,
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.part.len() {
            self.desk.check_time()?;
            let part = self.desk.store.agentless_report_part(self.owner, self.format, self.position);
            let Some(part) = self.desk.runtime.block_on(part).map_err(io::Error::other)? else {
                return Ok(0);
            };
            (self.part, self.read, self.position) = (part, 0, self.position + 1);
        }
        let read = (&self.part[self.read..]).read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

/// A document on its way into the store, compressed.
struct Parts {
    desk: Desk,
    report: ReportWanted,
    format: ReportFormat,
    position: u32,
    part: Vec<u8>,
}

impl Parts {
    fn keep(mut self) -> io::Result<()> {
        self.keep_part()
    }

    fn keep_part(&mut self) -> io::Result<()> {
        self.desk.check_time()?;
        let (writer, content) = (ReportWriter::Maker(self.report), std::mem::take(&mut self.part));
        let kept = self.desk.store.agentless_report_write(writer, self.format, self.position, content);
        if !self.desk.runtime.block_on(kept).map_err(io::Error::other)? {
            return Err(io::Error::other(NotWanted));
        }
        self.position += 1;
        Ok(())
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        if self.part.len() == PART {
            self.keep_part()?;
        }
        Ok(taken)
    }

    /// A part is kept when it is full, or the last one.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
