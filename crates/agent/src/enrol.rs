//! Enrolment: a host with a token becomes a device with a certificate; and the renewal of that certificate.

use std::{fmt::Write as _, path::Path, time::Duration};

use guardhouse_contract::link::{EnrolRequest, Inventory, RenewRequest, enrolment_client::EnrolmentClient};
use guardhouse_link::{
    EnrolmentToken,
    channel::{self, ConnectError},
    tls::{self, TlsError, Trust},
};
use guardhouse_model::DeviceId;
use http::Uri;
use rustls::pki_types::CertificateDer;
use tonic::{Code, transport::Channel};

use crate::{
    identity::{self, Identity, IdentityError},
    inventory,
    state::StateDir,
};

/// How long the server may take for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What an enrolment needs.
#[derive(Debug)]
pub struct Enrolment {
    /// Address of the server, `https://HOST:PORT`.
    pub server: Uri,
    /// The token.
    pub token: EnrolmentToken,
    /// Whom to trust; empty: the authority whose fingerprint the token carries.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The host name to report instead of the real one, now and later.
    pub host_name: Option<String>,
    /// What the host says of itself.
    pub inventory: Inventory,
    /// Give up an earlier enrolment.
    pub force: bool,
}

/// Why a host did not become a device, or a device got no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// It is a device already.
    #[error(
        "this state folder belongs to the enrolled device {0}; nothing to do. To give that identity up and enrol \
         as a new device, use --force"
    )]
    AlreadyEnrolled(String),
    /// The identity cannot be stored.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The earlier enrolment cannot be set aside.
    #[error("cannot set the earlier enrolment aside")]
    SetAside(#[source] std::io::Error),
    /// Nobody to trust.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server cannot be reached.
    #[error(
        "cannot enrol: the server is not reachable or is not the one that made the token. Check --server, the \
         token, and --ca if the server has a certificate of its own"
    )]
    Connect(#[from] ConnectError),
    /// The server refuses.
    #[error("the server refused: {0}")]
    Refused(String),
    /// The server does not answer.
    #[error("the server did not answer within {} seconds; try again", ANSWER_TIMEOUT.as_secs())]
    TimedOut,
    /// The server answers nonsense.
    #[error("the answer of the server carries no {0}; is it a Guardhouse server of this version?")]
    Answer(&'static str),
}

/// Enrols this host; answers its identity.
///
/// An attempt that was interrupted is simply made again: the key is stored before it is used, and the server
/// answers the same device for the same key.
///
/// # Errors
/// [`EnrolError`] says what to do.
pub async fn enrol(state: &StateDir, enrolment: Enrolment) -> Result<Identity, EnrolError> {
    let folder = state.identity();
    if identity::exists(&folder) {
        if !enrolment.force {
            let device =
                Identity::load(&folder).map_or("(unreadable)".to_owned(), |known| known.device.to_string());
            return Err(EnrolError::AlreadyEnrolled(device));
        }
        state.set_aside().map_err(EnrolError::SetAside)?;
    }
    let signing_request = identity::signing_request(&identity::key(&folder)?)?;

    let given = enrolment.authorities;
    let trust = match given.is_empty() {
        true => Trust::Pinned(enrolment.token.authority),
        false => Trust::Authorities(given.clone()),
    };
    let tls = tls::client_config(trust, None, &[tls::HTTP_2])?;
    let channel = channel::connect(&enrolment.server, tls).await?;
    let request = EnrolRequest {
        token: enrolment.token.to_string(),
        signing_request,
        inventory: Some(enrolment.inventory),
        machine: Some(inventory::machine(enrolment.host_name.as_deref())),
    };
    let (device, certificate, mut authorities) = redeem(&folder, channel, request).await?;
    authorities.extend(given.into_iter().filter(|given| !authorities.contains(given)).collect::<Vec<_>>());
    let host_name = enrolment.host_name;
    Ok(Identity::create(&folder, enrolment.server, device, host_name, certificate, authorities)?)
}

/// Enrols this machine with a new key, as its server asked of the device that it was, at the first of `servers` that
/// answers; stores the new identity beside the present one. [`StateDir::take_new_identity`] puts it in its place.
///
/// An attempt that was interrupted is made again when the server asks again, with the same key.
///
/// # Errors
/// [`EnrolError`]; the present identity stays in use.
pub async fn enrol_anew(
    state: &StateDir,
    present: &Identity,
    servers: Vec<Uri>,
    token: String,
) -> Result<DeviceId, EnrolError> {
    let folder = state.new_identity();
    let signing_request = identity::signing_request(&identity::key(&folder)?)?;
    let tls = tls::client_config(Trust::Authorities(present.authorities().to_vec()), None, &[tls::HTTP_2])?;
    let mut connected = Err(EnrolError::Answer("address"));
    for server in servers {
        connected = channel::connect(&server, tls.clone()).await.map_err(EnrolError::Connect);
        if connected.is_ok() {
            break;
        }
    }
    let request = EnrolRequest {
        token,
        signing_request,
        inventory: Some(inventory::read(present.host_name.as_deref())),
        machine: Some(inventory::machine(present.host_name.as_deref())),
    };
    let (device, certificate, mut authorities) = redeem(&folder, connected?, request).await?;
    let known = present.authorities().iter().filter(|known| !authorities.contains(known)).cloned();
    authorities.extend(known.collect::<Vec<_>>());
    let (server, host_name) = (present.server.clone(), present.host_name.clone());
    Identity::create(&folder, server, device, host_name, certificate, authorities)?;
    Ok(device)
}

/// Redeems an enrolment token: answers the device, its certificate and the authorities to trust. Stores the release key
/// of the server in the folder of the identity to be.
async fn redeem(
    folder: &Path,
    channel: Channel,
    request: EnrolRequest,
) -> Result<(DeviceId, CertificateDer<'static>, Vec<CertificateDer<'static>>), EnrolError> {
    let answer = answer(EnrolmentClient::new(channel).enrol(request)).await?;
    let device = answer.device_uuid.parse().map_err(|_| EnrolError::Answer("device uuid"))?;
    let (certificate, authorities) = certificates(answer.certificate, answer.authorities)?;
    identity::store_release_key(folder, &answer.release_key)?;
    Ok((device, certificate, authorities))
}

/// Fetches and stores the next certificate of a device, over its link.
///
/// # Errors
/// [`EnrolError`]; the present certificate stays in use.
pub async fn renew(identity: &mut Identity, channel: Channel) -> Result<(), EnrolError> {
    let request = RenewRequest { signing_request: identity.signing_request()? };
    let answer = answer(EnrolmentClient::new(channel).renew(request)).await?;
    identity.store_release_key(&answer.release_key)?;
    let (certificate, mut authorities) = certificates(answer.certificate, answer.authorities)?;
    // Authorities that an administrator gave (--ca) are not the server's to take away.
    authorities.extend(
        identity
            .authorities()
            .iter()
            .filter(|known| !authorities.contains(known))
            .cloned()
            .collect::<Vec<_>>(),
    );
    Ok(identity.renew(certificate, authorities)?)
}

fn certificates(
    certificate: Vec<u8>,
    authorities: Vec<Vec<u8>>,
) -> Result<(CertificateDer<'static>, Vec<CertificateDer<'static>>), EnrolError> {
    if certificate.is_empty() {
        return Err(EnrolError::Answer("certificate"));
    }
    if authorities.is_empty() {
        return Err(EnrolError::Answer("authorities"));
    }
    Ok((certificate.into(), authorities.into_iter().map(CertificateDer::from).collect()))
}

async fn answer<T>(
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T, EnrolError> {
    match tokio::time::timeout(ANSWER_TIMEOUT, call).await {
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        Ok(Err(status)) => Err(EnrolError::Refused(explain(&status))),
        Err(_) => Err(EnrolError::TimedOut),
    }
}

/// What the server says, and what to do about it.
fn explain(status: &tonic::Status) -> String {
    let mut text =
        if status.message().is_empty() { status.code().to_string() } else { status.message().to_owned() };
    let advice = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied | Code::NotFound => {
            "make a new token with \"guardhouse enrollment-token create\" on the server"
        }
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => "try again later",
        Code::Unimplemented => "is the address that of a Guardhouse server?",
        _ => return text,
    };
    let _ = write!(text, "; {advice}");
    text
}
