//! The engine: one per broker. It compiles components and bounds how many instances run at the same time.
//!
//! Instances live in a pool that is reserved at the start: address space, not memory. A place costs 4 GiB of address
//! space for each of its two memories, so that the compiled code needs no bounds checks.

use crate::{
    bindings::ConnectorPre,
    cache::{Cache, CacheError},
    sandbox::{Sandbox, TABLE_ELEMENTS},
    ticker::Ticker,
};
use std::{error::Error, fmt, io, num::NonZeroU32, path::PathBuf, sync::Arc};
use tokio::sync::Semaphore;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

/// What the broker chooses about its engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Where compiled components are kept. Made if it is missing; only the broker's user may write there.
    pub cache_folder: PathBuf,
    /// Most instances at the same time, over all systems. 64. Further calls wait.
    pub instances: NonZeroU32,
    /// Most memory that any system's [`Limits::memory_bytes`](crate::Limits::memory_bytes) may ask for. 256 MiB.
    pub largest_memory_bytes: usize,
}

impl EngineConfig {
    /// The usual numbers.
    #[must_use]
    pub fn new(cache_folder: PathBuf) -> Self {
        const INSTANCES: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);
        Self {
            cache_folder,
            instances: INSTANCES,
            largest_memory_bytes: 256 * 1024 * 1024,
        }
    }
}

/// The engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The folder for compiled components cannot be used.
    #[error("the folder for compiled connectors cannot be used")]
    Cache(#[source] CacheError),
    /// The runtime refuses its settings, or there is not enough address space.
    #[error("the WebAssembly runtime does not start; is the process's address space limited (ulimit -v)?")]
    Runtime(#[source] Box<dyn Error + Send + Sync>),
    /// The operating system gives no thread.
    #[error("the thread that stops connectors at their deadline does not start")]
    Thread(#[source] io::Error),
}

impl EngineError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cache(error) => error.code(),
            Self::Runtime(_) => "engine_refused",
            Self::Thread(_) => "engine_thread_unavailable",
        }
    }
}

/// Compiles and runs connectors. Cheap to clone; its clock stops when the last clone and the last component are gone.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<EngineParts>);

pub(crate) struct EngineParts {
    pub(crate) runtime: wasmtime::Engine,
    pub(crate) cache: Cache,
    pub(crate) places: Semaphore,
    pub(crate) largest_memory_bytes: usize,
    _ticker: Ticker,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// A component with its imports resolved: what an instance is made from.
pub(crate) struct Linked {
    pub(crate) engine: Engine,
    pub(crate) pre: ConnectorPre<Sandbox>,
}

impl Engine {
    /// Starts the engine and its clock.
    ///
    /// # Errors
    /// When the cache folder cannot be used or the runtime does not start.
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        let runtime = wasmtime::Engine::new(&runtime_config(&config))
            .map_err(|error| EngineError::Runtime(error.into_boxed_dyn_error()))?;
        let cache = Cache::open(&config.cache_folder, &runtime).map_err(EngineError::Cache)?;
        let ticker = Ticker::start(runtime.weak()).map_err(EngineError::Thread)?;
        let instances = usize::try_from(config.instances.get()).unwrap_or(usize::MAX);
        let places = Semaphore::new(instances.min(Semaphore::MAX_PERMITS));
        let largest_memory_bytes = config.largest_memory_bytes;
        Ok(Self(Arc::new(EngineParts {
            runtime,
            cache,
            places,
            largest_memory_bytes,
            _ticker: ticker,
        })))
    }
}

/// Parts of one component, above what the usual languages' components have. More is refused when loading.
const CORE_INSTANCES: u32 = 128;
const MEMORIES: u32 = 2;
const TABLES: u32 = 16;
const INSTANCE_BYTES: usize = 1024 * 1024;

fn runtime_config(config: &EngineConfig) -> Config {
    let instances = config.instances.get();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .total_memories(instances.saturating_mul(MEMORIES))
        .total_tables(instances.saturating_mul(TABLES))
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_component_instance_size(INSTANCE_BYTES)
        .max_core_instance_size(INSTANCE_BYTES)
        .max_memory_size(config.largest_memory_bytes)
        .table_elements(TABLE_ELEMENTS)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(256 * 1024)
        .max_unused_warm_slots(8);
    let mut runtime = Config::new();
    runtime
        .epoch_interruption(true)
        // Nothing here speaks WASI 0.3, and calls are cheaper without.
        .concurrency_support(false)
        // Backtraces of connectors are not shown to anybody.
        .wasm_backtrace_max_frames(None)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    runtime
}
