//! Password hashing: Argon2id, a few at a time.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::{sync::Semaphore, task};

use crate::Failure;

/// Memory of one hash in KiB, passes over it and lanes: the first choice of OWASP's Password Storage Cheat
/// Sheet for Argon2id with one lane.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Most hashes at the same time: bounds the memory that sign-ins can take, and keeps them off the other cores.
const CONCURRENT: usize = 2;

/// What a password is compared with when there is no account: it costs the same, and matches nothing.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Z3VhcmRob3VzZS1kZWNveQ$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords. Clones share the bound on how many at a time.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(CONCURRENT)) }
    }
}

impl Passwords {
    /// The hash of `password` as a PHC string. `salt` must be fresh randomness.
    ///
    /// # Errors
    /// [`Failure`], nothing about the password.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String, Failure> {
        let password = password.to_owned();
        self.run(move || {
            let hash = argon2id()?.hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(Failure::cryptography)
        })
        .await
    }

    /// Whether `password` is the one that `hash` was made of. `None`, for an account that does not exist, takes
    /// as long as a wrong password.
    ///
    /// # Errors
    /// [`Failure`]: among others, when `hash` is not a PHC string.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Failure> {
        let password = password.to_owned();
        let known = hash.is_some();
        let hash = hash.unwrap_or(DECOY).to_owned();
        self.run(move || {
            let hash = PasswordHash::new(&hash)
                .map_err(|error| Failure::Inconsistent(format!("password hash: {error}")))?;
            match argon2id()?.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(Failure::cryptography(error)),
            }
        })
        .await
    }

    async fn run<T, Job>(&self, job: Job) -> Result<T, Failure>
    where
        T: Send + 'static,
        Job: FnOnce() -> Result<T, Failure> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Failure::Stopped)?;
        // The permit goes with the job: a caller who goes away does not end it.
        let work = move || {
            let _permit = permit;
            job()
        };
        task::spawn_blocking(work).await.map_err(|_| Failure::Stopped)?
    }
}

fn argon2id() -> Result<Argon2<'static>, Failure> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(Failure::cryptography)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse", [7; 16]).await.expect("hashes");
        for (password, matches) in [("correct horse", true), ("correct horsf", false), ("", false)] {
            assert_eq!(
                passwords.verify(password, Some(&hash)).await.expect("checks"),
                matches,
                "{password:?}"
            );
        }
        assert_ne!(passwords.hash("correct horse", [8; 16]).await.expect("hashes"), hash, "the salt counts");
        assert!(matches!(passwords.verify("x", Some("plain")).await, Err(Failure::Inconsistent(_))));
    }

    #[tokio::test]
    async fn nobody_costs_what_somebody_costs() {
        let passwords = Passwords::default();
        let hash = passwords.hash("whatever", [7; 16]).await.expect("hashes");
        let costs = |hash: &str| {
            let hash = PasswordHash::new(hash).expect("a PHC string");
            (hash.algorithm, hash.version, hash.params.to_string(), hash.hash.map(|output| output.len()))
        };
        assert_eq!(costs(DECOY), costs(&hash));
        assert!(costs(&hash).2.contains("m=19456,t=2,p=1"), "{hash}");
        assert!(!passwords.verify("whatever", None).await.expect("checks"));
    }
}
