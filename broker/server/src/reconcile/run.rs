//! One comparison: list, hold against the index, read what may have changed, look once more at what seems wrong.
//!
//! The office goes on while this runs, which may be for hours. So whatever seems wrong is looked at a second time at the end,
//! after the system was polled again and the deliveries that were under way had time to end; and of a patient whom the log
//! tells something about after the comparison began, nothing is reported.

use super::{
    Progress, ReconcileError, System,
    report::{Finding, Kind, Report},
    store::{Agreed, Versions, since_1970},
    system::Looked,
};
use crate::registry::{Compared, KnownRecord, Registry};
use archwire_core::{LocalId, PatientId, RecordVersion};
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// Records that are asked for at the same time; the account may allow fewer.
const AT_A_TIME: usize = 4;
/// How long the system is waited for to be polled twice before what seems wrong is looked at again. Who is polled less often
/// may be reported with what the next poll would bring.
const LONGEST_SETTLING: Duration = Duration::from_secs(60);
/// Between two looks at whether it was.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
const DAY: u128 = 24 * 60 * 60 * 1000;

/// A comparison that runs.
pub(super) struct Run<'a> {
    pub(super) system: &'a System,
    pub(super) registry: &'a Arc<Registry>,
    pub(super) progress: &'a watch::Sender<Progress>,
    /// How far the log had come when it began.
    since: u64,
    pub(super) report: Report,
    today: u32,
    /// What is remembered of the comparison before, and what will be of this one.
    before: Versions,
    agreed: Versions,
}

/// What seems wrong.
#[derive(Default)]
struct Suspects {
    /// Known, and missing or differing.
    known: Vec<LocalId>,
    extra: Vec<LocalId>,
    unlinked: Vec<PatientId>,
}

/// A record that is to be compared.
struct Candidate {
    local_id: LocalId,
    version: Option<RecordVersion>,
}

/// What comparing it came to.
enum Outcome {
    Agrees(LocalId, Option<Agreed>),
    Suspect(LocalId),
    Unreadable,
    /// There is nothing to compare any more.
    Nothing,
}

/// A second look at something that seemed wrong.
struct Confirmed {
    finding: Finding,
    is_repaired: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        system: &'a System,
        registry: &'a Arc<Registry>,
        progress: &'a watch::Sender<Progress>,
        before: Versions,
        repair: bool,
    ) -> Self {
        let days = since_1970(SystemTime::now()) / DAY;
        let since = registry.index().sequence();
        Self {
            since,
            report: Report::new(system.name.clone(), repair),
            today: u32::try_from(days).unwrap_or(u32::MAX),
            before,
            agreed: Versions::new(),
            system,
            registry,
            progress,
        }
    }

    /// Compares. What was found in agreement is kept also after an error.
    pub(super) async fn run(&mut self) -> Result<Report, ReconcileError> {
        let survey = self
            .system
            .survey(|listed| {
                self.progress
                    .send_modify(|progress| progress.listed = count(listed));
            })
            .await?;
        self.report.listed = count(survey.len());
        let known = self.registry.known_records(&self.system.name);
        let against = survey.against(known.records);
        let missing = against.missing.into_iter();
        let mut suspects = Suspects {
            known: missing
                .filter(|(_, known)| !known.is_superseded)
                .map(|(local_id, _)| local_id)
                .collect(),
            extra: against.extra,
            // Of a system to which the bus does not write, nobody should have a record.
            unlinked: self.system.desk.as_ref().map_or_else(Vec::new, |_| known.without),
        };
        let candidates = self.candidates(against.listed);
        self.compare(candidates, &mut suspects).await?;
        self.sift(&mut suspects).await?;
        if !suspects.is_empty() {
            self.settle().await;
            self.confirm(suspects).await?;
        }
        self.report.ended_at = SystemTime::now();
        Ok(self.report.clone())
    }

    /// What is to be remembered: the records that were found in agreement, and where the comparison did not come to its end
    /// those from before that it did not get to.
    pub(super) fn into_agreed(self, is_whole: bool) -> Versions {
        let mut agreed = if is_whole { Versions::new() } else { self.before };
        agreed.extend(self.agreed);
        agreed
    }

    /// The records that may have changed since they were found in agreement; the others are remembered as they were.
    fn candidates(&mut self, listed: Vec<(LocalId, Option<RecordVersion>, KnownRecord)>) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for (local_id, version, known) in listed {
            if !known.is_kept {
                continue;
            }
            let before = self.before.remove(&local_id);
            let holds = before.filter(|before| {
                let now = version.map(|version| self.agreed_now(version, &known));
                known.is_at_rest && now.is_some_and(|now| before.holds(&local_id, &now))
            });
            match holds {
                Some(before) => _ = self.agreed.insert(local_id, before),
                None => candidates.push(Candidate { local_id, version }),
            }
        }
        candidates
    }

    fn agreed_now(&self, version: RecordVersion, known: &KnownRecord) -> Agreed {
        Agreed {
            version,
            revision: known.revision,
            day: self.today,
        }
    }

    async fn compare(
        &mut self,
        candidates: Vec<Candidate>,
        suspects: &mut Suspects,
    ) -> Result<(), ReconcileError> {
        let to_compare = count(candidates.len());
        self.progress
            .send_modify(|progress| progress.to_compare = to_compare);
        let this = &*self;
        let outcomes = stream::iter(candidates).map(|candidate| this.outcome(candidate).boxed());
        let mut outcomes = Box::pin(outcomes.buffered(AT_A_TIME));
        let (mut agreed, mut compared, mut unreadable) = (Vec::new(), 0, 0);
        let mut failed = None;
        while let Some(outcome) = outcomes.next().await {
            compared += 1;
            self.progress.send_modify(|progress| progress.compared = compared);
            match outcome {
                Ok(Outcome::Agrees(local_id, Some(now))) => agreed.push((local_id, now)),
                Ok(Outcome::Agrees(_, None) | Outcome::Nothing) => {}
                Ok(Outcome::Suspect(local_id)) => suspects.known.push(local_id),
                Ok(Outcome::Unreadable) => unreadable += 1,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        drop(outcomes);
        self.agreed.extend(agreed);
        self.report.compared = compared;
        self.report.unreadable = unreadable;
        failed.map_or(Ok(()), Err)
    }

    async fn outcome(&self, candidate: Candidate) -> Result<Outcome, ReconcileError> {
        let Candidate { local_id, version } = candidate;
        let view = match self.system.look(&local_id).await? {
            Looked::Shown(view, _) => view,
            Looked::Gone => return Ok(Outcome::Suspect(local_id)),
            Looked::Unreadable => return Ok(Outcome::Unreadable),
        };
        let Some(Compared { known, differences }) = self.difference(&local_id, &view.patient).await? else {
            return Ok(Outcome::Nothing);
        };
        if !differences.paths().is_empty() {
            return Ok(Outcome::Suspect(local_id));
        }
        let agreed = version.filter(|_| known.is_at_rest);
        let agreed = agreed.map(|version| self.agreed_now(version, &known));
        Ok(Outcome::Agrees(local_id, agreed))
    }

    pub(super) async fn difference(
        &self,
        local_id: &LocalId,
        shown: &archwire_core::Patient,
    ) -> Result<Option<Compared>, ReconcileError> {
        let compared = self.registry.compare(
            &self.system.name,
            local_id,
            shown.clone(),
            self.system.desk.is_some(),
        );
        Ok(compared.await?)
    }

    /// Leaves out what is not wrong at the first look.
    async fn sift(&self, suspects: &mut Suspects) -> Result<(), ReconcileError> {
        let (system, registry) = (&self.system.name, self.registry);
        suspects
            .extra
            .retain(|local_id| registry.is_extra(system, local_id));
        let mut unlinked = Vec::new();
        for patient in std::mem::take(&mut suspects.unlinked) {
            if registry.is_unlinked(system, patient, self.since).await? {
                unlinked.push(patient);
            }
        }
        suspects.unlinked = unlinked;
        Ok(())
    }

    /// Waits until the system was polled twice, so that one of the polls began after everything here, and until what was
    /// under way to it may have arrived.
    async fn settle(&self) {
        if !self.system.is_polled() {
            return;
        }
        let (began, mut polls) = (Instant::now(), 0);
        let mut last = self.system.last_poll.get();
        while polls < 2 && began.elapsed() < LONGEST_SETTLING {
            sleep(BETWEEN_LOOKS).await;
            let polled = self.system.last_poll.get();
            polls += u32::from(polled != last);
            last = polled;
        }
    }

    /// Looks at what seemed wrong once more, reports what still is, and repairs it where that is asked for. Extra records
    /// come first: one of them may be the record that an unlinked patient should have.
    async fn confirm(&mut self, suspects: Suspects) -> Result<(), ReconcileError> {
        let to_look_at = count(suspects.known.len() + suspects.extra.len() + suspects.unlinked.len());
        self.progress
            .send_modify(|progress| progress.to_compare += to_look_at);
        let this = &*self;
        let known = stream::iter(suspects.known).map(|local_id| this.confirm_known(local_id).boxed());
        let known: Vec<_> = known.buffered(AT_A_TIME).try_collect().await?;
        let extra = stream::iter(suspects.extra).map(|local_id| this.confirm_extra(local_id).boxed());
        let extra: Vec<_> = extra.buffered(AT_A_TIME).try_collect().await?;
        let mut confirmed: Vec<Confirmed> = known.into_iter().chain(extra).flatten().collect();
        for patient in suspects.unlinked {
            confirmed.extend(self.confirm_unlinked(patient).await?);
        }
        for Confirmed { finding, is_repaired } in confirmed {
            self.report.add(finding);
            self.report.repaired += u64::from(is_repaired);
        }
        Ok(())
    }

    fn one_more(&self) {
        self.progress.send_modify(|progress| progress.compared += 1);
    }

    async fn confirm_known(&self, local_id: LocalId) -> Result<Option<Confirmed>, ReconcileError> {
        self.one_more();
        let looked = self.system.look(&local_id).await?;
        let known = self.registry.known_record(&self.system.name, &local_id);
        let is_news = |known: &KnownRecord| {
            known.sequence > self.since || known.linked_at >= self.report.began_at || known.is_superseded
        };
        let Some(known) = known.filter(|known| !is_news(known)) else {
            return Ok(None);
        };
        let (kind, paths, is_repaired) = match looked {
            Looked::Unreadable => return Ok(None),
            Looked::Gone => {
                let is_repaired = self.report.repair && self.ask_for(&local_id, &known).await?;
                (Kind::Missing, BTreeSet::new(), is_repaired)
            }
            Looked::Shown(view, begun) => {
                let compared = self.difference(&local_id, &view.patient).await?;
                let compared = compared.filter(|compared| !compared.differences.paths().is_empty());
                let Some(compared) = compared else {
                    return Ok(None);
                };
                let paths = compared.differences.paths();
                let is_repaired = self.report.repair && self.mend(*view, begun, compared).await?;
                (Kind::Differing, paths, is_repaired)
            }
        };
        Ok(Some(Confirmed {
            finding: Finding {
                kind,
                local_id: Some(local_id),
                patient: Some(known.patient),
                paths,
            },
            is_repaired,
        }))
    }

    async fn confirm_extra(&self, local_id: LocalId) -> Result<Option<Confirmed>, ReconcileError> {
        self.one_more();
        let is_extra = || self.registry.is_extra(&self.system.name, &local_id);
        if !is_extra() {
            return Ok(None);
        }
        let looked = self.system.look(&local_id).await?;
        if !is_extra() {
            return Ok(None);
        }
        let is_repaired = match looked {
            Looked::Gone => return Ok(None),
            Looked::Shown(view, begun) if self.report.repair => self.take(*view, begun).await?,
            Looked::Shown(..) | Looked::Unreadable => false,
        };
        Ok(Some(Confirmed {
            finding: Finding {
                kind: Kind::Extra,
                local_id: Some(local_id),
                patient: None,
                paths: BTreeSet::new(),
            },
            is_repaired,
        }))
    }

    async fn confirm_unlinked(&self, patient: PatientId) -> Result<Option<Confirmed>, ReconcileError> {
        self.one_more();
        let is_unlinked = self.registry.is_unlinked(&self.system.name, patient, self.since);
        if !is_unlinked.await? {
            return Ok(None);
        }
        let is_repaired = self.report.repair && self.bring(patient);
        Ok(Some(Confirmed {
            finding: Finding {
                kind: Kind::Unlinked,
                local_id: None,
                patient: Some(patient),
                paths: BTreeSet::new(),
            },
            is_repaired,
        }))
    }
}

impl Suspects {
    fn is_empty(&self) -> bool {
        self.known.is_empty() && self.extra.is_empty() && self.unlinked.is_empty()
    }
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
