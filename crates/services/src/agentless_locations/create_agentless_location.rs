//! `POST /guardhouse/v1/agentless-locations`

use guardhouse_contract::{
    Status,
    scans::{
        self, AgentlessLocation, CreateAgentlessLocationRequest, CreateAgentlessLocationResponse, TargetType,
        address::Place,
    },
};
use guardhouse_identity::Failure;
use guardhouse_locations::{Address, Flaw, Folders};
use guardhouse_store::AgentlessLocation as Kept;
use prost::Message as _;

use super::render;
use crate::{Context, agentless_credentials, fields::Checks};

/// Registers a location. What lies there is found out by the next look.
pub async fn run(
    context: &Context,
    request: CreateAgentlessLocationRequest,
) -> Result<CreateAgentlessLocationResponse, Status> {
    let CreateAgentlessLocationRequest { location, credentials } = request;
    let asked = location.ok_or_else(|| Status::invalid_field("location", "is missing"))?;
    let AgentlessLocation { display_name, address, target_type, .. } = asked;
    let mut checks = Checks::default();
    checks.name("location.displayName", &display_name);
    let target_type = kind(&mut checks, target_type);
    let address = address.unwrap_or_default();
    check(&mut checks, &address, credentials.clone(), &context.folders);
    checks.finish()?;

    let id = context.environment.uuid();
    let credentials = credentials.filter(|credentials| credentials.kind.is_some());
    let sealed_credentials = credentials
        .map(|credentials| {
            agentless_credentials::seal(&context.sealing, id, &credentials, &context.environment)
        })
        .transpose()?;
    let location = Kept {
        id,
        name: display_name,
        address: address.encode_to_vec(),
        sealed_credentials,
        target_type,
        create_time: context.environment.now(),
        look_time: None,
        trouble: String::new(),
    };
    if !context.store.agentless_location_add(location.clone()).await.map_err(Failure::from)? {
        let name = location.name;
        let taken = format!("{name:?} is the name of another location; choose one that no other has");
        return Err(Status::invalid_field("location.displayName", taken));
    }
    Ok(CreateAgentlessLocationResponse { location: Some(render::location(location)?) })
}

/// What the assets of a location are.
fn kind(checks: &mut Checks, number: i32) -> i32 {
    match TargetType::try_from(number) {
        Ok(TargetType::Unspecified | TargetType::Image) => TargetType::Image as i32,
        Ok(TargetType::Snapshot) => TargetType::Snapshot as i32,
        _ => {
            let right = "what lies in a location is TARGET_TYPE_SNAPSHOT or TARGET_TYPE_IMAGE";
            checks.fail("location.targetType", right);
            number
        }
    }
}

/// Checks an address with what opens it; names the fields as clients spell them.
fn check(
    checks: &mut Checks,
    address: &scans::Address,
    credentials: Option<scans::Credentials>,
    folders: &Folders,
) {
    if let Some(Place::DeviceSnapshots(_)) = address.place {
        let there = "is there already: `guardhouse serve --device-snapshots` says where it is";
        checks.fail("location.address.deviceSnapshots", there);
        return;
    }
    let place = match &address.place {
        Some(Place::Folder(_)) => ".folder",
        Some(Place::OciLayout(_)) => ".ociLayout",
        Some(Place::ObjectStore(_)) => ".objectStore",
        Some(Place::DeviceSnapshots(_)) | None => "",
    };
    let field = |flaw: &Flaw| match flaw.field {
        "credentials" => "credentials".to_owned(),
        "" => "location.address".to_owned(),
        field => format!("location.address{place}.{field}"),
    };
    let flaws = match Address::read(address.clone(), credentials) {
        Ok(address) => address.check().and_then(|()| allowed(&address, folders)).err().unwrap_or_default(),
        Err(flaw) => vec![flaw],
    };
    for flaw in flaws {
        checks.fail(field(&flaw), flaw.sentence);
    }
}

/// Whether this server may read what lies there.
fn allowed(address: &Address, folders: &Folders) -> Result<(), Vec<Flaw>> {
    match address {
        Address::Folder { path } | Address::OciLayout { path } => {
            folders.check(path).map_err(|flaw| vec![flaw])
        }
        Address::ObjectStore(_) => Ok(()),
    }
}
