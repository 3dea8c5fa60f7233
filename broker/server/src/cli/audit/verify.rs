//! `archwire audit verify` and `archwire audit key`. What is checked is checked in this process, from the bytes as they are stored:
//! a broker that was tampered with can hide records from it, and cannot make others fit.

use super::arguments::{KeyArgs, VerifyArgs};
use crate::{
    audit::{
        checkpoint::{CheckpointFile, read_file},
        verify::{END_KIND, Finding, OtherKey, Verified, Verifier},
    },
    cli::{
        asking::{AskError, broker},
        json,
    },
};
use archwire_proto::admin::v1::{GetAuditKeyRequest, GetAuditKeyResponse, ReadAuditRequest};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    path::PathBuf,
    time::SystemTime,
};

/// Checks the audit. Tells whether it is whole.
pub(super) async fn verify(arguments: VerifyArgs, out: &mut impl Write) -> Result<bool, AskError> {
    let mut broker = broker(&arguments.asking).await?;
    let own = broker.get_audit_key(GetAuditKeyRequest {}).await?.into_inner();
    let practice = own.practice.parse().map_err(|_| AskError::Answer)?;
    let keys = match arguments.public_key.is_empty() {
        true => own_key(&own)?.into_iter().collect(),
        false => arguments.public_key,
    };
    let known = keys.iter().map(hex::encode).collect::<Vec<_>>();
    let is_asked = arguments.checkpoints.is_some();
    let (asked, kept) = (arguments.checkpoints, checkpoints(None, &own)?);
    let mut file = match asked {
        Some(path) => checkpoints(Some(path), &own)?.unwrap_or_default(),
        None => kept.clone().unwrap_or_default(),
    };
    let has_none = file.checkpoints.is_empty();
    let has_own = kept.is_some() || own.checkpoints.is_empty();
    // What the copy does not know yet, the broker's own file does.
    file.checkpoints.extend(kept.unwrap_or_default().checkpoints);
    let mut verifier = Verifier::new(practice, keys, file.checkpoints);
    let mut stored = broker
        .read_audit(ReadAuditRequest { after: 0 })
        .await?
        .into_inner();
    let (mut last, mut end) = (0, None);
    while let Some(block) = stored.message().await? {
        if block.kind == END_KIND {
            end = Some(block.sequence);
            continue;
        }
        last = block.sequence;
        let at = block.at.and_then(|at| SystemTime::try_from(at).ok());
        verifier.take(block.sequence, at, &block.kind, block.payload);
    }
    // What was not shown to its end would look as if its end had been cut off, or as if it were whole.
    if end != Some(last) {
        return Err(AskError::CutShort);
    }
    let verified = verifier.finish();
    let has_compared = !is_asked || (!has_none && file.broken.is_empty());
    if arguments.asking.json {
        json::write(out, &as_json(&verified, &file.broken, has_compared))?;
    } else {
        if is_asked && has_none {
            writeln!(
                out,
                "the file of checkpoints has none: nothing was compared with it"
            )?;
        }
        if !has_own {
            writeln!(
                out,
                "the broker's own file of checkpoints is not there: nothing was compared with it"
            )?;
        }
        write(out, &verified, &file.broken)?;
        for other in &verified.other_keys {
            writeln!(out, "{}", other_key(other, &known))?;
        }
        if !has_compared {
            writeln!(
                out,
                "the file of checkpoints is not in order, so that it may have had more to say"
            )?;
        }
    }
    Ok(verified.found == 0 && has_compared)
}

/// Shows the key.
pub(super) async fn key(arguments: KeyArgs, out: &mut impl Write) -> Result<(), AskError> {
    let own = broker(&arguments.asking)
        .await?
        .get_audit_key(GetAuditKeyRequest {})
        .await?
        .into_inner();
    let key = own_key(&own)?.map(hex::encode);
    if arguments.asking.json {
        let answer = json!({"public_key": key, "checkpoints": own.checkpoints});
        json::write(out, &answer)?;
    } else {
        writeln!(out, "{}", key.as_deref().unwrap_or("nothing is signed"))?;
    }
    Ok(())
}

fn own_key(own: &GetAuditKeyResponse) -> Result<Option<[u8; 32]>, AskError> {
    match own.public_key.is_empty() {
        true => Ok(None),
        false => own.public_key[..]
            .try_into()
            .map(Some)
            .map_err(|_| AskError::Answer),
    }
}

/// The file that is asked for, or the broker's own: none where that is not there.
fn checkpoints(
    asked: Option<PathBuf>,
    own: &GetAuditKeyResponse,
) -> Result<Option<CheckpointFile>, AskError> {
    let (path, must_be) = match asked {
        Some(path) => (path, true),
        None if own.checkpoints.is_empty() => return Ok(None),
        None => (PathBuf::from(&own.checkpoints), false),
    };
    match read_file(&path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_be => Ok(None),
        Err(source) => Err(AskError::Checkpoints { path, source }),
    }
}

fn write(out: &mut impl Write, verified: &Verified, broken: &[usize]) -> io::Result<()> {
    for finding in &verified.findings {
        writeln!(out, "{}", words(finding))?;
    }
    let more = verified.found.saturating_sub(verified.findings.len() as u64);
    if more > 0 {
        writeln!(out, "and {more} more")?;
    }
    for line in broken {
        writeln!(
            out,
            "line {line} of the file of checkpoints is none; it was passed over"
        )?;
    }
    if verified.unchained > 0 {
        let unchained = verified.unchained;
        writeln!(
            out,
            "{unchained} records are from before records were chained: they are those which the chain was begun behind"
        )?;
    }
    if let Some(removal) = &verified.let_go {
        writeln!(
            out,
            "records 1 to {} were let go of on {}, because their time was over; the last of them was signed on {}",
            removal.index, removal.at, removal.through
        )?;
    }
    let Verified {
        records,
        last,
        checkpoints,
        signed_through,
        ..
    } = verified;
    writeln!(
        out,
        "{records} records up to {last}; {checkpoints} checkpoints hold, the last one for {signed_through}"
    )?;
    writeln!(
        out,
        "{}",
        match verified.found {
            0 if verified.let_go.is_some() => "the audit is whole from there on",
            0 => "the audit is whole",
            _ => "the audit is NOT what it was",
        }
    )
}

/// What somebody is told of a key that is none of the known ones.
fn other_key(other: &OtherKey, known: &[String]) -> String {
    let key = hex::encode(other.key);
    let named = known.iter().map(|known| format!("--public-key {known} "));
    let which = match other.first == other.last {
        true => format!("a checkpoint of record {} is", other.first),
        false => format!("checkpoints of records {} to {} are", other.first, other.last),
    };
    format!(
        "{which} signed by {key}\n  each broker of a practice has a key of its own: where `archwire audit key` on another one says this \
         key, ask again with {}--public-key {key}; else somebody wrote the audit who should not",
        named.collect::<String>()
    )
}

fn words(finding: &Finding) -> String {
    let Finding {
        fault,
        first,
        last,
        sequence,
        at,
    } = finding;
    let which = match first == last {
        true => format!("record {first}"),
        false => format!("records {first} to {last}"),
    };
    let place = sequence.map_or_else(String::new, |sequence| format!(", block {sequence}"));
    let at = at.as_ref().map_or_else(String::new, |at| format!(" of {at}"));
    format!("{which}{place}{at}: {} ({})", fault.words(), fault.code())
}

fn as_json(verified: &Verified, broken: &[usize], has_compared: bool) -> Value {
    let findings = verified.findings.iter().map(|finding| {
        json!({
            "code": finding.fault.code(),
            "first": finding.first,
            "last": finding.last,
            "block": finding.sequence,
            "at": finding.at,
        })
    });
    json::stated(json!({
        "is_whole": verified.found == 0,
        "records": verified.records,
        "unchained": verified.unchained,
        "first": verified.first,
        "last": verified.last,
        "let_go": verified.let_go.as_ref().map(|removal| json!({
            "last": removal.index,
            "at": removal.at,
            "through": removal.through,
        })),
        "checkpoints": verified.checkpoints,
        "signed_through": verified.signed_through,
        "other_keys": verified.other_keys.iter().map(|other| json!({
            "public_key": hex::encode(other.key),
            "first": other.first,
            "last": other.last,
        })).collect::<Vec<_>>(),
        "found": verified.found,
        "findings": findings.collect::<Vec<_>>(),
        "broken_lines": broken,
        "checkpoints_in_order": has_compared,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{chain::Hash, removal::Removal, verify::Fault};

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let finding = Finding {
            fault: Fault::Changed,
            first: 7,
            last: 7,
            sequence: Some(3),
            at: Some("2026-11-22T13:00:00Z".to_owned()),
        };
        assert_eq!(
            words(&finding),
            "record 7, block 3 of 2026-11-22T13:00:00Z: changed (audit_changed)"
        );
        let verified = Verified {
            found: 1,
            findings: vec![finding],
            ..Verified::default()
        };
        let mut out = Vec::new();
        write(&mut out, &verified, &[4]).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(
            said.contains("line 4 of the file") && said.ends_with("the audit is NOT what it was\n"),
            "{said}"
        );
    }

    #[test]
    fn a_key_of_another_broker_is_said_with_what_to_ask_next() {
        let other = OtherKey {
            key: [0xab; 32],
            first: 40,
            last: 90,
        };
        let said = other_key(&other, &["cd".to_owned()]);
        let key = "ab".repeat(32);
        let asks = format!("ask again with --public-key cd --public-key {key};");
        assert!(
            said.starts_with("checkpoints of records 40 to 90 are signed by") && said.contains(&asks),
            "{said}"
        );
    }

    #[test]
    fn what_was_let_go_of_is_said_and_is_no_fault() {
        let removal = Removal {
            practice: "maple-street".parse().unwrap(),
            index: 40,
            hash: Hash::from_bytes([7; 32]),
            through: "2026-11-22T13:00:00Z".to_owned(),
            at: "2032-11-22T13:00:00Z".to_owned(),
            public_key: [7; 32],
            signature: String::new(),
        };
        let verified = Verified {
            first: 41,
            last: 60,
            let_go: Some(removal),
            ..Verified::default()
        };
        let mut out = Vec::new();
        write(&mut out, &verified, &[]).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(
            said.contains("records 1 to 40 were let go of on 2032-11-22T13:00:00Z"),
            "{said}"
        );
        assert!(said.ends_with("the audit is whole from there on\n"), "{said}");
        let json = as_json(&verified, &[], true);
        assert_eq!(
            (&json["let_go"]["last"], &json["first"]),
            (&40.into(), &41.into())
        );
    }
}
