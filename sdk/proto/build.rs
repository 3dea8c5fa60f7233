//! Compiles the contract with protox, so that nobody needs `protoc`.

use prost::Message as _;
use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(
        [
            "archwire/v1/bus.proto",
            "archwire/v1/review.proto",
            "archwire/admin/v1/admin.proto",
        ],
        ["proto"],
    )?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("archwire.v1.bin"), files.encode_to_vec())?;
    // Messages hold patients' data: without `Debug` they cannot be printed by accident.
    tonic_prost_build::configure()
        .bytes(".")
        .skip_debug(["."])
        .compile_fds(files)?;
    Ok(())
}
