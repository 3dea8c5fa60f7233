//! Images as rows of a snapshot.

use super::{
    Content, ImageEntry, Images, InstanceKey, SystemCopy, Via,
    copies::{Pending, Sending},
};
use crate::registry::index::{
    Index,
    snapshot::{Row, nanos, time},
};
use archwire_core::{Digest, ImageId, LocalId, PatientId, Revision, SystemName};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

type Bytes32 = [u8; 32];
type IdRow = (PatientId, u64);

/// One image.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::registry::index) struct ImageRow {
    id: IdRow,
    revision: u64,
    sequence: u64,
    told: u64,
    retracted: bool,
    generated: bool,
    content: ContentRow,
    earlier: Vec<Bytes32>,
    instance: InstanceKey,
    shadowed: bool,
    source: Option<SystemName>,
    via: ViaRow,
    copies: Vec<CopyRow>,
    moved_to: Option<IdRow>,
}

#[derive(Clone, Serialize, Deserialize)]
struct ContentRow {
    digest: Bytes32,
    described: Option<Bytes32>,
}

#[derive(Clone, Serialize, Deserialize)]
enum ViaRow {
    Patient,
    Record(LocalId),
    Named(PatientId),
}

#[derive(Clone, Serialize, Deserialize)]
struct CopyRow {
    system: SystemName,
    local_id: Option<LocalId>,
    record: Option<LocalId>,
    brought: bool,
    delivered: u64,
    shown: Option<ContentRow>,
    sending: Option<(u64, u64, Option<LocalId>)>,
    dropped: u64,
}

/// What else is known of images.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::registry::index) enum ImagesRow {
    /// An image that stands with the wrong patient.
    Moving(IdRow, PatientId),
    /// By which revision of the survivor a merge was complete.
    Came(PatientId, u64),
    /// What a person said is not the patient's.
    Discarded(Bytes32, u64),
    /// What a person said whose it is.
    Ruled(Bytes32),
}

impl Images {
    /// All images, shared with whoever writes the snapshot.
    pub(in crate::registry::index) fn frozen(&self) -> Vec<(ImageId, Arc<ImageEntry>)> {
        let entries = self.entries.iter();
        entries.map(|(id, entry)| (*id, Arc::clone(entry))).collect()
    }

    /// The rows of what else is known.
    pub(in crate::registry::index) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let moving = self.moving.iter();
        let moving = moving.map(|(id, patient)| ImagesRow::Moving(id_row(*id), *patient));
        let came = self.came.iter();
        let came = came.map(|(retired, revision)| ImagesRow::Came(*retired, revision.get()));
        let discarded = self.discarded.iter();
        let discarded = discarded.map(|(what, item)| ImagesRow::Discarded(*what, *item));
        let ruled = self.ruled.iter().map(|what| ImagesRow::Ruled(*what));
        moving.chain(came).chain(discarded).chain(ruled).map(Row::Images)
    }
}

impl Index {
    pub(in crate::registry::index) fn thaw_image(&mut self, row: ImageRow) {
        let id = id_of(row.id);
        let mut entry = ImageEntry {
            revision: Revision::new(row.revision),
            sequence: row.sequence,
            told: Revision::new(row.told),
            retracted: row.retracted,
            generated: row.generated,
            content: Arc::new(content(row.content)),
            earlier: row.earlier.into_iter().map(Digest::from_bytes).collect(),
            instance: row.instance,
            shadowed: row.shadowed,
            source: row.source.map(|system| self.interned(&system)),
            via: match row.via {
                ViaRow::Patient => Via::Patient,
                ViaRow::Record(local_id) => Via::Record(local_id),
                ViaRow::Named(patient) => Via::Named(patient),
            },
            copies: Vec::with_capacity(row.copies.len()),
            moved_to: row.moved_to.map(|id| Box::new(id_of(id))),
        };
        for row in row.copies {
            let copy = self.thaw_copy(row, &entry);
            if let Some(local_id) = &copy.local_id {
                let key = (copy.system.clone(), local_id.clone());
                self.images.by_local_id.insert(key, id);
            }
            entry.copies.push(copy);
        }
        let images = &mut self.images;
        images.use_bytes(entry.content.digest);
        entry.earlier.iter().for_each(|digest| images.use_bytes(*digest));
        *images.counts.entry(id.patient).or_default() += 1;
        if !entry.shadowed {
            images.by_instance.insert(entry.instance, id);
        }
        images.entries.insert(id, Arc::new(entry));
    }

    fn thaw_copy(&mut self, row: CopyRow, entry: &ImageEntry) -> SystemCopy {
        let mut copy = SystemCopy::new(self.interned(&row.system), row.local_id);
        copy.record = row.record.map(|record| match &entry.via {
            Via::Record(via) if *via == record => via.clone(),
            _ => record,
        });
        copy.brought = row.brought;
        copy.delivered = Revision::new(row.delivered);
        copy.shown = row.shown.map(|shown| entry.shared(content(shown)));
        let pending = Pending {
            sending: row.sending.map(|(since, revision, record)| Sending {
                since: time(since),
                revision: Revision::new(revision),
                record,
            }),
            dropped: Revision::new(row.dropped),
        };
        copy.pending = (pending != Pending::default()).then(|| Box::new(pending));
        copy
    }

    pub(in crate::registry::index) fn thaw_images(&mut self, row: ImagesRow) {
        let images = &mut self.images;
        match row {
            ImagesRow::Moving(id, patient) => _ = images.moving.insert(id_of(id), patient),
            ImagesRow::Came(retired, revision) => {
                images.came.insert(retired, Revision::new(revision));
            }
            ImagesRow::Discarded(what, item) => _ = images.discarded.insert(what, item),
            ImagesRow::Ruled(what) => _ = images.ruled.insert(what),
        }
    }
}

pub(in crate::registry::index) fn image_row(id: ImageId, entry: &ImageEntry) -> ImageRow {
    ImageRow {
        id: id_row(id),
        revision: entry.revision.get(),
        sequence: entry.sequence,
        told: entry.told.get(),
        retracted: entry.retracted,
        generated: entry.generated,
        content: content_row(&entry.content),
        earlier: entry.earlier.iter().map(|digest| *digest.as_bytes()).collect(),
        instance: entry.instance,
        shadowed: entry.shadowed,
        source: entry.source.clone(),
        via: match &entry.via {
            Via::Patient => ViaRow::Patient,
            Via::Record(local_id) => ViaRow::Record(local_id.clone()),
            Via::Named(patient) => ViaRow::Named(*patient),
        },
        copies: entry.copies.iter().map(copy_row).collect(),
        moved_to: entry.moved_to.as_deref().map(|id| id_row(*id)),
    }
}

fn copy_row(copy: &SystemCopy) -> CopyRow {
    let sending = |sending: &Sending| {
        let Sending {
            since,
            revision,
            record,
        } = sending;
        (nanos(*since), revision.get(), record.clone())
    };
    CopyRow {
        system: copy.system.clone(),
        local_id: copy.local_id.clone(),
        record: copy.record.clone(),
        brought: copy.brought,
        delivered: copy.delivered.get(),
        shown: copy.shown.as_deref().map(content_row),
        sending: copy.sending().map(sending),
        dropped: copy.dropped().get(),
    }
}

fn content_row(content: &Content) -> ContentRow {
    ContentRow {
        digest: *content.digest.as_bytes(),
        described: content.described.as_ref().map(|digest| *digest.as_bytes()),
    }
}

fn content(row: ContentRow) -> Content {
    Content {
        digest: Digest::from_bytes(row.digest),
        described: row.described.map(Digest::from_bytes),
    }
}

fn id_row(id: ImageId) -> IdRow {
    (id.patient, id.first.get())
}

fn id_of((patient, first): IdRow) -> ImageId {
    ImageId {
        patient,
        first: Revision::new(first),
    }
}
