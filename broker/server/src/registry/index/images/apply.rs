//! From an event about an image to what is at hand of it.

use super::{
    Content, ImageEntry, Images, Via,
    copies::{Pending, SystemCopy, change_copy},
    instance_key,
};
use archwire_core::{Digest, Event, EventKind, ImageId, ImageNews, Revision, SystemName};
use std::sync::Arc;

impl Images {
    /// Takes in an event about an image, that stands in the log at `sequence`. `via` is by what its system said whose it is.
    pub(in crate::registry::index) fn apply(
        &mut self,
        sequence: u64,
        event: &Event,
        news: &ImageNews,
        via: Via,
    ) {
        if event.kind == EventKind::ImageRetracted {
            self.retract(sequence, event.revision, news);
            return;
        }
        let content = Content::of(&news.image);
        if !self.entries.contains_key(&news.id) {
            *self.counts.entry(news.id.patient).or_default() += 1;
            let entry = ImageEntry {
                revision: event.revision,
                sequence,
                told: event.revision,
                retracted: false,
                generated: false,
                content: Arc::new(content.clone()),
                earlier: Box::default(),
                instance: instance_key(&news.image.uids.instance),
                shadowed: false,
                source: news.system.clone(),
                via: Via::Patient,
                copies: Vec::new(),
                moved_to: None,
            };
            self.use_bytes(content.digest);
            self.entries.insert(news.id, Arc::new(entry));
        }
        self.tell_apart(news);
        self.keep_earlier(news.id, content.digest);
        let Some(entry) = self.entry_mut(news.id) else {
            return;
        };
        entry.revision = event.revision;
        entry.sequence = sequence;
        entry.generated = news.image.uids.generated;
        entry.moved_to = None;
        if event.kind == EventKind::PatientImaged {
            entry.retracted = false;
            entry.told = event.revision;
            entry.source.clone_from(&news.system);
            entry.via = via;
        }
        entry.content = entry.shared(content);
        if let Some(before) = news.moved_from {
            self.come_along(before, news);
        }
        if let Some(system) = &news.system {
            self.shown_by(system, event.revision, news);
        }
    }

    fn retract(&mut self, sequence: u64, revision: Revision, news: &ImageNews) {
        let Some(entry) = self.entry_mut(news.id) else {
            return;
        };
        entry.revision = revision;
        entry.sequence = sequence;
        entry.retracted = true;
        if let Some(system) = &news.system {
            for copy in entry.copies.iter_mut().filter(|copy| copy.system == *system) {
                copy.delivered = revision;
                // What it shows from now on is news again, also when it is the same.
                copy.shown = None;
            }
        }
    }

    /// What was told last under an instance UID is found by it.
    fn tell_apart(&mut self, news: &ImageNews) {
        let instance = instance_key(&news.image.uids.instance);
        let Some(entry) = self.entry_mut(news.id) else {
            return;
        };
        entry.shadowed = false;
        let before = std::mem::replace(&mut entry.instance, instance);
        if before != instance && self.by_instance.get(&before) == Some(&news.id) {
            self.by_instance.remove(&before);
        }
        let other = self.by_instance.insert(instance, news.id);
        if let Some(other) = other
            .filter(|other| *other != news.id)
            .and_then(|other| self.entry_mut(other))
        {
            other.shadowed = true;
        }
    }

    /// Bytes that an event of the log names stay.
    fn keep_earlier(&mut self, id: ImageId, digest: Digest) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let before = entry.content.digest;
        if before == digest {
            return;
        }
        let is_new = !entry.earlier.contains(&digest);
        if is_new {
            self.use_bytes(digest);
        }
        if let Some(entry) = self.entry_mut(id) {
            let mut earlier: Vec<_> = entry
                .earlier
                .iter()
                .copied()
                .filter(|one| *one != digest)
                .collect();
            earlier.push(before);
            entry.earlier = earlier.into();
        }
    }

    /// Who told it is up to date.
    fn shown_by(&mut self, system: &SystemName, revision: Revision, news: &ImageNews) {
        if let Some(local_id) = &news.local_id {
            self.let_go_of(system, local_id, news.id);
            self.by_local_id
                .insert((system.clone(), local_id.clone()), news.id);
        }
        let Some(entry) = self.entry_mut(news.id) else {
            return;
        };
        let content = Arc::clone(&entry.content);
        change_copy(entry, system, news.local_id.as_ref(), |copy| {
            copy.delivered = revision;
            copy.shown = Some(content);
            copy.record.clone_from(&news.record);
            copy.pending = None;
        });
    }

    /// What systems have of an image that came from another patient, they have of this one now, and have to be told. A delivery of
    /// which nobody knows whether it arrived stays with the former one: it is looked for where it went, by what it was marked with.
    fn come_along(&mut self, before: ImageId, news: &ImageNews) {
        self.moving.remove(&before);
        let Some(old) = self.entry_mut(before) else { return };
        old.moved_to = Some(Box::new(news.id));
        let copies = std::mem::take(&mut old.copies);
        let (in_doubt, copies): (Vec<_>, Vec<_>) = copies.into_iter().map(parted).unzip();
        old.copies = in_doubt.into_iter().flatten().collect();
        let copies: Vec<_> = copies.into_iter().flatten().collect();
        let ids = copies
            .iter()
            .filter_map(|copy| Some((copy.system.clone(), copy.local_id.clone()?)));
        for key in ids {
            self.by_local_id.insert(key, news.id);
        }
        let Some(entry) = self.entry_mut(news.id) else {
            return;
        };
        for copy in copies {
            let is_known = entry.copies.iter().any(|other| is_same(other, &copy));
            if !is_known {
                // Revisions of the former patient's image say nothing of this one.
                entry.copies.push(SystemCopy {
                    delivered: Revision::NONE,
                    pending: None,
                    ..copy
                });
            }
        }
    }
}

fn is_same(one: &SystemCopy, other: &SystemCopy) -> bool {
    one.system == other.system && one.local_id == other.local_id
}

/// Of a copy, the delivery of which nobody knows whether it arrived, and what the system has.
fn parted(copy: SystemCopy) -> (Option<SystemCopy>, Option<SystemCopy>) {
    let Some(sending) = copy.sending().cloned() else {
        return (None, Some(copy));
    };
    let mut in_doubt = SystemCopy::new(copy.system.clone(), None);
    in_doubt.pending = Some(Box::new(Pending {
        sending: Some(sending),
        ..Pending::default()
    }));
    (Some(in_doubt), copy.local_id.is_some().then_some(copy))
}
