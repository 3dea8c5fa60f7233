//! How much the audit may take.

use super::Office;
use crate::config::ByteSize;

#[test]
fn the_audit_may_take_what_is_written_and_else_four_gibibytes() {
    let size = |text: &str| Office::with(text).config().audit.max_size;
    assert_eq!(size(""), ByteSize::from_mebibytes(4 * 1024));
    assert_eq!(
        size("[audit]\nmax-size = \"64MiB\"\n"),
        ByteSize::from_mebibytes(64)
    );
    let problem = Office::with("[audit]\nmax-size = \"1MiB\"\n").problem();
    let complaint =
        "line 4: config_value audit.max-size \"1MiB\" is out of bounds -> write a size from 64MiB to 64TiB";
    assert!(problem.contains(complaint), "{problem}");
}
