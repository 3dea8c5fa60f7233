//! What gets into the log on this thread.

use std::{
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};
use tracing::{Dispatch, subscriber::DefaultGuard};
use tracing_subscriber::{Layer, filter::Targets, fmt::MakeWriter, layer::SubscriberExt};

/// Collects what is logged on this thread at every level, for as long as it lives; by the broker's own crates unless
/// more is asked for.
pub(crate) struct Logs {
    text: Lines,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Logs {
    pub(crate) fn collect() -> Self {
        let own = Targets::new().with_target("archwire", tracing::Level::TRACE);
        Self::of(own.with_target("archwire_host", tracing::Level::TRACE))
    }

    /// Also what all the libraries say.
    pub(crate) fn collect_everything() -> Self {
        Self::of(Targets::new().with_default(tracing::Level::TRACE))
    }

    fn of(targets: Targets) -> Self {
        // As long as there is only one subscriber, tracing asks the thread that comes first to a line whether anybody
        // wants it, and remembers that for all threads. With others around it asks all subscribers.
        static OTHERS: LazyLock<[Dispatch; 2]> = LazyLock::new(|| {
            [
                Dispatch::new(tracing_subscriber::registry()),
                Dispatch::new(tracing_subscriber::registry()),
            ]
        });
        LazyLock::force(&OTHERS);
        let text = Lines::default();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(text.clone())
            .with_ansi(false);
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(targets));
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.text.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn lines_with(&self, words: &str) -> usize {
        self.text().lines().filter(|line| line.contains(words)).count()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
