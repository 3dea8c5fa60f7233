//! The page: calls first, then the messages and enums in the order of the files.

use crate::{
    comments::{CALLS, Comments, ENUMS, FIELDS, MESSAGES, SERVICES, VALUES},
    text::{cell, paragraphs},
};
use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::Label,
};
use std::{collections::BTreeSet, fmt};

/// What is sent as bytes, so that no type leads to it.
const SERIALISED: [&str; 1] = ["Event"];

pub(crate) struct Page {
    files: Vec<FileDescriptorProto>,
    package: String,
    /// Messages and enums that a vendor meets.
    met: BTreeSet<String>,
}

impl Page {
    pub(crate) fn of(descriptors: &[u8], package: &str) -> Self {
        let mut files = FileDescriptorSet::decode(descriptors).unwrap().file;
        files.retain(|file| file.package() == package);
        // The calls first, then as the files need one another.
        files.sort_by_key(|file| (file.service.is_empty(), file.name().to_owned()));
        let mut page = Self {
            files,
            package: package.to_owned(),
            met: BTreeSet::new(),
        };
        let calls = page
            .files
            .iter()
            .flat_map(|file| &file.service)
            .flat_map(|service| &service.method);
        let mut next: Vec<String> = calls
            .flat_map(|call| [call.input_type(), call.output_type()])
            .filter_map(|kind| page.own(kind))
            .chain(SERIALISED.map(ToOwned::to_owned))
            .collect();
        while let Some(kind) = next.pop() {
            if page.met.insert(kind.clone()) {
                let messages = page.files.iter().flat_map(|file| &file.message_type);
                let fields = messages
                    .filter(|message| message.name() == kind)
                    .flat_map(|message| &message.field);
                next.extend(fields.filter_map(|field| page.own(field.type_name())));
            }
        }
        page
    }

    /// The name of a type of the package.
    fn own(&self, kind: &str) -> Option<String> {
        let own = kind.strip_prefix(&format!(".{}.", self.package));
        own.map(ToOwned::to_owned)
    }

    /// What has no comment: calls, messages, enums and fields.
    pub(crate) fn undocumented(&self) -> Vec<String> {
        let mut found = Vec::new();
        for file in &self.files {
            let comments = Comments::of(file);
            let mut look = |place: &[i32], what: String| {
                if comments.at(place).trim().is_empty() {
                    found.push(what);
                }
            };
            for (at, service) in (0..).zip(&file.service) {
                look(&[SERVICES, at], service.name().to_owned());
                for (call_at, call) in (0..).zip(&service.method) {
                    look(&[SERVICES, at, CALLS, call_at], call.name().to_owned());
                }
            }
            for (at, message) in self.messages(file) {
                for (field_at, field) in (0..).zip(&message.field) {
                    let what = format!("{}.{}", message.name(), field.name());
                    look(&[MESSAGES, at, FIELDS, field_at], what);
                }
            }
        }
        found
    }

    fn messages<'a>(
        &'a self,
        file: &'a FileDescriptorProto,
    ) -> impl Iterator<Item = (i32, &'a DescriptorProto)> {
        let all = (0..).zip(&file.message_type);
        all.filter(|(_, message)| self.met.contains(message.name()))
    }

    fn enums<'a>(
        &'a self,
        file: &'a FileDescriptorProto,
    ) -> impl Iterator<Item = (i32, &'a EnumDescriptorProto)> {
        let all = (0..).zip(&file.enum_type);
        all.filter(|(_, values)| self.met.contains(values.name()))
    }

    /// A type, with a link where the page tells of it.
    fn linked(&self, kind: &str) -> String {
        match self.own(kind) {
            Some(own) => format!("[{own}](#{})", own.to_lowercase()),
            None => format!("`{}`", kind.trim_start_matches('.')),
        }
    }

    fn kind(&self, message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
        let kind = match field.type_name() {
            "" => {
                let name = field.r#type().as_str_name();
                format!("`{}`", name.trim_start_matches("TYPE_").to_lowercase())
            }
            name => self.linked(name),
        };
        let oneof = field
            .oneof_index
            .and_then(|at| message.oneof_decl.get(usize::try_from(at).ok()?));
        match (field.label(), field.proto3_optional(), oneof) {
            (Label::Repeated, ..) => format!("repeated {kind}"),
            (_, true, _) => format!("optional {kind}"),
            (_, _, Some(oneof)) => format!("{kind}, one of `{}`", oneof.name()),
            _ => kind,
        }
    }

    fn calls(&self, out: &mut fmt::Formatter<'_>, file: &FileDescriptorProto) -> fmt::Result {
        let comments = Comments::of(file);
        for (at, service) in (0..).zip(&file.service) {
            writeln!(out, "\n## Service {}\n", service.name())?;
            writeln!(out, "{}", paragraphs(comments.at(&[SERVICES, at])))?;
            for (call_at, call) in (0..).zip(&service.method) {
                let stream = |is_stream| if is_stream { "stream of " } else { "" };
                writeln!(out, "\n### {}\n", call.name())?;
                writeln!(
                    out,
                    "Takes a {}{}, answers with a {}{}.\n",
                    stream(call.client_streaming()),
                    self.linked(call.input_type()),
                    stream(call.server_streaming()),
                    self.linked(call.output_type())
                )?;
                writeln!(
                    out,
                    "{}",
                    paragraphs(comments.at(&[SERVICES, at, CALLS, call_at]))
                )?;
            }
        }
        Ok(())
    }

    fn message(
        &self,
        out: &mut fmt::Formatter<'_>,
        comments: &Comments<'_>,
        at: i32,
        message: &DescriptorProto,
    ) -> fmt::Result {
        heading(out, message.name(), comments.at(&[MESSAGES, at]))?;
        if message.field.is_empty() {
            return writeln!(out, "\nHas no fields.");
        }
        writeln!(out, "\n| Number | Field | Type | Meaning |\n|---|---|---|---|")?;
        for (field_at, field) in (0..).zip(&message.field) {
            let meaning = cell(comments.at(&[MESSAGES, at, FIELDS, field_at]));
            let (number, name) = (field.number(), field.name());
            writeln!(
                out,
                "| {number} | `{name}` | {} | {meaning} |",
                self.kind(message, field)
            )?;
        }
        Ok(())
    }
}

fn heading(out: &mut fmt::Formatter<'_>, name: &str, comment: &str) -> fmt::Result {
    writeln!(out, "\n### {name}")?;
    match paragraphs(comment) {
        said if said.is_empty() => Ok(()),
        said => writeln!(out, "\n{said}"),
    }
}

fn enumeration(
    out: &mut fmt::Formatter<'_>,
    comments: &Comments<'_>,
    at: i32,
    values: &EnumDescriptorProto,
) -> fmt::Result {
    heading(out, values.name(), comments.at(&[ENUMS, at]))?;
    writeln!(out, "\n| Number | Value | Meaning |\n|---|---|---|")?;
    for (value_at, value) in (0..).zip(&values.value) {
        let meaning = cell(comments.at(&[ENUMS, at, VALUES, value_at]));
        writeln!(out, "| {} | `{}` | {meaning} |", value.number(), value.name())?;
    }
    Ok(())
}

impl fmt::Display for Page {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "# Reference of {}\n", self.package)?;
        writeln!(
            out,
            "Every call of the bus, and every message that one of them or an event leads to. Made of the comments in\n\
             [the `.proto` files](proto/proto/archwire/v1) by `cargo xtask reference`; how to use it all says the [guide](README.md)."
        )?;
        for file in &self.files {
            self.calls(out, file)?;
        }
        for file in &self.files {
            let comments = Comments::of(file);
            if self.messages(file).next().is_none() && self.enums(file).next().is_none() {
                continue;
            }
            let name = file.name().rsplit('/').next().unwrap_or_default();
            writeln!(out, "\n## Messages of {name}")?;
            for (at, message) in self.messages(file) {
                self.message(out, &comments, at, message)?;
            }
            for (at, values) in self.enums(file) {
                enumeration(out, &comments, at, values)?;
            }
        }
        Ok(())
    }
}
