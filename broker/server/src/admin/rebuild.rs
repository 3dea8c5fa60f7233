//! A rebuild, told as it goes: how far it is at most ten times a second, then how it ended.

use super::{asker::Asker, practice::Practice, status::unanswered};
use crate::{
    audit::Action,
    registry::{ObserveError, Rebuilt, Registry},
};
use archwire_proto::admin::v1::{RebuildEnd, RebuildRequest, RebuildResponse};
use futures_util::{FutureExt as _, Stream, future::BoxFuture, stream};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedMutexGuard, watch};
use tonic::{Request, Status};

/// Between two words of how far it is.
const BETWEEN_WORDS: Duration = Duration::from_millis(100);

struct Rebuilding {
    work: BoxFuture<'static, Result<Rebuilt, ObserveError>>,
    progress: watch::Receiver<(u64, u64)>,
}

/// Rebuilds the index, and holds `running` meanwhile. Goes on only while somebody listens.
pub(super) async fn rebuild(
    practice: &Practice,
    request: Request<RebuildRequest>,
    running: OwnedMutexGuard<()>,
) -> Result<impl Stream<Item = Result<RebuildResponse, Status>> + Send + use<>, Status> {
    let (_, extensions, RebuildRequest { person }) = request.into_parts();
    let asker = Asker::of(person, &extensions)?;
    let act = asker.about_to(Action::Rebuild, String::new());
    practice.audit(act).await?;
    Ok(answers(Arc::clone(&practice.registry), running))
}

fn answers(
    registry: Arc<Registry>,
    running: OwnedMutexGuard<()>,
) -> impl Stream<Item = Result<RebuildResponse, Status>> + Send {
    let (told, progress) = watch::channel((0, 0));
    let work = async move {
        let _running = running;
        registry.rebuild(seldom(told)).await
    };
    let rebuilding = Rebuilding {
        work: work.boxed(),
        progress,
    };
    stream::unfold(Some(rebuilding), |rebuilding| async {
        let mut rebuilding = rebuilding?;
        tokio::select! {
            ended = &mut rebuilding.work => {
                let (read, of) = *rebuilding.progress.borrow();
                Some((ended.map(|rebuilt| end(rebuilt, read, of)).map_err(|error| unanswered(&error)), None))
            }
            Ok(()) = rebuilding.progress.changed() => {
                let (read, of) = *rebuilding.progress.borrow_and_update();
                Some((Ok(RebuildResponse { read, of, end: None }), Some(rebuilding)))
            }
        }
    })
}

/// Passes on the first word, the last one, and what lies far enough apart in between.
fn seldom(told: watch::Sender<(u64, u64)>) -> impl FnMut(u64, u64) + Send {
    let mut last: Option<Instant> = None;
    move |read, of| {
        let now = Instant::now();
        if read >= of || last.is_none_or(|last| now.duration_since(last) >= BETWEEN_WORDS) {
            last = Some(now);
            _ = told.send((read, of));
        }
    }
}

fn end(rebuilt: Rebuilt, read: u64, of: u64) -> RebuildResponse {
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    RebuildResponse {
        read,
        of,
        end: Some(RebuildEnd {
            patients: count(rebuilt.patients),
            links: count(rebuilt.links),
            open_items: count(rebuilt.open_items),
            same: rebuilt.digest_before == rebuilt.digest_after,
            digest_before: rebuilt.digest_before,
            digest_after: rebuilt.digest_after,
        }),
    }
}
