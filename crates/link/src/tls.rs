//! Who trusts whom: the TLS configurations of both ends.

use std::sync::Arc;

use aws_lc_rs::digest;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    ServerConfig, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider,
        aws_lc_rs::{cipher_suite::TLS13_AES_128_GCM_SHA256, default_provider},
        verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier},
};

/// HTTP/2 in ALPN; what the link speaks.
pub const HTTP_2: &[u8] = b"h2";
/// HTTP/1.1 in ALPN.
pub const HTTP_1_1: &[u8] = b"http/1.1";

/// Why a TLS configuration could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key does not fit.
    #[error("the certificates do not make a TLS configuration: {0}")]
    Material(#[from] Error),
    /// The authority of the clients does not fit.
    #[error("the device authority does not verify client certificates: {0}")]
    DeviceAuthority(#[from] VerifierBuilderError),
    /// Nobody to trust.
    #[error("no certificate authority is given; the server could not be verified")]
    NoAuthority,
}

/// Whom a client trusts.
#[derive(Debug, Clone)]
pub enum Trust {
    /// A server whose certificate one of these authorities signed.
    Authorities(Vec<CertificateDer<'static>>),
    /// A server that presents a certificate with this SHA-256 in its chain and whose own certificate is signed
    /// by that one, directly or through the rest of the chain. This is the trust of a host that holds an
    /// enrolment token and nothing else.
    Pinned([u8; 32]),
}

/// SHA-256 of a certificate (DER), as an enrolment token carries it.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, certificate).as_ref());
    bytes
}

/// The configuration of the one port.
///
/// A client certificate is asked for, not demanded: administrators and unenrolled hosts have none. One that is
/// presented must be signed by `device_authority`, otherwise the handshake fails. `chain` begins with the
/// server's own certificate and should end with its authority, which pinning clients look for.
///
/// # Errors
/// The key does not belong to the chain, or the authority is not a certificate.
pub fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    device_authority: CertificateDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let devices =
        WebPkiClientVerifier::builder_with_provider(roots([device_authority])?, Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(devices)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()];
    // No session is resumed: every handshake judges the certificate of the device, its dates too. Agents keep their
    // connections and come back when the server has been started again and would have forgotten their sessions.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// The configuration of a client; `identity` is its certificate chain and key, where it has one.
///
/// # Errors
/// There is no authority to trust, an authority is not a certificate, or the key does not belong to the chain.
pub fn client_config(
    trust: Trust,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    alpn: &[&[u8]],
) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match trust {
        Trust::Authorities(authorities) if authorities.is_empty() => return Err(TlsError::NoAuthority),
        Trust::Authorities(authorities) => builder.with_root_certificates(roots(authorities)?),
        Trust::Pinned(fingerprint) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PinnedVerifier { fingerprint, provider })),
    };
    let mut config = match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

/// The algorithms of both ends, with the suite that every peer has first: processors have instructions for SHA-256
/// and not for SHA-384, and ten thousand agents that come back at once mean ten thousand handshakes.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = default_provider();
    // Stable: the others keep their order.
    provider.cipher_suites.sort_by_key(|suite| *suite != TLS13_AES_128_GCM_SHA256);
    Arc::new(provider)
}

fn roots(
    authorities: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority)?;
    }
    Ok(Arc::new(roots))
}

/// Finds the pinned certificate in the presented chain and lets the ordinary verifier judge with it as the only
/// root: names, dates and signatures are checked as always.
#[derive(Debug)]
struct PinnedVerifier {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pinned = std::iter::once(end_entity)
            .chain(intermediates)
            .find(|certificate| fingerprint(certificate) == self.fingerprint)
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        WebPkiServerVerifier::builder_with_provider(
            roots([pinned.clone().into_owned()])?,
            Arc::clone(&self.provider),
        )
        .build()
        .map_err(|error| Error::General(error.to_string()))?
        .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, HandshakeKind};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;
    use crate::test_certificates::Authority;

    /// What each side knows after a handshake.
    struct Handshake {
        client: Result<(), Error>,
        server: Result<Option<Vec<CertificateDer<'static>>>, Error>,
    }

    async fn handshake(server: Arc<ServerConfig>, client: Arc<ClientConfig>, name: &str) -> Handshake {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let name = ServerName::try_from(name.to_owned()).expect("a server name");
        let accept = async {
            let mut stream = TlsAcceptor::from(server).accept(far).await.map_err(rustls_error)?;
            // TLS 1.3 lets a client finish before the server judged its certificate; a byte settles it.
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"!").await.expect("write");
            Ok(stream.get_ref().1.peer_certificates().map(<[_]>::to_vec))
        };
        let connect = async {
            let mut stream = TlsConnector::from(client).connect(name, near).await.map_err(rustls_error)?;
            tokio::io::AsyncReadExt::read_u8(&mut stream).await.map_err(rustls_error)?;
            Ok(())
        };
        let (server, client) = tokio::join!(accept, connect);
        Handshake { client, server }
    }

    fn rustls_error(error: std::io::Error) -> Error {
        error.downcast::<Error>().unwrap_or_else(|error| Error::General(error.to_string()))
    }

    fn server(servers: &Authority, devices: &Authority) -> Arc<ServerConfig> {
        let (chain, key) = servers.issue("guardhouse.test");
        server_config(chain, key, devices.certificate()).expect("a server configuration")
    }

    fn client(trust: Trust) -> Arc<ClientConfig> {
        client_config(trust, None, &[HTTP_2]).expect("a client configuration")
    }

    #[tokio::test]
    async fn the_right_pin_is_accepted_without_a_client_certificate() {
        let authority = Authority::new("right");
        let trust = Trust::Pinned(fingerprint(&authority.certificate()));
        let done = handshake(server(&authority, &authority), client(trust), "guardhouse.test").await;
        assert_eq!(done.client, Ok(()));
        assert_eq!(done.server, Ok(None));
    }

    #[tokio::test]
    async fn a_wrong_pin_is_refused() {
        let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
        let trust = Trust::Pinned(fingerprint(&wrong.certificate()));
        let done = handshake(server(&right, &right), client(trust), "guardhouse.test").await;
        assert_eq!(done.client, Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    }

    #[tokio::test]
    async fn a_pinned_certificate_that_signed_nothing_is_refused() {
        // A stranger copies the public certificate of the right authority into the chain of its own.
        let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
        let (mut chain, key) = wrong.issue("guardhouse.test");
        chain.push(right.certificate());
        let stranger = server_config(chain, key, right.certificate()).expect("a server configuration");
        let trust = Trust::Pinned(fingerprint(&right.certificate()));
        let done = handshake(stranger, client(trust), "guardhouse.test").await;
        assert!(matches!(done.client, Err(Error::InvalidCertificate(_))), "{:?}", done.client);
    }

    #[tokio::test]
    async fn a_wrong_name_is_refused() {
        let authority = Authority::new("right");
        let trusts = [
            Trust::Pinned(fingerprint(&authority.certificate())),
            Trust::Authorities(vec![authority.certificate()]),
        ];
        for trust in trusts {
            let done = handshake(server(&authority, &authority), client(trust), "other.test").await;
            let Err(Error::InvalidCertificate(error)) = done.client else { panic!("{:?}", done.client) };
            assert!(matches!(error, CertificateError::NotValidForNameContext { .. }), "{error:?}");
        }
    }

    #[tokio::test]
    async fn the_server_sees_the_certificate_of_a_device() {
        let (servers, devices) = (Authority::new("servers"), Authority::new("devices"));
        let (chain, key) = devices.issue("device.test");
        let trust = Trust::Authorities(vec![servers.certificate()]);
        let client =
            client_config(trust, Some((chain[..1].to_vec(), key)), &[HTTP_2]).expect("configuration");
        let done = handshake(server(&servers, &devices), client, "guardhouse.test").await;
        assert_eq!(done.client, Ok(()));
        assert_eq!(done.server, Ok(Some(chain[..1].to_vec())));
    }

    #[tokio::test]
    async fn every_handshake_is_a_full_one_with_the_preferred_suite() {
        let authority = Authority::new("right");
        let (server, client) =
            (server(&authority, &authority), client(Trust::Authorities(vec![authority.certificate()])));
        let name = ServerName::try_from("guardhouse.test").expect("a server name");
        for _ in 0..2 {
            let (near, far) = tokio::io::duplex(64 * 1024);
            let accept = async {
                let mut stream = TlsAcceptor::from(Arc::clone(&server)).accept(far).await.expect("accepts");
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"!").await.expect("write");
                let session = stream.get_ref().1;
                (session.handshake_kind(), session.negotiated_cipher_suite())
            };
            let connect = async {
                let connector = TlsConnector::from(Arc::clone(&client));
                let mut stream = connector.connect(name.clone(), near).await.expect("connects");
                tokio::io::AsyncReadExt::read_u8(&mut stream).await.expect("a byte");
            };
            let (found, ()) = tokio::join!(accept, connect);
            assert_eq!(found, (Some(HandshakeKind::Full), Some(TLS13_AES_128_GCM_SHA256)));
        }
    }

    #[tokio::test]
    async fn a_foreign_client_certificate_is_refused() {
        let (servers, devices) = (Authority::new("servers"), Authority::new("devices"));
        let foreign = servers.issue("device.test");
        let trust = Trust::Authorities(vec![servers.certificate()]);
        let client = client_config(trust, Some(foreign), &[HTTP_2]).expect("configuration");
        let done = handshake(server(&servers, &devices), client, "guardhouse.test").await;
        assert_eq!(done.server, Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
        assert!(
            matches!(done.client, Err(Error::AlertReceived(AlertDescription::UnknownCA))),
            "{:?}",
            done.client
        );
    }

    #[test]
    fn nobody_to_trust_is_an_error() {
        let error = client_config(Trust::Authorities(Vec::new()), None, &[]).expect_err("no authority");
        assert!(matches!(error, TlsError::NoAuthority));
    }
}
