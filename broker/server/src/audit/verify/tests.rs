//! Whatever is done to an audit is found, and where.

mod signatures;

use super::*;
use crate::audit::{chain::block, checkpoint::CheckpointKey};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::sync::LazyLock;

static KEY: LazyLock<CheckpointKey> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    CheckpointKey::of(folder.path()).unwrap()
});

fn practice() -> PracticeName {
    "maple-street".parse().unwrap()
}

/// A record by which tests tell it from others.
fn record(number: u64) -> Bytes {
    let record = AuditRecord {
        action: "review.show".to_owned(),
        item: Some(number),
        ..AuditRecord::default()
    };
    record.encode_to_vec().into()
}

/// Blocks of these sizes, and a checkpoint at the end of each.
fn chain(sizes: &[usize]) -> (Vec<AuditBlock>, Vec<Checkpoint>) {
    let mut link = Link::genesis(&practice());
    let (mut blocks, mut signed) = (Vec::new(), Vec::new());
    for size in sizes {
        let records = (0..*size as u64)
            .map(|number| record(link.index + number))
            .collect();
        let (made, behind) = block(&link, records, link.index, 0);
        link = behind;
        blocks.push(made);
        signed.push(KEY.sign(&practice(), &link, jiff::Timestamp::UNIX_EPOCH));
    }
    (blocks, signed)
}

/// Makes blocks anew from one on, so that they are chained again.
fn chained_again(blocks: &mut [AuditBlock], from: usize) {
    let mut link = match from.checked_sub(1) {
        Some(before) => walk(&blocks[before]).unwrap().link,
        None => Link::genesis(&practice()),
    };
    for made in &mut blocks[from..] {
        let records = std::mem::take(&mut made.records);
        (*made, link) = block(&link, records, made.log_sequence, made.resume_from);
    }
}

fn verify(blocks: &[AuditBlock], signed: Vec<Checkpoint>) -> Verified {
    let mut verifier = Verifier::new(practice(), [KEY.public()], signed);
    for (sequence, block) in (1..).zip(blocks) {
        verifier.take(sequence, None, BLOCK_KIND, block.encode_to_vec().into());
    }
    verifier.finish()
}

/// The block and the place in it of the record that an index picks, and the record's own number.
fn picked(blocks: &[AuditBlock], pick: Index) -> (usize, usize, u64) {
    let all: Vec<_> = blocks
        .iter()
        .enumerate()
        .flat_map(|(number, block)| (0..block.records.len()).map(move |place| (number, place)))
        .collect();
    let (number, place) = all[pick.index(all.len())];
    (number, place, blocks[number].first + place as u64)
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(1_usize..6, 1..6)
}

proptest! {
    #[test]
    fn an_audit_that_nobody_touched_is_whole(sizes in sizes()) {
        let (blocks, signed) = chain(&sizes);
        let verified = verify(&blocks, signed);
        let count = sizes.iter().sum::<usize>() as u64;
        prop_assert!(verified.findings.is_empty(), "{:?}", verified.findings);
        prop_assert_eq!((verified.records, verified.first, verified.last), (count, 1, count));
        prop_assert_eq!((verified.checkpoints, verified.signed_through), (sizes.len() as u64, count));
    }

    #[test]
    fn a_record_that_is_changed_is_named(sizes in sizes(), pick: Index, bit: Index) {
        let (mut blocks, _) = chain(&sizes);
        let (number, place, index) = picked(&blocks, pick);
        let mut bytes = blocks[number].records[place].to_vec();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        blocks[number].records[place] = bytes.into();
        let verified = verify(&blocks, Vec::new());
        prop_assert_eq!(verified.found, 1);
        let finding = &verified.findings[0];
        prop_assert_eq!((finding.fault, finding.first, finding.last), (Fault::Changed, index, index));
        prop_assert_eq!(finding.sequence, Some(number as u64 + 1));
    }

    #[test]
    fn a_record_that_is_taken_out_or_put_in_is_named(sizes in sizes(), pick: Index, is_put_in: bool) {
        let (mut blocks, _) = chain(&sizes);
        let (number, place, index) = picked(&blocks, pick);
        let block = &mut blocks[number];
        if is_put_in {
            block.records.insert(place, record(1_000_000));
        } else {
            block.records.remove(place);
        }
        let verified = verify(&blocks, Vec::new());
        prop_assert_eq!(verified.findings[0].fault, Fault::Changed);
        prop_assert_eq!(verified.findings[0].first, index);
    }

    #[test]
    fn two_records_that_change_places_are_found_at_the_first(sizes in sizes(), one: Index, other: Index) {
        let (mut blocks, _) = chain(&sizes);
        let (one, other) = (picked(&blocks, one), picked(&blocks, other));
        prop_assume!(one.2 < other.2);
        let first = blocks[one.0].records[one.1].clone();
        let second = std::mem::replace(&mut blocks[other.0].records[other.1], first);
        blocks[one.0].records[one.1] = second;
        let verified = verify(&blocks, Vec::new());
        prop_assert_eq!(verified.findings[0].fault, Fault::Changed);
        prop_assert_eq!(verified.findings[0].first, one.2);
    }

    #[test]
    fn a_block_that_is_made_anew_around_a_change_does_not_fit_the_next(sizes in vec(1_usize..6, 2..6), pick: Index) {
        let (mut blocks, _) = chain(&sizes);
        let (number, place, index) = picked(&blocks[..sizes.len() - 1], pick);
        blocks[number].records[place] = record(1_000_000);
        chained_again(&mut blocks[..=number], number);
        let verified = verify(&blocks, Vec::new());
        prop_assert_eq!(verified.found, 1);
        let finding = &verified.findings[0];
        prop_assert_eq!(finding.fault, Fault::Changed);
        prop_assert!((finding.first..=finding.last).contains(&index), "{:?}", finding);
        prop_assert_eq!(finding.last - finding.first + 1, sizes[number] as u64);
    }

    #[test]
    fn a_history_that_is_made_anew_is_found_by_what_was_signed_and_by_that_only(sizes in sizes(), pick: Index) {
        let (mut blocks, signed) = chain(&sizes);
        let (number, place, index) = picked(&blocks, pick);
        blocks[number].records[place] = record(1_000_000);
        chained_again(&mut blocks, number);
        prop_assert_eq!(verify(&blocks, Vec::new()).found, 0);
        let verified = verify(&blocks, signed);
        let finding = &verified.findings[0];
        prop_assert_eq!(finding.fault, Fault::CheckpointDiffers);
        // Between the checkpoint before and the one behind: here, in this block.
        prop_assert_eq!(finding.first, blocks[number].first);
        prop_assert!((finding.first..=finding.last).contains(&index));
    }

    #[test]
    fn a_block_that_is_gone_is_told_by_its_records(sizes in vec(1_usize..6, 2..6), pick: Index) {
        let (mut blocks, signed) = chain(&sizes);
        let gone = blocks.remove(pick.index(sizes.len()));
        let last = gone.first + gone.records.len() as u64 - 1;
        let verified = verify(&blocks, signed);
        let of_it = |finding: &&Finding| {
            matches!(finding.fault, Fault::Removed | Fault::Truncated)
        };
        let finding = verified.findings.iter().find(of_it).unwrap();
        prop_assert_eq!((finding.first, finding.last), (gone.first, last));
    }

    #[test]
    fn a_beginning_that_was_let_go_of_is_told_and_one_that_was_taken_away_is_found(
        sizes in vec(1_usize..6, 3..7), pick: Index, more: bool,
    ) {
        let (mut blocks, signed) = chain(&sizes);
        let gone = 1 + pick.index(sizes.len() - 2);
        let removal = Removal::of(&signed[gone - 1], &KEY, jiff::Timestamp::now()).unwrap();
        let record = AuditRecord { removal: Some(removal.write()), ..AuditRecord::default() };
        let end = walk(blocks.last().unwrap()).unwrap().link;
        let (made, _) = block(&end, vec![record.encode_to_vec().into()], 0, 0);
        blocks.push(made);
        prop_assert_eq!(verify(&blocks, signed.clone()).findings, []);
        let left = &blocks[gone + usize::from(more)..];
        let verified = verify(left, signed.clone());
        if more {
            prop_assert_eq!(verified.found, 1, "{:?}", verified);
            let finding = &verified.findings[0];
            let last = left[0].first - 1;
            prop_assert_eq!((finding.fault, finding.first, finding.last), (Fault::Removed, removal.index + 1, last));
        } else {
            prop_assert_eq!(verified.findings, []);
            prop_assert_eq!(verified.let_go, Some(removal));
            prop_assert_eq!(verified.first, left[0].first);
            prop_assert_eq!(verified.signed_through, signed.last().unwrap().index);
        }
        // Without what says so, nothing was let go of.
        let unsaid = verify(&left[..left.len() - 1], signed);
        prop_assert_eq!(unsaid.findings.first().map(|finding| finding.fault), Some(Fault::Removed));
    }

    #[test]
    fn how_far_the_log_was_gone_through_cannot_be_changed_either(sizes in vec(1_usize..6, 2..6), pick: Index) {
        let (mut blocks, signed) = chain(&sizes);
        let number = pick.index(sizes.len());
        blocks[number].log_sequence += 1;
        let verified = verify(&blocks, signed);
        prop_assert!(verified.found > 0);
        prop_assert_eq!(verified.findings[0].first, blocks[number].first);
    }

    #[test]
    fn bytes_that_are_nothing_are_told_and_stop_nobody(sizes in sizes(), garbage in vec(any::<u8>(), 0..64)) {
        let (blocks, _) = chain(&sizes);
        let mut verifier = Verifier::new(practice(), [], Vec::new());
        for (sequence, block) in (1..).zip(&blocks) {
            verifier.take(sequence, None, BLOCK_KIND, block.encode_to_vec().into());
        }
        verifier.take(blocks.len() as u64 + 1, None, "something", garbage.into());
        let verified = verifier.finish();
        prop_assert_eq!(verified.findings[0].fault, Fault::NotABlock);
    }
}

#[test]
fn a_message_that_is_gone_from_the_stream_shows_even_if_the_rest_fits() {
    let (blocks, _) = chain(&[2, 2]);
    let mut verifier = Verifier::new(practice(), [], Vec::new());
    for (sequence, block) in [1, 3].into_iter().zip(&blocks) {
        verifier.take(sequence, None, BLOCK_KIND, block.encode_to_vec().into());
    }
    assert_eq!(verifier.finish().findings[0].fault, Fault::Removed);
}
