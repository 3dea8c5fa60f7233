//! Puts a file on the bus as an image of a patient of yours, gets it back into another file, and compares the two.
//!
//! ```text
//! cargo run -p archwire-client --example images -- \
//!     --url http://127.0.0.1:7400 --token-file ceph-token --record 17 --file ceph.dcm --copy copy.dcm
//! ```

use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, Endpoint, ImageError, NewImage, Receipt, v1};
use clap::Parser;
use std::{fs, path::PathBuf};

/// Puts a file on the bus as an image, and gets it back.
#[derive(Parser)]
struct Arguments {
    /// The bus's address.
    #[arg(long, default_value = "http://127.0.0.1:7400")]
    url: String,
    /// A file with your token.
    #[arg(long)]
    token_file: PathBuf,
    /// Your id of the patient's record. The bus must have heard of it.
    #[arg(long)]
    record: String,
    /// Your id of the image: by it, a later one amends it.
    #[arg(long)]
    image: Option<String>,
    /// What it shows, in your own words.
    #[arg(long)]
    view: Option<String>,
    /// The file to send.
    #[arg(long)]
    file: PathBuf,
    /// Where to write what comes back.
    #[arg(long)]
    copy: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let token = fs::read_to_string(&arguments.token_file).context("the token cannot be read")?;
    let client = Client::connect(Endpoint::new(arguments.url, token.trim())).await?;

    let new = NewImage {
        local_id: arguments.image,
        image: v1::Image {
            view_label: arguments.view,
            ..Default::default()
        },
        ..NewImage::of_record(arguments.record)
    };
    let put = client
        .put_image(new)
        .on_progress(|sent, size| eprintln!("{sent} of {size} bytes"));
    let receipt = match put.file(&arguments.file).await {
        Ok(receipt) => receipt,
        // Nothing is lost: what the bus has of it is kept for a day, and the same call goes on from there.
        Err(error @ ImageError::GaveUp { .. }) => return Err(error).context("try again later"),
        Err(error) => return Err(error).context("the bus did not take the image"),
    };
    match receipt.receipt {
        Receipt::Recorded { revision, .. } => println!("told as revision {revision} of the patient"),
        Receipt::Unchanged { .. } => println!("the bus had it already"),
        Receipt::InReview { item, .. } => {
            println!("it names somebody else: a person of the practice decides (item {item})");
            return Ok(());
        }
    }

    let image = receipt.image.context("the bus tells nothing of the image")?;
    let found = client.get_image(image.instance_uid).file(&arguments.copy).await?;
    ensure!(
        fs::read(&arguments.file)? == fs::read(&arguments.copy)?,
        "other bytes came back"
    );
    println!("{} bytes came back as they went", found.written);
    Ok(())
}
