//! Enrolment with a real connection.

use std::{fs, path::Path, process::Output};

use crate::{
    bench::AGENT,
    server::{DEVICE, Server},
};
use guardhouse_link::EnrolmentToken;
use rcgen::PublicKeyData as _;
use tokio::process::Command;

async fn enroll(server: &str, token: EnrolmentToken, state: &Path, more: &[&str]) -> Output {
    Command::new(AGENT)
        .args(["enroll", "--server", server, "--token", &token.to_string(), "--state-dir"])
        .arg(state)
        .args(more)
        .output()
        .await
        .expect("ran")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The public key of a signing request.
fn key_of(request: &[u8]) -> Vec<u8> {
    let request = rustls::pki_types::CertificateSigningRequestDer::from(request.to_vec());
    let request = rcgen::CertificateSigningRequestParams::from_der(&request).expect("a request");
    request.public_key.der_bytes().to_vec()
}

#[tokio::test]
async fn a_host_becomes_a_device_once() {
    let server = Server::start().await;
    let temp = tempfile::tempdir().expect("a folder");
    let state = temp.path().join("state");
    // The address as a server prints it that was started with --insecure-http.
    let address = format!("http://127.0.0.1:{}", server.port);
    let output = enroll(&address, server.token(), &state, &["--host-name", "image-7"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{DEVICE}\n"), "data only");

    let known = fs::read_to_string(state.join("identity/server.json")).expect("read");
    assert!(
        known.contains(DEVICE) && known.contains("image-7") && known.contains(&server.address()),
        "{known}"
    );

    let again = enroll(&address, server.token(), &state, &[]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains(DEVICE) && stderr(&again).contains("--force"), "{}", stderr(&again));

    let forced = enroll(&address, server.token(), &state, &["--force"]).await;
    assert!(forced.status.success(), "{}", stderr(&forced));
    let asked = server.asked.lock().expect("not poisoned");
    assert_eq!(asked.len(), 2);
    assert_ne!(key_of(&asked[0]), key_of(&asked[1]), "a new device has a new key");
    assert!(state.join("previous/identity/server.json").exists());
}

#[tokio::test]
async fn an_interrupted_enrolment_asks_with_the_same_key() {
    let server = Server::start().await;
    let state = tempfile::tempdir().expect("a folder");
    let first = enroll(&server.address(), server.token(), state.path(), &[]).await;
    assert!(first.status.success(), "{}", stderr(&first));
    // As if the answer had been lost.
    fs::remove_file(state.path().join("identity/server.json")).expect("removed");
    fs::remove_file(state.path().join("identity/certificate.pem")).expect("removed");
    let second = enroll(&server.address(), server.token(), state.path(), &[]).await;
    assert!(second.status.success(), "{}", stderr(&second));
    let asked = server.asked.lock().expect("not poisoned");
    assert_eq!(key_of(&asked[0]), key_of(&asked[1]));
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let server = Server::start().await;
    let state = tempfile::tempdir().expect("a folder");
    let stranger = EnrolmentToken { authority: [7; 32], ..server.token() };
    let output = enroll(&server.address(), stranger, state.path(), &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("not the one that made the token"), "{}", stderr(&output));
    assert!(server.asked.lock().expect("not poisoned").is_empty(), "a stranger is told nothing");

    let spent = EnrolmentToken { secret: [7; 32], ..server.token() };
    let output = enroll(&server.address(), spent, state.path(), &[]).await;
    let text = stderr(&output);
    assert!(text.contains("token is not known") && text.contains("enrollment-token create"), "{text}");
    assert!(output.stdout.is_empty());

    let output = Command::new(AGENT).arg("run").arg("--state-dir").arg(state.path()).output().await;
    let text = stderr(&output.expect("ran"));
    assert!(text.contains("not enrolled") && text.contains("\"enroll\""), "{text}");
}
