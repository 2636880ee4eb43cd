//! Signed requests RPC style.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use guardhouse_model::{Environment, rate::Quota};
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    signer::{Pairs, Said, Signer, pairs, written},
    support::{Answer, Server, send},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// A server with a key of the account, and who signs with it.
async fn start(account: &str) -> (Server, Signer) {
    let server = Server::new().await;
    let signer = key(&server, account, None).await;
    (server, signer)
}

async fn key(server: &Server, account: &str, lifetime: Option<Duration>) -> Signer {
    let key = server.access_keys.create(account, "", lifetime).await.expect("a key");
    Signer { id: key.id, secret: key.secret, token: key.security_token }
}

fn said(server: &Server) -> Said {
    let environment = Environment::system();
    Said {
        action: "ListAgentlessRegion".to_owned(),
        version: "2018-12-03".to_owned(),
        time: format!("{:.0}", environment.now()),
        nonce: environment.uuid().to_string(),
        host: server.address.to_string(),
    }
}

fn with(request: RequestBuilder, headers: &Pairs) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

async fn v3(server: &Server, signer: &Signer, said: &Said) -> Answer {
    let query = pairs(&[("Lang", "en"), ("Targets.1", "测试 a+b/c*d~e%20&=")]);
    let path = format!("/?{}", written(&query));
    send(with(server.plain(Method::POST, &path), &signer.v3("POST", said, &query, b""))).await
}

async fn v1(server: &Server, signer: &Signer, said: &Said) -> Answer {
    let path = format!("/?{}", written(&signer.v1("GET", said, &vec![])));
    send(server.plain(Method::GET, &path)).await
}

/// Whether a call was let in, and as whom.
fn accepted(answer: &Answer, account: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json;charset=utf-8");
    assert_eq!(answer.body["RegionList"], json!([account]));
    assert_eq!(answer.body["VendorRegionList"], json!([]), "a list is there though it is empty");
    let id = answer.header("request-id").to_ascii_uppercase();
    assert_eq!(answer.body["RequestId"], Value::String(id));
    assert_eq!(answer.body["Code"], Value::Null, "clients take it for an error");
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, &answer.body["Code"]), (status, &json!(code)), "{answer:?}");
    let mut members: Vec<_> = answer.body.as_object().expect("an object").keys().collect();
    members.sort();
    assert_eq!(members, ["Code", "HostId", "Message", "Recommend", "RequestId"]);
    assert!(answer.body["Message"].as_str().is_some_and(|message| !message.is_empty()), "{answer:?}");
    let id = answer.header("request-id").to_ascii_uppercase();
    assert_eq!(answer.body["RequestId"], Value::String(id));
}

#[tokio::test]
async fn both_signatures_are_accepted_with_every_kind_of_key() {
    let (server, lasting) = start("reader").await;
    let temporary = key(&server, "admin", Some(Duration::from_secs(60))).await;
    for (signer, account) in [(&lasting, "reader"), (&temporary, "admin")] {
        accepted(&v3(&server, signer, &said(&server)).await, account);
        accepted(&v1(&server, signer, &said(&server)).await, account);

        // All of it in a form.
        let form = written(&signer.v1("POST", &said(&server), &pairs(&[("PageSize", "1")])));
        let request = server.plain(Method::POST, "/").header("content-type", FORM).body(form);
        accepted(&send(request).await, account);

        // In pieces, of which nobody said how long they are.
        let (said, form) = (said(&server), "UuidList.1=u-1&UuidList.2=u+2");
        let headers = signer.v3("POST", &said, &pairs(&[("TargetType", "1")]), form.as_bytes());
        let piece = |bytes: &[u8]| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(bytes)));
        let pieces: Vec<_> = form.as_bytes().chunks(5).map(piece).collect();
        let body = reqwest::Body::wrap(StreamBody::new(stream::iter(pieces)));
        let request = with(server.plain(Method::POST, "/?TargetType=1"), &headers);
        accepted(&send(request.header("content-type", FORM).body(body)).await, account);
    }
    let used = server.access_keys.list(None).await.expect("lists");
    assert!(used.iter().all(|key| key.use_time.is_some()), "{used:?}");
}

#[tokio::test]
async fn the_host_is_the_one_that_the_client_wrote() {
    let (server, signer) = start("admin").await;
    for host in ["http://127.0.0.1:1234", "127.0.0.1/sas", "tds.aliyuncs.com"] {
        let said = Said { host: host.to_owned(), ..said(&server) };
        let headers = signer.v3("GET", &said, &vec![], b"");
        // Also where the endpoint has a path.
        for (path, code) in [("/sas/", None), ("/", Some("SignatureNonceUsed"))] {
            let answer = send(with(server.plain(Method::GET, path), &headers)).await;
            match code {
                None => accepted(&answer, "admin"),
                Some(code) => {
                    refused(&answer, 400, code);
                    assert_eq!(answer.body["HostId"], host);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_token_does_instead_of_a_signature() {
    let server = Server::new().await;
    let token = server.token("reader").await;
    let headers = pairs(&[("x-acs-action", "ListAgentlessRegion"), ("x-acs-version", "2018-12-03")]);
    let by_header = with(server.plain(Method::POST, "/?SignatureType=BEARERTOKEN"), &headers);
    accepted(&send(by_header.header("x-acs-bearer-token", &token)).await, "reader");
    let path = format!("/?Action=ListAgentlessRegion&Version=2018-12-03&BearerToken={token}");
    accepted(&send(server.plain(Method::GET, &path)).await, "reader");
    refused(&send(server.plain(Method::GET, &format!("{path}x"))).await, 400, "InvalidBearerToken");
}

#[tokio::test]
async fn who_cannot_prove_it_is_told_why() {
    let (server, signer) = start("admin").await;
    let wrong = Signer { secret: "wrong".to_owned(), ..signer.clone() };
    let unknown = Signer { id: "GHunknown".to_owned(), ..signer.clone() };
    let temporary = key(&server, "admin", Some(Duration::from_secs(60))).await;
    let without = Signer { token: None, ..temporary.clone() };
    let foreign = Signer { token: Some("t".to_owned()), ..temporary };
    let needless = Signer { token: Some("t".to_owned()), ..signer.clone() };
    for (signer, status, code) in [
        (&wrong, 400, "SignatureDoesNotMatch"),
        (&unknown, 404, "InvalidAccessKeyId.NotFound"),
        (&without, 400, "MissingSecurityToken"),
        (&foreign, 400, "InvalidSecurityToken.Malformed"),
        (&needless, 400, "InvalidSecurityToken.Malformed"),
    ] {
        refused(&v3(&server, signer, &said(&server)).await, status, code);
        refused(&v1(&server, signer, &said(&server)).await, status, code);
    }
    server.access_keys.set_active(&signer.id, false).await.expect("disables");
    refused(&v3(&server, &signer, &said(&server)).await, 400, "InvalidAccessKeyId.Inactive");
    refused(&v3(&server, &wrong, &said(&server)).await, 400, "SignatureDoesNotMatch");
    server.access_keys.set_active(&signer.id, true).await.expect("enables");
    accepted(&v3(&server, &signer, &said(&server)).await, "admin");
    server.access_keys.revoke(&signer.id).await.expect("revokes");
    refused(&v3(&server, &signer, &said(&server)).await, 404, "InvalidAccessKeyId.NotFound");

    let nobody = key(&server, "nobody", None).await;
    refused(&v3(&server, &nobody, &said(&server)).await, 403, "NoPermission");
    refused(&v1(&server, &nobody, &said(&server)).await, 403, "NoPermission");
}

#[tokio::test]
async fn a_request_is_good_once_and_for_a_while() {
    let (server, signer) = start("admin").await;
    let first = said(&server);
    accepted(&v3(&server, &signer, &first).await, "admin");
    refused(&v3(&server, &signer, &first).await, 400, "SignatureNonceUsed");
    refused(&v1(&server, &signer, &first).await, 400, "SignatureNonceUsed");
    let other = key(&server, "admin", None).await;
    accepted(&v1(&server, &other, &first).await, "admin");
    for (seconds, code) in [(-1_000, "InvalidTimeStamp.Expired"), (1_000, "InvalidTimeStamp.Expired")] {
        let now = Environment::system().now().as_second() + seconds;
        let time = guardhouse_model::Timestamp::from_second(now).expect("in range");
        let said = Said { time: time.to_string(), ..said(&server) };
        refused(&v3(&server, &signer, &said).await, 400, code);
        refused(&v1(&server, &signer, &said).await, 400, code);
    }
    let said = Said { time: "2024-03-14".to_owned(), ..said(&server) };
    refused(&v3(&server, &signer, &said).await, 400, "InvalidTimeStamp.Format");
}

#[tokio::test]
async fn what_is_not_served_is_named() {
    let (server, signer) = start("admin").await;
    for (action, version, status, code) in [
        ("PaintTask", "2018-12-03", 404, "InvalidApi.NotFound"),
        ("listAgentlessRegion", "2018-12-03", 404, "InvalidApi.NotFound"),
        ("ListAgentlessRegion", "2014-05-26", 400, "NoSuchVersion"),
    ] {
        let said = Said { action: action.to_owned(), version: version.to_owned(), ..said(&server) };
        refused(&v3(&server, &signer, &said).await, status, code);
        refused(&v1(&server, &signer, &said).await, status, code);
    }
    for (method, path, code) in [
        (Method::GET, "/", "IncompleteSignature"),
        (Method::POST, "/?Action=ListAgentlessRegion", "IncompleteSignature"),
        (Method::PUT, "/", "UnsupportedHTTPMethod"),
        (Method::DELETE, "/?Signature=x", "UnsupportedHTTPMethod"),
        (Method::GET, "/?Signature=x&Version=2018-12-03", "MissingAction"),
        (Method::GET, "/?Signature=x", "MissingVersion"),
        (Method::GET, "/?Signature=x&Format=YAML", "InvalidParameter.Format"),
        (Method::GET, "/?a=1&a=2", "Invalida"),
    ] {
        refused(&send(server.plain(method, path)).await, 400, code);
    }
    let json = server.plain(Method::POST, "/").header("content-type", "application/json").body("{}");
    refused(&send(json).await, 400, "InvalidParameter");
    let large = server.plain(Method::POST, "/").body(vec![b'a'; 1024 * 1024 + 1]);
    refused(&send(large).await, 400, "InvalidParameter");
}

#[tokio::test]
async fn who_calls_too_often_is_told_how_long_to_wait() {
    let server = Server::start(|settings| {
        settings.account_rate = Some(Quota { burst: 1, per: Duration::from_secs(3_600) });
    })
    .await;
    let signer = key(&server, "admin", None).await;
    accepted(&v3(&server, &signer, &said(&server)).await, "admin");
    let again = said(&server);
    for _ in 0..2 {
        let answer = v3(&server, &signer, &again).await;
        refused(&answer, 429, "Throttling.User");
        let wait: u64 = answer.header("x-acs-retry-after").parse().expect("milliseconds");
        assert!((1..=3_600_001).contains(&wait), "{wait}");
        assert_eq!(answer.header("x-ratelimit-user-api"), format!("Remain:0,TimeLeft:{wait}"));
    }
}
