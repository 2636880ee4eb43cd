//! For the fuzz target `listings`, and the property that does the same within bounds.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use ::object_store::{
    self, ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    },
};
use async_trait::async_trait;
use http::StatusCode;
use tokio::runtime::{Builder, Runtime};

use super::{Remote, list::look};
use crate::{Listing, ObjectStore, Trouble, limits, name};

/// What ends an answer.
const MARK: &[u8] = b"%%%";

/// Stores of each kind, with a prefix and without.
const STORES: [&str; 4] = ["s3://bucket", "s3://bucket/a", "https://host", "https://host/a"];

thread_local!(static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().expect("a runtime"));

/// Takes bytes for what a store answers when it is asked what lies in it, one answer behind the other, and lists that.
///
/// # Panics
/// Something is listed that is no name, or more than a listing has.
pub fn listing(bytes: &[u8]) {
    for store in STORES {
        let Ok(listing) = listed(store, bytes) else { continue };
        assert!(listing.found.len() <= limits::ASSETS && listing.left_out.len() <= limits::LEFT_OUT);
        for found in listing.found {
            name::parts(&found.name).expect("it leads nowhere else");
        }
    }
}

fn listed(url: &str, bytes: &[u8]) -> Result<Listing, Trouble> {
    let store = ObjectStore { url: url.to_owned(), ..ObjectStore::default() };
    let place = store.place().expect("an address");
    let remote = Remote::through(&store, place, Canned(bytes.to_owned()))?;
    RUNTIME.with(|runtime| runtime.block_on(look(&remote)))
}

/// Connects to a store that answers these bytes, whatever it is asked.
#[derive(Debug)]
struct Canned(Vec<u8>);

impl HttpConnector for Canned {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let mut answers = VecDeque::new();
        let mut rest = self.0.as_slice();
        while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
            let (answer, after) = rest.split_at(at);
            answers.push_back(answer.to_vec());
            rest = after.get(MARK.len()..).unwrap_or_default();
        }
        answers.push_back(rest.to_vec());
        Ok(HttpClient::new(Answers(Mutex::new(answers))))
    }
}

#[derive(Debug)]
struct Answers(Mutex<VecDeque<Vec<u8>>>);

#[async_trait]
impl HttpService for Answers {
    async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let status = if answer.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let mut response = HttpResponse::new(HttpResponseBody::from(answer.unwrap_or_default()));
        *response.status_mut() = status;
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::{prelude::*, sample::Index};

    use super::*;

    /// Two pages of S3.
    const PAGES: &str = r#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>a/b/disk.img</Key><LastModified>2026-11-23T01:02:03.000Z</LastModified><ETag>&quot;1&quot;</ETag><Size>5</Size></Contents></ListBucketResult>%%%<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/c.qcow2</Key><LastModified>2026-11-23T01:02:03.000Z</LastModified><ETag>"2"</ETag><Size>7</Size></Contents></ListBucketResult>"#;

    /// A folder of WebDAV and one below it.
    const FOLDERS: &str = r#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:response><d:href>/a/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype><d:getlastmodified>Mon, 23 Nov 2026 01:02:03 GMT</d:getlastmodified></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response><d:response><d:href>/a/b/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype><d:getlastmodified>Mon, 23 Nov 2026 01:02:03 GMT</d:getlastmodified></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>%%%<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:response><d:href>/a/b/disk%20one.img</d:href><d:propstat><d:prop><d:resourcetype/><d:getcontentlength>5</d:getcontentlength><d:getlastmodified>Mon, 23 Nov 2026 01:02:03 GMT</d:getlastmodified><d:getetag>"1"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"#;

    #[test]
    fn seeds_are_listed() {
        for (name, url, answers, expected) in [
            ("pages", "s3://bucket/a", PAGES, &["b/disk.img", "c.qcow2"][..]),
            ("folders", "https://host/a", FOLDERS, &["b/disk one.img"]),
        ] {
            let listing = listed(url, answers.as_bytes()).expect(name);
            let names: Vec<&str> = listing.found.iter().map(|found| found.name.as_str()).collect();
            assert_eq!((names.as_slice(), listing.left_out), (expected, Vec::new()), "{name}");
            keep("listings", name, answers.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn changed_answers_are_listed_or_refused(
            answers in prop::sample::select(&[PAGES, FOLDERS]),
            changes in prop::collection::vec(
                (any::<Index>(), prop::sample::select(b"<>/&;\"%.a0 \0\xff".to_vec())), 0..6),
        ) {
            let mut bytes = answers.as_bytes().to_vec();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            listing(&bytes);
        }
    }
}
