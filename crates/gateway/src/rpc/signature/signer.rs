//! Signs requests as clients do, written apart from what verifies them. For tests.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Names with their values.
pub type Pairs = Vec<(String, String)>;

/// Who signs.
#[derive(Debug, Clone)]
pub struct Signer {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

/// What is signed with a request besides its parameters.
#[derive(Debug, Clone)]
pub struct Said {
    pub action: String,
    pub version: String,
    pub time: String,
    pub nonce: String,
    pub host: String,
}

impl Signer {
    /// The headers of a request by signature V3.
    pub fn v3(&self, method: &str, said: &Said, query: &Pairs, body: &[u8]) -> Pairs {
        let mut headers = pairs(&[
            ("host", &said.host),
            ("user-agent", "test"),
            ("x-acs-action", &said.action),
            ("x-acs-content-sha256", &hex(digest(&SHA256, body).as_ref())),
            ("x-acs-date", &said.time),
            ("x-acs-signature-nonce", &said.nonce),
            ("x-acs-version", &said.version),
        ]);
        if let Some(token) = &self.token {
            headers.extend(pairs(&[("x-acs-accesskey-id", &self.id), ("x-acs-security-token", token)]));
        }
        headers.sort();
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let request = format!(
            "{method}\n/\n{}\n{lines}\n{names}\n{}",
            sorted(query),
            hex(digest(&SHA256, body).as_ref())
        );
        let text = format!("ACS3-HMAC-SHA256\n{}", hex(digest(&SHA256, request.as_bytes()).as_ref()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let signature = hex(hmac::sign(&key, text.as_bytes()).as_ref());
        let authorization =
            format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}", self.id);
        headers.push(("authorization".to_owned(), authorization));
        headers
    }

    /// The parameters of a request by signature V1, with those given.
    pub fn v1(&self, method: &str, said: &Said, parameters: &Pairs) -> Pairs {
        let mut all = parameters.clone();
        all.extend(pairs(&[
            ("Action", &said.action),
            ("Version", &said.version),
            ("Format", "JSON"),
            ("AccessKeyId", &self.id),
            ("Timestamp", &said.time),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureType", ""),
            ("SignatureNonce", &said.nonce),
        ]));
        all.extend(self.token.as_ref().map(|token| ("SecurityToken".to_owned(), token.clone())));
        let text = format!("{method}&%2F&{}", escape(&sorted(&all)));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, format!("{}&", self.secret).as_bytes());
        all.push(("Signature".to_owned(), STANDARD.encode(hmac::sign(&key, text.as_bytes()))));
        all
    }
}

/// Writes parameters as a query or a form.
pub fn written(pairs: &Pairs) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Owned names and values.
pub fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn sorted(pairs: &Pairs) -> String {
    let mut pairs = pairs.clone();
    pairs.sort();
    written(&pairs)
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
