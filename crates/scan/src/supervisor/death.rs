//! Of what a scanning process died.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

use crate::{positions::Spot, sandbox::Resources};

/// The death of a scanning process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Of what, in a sentence.
    pub cause: String,
    /// At which file, which no later process has read; `None` when several threads were at work: each of their files
    /// was read again, alone.
    pub killer: Option<Spot>,
}

/// Why a process ended before it was done.
pub fn cause(status: ExitStatus, last_words: &str, resources: &Resources) -> String {
    let Some(signal) = status.signal() else {
        let code = status.code().unwrap_or_default();
        return with_words(format!("it ended with code {code} before it was done"), last_words);
    };
    match signal {
        libc::SIGKILL => "SIGKILL: the machine ran out of memory, or somebody ended it".to_owned(),
        libc::SIGXCPU => format!("SIGXCPU: it took more than {} s of processor time", resources.cpu),
        libc::SIGXFSZ => format!("SIGXFSZ: a temporary file grew beyond {} bytes", resources.file),
        libc::SIGSYS => "SIGSYS: a system call that a scanner has no reason to make".to_owned(),
        libc::SIGABRT => with_words("SIGABRT: it gave up".to_owned(), last_words),
        libc::SIGSEGV => {
            with_words("SIGSEGV: a wrong address, or no room on the stack".to_owned(), last_words)
        }
        libc::SIGBUS => "SIGBUS: the target became shorter while it was read".to_owned(),
        libc::SIGILL => "SIGILL: an instruction that does not exist".to_owned(),
        libc::SIGTERM => "SIGTERM: somebody ended it".to_owned(),
        other => format!("signal {other}"),
    }
}

fn with_words(cause: String, last_words: &str) -> String {
    if last_words.is_empty() { cause } else { format!("{cause}: {last_words}") }
}
