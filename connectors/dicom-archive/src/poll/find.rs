//! Finding the studies that are to be read: all of them in the first pass, then those that have become stable.

use super::count;
use super::cursor::{By, Cursor, First, Waiting};
use crate::archive::{Archive, PAGE};
use crate::json::{Dataset, tag};
use crate::orthanc;
use crate::sent::hash;
use crate::uid::Uid;
use crate::window;
use archwire_connector::Disposition;
use archwire_connector::log::Level;

/// How often the first pass begins anew because the pages do not fit together.
pub(super) const MOST_RESTARTS: u32 = 3;

impl Cursor {
    /// Finds studies to read. Tells whether there is more to be found at once.
    pub(super) fn fill(&mut self, archive: &Archive<'_>) -> Result<bool, Disposition> {
        match (self.first.take(), self.by) {
            (Some(first), by) => self.list(archive, first, by).map(|()| true),
            (None, By::Changes) => self.follow(archive),
            (None, By::Qido) => self.watch(archive).map(|()| !self.queue.is_empty()),
        }
    }

    /// The next page of the first pass. Pages overlap by one study.
    fn list(&mut self, archive: &Archive<'_>, first: First, by: By) -> Result<(), Disposition> {
        let studies = match by {
            By::Changes => listed_by_orthanc(archive, first.offset)?,
            By::Qido => listed_by_qido(archive, first.offset)?,
        };
        let drifted = first
            .last
            .is_some_and(|last| studies.first().is_none_or(|study| study.key() != last));
        if drifted && first.restarts < MOST_RESTARTS {
            archive
                .host
                .log(Level::Warn, "studies-drifted", &[("offset", count(first.offset))]);
            self.first = Some(First {
                restarts: first.restarts + 1,
                ..First::default()
            });
            return Ok(());
        }
        // Where the order is another one each time, nothing can be left out.
        let overlap = usize::from(first.last.is_some() && !drifted);
        if let Some(last) = studies.last().filter(|_| studies.len() > overlap) {
            self.first = Some(First {
                offset: first.offset + studies.len() - 1,
                last: Some(last.key()),
                restarts: first.restarts,
            });
        }
        // What is not stable yet comes with the list of changes.
        let stable = studies.into_iter().skip(overlap).filter(|study| study.stable);
        self.queue.extend(stable.map(|study| study.waiting));
        Ok(())
    }

    /// What Orthanc's list of changes tells. Tells whether it goes on.
    fn follow(&mut self, archive: &Archive<'_>) -> Result<bool, Disposition> {
        let changes = orthanc::changes(archive, self.since)?;
        if changes.last < self.since {
            // Another archive behind the same address, or a new beginning of it.
            archive.host.log(Level::Warn, "changes-begin-anew", &[]);
            (self.since, self.first) = (changes.last, Some(First::default()));
            return Ok(true);
        }
        let is_stuck = changes.last == self.since;
        self.since = changes.last;
        self.queue.extend(changes.stable.into_iter().map(|id| Waiting {
            orthanc: Some(id),
            study: None,
        }));
        Ok(!changes.done && !is_stuck)
    }

    /// The studies of the last days that have come to rest.
    fn watch(&mut self, archive: &Archive<'_>) -> Result<(), Disposition> {
        let now_ms = archive.host.now_ms();
        let dates = window::dates(now_ms, archive.config.window_days);
        let filter = [("StudyDate", dates.as_str())];
        let filters = if archive.config.window_days == 0 {
            &[][..]
        } else {
            &filter[..]
        };
        let mut studies: Vec<Dataset> = Vec::new();
        // A page more than is watched, to see that it is too much.
        while studies.len() <= window::MOST {
            let page = archive.studies(filters, studies.len())?;
            let ended = page.len() < PAGE;
            studies.extend(page.into_iter().map(|study| study.data));
            if ended {
                break;
            }
        }
        if studies.len() > window::MOST {
            let numbers = [("studies", count(studies.len())), ("most", count(window::MOST))];
            archive.host.log(Level::Warn, "window-too-full", &numbers);
        }
        let age = |study: &Dataset| {
            [tag::STUDY_DATE, tag::STUDY_TIME].map(|tag| study.text(tag).unwrap_or_default().to_owned())
        };
        studies.sort_by_key(|study| std::cmp::Reverse(age(study)));
        let ready = self.window.look(&studies, now_ms, archive.config.stable_after);
        self.queue.extend(ready.into_iter().map(|study| Waiting {
            orthanc: None,
            study: study.uid(tag::STUDY_INSTANCE_UID),
        }));
        Ok(())
    }
}

/// A study of the first pass.
struct Listed {
    waiting: Waiting,
    stable: bool,
}

impl Listed {
    fn key(&self) -> u64 {
        let orthanc = self.waiting.orthanc.as_deref();
        hash(orthanc.unwrap_or_else(|| self.waiting.study.as_ref().map_or("", Uid::as_str)))
    }
}

fn listed_by_orthanc(archive: &Archive<'_>, offset: usize) -> Result<Vec<Listed>, Disposition> {
    let studies = orthanc::studies(archive, offset)?.into_iter();
    let listed = studies.map(|study| Listed {
        stable: study.is_stable,
        waiting: Waiting {
            study: study.uid(),
            orthanc: Some(study.id),
        },
    });
    Ok(listed.collect())
}

fn listed_by_qido(archive: &Archive<'_>, offset: usize) -> Result<Vec<Listed>, Disposition> {
    let studies = archive.studies(&[], offset)?;
    let listed = studies.into_iter().take(orthanc::STUDIES).map(|study| Listed {
        stable: true,
        waiting: Waiting {
            study: study.data.uid(tag::STUDY_INSTANCE_UID),
            orthanc: None,
        },
    });
    Ok(listed.collect())
}
