//! Where a request came from, as its connection tells.

use std::{net::IpAddr, sync::Arc};

use rustls::pki_types::CertificateDer;

/// Where a request came from, as its connection tells.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address of the other end.
    pub address: IpAddr,
    /// The client certificate that TLS verified, if one was presented.
    pub certificate: Option<Arc<CertificateDer<'static>>>,
}
