//! The client against a real server in this process.

use std::path::{Path, PathBuf};

use clap::Parser;
use guardhouse_contract::{
    Access,
    assets::{CreateGroupRequest, Group},
    devices::ListDevicesRequest,
};
use guardhouse_identity::Accounts;
use guardhouse_store::Store;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    login::password_grant,
    session::{Session, SessionFile},
    *,
};
use crate::serve;

const USER: &str = "ann";
const PASSWORD: &str = "pass word &1";

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: serve::ServeArgs,
}

/// A server that ends with the test.
struct Running {
    folder: tempfile::TempDir,
    address: Server,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    async fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().to_str().expect("UTF-8");
        let line = [&["serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir], arguments].concat();
        let server = serve::Server::open(Line::parse_from(line).args).await.expect("a server");
        let address = server.url().parse().expect("an address");

        let store = Store::open(folder.path()).expect("the store of the server");
        let accounts = Accounts::new(store, Environment::system());
        accounts.add(USER, PASSWORD, Access::Full, None).await.expect("an account");

        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self { folder, address, stop, ended }
    }

    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.ended.await.expect("it ends");
    }

    fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn client(&self, credentials: Credentials) -> Client {
        let connection = Connection { server: self.address.clone(), ca: Some(self.authority()), credentials };
        Client::new(connection, Environment::system()).expect("a client")
    }

    /// Signs in and stores a session whose access token is the given one.
    async fn session(&self, path: &Path, access_token: &str, access_token_expires: i64) -> SessionFile {
        let http = Http::new(self.address.clone(), Some(&self.authority()), Environment::system());
        let granted = password_grant(&http.expect("a client"), USER, PASSWORD).await.expect("granted");
        let session = Session {
            server: self.address.to_string(),
            ca: Some(self.authority()),
            user: USER.to_owned(),
            access_token: access_token.to_owned(),
            access_token_expires,
            refresh_token: granted.refresh_token,
        };
        let file = SessionFile::new(path.join("session.json"));
        let lock = file.lock().await.expect("locked");
        file.save(&session, &lock).expect("saved");
        file
    }
}

fn password() -> Credentials {
    Credentials::Password { user: USER.to_owned(), password: PASSWORD.to_owned() }
}

fn refusal(error: &anyhow::Error) -> (u16, &str) {
    let refusal = error.downcast_ref::<Refusal>().expect("a refusal");
    (refusal.http, refusal.reason.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_take_long_are_fetched() {
    // Without a budget every call is answered 202 first, and carried out once all the same.
    let server = Running::start(&["--answer-budget", "0ms"]).await;
    let client = server.client(password());
    let group = Group { display_name: "racks".to_owned(), ..Default::default() };
    client.create_group(&CreateGroupRequest { group: Some(group) }).await.expect("created");
    let groups = client.list_groups().await.expect("listed").device_groups;
    assert_eq!(groups.iter().filter(|group| group.display_name == "racks").count(), 1);

    let error = client.create_group(&CreateGroupRequest::default()).await.expect_err("no group");
    assert_eq!(refusal(&error), (400, "INVALID_ARGUMENT"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_waits_when_it_is_told_to() {
    let server = Running::start(&["--rate-limit", "2"]).await;
    let client = server.client(password());
    for _ in 0..6 {
        client.list_devices(ListDevicesRequest::default()).await.expect("sooner or later");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_run_side_by_side_share_a_session() {
    let server = Running::start(&[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    // The access token has expired: whoever comes first exchanges the refresh token, once.
    let file = server.session(folder.path(), "expired", 0).await;
    let before = file.load().expect("read").expect("a session");
    let commands = (0..4).map(|_| {
        let client = server.client(Credentials::Session(file.clone()));
        tokio::spawn(async move { client.list_groups().await.expect("signed in").device_groups.len() })
    });
    for command in commands.collect::<Vec<_>>() {
        assert_eq!(command.await.expect("it ended"), 2);
    }
    let after = file.load().expect("read").expect("a session");
    assert_ne!(after.refresh_token, before.refresh_token);
    assert!(after.is_fresh(Environment::system().now()));

    let again = server.client(Credentials::Session(file.clone()));
    again.list_groups().await.expect("signed in");
    assert_eq!(file.load().expect("read"), Some(after), "a fresh session is not exchanged");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_server_refuses_is_replaced() {
    let server = Running::start(&[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    // For example, the server was set up anew in the meantime: the token looks fresh.
    let file = server.session(folder.path(), "junk", i64::MAX).await;
    let client = server.client(Credentials::Session(file));
    client.list_groups().await.expect("with a new token");

    let client = server.client(Credentials::Token("junk".to_owned()));
    let error = client.list_groups().await.expect_err("nothing to replace it");
    assert_eq!(refusal(&error), (401, "ACCESS_TOKEN_INVALID"));

    let wrong = Credentials::Password { user: USER.to_owned(), password: "wrong password".to_owned() };
    let error = server.client(wrong).list_groups().await.expect_err("refused");
    assert_eq!(refusal(&error), (400, "invalid_grant"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_foreign_certificate_is_not_talked_to() {
    let (server, other) = (Running::start(&[]).await, Running::start(&[]).await);
    let connection =
        Connection { server: server.address.clone(), ca: Some(other.authority()), credentials: password() };
    let client = Client::new(connection, Environment::system()).expect("a client");
    let error = format!("{:#}", client.list_groups().await.expect_err("not trusted"));
    assert!(error.contains("--ca FILE"), "{error}");
    server.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_must_be_those_of_the_method() {
    let connection = Connection {
        server: "http://127.0.0.1:1".parse().expect("an address"),
        ca: None,
        credentials: Credentials::Token("unused".to_owned()),
    };
    let client = Client::new(connection, Environment::system()).expect("a client");
    let method = "eset.connect.device_management.v1.Devices.ListDevices";
    let wrong: anyhow::Result<Group> = client.call(method, &ListDevicesRequest::default()).await;
    let error = wrong.expect_err("a wrong answer type").to_string();
    assert!(error.contains("ListDevicesResponse"), "{error}");
}
