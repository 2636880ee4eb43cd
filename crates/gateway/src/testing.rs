//! A complete set of methods for tests, most of them not built.

use guardhouse_contract::{Code, Status, http::bindings, service::Method};

/// `methods`, and for every other method of the public API one that answers `UNIMPLEMENTED`.
pub fn every_method(mut methods: Vec<Method>) -> Vec<Method> {
    for binding in bindings() {
        let (service, name) = (binding.method.parent_service().full_name().to_owned(), binding.method.name());
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
