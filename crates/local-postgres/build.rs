//! Tells the crate where its dependencies unpacked the bundled PostgreSQL programs.

use std::path::Path;

/// Passes on the folder of the bundled programs as `BUNDLED_POSTGRES`.
///
/// The dependency for this platform (see Cargo.toml) unpacks them in its build script and exports the path of a
/// manifest; the folder `payload` lies beside it.
fn main() {
    let manifests = ["LINUX_X64_GNU", "LINUX_ARM64_GNU", "MACOS_ARM64"]
        .map(|platform| format!("DEP_OLIPHAUNT_ARTIFACT_LIBOLIPHAUNT_NATIVE_{platform}_MANIFEST"));
    for name in &manifests {
        println!("cargo:rerun-if-env-changed={name}");
    }
    let manifest = manifests.iter().find_map(std::env::var_os);
    if let Some(folder) = manifest.as_deref().and_then(|path| Path::new(path).parent()) {
        println!("cargo:rustc-env=BUNDLED_POSTGRES={}", folder.join("payload/runtime/bin").display());
    }
}
