//! The methods that the port serves, found by their gRPC path.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use guardhouse_contract::{actions, descriptors, http, options::Access, service::Method};
use prost_reflect::MethodDescriptor;

/// Every method of the contract, with who may call it and, where this server has one, its implementation.
#[derive(Debug)]
pub struct Registry {
    methods: HashMap<String, Entry>,
}

/// What the server knows of one method of the contract.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// One request, one answer: served here.
    Unary(Arc<Unary>),
    /// Streams: served by a tonic service behind the same authentication.
    Streaming(Access),
    /// Part of the contract, without an implementation in this server.
    Missing,
}

/// A method with one request and one answer.
#[derive(Debug)]
pub(crate) struct Unary {
    /// Its implementation.
    pub method: Method,
    /// Its types.
    pub descriptor: MethodDescriptor,
    /// Who may call it.
    pub access: Access,
}

/// Why a set of methods cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The contract does not decide who may call a method.
    #[error("the contract does not say who may call {0}: its option guardhouse.options.v1.access is missing")]
    NoAccess(String),
    /// A method of the public API has no implementation.
    #[error("methods of the public API without an implementation: {}", .0.join(", "))]
    NoImplementation(Vec<String>),
    /// An implementation of something that the contract does not contain.
    #[error("{0} is not a method of the contract with one request and one answer")]
    NotInContract(String),
    /// Two implementations of one method.
    #[error("{0} is implemented twice")]
    Twice(String),
}

impl Registry {
    /// Binds implementations to the methods of the contract.
    ///
    /// # Errors
    /// A method of the public API has no implementation, the contract does not say who may call a method, or
    /// an implementation fits no method. The server must not start with such a set.
    pub fn new(implementations: Vec<Method>) -> Result<Self, RegistryError> {
        let mut given = BTreeMap::new();
        for method in implementations {
            let path = format!("/{}/{}", method.service, method.name);
            if given.insert(path.clone(), method).is_some() {
                return Err(RegistryError::Twice(path));
            }
        }

        let mut methods = HashMap::new();
        for descriptor in
            descriptors::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>())
        {
            let path = path_of(&descriptor);
            let access = descriptors::access(&descriptor);
            if access == Access::Unspecified {
                return Err(RegistryError::NoAccess(path));
            }
            let entry = if descriptor.is_client_streaming() || descriptor.is_server_streaming() {
                Entry::Streaming(access)
            } else if let Some(method) = given.remove(&path) {
                Entry::Unary(Arc::new(Unary { method, descriptor, access }))
            } else {
                Entry::Missing
            };
            methods.insert(path, entry);
        }
        if let Some(path) = given.into_keys().next() {
            return Err(RegistryError::NotInContract(path));
        }

        let registry = Self { methods };
        let public = http::bindings().into_iter().map(|binding| binding.method);
        let public = public.chain(actions::actions().into_iter().map(|action| action.method));
        let mut missing: Vec<_> =
            public.filter(|method| registry.unary(method).is_none()).map(|method| path_of(&method)).collect();
        missing.dedup();
        if missing.is_empty() { Ok(registry) } else { Err(RegistryError::NoImplementation(missing)) }
    }

    /// What is known of `path`, for example `/eset.connect.automation.v1.DeviceTasks/CreateTask`; `None` when
    /// the contract has no such method.
    pub(crate) fn find(&self, path: &str) -> Option<&Entry> {
        self.methods.get(path)
    }

    /// The implementation of `descriptor`, if it has one request, one answer, and an implementation.
    pub(crate) fn unary(&self, descriptor: &MethodDescriptor) -> Option<&Arc<Unary>> {
        match self.find(&path_of(descriptor)) {
            Some(Entry::Unary(unary)) => Some(unary),
            _ => None,
        }
    }
}

fn path_of(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::every_method;

    #[test]
    fn a_complete_set_is_found_by_path() {
        let registry = Registry::new(every_method(vec![])).expect("complete");
        let Some(Entry::Unary(unary)) = registry.find("/eset.connect.automation.v1.DeviceTasks/CreateTask")
        else {
            panic!("a unary method");
        };
        assert_eq!(unary.access, Access::Write);
        assert_eq!(unary.descriptor.name(), "CreateTask");
        assert!(registry.unary(&unary.descriptor).is_some());
        assert!(matches!(
            registry.find("/guardhouse.link.v1.AgentLink/Connect"),
            Some(Entry::Streaming(Access::Device))
        ));
        assert!(matches!(registry.find("/guardhouse.link.v1.Enrolment/Enrol"), Some(Entry::Missing)));
        assert!(registry.find("/eset.connect.automation.v1.DeviceTasks/Nothing").is_none());
    }

    #[test]
    fn an_incomplete_set_names_what_is_missing() {
        let mut methods = every_method(vec![]);
        methods.retain(|method| method.name != "RenameDevice");
        let error = Registry::new(methods).expect_err("incomplete").to_string();
        assert_eq!(
            error,
            "methods of the public API without an implementation: \
             /eset.connect.device_management.v1.Devices/RenameDevice",
        );
    }

    #[test]
    fn a_method_is_implemented_once_and_belongs_to_the_contract() {
        let method = |service, name| Method::new(service, name, |_, ()| async { Ok(()) });
        let mut methods = every_method(vec![]);
        methods.push(method("eset.connect.automation.v1.DeviceTasks", "CreateTask"));
        assert!(matches!(Registry::new(methods), Err(RegistryError::Twice(_))));

        let mut methods = every_method(vec![]);
        methods.push(method("eset.connect.automation.v1.DeviceTasks", "PaintTask"));
        assert!(matches!(Registry::new(methods), Err(RegistryError::NotInContract(_))));
    }
}
