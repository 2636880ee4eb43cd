//! Accounts of administrators and automations.

use guardhouse_contract::{Access, Account};
use guardhouse_model::{Action, Environment, TAKE_SNAPSHOT};
use guardhouse_store::{AccountRecord, Store};

use crate::{Failure, password::Passwords};

/// Most characters of an account name.
pub const MAX_NAME: usize = 255;
/// Fewest characters of a password.
pub const MIN_PASSWORD: usize = 8;

/// Adds accounts and checks who somebody says to be. Clones share everything.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    environment: Environment,
    passwords: Passwords,
}

/// Why an account was not added or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name cannot be one.
    #[error(
        "the account name must have 1 to {MAX_NAME} characters, none of them a colon or a control character"
    )]
    Name,
    /// The password is too short.
    #[error("the password must have at least {MIN_PASSWORD} characters")]
    Password,
    /// An action that the contract does not have.
    #[error("there is no action {0:?}; the actions are {names}, {TAKE_SNAPSHOT}", names = Action::names())]
    Action(String),
    /// Another account has the name.
    #[error("there is already an account {0:?}")]
    Taken(String),
    /// No account has the name.
    #[error("there is no account {0:?}")]
    Unknown(String),
    /// Not the caller's fault.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Accounts {
    /// The accounts in `store`.
    #[must_use]
    pub fn new(store: Store, environment: Environment) -> Self {
        Self { store, environment, passwords: Passwords::default() }
    }

    /// Adds an account, which may use these actions in tasks; `None`: all of them.
    ///
    /// # Errors
    /// [`AccountError`] says what is wrong with the name, the password or an action.
    pub async fn add(
        &self,
        name: &str,
        password: &str,
        access: Access,
        actions: Option<Vec<String>>,
    ) -> Result<Account, AccountError> {
        check_name(name)?;
        check_password(password)?;
        check_actions(actions.as_deref())?;
        let account = Account { uuid: self.environment.uuid(), name: name.to_owned(), access, actions };
        let record = AccountRecord {
            uuid: account.uuid,
            name: account.name.clone(),
            password_hash: self.passwords.hash(password, self.environment.random()).await?,
            access: access_number(access),
            actions: account.actions.clone(),
        };
        let added = self.store.account_add(record, self.environment.now()).await.map_err(Failure::from)?;
        if added { Ok(account) } else { Err(AccountError::Taken(account.name)) }
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn list(&self) -> Result<Vec<Account>, Failure> {
        self.store.accounts_list().await?.into_iter().map(from_record).collect()
    }

    /// Gives an account another password. Its refresh tokens end; an access token lives out its hour.
    ///
    /// # Errors
    /// [`AccountError`] says what is wrong with the password, or that there is no such account.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<(), AccountError> {
        check_password(password)?;
        let hash = self.passwords.hash(password, self.environment.random()).await?;
        let known = self.store.account_set_password(name.to_owned(), hash).await.map_err(Failure::from)?;
        if known { Ok(()) } else { Err(AccountError::Unknown(name.to_owned())) }
    }

    /// Says which actions an account may use in tasks; `None`: all of them. An access token lives out its hour with those
    /// that it was issued for.
    ///
    /// # Errors
    /// [`AccountError`] says which action does not exist, or that there is no such account.
    pub async fn set_actions(&self, name: &str, actions: Option<Vec<String>>) -> Result<(), AccountError> {
        check_actions(actions.as_deref())?;
        let known = self.store.account_set_actions(name.to_owned(), actions).await.map_err(Failure::from)?;
        if known { Ok(()) } else { Err(AccountError::Unknown(name.to_owned())) }
    }

    /// Removes an account. Its refresh tokens end; an access token lives out its hour.
    ///
    /// # Errors
    /// [`AccountError`]: there is no such account.
    pub async fn remove(&self, name: &str) -> Result<(), AccountError> {
        let known = self.store.account_remove(name.to_owned()).await.map_err(Failure::from)?;
        if known { Ok(()) } else { Err(AccountError::Unknown(name.to_owned())) }
    }

    /// The account with this name and password. `None`: the one or the other is wrong; how long the answer
    /// takes does not tell which.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn check(&self, name: &str, password: &str) -> Result<Option<Account>, Failure> {
        let record = self.store.account_find(name.to_owned()).await?;
        let hash = record.as_ref().map(|record| record.password_hash.as_str());
        let matches = self.passwords.verify(password, hash).await?;
        record.filter(|_| matches).map(from_record).transpose()
    }
}

/// A colon would end the name in HTTP Basic authentication (RFC 7617, section 2).
fn check_name(name: &str) -> Result<(), AccountError> {
    let length = name.chars().count();
    let allowed = |character: char| character != ':' && !character.is_control();
    if (1..=MAX_NAME).contains(&length) && name.chars().all(allowed) {
        Ok(())
    } else {
        Err(AccountError::Name)
    }
}

fn check_password(password: &str) -> Result<(), AccountError> {
    if password.chars().count() < MIN_PASSWORD { Err(AccountError::Password) } else { Ok(()) }
}

fn check_actions(actions: Option<&[String]>) -> Result<(), AccountError> {
    let is_known = |name: &&String| Action::named(name).is_some() || *name == TAKE_SNAPSHOT;
    let unknown = actions.into_iter().flatten().find(|name| !is_known(name));
    unknown.map_or(Ok(()), |name| Err(AccountError::Action(name.clone())))
}

/// The account that a record keeps.
pub(crate) fn from_record(record: AccountRecord) -> Result<Account, Failure> {
    let access = match record.access {
        0 => Access::None,
        1 => Access::Read,
        2 => Access::Full,
        3 => Access::Worker,
        other => return Err(Failure::Inconsistent(format!("account {} has access {other}", record.uuid))),
    };
    Ok(Account { uuid: record.uuid, name: record.name, access, actions: record.actions })
}

fn access_number(access: Access) -> i64 {
    match access {
        Access::None => 0,
        Access::Read => 1,
        Access::Full => 2,
        Access::Worker => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    fn accounts(fixture: &Fixture) -> Accounts {
        Accounts::new(fixture.store.clone(), fixture.environment.clone())
    }

    #[tokio::test]
    async fn passwords_change_and_accounts_go() {
        let fixture = Fixture::new();
        let accounts = accounts(&fixture);
        accounts.add("ada", "first password", Access::Full, None).await.expect("added");
        accounts.set_password("ada", "short").await.expect_err("too short");
        accounts.set_password("ada", "second password").await.expect("changed");
        assert_eq!(accounts.check("ada", "first password").await.expect("checked"), None);
        assert!(accounts.check("ada", "second password").await.expect("checked").is_some());
        assert_eq!(accounts.list().await.expect("listed").len(), 1);

        accounts.remove("ada").await.expect("removed");
        assert!(matches!(accounts.remove("ada").await, Err(AccountError::Unknown(name)) if name == "ada"));
        assert_eq!(accounts.check("ada", "second password").await.expect("checked"), None);
    }

    #[tokio::test]
    async fn actions_are_allowed_by_their_names() {
        let fixture = Fixture::new();
        let accounts = accounts(&fixture);
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let add = async |actions| accounts.add("ada", "correct horse", Access::Full, actions).await;
        let error = add(names(&["Reboot"])).await.expect_err("no such action").to_string();
        assert!(error.contains("\"Reboot\"") && error.contains("ShutdownComputer"), "{error}");
        let allowed = async || accounts.list().await.expect("listed").remove(0).actions;
        add(names(&["RunCommand"])).await.expect("added");
        assert_eq!(allowed().await, names(&["RunCommand"]));
        for actions in [names(&[]), names(&["OnDemandScan", "RunCommand"]), None] {
            accounts.set_actions("ada", actions.clone()).await.expect("changed");
            assert_eq!(allowed().await, actions);
        }
        let refused = accounts.set_actions("ada", names(&["runcommand"])).await;
        assert!(matches!(refused, Err(AccountError::Action(_))));
        assert!(matches!(accounts.set_actions("bob", None).await, Err(AccountError::Unknown(_))));
    }

    #[tokio::test]
    async fn an_account_is_known_by_name_and_password() {
        let fixture = Fixture::new();
        let accounts = accounts(&fixture);
        for (name, access) in
            [("ada", Access::Full), ("bob@example.org", Access::Read), ("eve", Access::None)]
        {
            let added = accounts.add(name, "correct horse", access, None).await.expect("adds");
            assert_eq!((added.name.as_str(), added.access), (name, access));
            assert_eq!(accounts.check(name, "correct horse").await.expect("checks"), Some(added));
        }
        for (name, password) in
            [("ada", "wrong horse"), ("Ada", "correct horse"), ("nobody", "correct horse")]
        {
            assert_eq!(accounts.check(name, password).await.expect("checks"), None, "{name} {password}");
        }
    }

    #[tokio::test]
    async fn bad_names_and_passwords_are_refused() {
        let fixture = Fixture::new();
        let accounts = accounts(&fixture);
        let add = async |name: &str, password: &str| accounts.add(name, password, Access::Full, None).await;
        for name in ["", "a:b", "a\nb", "a\u{7f}", &"ä".repeat(256)] {
            assert!(matches!(add(name, "correct horse").await, Err(AccountError::Name)), "{name:?}");
        }
        add(&"ä".repeat(255), "pass wör").await.expect("both just within the limits");
        assert!(matches!(add("ada", "pass wö").await, Err(AccountError::Password)));

        add("ada", "correct horse").await.expect("adds");
        let error = add("ada", "another horse").await.expect_err("taken");
        assert_eq!(error.to_string(), "there is already an account \"ada\"");
        assert!(
            accounts.check("ada", "correct horse").await.expect("checks").is_some(),
            "the first one stays"
        );
    }
}
