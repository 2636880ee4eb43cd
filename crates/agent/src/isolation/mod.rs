//! The isolation of the device from the network.
//!
//! What counts is a file ([`kept`]); the rules of nftables follow from it ([`rules`], [`nft`]) and can always be put in
//! force again. Runs change it, and it is settled by how they ended ([`mod@settle`]). The agent looks after it
//! ([`keeper`]), dials its servers where they were found beforehand ([`pins`]), and the machine puts the rules in force
//! when it starts, before there is a network ([`restore`]).

pub mod keeper;
pub mod kept;
pub mod network;
pub mod nft;
pub mod pins;
pub mod rules;
pub mod settle;

use std::path::Path;

use kept::Kept;
use settle::{IsolationError, Lock, NO_JOURNAL, settle as settle_pending};

/// Puts the rules in force that the file in a state folder asks for. Needs no network and no agent; answers whether the
/// device is isolated.
///
/// # Errors
/// [`IsolationError`].
pub async fn restore(folder: &Path) -> Result<bool, IsolationError> {
    // Makes no folder: a machine without an agent is not isolated.
    if !kept::path_in(folder).exists() {
        return Ok(false);
    }
    let lock = Lock::wait(folder)?;
    match settle_pending(folder, &lock, NO_JOURNAL).await? {
        Some(Some(isolation)) => {
            nft::put_in_force(&isolation).await?;
            Ok(true)
        }
        Some(None) => Ok(false),
        // Its runner lives, and so does the agent: they see to it.
        None => Ok(Kept::load(folder)?.settled.is_some()),
    }
}

/// Ends the isolation from this side, when the server is gone for good or the agent leaves. Waits for a run that changes
/// it. Answers whether there was one.
///
/// # Errors
/// [`IsolationError`]; the device is isolated as before then.
pub async fn end(folder: &Path) -> Result<bool, IsolationError> {
    if !kept::path_in(folder).exists() {
        return Ok(false);
    }
    let _lock = Lock::wait(folder)?;
    nft::remove().await?;
    // Where the file is spoilt nobody knows; the rules are gone in any case.
    let isolated = Kept::load(folder).map_or(true, |kept| kept.present().is_some());
    Kept::default().store(folder)?;
    Ok(isolated)
}
