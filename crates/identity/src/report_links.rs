//! Addresses of reports that are good without signing in, for some time.
//!
//! Reports are fetched by browsers and by programs that follow a link. The link itself is what entitles: which report in
//! which format, until when, and a signature over these. Whoever passes it on passes the right on, too.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{KeyRecord, ReportFormat, Store};
use uuid::Uuid;

use crate::Failure;

/// Name of the key in the store.
const KEY_NAME: &str = "report-links";

/// Where reports are, below the address of the server.
const PATH: &str = "/guardhouse/v1/agentless-reports/";

/// How long a link is good for.
pub const LIFETIME: Duration = Duration::from_secs(3_600);

/// Makes and checks links, by a key that is generated once and kept in the store.
#[derive(Debug, Clone)]
pub struct ReportLinks {
    key: hmac::Key,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    /// The task or the subtask.
    pub owner: Uuid,
    /// Which document.
    pub format: ReportFormat,
}

/// Why a link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It was not made by this server, or changed since.
    #[error("the link is not as this server made it: use it as a whole, with Expires and Signature")]
    Wrong,
    /// It was good until then.
    #[error("the link has expired: ask for the task again, whose row has a new one")]
    Expired,
}

impl ReportLinks {
    /// Loads the key, and makes it first if there is none. Processes that do so at once agree on one.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn load_or_create(store: &Store, environment: &Environment) -> Result<Self, Failure> {
        let candidate = KeyRecord { secret: environment.random::<32>().to_vec(), certificate: None };
        let kept = store.key_settle(KEY_NAME, candidate, environment.now()).await?;
        Ok(Self::new(&kept.secret))
    }

    /// Links that are signed with this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// A link that is good for [`LIFETIME`], for a client that reaches the server at `base`, as
    /// `https://guard.example.com:7443`.
    #[must_use]
    pub fn link(&self, base: &str, linked: Linked, now: Timestamp) -> String {
        let expires = now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX).as_second();
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.sign(linked, expires));
        format!("{base}{}?Expires={expires}&Signature={signature}", path(linked))
    }

    /// What the path of a link leads to; `None`: it is no such path.
    #[must_use]
    pub fn linked(path: &str) -> Option<Linked> {
        let (owner, format) = path.strip_prefix(PATH)?.rsplit_once('.')?;
        let format = [ReportFormat::Json, ReportFormat::Html].into_iter().find(|one| one.word() == format)?;
        Some(Linked { owner: Uuid::try_parse(owner).ok()?, format })
    }

    /// Whether a path is one below which reports are.
    #[must_use]
    pub fn is_path(path: &str) -> bool {
        path.starts_with(PATH)
    }

    /// Checks the query of a link.
    ///
    /// # Errors
    /// The link entitles to nothing, or not any more.
    pub fn check(&self, linked: Linked, query: &str, now: Timestamp) -> Result<(), LinkError> {
        let value = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
            values.next().filter(|_| values.next().is_none())
        };
        let expires: i64 = value("Expires").and_then(|text| text.parse().ok()).ok_or(LinkError::Wrong)?;
        let signature = value("Signature").and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
        let message = message(linked, expires);
        hmac::verify(&self.key, message.as_bytes(), &signature.ok_or(LinkError::Wrong)?)
            .map_err(|_| LinkError::Wrong)?;
        if now.as_second() < expires { Ok(()) } else { Err(LinkError::Expired) }
    }

    fn sign(&self, linked: Linked, expires: i64) -> hmac::Tag {
        hmac::sign(&self.key, message(linked, expires).as_bytes())
    }
}

fn path(linked: Linked) -> String {
    format!("{PATH}{}.{}", linked.owner.simple(), linked.format.word())
}

fn message(linked: Linked, expires: i64) -> String {
    format!("GET {} {expires}", path(linked))
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::{prelude::*, sample::Index};

    use super::*;
    use crate::fixture::Fixture;

    const BASE: &str = "https://guard.example.com:7443";

    fn linked(owner: u128, format: ReportFormat) -> Linked {
        Linked { owner: Uuid::from_u128(owner), format }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    /// Follows a link as a client does.
    fn follow(links: &ReportLinks, link: &str, now: i64) -> Result<Linked, LinkError> {
        let (path, query) =
            link.strip_prefix(BASE).expect("as the client reached it").split_once('?').expect("a query");
        let linked = ReportLinks::linked(path).expect("a path of a report");
        links.check(linked, query, at(now)).map(|()| linked)
    }

    #[test]
    fn a_link_is_good_for_an_hour_and_for_one_document() {
        let links = ReportLinks::new(&[1; 32]);
        for format in [ReportFormat::Json, ReportFormat::Html] {
            let link = links.link(BASE, linked(7, format), at(1_000));
            assert_eq!(follow(&links, &link, 1_000), Ok(linked(7, format)));
            assert_eq!(follow(&links, &link, 4_599), Ok(linked(7, format)));
            assert_eq!(follow(&links, &link, 4_600), Err(LinkError::Expired));
        }
        let link = links.link(BASE, linked(7, ReportFormat::Json), at(1_000));
        assert!(
            link.starts_with(&format!("{BASE}{PATH}00000000000000000000000000000007.json?Expires=4600&"))
        );
        for changed in [
            link.replace(".json", ".html"),
            link.replace("0007.", "0008."),
            link.replace("=4600", "=4601"),
            link.replace("&Signature=", "&Signature=A"),
            format!("{link}A"),
            format!("{link}&Expires=9999999"),
            link.replace("Signature", "signature"),
            link.replace("Expires", "expires"),
        ] {
            assert_eq!(follow(&links, &changed, 1_000), Err(LinkError::Wrong), "{changed}");
        }
        assert_eq!(
            follow(&ReportLinks::new(&[2; 32]), &link, 1_000),
            Err(LinkError::Wrong),
            "another server"
        );
    }

    #[test]
    fn only_paths_of_reports_lead_to_reports() {
        for path in
            ["", "/", "1.json", "0.json", "00000000000000000000000000000007.xml", "x.html", "a/b.json"]
        {
            assert_eq!(ReportLinks::linked(&format!("{PATH}{path}")), None, "{path}");
        }
        assert_eq!(ReportLinks::linked("/guardhouse/v1/agentless-tasks"), None);
        let hyphens = format!("{PATH}{}.html", Uuid::from_u128(7).hyphenated());
        assert_eq!(ReportLinks::linked(&hyphens), Some(linked(7, ReportFormat::Html)));
    }

    #[tokio::test]
    async fn all_processes_sign_with_one_key() {
        let fixture = Fixture::new();
        let load =
            async || ReportLinks::load_or_create(&fixture.store, &fixture.environment).await.expect("loads");
        let (one, other) = (load().await, load().await);
        let link = one.link(BASE, linked(7, ReportFormat::Html), at(0));
        assert_eq!(follow(&other, &link, 0), Ok(linked(7, ReportFormat::Html)));
    }

    /// Path and query of a link that another server made.
    fn of_another_server() -> String {
        ReportLinks::new(&[2; 32]).link("", linked(7, ReportFormat::Json), at(1_000))
    }

    #[test]
    fn seeds_lead_to_a_report() {
        let link = of_another_server();
        let (path, query) = link.split_once('?').expect("a query");
        let found = ReportLinks::linked(path).expect("a path of a report");
        ReportLinks::new(&[2; 32]).check(found, query, at(0)).expect("a link");
        keep("report_links", "json", link.as_bytes());
    }

    proptest! {
        #[test]
        fn no_other_link_entitles(changes in prop::collection::vec((any::<Index>(), any::<char>()), 0..6)) {
            let mut text: Vec<char> = of_another_server().chars().collect();
            for (place, letter) in changes {
                let place = place.index(text.len());
                text[place] = letter;
            }
            let text: String = text.into_iter().collect();
            let (path, query) = text.split_once('?').unwrap_or((&text, ""));
            if let Some(found) = ReportLinks::linked(path) {
                prop_assert_eq!(ReportLinks::new(&[1; 32]).check(found, query, at(0)), Err(LinkError::Wrong));
            }
        }
    }
}
