//! The certificate that the server shows.

use std::{fs, path::Path, sync::Arc};

use anyhow::Context as _;
use guardhouse_identity::Authority;
use guardhouse_link::tls;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::serve::ServeArgs;

/// TLS for the port, and the certificates by which agents know the server afterwards.
#[derive(Debug)]
pub struct Tls {
    /// The configuration of the port.
    pub config: Arc<ServerConfig>,
    /// DER. Empty when the certificate comes from outside: agents then keep what they were enrolled with.
    pub trust: Vec<Vec<u8>>,
}

/// Takes the certificate that the arguments name, or has the own authority issue one.
pub fn tls(args: &ServeArgs, authority: &Authority) -> anyhow::Result<Tls> {
    let own = authority.certificate_der().clone();
    let (chain, key, trust) = match (&args.tls_certificate, &args.tls_key) {
        (Some(certificate), Some(key)) => {
            let (chain, key) = read(certificate, key)?;
            (chain, key, Vec::new())
        }
        _ => {
            let issued = authority.server_certificate(&names(args))?;
            (issued.chain, issued.key, vec![own.to_vec()])
        }
    };
    Ok(Tls { config: tls::server_config(chain, key, own)?, trust })
}

fn read(
    certificate: &Path,
    key: &Path,
) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let open = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let chain = CertificateDer::pem_slice_iter(&open(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{} is not a PEM certificate chain", certificate.display()))?;
    anyhow::ensure!(!chain.is_empty(), "{} holds no certificate", certificate.display());
    let key = PrivateKeyDer::from_pem_slice(&open(key)?)
        .with_context(|| format!("{} holds no PEM private key", key.display()))?;
    Ok((chain, key))
}

/// Every name by which this server is likely to be reached.
fn names(args: &ServeArgs) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let mut add = |name: String| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    if !args.listen.ip().is_unspecified() {
        add(args.listen.ip().to_string());
    }
    // A machine without a proper host name is still served under the others.
    if let Ok(host) = fs::read_to_string("/proc/sys/kernel/hostname")
        && rustls::pki_types::DnsName::try_from(host.trim()).is_ok()
    {
        add(host.trim().to_owned());
    }
    args.tls_names.iter().cloned().for_each(add);
    names
}
