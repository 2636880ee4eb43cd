//! What reads requests on its own, for the fuzz targets and for the properties that do the same within bounds.

use guardhouse_contract::descriptors;
use http::{HeaderValue, Method, Request};
use prost_reflect::MessageDescriptor;

pub use crate::oauth::fuzzing as sign_in;
use crate::{
    registry::Registry,
    rest::{bind::bind, routes::Routes},
    rpc::{
        bind::bind as bind_parameters,
        parameters::Parameters,
        refusal::Refusal,
        signature::{v1, v3},
    },
    testing::every_method,
};

thread_local!(static ROUTES: Routes = routes());
thread_local!(static INPUTS: Vec<MessageDescriptor> = inputs());

/// Routes and binds a request as the port would; what comes out is a message or a refusal that says why.
///
/// # Panics
/// The refusal is not one that the public API documents, or says nothing.
pub fn transcode(verb: &Method, path: &str, query: &str, body: &[u8]) {
    ROUTES.with(|routes| {
        if let Ok(found) = routes.find(verb, path)
            && let Err(status) = bind(&found, Some(query), body)
        {
            assert_eq!(status.http(), 400, "{status}");
            assert!(!status.message().is_empty());
        }
    });
}

fn routes() -> Routes {
    Routes::new(&Registry::new(every_method(vec![])).expect("complete")).expect("no conflict")
}

/// Reads parameters and a signature header as the RPC face would, and binds the parameters to every request of the
/// contract; what comes out is a message or a refusal that says why.
///
/// # Panics
/// The refusal is not one that its clients know, or says nothing.
pub fn parameters(query: &str, form: &[u8], authorization: &[u8]) {
    let check = |refusal: Refusal| {
        assert!(!refusal.message().is_empty());
        assert!(refusal.code().bytes().all(|byte| byte.is_ascii_graphic()), "{refusal:?}");
    };
    let parameters = match Parameters::read(Some(query), form) {
        Ok(parameters) => parameters,
        Err(refusal) => return check(refusal),
    };
    let _ = v1::claim(&Method::POST, &parameters).map_err(check).map(|claim| claim.is_signed_by(b"secret"));
    if let Ok(value) = HeaderValue::from_bytes(authorization) {
        let (mut head, ()) = Request::new(()).into_parts();
        head.headers.insert("authorization", value);
        if let Ok(text) = std::str::from_utf8(authorization) {
            let claim = v3::claim(text, &head, &parameters, form);
            let _ = claim.map_err(check).map(|claim| claim.is_signed_by(b"secret"));
        }
    }
    INPUTS.with(|inputs| {
        for input in inputs {
            let _ = bind_parameters(input, &[], &parameters).map_err(check);
        }
    });
}

fn inputs() -> Vec<MessageDescriptor> {
    let methods = descriptors::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| method.input()).collect()
}
