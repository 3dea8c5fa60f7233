//! The contract as a list that a review can read: every message, field, number and type of `archwire.v1`.
//!
//! A number or type that changes breaks every vendor's program, so it has to show in a diff. After a deliberate change,
//! run the test with `ARCHWIRE_ACCEPT=1` in the environment and look at the difference.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail loudly: that is what it is for"
)]

use archwire_proto::v1::DESCRIPTORS;
use prost::Message as _;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet, field_descriptor_proto::Label};
use std::{env, fs, path::Path};

#[test]
fn the_contract_is_the_one_that_was_agreed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract.txt");
    let contract = contract();
    if env::var_os("ARCHWIRE_ACCEPT").is_some() {
        fs::write(&file, &contract).unwrap();
    }
    let agreed = fs::read_to_string(&file).unwrap();
    assert_eq!(contract, agreed, "archwire.v1 differs from tests/contract.txt");
}

fn contract() -> String {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap().file;
    let mut lines = Vec::new();
    for file in files.iter().filter(|file| file.package() == "archwire.v1") {
        for message in &file.message_type {
            lines.extend(message.field.iter().map(|field| line(message, field)));
        }
        for values in &file.enum_type {
            let value = |value: &prost_types::EnumValueDescriptorProto| {
                format!("enum {} {} {}", values.name(), value.number(), value.name())
            };
            lines.extend(values.value.iter().map(value));
        }
        for service in &file.service {
            let call = |call: &prost_types::MethodDescriptorProto| {
                let stream = |on| if on { "stream " } else { "" };
                let (asks, answers) = (stream(call.client_streaming()), stream(call.server_streaming()));
                let (input, output) = (call.input_type(), call.output_type());
                format!("rpc {} {asks}{input} -> {answers}{output}", call.name())
            };
            lines.extend(service.method.iter().map(call));
        }
    }
    lines.sort();
    lines.join("\n") + "\n"
}

fn line(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let kind = match field.type_name() {
        "" => field
            .r#type()
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_lowercase(),
        name => name.trim_start_matches(".archwire.v1.").to_owned(),
    };
    let label = match (field.label(), field.proto3_optional()) {
        (Label::Repeated, _) => "repeated ",
        (_, true) => "optional ",
        _ => "",
    };
    let choice = if field.oneof_index.is_some() && !field.proto3_optional() {
        " (one of)"
    } else {
        ""
    };
    format!(
        "message {} {:>2} {} {label}{kind}{choice}",
        message.name(),
        field.number(),
        field.name()
    )
}
