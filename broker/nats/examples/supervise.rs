//! Runs a supervised server until it is killed: `supervise <nats-server> <folder>`. Prints the server's process id.
//!
//! Stands in for a broker in the test that kills one.

use archwire_nats::{ByteSize, Supervisor, SupervisorConfig};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(binary), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: supervise <nats-server> <folder>");
        std::process::exit(64);
    };
    let config = SupervisorConfig::new(binary.into(), folder.into(), ByteSize::gibibytes(2));
    let error = match Supervisor::start(config).await {
        Ok(mut supervisor) => {
            println!("{}", supervisor.pid().unwrap_or_default());
            supervisor.gave_up().await
        }
        Err(error) => error,
    };
    eprintln!("{error}");
    std::process::exit(1);
}
