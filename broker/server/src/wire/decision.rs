//! Decisions: what a person said of a review item.

use super::{
    WireError, timestamp,
    view::{read_required_time, read_text},
};
use archwire_core::{Decision, Verdict};
use archwire_proto::v1;

/// Writes a verdict.
#[must_use]
pub fn write_verdict(verdict: Verdict) -> v1::Verdict {
    match verdict {
        Verdict::Link => v1::Verdict::Link,
        Verdict::NotSame => v1::Verdict::NotSame,
        Verdict::Accept => v1::Verdict::Accept,
        Verdict::Reject => v1::Verdict::Reject,
        Verdict::Settled => v1::Verdict::Settled,
        Verdict::Merge => v1::Verdict::Merge,
        Verdict::Unmerge => v1::Verdict::Unmerge,
    }
}

/// Reads a verdict.
///
/// # Errors
/// When this version does not have it.
pub fn read_verdict(verdict: i32) -> Result<Verdict, WireError> {
    Ok(match v1::Verdict::try_from(verdict) {
        Ok(v1::Verdict::Link) => Verdict::Link,
        Ok(v1::Verdict::NotSame) => Verdict::NotSame,
        Ok(v1::Verdict::Accept) => Verdict::Accept,
        Ok(v1::Verdict::Reject) => Verdict::Reject,
        Ok(v1::Verdict::Settled) => Verdict::Settled,
        Ok(v1::Verdict::Merge) => Verdict::Merge,
        Ok(v1::Verdict::Unmerge) => Verdict::Unmerge,
        Ok(v1::Verdict::Unspecified) | Err(_) => return Err(WireError::UnknownValue("verdict")),
    })
}

pub(super) fn write_decision(decision: &Decision) -> v1::Decision {
    v1::Decision {
        verdict: write_verdict(decision.verdict).into(),
        item: decision.item,
        by: decision.by.as_str().to_owned(),
        reason: decision.reason.as_str().to_owned(),
        at: Some(timestamp(decision.at)),
    }
}

pub(super) fn read_decision(decision: v1::Decision) -> Result<Decision, WireError> {
    Ok(Decision {
        verdict: read_verdict(decision.verdict)?,
        item: decision.item,
        by: read_text("decision.by", decision.by)?,
        reason: read_text("decision.reason", decision.reason)?,
        at: read_required_time("decision.at", decision.at)?,
    })
}
