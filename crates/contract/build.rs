//! Compiles `proto/` into prost types, service traits, tonic clients and one descriptor set.

use std::{env, error::Error, fs, path::PathBuf};

#[path = "build/service_traits.rs"]
mod service_traits;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto").canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build/service_traits.rs");

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(proto_files(&root)?)?;

    // Encoded by protox itself: prost_types would drop the options that are extensions.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;

    prost_build::Config::new()
        .enable_type_names()
        .service_generator(Box::new(service_traits::Generator::new()))
        // The vendor's enums have bare value names; ours carry their type's name, which prost strips.
        .include_file("contract.rs")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Every `.proto` file below `root`, relative to it, in a stable order.
fn proto_files(root: &PathBuf) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                files.push(path.strip_prefix(root)?.to_path_buf());
            }
        }
    }
    files.sort();
    Ok(files)
}
