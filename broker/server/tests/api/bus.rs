//! A bus with two vendors, and their ends of its calls.

use crate::office::{Office, ann, bob, everything, in_time, says, stranger, vendor};
use archwire::{
    api::{ApiServer, BusService, Callers, Subscriptions},
    audit::Audit,
    config::{Api, Connections},
    registry::Observed,
};
use archwire_core::{Patient, PatientId, contract::Contract};
use archwire_nats::ByteSize;
use archwire_proto::v1::{
    Ack, Credit, Delivery, Event, Heartbeat, Nack, Open, Opened, SubscribeRequest, SubscribeResponse,
    ack::What, bus_client::BusClient, delivery::Turn, subscribe_request::Request as Say,
    subscribe_response::Response as Answer,
};
use prost::Message as _;
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, Streaming, transport::Channel};

/// The two vendors.
pub(crate) const TRACER: &str = "tracer";
pub(crate) const SCANNER: &str = "scanner";
/// Whose patients they hear of.
pub(crate) const DESK: &str = "desk";

/// A bus with two vendors, who may see and say everything until something else is agreed.
pub(crate) struct Bus {
    pub(crate) office: Office,
    pub(crate) client: BusClient<Channel>,
    subscriptions: Arc<Subscriptions>,
    serving: JoinHandle<()>,
    shutdown: CancellationToken,
}

fn token(vendor: &str) -> String {
    format!("{vendor:->32}")
}

impl Bus {
    pub(crate) async fn open() -> Self {
        Self::of(Office::open().await).await
    }

    /// Another bus with the positions and the key of the cursors of this one, and a log in which nothing stands that stands in this
    /// one's: as if an older copy had been restored.
    pub(crate) async fn restored(&self) -> Self {
        let bucket = "subscriptions".parse().unwrap();
        let office = Office::open().await;
        let copy = office.registry.log().bucket(&bucket).await.unwrap();
        let positions = self.office.registry.log().bucket(&bucket).await.unwrap();
        for key in positions.keys().await.unwrap() {
            let value = positions.get(&key).await.unwrap().unwrap();
            copy.put(&key, value).await.unwrap();
        }
        Self::of(office).await
    }

    async fn of(office: Office) -> Self {
        let log = office.registry.log().clone();
        let shutdown = CancellationToken::new();
        let audit = Audit::open(&log, ByteSize::mebibytes(16)).await.unwrap();
        let positions = log.bucket(&"subscriptions".parse().unwrap()).await.unwrap();
        let registry = Arc::clone(&office.registry);
        let subscriptions = Subscriptions::new(Arc::clone(&registry), positions, audit, shutdown.clone());
        let subscriptions = subscriptions.await.unwrap();
        let callers = Callers::new(office.books.reader());
        let service = BusService::new(
            registry,
            callers,
            Arc::clone(&subscriptions),
            None,
            shutdown.clone(),
        );
        let api = Api {
            listen: "127.0.0.1:0".parse().unwrap(),
            tls: None,
            connections: Connections::default(),
        };
        let server = ApiServer::bind(&api).await.unwrap();
        let url = format!("http://{}", server.address().unwrap());
        let stopped = shutdown.clone();
        let serving = tokio::spawn(async move { server.run(service, stopped).await.unwrap() });
        let bus = Self {
            client: BusClient::connect(url).await.unwrap(),
            office,
            subscriptions,
            serving,
            shutdown,
        };
        bus.agree(everything(TRACER));
        bus
    }

    /// What the practice agreed with the first vendor from now on.
    pub(crate) fn agree(&self, contract: Contract) {
        let vendors = [contract, everything(SCANNER)].map(|contract| {
            let token = token(contract.grantee.vendor.as_str());
            vendor(contract, &token)
        });
        self.office.books.put_vendors(vendors);
    }

    /// The desk says what its record of somebody looks like.
    pub(crate) async fn says(&self, record: &str, patient: Patient) -> PatientId {
        let observed = self.office.see(says(DESK, record, patient)).await;
        match observed {
            Observed::Recorded { patient, .. } => patient,
            other => panic!("{other:?} is no event"),
        }
    }

    /// Ann and Bob are registered, one after the other.
    pub(crate) async fn ann_and_bob(&self) -> [PatientId; 2] {
        [self.says("1", ann()).await, self.says("2", bob()).await]
    }

    /// So many people are registered.
    pub(crate) async fn strangers(&self, numbers: std::ops::Range<usize>) -> Vec<PatientId> {
        let mut ids = Vec::new();
        for number in numbers {
            ids.push(self.says(&format!("s{number}"), stranger(number)).await);
        }
        ids
    }

    /// Opens a subscription.
    pub(crate) async fn subscribe(&self, vendor: &str, open: Open) -> Result<Reader, Status> {
        let (say, outgoing) = mpsc::channel(64);
        let first = SubscribeRequest {
            request: Some(Say::Open(open)),
        };
        say.send(first).await.unwrap();
        let request = by(vendor, ReceiverStream::new(outgoing));
        let answers = in_time(self.client.clone().subscribe(request)).await?;
        let mut reader = Reader {
            say,
            answers: answers.into_inner(),
            opened: Opened::default(),
        };
        match reader.next().await? {
            Answer::Opened(opened) => reader.opened = opened,
            _ => panic!("the first answer is another one"),
        }
        Ok(reader)
    }

    /// The same with credit for 1,000 events.
    pub(crate) async fn read(&self, vendor: &str, open: Open) -> Reader {
        let reader = self.subscribe(vendor, open).await.unwrap();
        reader.allow(1_000).await;
        reader
    }

    /// Stops in order.
    pub(crate) async fn close(self) {
        let Self {
            office,
            client,
            subscriptions,
            serving,
            shutdown,
        } = self;
        drop(client);
        shutdown.cancel();
        in_time(serving).await.unwrap();
        in_time(subscriptions.drain()).await;
        drop(office);
    }
}

/// A call of a vendor.
pub(crate) fn by<T>(vendor: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = format!("Bearer {}", token(vendor)).parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    request
}

/// What opens a subscription of this name, with a heartbeat a second.
pub(crate) fn named(name: &str) -> Open {
    Open {
        name: name.to_owned(),
        heartbeat: Some(Duration::from_secs(1).try_into().unwrap()),
        ..Open::default()
    }
}

/// A vendor's end of a subscription.
pub(crate) struct Reader {
    say: mpsc::Sender<SubscribeRequest>,
    answers: Streaming<SubscribeResponse>,
    pub(crate) opened: Opened,
}

impl Reader {
    pub(crate) async fn say(&self, request: Say) {
        let request = SubscribeRequest {
            request: Some(request),
        };
        in_time(self.say.send(request)).await.unwrap();
    }

    /// Allows so many more events.
    pub(crate) async fn allow(&self, events: u32) {
        self.say(Say::Credit(Credit { events })).await;
    }

    /// Everything up to there is done.
    pub(crate) async fn ack(&self, through: u64) {
        let what = Some(What::Through(through));
        self.say(Say::Ack(Ack { what })).await;
    }

    /// This one is done.
    pub(crate) async fn ack_only(&self, sequence: u64) {
        let what = Some(What::Only(sequence));
        self.say(Say::Ack(Ack { what })).await;
    }

    pub(crate) async fn nack(&self, sequence: u64, delay: Duration) {
        let delay = Some(delay.try_into().unwrap());
        self.say(Say::Nack(Nack { sequence, delay })).await;
    }

    /// The next answer, whatever it is.
    pub(crate) async fn next(&mut self) -> Result<Answer, Status> {
        let answer = in_time(self.answers.message()).await?;
        Ok(answer.expect("the stream has ended").response.unwrap())
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> (Delivery, Event) {
        loop {
            if let Answer::Delivery(delivery) = self.next().await.unwrap() {
                let event = Event::decode(delivery.event.clone()).unwrap();
                return (delivery, event);
            }
        }
    }

    /// Of the next events, whose they are and which revision.
    pub(crate) async fn events(&mut self, count: usize) -> Vec<(PatientId, u64)> {
        let mut events = Vec::new();
        while events.len() < count {
            let (_, event) = self.event().await;
            events.push((event.patient_id.parse().unwrap(), event.revision));
        }
        events
    }

    /// The next heartbeat, before which no event comes.
    pub(crate) async fn heartbeat(&mut self) -> Heartbeat {
        match self.next().await.unwrap() {
            Answer::Heartbeat(heartbeat) => heartbeat,
            _ => panic!("an event came"),
        }
    }

    /// Why the stream ends; what comes before is passed over.
    pub(crate) async fn refusal(&mut self) -> Status {
        loop {
            if let Err(refusal) = self.next().await {
                return refusal;
            }
        }
    }
}

/// Behind which one an event comes in its turn; none for one that comes again.
pub(crate) fn after(delivery: &Delivery) -> Option<u64> {
    match delivery.turn {
        Some(Turn::After(after)) => Some(after),
        _ => None,
    }
}

/// How often an event was refused that comes again.
pub(crate) fn refusals(delivery: &Delivery) -> Option<u32> {
    match &delivery.turn {
        Some(Turn::Again(again)) => Some(again.refusals),
        _ => None,
    }
}

/// The bus's own code.
pub(crate) fn code(status: &Status) -> &str {
    status
        .metadata()
        .get("archwire-error-code")
        .unwrap()
        .to_str()
        .unwrap()
}
