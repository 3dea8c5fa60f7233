//! `archwire parked`: the deliveries that wait for a person.

mod acting;
mod arguments;
mod lines;
mod show;

pub(super) use arguments::ParkedArgs;

use super::{
    asking::{AskError, broker},
    json,
};
use crate::parked::Cargo;
use acting::{drop_parked, redrive};
use archwire_proto::admin::v1;
use arguments::{ListArgs, ParkedCommand, ShowArgs, filter};
use lines::{as_json, cargo, write_lines};
use serde_json::json;
use std::io::Write;

/// Carries out a command; its answer goes to `out`. Tells whether everything that was meant was done.
pub(in crate::cli) async fn run(arguments: ParkedArgs, out: &mut impl Write) -> Result<bool, AskError> {
    match arguments.command {
        ParkedCommand::List(arguments) => list(arguments, out).await.map(|()| true),
        ParkedCommand::Show(arguments) => show(arguments, out).await.map(|()| true),
        ParkedCommand::Redrive(arguments) => redrive(arguments, out).await,
        ParkedCommand::Drop(arguments) => drop_parked(arguments, out).await.map(|()| true),
    }
}

async fn list(arguments: ListArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ListParkedRequest {
        filter: Some(filter(
            arguments.system,
            arguments.patient.map(Cargo::Record),
            arguments.narrowing,
        )),
        after: arguments.after.map(|key| key.to_string()).unwrap_or_default(),
        page_size: arguments.page.limit,
    };
    let answer = broker(&arguments.asking)
        .await?
        .list_parked(request)
        .await?
        .into_inner();
    if arguments.asking.json {
        let value = json!({
            "count": answer.count,
            "more": answer.more,
            "deliveries": answer.lines.iter().map(as_json).collect::<Vec<_>>(),
        });
        return Ok(json::write(out, &value)?);
    }
    if answer.lines.is_empty() {
        writeln!(out, "no such delivery is parked")?;
        return Ok(());
    }
    write_lines(out, &answer.lines)?;
    writeln!(out, "{} shown, {} in all", answer.lines.len(), answer.count)?;
    if let Some(last) = answer.lines.last().filter(|_| answer.more) {
        let cargo = cargo(last).replace('/', ".");
        writeln!(out, "for more: --after {}.{cargo}", last.system)?;
    }
    Ok(())
}

async fn show(arguments: ShowArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ShowParkedRequest {
        system: arguments.system.to_string(),
        patient_id: arguments.cargo.patient().to_string(),
        image_id: arguments
            .cargo
            .image()
            .map(|image| image.to_string())
            .unwrap_or_default(),
        person: arguments.acting.person(),
    };
    let answer = broker(&arguments.acting.asking)
        .await?
        .show_parked(request)
        .await?
        .into_inner();
    show::write(out, answer, arguments.acting.asking.json)
}
