//! What people see of the review queue.

use super::{DecideError, Index, Registry, index::OpenItem};
use archwire_core::{PatientId, ReviewItem, ReviewKind, SystemName};
use std::time::SystemTime;

/// An item as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewLine {
    /// The item's number.
    pub number: u64,
    /// What it is about.
    pub kind: ReviewKind,
    /// When it was opened.
    pub opened_at: SystemTime,
    /// The system whose record led to it.
    pub system: Option<SystemName>,
    /// The patient.
    pub patient: Option<PatientId>,
    /// How many candidates, or paths.
    pub count: usize,
    /// The best candidate's score in tenths of a bit.
    pub score_tenths: Option<i32>,
}

/// Some lines of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewPage {
    /// By number, and so by age; where all of them fit, the gravest kind first.
    pub lines: Vec<ReviewLine>,
    /// Open items in all.
    pub open: usize,
    /// Whether there are more.
    pub more: bool,
}

impl Registry {
    /// Some of the open items, of one kind or all, with numbers greater than `after`.
    #[must_use]
    pub fn review_page(&self, kind: Option<ReviewKind>, after: u64, size: usize) -> ReviewPage {
        let index = self.index();
        let wanted =
            |(number, item): &(u64, &OpenItem)| *number > after && kind.is_none_or(|kind| item.kind == kind);
        let mut items: Vec<_> = index.items().filter(wanted).collect();
        let more = items.len() > size;
        if !more {
            let grave = |item: &OpenItem| ReviewKind::ALL.iter().position(|kind| *kind == item.kind);
            items.sort_by_key(|(number, item)| (grave(item), *number));
        }
        items.truncate(size);
        ReviewPage {
            lines: items
                .into_iter()
                .map(|(number, item)| line(&index, number, item))
                .collect(),
            open: index.open_items(),
            more,
        }
    }

    /// One item as it is, open or closed.
    ///
    /// # Errors
    /// When there is none, or the log cannot be read.
    pub async fn review_item(&self, number: u64) -> Result<ReviewItem, DecideError> {
        let item = self.item_in_log(number).await?;
        item.ok_or(DecideError::NoSuchItem)
    }
}

fn line(index: &Index, number: u64, item: &OpenItem) -> ReviewLine {
    let count = match item.kind {
        ReviewKind::Disagreement => item.paths.len(),
        _ => item.candidates.len(),
    };
    ReviewLine {
        number,
        kind: item.kind,
        opened_at: item.opened_at,
        system: item.system.clone(),
        patient: item.patient.map(|patient| index.current(patient)),
        count,
        score_tenths: item.score_tenths,
    }
}
