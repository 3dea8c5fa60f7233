//! The files of TLS, read.

use crate::config::Tls;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{
        NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier, danger::ClientCertVerifier,
    },
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Largest file, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Files of TLS that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than the owner can use the key.
    #[error("others than the owner can use {path} (its mode is {mode:04o})")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file holds something else than it should.
    #[error("{path} cannot be read as PEM, or has not in it what it should")]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// A file has no certificate in it.
    #[error("{path} has no certificate in it")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The certificate and the key are no pair, or of a kind that is not taken.
    #[error("the certificate in {path} and its key cannot be used")]
    Pair {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A certificate of an authority cannot be used.
    #[error("the authorities in {path} cannot be used")]
    Roots {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// No vendor's certificate could be checked.
    #[error("certificates of vendors cannot be checked")]
    Clients(#[source] VerifierBuilderError),
}

impl TlsError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "tls_unreadable",
            Self::TooOpen { .. } => "tls_key_open",
            Self::Pem { .. } | Self::Empty { .. } => "tls_file_invalid",
            Self::Pair { .. } => "tls_pair_invalid",
            Self::Roots { .. } | Self::Clients(_) => "tls_roots_invalid",
        }
    }
}

/// By what it is seen that a file is another one: what the file system says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Look([Option<Seen>; 3]);

/// Of one file: which it is, its size, and when its content and its mode were last changed, in seconds and nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    inode: u64,
    size: u64,
    changed: (i64, i64),
    content_changed: (i64, i64),
}

impl Look {
    pub(super) fn at(files: &Tls) -> Self {
        let look = |file: &Path| {
            let metadata = fs::metadata(file).ok()?;
            Some(Seen {
                inode: metadata.ino(),
                size: metadata.len(),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
                content_changed: (metadata.mtime(), metadata.mtime_nsec()),
            })
        };
        Self([
            look(&files.certificate),
            look(&files.key),
            files.client_roots.as_deref().and_then(look),
        ])
    }
}

/// What is read from the files.
pub(super) struct Loaded {
    /// As rustls takes them.
    pub(super) server: Arc<ServerConfig>,
    /// Who says whether a vendor's certificate counts; `None` where nobody is asked for one.
    pub(super) clients: Option<Arc<dyn ClientCertVerifier>>,
}

/// Reads the files.
pub(super) fn load(files: &Tls) -> Result<Loaded, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let path = || files.certificate.clone();
    let chain = certificates(&files.certificate)?;
    let key = private_key(&files.key)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Pair { path: path(), source })?;
    let clients = match &files.client_roots {
        None => None,
        Some(file) => {
            let roots = Arc::new(roots(file)?);
            // Who shows none may have a token.
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots, provider).allow_unauthenticated();
            Some(verifier.build().map_err(TlsError::Clients)?)
        }
    };
    let builder = match &clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(Arc::clone(clients)),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|source| TlsError::Pair { path: path(), source })?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    if clients.is_some() {
        // A session that is taken up again brings its certificate along, and nobody would look at that: not even at its last day.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Loaded {
        server: Arc::new(config),
        clients,
    })
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|source| TlsError::Roots {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path, false)?;
    let certificates = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|source| TlsError::Pem {
        path: path.to_owned(),
        source,
    })?;
    match certificates.is_empty() {
        true => Err(TlsError::Empty {
            path: path.to_owned(),
        }),
        false => Ok(certificates),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path, true)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|source| TlsError::Pem {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path, is_secret: bool) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read {
        path: path.to_owned(),
        source,
    };
    // To open what is no file, a pipe for one, could wait for ever.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    }
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mode = metadata.permissions().mode() & 0o777;
    if is_secret && mode & 0o077 != 0 {
        return Err(TlsError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    if metadata.len() > LARGEST {
        return Err(failed(io::ErrorKind::FileTooLarge.into()));
    }
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}
