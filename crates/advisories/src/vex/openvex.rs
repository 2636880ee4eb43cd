//! OpenVEX (<https://github.com/openvex/spec>), 0.0.1 and 0.2.0.

use serde_json::Value;

use crate::vex::{PackageUrl, Product, Statement, Status, Vex, joined, list, text, time};

pub(super) fn read(name: &str, document: &Value) -> Result<Vex, String> {
    let statements = document.get("statements").and_then(Value::as_array);
    let mut vex = Vex::default();
    for (number, from) in statements.ok_or("\"statements\" is not a list")?.iter().enumerate() {
        let wrong = |told: &str| format!("statements[{number}]: {told}");
        let status = match text(from, "status") {
            "not_affected" => Status::NotAffected,
            "fixed" => Status::Fixed,
            "affected" | "under_investigation" => Status::Counts,
            other => {
                return Err(wrong(&format!(
                    "{other:?} is no status; known are not_affected, fixed, affected and under_investigation"
                )));
            }
        };
        let ids = ids(from.get("vulnerability").unwrap_or(&Value::Null));
        if ids.is_empty() {
            return Err(wrong("\"vulnerability\" names none"));
        }
        let mut products = Vec::new();
        for product in list(from, "products") {
            let inner = list(product, "subcomponents");
            let named: Vec<Value> = if inner.is_empty() { vec![product.clone()] } else { inner.to_vec() };
            let before = products.len();
            // What a product is made of is looked for in what is scanned: that this is it, the user says.
            products.extend(
                named.iter().filter_map(package).map(|package| Product { package, system: String::new() }),
            );
            if products.len() == before {
                vex.notes.push(wrong("a product is left out: it names no package by its package URL"));
            }
        }
        let reason = joined(&[
            text(from, "justification"),
            text(from, "impact_statement"),
            text(from, "status_notes"),
        ]);
        let time = time(from, "timestamp").or_else(|| time(document, "timestamp"));
        vex.statements.push(Statement { by: name.to_owned(), time, ids, products, status, reason });
    }
    Ok(vex)
}

fn ids(vulnerability: &Value) -> Vec<String> {
    if let Some(id) = vulnerability.as_str() {
        return vec![id.to_owned()];
    }
    let aliases = list(vulnerability, "aliases").iter().filter_map(Value::as_str);
    let ids = [text(vulnerability, "name")].into_iter().chain(aliases).filter(|id| !id.is_empty());
    ids.map(str::to_owned).collect()
}

fn package(product: &Value) -> Option<PackageUrl> {
    let in_identifiers = product.pointer("/identifiers/purl").and_then(Value::as_str);
    let candidates = [in_identifiers, product.as_str(), Some(text(product, "@id"))];
    candidates.into_iter().flatten().find_map(PackageUrl::parse)
}
