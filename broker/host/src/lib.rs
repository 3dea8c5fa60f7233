//! The sandbox that Archwire's connectors run in: the only crate that names wasmtime.
//!
//! [`Engine`] is one per broker. [`Engine::load`] turns a file into a [`Component`], which says what it is and wants
//! ([`Description`]). [`Connector::new`] sets it up for one system, with settings, secrets and [`Grant`]s, and has the
//! calls of the contract as methods. Each call runs in a fresh instance, so that nothing of one patient is left for the
//! next, and within [`Limits`].
//!
//! What a connector can do is what it imports from `wit/` and what the administrator granted. It sees no files, no
//! environment, no sockets, and no secret: the host puts those on requests itself.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use archwire_host::{Connector, Engine, EngineConfig, Grant, Limits, MemoryStateStore, SystemConfig};
//! use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc, time::Duration};
//!
//! let engine = Engine::new(EngineConfig::new("/var/lib/archwire/compiled".into()))?;
//! let component = engine.load("connectors/opendental.wasm").await?;
//! let config = SystemConfig {
//!     system: "front-desk".parse()?,
//!     settings: BTreeMap::new(),
//!     secrets: BTreeMap::new(),
//!     grants: vec![Grant {
//!         to: "https://api.opendental.com".parse()?,
//!         methods: vec!["GET".parse()?],
//!         paths: vec!["/api/v1/patients/**".parse()?],
//!         private_addresses: false,
//!         spacing: Duration::from_secs(1),
//!         in_flight: NonZeroUsize::MIN,
//!     }],
//!     limits: Limits::default(),
//!     account: None,
//!     images: None,
//!     images_folder: None,
//! };
//! let connector = Connector::new(component, config, Arc::new(MemoryStateStore::default()))?;
//! let answer = connector.poll(None).await?;
//! # Ok(()) }
//! ```

mod account;
mod activity;
mod answer;
mod bindings;
mod cache;
mod call;
mod config;
mod connector;
mod convert;
mod description;
mod engine;
mod grant;
mod http;
mod image;
mod image_offer;
mod imports;
mod limits;
mod load;
mod sandbox;
mod state;
mod ticker;

pub use account::{Account, AccountConfig, AccountState, Turn};
pub use answer::{CheckReport, IncomingRequest, PollAnswer, Received, Unreadable, UnreadableImage};
pub use cache::CacheError;
pub use call::CallError;
pub use config::{ConfigError, ConfigProblem, SystemConfig};
pub use connector::{Connector, SetUpError};
pub use convert::DescriptionError;
pub use description::{Ability, Credential, Description, GrantWish, Secret, Setting, SettingKind};
pub use engine::{Engine, EngineConfig, EngineError};
pub use grant::{Grant, Method, MethodError, Origin, OriginError, PathPattern, PathPatternError, Scheme};
pub use image::{ImageBytes, ImageContent, ImageContentError, ImageSink, MemoryImages, StoredImage};
pub use image_offer::{HandOut, ImageOffer, ImageOfferError, ImageWay};
pub use limits::Limits;
pub use load::{CONTRACT, Component, LARGEST_COMPONENT, LoadError, LoadProblem};
pub use state::{MemoryStateStore, StateStore, StateStoreError, StateValues};
