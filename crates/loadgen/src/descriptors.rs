//! File descriptors: every simulated agent holds a socket.

use rustix::process::{Resource, getrlimit, setrlimit};

/// What the process needs besides the sockets of agents.
const RESERVE: u64 = 64;

/// Makes room for `sockets` connections, as far as the hard limit of this process allows.
///
/// # Errors
/// The hard limit is lower; the error says how to raise it.
pub fn make_room(sockets: u64) -> anyhow::Result<()> {
    let needed = sockets.saturating_add(RESERVE);
    let mut limit = getrlimit(Resource::Nofile);
    // `None` is no limit.
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(most) = limit.maximum.filter(|most| *most < needed) {
        anyhow::bail!(
            "{sockets} agents need {needed} open files, but this process may have {most}; raise the hard limit \
             (ulimit -Hn {needed}, as root) or use fewer --agents"
        );
    }
    limit.current = Some(needed);
    setrlimit(Resource::Nofile, limit)?;
    Ok(())
}

/// Raises the limit of this process, and so of those that it starts, as far as it goes; answers how many
/// connections one of them can hold.
///
/// # Errors
/// The system does not allow what it said to allow.
pub fn most_sockets() -> anyhow::Result<usize> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    // `None` is no limit.
    let most = limit.maximum.unwrap_or(u64::MAX).saturating_sub(2 * RESERVE);
    Ok(usize::try_from(most).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_and_impossible_wishes_are_refused() {
        make_room(1).expect("there is room for one");
        if getrlimit(Resource::Nofile).maximum.is_some() {
            let error = make_room(u64::MAX).expect_err("more than any limit").to_string();
            assert!(error.contains("ulimit -Hn"), "{error}");
        }
    }
}
