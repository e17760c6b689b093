//! What has to be known before the crate is compiled.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    memory_serve::load_directory("./static");
    tell_where_the_bundled_postgres_lies();
}

/// Passes on the folder of the Postgres programs that come with the feature `local`.
///
/// The crate that carries them (one per system, see Cargo.toml) unpacks them while it is built and
/// exports the path of a manifest that lies beside the folder `payload`.
fn tell_where_the_bundled_postgres_lies() {
    let manifests = ["LINUX_X64_GNU", "LINUX_ARM64_GNU", "MACOS_ARM64"]
        .map(|system| format!("DEP_OLIPHAUNT_ARTIFACT_LIBOLIPHAUNT_NATIVE_{system}_MANIFEST"));
    for name in &manifests {
        println!("cargo:rerun-if-env-changed={name}");
    }
    let manifest = manifests.iter().find_map(std::env::var_os);
    let folder = manifest.as_deref().and_then(|path| Path::new(path).parent());
    if let Some(folder) = folder {
        let programs = folder.join("payload/runtime/bin");
        println!("cargo:rustc-env=BUNDLED_POSTGRES={}", programs.display());
    }
}
