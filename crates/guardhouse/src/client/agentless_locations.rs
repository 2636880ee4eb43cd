//! Locations of scans without an agent. Lists are read to their end, page by page.

use guardhouse_contract::scans::{
    CreateAgentlessLocationRequest, CreateAgentlessLocationResponse, DeleteAgentlessLocationRequest,
    DeleteAgentlessLocationResponse, GetAgentlessLocationRequest, GetAgentlessLocationResponse,
    ListAgentlessAssetsRequest, ListAgentlessAssetsResponse, ListAgentlessLocationsRequest,
    ListAgentlessLocationsResponse, LookAtAgentlessLocationRequest, LookAtAgentlessLocationResponse,
};

use crate::client::{Client, api::PAGE, resolve};

impl Client {
    /// Registers a location.
    pub async fn create_agentless_location(
        &self,
        request: &CreateAgentlessLocationRequest,
    ) -> anyhow::Result<CreateAgentlessLocationResponse> {
        self.call("guardhouse.agentless.v1.AgentlessLocations.CreateAgentlessLocation", request).await
    }

    /// Every location.
    pub async fn list_agentless_locations(&self) -> anyhow::Result<ListAgentlessLocationsResponse> {
        let mut all = ListAgentlessLocationsResponse::default();
        let mut request = ListAgentlessLocationsRequest { page_size: PAGE, ..Default::default() };
        loop {
            let page: ListAgentlessLocationsResponse = self
                .call("guardhouse.agentless.v1.AgentlessLocations.ListAgentlessLocations", &request)
                .await?;
            all.locations.extend(page.locations);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// One location.
    pub async fn get_agentless_location(
        &self,
        request: &GetAgentlessLocationRequest,
    ) -> anyhow::Result<GetAgentlessLocationResponse> {
        self.call("guardhouse.agentless.v1.AgentlessLocations.GetAgentlessLocation", request).await
    }

    /// Forgets a location.
    pub async fn delete_agentless_location(
        &self,
        request: &DeleteAgentlessLocationRequest,
    ) -> anyhow::Result<DeleteAgentlessLocationResponse> {
        self.call("guardhouse.agentless.v1.AgentlessLocations.DeleteAgentlessLocation", request).await
    }

    /// Looks at a location now.
    pub async fn look_at_agentless_location(
        &self,
        request: &LookAtAgentlessLocationRequest,
    ) -> anyhow::Result<LookAtAgentlessLocationResponse> {
        self.call("guardhouse.agentless.v1.AgentlessLocations.LookAtAgentlessLocation", request).await
    }

    /// Every asset that passes the filters.
    pub async fn list_agentless_assets(
        &self,
        filter: ListAgentlessAssetsRequest,
    ) -> anyhow::Result<ListAgentlessAssetsResponse> {
        let mut all = ListAgentlessAssetsResponse::default();
        let mut request = ListAgentlessAssetsRequest { page_size: PAGE, ..filter };
        loop {
            let page: ListAgentlessAssetsResponse =
                self.call("guardhouse.agentless.v1.AgentlessLocations.ListAgentlessAssets", &request).await?;
            all.assets.extend(page.assets);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The uuid of a location, which is named by it or by its name.
    ///
    /// # Errors
    /// A name that no location has.
    pub async fn resolve_agentless_location(&self, text: &str) -> anyhow::Result<String> {
        if let Some(uuid) = resolve::as_uuid(text) {
            return Ok(uuid);
        }
        let locations = self.list_agentless_locations().await?.locations;
        let known: Vec<_> =
            locations.into_iter().map(|location| (location.display_name, location.uuid)).collect();
        resolve::pick(("location", "locations"), text, &known)
    }
}
