//! `archwire images`: what images the bus has of a patient, what is known of one, its bytes, and the room that all take.

mod arguments;
mod get;

pub(super) use arguments::ImagesArgs;

use super::{
    asking::{AskError, broker},
    image_json, json,
    terminal::{COLUMNS, Table, clean, wrapped},
};
use archwire_proto::admin::v1::{self, Person};
use arguments::{CollectArgs, ImagesCommand, ListArgs, ShowArgs, UsageArgs};
use serde_json::{Value, json};
use std::io::{self, Write};

/// How far the lines below an image's first are set in.
const INDENT: usize = 8;

/// Carries out a command; its answer goes to `out`.
pub(super) async fn run(arguments: ImagesArgs, out: &mut impl Write) -> Result<(), AskError> {
    match arguments.command {
        ImagesCommand::List(arguments) => list(arguments, out).await,
        ImagesCommand::Show(arguments) => show(arguments, out).await,
        ImagesCommand::Get(arguments) => get::get(arguments, out).await,
        ImagesCommand::Collect(arguments) => collect(arguments, out).await,
        ImagesCommand::Usage(arguments) => usage(arguments, out).await,
    }
}

async fn list(arguments: ListArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ListImagesRequest {
        patient_id: arguments.patient.to_string(),
        after: arguments.after.map(|after| after.to_string()).unwrap_or_default(),
        page_size: arguments.page.limit,
    };
    let mut broker = broker(&arguments.asking).await?;
    let answer = broker.list_images(request).await?.into_inner();
    if arguments.asking.json {
        let value = json!({
            "count": answer.count,
            "more": answer.more,
            "images": answer.lines.iter().map(as_json).collect::<Vec<_>>(),
        });
        return Ok(json::write(out, &value)?);
    }
    answer.lines.iter().try_for_each(|line| write(out, line))?;
    writeln!(out, "{} shown, {} in all", answer.lines.len(), answer.count)?;
    if let Some(last) = answer.lines.last().filter(|_| answer.more) {
        writeln!(out, "for more: --after {}", clean(&last.image))?;
    }
    Ok(())
}

fn write(out: &mut impl Write, line: &v1::ImageLine) -> io::Result<()> {
    let kind = [line.modality.as_deref(), Some(line.content_type.as_str())];
    let kind: Vec<_> = kind.into_iter().flatten().collect();
    let retracted = if line.retracted { ", retracted" } else { "" };
    let (image, kind, size) = (clean(&line.image), clean(&kind.join(" ")), bytes(line.size));
    writeln!(out, "{image}  {kind}, {size}{retracted}")?;
    for (name, words) in [
        ("views", line.views.join(", ")),
        ("sha-256", hex::encode(&line.sha256)),
        ("told by", line.system.clone().unwrap_or_default()),
        ("warnings", line.warnings.join(", ")),
    ] {
        if !words.is_empty() {
            for line in wrapped(&format!("{name}: {}", clean(&words)), COLUMNS - INDENT) {
                writeln!(out, "{:INDENT$}{line}", "")?;
            }
        }
    }
    Ok(())
}

/// A line of the list.
fn as_json(line: &v1::ImageLine) -> Value {
    json::stated(json!({
        "image": line.image,
        "content_type": line.content_type,
        "size": line.size,
        "sha256": hex::encode(&line.sha256),
        "modality": line.modality,
        "views": line.views,
        "system": line.system,
        "warnings": line.warnings,
        "retracted": line.retracted,
    }))
}

async fn show(arguments: ShowArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ShowImageRequest {
        image: arguments.image.to_string(),
        person: arguments.acting.person(),
        look: arguments.look,
    };
    let mut broker = broker(&arguments.acting.asking).await?;
    let answer = broker.show_image(request).await?.into_inner();
    let news = image_json::image_news(answer.news.as_ref().ok_or(AskError::Answer)?);
    if arguments.acting.asking.json {
        let value = json!({
            "patient_id": answer.patient_id,
            "retracted": answer.retracted,
            "news": news,
            "copies": answer.copies.iter().map(copy_as_json).collect::<Vec<_>>(),
        });
        return Ok(json::write(out, &value)?);
    }
    let mut table = Table::new([20, 78]);
    table.row(["patient", &answer.patient_id]);
    if answer.retracted {
        table.row(["retracted", "yes: it is the patient's no more"]);
    }
    rows(&mut table, &news);
    for copy in &answer.copies {
        table.row([&format!("in {}", copy.system), &in_words(copy)]);
    }
    Ok(table.write(out)?)
}

/// What a system has of an image.
fn copy_as_json(copy: &v1::CopyOfImage) -> Value {
    json::stated(json!({
        "system": copy.system,
        "local_id": copy.local_id,
        "state": copy.state,
        "shows": copy.shows,
    }))
}

fn in_words(copy: &v1::CopyOfImage) -> String {
    let named = copy.local_id.as_ref().map(|id| format!(", as {id}"));
    let shows = copy.shows.as_ref().map(|shows| format!("; shows now: {shows}"));
    let (named, shows) = (named.unwrap_or_default(), shows.unwrap_or_default());
    format!("{}{named}{shows}", copy.state)
}

/// A row for everything that is stated.
fn rows(table: &mut Table<2>, value: &Value) {
    let Some(fields) = value.as_object() else { return };
    for (name, value) in fields {
        match value {
            Value::Object(_) if name == "image" => rows(table, value),
            Value::String(text) => table.row([name, text]),
            value => table.row([name, &value.to_string()]),
        }
    }
}

async fn collect(arguments: CollectArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::CollectImagesRequest {
        person: arguments.by.map(|name| Person { name }),
        dry_run: arguments.dry_run,
    };
    let mut broker = broker(&arguments.asking).await?;
    let answer = broker.collect_images(request).await?.into_inner();
    if arguments.asking.json {
        let value = json!({
            "images": answer.images,
            "uploads": answer.uploads,
            "bytes": answer.bytes,
            "dry_run": arguments.dry_run,
        });
        return Ok(json::write(out, &value)?);
    }
    let what = if arguments.dry_run {
        "would be removed"
    } else {
        "were removed"
    };
    let v1::CollectImagesResponse { images, uploads, .. } = answer;
    writeln!(
        out,
        "{images} images that nobody has and {uploads} uploads without an end {what}: {}",
        bytes(answer.bytes)
    )?;
    Ok(())
}

async fn usage(arguments: UsageArgs, out: &mut impl Write) -> Result<(), AskError> {
    let mut broker = broker(&arguments.asking).await?;
    let usage = broker
        .get_image_usage(v1::GetImageUsageRequest {})
        .await?
        .into_inner();
    if arguments.asking.json {
        let value = json!({
            "images": usage.images,
            "bytes": usage.bytes,
            "max_bytes": usage.max_bytes,
            "largest": usage.largest,
            "free_bytes": usage.free_bytes,
            "keep_free_bytes": usage.keep_free_bytes,
        });
        return Ok(json::write(out, &json::stated(value))?);
    }
    let mut table = Table::new([20, 78]);
    table.row(["images", &usage.images.to_string()]);
    table.row([
        "room taken",
        &format!("{} of {}", bytes(usage.bytes), bytes(usage.max_bytes)),
    ]);
    table.row(["one has at most", &bytes(usage.largest)]);
    if let Some(free) = usage.free_bytes {
        let left = bytes(usage.keep_free_bytes);
        table.row([
            "free on the disk",
            &format!("{}, of which images leave {left}", bytes(free)),
        ]);
    }
    Ok(table.write(out)?)
}

/// A number of bytes as people read it.
fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
    ];
    match UNITS.iter().find(|(_, unit)| count >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", count / unit, count % unit * 10 / unit),
        None => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_people_read_them() {
        for (count, words) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(bytes(count), words);
        }
    }

    #[test]
    fn an_image_is_listed_within_the_terminal_and_steers_it_no_more_than_a_name() {
        let line = v1::ImageLine {
            image: "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001/7".to_owned(),
            content_type: "application/dicom".to_owned(),
            modality: Some("D\u{1b}X".to_owned()),
            size: 8 << 20,
            sha256: vec![7; 32].into(),
            views: vec!["99ADA1100:EV19".to_owned(); 16],
            ..v1::ImageLine::default()
        };
        let mut out = Vec::new();
        write(&mut out, &line).unwrap();
        let said = String::from_utf8(out).unwrap();
        let first = "019a8f30-8d5e-7c31-b5a5-02d1f0a4c001/7  D\\u{1b}X application/dicom, 8.0 MiB\n";
        assert!(said.starts_with(first), "{said}");
        assert!(said.lines().all(|line| line.len() <= COLUMNS), "{said}");
    }
}
