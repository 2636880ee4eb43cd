//! Events as lines of JSON.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use crate::event::{Event, Trouble};

/// How long a line may be, in bytes, without its end.
pub const LINE: usize = 1 << 20;

/// Writes events.
pub struct Output<W: Write> {
    state: Mutex<(W, io::Result<()>)>,
}

impl<W: Write> Output<W> {
    /// To a pipe.
    pub fn new(pipe: W) -> Self {
        Self { state: Mutex::new((pipe, Ok(()))) }
    }

    /// Writes an event, which is in the pipe then, whatever happens to this process.
    pub fn tell(&self, event: &Event) {
        let mut line = line(event);
        line.push(b'\n');
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (pipe, result) = &mut *state;
        if result.is_ok() {
            *result = pipe.write_all(&line).and_then(|()| pipe.flush());
        }
    }

    /// Says whether everything was written.
    ///
    /// # Errors
    /// The first one of all writes.
    pub fn finish(self) -> io::Result<()> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// The JSON of an event; a sentence about it instead when it is too long for a line.
fn line(event: &Event) -> Vec<u8> {
    let message = match serde_json::to_vec(event) {
        Ok(line) if line.len() <= LINE => return line,
        Ok(line) => format!("something of {} bytes was found, and at most {LINE} are told", line.len()),
        Err(error) => format!("something that has no JSON form was found: {error}"),
    };
    let (system, path) = match event {
        Event::Package { system, path, .. } => (Some(*system), Some(path.clone())),
        _ => (None, None),
    };
    let problem = Event::Problem { kind: Trouble::Limit, system, path, message };
    serde_json::to_vec(&problem).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use guardhouse_image::FilePath;
    use guardhouse_packages::Package;

    use super::*;

    #[test]
    fn what_is_too_long_for_a_line_is_told_as_a_problem() {
        let package = Package { name: "x".repeat(LINE), ..Package::default() };
        let path = FilePath::new(b"/status");
        let event = Event::Package { system: 3, path: path.clone(), format: "dpkg-status".into(), package };
        let mut lines = Vec::new();
        let output = Output::new(&mut lines);
        output.tell(&event);
        output.finish().expect("a Vec takes everything");
        let told: Event = serde_json::from_slice(&lines).expect("JSON");
        let Event::Problem { kind: Trouble::Limit, system: Some(3), path: Some(found), .. } = told else {
            panic!("{told:?}")
        };
        assert_eq!(found, path);
    }
}
