//! Where a location is, and what opens it.

use std::{fmt, path::PathBuf};

use reqwest::Url;

/// Where a location is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A folder of this machine, with its sub-folders: each disk image, each archive, and each image of a layout in it.
    Folder {
        /// Absolute.
        path: PathBuf,
    },
    /// A folder that is a layout of the Open Container Initiative: each image that its index names.
    OciLayout {
        /// Absolute.
        path: PathBuf,
    },
    /// A store of objects: each that is called like a disk image or an archive.
    ObjectStore(ObjectStore),
}

/// A store of objects that is reached over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectStore {
    /// `s3://BUCKET/PREFIX`, or `https://HOST/PATH` for WebDAV.
    pub url: String,
    /// Of S3: where the store is; empty: Amazon's.
    pub endpoint: String,
    /// Of S3: its region; empty: `us-east-1`.
    pub region: String,
    /// Certificate authorities, PEM, of which the certificate of the store is; empty: those that this machine trusts.
    pub authorities: String,
    /// What opens it; `None`: it is open to everybody.
    pub credentials: Option<Credentials>,
}

/// What opens a store.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Of S3.
    AccessKey {
        /// The id of the key.
        id: String,
        /// The key.
        secret: String,
        /// Of a temporary key; empty: it is none.
        session_token: String,
    },
    /// Of WebDAV: sent with every request.
    Password {
        /// Whose.
        user: String,
        /// The password.
        password: String,
    },
    /// Of WebDAV: sent with every request (`Authorization: Bearer`).
    Token(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessKey { .. } => "AccessKey(…)",
            Self::Password { .. } => "Password(…)",
            Self::Token(_) => "Token(…)",
        })
    }
}

/// Why an address is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Of the address: `path`, `url`, `endpoint`, `region`, `authorities`, `credentials`.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub sentence: String,
}

impl Flaw {
    pub(crate) fn new(field: &'static str, sentence: impl Into<String>) -> Self {
        Self { field, sentence: sentence.into() }
    }
}

/// The longest path or address, in bytes.
const LONGEST: usize = 1024;

/// The longest bundle of certificate authorities, in bytes.
const LONGEST_AUTHORITIES: usize = 256 << 10;

impl Address {
    /// Whether it could be one. Looks at nothing.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(&self) -> Result<(), Vec<Flaw>> {
        let mut flaws = Vec::new();
        match self {
            Self::Folder { path } | Self::OciLayout { path } => {
                let text = path.to_str().unwrap_or_default();
                if !path.is_absolute() || text.len() > LONGEST || text.contains('\0') {
                    let right =
                        format!("an absolute path of at most {LONGEST} bytes, as /srv/images, is right");
                    flaws.push(Flaw::new("path", right));
                }
            }
            Self::ObjectStore(store) => store.check(&mut flaws),
        }
        if flaws.is_empty() { Ok(()) } else { Err(flaws) }
    }
}

impl ObjectStore {
    fn check(&self, flaws: &mut Vec<Flaw>) {
        let texts = [("url", &self.url), ("endpoint", &self.endpoint), ("region", &self.region)];
        for (field, text) in texts {
            if text.len() > LONGEST || text.contains(char::is_control) {
                flaws.push(Flaw::new(
                    field,
                    format!("at most {LONGEST} bytes without control characters are right"),
                ));
            }
        }
        if self.authorities.len() > LONGEST_AUTHORITIES {
            flaws.push(Flaw::new("authorities", format!("at most {LONGEST_AUTHORITIES} bytes are right")));
        } else if let Err(sentence) = self.certificates() {
            flaws.push(Flaw::new("authorities", sentence));
        }
        let is_s3 = match self.place() {
            Ok(Place::S3 { .. }) => true,
            Ok(Place::WebDav { .. }) => false,
            Err(flaw) => {
                flaws.push(flaw);
                return;
            }
        };
        let only_s3 = "only a store that speaks the protocol of S3 (s3://BUCKET/PREFIX) has one";
        for (field, text) in texts.into_iter().skip(1).filter(|(_, text)| !is_s3 && !text.is_empty()) {
            flaws.push(Flaw::new(field, format!("{text:?}: {only_s3}")));
        }
        match &self.credentials {
            Some(Credentials::AccessKey { .. }) if !is_s3 => {
                flaws.push(Flaw::new("credentials", "WebDAV wants a user and a password, or a token"));
            }
            Some(Credentials::Password { .. } | Credentials::Token(_)) if is_s3 => {
                flaws.push(Flaw::new("credentials", "S3 wants the id of an access key and its secret"));
            }
            Some(Credentials::AccessKey { id, secret, .. }) if id.is_empty() || secret.is_empty() => {
                flaws.push(Flaw::new(
                    "credentials",
                    "the id of the access key and its secret both have to be there",
                ));
            }
            Some(Credentials::Password { user, .. }) if user.is_empty() || user.contains(':') => {
                flaws.push(Flaw::new("credentials", "a user without a colon has to be there"));
            }
            _ => {}
        }
        let texts: [&str; 3] = match &self.credentials {
            Some(Credentials::AccessKey { id, secret, session_token }) => [id, secret, session_token],
            Some(Credentials::Password { user, password }) => [user, password, ""],
            Some(Credentials::Token(token)) => [token, "", ""],
            None => [""; 3],
        };
        if texts.iter().any(|text| text.len() > 4096 || text.contains(char::is_control)) {
            flaws.push(Flaw::new(
                "credentials",
                "at most 4096 bytes each, without control characters, are right",
            ));
        }
    }

    /// The certificate authorities.
    pub(crate) fn certificates(&self) -> Result<Vec<reqwest::Certificate>, String> {
        if self.authorities.is_empty() {
            return Ok(Vec::new());
        }
        match reqwest::Certificate::from_pem_bundle(self.authorities.as_bytes()) {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err("there is no certificate in it; PEM (-----BEGIN CERTIFICATE-----) is right".to_owned()),
        }
    }

    /// The address, taken apart.
    pub(crate) fn place(&self) -> Result<Place, Flaw> {
        const RIGHT: &str = "s3://BUCKET/PREFIX or https://HOST/PATH is right";
        let url: Url = self
            .url
            .parse()
            .map_err(|error| Flaw::new("url", format!("{:?} is no address ({error}); {RIGHT}", self.url)))?;
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(Flaw::new(
                "url",
                "an address without user, password, ? and # is right; credentials stand apart",
            ));
        }
        let path = decoded(&url)?;
        match url.scheme() {
            "s3" => {
                let bucket = url.host_str().filter(|bucket| is_bucket(bucket) && url.port().is_none());
                let bucket = bucket.ok_or_else(|| {
                    let name = url.host_str().unwrap_or_default();
                    Flaw::new("url", format!("{name:?} is no name of a bucket; s3://BUCKET/PREFIX is right"))
                })?;
                let endpoint = match self.endpoint.as_str() {
                    "" => None,
                    endpoint => Some(self.endpoint(endpoint)?),
                };
                Ok(Place::S3 { bucket: bucket.to_owned(), prefix: path, endpoint })
            }
            "https" | "http" => {
                check_scheme(&url, "url")?;
                let mut origin = url;
                origin.set_path("/");
                Ok(Place::WebDav { origin, path })
            }
            _ => Err(Flaw::new("url", format!("{:?} is not known; {RIGHT}", url.scheme()))),
        }
    }

    fn endpoint(&self, text: &str) -> Result<Url, Flaw> {
        const RIGHT: &str = "https://HOST:PORT is right";
        let url: Url = text
            .parse()
            .map_err(|error| Flaw::new("endpoint", format!("{text:?} is no address ({error}); {RIGHT}")))?;
        let is_bare = url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() || !is_bare {
            return Err(Flaw::new("endpoint", format!("{text:?}: {RIGHT}")));
        }
        check_scheme(&url, "endpoint")?;
        Ok(url)
    }
}

/// An address of a store, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    S3 {
        bucket: String,
        /// Without `/` at its ends.
        prefix: String,
        endpoint: Option<Url>,
    },
    WebDav {
        /// Scheme, host and port.
        origin: Url,
        /// Without `/` at its ends, as it is and not as addresses write it.
        path: String,
    },
}

/// The path of an address as it is, without `/` at its ends.
fn decoded(url: &Url) -> Result<String, Flaw> {
    let bytes = percent_decoded(url.path().trim_matches('/'));
    let path = String::from_utf8(bytes).map_err(|_| Flaw::new("url", "its path is not UTF-8"))?;
    let is_sound = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_control);
    match path.is_empty() || path.split('/').all(is_sound) {
        true => Ok(path),
        false => Err(Flaw::new("url", "its path has an empty part, or one of dots")),
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

/// The rules of Amazon, a little wider: others take underscores and capitals.
fn is_bucket(name: &str) -> bool {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=255).contains(&name.len()) && name.bytes().all(is_sound) && !name.contains("..")
}

/// Images are what whole systems are: on the way to another machine they are encrypted, and so is what opens them.
fn check_scheme(url: &Url, field: &'static str) -> Result<(), Flaw> {
    match is_plain(url) && !is_loopback(url) {
        true => Err(Flaw::new(field, "http:// is for servers on this machine only; https:// is right")),
        false => Ok(()),
    }
}

/// Whether it is not encrypted.
pub(crate) fn is_plain(url: &Url) -> bool {
    url.scheme() == "http"
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
