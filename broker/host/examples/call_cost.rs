//! What a call costs: a fresh instance, the call, and throwing it away, without HTTP.
//!
//! ```text
//! cargo xtask guests
//! cargo run --release -p archwire-host --example call_cost
//! ```

use archwire_core::{Cursor, Delivery, EventKind, HumanName, Patient, PatientId, Revision};
use archwire_host::{Connector, Engine, EngineConfig, Limits, MemoryStateStore, SystemConfig};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const CALLS: usize = 10_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let component =
        std::env::var_os("ARCHWIRE_COMPONENTS").map_or(root.join("guests/components"), Into::into);
    let folder = tempfile::tempdir()?;
    let engine = Engine::new(EngineConfig::new(folder.path().join("compiled")))?;
    let file = component.join("hostile.wasm");
    let begin = Instant::now();
    let component = engine.load(&file).await?;
    println!("compile and load          {:>10.1?}", begin.elapsed());
    let begin = Instant::now();
    engine.load(&file).await?;
    println!("load what was compiled    {:>10.1?}", begin.elapsed());

    let config = SystemConfig {
        system: "front-desk".parse()?,
        settings: BTreeMap::from([("greeting".to_owned(), "hello".to_owned())]),
        secrets: BTreeMap::from([("key".to_owned(), "none".into())]),
        grants: Vec::new(),
        limits: Limits::default(),
        account: None,
        images: None,
        images_folder: None,
    };
    let connector = Connector::new(component, config, Arc::new(MemoryStateStore::default()))?;
    let (delivery, cursor) = (delivery(), Cursor("page 0".to_owned()));
    let mut delivers = Vec::with_capacity(CALLS);
    let mut polls = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let begin = Instant::now();
        connector.deliver(&delivery).await?;
        delivers.push(begin.elapsed());
        let begin = Instant::now();
        connector.poll(Some(&cursor)).await?;
        polls.push(begin.elapsed());
    }
    println!("deliver, fresh instance   {}", percentiles(delivers));
    println!("empty poll, fresh instance{}", percentiles(polls));
    Ok(())
}

fn delivery() -> Delivery {
    let name = HumanName {
        family: Some("Example".into()),
        given: vec!["Anna".into()],
        ..HumanName::default()
    };
    Delivery {
        event_id: PatientId::generate().to_string(),
        kind: EventKind::PatientUpdated,
        patient_id: PatientId::generate(),
        revision: Revision::new(2),
        local_id: None,
        patient: Patient {
            names: vec![name],
            ..Patient::default()
        },
        changed: BTreeSet::new(),
        in_doubt_since: None,
    }
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |percent: usize| {
        times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    format!(" p50 {:>8.1?}  p99 {:>8.1?}", at(50), at(99))
}
