//! The broker of a practice: started, killed, asked.

use super::Practice;
use crate::{Log, broker::Answer};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::process::ExitStatus;
use std::time::Duration;

impl Practice {
    /// Starts the broker and waits until it is ready. Tells how long that took.
    ///
    /// # Errors
    /// When it runs already, ends, or is not ready in time.
    pub async fn start_broker(&mut self) -> Result<Duration> {
        self.seat.start().await
    }

    /// kill -9.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill_broker(&mut self) -> Result<()> {
        self.seat.kill().await
    }

    /// SIGTERM, and waits for the end. Tells the exit status.
    ///
    /// # Errors
    /// When it does not run, or does not end in time.
    pub async fn ask_broker_to_stop(&mut self) -> Result<ExitStatus> {
        self.seat.ask_to_stop().await
    }

    /// Stops the broker in order.
    ///
    /// # Errors
    /// When it does not run, does not end in time, or ends with a failure.
    pub async fn stop_broker(&mut self) -> Result<()> {
        let status = self.ask_broker_to_stop().await?;
        ensure!(
            status.success(),
            "the broker ended with {status} when it was asked to stop"
        );
        Ok(())
    }

    /// Stops the broker in order and starts it again. Tells how long the start took.
    ///
    /// # Errors
    /// As for the two.
    pub async fn restart(&mut self) -> Result<Duration> {
        self.stop_broker().await?;
        self.start_broker().await
    }

    /// Runs the broker's program with these arguments to its end, with the practice's configuration.
    ///
    /// # Errors
    /// When it cannot be started or does not end within a minute.
    pub async fn run(&self, arguments: &[&str]) -> Result<Answer> {
        self.seat.run(arguments).await
    }

    /// Asks the running broker with these arguments and `--json`.
    ///
    /// # Errors
    /// When it refuses, or does not answer with one JSON object.
    pub async fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let answer = self.run(&[arguments, &["--json"]].concat()).await?;
        answer
            .json()
            .with_context(|| format!("archwire {}", arguments.join(" ")))
    }

    /// The broker's process id.
    ///
    /// # Errors
    /// When it does not run.
    pub fn broker_pid(&self) -> Result<u32> {
        self.seat.pid()
    }

    /// The process id of the broker's own nats-server; known on Linux only.
    ///
    /// # Errors
    /// When the broker does not run, or has none.
    pub fn nats_pid(&self) -> Result<u32> {
        self.seat.nats_pid()
    }

    /// What the broker wrote, over all its starts.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn logs(&self) -> Result<Log> {
        self.seat.logs()
    }
}
