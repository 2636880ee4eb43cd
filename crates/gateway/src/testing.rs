//! A complete set of methods for tests, most of them not built.

use guardhouse_contract::{Code, Status, actions::actions, http::bindings, service::Method};

/// `methods`, and for every other method of the public API one that answers `UNIMPLEMENTED`.
pub fn every_method(mut methods: Vec<Method>) -> Vec<Method> {
    let public = bindings().into_iter().map(|binding| binding.method);
    for method in public.chain(actions().into_iter().map(|action| action.method)) {
        let (service, name) = (method.parent_service().full_name().to_owned(), method.name());
        if methods.iter().any(|method| method.service == service && method.name == name) {
            continue;
        }
        // Methods are static in the generated code; a test may leak a few names.
        let (service, name) = (service.leak(), name.to_owned().leak());
        methods.push(Method::new(service, name, |_, ()| async {
            Err::<(), _>(Status::new(Code::Unimplemented, "UNIMPLEMENTED", "this method is not built yet"))
        }));
    }
    methods
}
