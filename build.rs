//! What has to be known before the crate is compiled.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    memory_serve::load_directory("./static");
}
