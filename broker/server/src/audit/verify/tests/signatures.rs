//! What was signed, by whom, and what was let go of.

use super::*;
use std::time::Duration;

#[test]
fn checkpoints_of_somebody_else_count_for_nothing() {
    let (blocks, signed) = chain(&[2, 2]);
    let other = CheckpointKey::of(tempfile::tempdir().unwrap().path()).unwrap();
    let link = walk(&blocks[1]).unwrap().link;
    let theirs = other.sign(&practice(), &link, jiff::Timestamp::UNIX_EPOCH);
    let mut forged = signed[0].clone();
    forged.index = 4;
    let verified = verify(&blocks, vec![theirs, forged]);
    let faults: Vec<_> = verified.findings.iter().map(|finding| finding.fault).collect();
    assert_eq!(faults, [Fault::KeyUnknown, Fault::SignatureBad]);
    assert_eq!(verified.signed_through, 0);
}

/// Two records from before the chain, and two blocks behind them.
fn begun_behind(unchained: [Bytes; 2]) -> (Link, Vec<(&'static str, Bytes)>) {
    let mut link = Link::genesis(&practice());
    let mut messages = Vec::new();
    for record in unchained {
        link = link.behind_unchained(&record);
        messages.push((RECORD_KIND, record));
    }
    let genesis = link;
    for number in [3, 4] {
        let (made, behind) = block(&link, vec![record(number)], 0, 0);
        messages.push((BLOCK_KIND, made.encode_to_vec().into()));
        link = behind;
    }
    (genesis, messages)
}

fn verify_all(messages: &[(&'static str, Bytes)], signed: Vec<Checkpoint>) -> Verified {
    let mut verifier = Verifier::new(practice(), [KEY.public()], signed);
    for (sequence, (kind, payload)) in (1..).zip(messages) {
        verifier.take(sequence, None, kind, payload.clone());
    }
    verifier.finish()
}

#[test]
fn records_from_before_the_chain_are_what_it_was_begun_behind() {
    let (genesis, messages) = begun_behind([record(1), record(2)]);
    let signed = KEY.sign(&practice(), &genesis, jiff::Timestamp::UNIX_EPOCH);
    let verified = verify_all(&messages, vec![signed]);
    assert_eq!(verified.findings, []);
    assert_eq!((verified.unchained, verified.records), (2, 2));
    assert_eq!((verified.first, verified.last), (3, 4));
    let mut changed = messages.clone();
    changed[0].1 = record(7);
    assert_eq!(verify_all(&changed, Vec::new()).findings[0].fault, Fault::Changed);
}

#[test]
fn what_was_signed_cannot_be_put_before_the_chain() {
    let (_, signed) = chain(&[2, 2]);
    // As many records as were signed, of which nothing is vouched for, and one block behind them.
    let mut link = Link::genesis(&practice());
    let mut messages = Vec::new();
    for number in 1..=4 {
        link = link.behind_unchained(&record(number));
        messages.push((RECORD_KIND, record(number)));
    }
    let (made, _) = block(&link, vec![record(5)], 0, 0);
    messages.push((BLOCK_KIND, made.encode_to_vec().into()));
    assert_eq!(verify_all(&messages, Vec::new()).findings, []);
    let verified = verify_all(&messages, signed);
    let faults: Vec<_> = verified.findings.iter().map(|finding| finding.fault).collect();
    assert_eq!(faults, [Fault::CheckpointDiffers, Fault::CheckpointDiffers]);
}

#[test]
fn what_was_let_go_of_by_somebody_else_or_too_early_is_found() {
    let (mut blocks, mut signed) = chain(&[2, 2, 2]);
    let end = walk(&blocks[2]).unwrap().link;
    let with = |removal: &Removal| {
        let record = AuditRecord {
            removal: Some(removal.write()),
            ..AuditRecord::default()
        };
        block(&end, vec![record.encode_to_vec().into()], 0, 0).0
    };
    let other = CheckpointKey::of(tempfile::tempdir().unwrap().path()).unwrap();
    let theirs = Removal::of(&signed[1], &other, jiff::Timestamp::now()).unwrap();
    blocks.push(with(&theirs));
    let faults = |verified: Verified| {
        verified
            .findings
            .iter()
            .map(|finding| finding.fault)
            .collect::<Vec<_>>()
    };
    let found = faults(verify(&blocks[2..], signed.clone()));
    assert_eq!(found, [Fault::Removed, Fault::KeyUnknown]);
    // Whoever has the key signs that everything was old; somebody else knows when it was not.
    let ours = Removal::of(&signed[1], &KEY, jiff::Timestamp::now()).unwrap();
    blocks[3] = with(&ours);
    assert_eq!(faults(verify(&blocks[2..], signed.clone())), []);
    let link = walk(&blocks[0]).unwrap().link;
    signed[0] = KEY.sign(&practice(), &link, jiff::Timestamp::now());
    assert_eq!(faults(verify(&blocks[2..], signed)), [Fault::LetGoEarly]);
}

#[test]
fn an_audit_without_the_checkpoints_that_a_broker_makes_is_no_whole_one() {
    let day = |day: u64| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(day * 24 * 3600));
    let verified = |sizes: &[usize], days: [u64; 2], signed: usize, keys: &[[u8; 32]]| {
        let (blocks, checkpoints) = chain(sizes);
        let checkpoints = checkpoints.into_iter().take(signed).collect();
        let mut verifier = Verifier::new(practice(), keys.iter().copied(), checkpoints);
        for ((sequence, block), at) in (1..).zip(&blocks).zip(days) {
            verifier.take(sequence, day(at), BLOCK_KIND, block.encode_to_vec().into());
        }
        verifier.finish()
    };
    let faults = |verified: Verified| {
        verified
            .findings
            .iter()
            .map(|finding| finding.fault)
            .collect::<Vec<_>>()
    };
    let ours = [KEY.public()];
    assert_eq!(faults(verified(&[60, 60], [1, 9], 0, &ours)), [Fault::Unsigned]);
    assert_eq!(
        faults(verified(&[60, 60], [1, 9], 1, &ours)),
        [],
        "the first is signed"
    );
    assert_eq!(
        faults(verified(&[60, 60], [1, 2], 0, &ours)),
        [],
        "a broker may not have come to it"
    );
    assert_eq!(
        faults(verified(&[6, 6], [1, 9], 0, &ours)),
        [],
        "nor where it was killed at once"
    );
    assert_eq!(faults(verified(&[60, 60], [1, 9], 0, &[])), [], "nobody signs");
    assert_eq!(
        faults(verified(&[10_001, 10_001], [1, 1], 0, &ours)),
        [Fault::Unsigned]
    );
}

#[test]
fn blocks_that_were_made_anew_of_the_same_records_are_found_by_a_checkpoint_between_them() {
    let (mut blocks, signed) = chain(&[2, 2]);
    let record = AuditRecord {
        checkpoint: Some(signed[0].write()),
        ..AuditRecord::default()
    };
    let end = walk(&blocks[1]).unwrap().link;
    blocks.push(block(&end, vec![record.encode_to_vec().into()], 0, 0).0);
    assert_eq!(verify(&blocks, Vec::new()).findings, []);
    let [first, second] = [blocks[0].records.clone(), blocks[1].records.clone()];
    let mut link = Link::genesis(&practice());
    for (number, records) in [
        first[..1].to_vec(),
        [&first[1..], &second[..]].concat(),
        blocks[2].records.clone(),
    ]
    .into_iter()
    .enumerate()
    {
        (blocks[number], link) = block(&link, records, 0, 0);
    }
    let verified = verify(&blocks, Vec::new());
    assert_eq!(
        verified.findings.first().map(|finding| finding.fault),
        Some(Fault::CheckpointDiffers)
    );
}

#[test]
fn what_two_brokers_signed_holds_where_both_keys_are_known_and_names_the_one_that_is_not() {
    let other = CheckpointKey::of(tempfile::tempdir().unwrap().path()).unwrap();
    let (blocks, mut signed) = chain(&[2, 2, 2, 2]);
    for number in [1, 3] {
        let link = walk(&blocks[number]).unwrap().link;
        signed[number] = other.sign(&practice(), &link, jiff::Timestamp::UNIX_EPOCH);
    }
    let verified = |keys: &[[u8; 32]]| {
        let mut verifier = Verifier::new(practice(), keys.iter().copied(), signed.clone());
        for (sequence, block) in (1..).zip(&blocks) {
            verifier.take(sequence, None, BLOCK_KIND, block.encode_to_vec().into());
        }
        verifier.finish()
    };
    let both = verified(&[KEY.public(), other.public()]);
    assert_eq!(
        (both.findings.len(), both.checkpoints, both.signed_through),
        (0, 4, 8)
    );
    assert_eq!(both.other_keys, []);
    let one = verified(&[KEY.public()]);
    let faults: Vec<_> = one.findings.iter().map(|finding| finding.fault).collect();
    assert_eq!(
        faults,
        [Fault::KeyUnknown],
        "once for a key, however often it signed"
    );
    let unknown = OtherKey {
        key: other.public(),
        first: 4,
        last: 8,
    };
    assert_eq!((one.other_keys, one.signed_through), (vec![unknown], 6));
}
