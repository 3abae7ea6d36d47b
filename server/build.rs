//! Makes sure that there is a folder to embed: without a bundle the portal serves pages that work without scripts.

use std::path::Path;

fn main() {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    std::fs::create_dir_all(&site).expect("the build folder can be written, or nothing could be built");
    println!("cargo::rerun-if-changed={}", site.display());
}
