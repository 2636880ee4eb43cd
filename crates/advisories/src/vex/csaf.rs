//! CSAF 2.0 (<https://docs.oasis-open.org/csaf/csaf/v2.0/>), the profile VEX among others.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::vex::{PackageUrl, Product, Statement, Status, Vex, joined, list, text};

/// Which lists of `product_status` say what.
const STATUSES: [(&str, Status); 7] = [
    ("known_not_affected", Status::NotAffected),
    ("fixed", Status::Fixed),
    ("first_fixed", Status::Fixed),
    ("known_affected", Status::Counts),
    ("first_affected", Status::Counts),
    ("last_affected", Status::Counts),
    ("under_investigation", Status::Counts),
];

/// What a product id stands for.
#[derive(Clone, Default)]
struct Known<'a> {
    purls: Vec<&'a str>,
    cpe: &'a str,
}

pub(super) fn read(name: &str, document: &Value) -> Result<Vex, String> {
    let vulnerabilities = document.get("vulnerabilities").and_then(Value::as_array);
    let tree = document.get("product_tree").unwrap_or(&Value::Null);
    let products = products(tree);
    let time = document.pointer("/document/tracking/current_release_date").and_then(Value::as_str);
    let time = time.and_then(|time| time.parse().ok());
    let mut vex = Vex::default();
    for from in vulnerabilities.ok_or("\"vulnerabilities\" is missing")? {
        let ids = list(from, "ids").iter().map(|id| text(id, "text"));
        let ids: Vec<String> = [text(from, "cve")]
            .into_iter()
            .chain(ids)
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect();
        for (member, status) in STATUSES {
            let statuses = from.get("product_status").unwrap_or(&Value::Null);
            for id in list(statuses, member).iter().filter_map(Value::as_str) {
                let of_this = products.get(id).cloned().unwrap_or_default();
                if of_this.is_empty() && status != Status::Counts {
                    vex.notes.push(format!(
                        "{}: {id:?} is left out: it leads to no package URL, is a range of versions, or is limited to a system that is not recognised",
                        ids.first().map_or("a vulnerability", String::as_str)
                    ));
                }
                vex.statements.push(Statement {
                    by: name.to_owned(),
                    time,
                    ids: ids.clone(),
                    products: of_this,
                    status,
                    reason: reason(from, id),
                });
            }
        }
    }
    Ok(vex)
}

/// Why, for a product: the flag (`vulnerable_code_not_present`) and the words on its impact.
fn reason(vulnerability: &Value, id: &str) -> String {
    let is_about =
        |value: &&Value| list(value, "product_ids").iter().any(|product| product.as_str() == Some(id));
    let flag = list(vulnerability, "flags").iter().find(is_about).map_or("", |flag| text(flag, "label"));
    let impact = |threat: &&Value| text(threat, "category") == "impact" && is_about(threat);
    let words =
        list(vulnerability, "threats").iter().find(impact).map_or("", |threat| text(threat, "details"));
    joined(&[flag, words])
}

/// What the product ids stand for.
fn products(tree: &Value) -> BTreeMap<&str, Vec<Product>> {
    let mut known = BTreeMap::new();
    for product in list(tree, "full_product_names") {
        learn(product, &mut known);
    }
    branches(tree, &mut known);
    let mut products: BTreeMap<&str, Vec<Product>> =
        known.iter().map(|(id, of)| (*id, anywhere(of, ""))).collect();
    for relation in list(tree, "relationships") {
        let id =
            relation.pointer("/full_product_name/product_id").and_then(Value::as_str).unwrap_or_default();
        let part = known.get(text(relation, "product_reference")).cloned().unwrap_or_default();
        let of = known.get(text(relation, "relates_to_product_reference")).cloned().unwrap_or_default();
        // Packages of a system are limited to the release that they are a part of; those of languages are what they
        // are wherever they are built in.
        let related = anywhere(&part, "").into_iter().filter_map(|product| {
            if !product.package.is_of_a_system() {
                return Some(product);
            }
            system(of.cpe).map(|system| Product { system, ..product })
        });
        products.insert(id, related.collect());
    }
    products
}

fn anywhere(known: &Known<'_>, system: &str) -> Vec<Product> {
    let packages = known.purls.iter().filter_map(|purl| PackageUrl::parse(purl));
    packages.map(|package| Product { package, system: system.to_owned() }).collect()
}

fn branches<'a>(of: &'a Value, known: &mut BTreeMap<&'a str, Known<'a>>) {
    // Not recursive without end: the reader of JSON refuses what is nested deeper than 128.
    for branch in list(of, "branches") {
        if let Some(product) = branch.get("product") {
            learn(product, known);
            // `vers:deb/<1.2`: the package URL beside it has no version, and would stand for all of them.
            if text(branch, "category") == "product_version_range"
                && let Some(range) = known.get_mut(text(product, "product_id"))
            {
                range.purls.retain(|purl| PackageUrl::parse(purl).is_some_and(|purl| purl.has_version()));
            }
        }
        branches(branch, known);
    }
}

fn learn<'a>(product: &'a Value, known: &mut BTreeMap<&'a str, Known<'a>>) {
    let helper = product.get("product_identification_helper").unwrap_or(&Value::Null);
    let several = list(helper, "purls").iter().filter_map(Value::as_str);
    let purls = [text(helper, "purl")].into_iter().chain(several).filter(|purl| !purl.is_empty()).collect();
    known.insert(text(product, "product_id"), Known { purls, cpe: text(helper, "cpe") });
}

/// The ecosystem that `cpe:/o:redhat:enterprise_linux:9::baseos` is about.
fn system(cpe: &str) -> Option<String> {
    let parts = cpe.strip_prefix("cpe:/").or_else(|| cpe.strip_prefix("cpe:2.3:"))?;
    let mut parts = parts.split(':').skip(1);
    let (vendor, product, version) = (parts.next()?, parts.next()?, parts.next()?);
    let major = version.split('.').next().filter(|major| !major.is_empty())?;
    match (vendor, product) {
        ("redhat", "enterprise_linux") => Some(format!("Red Hat:enterprise_linux:{major}")),
        ("debian", "debian_linux") => Some(format!("Debian:{major}")),
        ("canonical", "ubuntu_linux") => Some(format!("Ubuntu:{version}")),
        ("almalinux", "almalinux") => Some(format!("AlmaLinux:{major}")),
        ("rocky" | "rockylinux", _) => Some(format!("Rocky Linux:{major}")),
        ("suse", "sles") => {
            let pack = parts.next().and_then(|pack| pack.strip_prefix("sp")).map(|pack| format!(" SP{pack}"));
            Some(format!("SUSE:Linux Enterprise Server {major}{}", pack.unwrap_or_default()))
        }
        _ => None,
    }
}
