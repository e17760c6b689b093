//! Watches what is compiled in: migrations and static files.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    memory_serve::load_directory("./static");
}
