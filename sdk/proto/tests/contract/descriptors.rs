//! The contract that the `.proto` files say, from their descriptors.

use crate::model::{Call, Contract, Enum, Field, Label, Message, Reserved, Side};
use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet, field_descriptor_proto,
};

/// The contract of a package.
pub(crate) fn contract(descriptors: &[u8], package: &str) -> Contract {
    let files = FileDescriptorSet::decode(descriptors).unwrap().file;
    let mut contract = Contract::default();
    for file in files.iter().filter(|file| file.package() == package) {
        for message in &file.message_type {
            add(&mut contract, package, "", message);
        }
        for values in &file.enum_type {
            contract
                .enums
                .insert(values.name().to_owned(), enumeration(values));
        }
        for service in &file.service {
            for call in &service.method {
                let side = |is_stream, kind: &str| Side {
                    is_stream,
                    kind: short(package, kind),
                };
                let call_of = Call {
                    asks: side(call.client_streaming(), call.input_type()),
                    answers: side(call.server_streaming(), call.output_type()),
                };
                let name = format!("{}.{}", service.name(), call.name());
                contract.calls.insert(name, call_of);
            }
        }
    }
    contract
}

fn add(contract: &mut Contract, package: &str, outer: &str, message: &DescriptorProto) {
    let name = format!("{outer}{}", message.name());
    let fields = message.field.iter().map(|field| {
        let oneof = field.oneof_index.filter(|_| !field.proto3_optional());
        let oneof = oneof.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
        let field_of = Field {
            name: field.name().to_owned(),
            kind: kind(package, field),
            label: label(field),
            oneof: oneof.map(|oneof| oneof.name().to_owned()),
        };
        (field.number(), field_of)
    });
    // The end of a message's range is the number behind it; an enum's is its last.
    let numbers = message.reserved_range.iter();
    let reserved = Reserved {
        numbers: numbers.map(|range| (range.start(), range.end() - 1)).collect(),
        names: message.reserved_name.iter().cloned().collect(),
    };
    let of = Message {
        fields: fields.collect(),
        reserved,
    };
    contract.messages.insert(name.clone(), of);
    for inner in &message.nested_type {
        add(contract, package, &format!("{name}."), inner);
    }
    for values in &message.enum_type {
        let name = format!("{name}.{}", values.name());
        contract.enums.insert(name, enumeration(values));
    }
}

fn enumeration(values: &EnumDescriptorProto) -> Enum {
    let mut of = Enum::default();
    for value in &values.value {
        let names = of.values.entry(value.number()).or_default();
        names.insert(value.name().to_owned());
    }
    let numbers = values.reserved_range.iter();
    of.reserved = Reserved {
        numbers: numbers.map(|range| (range.start(), range.end())).collect(),
        names: values.reserved_name.iter().cloned().collect(),
    };
    of
}

fn kind(package: &str, field: &FieldDescriptorProto) -> String {
    match field.type_name() {
        "" => {
            let name = field.r#type().as_str_name();
            name.trim_start_matches("TYPE_").to_lowercase()
        }
        name => short(package, name),
    }
}

fn short(package: &str, name: &str) -> String {
    let own = name.strip_prefix(&format!(".{package}."));
    own.unwrap_or(name).to_owned()
}

fn label(field: &FieldDescriptorProto) -> Label {
    match (field.label(), field.proto3_optional()) {
        (field_descriptor_proto::Label::Repeated, _) => Label::Repeated,
        (_, true) => Label::Optional,
        _ => Label::Single,
    }
}
