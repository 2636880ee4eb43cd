//! `guardhouse agentless location`

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use guardhouse_contract::scans::{
    AccessKey, Address, AgentlessLocation, CreateAgentlessLocationRequest, CreateAgentlessLocationResponse,
    Credentials, DeleteAgentlessLocationRequest, Folder, GetAgentlessLocationRequest,
    LookAtAgentlessLocationRequest, ObjectStore, OciLayout, Password, TargetType, address::Place,
    credentials::Kind,
};

use super::asset::AssetType;
use crate::{
    client::{Client, without_line_end},
    output::{OutputFormat, agentless_locations, printable},
};

/// Say where disks and images lie. A location is named by its uuid or by its name.
#[derive(Debug, Subcommand)]
pub enum LocationCommand {
    /// Register a location, and look at it. Servers and workers must reach it under the same address.
    Add(Box<AddArgs>),
    /// List the locations.
    List,
    /// Show one location.
    Show {
        /// The location, by uuid or by name.
        location: String,
    },
    /// Look at a location now, and not in ten minutes.
    Look {
        /// The location, by uuid or by name.
        location: String,
    },
    /// Forget a location and its assets. What lies there stays, and so do results until they expire.
    Remove {
        /// The location, by uuid or by name.
        location: String,
    },
}

/// A location to register.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its name.
    name: String,

    #[command(flatten)]
    place: PlaceArgs,

    /// What its assets are.
    #[arg(long = "type", value_enum, value_name = "TYPE", default_value = "image")]
    target_type: AssetType,

    /// Of S3: the address of the store, with scheme and port; Amazon's when left out.
    #[arg(long, value_name = "URL", conflicts_with_all = ["folder", "oci_layout"])]
    endpoint: Option<String>,

    /// Of S3: its region.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["folder", "oci_layout"])]
    region: Option<String>,

    /// Certificate authorities, PEM, that the store is trusted by, instead of those of the server.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folder", "oci_layout"])]
    store_ca: Option<PathBuf>,

    #[command(flatten)]
    credentials: CredentialArgs,
}

/// Where it is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PlaceArgs {
    /// A folder with disk images, archives and container images, as an absolute path.
    #[arg(long, value_name = "PATH")]
    folder: Option<String>,

    /// A folder that is an OCI layout, as an absolute path.
    #[arg(long, value_name = "PATH")]
    oci_layout: Option<String>,

    /// A store of objects: s3://BUCKET/PREFIX, or https://HOST/PATH for WebDAV.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// What opens it.
#[derive(Debug, Args)]
struct CredentialArgs {
    /// Of S3: the id of an access key, whose secret is in --secret-file.
    #[arg(long, value_name = "ID", requires = "secret_file", conflicts_with_all = ["store_user", "bearer"])]
    access_key_id: Option<String>,

    /// Of S3: file with the session token of a temporary key.
    #[arg(long, value_name = "FILE", requires = "access_key_id")]
    session_token_file: Option<PathBuf>,

    /// Of WebDAV: a user, whose password is in --secret-file.
    #[arg(long, value_name = "USER", requires = "secret_file", conflicts_with = "bearer")]
    store_user: Option<String>,

    /// Of WebDAV: the token in --secret-file is sent with every request.
    #[arg(long, requires = "secret_file")]
    bearer: bool,

    /// File with the secret of the access key, the password or the token.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folder", "oci_layout"])]
    secret_file: Option<PathBuf>,
}

impl LocationCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached, or a name is not that of one location.
    pub async fn run(self, client: &Client, output: OutputFormat) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add(args) => add(client, &args, output).await?,
            Self::List => {
                let answer = client.list_agentless_locations().await?;
                output.show(&answer, |answer| agentless_locations::locations(&answer.locations))?;
            }
            Self::Show { location } => {
                let location_uuid = client.resolve_agentless_location(&location).await?;
                let answer =
                    client.get_agentless_location(&GetAgentlessLocationRequest { location_uuid }).await?;
                output.show(&answer, |answer| agentless_locations::location(answer.location.as_ref()))?;
            }
            Self::Look { location } => return look(client, &location, output).await,
            Self::Remove { location } => {
                let location_uuid = client.resolve_agentless_location(&location).await?;
                let request = DeleteAgentlessLocationRequest { location_uuid };
                output.show(&client.delete_agentless_location(&request).await?, |_| String::new())?;
                eprintln!("removed {location:?}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Registers a location, and shows what lies there. One that cannot be read is registered all the same, as it may come:
/// then it is said what stands in the way.
async fn add(client: &Client, args: &AddArgs, output: OutputFormat) -> anyhow::Result<()> {
    let location = client.create_agentless_location(&args.request()?).await?.location.unwrap_or_default();
    let name = location.display_name.clone();
    let request = LookAtAgentlessLocationRequest { location_uuid: location.uuid.clone() };
    let answer = match client.look_at_agentless_location(&request).await {
        Ok(answer) => answer,
        Err(error) => {
            let answer = CreateAgentlessLocationResponse { location: Some(location) };
            output.show(&answer, |answer| agentless_locations::location(answer.location.as_ref()))?;
            eprintln!(
                "{name:?} is registered. What lies there is not known yet: {}",
                printable(&format!("{error:#}"))
            );
            return Ok(());
        }
    };
    output.show(&answer, agentless_locations::look)?;
    if answer.location.is_some_and(|location| !location.trouble.is_empty()) {
        eprintln!(
            "{name:?} is registered, but cannot be read; it is looked at every ten minutes, and by guardhouse agentless \
             location look"
        );
    } else if answer.asset_count == 0 {
        eprintln!("{name:?} is registered, and nothing in it can be scanned yet");
    }
    Ok(())
}

/// Looks at a location. One that cannot be read makes the command fail, after it was shown.
async fn look(client: &Client, location: &str, output: OutputFormat) -> anyhow::Result<ExitCode> {
    let location_uuid = client.resolve_agentless_location(location).await?;
    let answer = client.look_at_agentless_location(&LookAtAgentlessLocationRequest { location_uuid }).await?;
    output.show(&answer, agentless_locations::look)?;
    let is_sound = answer.location.is_some_and(|location| location.trouble.is_empty());
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl AddArgs {
    fn request(&self) -> anyhow::Result<CreateAgentlessLocationRequest> {
        let PlaceArgs { folder, oci_layout, url } = &self.place;
        let place = match (folder, oci_layout, url) {
            (Some(path), _, _) => Place::Folder(Folder { path: path.clone() }),
            (_, Some(path), _) => Place::OciLayout(OciLayout { path: path.clone() }),
            (_, _, url) => Place::ObjectStore(ObjectStore {
                url: url.clone().unwrap_or_default(),
                endpoint: self.endpoint.clone().unwrap_or_default(),
                region: self.region.clone().unwrap_or_default(),
                authorities: self.store_ca.as_deref().map(text).transpose()?.unwrap_or_default(),
            }),
        };
        let target_type: TargetType = self.target_type.of_contract();
        let location = AgentlessLocation {
            display_name: self.name.clone(),
            address: Some(Address { place: Some(place) }),
            target_type: target_type.into(),
            ..Default::default()
        };
        let credentials = self.credentials.message()?;
        Ok(CreateAgentlessLocationRequest { location: Some(location), credentials })
    }
}

impl CredentialArgs {
    fn message(&self) -> anyhow::Result<Option<Credentials>> {
        let Some(file) = &self.secret_file else { return Ok(None) };
        let secret = secret(file)?;
        let kind = match (&self.access_key_id, &self.store_user) {
            (Some(id), _) => Kind::AccessKey(AccessKey {
                access_key_id: id.clone(),
                secret_access_key: secret,
                session_token: self
                    .session_token_file
                    .as_deref()
                    .map(self::secret)
                    .transpose()?
                    .unwrap_or_default(),
            }),
            (None, Some(user)) => Kind::Password(Password { user: user.clone(), password: secret }),
            (None, None) if self.bearer => Kind::Token(secret),
            (None, None) => {
                anyhow::bail!(
                    "--secret-file needs --access-key-id, --store-user or --bearer to say what it holds"
                )
            }
        };
        Ok(Some(Credentials { kind: Some(kind) }))
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn secret(path: &Path) -> anyhow::Result<String> {
    Ok(without_line_end(&text(path)?).to_owned())
}
