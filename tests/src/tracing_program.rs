//! A vendor's program that traces cephalometric radiographs: it keeps a patient list of its own under its own numbers,
//! follows the practice's events, tells the bus under which number it keeps whom, and registers patients itself.
//!
//! It is written as a vendor should write one, with one exception: its list is in memory only. It checks what the bus
//! promises: revisions without gaps, nothing twice under two numbers. What it finds wrong it keeps for
//! [`TracingProgram::complaints`]. When two patients are merged, it goes on with the record that the event names, and puts
//! its other record of them away until they are two again.

mod list;

pub use list::Local;

use anyhow::{Context as _, Result, ensure};
use archwire_client::{
    Client, ClientError, Delivery, Publisher, Receipt, SubscribeOptions, Subscription, v1,
};
use list::List;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// How long the program tries to tell the bus something: longer than an outage in a test.
const DEADLINE: Duration = Duration::from_secs(120);
/// Records of which the bus is being told at the same time.
const TELLING: usize = 128;

/// The program while it runs. Clones are windows of the same program; it ends with the last of them.
#[derive(Clone)]
pub struct TracingProgram {
    client: Client,
    publisher: Publisher,
    list: SharedList,
    _follower: Arc<AbortOnDropHandle<()>>,
}

type SharedList = Arc<Mutex<List>>;

impl TracingProgram {
    /// Starts the program of the vendor `name`.
    #[must_use]
    pub fn start(name: &str, client: Client) -> Self {
        let list = SharedList::default();
        let publisher = client.publisher_with_deadline(DEADLINE);
        let follower = Follower {
            name: name.to_owned(),
            subscription: client.subscribe(SubscribeOptions::new("patient-list")),
            publisher: publisher.clone(),
            list: Arc::clone(&list),
            telling: JoinSet::new(),
        };
        let follower = AbortOnDropHandle::new(tokio::spawn(follower.run()));
        Self {
            client,
            publisher,
            list,
            _follower: Arc::new(follower),
        }
    }

    /// The program's connection.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The patient list, by the program's own numbers, without records that were put away after a merge.
    #[must_use]
    pub fn records(&self) -> Vec<Local> {
        let mut records: Vec<_> = lock(&self.list).records.values().cloned().collect();
        records.retain(|local| local.merged_into.is_none());
        records
    }

    /// The first record that `fits`, those included that were put away.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, mut fits: impl FnMut(&Local) -> bool) -> Result<Local> {
        let list = lock(&self.list);
        list.records
            .values()
            .find(|local| fits(local))
            .cloned()
            .context("the vendor has no such record")
    }

    /// The record with that number.
    ///
    /// # Errors
    /// When there is none.
    pub fn record(&self, local_id: &str) -> Result<Local> {
        self.find(|local| local.local_id == local_id)
    }

    /// How many events the program took in, repetitions not counted.
    #[must_use]
    pub fn events(&self) -> u64 {
        lock(&self.list).events
    }

    /// How many events came that the program had already: allowed, and recognised by their revision.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        lock(&self.list).repeated
    }

    /// The review items that the program's own words about its records led to: a person decides before they are taken.
    #[must_use]
    pub fn in_review(&self) -> Vec<u64> {
        lock(&self.list).in_review.clone()
    }

    /// What the bus did that it should not. None of it names a patient.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        lock(&self.list).complaints.clone()
    }

    /// Types in a patient whom nobody else knows, and waits until the bus has stored it.
    ///
    /// # Errors
    /// When the bus does not take it.
    pub async fn register(&self, patient: v1::Patient) -> Result<(String, Receipt)> {
        let local_id = lock(&self.list).enter(None, patient, 0);
        let local = lock(&self.list)
            .records
            .get(&local_id)
            .cloned()
            .context("the record is gone")?;
        Ok((local_id, self.publisher.publish(local.observation()).await?))
    }

    /// Changes a record as the program's user does, and waits until the bus has stored it.
    ///
    /// # Errors
    /// When there is no such record, or the bus does not take it.
    pub async fn edit(&self, local_id: &str, change: impl FnOnce(&mut v1::Patient)) -> Result<Receipt> {
        let edited = {
            let mut list = lock(&self.list);
            let local = list
                .records
                .get_mut(local_id)
                .context("no record has this number")?;
            change(&mut local.patient);
            local.observation()
        };
        Ok(self.publisher.publish(edited).await?)
    }

    /// One patient's whole history, from the bus.
    ///
    /// # Errors
    /// When the bus does not give it, or its revisions are not 1, 2, 3, and so on.
    pub async fn history(&self, patient_id: &str) -> Result<Vec<v1::Event>> {
        let mut events: Vec<v1::Event> = Vec::new();
        let mut after = Some(0);
        while let Some(revision) = after {
            let page = self.client.list_events(patient_id, revision).await?;
            events.extend(page.events.into_iter().map(|stored| stored.event));
            after = page.next;
        }
        for (event, expected) in events.iter().zip(1..) {
            ensure!(
                event.revision == expected,
                "revision {} stands where {expected} should",
                event.revision
            );
        }
        Ok(events)
    }
}

/// The part of the program that follows the bus.
struct Follower {
    name: String,
    subscription: Subscription,
    publisher: Publisher,
    list: SharedList,
    telling: JoinSet<()>,
}

impl Follower {
    async fn run(mut self) {
        loop {
            match self.subscription.next().await {
                Ok(Some(delivery)) => self.take(delivery).await,
                Ok(None) => return,
                Err(error @ ClientError::Unreadable { .. }) => self.complain(&error),
                Err(error) => return self.complain(&error),
            }
        }
    }

    async fn take(&mut self, delivery: Delivery) {
        let new = lock(&self.list).take(&self.name, delivery.event.clone());
        if let Some(local_id) = new {
            self.tell(local_id).await;
        }
        self.subscription.ack(&delivery);
    }

    /// Tells the bus under which number the program keeps a patient.
    async fn tell(&mut self, local_id: String) {
        while self.telling.len() >= TELLING {
            self.telling.join_next().await;
        }
        let Some(local) = lock(&self.list).records.get(&local_id).cloned() else {
            return;
        };
        let (publisher, list) = (self.publisher.clone(), Arc::clone(&self.list));
        self.telling.spawn(async move {
            let told = publisher.publish(local.observation()).await;
            let mut list = lock(&list);
            match told {
                Ok(Receipt::InReview { item, .. }) => list.in_review.push(item),
                Ok(Receipt::Recorded { .. } | Receipt::Unchanged { .. }) => {
                    if let Some(local) = list.records.get_mut(&local_id) {
                        local.is_known_to_bus = true;
                    }
                }
                // The patient was merged meanwhile, and the record is another one's now.
                Err(_) if list.is_moved(&local) => {}
                Err(error) => list
                    .complaints
                    .push(format!("record {local_id} was not taken: {}", error.code())),
            }
        });
    }

    fn complain(&self, error: &ClientError) {
        lock(&self.list)
            .complaints
            .push(format!("the subscription failed: {} ({error})", error.code()));
    }
}

/// The list, also after a panic: a test wants to see what was there.
fn lock(list: &SharedList) -> MutexGuard<'_, List> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}
