//! Writes, for each service of the contract, what its implementation and its callers need.
//!
//! A unary service becomes a plain trait and a function that binds an implementation to the names of its
//! methods, which both REST and gRPC then serve. A streaming service (the agent link) becomes a tonic server.
//! Both get a tonic client.

use std::fmt::Write as _;

use prost_build::{Method, Service, ServiceGenerator};

pub struct Generator {
    clients: Box<dyn ServiceGenerator>,
    streaming: Box<dyn ServiceGenerator>,
}

impl Generator {
    pub fn new() -> Self {
        let tonic = || tonic_prost_build::configure().build_transport(false);
        Self {
            clients: tonic().build_server(false).service_generator(),
            streaming: tonic().build_server(true).codec_path("crate::frames::FrameCodec").service_generator(),
        }
    }
}

impl ServiceGenerator for Generator {
    fn generate(&mut self, service: Service, out: &mut String) {
        if service.methods.iter().any(|method| method.client_streaming || method.server_streaming) {
            self.streaming.generate(service, out);
            return;
        }
        write_trait(&service, out);
        write_methods(&service, out);
        self.clients.generate(service, out);
    }

    fn finalize(&mut self, out: &mut String) {
        self.clients.finalize(out);
        self.streaming.finalize(out);
    }
}

fn write_trait(service: &Service, out: &mut String) {
    service.comments.append_with_indent(0, out);
    writeln!(out, "pub trait {}: Send + Sync + 'static {{", service.name).expect("write to a string");
    for Method { name, comments, input_type, output_type, .. } in &service.methods {
        comments.append_with_indent(1, out);
        writeln!(
            out,
            "    fn {name}(&self, call: &crate::Call, request: {input_type})
        -> impl Future<Output = Result<{output_type}, crate::Status>> + Send;",
        )
        .expect("write to a string");
    }
    out.push_str("}\n");
}

fn write_methods(service: &Service, out: &mut String) {
    let trait_name = &service.name;
    let function = snake(trait_name);
    writeln!(
        out,
        "/// Every method of `{trait_name}`, bound to one implementation.
pub fn {function}_methods<S: {trait_name}>(service: &std::sync::Arc<S>) -> Vec<crate::service::Method> {{
    vec![",
    )
    .expect("write to a string");
    for Method { name, proto_name, .. } in &service.methods {
        writeln!(
            out,
            "        crate::service::Method::new(\"{}.{}\", \"{proto_name}\", {{
            let service = std::sync::Arc::clone(service);
            move |call: crate::Call, request| {{
                let service = std::sync::Arc::clone(&service);
                async move {{ service.{name}(&call, request).await }}
            }}
        }}),",
            service.package, service.proto_name,
        )
        .expect("write to a string");
    }
    out.push_str("    ]\n}\n");
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
