//! Makes the client of the published API from the proto files alone.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../proto");
    let files = ["recording", "queries", "administration"];
    let files = files.map(|name| format!("swabline/v1/{name}.proto"));
    let descriptors = protox::compile(files, ["../proto"])?;
    tonic_prost_build::configure().build_server(false).compile_fds(descriptors)?;
    Ok(())
}
