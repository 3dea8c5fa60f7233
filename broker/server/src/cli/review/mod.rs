//! `archwire review`: asks the running broker, and writes its answer.

mod arguments;

pub(super) use arguments::ReviewArgs;

use super::{
    asking::{AskError, broker},
    json, show,
    terminal::{Table, message_time, time},
};
use crate::{
    admin::masked,
    wire::{decode_review, read_merge, read_review_kind, read_standing, write_review_kind, write_verdict},
};
use archwire_core::{Merge, PatientId, Side, Standing, Verdict};
use archwire_proto::admin::v1;
use arguments::{DecideArgs, DecideWithArgs, ListArgs, MergeArgs, ReviewCommand, ShowArgs, UnmergeArgs};
use prost::Message as _;
use serde_json::json;
use std::io::Write;

/// Carries out a command; its answer goes to `out`.
pub(super) async fn run(arguments: ReviewArgs, out: &mut impl Write) -> Result<(), AskError> {
    match arguments.command {
        ReviewCommand::List(arguments) => list(arguments, out).await,
        ReviewCommand::Show(arguments) => show_item(arguments, out).await,
        ReviewCommand::Link(arguments) => decide_with(arguments, Verdict::Link, out).await,
        ReviewCommand::NotSame(arguments) => decide_with(arguments, Verdict::NotSame, out).await,
        ReviewCommand::Accept(arguments) => decide(arguments, None, Verdict::Accept, out).await,
        ReviewCommand::Reject(arguments) => decide(arguments, None, Verdict::Reject, out).await,
        ReviewCommand::Merge(arguments) => merge(arguments, out).await,
        ReviewCommand::Unmerge(arguments) => unmerge(arguments, out).await,
    }
}

async fn list(arguments: ListArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ListReviewRequest {
        kind: arguments.kind.map_or(0, |kind| write_review_kind(kind).into()),
        after: arguments.after,
        page_size: arguments.page.limit,
    };
    let answer = broker(&arguments.asking)
        .await?
        .list_review(request)
        .await?
        .into_inner();
    let kinds = answer.lines.iter().map(|line| kind_word(line.kind));
    let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
    let lines = answer.lines.iter().zip(kinds);
    if arguments.asking.json {
        let lines: Vec<_> = lines.map(|(line, kind)| json::review_line(line, kind)).collect();
        let value = json!({"open": answer.open, "more": answer.more, "lines": lines});
        return Ok(json::write(out, &value)?);
    }
    if answer.lines.is_empty() {
        writeln!(out, "no such item is open ({} in all)", answer.open)?;
        return Ok(());
    }
    let mut table = Table::new([8, 19, 20, 12, 25, 5]);
    table.row(["NUMBER", "KIND", "OPENED (UTC)", "SYSTEM", "WHO", "SCORE"]);
    for (line, kind) in lines {
        table.row([
            &line.number.to_string(),
            kind,
            &time(message_time(line.opened_at)),
            line.system.as_deref().unwrap_or("-"),
            &line.masked,
            &line.score_tenths.map_or_else(String::new, show::score),
        ]);
    }
    table.write(out)?;
    writeln!(out, "{} shown, {} open in all", answer.lines.len(), answer.open)?;
    if let Some(last) = answer.lines.last().filter(|_| answer.more) {
        writeln!(out, "for more: --after {}", last.number)?;
    }
    Ok(())
}

fn kind_word(kind: i32) -> Result<&'static str, AskError> {
    match read_review_kind(kind) {
        Ok(Some(kind)) => Ok(kind.as_str()),
        _ => Err(AskError::Answer),
    }
}

async fn show_item(arguments: ShowArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ShowReviewRequest {
        number: arguments.number,
        person: arguments.acting.person(),
    };
    let answer = broker(&arguments.acting.asking)
        .await?
        .show_review(request)
        .await?
        .into_inner();
    let item = answer.item.ok_or(AskError::Answer)?;
    let item = decode_review(item.encode_to_vec().into()).map_err(|_| AskError::Answer)?;
    let views = answer.patients.into_iter().map(view);
    let patients = views.collect::<Result<Vec<_>, _>>()?;
    if arguments.acting.asking.json {
        json::write(out, &json::review_item(&item, &patients))?;
    } else {
        show::item(out, &item, &patients)?;
    }
    Ok(())
}

/// A patient of an answer.
pub(super) fn view(view: v1::PatientView) -> Result<(PatientId, Standing), AskError> {
    let id = view.patient_id.parse().map_err(|_| AskError::Answer)?;
    let standing = view.standing.ok_or(AskError::Answer)?;
    Ok((id, read_standing(standing).map_err(|_| AskError::Answer)?))
}

async fn decide_with(
    arguments: DecideWithArgs,
    verdict: Verdict,
    out: &mut impl Write,
) -> Result<(), AskError> {
    decide(arguments.decide, arguments.with, verdict, out).await
}

async fn decide(
    arguments: DecideArgs,
    with: Option<PatientId>,
    verdict: Verdict,
    out: &mut impl Write,
) -> Result<(), AskError> {
    let number = arguments.number;
    let request = v1::DecideReviewRequest {
        number,
        verdict: write_verdict(verdict).into(),
        with_patient_id: with.map(|id| id.to_string()),
        person: arguments.deciding.acting.person(),
        reason: arguments.deciding.reason,
    };
    let answer = broker(&arguments.deciding.acting.asking)
        .await?
        .decide_review(request)
        .await?
        .into_inner();
    if arguments.deciding.acting.asking.json {
        let value = json!({"number": number, "verdict": verdict.as_str(), "outcome": answer.outcome});
        json::write(out, &value)?;
    } else {
        writeln!(out, "item {number}: {}", answer.outcome)?;
    }
    Ok(())
}

async fn merge(arguments: MergeArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::MergeRequest {
        survivor_id: arguments.survivor.to_string(),
        retired_id: arguments.retired.to_string(),
        person: arguments.deciding.acting.person(),
        reason: arguments.deciding.reason,
        although_not_same: arguments.although_not_same,
        dry_run: arguments.dry_run,
    };
    let asking = &arguments.deciding.acting.asking;
    let answer = broker(asking).await?.merge(request).await?.into_inner();
    let merge = read(answer.merge)?;
    if arguments.dry_run && !asking.json {
        let title = "Nothing is changed yet. Who goes on, and who would be merged into him or her:";
        let sides = [&merge.survivor.before, &merge.retired.before];
        return would_be(out, title, &merge, sides);
    }
    done(out, asking.json, &merge, ["merged:", "into:"])
}

async fn unmerge(arguments: UnmergeArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::UnmergeRequest {
        retired_id: arguments.retired.to_string(),
        person: arguments.deciding.acting.person(),
        reason: arguments.deciding.reason,
        dry_run: arguments.dry_run,
    };
    let asking = &arguments.deciding.acting.asking;
    let answer = broker(asking).await?.unmerge(request).await?.into_inner();
    let merge = read(answer.merge)?;
    if arguments.dry_run && !asking.json {
        let title = "Nothing is changed yet. The two as they would be:";
        let sides = [&merge.survivor.after, &merge.retired.after];
        return would_be(out, title, &merge, sides);
    }
    done(out, asking.json, &merge, ["parted:", "from:"])
}

/// Tells what came of it, in a program's way or in these words.
fn done(out: &mut impl Write, as_json: bool, merge: &Merge, [what, whom]: [&str; 2]) -> Result<(), AskError> {
    if as_json {
        return Ok(json::write(out, &json::merge(merge))?);
    }
    let [retired, survivor] = [&merge.retired, &merge.survivor].map(told);
    writeln!(out, "{what:<8}{retired}\n{whom:<8}{survivor}")?;
    Ok(())
}

/// Lays the two side by side, and tells what would change about the survivor.
fn would_be(
    out: &mut impl Write,
    title: &str,
    merge: &Merge,
    [survivor, retired]: [&Standing; 2],
) -> Result<(), AskError> {
    let Merge {
        survivor: stays,
        retired: goes,
    } = merge;
    writeln!(out, "{title}\n")?;
    show::two(out, (stays.patient_id, survivor), (goes.patient_id, retired))?;
    writeln!(out, "\nWhat would change about {}:\n", stays.patient_id)?;
    show::change(out, &stays.before, &stays.after)?;
    Ok(())
}

fn read(merge: Option<archwire_proto::v1::Merge>) -> Result<Merge, AskError> {
    read_merge(merge.ok_or(AskError::Answer)?).map_err(|_| AskError::Answer)
}

/// Who, for somebody who knows already.
fn told(side: &Side) -> String {
    let revision = side.after.revision.get();
    format!(
        "{} {}, revision {revision}",
        side.patient_id,
        masked(&side.before.patient)
    )
}
