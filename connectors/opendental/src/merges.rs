//! Asking the office who was merged, within a pass.
//!
//! **Rows.** A record that was given up is archived, so for the archived records among the new rows of a page the links
//! are asked for: one request, when there is such a record. Every later view of the record says it again in this way.
//!
//! **Late links.** A link can come without its row: the office writes it after the status, and a record that was archived
//! long before does not change at all when it is merged, so that its change time stays. So when a pass is complete the
//! links made since the pass before began are asked for, less the overlap, and records that no row has told of are read
//! one by one. That is one request for each pass, and one more for each such record and for the links of each ten.
//!
//! **When the office does not tell**: the grant or the key's permission is missing, or the office knows no ShortQuery.
//! Merges are then not seen, an archived record is only archived, and reading goes on; the office is asked again every
//! [`ASK_AGAIN`]. The first time that it tells, everything is read from the beginning, so that nothing of that time is
//! lost. The same happens with a cursor from before merges were read. Any other failure ends the call, so that the page
//! is not taken and comes again.
//!
//! **Bounds**: [`PAGE`] links and [`MOST_READ`] records of late links in one call; [`MOST_ANSWERS`] answers about the
//! records of a page.

use crate::api::{Api, Error};
use crate::clock::OfficeTime;
use crate::host::Host;
use crate::links::{self, Link, PAGE, Told};
use crate::row::{PatNum, Row};
use archwire_connector::log::Level;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// When an office that does not tell is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(15 * 60);

/// Most records of late links that one call reads, each with a request.
const MOST_READ: usize = 10;

/// Most answers about the records of one page: 2,000 links of 1,000 records.
const MOST_ANSWERS: usize = 20;

/// Which records took the place of others.
pub type Survivors = BTreeMap<PatNum, PatNum>;

/// What is known about the office's telling. Part of the cursor.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Merges {
    /// Records were passed without knowing who was merged.
    untold: bool,
    /// The office tells again after all.
    #[serde(skip)]
    tells_again: bool,
    /// When the office did not tell, in milliseconds since 1970 UTC; `None` when it told the last time.
    refused_ms: Option<u64>,
    late: Option<Late>,
    told: Told,
}

/// The links made since a time, of which some may not have been told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Late {
    since: OfficeTime,
    /// Links that were looked at.
    offset: usize,
    /// Whether there are no others.
    is_complete: bool,
    /// Records to be read, at most [`PAGE`].
    unread: Vec<PatNum>,
}

impl Merges {
    /// Of a cursor from before merges were read.
    #[must_use]
    pub fn unread() -> Self {
        Self {
            untold: true,
            ..Self::default()
        }
    }

    /// A pass is complete: the links since then are next.
    pub fn begin_late(&mut self, since: OfficeTime) {
        self.late = Some(Late {
            since,
            offset: 0,
            is_complete: false,
            unread: Vec::new(),
        });
    }

    /// Whether there are late links to look at.
    #[must_use]
    pub fn has_late(&self) -> bool {
        self.late.is_some()
    }

    /// Whether everything has to be read once more, because the office tells at last. Tells it once.
    pub fn begins_again(&mut self) -> bool {
        let again = std::mem::take(&mut self.tells_again);
        if again {
            self.late = None;
        }
        again
    }

    /// Forgets what cannot come again: what neither the late links that are next nor the passes from `oldest` ask for.
    pub fn forget_before(&mut self, oldest: OfficeTime) {
        let late = self.late.as_ref().map(|late| late.since);
        self.told
            .forget_before(late.map_or(oldest, |since| since.min(oldest)));
    }

    /// Which records took the place of those among the rows that were merged.
    ///
    /// # Errors
    /// When that may be known later.
    pub fn survivors(
        &mut self,
        host: &dyn Host,
        api: &Api<'_>,
        rows: &[&Row<'_>],
    ) -> Result<Survivors, Error> {
        let archived: Vec<_> = rows
            .iter()
            .filter(|row| row.is_put_away())
            .map(|row| row.pat_num)
            .collect();
        if archived.is_empty() {
            return Ok(Survivors::new());
        }
        let found = self.ask(host, |api| about(host, api, &archived), api)?;
        let mut merged = found.map(|links| links::in_force(&links)).unwrap_or_default();
        merged.retain(|from, _| archived.contains(from));
        merged.values().for_each(|link| self.told.add(link));
        Ok(merged.into_iter().map(|(from, link)| (from, link.to)).collect())
    }

    /// The next records of late links to be read, at most [`MOST_READ`].
    ///
    /// # Errors
    /// When the office may tell later.
    pub fn next_late(&mut self, host: &dyn Host, api: &Api<'_>) -> Result<Vec<PatNum>, Error> {
        let Some(mut late) = self.late.take() else {
            return Ok(Vec::new());
        };
        if late.unread.is_empty() && !late.is_complete {
            let sql = links::since(late.since);
            let Some((links, count)) = self.ask(host, |api| api.links(&sql, late.offset), api)? else {
                return Ok(Vec::new());
            };
            late.offset += count.min(PAGE);
            late.is_complete = count < PAGE;
            for link in links.iter().take(PAGE) {
                if !self.told.has(link) && !late.unread.contains(&link.from) {
                    late.unread.push(link.from);
                }
                self.told.add(link);
            }
        }
        let next = late.unread.split_off(late.unread.len().saturating_sub(MOST_READ));
        if !late.is_complete || !late.unread.is_empty() {
            self.late = Some(late);
        }
        Ok(next)
    }

    /// Asks, unless the office did not tell lately. `None` when it does not tell.
    fn ask<T>(
        &mut self,
        host: &dyn Host,
        question: impl FnOnce(&Api<'_>) -> Result<T, Error>,
        api: &Api<'_>,
    ) -> Result<Option<T>, Error> {
        let now_ms = host.now_ms();
        let is_lately = |refused: u64| Duration::from_millis(now_ms.saturating_sub(refused)) < ASK_AGAIN;
        if self.refused_ms.is_some_and(is_lately) {
            return Ok(None);
        }
        match question(api) {
            Ok(answer) => {
                self.refused_ms = None;
                self.tells_again |= std::mem::take(&mut self.untold);
                Ok(Some(answer))
            }
            Err(error) if error.is_lasting() => {
                if self.refused_ms.replace(now_ms).is_none() {
                    host.log(Level::Warn, "merges-not-readable", &[]);
                }
                self.untold = true;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Who took the place of one record. `None` also when the office does not tell.
///
/// # Errors
/// When that may be known later.
pub fn survivor(host: &dyn Host, api: &Api<'_>, row: &Row<'_>) -> Result<Option<PatNum>, Error> {
    if !row.is_put_away() {
        return Ok(None);
    }
    match about(host, api, &[row.pat_num]) {
        Ok(links) => Ok(links::in_force(&links).get(&row.pat_num).map(|link| link.to)),
        Err(error) if error.is_lasting() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the office tells, for the administrator.
#[must_use]
pub fn report(api: &Api<'_>) -> &'static str {
    match api.links(&links::about(&[]), 0) {
        Ok(_) => "readable",
        Err(Error::Unauthorized(_)) => "not readable: the key lacks the permission Queries",
        Err(Error::Http(archwire_connector::http::Error::Denied)) => {
            "not readable: PUT /api/v1/queries/ShortQuery is not granted"
        }
        Err(error) if error.is_lasting() => "not readable: the office does not know ShortQuery",
        Err(_) => "no answer at present",
    }
}

/// All links from and into some records.
fn about(host: &dyn Host, api: &Api<'_>, records: &[PatNum]) -> Result<Vec<Link>, Error> {
    let (sql, mut all, mut offset) = (links::about(records), Vec::new(), 0);
    for _ in 0..MOST_ANSWERS {
        let (links, count) = api.links(&sql, offset)?;
        all.extend(links);
        if count < PAGE {
            return Ok(all);
        }
        offset += count;
    }
    host.log(Level::Warn, "links-cut-short", &[]);
    Ok(all)
}

#[cfg(test)]
mod tests;
