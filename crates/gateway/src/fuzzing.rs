//! The REST transcoder on its own, for the fuzz target and for the property that does the same within bounds.

use http::Method;

use crate::{
    registry::Registry,
    rest::{bind::bind, routes::Routes},
    testing::every_method,
};

thread_local!(static ROUTES: Routes = routes());

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
