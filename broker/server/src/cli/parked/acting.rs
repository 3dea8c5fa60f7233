//! `archwire parked redrive | drop`: asks until everything that is meant is done, and says how much that was.

use super::{
    arguments::{DropArgs, RedriveArgs, Which},
    lines::{as_json, write_lines},
};
use crate::cli::{
    asking::{AskError, broker},
    json,
};
use archwire_proto::admin::v1;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Has deliveries tried again. Tells whether all that were meant are.
pub(super) async fn redrive(arguments: RedriveArgs, out: &mut impl Write) -> Result<bool, AskError> {
    let Which { all, dry_run, .. } = arguments.which;
    let mut broker = broker(&arguments.acting.asking).await?;
    let request = v1::RedriveParkedRequest {
        filter: Some(arguments.which.filter()),
        person: arguments.acting.person(),
        dry_run,
        all,
    };
    let mut answer = broker.redrive_parked(request.clone()).await?.into_inner();
    // One call acts on so many; the others are asked for, and never more than there were at first.
    let mut open = answer.left;
    while open > 0 && !dry_run {
        let next = broker.redrive_parked(request.clone()).await?.into_inner();
        answer.count += next.count.min(open);
        open = open.saturating_sub(next.count.max(1)).min(next.left);
    }
    let v1::RedriveParkedResponse {
        count,
        lines,
        left,
        unreachable,
    } = answer;
    let done = Done {
        count: if dry_run { count + left } else { count },
        lines,
        dry_run,
    };
    if arguments.acting.asking.json {
        let mut value = done.as_json();
        if let Some(object) = value.as_object_mut() {
            object.insert("unreachable".to_owned(), unreachable.into());
        }
        json::write(out, &value)?;
    } else {
        done.write(out, "tried again")?;
        if unreachable > 0 {
            writeln!(
                out,
                "{unreachable} cannot be tried again, because the bus writes to no such system: put it back into the \
                 configuration, or drop them"
            )?;
        }
    }
    Ok(unreachable == 0)
}

/// Has deliveries given up.
pub(super) async fn drop_parked(arguments: DropArgs, out: &mut impl Write) -> Result<(), AskError> {
    let Which { all, dry_run, .. } = arguments.which;
    let mut broker = broker(&arguments.acting.asking).await?;
    let request = v1::DropParkedRequest {
        filter: Some(arguments.which.filter()),
        person: arguments.acting.person(),
        reason: arguments.reason,
        dry_run,
        all,
    };
    let mut answer = broker.drop_parked(request.clone()).await?.into_inner();
    let mut open = answer.left;
    while open > 0 && !dry_run {
        let next = broker.drop_parked(request.clone()).await?.into_inner();
        answer.count += next.count.min(open);
        open = open.saturating_sub(next.count.max(1)).min(next.left);
    }
    let v1::DropParkedResponse { count, lines, left } = answer;
    let done = Done {
        count: if dry_run { count + left } else { count },
        lines,
        dry_run,
    };
    if arguments.acting.asking.json {
        json::write(out, &done.as_json())?;
    } else {
        done.write(out, "dropped")?;
    }
    Ok(())
}

/// What was done, or would be.
struct Done {
    count: u64,
    /// The first 1,000.
    lines: Vec<v1::ParkedLine>,
    dry_run: bool,
}

impl Done {
    fn as_json(&self) -> Value {
        json!({
            "count": self.count,
            "dry_run": self.dry_run,
            "deliveries": self.lines.iter().map(as_json).collect::<Vec<_>>(),
        })
    }

    fn write(&self, out: &mut impl Write, what: &str) -> io::Result<()> {
        let Self {
            count,
            lines,
            dry_run,
        } = self;
        if *count == 0 {
            return writeln!(out, "no such delivery is parked");
        }
        let (deliveries, are) = match (count, dry_run) {
            (1, true) => ("1 delivery".to_owned(), "would be"),
            (1, false) => ("1 delivery".to_owned(), "is"),
            (count, true) => (format!("{count} deliveries"), "would be"),
            (count, false) => (format!("{count} deliveries"), "are"),
        };
        if *dry_run {
            write_lines(out, lines)?;
        }
        writeln!(out, "{deliveries} {are} {what}")
    }
}
