//! Talks to the kernel through `nft`, the program of nftables.

use std::{env, io, path::PathBuf, process::Stdio, time::Duration};

use nftables::schema::Nftables;
use rustix::thread::{CapabilitySet, capabilities};
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use super::{
    kept::Isolation,
    rules::{self, TABLE},
};

/// Where `nft` is looked for besides the search path, which often leaves the programs of administrators out.
const SYSTEM_FOLDERS: &str = "/usr/sbin:/sbin";

/// How long `nft` may take. It takes milliseconds, unless another transaction holds the kernel's lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why rules could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum NftError {
    /// There is no `nft`.
    #[error("the program nft is not on this device; install the package nftables")]
    Missing,
    /// The agent may not change the rules.
    #[error("the agent may not change the rules of the network: run it as root, with CAP_NET_ADMIN")]
    NotPermitted,
    /// The kernel does not do it.
    #[error("the kernel of this device does not filter packets as isolation needs it: {0}")]
    Unsupported(String),
    /// `nft` refuses.
    #[error("nft failed: {0}")]
    Failed(String),
}

impl NftError {
    /// The constant that programs can compare.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "NFT_MISSING",
            Self::NotPermitted => "NOT_PERMITTED",
            Self::Unsupported(_) => "KERNEL_UNSUPPORTED",
            Self::Failed(_) => "NFT_FAILED",
        }
    }

    /// What the words of `nft` mean.
    fn from_words(words: &str) -> Self {
        let words = words.trim();
        let has = |part: &str| words.contains(part);
        if has("Operation not permitted") || has("you must be root") {
            Self::NotPermitted
        } else if has("Protocol not supported") || has("Operation not supported") || has("not implemented") {
            Self::Unsupported(words.to_owned())
        } else {
            Self::Failed(words.to_owned())
        }
    }
}

/// Whether this process could change rules, as far as that can be told without an effect.
///
/// # Errors
/// It could not.
pub fn is_able() -> Result<(), NftError> {
    program()?;
    match capabilities(None) {
        Ok(sets) if !sets.effective.contains(CapabilitySet::NET_ADMIN) => Err(NftError::NotPermitted),
        // A kernel that does not tell is asked by doing it.
        _ => Ok(()),
    }
}

/// Puts an isolation in force, in place of an earlier one.
///
/// # Errors
/// [`NftError`]; the earlier rules are in force then.
pub async fn put_in_force(isolation: &Isolation) -> Result<(), NftError> {
    change(&rules::put_in_force(isolation)).await
}

/// Ends all isolation, whether there is one or not.
///
/// # Errors
/// [`NftError`]; what was in force still is.
pub async fn remove() -> Result<(), NftError> {
    change(&rules::remove()).await
}

/// The rules that are in force, in a form that changes when they do; `None` when there are none. Where nft numbers
/// things anew, the form is the same.
///
/// # Errors
/// [`NftError`].
pub async fn in_force() -> Result<Option<String>, NftError> {
    match nft(&["-j", "list", "table", "inet", TABLE], None).await {
        Ok(listing) => {
            let mut listing: Value = serde_json::from_str(&listing)
                .map_err(|error| NftError::Failed(format!("it lists no JSON: {error}")))?;
            forget_numbers(&mut listing);
            Ok(Some(listing.to_string()))
        }
        Err(NftError::Failed(words)) if words.contains("No such file or directory") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes what says nothing about rules: their handles, and the version of nft.
fn forget_numbers(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("handle");
            members.remove("metainfo");
            members.values_mut().for_each(forget_numbers);
        }
        Value::Array(elements) => elements.iter_mut().for_each(forget_numbers),
        _ => {}
    }
}

async fn change(transaction: &Nftables<'_>) -> Result<(), NftError> {
    let json = serde_json::to_string(transaction).map_err(|error| NftError::Failed(error.to_string()))?;
    nft(&["-j", "-f", "-"], Some(json)).await.map(drop)
}

async fn nft(arguments: &[&str], input: Option<String>) -> Result<String, NftError> {
    let failed = |error: io::Error| NftError::Failed(error.to_string());
    let mut child = Command::new(program()?)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    let ended = timeout(PATIENCE, async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // Where nft ends before it has read everything, its own words say why.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        child.wait_with_output().await
    });
    let output = match ended.await {
        Ok(output) => output.map_err(failed)?,
        Err(_) => return Err(NftError::Failed(format!("no answer within {} seconds", PATIENCE.as_secs()))),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(match words.trim() {
        "" => NftError::Failed(output.status.to_string()),
        words => NftError::from_words(words),
    })
}

fn program() -> Result<PathBuf, NftError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(env::split_paths(SYSTEM_FOLDERS));
    folders.map(|folder| folder.join("nft")).find(|file| file.is_file()).ok_or(NftError::Missing)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_have_codes() {
        let table = [
            ("netlink: Error: cache initialization failed: Operation not permitted", "NOT_PERMITTED"),
            ("mnl.c:60: Unable to initialize Netlink socket: Protocol not supported", "KERNEL_UNSUPPORTED"),
            ("Error: Could not process rule: Operation not supported", "KERNEL_UNSUPPORTED"),
            ("Error: syntax error, unexpected newline", "NFT_FAILED"),
        ];
        for (words, code) in table {
            let error = NftError::from_words(words);
            assert_eq!(error.code(), code, "{words}");
            let loses_words = matches!(error, NftError::NotPermitted);
            assert!(loses_words || error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn numbers_say_nothing() {
        let mut listing = json!({"nftables": [
            {"metainfo": {"version": "1.0.6"}},
            {"rule": {"chain": "input", "handle": 3, "expr": [{"accept": null}]}},
        ]});
        forget_numbers(&mut listing);
        let expected = json!({"nftables": [{}, {"rule": {"chain": "input", "expr": [{"accept": null}]}}]});
        assert_eq!(listing, expected);
    }
}
