//! Versions of the agent.

use crate::{
    AgentRelease, Store, StoreError, Wanted,
    engine::{Row, Transaction, values},
};

/// The columns of a version, in the order of [`from_row`].
const COLUMNS: &str = "version, platform, size_bytes, sha256, signature, import_time, wanted";

impl Store {
    /// How many bytes of a program are kept together; only its last part is smaller.
    pub const AGENT_RELEASE_PART: usize = 256 * 1024;

    /// Keeps a version of the agent with its program. False: there is this version for this platform already.
    pub async fn agent_release_add(
        &self,
        release: AgentRelease,
        program: Vec<u8>,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let AgentRelease { version, platform, size_bytes, sha256, signature, import_time, wanted } =
                    &release;
                let added = transaction.execute(
                    "insert into agent_releases
                         (version, platform, size_bytes, sha256, signature, import_time, wanted)
                     values ($1, $2, $3, $4, $5, $6, $7) on conflict (platform, version) do nothing",
                    values![version, platform, *size_bytes, sha256, signature, *import_time, number(*wanted)],
                )?;
                if added == 0 {
                    return Ok(false);
                }
                for (position, content) in program.chunks(Self::AGENT_RELEASE_PART).enumerate() {
                    transaction.execute(
                        "insert into agent_release_parts (platform, version, position, content)
                         values ($1, $2, $3, $4)",
                        values![platform, version, position, content],
                    )?;
                }
                Ok(true)
            })
            .await
    }

    /// All versions, by platform and then by the text of the version.
    pub async fn agent_releases_list(&self) -> Result<Vec<AgentRelease>, StoreError> {
        self.engine
            .read(|transaction| {
                let sql = format!("select {COLUMNS} from agent_releases order by platform, version");
                transaction.list(&sql, &[], from_row)
            })
            .await
    }

    /// The versions that devices are to have: one for each platform at most.
    pub async fn agent_releases_wanted(&self) -> Result<Vec<AgentRelease>, StoreError> {
        self.engine
            .read(|transaction| {
                let sql = format!("select {COLUMNS} from agent_releases where wanted > 0 order by platform");
                transaction.list(&sql, &[], from_row)
            })
            .await
    }

    /// Makes a version the one that devices are to have, on every platform for which there is one; other platforms keep
    /// what they have. [`Wanted::Nowhere`]: devices keep what they have. Answers on how many platforms.
    pub async fn agent_release_want(&self, version: String, wanted: Wanted) -> Result<usize, StoreError> {
        self.engine
            .write(move |transaction| {
                // In this order: there is never a platform with two of them.
                transaction.execute(
                    "update agent_releases set wanted = 0
                     where wanted > 0 and platform in (select platform from agent_releases where version = $1)",
                    values![&version],
                )?;
                let sql = "update agent_releases set wanted = $2 where version = $1";
                transaction.execute(sql, values![&version, number(wanted)])
            })
            .await
    }

    /// Removes a version with its programs, wanted or not. Answers from how many platforms.
    pub async fn agent_release_delete(&self, version: String) -> Result<usize, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "delete from agent_releases where version = $1";
                transaction.execute(sql, values![&version])
            })
            .await
    }

    /// A part of a program; `None` behind its end, and where there is no such program.
    pub async fn agent_release_part(
        &self,
        platform: String,
        version: String,
        position: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine.read(move |transaction| part(transaction, &platform, &version, position)).await
    }
}

fn part(
    transaction: &Transaction<'_>,
    platform: &str,
    version: &str,
    position: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql =
        "select content from agent_release_parts where platform = $1 and version = $2 and position = $3";
    transaction.find(sql, values![platform, version, position], |row| row.get(0))
}

fn from_row(row: &Row<'_>) -> Result<AgentRelease, StoreError> {
    Ok(AgentRelease {
        version: row.get(0)?,
        platform: row.get(1)?,
        size_bytes: row.get(2)?,
        sha256: row.get(3)?,
        signature: row.get(4)?,
        import_time: row.get(5)?,
        wanted: match row.get::<i64>(6)? {
            0 => Wanted::Nowhere,
            1 => Wanted::Upgrade,
            2 => Wanted::Everywhere,
            other => return Err(StoreError::Inconsistent(format!("agent_releases.wanted is {other}"))),
        },
    })
}

fn number(wanted: Wanted) -> i64 {
    match wanted {
        Wanted::Nowhere => 0,
        Wanted::Upgrade => 1,
        Wanted::Everywhere => 2,
    }
}
