//! The program itself: what it prints, what it loads, how it ends.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_archwire-opendental-simulator");

#[tokio::test]
async fn the_program_prints_where_it_is_loads_a_file_and_reports_bad_lines_in_the_end() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        file,
        "{}",
        json!({"resourceType": "Patient", "name": [{"family": "Ida", "given": ["Ida"]}]})
    )
    .unwrap();
    writeln!(file, "broken").unwrap();
    let mut program = Command::new(PROGRAM)
        .args([
            "--listen",
            "127.0.0.1:0",
            "--patients",
            "3",
            "--key",
            "Acme:dev/cust",
            "--fhir",
        ])
        .arg(file.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut base = None;
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(url) = line.strip_prefix("base URL ") {
            base = Some(url.trim().to_owned());
            break;
        }
    }
    let rows: serde_json::Value = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(base.unwrap() + "/patients/Simple")
        .header("Authorization", "ODFHIR dev/cust")
        .header("Content-Type", "application/json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 4);
    let id = program.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap()
            .success()
    );
    assert_eq!(
        program.wait().await.unwrap().code(),
        Some(1),
        "a line of the file was bad"
    );
}

#[tokio::test]
async fn a_bad_option_ends_the_program_with_two_and_a_word_about_it() {
    let output = Command::new(PROGRAM)
        .args(["--fault", "explode"])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown kind `explode`"));
}

#[tokio::test]
async fn a_zone_that_does_not_exist_ends_the_program_with_one() {
    let output = Command::new(PROGRAM)
        .args(["--listen", "127.0.0.1:0", "--zone", "Mars/Olympus"])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Mars/Olympus"));
}
