//! The thread that starts the server, so that the server never outlives the broker.
//!
//! On Linux the kernel ends the server (SIGKILL, which loses nothing: every write is flushed) as soon as the *thread*
//! that started it ends, which is why a thread of its own does nothing else and lives as long as the supervision. It
//! also works when the broker is killed with -9. Elsewhere the kernel has no such service: a server left behind is
//! found by its process id, and ended, when the next broker opens the folder.

use std::{io, sync::mpsc, thread};
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

struct Request {
    command: Command,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// The thread; it ends, and its children with it, when this is dropped.
pub(super) struct Nursery {
    requests: mpsc::Sender<Request>,
}

impl Nursery {
    /// Starts the thread.
    pub(super) fn open() -> io::Result<Self> {
        let (requests, received) = mpsc::channel::<Request>();
        let runtime = Handle::current();
        thread::Builder::new()
            .name("nats-nursery".to_owned())
            .spawn(move || {
                let _entered = runtime.enter();
                for Request { mut command, answer } in received {
                    // Whoever asked may be gone; then the child is dropped, which kills it.
                    let _ = answer.send(command.spawn());
                }
            })?;
        Ok(Self { requests })
    }

    /// Starts a process that dies with the broker.
    pub(super) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        // An interrupt typed at the broker's terminal is for the broker alone, which then stops the server in order.
        #[cfg(unix)]
        command.process_group(0);
        command.kill_on_drop(true);
        #[cfg(target_os = "linux")]
        die_with_parent(&mut command);
        let (answer, answered) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts processes has ended");
        self.requests
            .send(Request { command, answer })
            .map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    reason = "what runs between fork and exec can only be given by an unsafe function"
)]
fn die_with_parent(command: &mut Command) {
    use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
    let broker = getpid();
    let before_exec = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The broker may have died before the line above; nobody would send the signal any more.
        if getppid() == Some(broker) {
            Ok(())
        } else {
            Err(io::ErrorKind::NotConnected.into())
        }
    };
    // SAFETY: between fork and exec only async-signal-safe work is allowed. The closure makes two system calls, takes
    // no lock and does not allocate (an `io::Error` from a kind or a raw code does not).
    unsafe {
        command.pre_exec(before_exec);
    }
}
