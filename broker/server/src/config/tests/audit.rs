//! How much the audit may take, and how long it is kept.

use super::Office;
use crate::config::ByteSize;
use std::time::Duration;

#[test]
fn the_audit_may_take_what_is_written_and_else_four_gibibytes() {
    let audit = |text: &str| Office::with(text).config().audit;
    assert_eq!(audit("").most(), ByteSize::from_mebibytes(4 * 1024));
    assert_eq!(audit("").max_size, None);
    let written = audit("[audit]\nmax-size = \"64MiB\"\n");
    assert_eq!(written.max_size, Some(ByteSize::from_mebibytes(64)));
    let problem = Office::with("[audit]\nmax-size = \"1MiB\"\n").problem();
    let complaint =
        "line 4: config_value audit.max-size \"1MiB\" is out of bounds -> write a size from 64MiB to 64TiB";
    assert!(problem.contains(complaint), "{problem}");
}

#[test]
fn the_audit_is_kept_for_as_long_as_is_written_and_else_six_years() {
    let keep = |text: &str| Office::with(text).config().audit.keep;
    let year = Duration::from_secs(31_557_600);
    assert_eq!(keep(""), 6 * year);
    assert_eq!(keep("[audit]\nkeep = \"10years\"\n"), 10 * year);
    for written in ["29days", "101years", "for ever"] {
        let problem = Office::with(&format!("[audit]\nkeep = \"{written}\"\n")).problem();
        assert!(problem.contains("config_value audit.keep"), "{problem}");
    }
}
