//! Compiles the protocol with protox, so that no `protoc` is needed to build.

use std::error::Error;
use std::path::PathBuf;

const FILES: [&str; 7] = [
    "swabline/v1/common.proto",
    "swabline/v1/fact.proto",
    "swabline/v1/recording.proto",
    "swabline/v1/queries.proto",
    "swabline/v1/progress.proto",
    "swabline/v1/administration.proto",
    "swabline/v1/planning.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=build.rs");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(FILES)?;
    // Reflection answers from this file, comments included.
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("swabline_v1.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        // A derived Debug would print person keys into logs and panics.
        .skip_debug(["swabline.v1.PersonRef"])
        // Ten of them come with each tube: they are decoded by hand, without asking for memory.
        .extern_path(".swabline.v1.Identity", "crate::api::wire::Identity")
        .codec_path("crate::api::codec::Codec")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
