//! Which actions an account may use in tasks.

use guardhouse_contract::{Call, Caller, Code, Status, automation::Action};
use guardhouse_identity::Failure;
use guardhouse_model::TaskId;
use prost::Message as _;

use crate::Context;

/// Whether the caller may give devices this action to carry out, now or again.
///
/// # Errors
/// 403 `ACTION_NOT_PERMITTED`: the account may not use it. Its access token says so, for as long as it lives.
pub fn may_use(call: &Call, action: &str) -> Result<(), Status> {
    let Caller::Account(account) = &call.caller else { return Ok(()) };
    let Some(allowed) = &account.actions else { return Ok(()) };
    if allowed.iter().any(|allowed| allowed == action) {
        return Ok(());
    }
    let may = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
    let message =
        format!("the account {:?} may not use the action {action}; it may use: {may}", account.name);
    Err(Status::new(Code::PermissionDenied, "ACTION_NOT_PERMITTED", message))
}

/// The same for the action of a task that exists already.
///
/// # Errors
/// As [`may_use`], and 404: there is no such task.
pub async fn may_use_task(context: &Context, call: &Call, task: TaskId) -> Result<(), Status> {
    if !matches!(&call.caller, Caller::Account(account) if account.actions.is_some()) {
        return Ok(());
    }
    let found = context.store.task_get(task).await.map_err(Failure::from)?;
    let found = found.ok_or_else(|| Status::not_found(format!("device task {task}")))?;
    let action = Action::decode(found.action.as_slice()).map_err(Status::internal)?;
    may_use(call, &action.name)
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{Access, Account};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_account_uses_what_it_may() {
        let table: [(Option<&[&str]>, &str, bool); 5] = [
            (None, "RunCommand", true),
            (Some(&["RunCommand"]), "RunCommand", true),
            (Some(&["OnDemandScan", "RunCommand"]), "RunCommand", true),
            (Some(&["OnDemandScan"]), "RunCommand", false),
            (Some(&[]), "RunCommand", false),
        ];
        for (allowed, action, expected) in table {
            let account = Account {
                uuid: Uuid::nil(),
                name: "robot".to_owned(),
                access: Access::Full,
                actions: allowed.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            };
            let caller = Caller::Account(account);
            let call =
                Call { request_id: Uuid::nil(), caller, peer: None, base: None, user_agent: String::new() };
            let judged = may_use(&call, action);
            assert_eq!(judged.is_ok(), expected, "{allowed:?}");
            if let Err(status) = judged {
                assert_eq!((status.http(), status.reason()), (403, "ACTION_NOT_PERMITTED"));
                assert!(status.message().contains("robot") && status.message().contains(action), "{status}");
            }
        }
    }
}
