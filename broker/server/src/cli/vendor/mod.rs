//! `archwire vendor`: who may speak to the bus, on what terms, and by which tokens.

mod arguments;

pub(super) use arguments::VendorArgs;

use super::{
    asking::{AskError, broker},
    json,
    terminal::{Table, clean, message_time, time},
};
use archwire_proto::admin::v1;
use arguments::{ListArgs, RevokeArgs, TokenArgs, VendorCommand, VendorOf};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Carries out a command; its answer goes to `out`.
pub(in crate::cli) async fn run(arguments: VendorArgs, out: &mut impl Write) -> Result<(), AskError> {
    match arguments.command {
        VendorCommand::List(arguments) => list(arguments, out).await,
        VendorCommand::Show(arguments) => show(arguments, out).await,
        VendorCommand::Token(arguments) => token(arguments, out).await,
        VendorCommand::Tokens(arguments) => tokens(arguments, out).await,
        VendorCommand::Revoke(arguments) => revoke(arguments, out).await,
    }
}

async fn list(arguments: ListArgs, out: &mut impl Write) -> Result<(), AskError> {
    let mut broker = broker(&arguments.asking).await?;
    let answer = broker.list_vendors(v1::ListVendorsRequest {}).await?.into_inner();
    if arguments.asking.json {
        let vendors: Vec<_> = answer.vendors.iter().map(vendor_json).collect();
        return Ok(json::write(out, &json!({ "vendors": vendors }))?);
    }
    if answer.vendors.is_empty() {
        writeln!(out, "no vendor is in the configuration")?;
        return Ok(());
    }
    let mut table = Table::new([20, 30, 16, 18, 6]);
    table.row(["VENDOR", "WHO", "PURPOSE", "CONTRACT", "TOKENS"]);
    for line in &answer.vendors {
        table.row([
            &line.vendor,
            &line.organization,
            &line.purpose,
            standing(line),
            &line.tokens.to_string(),
        ]);
    }
    Ok(table.write(out)?)
}

async fn show(arguments: VendorOf, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ShowVendorRequest {
        vendor: arguments.vendor.to_string(),
    };
    let mut broker = broker(&arguments.asking).await?;
    let answer = broker.show_vendor(request).await?.into_inner();
    let line = answer.line.unwrap_or_default();
    if arguments.asking.json {
        let statements = answer.statements.into_iter();
        let contract: Map<_, _> = statements
            .map(|v1::Statement { name, text }| (name.replace(' ', "_"), Value::from(text)))
            .collect();
        let value = json!({ "vendor": vendor_json(&line), "contract": contract });
        return Ok(json::write(out, &value)?);
    }
    for v1::Statement { name, text } in &answer.statements {
        writeln!(out, "{name:<14}{}", clean(text))?;
    }
    writeln!(out, "{:<14}{}", "at the moment", standing(&line))?;
    writeln!(
        out,
        "{:<14}{} tokens, {} certificates",
        "let in by", line.tokens, line.certificates
    )?;
    Ok(())
}

async fn token(arguments: TokenArgs, out: &mut impl Write) -> Result<(), AskError> {
    let lasts = arguments.expires.map_or(0, |lasts| lasts.as_secs().max(1));
    let request = v1::MakeTokenRequest {
        vendor: arguments.vendor.to_string(),
        lasts_seconds: lasts,
        person: arguments.acting.person(),
    };
    let asking = &arguments.acting.asking;
    let answer = broker(asking).await?.make_token(request).await?.into_inner();
    let line = answer.line.unwrap_or_default();
    if asking.json {
        let mut value = token_json(&line);
        if let Value::Object(object) = &mut value {
            object.insert("token".to_owned(), Value::from(answer.token));
        }
        return Ok(json::write(out, &value)?);
    }
    writeln!(out, "{}", answer.token)?;
    // So that the token alone is what a program reads that takes it from here.
    eprintln!(
        "This is the only time that the token is shown. {}.",
        lasting(&line)
    );
    Ok(())
}

async fn tokens(arguments: VendorOf, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::ListTokensRequest {
        vendor: arguments.vendor.to_string(),
    };
    let mut broker = broker(&arguments.asking).await?;
    let answer = broker.list_tokens(request).await?.into_inner();
    if arguments.asking.json {
        let value = json!({
            "tokens": answer.tokens.iter().map(token_json).collect::<Vec<_>>(),
            "has_configured": answer.has_configured,
        });
        return Ok(json::write(out, &value)?);
    }
    if answer.tokens.is_empty() {
        writeln!(out, "no token was made for this vendor")?;
    } else {
        write_tokens(out, &answer.tokens)?;
    }
    if answer.has_configured {
        writeln!(out, "the configuration has one too, which is changed there")?;
    }
    Ok(())
}

async fn revoke(arguments: RevokeArgs, out: &mut impl Write) -> Result<(), AskError> {
    let request = v1::RevokeTokenRequest {
        vendor: arguments.vendor.to_string(),
        id: arguments.id,
        person: arguments.acting.person(),
        reason: arguments.reason.unwrap_or_default(),
    };
    let asking = &arguments.acting.asking;
    let answer = broker(asking).await?.revoke_token(request).await?.into_inner();
    let line = answer.line.unwrap_or_default();
    if !answer.is_stored {
        eprintln!(
            "It is revoked, and that could not be stored yet. The broker tries on; see that its disk has room before you start it anew."
        );
    }
    if asking.json {
        return Ok(json::write(out, &token_json(&line))?);
    }
    writeln!(
        out,
        "{} of {} lets nobody in any more",
        clean(&line.id),
        clean(&line.vendor)
    )?;
    Ok(())
}

fn write_tokens(out: &mut impl Write, lines: &[v1::TokenLine]) -> io::Result<()> {
    let mut table = Table::new([12, 20, 20, 30]);
    table.row(["ID", "MADE (UTC)", "EXPIRES (UTC)", ""]);
    for line in lines {
        let expires = line
            .expires_at
            .map_or_else(|| "-".to_owned(), |at| time(message_time(Some(at))));
        let made = time(message_time(line.made_at));
        table.row([&line.id, &made, &expires, &token_standing(line)]);
    }
    table.write(out)
}

fn token_standing(line: &v1::TokenLine) -> String {
    match (line.revoked_at, line.is_good) {
        (Some(at), _) => format!("revoked {}", time(message_time(Some(at)))),
        (None, true) => "good".to_owned(),
        (None, false) => "expired".to_owned(),
    }
}

fn lasting(line: &v1::TokenLine) -> String {
    match line.expires_at {
        Some(at) => format!("It is good until {} UTC", time(message_time(Some(at)))),
        None => "It is good until it is revoked".to_owned(),
    }
}

/// Whether the contract counts at the moment.
fn standing(line: &v1::VendorLine) -> &str {
    match line.not_in_force.as_str() {
        "" => "in force",
        "vendor_suspended" => "suspended",
        "contract_not_begun" => "not begun",
        "contract_ended" => "ended",
        other => other,
    }
}

fn vendor_json(line: &v1::VendorLine) -> Value {
    json::stated(json!({
        "vendor": line.vendor,
        "organization": line.organization,
        "purpose": line.purpose,
        "is_in_force": line.not_in_force.is_empty(),
        "not_in_force": Some(&line.not_in_force).filter(|code| !code.is_empty()),
        "tokens": line.tokens,
        "certificates": line.certificates,
    }))
}

fn token_json(line: &v1::TokenLine) -> Value {
    let at = |time: Option<prost_types::Timestamp>| time.map(|at| json::time(message_time(Some(at))));
    json::stated(json!({
        "vendor": line.vendor,
        "id": line.id,
        "made_at": at(line.made_at),
        "expires_at": at(line.expires_at),
        "revoked_at": at(line.revoked_at),
        "is_good": line.is_good,
    }))
}
