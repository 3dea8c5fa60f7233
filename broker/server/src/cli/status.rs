//! `archwire status`: how the bus and each system are, at a glance, and what needs a person.

use super::{
    arguments::Asking,
    asking::{AskError, broker},
    json,
    terminal::{Table, message_time, time},
};
use archwire_proto::admin::v1::{AccountStatus, GetStatusRequest, GetStatusResponse, SystemStatus};
use clap::Args;
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    time::{Duration, SystemTime},
};

/// The breaker of a system that is called, and of one that was left alone and answers again.
const CLOSED: &str = "closed";
const HALF_OPEN: &str = "half-open";

#[derive(Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) asking: Asking,
}

/// Asks how the bus is; its answer goes to `out`. Tells whether nothing needs a person.
pub(super) async fn run(arguments: StatusArgs, out: &mut impl Write) -> Result<bool, AskError> {
    let status = broker(&arguments.asking)
        .await?
        .get_status(GetStatusRequest {})
        .await?
        .into_inner();
    let attention = attention(&status);
    if arguments.asking.json {
        json::write(out, &as_json(&status, &attention))?;
    } else {
        write(out, &status, &attention)?;
    }
    Ok(attention.is_empty())
}

/// What needs a person, and the way out. Items of the review are everyday work, and not among it.
fn attention(status: &GetStatusResponse) -> Vec<String> {
    let mut attention = Vec::new();
    if !status.is_log_connected {
        attention.push("the log's server is not connected: nothing is taken until it is".to_owned());
    }
    for system in &status.systems {
        let name = &system.system;
        if system.breaker != CLOSED {
            let why = system.breaker_reason.as_deref().unwrap_or("not known");
            let since = system.breaker_since.map(|since| message_time(Some(since)));
            let since = since.map_or_else(String::new, |since| format!(" since {} UTC", time(since)));
            attention.push(match system.breaker == HALF_OPEN {
                true => format!(
                    "{name} answers again, in trouble{since}, reason {why}: it is written to by one at a time until that comes about"
                ),
                false => format!(
                    "{name} is left alone{since}, reason {why}: it is called again as soon as it answers"
                ),
            });
        }
        if let (Some(reason), CLOSED) = (&system.images_breaker_reason, system.breaker.as_str()) {
            let since = time(message_time(system.images_breaker_since));
            attention.push(format!(
                "{name} takes no images since {since} UTC, reason {reason}: they are brought as soon as it does"
            ));
        }
        if system.parked > 0 {
            let parked = system.parked;
            attention.push(format!(
                "{name}: {parked} parked, see `archwire parked list --system {name}`"
            ));
        }
    }
    if status.parked_elsewhere > 0 {
        let parked = status.parked_elsewhere;
        attention.push(format!(
            "{parked} parked for systems that are not configured, see `archwire parked list`"
        ));
    }
    attention
}

fn write(out: &mut impl Write, status: &GetStatusResponse, attention: &[String]) -> io::Result<()> {
    let GetStatusResponse {
        practice,
        version,
        patients,
        log_sequence,
        open_reviews,
        ..
    } = status;
    let running = SystemTime::now().duration_since(message_time(status.started_at));
    let running = rounded(running.unwrap_or_default());
    let log = match status.is_log_connected {
        true => "connected",
        false => "NOT CONNECTED",
    };
    let mut table = Table::new([8, 90]);
    table.row(["practice", practice]);
    table.row(["broker", &format!("version {version}, running for {running}")]);
    table.row([
        "log",
        &format!("{log}, {log_sequence} records, {patients} patients"),
    ]);
    table.row(["review", &format!("{open_reviews} open")]);
    table.write(out)?;
    if !status.systems.is_empty() {
        writeln!(out)?;
        systems(out, &status.systems)?;
    }
    if !status.accounts.is_empty() {
        writeln!(out)?;
        accounts(out, &status.accounts)?;
    }
    if !attention.is_empty() {
        writeln!(out, "\nThis needs a person:")?;
        let mut table = Table::new([1, 97]);
        attention.iter().for_each(|words| table.row(["!", words]));
        table.write(out)?;
    }
    Ok(())
}

fn systems(out: &mut impl Write, systems: &[SystemStatus]) -> io::Result<()> {
    let mut table = Table::new([16, 9, 20, 9, 9, 6, 19]);
    table.row([
        "SYSTEM",
        "BREAKER",
        "BEHIND",
        "LANES",
        "IMAGES",
        "PARKED",
        "READ (UTC)",
    ]);
    for system in systems {
        let polled = system.polled_at.map(|at| time(message_time(Some(at))));
        table.row([
            &system.system,
            &system.breaker,
            &behind(system),
            &lanes(system),
            &images(system),
            &system.parked.to_string(),
            polled.as_deref().unwrap_or("-"),
        ]);
    }
    table.write(out)?;
    writeln!(
        out,
        "lanes and images: in work / waiting / waiting after a failed attempt"
    )
}

fn behind(system: &SystemStatus) -> String {
    match (system.delivers, system.patients_behind) {
        (false, _) if system.delivers_images => "images only".to_owned(),
        (false, _) => "not written to".to_owned(),
        (true, 0) => "-".to_owned(),
        (true, patients) => {
            let seconds = Duration::try_from_secs_f64(system.seconds_behind).unwrap_or_default();
            format!("{patients} patients, {}", rounded(seconds))
        }
    }
}

fn lanes(system: &SystemStatus) -> String {
    let SystemStatus {
        lanes_working,
        lanes_waiting,
        lanes_backing_off,
        ..
    } = system;
    format!("{lanes_working}/{lanes_waiting}/{lanes_backing_off}")
}

fn images(system: &SystemStatus) -> String {
    let SystemStatus {
        delivers_images,
        images_working,
        images_waiting,
        images_backing_off,
        ..
    } = system;
    match delivers_images {
        true => format!("{images_working}/{images_waiting}/{images_backing_off}"),
        false => "-".to_owned(),
    }
}

fn accounts(out: &mut impl Write, accounts: &[AccountStatus]) -> io::Result<()> {
    let mut table = Table::new([20, 12, 12, 6, 20]);
    table.row(["ACCOUNT", "SPACING", "PAUSED", "TAKEN", "WAITING"]);
    for account in accounts {
        let paused = Duration::from_millis(account.paused_ms);
        let paused = Some(paused).filter(|paused| !paused.is_zero()).map(rounded);
        let waiting = format!(
            "{}/{}/{}",
            account.waiting_interactive, account.waiting_live, account.waiting_backfill
        );
        table.row([
            &account.account,
            &humantime::format_duration(Duration::from_millis(account.spacing_ms)).to_string(),
            paused.as_deref().unwrap_or("-"),
            &account.taken.to_string(),
            &waiting,
        ]);
    }
    table.write(out)?;
    writeln!(out, "waiting: interactive / live / backfill")
}

/// A time span in its two largest units.
fn rounded(span: Duration) -> String {
    let whole = humantime::format_duration(Duration::from_secs(span.as_secs())).to_string();
    whole.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn as_json(status: &GetStatusResponse, attention: &[String]) -> Value {
    json!({
        "in_order": attention.is_empty(),
        "attention": attention,
        "practice": status.practice,
        "version": status.version,
        "started_at": json::time(message_time(status.started_at)),
        "is_log_connected": status.is_log_connected,
        "patients": status.patients,
        "log_sequence": status.log_sequence,
        "open_reviews": status.open_reviews,
        "systems": status.systems.iter().map(system_json).collect::<Vec<_>>(),
        "accounts": status.accounts.iter().map(account_json).collect::<Vec<_>>(),
        "parked_elsewhere": status.parked_elsewhere,
    })
}

fn system_json(system: &SystemStatus) -> Value {
    let at = |at: Option<prost_types::Timestamp>| at.map(|at| json::time(message_time(Some(at))));
    json::stated(json!({
        "system": system.system,
        "connector": system.connector,
        "connector_version": system.connector_version,
        "breaker": system.breaker,
        "breaker_reason": system.breaker_reason,
        "breaker_since": at(system.breaker_since),
        "seconds_behind": system.seconds_behind,
        "patients_behind": system.patients_behind,
        "lanes_working": system.lanes_working,
        "lanes_waiting": system.lanes_waiting,
        "lanes_backing_off": system.lanes_backing_off,
        "parked": system.parked,
        "polled_at": at(system.polled_at),
        "account": system.account,
        "delivers": system.delivers,
        "delivers_images": system.delivers_images,
        "images_working": system.images_working,
        "images_waiting": system.images_waiting,
        "images_backing_off": system.images_backing_off,
        "images_breaker_reason": system.images_breaker_reason,
        "images_breaker_since": at(system.images_breaker_since),
    }))
}

fn account_json(account: &AccountStatus) -> Value {
    json!({
        "account": account.account,
        "spacing_ms": account.spacing_ms,
        "paused_ms": account.paused_ms,
        "taken": account.taken,
        "waiting_interactive": account.waiting_interactive,
        "waiting_live": account.waiting_live,
        "waiting_backfill": account.waiting_backfill,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(name: &str) -> SystemStatus {
        SystemStatus {
            system: name.to_owned(),
            breaker: CLOSED.to_owned(),
            delivers: true,
            ..SystemStatus::default()
        }
    }

    fn healthy() -> GetStatusResponse {
        GetStatusResponse {
            practice: "maple-street".to_owned(),
            is_log_connected: true,
            open_reviews: 7,
            systems: vec![system("front-desk"), system("archive")],
            ..GetStatusResponse::default()
        }
    }

    #[test]
    fn everyday_work_is_in_order() {
        let mut status = healthy();
        status.systems[0].patients_behind = 12;
        status.systems[0].lanes_backing_off = 1;
        assert!(attention(&status).is_empty());
    }

    #[test]
    fn what_needs_a_person_is_said_with_a_way_out() {
        let mut status = healthy();
        status.systems[0].parked = 3;
        status.systems[1].breaker = "open".to_owned();
        status.systems[1].breaker_reason = Some("key-refused".to_owned());
        status.is_log_connected = false;
        status.parked_elsewhere = 1;
        let attention = attention(&status);
        assert_eq!(attention.len(), 4);
        for word in [
            "archwire parked list --system front-desk",
            "key-refused",
            "not connected",
            "not configured",
        ] {
            assert!(
                attention.iter().any(|words| words.contains(word)),
                "{attention:?}"
            );
        }
        let mut out = Vec::new();
        write(&mut out, &status, &attention).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.lines().all(|line| line.len() <= 100), "{out}");
    }

    #[test]
    fn spans_are_told_in_two_units() {
        assert_eq!(rounded(Duration::from_millis(93_784_500)), "1day 2h");
        assert_eq!(rounded(Duration::from_millis(1500)), "1s");
        assert_eq!(rounded(Duration::ZERO), "0s");
    }

    #[test]
    fn a_system_that_is_tried_again_is_told_from_one_that_is_left_alone() {
        let words = |breaker: &str| {
            let system = SystemStatus {
                system: "front-desk".to_owned(),
                breaker: breaker.to_owned(),
                breaker_reason: Some("key-refused".to_owned()),
                ..SystemStatus::default()
            };
            let status = GetStatusResponse {
                is_log_connected: true,
                systems: vec![system],
                ..GetStatusResponse::default()
            };
            attention(&status).join("\n")
        };
        assert!(words("open").contains("front-desk is left alone"));
        let tried = words("half-open");
        assert!(
            tried.contains("front-desk answers again") && tried.contains("key-refused"),
            "{tried}"
        );
        assert!(!tried.contains("left alone"), "{tried}");
        assert_eq!(words("closed"), "");
    }
}
