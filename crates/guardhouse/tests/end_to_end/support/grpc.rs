//! The gRPC face.

use guardhouse_link::channel;
use prost_reflect::MethodDescriptor;
use tonic::{
    Request, Status,
    codegen::http::uri::PathAndQuery,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
    transport::Channel,
};

use super::Server;

/// A connection over plain HTTP/2.
pub async fn plain_channel(server: &Server) -> Channel {
    Channel::from_shared(server.url("http")).expect("an address").connect().await.expect("a connection")
}

/// A connection over TLS.
pub async fn tls_channel(server: &Server) -> Channel {
    let uri = server.url("https").parse().expect("an address");
    channel::connect(&uri, server.tls(&[b"h2"])).await.expect("a connection")
}

/// Adds an access token to every call.
#[derive(Debug, Clone)]
pub struct Grpc(MetadataValue<Ascii>);

impl Grpc {
    /// Signs calls with `token`.
    pub fn signed(token: &str) -> Self {
        Self(format!("Bearer {token}").parse().expect("ASCII"))
    }

    /// Calls any method with an empty message, whatever its types; answers how that ended.
    pub async fn probe(
        authorisation: Option<&Self>,
        channel: &Channel,
        method: &MethodDescriptor,
    ) -> Result<(), Status> {
        let mut request = Request::new(());
        if let Some(Self(bearer)) = authorisation {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.expect("a connection");
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let path = PathAndQuery::try_from(path).expect("a path");
        // The empty message reads any other as unknown fields.
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        client.unary(request, path, codec).await.map(|_| ())
    }
}

impl Interceptor for Grpc {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}
