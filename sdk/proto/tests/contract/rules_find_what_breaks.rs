//! Each rule finds what it is for, and additions break nothing.

use crate::{
    model::Contract,
    rules::{Category, breaches},
};

const AGREED: &str = "\
enum Kind
enum Kind value 0 KIND_UNSPECIFIED
enum Kind value 1 KIND_NEW
enum Kind reserved 7 to 9
enum Kind reserved name KIND_OLD
message Empty
message Open
message Open field 1 name string
message Open field 2 size uint64
message Open field 3 time .google.protobuf.Timestamp in start
message Open field 4 cursor string in start
message Open field 5 kinds repeated Kind
message Open field 6 note optional string
message Open reserved 10 to 12
message Open reserved name old
rpc Bus.Subscribe stream Open -> stream Empty
rpc Bus.Get Open -> Empty
";

fn contract(text: &str) -> Contract {
    text.parse().unwrap()
}

/// What is found where a line of what was agreed is another one now, or none.
fn found(line: &str, now: &str) -> Vec<(&'static str, Category, String)> {
    let wanted = format!("{line}\n");
    assert_eq!(AGREED.matches(&wanted).count(), 1, "{line}");
    let now = AGREED.replace(
        &wanted,
        &match now {
            "" => String::new(),
            now => format!("{now}\n"),
        },
    );
    let found = breaches(&contract(AGREED), &contract(&now)).into_iter();
    found
        .map(|breach| (breach.rule, breach.category, breach.what))
        .collect()
}

#[test]
fn what_is_as_it_was_breaks_nothing() {
    assert_eq!(breaches(&contract(AGREED), &contract(AGREED)), []);
}

#[test]
fn additions_break_nothing() {
    let more = AGREED.to_owned()
        + "\
enum Kind value 2 KIND_NEWER
enum Kind value 1 KIND_ALIAS
enum Mode value 0 MODE_UNSPECIFIED
message Empty field 1 more string
message Open field 7 earliest Empty in start
message Open field 8 either string in choice
message Open reserved 13 to 14
message Another field 1 id uint64
rpc Bus.Put stream Another -> Empty
";
    assert_eq!(breaches(&contract(AGREED), &contract(&more)), []);
}

#[test]
fn each_rule_finds_what_it_is_for() {
    use Category::{File, Wire};
    for (line, now, expected) in [
        ("message Empty", "", ("MESSAGE_NO_DELETE", Wire, "Empty")),
        (
            "message Open field 2 size uint64",
            "",
            ("FIELD_NO_DELETE", Wire, "Open.size"),
        ),
        (
            "message Open field 2 size uint64",
            "message Open reserved 2 to 2",
            ("FIELD_NO_DELETE", File, "Open.size"),
        ),
        (
            "message Open field 1 name string",
            "message Open field 1 title string",
            ("FIELD_SAME_NAME", File, "Open.name"),
        ),
        (
            "message Open field 2 size uint64",
            "message Open field 2 size string",
            ("FIELD_SAME_TYPE", Wire, "Open.size"),
        ),
        (
            "message Open field 2 size uint64",
            "message Open field 2 size uint32",
            ("FIELD_SAME_TYPE", File, "Open.size"),
        ),
        (
            "message Open field 1 name string",
            "message Open field 1 name repeated string",
            ("FIELD_SAME_CARDINALITY", Wire, "Open.name"),
        ),
        (
            "message Open field 6 note optional string",
            "message Open field 6 note string",
            ("FIELD_SAME_CARDINALITY", File, "Open.note"),
        ),
        (
            "message Open field 1 name string",
            "message Open field 1 name string in start",
            ("FIELD_SAME_ONEOF", Wire, "Open.name"),
        ),
        (
            "message Open field 4 cursor string in start",
            "message Open field 4 cursor string",
            ("FIELD_SAME_ONEOF", Wire, "Open.cursor"),
        ),
        (
            "enum Kind value 1 KIND_NEW",
            "",
            ("ENUM_VALUE_NO_DELETE", Wire, "Kind 1"),
        ),
        (
            "enum Kind value 1 KIND_NEW",
            "enum Kind reserved 1 to 1",
            ("ENUM_VALUE_NO_DELETE", File, "Kind 1"),
        ),
        (
            "enum Kind value 1 KIND_NEW",
            "enum Kind value 1 KIND_NEWER",
            ("ENUM_VALUE_SAME_NAME", File, "Kind 1"),
        ),
        (
            "enum Kind reserved 7 to 9",
            "enum Kind reserved 7 to 8",
            ("RESERVED_ENUM_NO_DELETE", Wire, "Kind 7 to 9"),
        ),
        (
            "enum Kind reserved name KIND_OLD",
            "",
            ("RESERVED_ENUM_NO_DELETE", File, "Kind KIND_OLD"),
        ),
        (
            "message Open reserved 10 to 12",
            "message Open reserved 11 to 12",
            ("RESERVED_MESSAGE_NO_DELETE", Wire, "Open 10 to 12"),
        ),
        (
            "message Open reserved name old",
            "",
            ("RESERVED_MESSAGE_NO_DELETE", File, "Open old"),
        ),
        (
            "rpc Bus.Get Open -> Empty",
            "",
            ("RPC_NO_DELETE", Wire, "Bus.Get"),
        ),
        (
            "rpc Bus.Get Open -> Empty",
            "rpc Bus.Get Empty -> Empty",
            ("RPC_SAME_REQUEST_TYPE", Wire, "Bus.Get"),
        ),
        (
            "rpc Bus.Get Open -> Empty",
            "rpc Bus.Get Open -> Open",
            ("RPC_SAME_RESPONSE_TYPE", Wire, "Bus.Get"),
        ),
        (
            "rpc Bus.Get Open -> Empty",
            "rpc Bus.Get stream Open -> Empty",
            ("RPC_SAME_CLIENT_STREAMING", Wire, "Bus.Get"),
        ),
        (
            "rpc Bus.Get Open -> Empty",
            "rpc Bus.Get Open -> stream Empty",
            ("RPC_SAME_SERVER_STREAMING", Wire, "Bus.Get"),
        ),
    ] {
        let (rule, category, what) = expected;
        assert_eq!(
            found(line, now),
            [(rule, category, what.to_owned())],
            "{line} -> {now}"
        );
    }
}

#[test]
fn a_field_with_another_number_is_told_as_that_and_as_gone_from_its_old_one() {
    let found = found(
        "message Open field 2 size uint64",
        "message Open field 20 size uint64",
    );
    let rules: Vec<_> = found.iter().map(|(rule, ..)| *rule).collect();
    assert_eq!(rules, ["FIELD_SAME_NUMBER", "FIELD_NO_DELETE"]);
}

#[test]
fn an_enum_or_a_choice_that_is_gone_is_told() {
    let without = |gone: &str| -> Vec<_> {
        let lines = AGREED.lines().filter(|line| !line.starts_with(gone));
        let now = lines.map(|line| format!("{line}\n")).collect::<String>();
        let now = now.replace(" in start", "");
        breaches(&contract(AGREED), &contract(&now))
            .into_iter()
            .map(|breach| format!("{breach}"))
            .collect()
    };
    let choice = [
        "ONEOF_NO_DELETE (FILE): Open.start",
        "FIELD_SAME_ONEOF (WIRE): Open.time",
        "FIELD_SAME_ONEOF (WIRE): Open.cursor",
    ];
    assert_eq!(without("nothing"), choice);
    assert_eq!(without("enum Kind")[3..], ["ENUM_NO_DELETE (WIRE): Kind"]);
}

#[test]
fn a_line_that_says_nothing_is_an_error() {
    for line in [
        "message",
        "message Open field x name string",
        "enum Kind value 1",
        "rpc Bus.Get Open",
        "?",
    ] {
        assert!(line.parse::<Contract>().is_err(), "{line}");
    }
}
