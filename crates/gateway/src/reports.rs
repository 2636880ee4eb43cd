//! Reports of scans, for whoever has a link to one.
//!
//! A report may be large: it is kept in parts, and leaves in parts, decompressed on the way, no faster than the client
//! reads.

mod stream;

use guardhouse_contract::{Code, Status};
use guardhouse_identity::{
    ReportLinks,
    report_links::{LinkError, Linked},
};
use guardhouse_model::Environment;
use guardhouse_store::{ReportFormat, Store};
use http::{HeaderName, HeaderValue, Method, Response, Uri, header};

use self::stream::Unpacked;
use crate::answer::{self, Body};

/// Nothing of a report is loaded, run or sent, and it is in no frame, whatever a name in an image tries.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; sandbox allow-popups";

/// The face of reports.
#[derive(Debug)]
pub struct Reports {
    environment: Environment,
    store: Store,
    links: ReportLinks,
}

impl Reports {
    /// Serves the reports in `store`.
    pub fn new(environment: Environment, store: Store, links: ReportLinks) -> Self {
        Self { environment, store, links }
    }

    /// Whether a path is one of this face.
    pub fn is_for(path: &str) -> bool {
        ReportLinks::is_path(path)
    }

    /// Answers a request with the report, or with an error as JSON.
    pub async fn serve(&self, verb: &Method, uri: &Uri) -> Response<Body> {
        if verb != Method::GET {
            return answer::verb_not_allowed("GET");
        }
        self.open(uri).await.unwrap_or_else(answer::error)
    }

    async fn open(&self, uri: &Uri) -> Result<Response<Body>, Status> {
        let linked = ReportLinks::linked(uri.path()).ok_or_else(|| refused(LinkError::Wrong))?;
        let now = self.environment.now();
        self.links.check(linked, uri.query().unwrap_or_default(), now).map_err(refused)?;
        let report = Unpacked::open(self.store.clone(), linked).await?.ok_or_else(gone)?;
        Ok(document(linked, report))
    }
}

fn document(linked: Linked, report: Unpacked) -> Response<Body> {
    let (media_type, disposition) = match linked.format {
        ReportFormat::Json => ("application/json; charset=utf-8", "attachment"),
        ReportFormat::Html => ("text/html; charset=utf-8", "inline"),
    };
    let name =
        format!("{disposition}; filename=\"report-{}.{}\"", linked.owner.simple(), linked.format.word());
    let length = report.length();
    let mut response = Response::new(Body::new(report.into_body()));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
    };
    set(header::CONTENT_TYPE, media_type);
    set(header::CONTENT_DISPOSITION, &name);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "private, no-store");
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

fn refused(error: LinkError) -> Status {
    let reason = match error {
        LinkError::Wrong => "LINK_INVALID",
        LinkError::Expired => "LINK_EXPIRED",
    };
    Status::new(Code::PermissionDenied, reason, error.to_string())
}

fn gone() -> Status {
    let message = "there is no such report any more: its asset was scanned again, it was deleted, or it was kept for \
                   as long as reports are";
    Status::new(Code::NotFound, "REPORT_NOT_FOUND", message)
}
