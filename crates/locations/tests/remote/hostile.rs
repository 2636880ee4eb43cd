//! Servers that break off, forget, or lie.

use std::{fs, path::Path};

use guardhouse_locations::{Address, Fetched, Folders, ObjectStore, Trouble, fetch, list};

use crate::{
    canned::{Canned, answer, start_of},
    store::at,
};

const SIZE: usize = 3000;
const TIME: &str = "Mon, 23 Nov 2026 01:02:03 GMT";

fn content() -> Vec<u8> {
    (0..SIZE).map(|number| u8::try_from(number % 251).expect("small")).collect()
}

fn webdav(server: &Canned) -> Address {
    at(ObjectStore { url: server.address().to_owned(), ..ObjectStore::default() })
}

async fn fetched(server: &Canned, scratch: &Path) -> Result<Fetched, Trouble> {
    fetch(&webdav(server), "disk.img", scratch, &Folders::default()).await
}

/// Answers a request for the object, from the byte on that it asks for, and hangs up after `most` bytes.
fn object(head: &str, tag: &str, most: usize) -> Vec<u8> {
    let (start, size) = (start_of(head), SIZE.to_string());
    let range = format!("bytes {start}-{}/{SIZE}", SIZE - 1);
    let length = (SIZE - start).to_string();
    let mut headers = vec![("last-modified", TIME), ("content-length", length.as_str())];
    if !tag.is_empty() {
        headers.push(("etag", tag));
    }
    if head.starts_with("HEAD") {
        headers[1] = ("content-length", &size);
        return answer("200 OK", &headers, b"");
    }
    let bytes = &content()[start..SIZE.min(start + most)];
    match start {
        0 => answer("200 OK", &headers, bytes),
        _ => {
            headers.push(("content-range", &range));
            answer("206 Partial Content", &headers, bytes)
        }
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_is_continued() {
    for tag in ["\"one\"", "", "W/\"weak\""] {
        let server = Canned::start(move |head, _| object(head, tag, 700));
        let scratch = tempfile::tempdir().expect("a folder");
        let fetched = fetched(&server, scratch.path()).await.expect("it comes in parts");
        assert!(fs::read(&fetched.path).expect("it is there") == content(), "{tag}");
        let starts: Vec<usize> =
            server.heads().iter().filter(|head| head.starts_with("GET")).map(|head| start_of(head)).collect();
        assert_eq!(starts, [0, 700, 1400, 2100, 2800], "{tag}: nothing is fetched twice");
    }
}

#[tokio::test]
async fn a_server_without_ranges_begins_anew() {
    let server = Canned::start(|head, number| {
        let whole = head.replace("range:", "x-range:").replace("Range:", "x-range:");
        object(&whole, "", if number < 3 { 1000 } else { SIZE })
    });
    let scratch = tempfile::tempdir().expect("a folder");
    let fetched = fetched(&server, scratch.path()).await.expect("it comes as a whole");
    assert!(fs::read(&fetched.path).expect("it is there") == content());
}

#[tokio::test]
async fn what_never_comes_further_is_given_up() {
    let server = Canned::start(|head, _| object(head, "\"one\"", 0));
    let scratch = tempfile::tempdir().expect("a folder");
    let trouble = fetched(&server, scratch.path()).await.expect_err("nothing comes");
    assert!(trouble.is_passing(), "{trouble}");
    assert_eq!(fs::read_dir(scratch.path()).expect("it is there").count(), 0, "nothing stays behind");
}

#[tokio::test]
async fn an_object_that_changes_meanwhile_is_not_put_together() {
    let other =
        Canned::start(|head, number| object(head, if number < 2 { "\"one\"" } else { "\"two\"" }, 1000));
    let refused = Canned::start(|head, number| match number {
        0 | 1 => object(head, "\"one\"", 1000),
        _ => answer("412 Precondition Failed", &[("content-length", "0")], b""),
    });
    for server in [other, refused] {
        let scratch = tempfile::tempdir().expect("a folder");
        let trouble = fetched(&server, scratch.path()).await.expect_err("it is another one").to_string();
        assert!(trouble.contains("changed while it was fetched"), "{trouble}");
    }
}

#[tokio::test]
async fn more_than_was_announced_is_refused() {
    let server = Canned::start(|head, _| match head.starts_with("HEAD") {
        true => answer("200 OK", &[("last-modified", TIME), ("content-length", "10")], b""),
        // Chunked, so that its length shows only as it comes.
        false => {
            let headers = [("last-modified", TIME), ("content-length", "10"), ("etag", "\"x\"")];
            answer("200 OK", &headers, &[0; 20])
        }
    });
    let scratch = tempfile::tempdir().expect("a folder");
    let fetched = fetched(&server, scratch.path()).await;
    assert!(fetched.is_err() || fetched.is_ok_and(|fetched| fetched.size_bytes == 10));
}

#[tokio::test]
async fn an_object_without_room_is_not_begun() {
    let server = Canned::start(|_, _| {
        answer("200 OK", &[("last-modified", TIME), ("content-length", "4611686018427387904")], b"")
    });
    let scratch = tempfile::tempdir().expect("a folder");
    let trouble = fetched(&server, scratch.path()).await.expect_err("no disk is so large").to_string();
    assert!(trouble.contains("has room for"), "{trouble}");
    assert!(server.heads().iter().all(|head| head.starts_with("HEAD")), "nothing was fetched");
}

/// A folder as a WebDAV server lists it.
fn folder(entries: &[(&str, Option<usize>)]) -> Vec<u8> {
    let entries: String = entries
        .iter()
        .map(|(href, size)| {
            let kind = match size {
                Some(size) => format!("<D:getcontentlength>{size}</D:getcontentlength><D:resourcetype/>"),
                None => "<D:resourcetype><D:collection/></D:resourcetype>".to_owned(),
            };
            format!(
                "<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getlastmodified>{TIME}</D:getlastmodified>{kind}\
                 </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
            )
        })
        .collect();
    let body = format!(r#"<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{entries}</D:multistatus>"#);
    answer("207 Multi-Status", &[("content-length", &body.len().to_string())], body.as_bytes())
}

#[tokio::test]
async fn a_list_stays_in_its_location() {
    let server = Canned::start(|_, _| {
        folder(&[
            ("/images/", None),
            ("/images/good.img", Some(5)),
            ("/images/sub/", None),
            ("/", None),
            ("/secret/", None),
            ("/secret/disk.img", Some(5)),
            ("http://other.example/images/far.img", Some(5)),
        ])
    });
    let address = at(ObjectStore { url: format!("{}/images", server.address()), ..ObjectStore::default() });
    let listing = list(&address, &Folders::default()).await.expect("it can be listed");
    let names: Vec<&str> = listing.found.iter().map(|found| found.name.as_str()).collect();
    // The name of the other host counts for nothing: it is fetched from this one.
    assert!(names.iter().all(|name| matches!(*name, "good.img" | "far.img")), "{names:?}");
    assert!(server.heads().iter().all(|head| head.starts_with("PROPFIND /images")), "{:?}", server.heads());
    assert!(server.heads().len() < 20, "it does not go round in circles");
}

#[tokio::test]
async fn answers_are_bounded() {
    let endless = Canned::start(|_, _| {
        let mut bytes = answer("207 Multi-Status", &[], b"<D:multistatus xmlns:D=\"DAV:\">");
        bytes.resize(40 << 20, b' ');
        bytes
    });
    list(&webdav(&endless), &Folders::default()).await.expect_err("it is too long");
    let refusal = Canned::start(|_, _| {
        let mut bytes = answer("403 Forbidden", &[], b"");
        bytes.resize(40 << 20, b'x');
        bytes
    });
    let trouble = list(&webdav(&refusal), &Folders::default()).await.expect_err("it refuses").to_string();
    assert!(trouble.len() < 1000, "{trouble}");
}

#[tokio::test]
async fn no_redirect_leads_to_another_server() {
    let other = Canned::start(|_, _| folder(&[("/disk.img", Some(5))]));
    let target = other.address().to_owned();
    let server = Canned::start(move |_, _| {
        answer("301 Moved", &[("location", &target), ("content-length", "0")], b"")
    });
    let trouble =
        list(&webdav(&server), &Folders::default()).await.expect_err("it sends elsewhere").to_string();
    assert!(trouble.contains("another host"), "{trouble}");
    assert_eq!(other.heads().len(), 0, "{:?}", other.heads());
}
