//! `archwire reload`: what the broker makes of its configuration, in words.

use super::{
    arguments::ReloadArgs,
    asking::{AskError, broker},
    json,
    terminal::clean,
};
use archwire_proto::admin::v1;
use serde_json::{Value, json};
use std::io::{self, Write};

/// What came of it.
pub(super) enum Told {
    /// All of it counts.
    Counts,
    /// Some of it counts at the next start.
    Restart,
    /// It cannot be taken.
    Refused,
}

/// Has the configuration read; what came of it goes to `out`.
pub(super) async fn run(arguments: ReloadArgs, out: &mut impl Write) -> Result<Told, AskError> {
    let is_trial = arguments.dry_run;
    let request = v1::ReloadConfigurationRequest { trial: is_trial };
    let mut broker = broker(&arguments.asking).await?;
    let answer = broker.reload_configuration(request).await?.into_inner();
    if arguments.asking.json {
        json::write(out, &as_json(&answer, is_trial))?;
    } else {
        write(out, &answer, is_trial)?;
    }
    Ok(match answer.is_taken {
        false => Told::Refused,
        true if answer.restart_keys.is_empty() => Told::Counts,
        true => Told::Restart,
    })
}

fn write(out: &mut impl Write, answer: &v1::ReloadConfigurationResponse, is_trial: bool) -> io::Result<()> {
    let file = clean(&answer.file);
    let counts = match (answer.is_taken, is_trial) {
        (true, false) => format!("{file} counts now"),
        (true, true) => format!("{file} can be taken; nothing was changed"),
        (false, false) => format!("{file} cannot be taken"),
        (false, true) => format!("{file} cannot be taken; nothing was changed"),
    };
    writeln!(out, "{counts}")?;
    for problem in &answer.problems {
        write_problem(out, problem)?;
    }
    write_keys(
        out,
        match is_trial {
            true => "would count at once",
            false => "said otherwise, and counts",
        },
        &answer.live_keys,
    )?;
    write_keys(
        out,
        "counts at the next start of the broker",
        &answer.restart_keys,
    )?;
    if answer.is_taken && answer.vendors.is_empty() {
        writeln!(out, "nothing is different for any vendor")?;
    }
    for vendor in &answer.vendors {
        write_vendor(out, vendor)?;
    }
    Ok(())
}

fn write_keys(out: &mut impl Write, what: &str, keys: &[String]) -> io::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    writeln!(out, "{what}:")?;
    keys.iter().try_for_each(|key| writeln!(out, "  {}", clean(key)))
}

fn write_vendor(out: &mut impl Write, vendor: &v1::VendorChange) -> io::Result<()> {
    let what = match vendor.change.as_str() {
        "added" => "is new",
        "removed" => "is let in no more, and its tokens are revoked",
        "narrowed" => "keeps only what is still granted, although the file cannot be taken",
        _ => "is let in on other terms",
    };
    writeln!(out, "{} {what}", clean(&vendor.vendor))?;
    let of_removed = vendor.change == "removed";
    let statements = vendor.statements.iter().filter(|_| !of_removed);
    for v1::ChangedStatement { name, before, after } in statements.filter(|said| said.name != "digest") {
        match before.is_empty() {
            true => writeln!(out, "  {name:<14}{}", clean(after))?,
            false => {
                writeln!(out, "  {name:<14}{}", clean(before))?;
                writeln!(out, "  {:<11}-> {}", "", clean(after))?;
            }
        }
    }
    if vendor.has_other_credentials {
        writeln!(out, "  {:<14}another one, or other certificates", "token")?;
    }
    Ok(())
}

fn write_problem(out: &mut impl Write, problem: &v1::ConfigurationProblem) -> io::Result<()> {
    writeln!(out, "{}:", clean(&problem.place))?;
    let key = match problem.key.is_empty() {
        true => String::new(),
        false => format!("{}: ", clean(&problem.key)),
    };
    writeln!(out, "  {key}{}", clean(&problem.what))?;
    match problem.way_out.is_empty() {
        true => Ok(()),
        false => writeln!(out, "  -> {}", clean(&problem.way_out)),
    }
}

fn as_json(answer: &v1::ReloadConfigurationResponse, is_trial: bool) -> Value {
    let vendors = answer.vendors.iter().map(|vendor| {
        let statements = vendor.statements.iter();
        let statements = statements.map(|said| {
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            json!({ "name": said.name, "before": text(&said.before), "after": text(&said.after) })
        });
        json!({
            "vendor": vendor.vendor,
            "change": vendor.change,
            "statements": statements.collect::<Vec<_>>(),
            "has_other_credentials": vendor.has_other_credentials,
        })
    });
    let problems = answer.problems.iter().map(|problem| {
        json!({
            "place": problem.place,
            "key": problem.key,
            "code": problem.code,
            "what": problem.what,
            "way_out": Some(&problem.way_out).filter(|text| !text.is_empty()),
        })
    });
    json::stated(json!({
        "file": answer.file,
        "is_taken": answer.is_taken,
        "is_trial": is_trial,
        "live_keys": answer.live_keys,
        "restart_keys": answer.restart_keys,
        "vendors": vendors.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    }))
}
