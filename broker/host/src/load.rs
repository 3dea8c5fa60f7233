//! Loading: from a file to a component that may run. Everything that can be wrong with the file is said here.
//!
//! The file is at most 64 MiB. It is compiled on a thread for blocking work, in this process.

use crate::{
    CallError, Description, DescriptionError, Limits,
    bindings::ConnectorPre,
    call::{self, CallLimits},
    convert,
    engine::{Engine, Linked},
    http::{Traces, Upstreams},
    sandbox::Sandbox,
};
use std::{
    error::Error,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use wasmtime::component::{self, Linker};

/// The contract that this broker speaks.
pub const CONTRACT: &str = "archwire:connector@0.1.0";
const PACKAGE: &str = "archwire:connector/";
const VERSION: &str = "0.1.0";
const EXPORT: &str = "plugin";
const IMPORTS: [&str; 7] = [
    "exchange", "images", "imaging", "log", "patients", "settings", "state",
];
const WASI: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];

/// Most bytes in a component's file: 64 MiB.
pub const LARGEST_COMPONENT: u64 = 64 * 1024 * 1024;

/// Time for a component to describe itself.
const DESCRIBE_DEADLINE: Duration = Duration::from_secs(5);

/// A component that may run.
#[derive(Clone)]
pub struct Component(pub(crate) Arc<Loaded>);

pub(crate) struct Loaded {
    pub(crate) linked: Linked,
    description: Description,
}

/// Why a file is not a connector that this broker runs.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be loaded as a connector", .path.display())]
pub struct LoadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: LoadProblem,
}

/// What is wrong with a connector's file.
#[derive(Debug, thiserror::Error)]
pub enum LoadProblem {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    /// More than [`LARGEST_COMPONENT`].
    #[error(
        "the file has more than 64 MiB; a connector has a few hundred KiB, built with --release and stripped"
    )]
    TooLarge,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Text, perhaps WAT.
    #[error(
        "the file is text; a connector is a compiled component, built with: cargo build --release --target wasm32-wasip2"
    )]
    Text,
    /// Something else.
    #[error("the file is not WebAssembly")]
    NotWasm,
    /// A core module.
    #[error(
        "the file is a core module, not a component; build it with: cargo build --release --target wasm32-wasip2"
    )]
    CoreModule,
    /// The file ends in the middle.
    #[error("the file is cut off; copy or build it again")]
    Truncated,
    /// It cannot be compiled.
    #[error(
        "the component cannot be compiled; it is damaged or needs a WebAssembly feature that the broker does not have"
    )]
    Invalid(#[source] Box<dyn Error + Send + Sync>),
    /// Built for another version of the contract.
    #[error(
        "the component is built for archwire:connector@{found}, and this broker speaks {CONTRACT}; build it with the SDK of that version, or use the broker that goes with it"
    )]
    Version {
        /// The version that it is built for.
        found: String,
    },
    /// A component for another world.
    #[error("the component is not a connector: it does not export {missing}")]
    NotAConnector {
        /// The export that is missing.
        missing: String,
    },
    /// It wants something that no connector gets.
    #[error("the component imports {import}, which no connector gets; it gets WASI 0.2 and {CONTRACT}")]
    Import {
        /// What it imports.
        import: String,
    },
    /// Its imports or exports are of other types.
    #[error("the component does not fit {CONTRACT}, although it says so")]
    Types(#[source] Box<dyn Error + Send + Sync>),
    /// It failed to describe itself.
    #[error("the connector cannot say what it is")]
    Describe(#[source] CallError),
    /// Its description is not one.
    #[error("the connector says about itself what cannot be")]
    Description(#[source] DescriptionError),
    /// The compiler crashed.
    #[error("the component made the compiler crash; please report it")]
    Compiler,
}

impl LoadProblem {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "component_unreadable",
            Self::TooLarge => "component_too_large",
            Self::Empty => "component_empty",
            Self::Text => "component_is_text",
            Self::NotWasm => "component_not_wasm",
            Self::CoreModule => "component_is_core_module",
            Self::Truncated => "component_truncated",
            Self::Invalid(_) => "component_invalid",
            Self::Version { .. } => "component_version",
            Self::NotAConnector { .. } => "component_not_a_connector",
            Self::Import { .. } => "component_import",
            Self::Types(_) => "component_types",
            Self::Describe(_) => "component_describe_failed",
            Self::Description(_) => "component_description_invalid",
            Self::Compiler => "component_compiler_crashed",
        }
    }
}

impl LoadError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }
}

impl Engine {
    /// Loads a connector: reads, compiles (or takes the compiled form from the cache), checks what it imports and
    /// exports, and lets it describe itself.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub async fn load(&self, path: impl Into<PathBuf>) -> Result<Component, LoadError> {
        let path = path.into();
        let file = path.clone();
        let engine = self.clone();
        let compiled = tokio::task::spawn_blocking(move || engine.compile(&file)).await;
        let described = async {
            let linked = Linked {
                engine: self.clone(),
                pre: compiled.map_err(|_| LoadProblem::Compiler)??,
            };
            let description = describe(&linked).await?;
            Ok(Component(Arc::new(Loaded { linked, description })))
        };
        described.await.map_err(|problem| LoadError { path, problem })
    }

    fn compile(&self, path: &Path) -> Result<ConnectorPre<Sandbox>, LoadProblem> {
        let bytes = read(path)?;
        look(&bytes)?;
        let runtime = &self.0.runtime;
        let invalid = |error: wasmtime::Error| LoadProblem::Invalid(error.into_boxed_dyn_error());
        let types = |error: wasmtime::Error| LoadProblem::Types(error.into_boxed_dyn_error());
        let component = self.0.cache.compiled(runtime, &bytes).map_err(invalid)?;
        check_exports(&component)?;
        check_imports(&component)?;
        let mut linker = Linker::new(runtime);
        Sandbox::link(&mut linker).map_err(types)?;
        linker
            .instantiate_pre(&component)
            .and_then(ConnectorPre::new)
            .map_err(types)
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.description().name)
            .finish_non_exhaustive()
    }
}

impl Component {
    /// What the connector says it is and wants.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.0.description
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadProblem> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(LoadProblem::Unreadable)?;
    file.take(LARGEST_COMPONENT + 1)
        .read_to_end(&mut bytes)
        .map_err(LoadProblem::Unreadable)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= LARGEST_COMPONENT);
    if fits {
        Ok(bytes)
    } else {
        Err(LoadProblem::TooLarge)
    }
}

/// Tells what a file is that is no component, before the compiler says it in its own words.
fn look(bytes: &[u8]) -> Result<(), LoadProblem> {
    match bytes {
        [] => Err(LoadProblem::Empty),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadProblem::CoreModule),
        [0, b'a', b's', b'm', _, _, 1, 0, sections @ ..] => {
            if is_whole(sections) {
                Ok(())
            } else {
                Err(LoadProblem::Truncated)
            }
        }
        [0, b'a', b's', b'm', ..] => Err(LoadProblem::Truncated),
        text if std::str::from_utf8(text).is_ok() => Err(LoadProblem::Text),
        _ => Err(LoadProblem::NotWasm),
    }
}

/// Whether the last section ends where the file does. A section is an id, its length in LEB128, and that many bytes.
fn is_whole(mut sections: &[u8]) -> bool {
    while let Some((_, rest)) = sections.split_first() {
        let Some((length, rest)) = leb128(rest) else {
            return false;
        };
        let Some(rest) = rest.get(length..) else {
            return false;
        };
        sections = rest;
    }
    true
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

/// The interface of our package that a name stands for, with its version.
fn ours(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

fn check_exports(component: &component::Component) -> Result<(), LoadProblem> {
    let kind = component.component_type();
    let names: Vec<&str> = kind.exports(component.engine()).map(|(name, _)| name).collect();
    let mut versions = names
        .iter()
        .filter_map(|name| ours(name))
        .filter(|(interface, _)| *interface == EXPORT);
    match versions.next() {
        Some((_, VERSION)) => Ok(()),
        Some((_, found)) => Err(LoadProblem::Version {
            found: found.to_owned(),
        }),
        None => Err(LoadProblem::NotAConnector {
            missing: format!("{PACKAGE}{EXPORT}@{VERSION}"),
        }),
    }
}

fn check_imports(component: &component::Component) -> Result<(), LoadProblem> {
    let kind = component.component_type();
    for (name, _) in kind.imports(component.engine()) {
        match ours(name) {
            Some((interface, VERSION)) if IMPORTS.contains(&interface) => {}
            Some((interface, found)) if IMPORTS.contains(&interface) => {
                return Err(LoadProblem::Version {
                    found: found.to_owned(),
                });
            }
            None if is_wasi(name) => {}
            _ => {
                return Err(LoadProblem::Import {
                    import: name.to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// `wasi:io/streams@0.2.12`
fn is_wasi(name: &str) -> bool {
    let parts = name.strip_prefix("wasi:").and_then(|rest| rest.split_once('@'));
    parts.is_some_and(|(path, version)| {
        let package = path.split('/').next().unwrap_or_default();
        WASI.contains(&package) && version.starts_with("0.2.")
    })
}

async fn describe(linked: &Linked) -> Result<Description, LoadProblem> {
    let limits = CallLimits {
        deadline: DESCRIBE_DEADLINE,
        ..CallLimits::usual(&Limits::default())
    };
    let (upstreams, traces) = (Arc::new(Upstreams::none()), Arc::new(Traces::nowhere()));
    let called = call::run(linked, upstreams, &traces, None, limits, |plugin, store| {
        Box::pin(plugin.call_describe(store))
    });
    let ended = called.await.map_err(LoadProblem::Describe)?;
    convert::description(ended.answer).map_err(LoadProblem::Description)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

    fn code(bytes: &[u8]) -> &'static str {
        look(bytes).map_or_else(|problem| problem.code(), |()| "component")
    }

    #[test]
    fn what_is_no_component_is_told_apart() {
        assert_eq!(code(b""), "component_empty");
        assert_eq!(code(b"\0asm\x01\0\0\0"), "component_is_core_module");
        assert_eq!(code(b"(component)"), "component_is_text");
        assert_eq!(code(b"\x7fELF\x02\x01\xff\xfe"), "component_not_wasm");
        assert_eq!(code(b"\0asm\x0d\0"), "component_truncated");
        assert_eq!(code(&COMPONENT), "component");
    }

    #[test]
    fn a_component_that_ends_in_a_section_is_cut_off() {
        let whole = [COMPONENT.as_slice(), &[0, 3, 1, b'x', b'y']].concat();
        assert_eq!(code(&whole), "component");
        assert_eq!(code(&whole[..whole.len() - 1]), "component_truncated");
        assert_eq!(code(&whole[..9]), "component_truncated");
    }

    #[test]
    fn only_wasi_0_2_is_wasi() {
        assert!(is_wasi("wasi:http/outgoing-handler@0.2.12") && is_wasi("wasi:cli/stdin@0.2.0"));
        for name in [
            "wasi:http/handler@0.3.0",
            "wasi:nn/tensor@0.2.0",
            "wasi:io/streams",
            "other:io/streams@0.2.0",
        ] {
            assert!(!is_wasi(name), "{name}");
        }
    }
}
