//! `archwire rebuild`: tells how far it is on standard error where that is a terminal, and at the end what came of it.

use super::{
    arguments::RebuildArgs,
    asking::{AskError, broker},
    json,
};
use archwire_proto::admin::v1::{RebuildEnd, RebuildRequest};
use serde_json::json;
use std::io::{self, IsTerminal as _, Write};

/// Rebuilds the index; its answer goes to `out`. Tells whether the index was the same as the one in use.
pub(super) async fn run(arguments: RebuildArgs, out: &mut impl Write) -> Result<bool, AskError> {
    let request = RebuildRequest {
        person: arguments.acting.person(),
    };
    let mut answers = broker(&arguments.acting.asking)
        .await?
        .rebuild(request)
        .await?
        .into_inner();
    let tells = io::stderr().is_terminal();
    let mut end = None;
    while let Some(answer) = answers.message().await? {
        if tells {
            eprint!("\r{} of {} records read", answer.read, answer.of);
        }
        end = answer.end;
    }
    if tells {
        eprintln!();
    }
    let end = end.ok_or(AskError::Broken)?;
    if arguments.acting.asking.json {
        json::write(out, &as_json(&end))?;
    } else {
        write(out, &end)?;
    }
    Ok(end.same)
}

fn as_json(end: &RebuildEnd) -> serde_json::Value {
    json!({
        "patients": end.patients,
        "links": end.links,
        "open_items": end.open_items,
        "digest_before": end.digest_before,
        "digest_after": end.digest_after,
        "same": end.same,
    })
}

fn write(out: &mut impl Write, end: &RebuildEnd) -> io::Result<()> {
    let RebuildEnd {
        patients,
        links,
        open_items,
        digest_before,
        digest_after,
        same,
    } = end;
    writeln!(
        out,
        "{patients} patients, {links} links, {open_items} open review items"
    )?;
    if *same {
        writeln!(out, "the index in use was the same: {digest_after}")
    } else {
        writeln!(
            out,
            "the index in use was NOT the same, and has been replaced; please report it"
        )?;
        writeln!(out, "  in use until now  {digest_before}")?;
        writeln!(out, "  from the log      {digest_after}")
    }
}
