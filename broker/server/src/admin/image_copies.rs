//! What systems have of an image: as the bus remembers it, and when somebody asks, as each of them shows it now.
//!
//! Staff delete images in their programs and move them to other patients, and no program tells of that. Looking changes nothing: an
//! image that is gone is not brought again, and the bus keeps its own bytes.
//!
//! **Bounds**: [`AT_A_TIME`] systems are asked at the same time, each in turn with whoever else uses its account, for at most
//! [`LONGEST_LOOK`], because an answer has to begin within 60 s. What takes longer, as the bytes of a large image may, is told as
//! [`NO_ANSWER`].

use super::practice::{Practice, SystemHandle};
use crate::{
    dispatch::{Permission, Purpose},
    registry::{KnownImage, KnownImageCopy},
};
use archwire_core::{ImageId, ImageView, Priority, SystemName};
use archwire_host::{CallError, Connector};
use archwire_proto::admin::v1;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use std::time::Duration;
use tokio::time::timeout;

/// Systems that are asked at the same time.
const AT_A_TIME: usize = 8;
/// How long one is asked.
const LONGEST_LOOK: Duration = Duration::from_secs(45);
/// The code of one that did not answer by then.
const NO_ANSWER: &str = "no_answer";

/// What there is of an image in systems; with `look` also what they show of it now.
pub(super) async fn copies(
    practice: &Practice,
    id: ImageId,
    known: &KnownImage,
    look: bool,
) -> Vec<v1::CopyOfImage> {
    let has_one = |system: &SystemName| known.copies.iter().any(|copy| copy.system == *system);
    let systems = practice.systems.iter();
    let without = systems.filter(|(system, handle)| handle.images.is_some() && !has_one(system));
    let copies = known.copies.iter().cloned();
    let copies = copies.map(|copy| (copy.system.clone(), Some(copy)));
    let places: Vec<_> = copies
        .chain(without.map(|(system, _)| (system.clone(), None)))
        .collect();
    let lines = stream::iter(places).map(|(system, copy)| {
        let line = async move {
            let shows = match copy.as_ref().filter(|_| look) {
                Some(copy) => shows(practice, known, copy).await,
                None => None,
            };
            v1::CopyOfImage {
                state: state(practice, id, &system, known, copy.as_ref()).to_owned(),
                local_id: copy
                    .and_then(|copy| copy.local_id)
                    .map(|local_id| local_id.as_str().to_owned()),
                system: system.to_string(),
                shows,
            }
        };
        line.boxed()
    });
    lines.buffered(AT_A_TIME).collect().await
}

/// What the bus remembers of a system.
fn state(
    practice: &Practice,
    id: ImageId,
    system: &SystemName,
    known: &KnownImage,
    copy: Option<&KnownImageCopy>,
) -> &'static str {
    let is_parked = practice.parked.line_of(system, id).is_some();
    let is_in_doubt = copy.is_some_and(|copy| copy.in_doubt_since.is_some());
    // A system that keeps other bytes by making a new one of it may still have the former one.
    let is_replaced = copy.is_some_and(|copy| {
        let mut others = known.copies.iter().filter(|other| other.system == copy.system);
        others.any(|other| other.delivered > copy.delivered)
    });
    let handle = practice.systems.get(system);
    let is_brought = handle.is_some_and(|handle| handle.images.is_some());
    let is_due = is_brought && practice.registry.image_due(system, id).is_some();
    match copy.filter(|copy| copy.local_id.is_some()) {
        _ if is_replaced => "replaced",
        _ if is_parked => "parked",
        _ if is_in_doubt => "in-doubt",
        _ if is_due => "due",
        Some(copy) if copy.delivered < known.revision => "older",
        Some(_) => "up-to-date",
        None => "not-there",
    }
}

/// What a system shows of its copy now; `None` where it cannot be asked.
async fn shows(practice: &Practice, known: &KnownImage, copy: &KnownImageCopy) -> Option<String> {
    let handle = practice.systems.get(&copy.system)?;
    let viewer = handle.viewer.as_deref()?;
    let asked = timeout(LONGEST_LOOK, looked_at(handle, viewer, copy)).await;
    let said = match asked {
        Ok(Some(Ok(Some(view)))) => shown(practice, handle, known, copy, &view).to_owned(),
        Ok(Some(Ok(None))) => "gone".to_owned(),
        Ok(Some(Err(CallError::Disposition(disposition)))) => disposition.reason().code.as_str().to_owned(),
        Ok(Some(Err(error))) => error.code().to_owned(),
        Ok(None) => return None,
        Err(_) => NO_ANSWER.to_owned(),
    };
    Some(said)
}

async fn looked_at(
    handle: &SystemHandle,
    viewer: &Connector,
    copy: &KnownImageCopy,
) -> Option<Result<Option<ImageView>, CallError>> {
    let local_id = copy.local_id.as_ref()?;
    let account = &handle.account;
    let permission =
        Permission::obtain(&handle.breaker, account, Purpose::Reading, Priority::Interactive).await;
    let looked = viewer.fetch_image(local_id, copy.record.as_ref()).await;
    match &looked {
        Ok(_) => permission.worked(),
        Err(CallError::Disposition(disposition)) => permission.failed(account, disposition),
        Err(_) => drop(permission),
    }
    Some(looked)
}

fn shown(
    practice: &Practice,
    handle: &SystemHandle,
    known: &KnownImage,
    copy: &KnownImageCopy,
    view: &ImageView,
) -> &'static str {
    let registry = &practice.registry;
    let owner = registry.index().linked(&copy.system, &view.record);
    // Where no patients are written, one may have several records.
    let ours = || {
        registry
            .record(&copy.system, known.patient)
            .filter(|_| handle.desk.is_some())
    };
    let is_elsewhere = match owner {
        Some(owner) => owner != known.patient,
        None => ours().is_some_and(|ours| ours.local_id != view.record),
    };
    match view.digest {
        _ if is_elsewhere => "another-record",
        _ if view.retracted => "withdrawn",
        Some(digest) if digest == known.digest => "same-bytes",
        Some(_) => "other-bytes",
        None => "no-bytes",
    }
}
