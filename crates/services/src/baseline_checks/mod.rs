//! Checks of the configuration as a public API has them: names, types and words are those of that API.

mod list_check_item_warning_machine;
mod list_check_item_warning_summary;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    agentless::{
        BaselineChecks, ListCheckItemWarningMachineRequest, ListCheckItemWarningMachineResponse,
        ListCheckItemWarningSummaryRequest, ListCheckItemWarningSummaryResponse,
    },
};

use crate::{Context, fields::Checks};

/// Implements the service `BaselineChecks`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl BaselineChecks for Service {
    async fn list_check_item_warning_summary(
        &self,
        _: &Call,
        request: ListCheckItemWarningSummaryRequest,
    ) -> Result<ListCheckItemWarningSummaryResponse, Status> {
        list_check_item_warning_summary::run(&self.0, request).await
    }

    async fn list_check_item_warning_machine(
        &self,
        _: &Call,
        request: ListCheckItemWarningMachineRequest,
    ) -> Result<ListCheckItemWarningMachineResponse, Status> {
        list_check_item_warning_machine::run(&self.0, request).await
    }
}

/// Checks `Source`. What is not looked for is refused, never answered with an empty list.
fn source(checks: &mut Checks, word: &str) {
    if word != "agentless" {
        let wrong = format!(
            "is {word:?}; it must be agentless: the configuration of hosts with an agent, which is meant by default and by \
             none, is not checked here"
        );
        checks.fail("Source", wrong);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scans_without_an_agent_check_the_configuration() {
        for (word, good) in [("agentless", true), ("default", false), ("", false), ("image", false)] {
            let mut checks = Checks::default();
            source(&mut checks, word);
            assert_eq!(checks.finish().is_ok(), good, "{word:?}");
        }
    }
}
