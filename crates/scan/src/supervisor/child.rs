//! A scanning process, and the threads that read its pipes.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    os::unix::{fs::FileExt as _, process::CommandExt as _},
    process::{self, Command, ExitStatus, Stdio},
    sync::{Arc, mpsc::SyncSender},
    thread::{self, JoinHandle},
};

use rustix::fs::{MemfdFlags, memfd_create};

use super::Launch;
use crate::{
    positions::{Positions, SLOTS_AT, Spot},
    process::{LINE, ScanOptions, Targets},
};

/// How much of its standard error is kept, in bytes.
const LAST_WORDS: u64 = 4096;

/// Something that happened.
#[derive(Debug)]
pub enum Message {
    /// The process has told something.
    Line(Vec<u8>),
    /// It told more in a line than it may.
    TooLong,
    /// It will tell nothing more.
    End,
    /// Some time has passed.
    Tick,
}

/// A process.
pub struct Child {
    process: process::Child,
    positions: Positions,
    /// Where its threads were when somebody looked last.
    seen: Vec<(u64, Option<Spot>)>,
    last_words: JoinHandle<String>,
}

impl Child {
    /// Starts it; what it tells goes to `messages`.
    pub fn start(
        launch: &Launch,
        targets: &Targets,
        options: &ScanOptions,
        messages: &SyncSender<Message>,
    ) -> io::Result<Self> {
        let shared = Arc::new(shared_file(options)?);
        let mut command = Command::new(&launch.program);
        command.args(&launch.arguments).env_clear().stdin(Stdio::from(shared.try_clone()?));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        for also in &targets.also {
            command.arg("--also").arg(also);
        }
        if let Some(scratch) = &targets.scratch {
            // For libraries that make temporary files of their own.
            command.env("TMPDIR", scratch).arg("--scratch").arg(scratch);
        }
        // What a terminal says to whoever waits for the scan (Ctrl-C) is for that process, which ends this one.
        command.process_group(0);
        let mut process = command.arg("--").arg(&targets.target).spawn()?;
        let stdout = process.stdout.take();
        let stderr = process.stderr.take();
        let messages = messages.clone();
        thread::Builder::new().spawn(move || {
            if let Some(stdout) = stdout {
                forward(BufReader::with_capacity(64 << 10, stdout), &messages);
            }
            let _ = messages.send(Message::End);
        })?;
        let last_words =
            thread::Builder::new().spawn(move || stderr.map(read_last_words).unwrap_or_default())?;
        Ok(Self { process, positions: Positions::new(shared), seen: Vec::new(), last_words })
    }

    /// Where its threads are now.
    pub fn spots(&self) -> io::Result<Vec<Spot>> {
        Ok(self.positions.read()?.into_iter().filter_map(|(_, spot)| spot).collect())
    }

    /// A thread that has not moved since this was asked last.
    pub fn stuck(&mut self) -> Option<Spot> {
        let now = self.positions.read().ok()?;
        let before = std::mem::replace(&mut self.seen, now);
        let same = self.seen.iter().zip(&before).find(|(now, before)| now == before && now.1.is_some());
        same.and_then(|(now, _)| now.1.clone())
    }

    /// Ends it.
    pub fn kill(&mut self) {
        // It has ended already, or it does now.
        let _ = self.process.kill();
    }

    /// How it ended, and what it said last on its standard error.
    pub fn wait(&mut self) -> io::Result<(ExitStatus, String)> {
        let status = self.process.wait()?;
        let last_words = std::mem::replace(&mut self.last_words, thread::spawn(String::new));
        Ok((status, last_words.join().unwrap_or_default()))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        let _ = self.process.wait();
    }
}

/// The standard input of a process: the options, zeros, and room for the positions of its threads.
fn shared_file(options: &ScanOptions) -> io::Result<File> {
    let text = serde_json::to_vec(options)?;
    if text.len() as u64 >= SLOTS_AT {
        return Err(io::Error::other("too many files have killed the scanner"));
    }
    let file = File::from(memfd_create("guardhouse-scan", MemfdFlags::CLOEXEC)?);
    file.write_all_at(&text, 0)?;
    file.set_len(SLOTS_AT)?;
    Ok(file)
}

/// Sends the lines of a pipe on, up to its end or to the first that is too long.
pub fn forward(mut pipe: impl BufRead, messages: &SyncSender<Message>) {
    loop {
        let mut line = Vec::new();
        let read = pipe.by_ref().take(LINE as u64 + 1).read_until(b'\n', &mut line);
        let message = match (read, line.pop()) {
            (Ok(_), Some(b'\n')) => Message::Line(line),
            // The end, or a line that its writer did not finish.
            (Err(_), _) | (Ok(_), None) => return,
            (Ok(read), Some(_)) if read <= LINE => return,
            (Ok(_), Some(_)) => Message::TooLong,
        };
        let is_last = matches!(message, Message::TooLong);
        if messages.send(message).is_err() || is_last {
            return;
        }
    }
}

/// The first lines, without what could control a terminal; the rest is read and forgotten, so that nobody waits.
fn read_last_words(mut pipe: impl Read) -> String {
    let mut words = Vec::new();
    let _ = pipe.by_ref().take(LAST_WORDS).read_to_end(&mut words);
    let _ = io::copy(&mut pipe, &mut io::sink());
    let words = String::from_utf8_lossy(&words);
    let words = words.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    words.collect::<String>().trim().to_owned()
}
