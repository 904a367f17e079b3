//! Remakes the code that comes from `proto/` and compares it with what is committed. Needs no `protoc`.

use std::fs;
use std::path::{Path, PathBuf};

const PROTOS: [&str; 2] = ["tfplugin6.proto", "plugin.proto"];

#[test]
fn the_generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = tempfile::tempdir().unwrap();
    let (server, client) = (made.path().join("server"), made.path().join("client"));
    fs::create_dir(&server).unwrap();
    fs::create_dir(&client).unwrap();
    let descriptors = protox::compile(PROTOS, [root.join("proto")]).unwrap();

    tonic_prost_build::configure()
        .build_client(false)
        .out_dir(&server)
        .compile_fds(descriptors.clone())
        .unwrap();
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .extern_path(".tfplugin6", "::invenioils::plugin::wire::tfplugin6")
        .extern_path(".plugin", "::invenioils::plugin::wire::plugin")
        .out_dir(&client)
        .compile_fds(descriptors)
        .unwrap();

    for file in ["tfplugin6.rs", "plugin.rs"] {
        compare(&server.join(file), root.join("src/plugin/wire").join(file));
        compare(
            &client.join(file),
            root.join("tests/plugin/wire").join(file),
        );
    }
}

fn compare(made: &Path, committed: PathBuf) {
    let made = fs::read_to_string(made).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&committed, &made).unwrap();
    }
    let kept = fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what proto/ makes: run `UPDATE=1 cargo test the_generated_code`",
        committed.display()
    );
}
