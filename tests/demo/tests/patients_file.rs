//! The demonstration with a file of patients, some lines of which are none.

use anyhow::{Result, ensure};
use std::io::Write as _;
use std::process::{Command, Output};

fn patient(number: usize) -> String {
    format!(
        r#"{{"resourceType":"Patient","name":[{{"use":"official","family":"Quillfeather{number}","given":["Thessalonia"]}}],"gender":"female","birthDate":"1987-06-0{number}","telecom":[{{"system":"phone","value":"503-555-010{number}","use":"home"}}]}}"#
    )
}

fn play(lines: &[String]) -> Result<Output> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(lines.join("\n").as_bytes())?;
    let demonstration = env!("CARGO_BIN_EXE_archwire-demo");
    Ok(Command::new(demonstration)
        .arg("--patients")
        .arg(file.path())
        .output()?)
}

#[test]
fn bad_lines_are_skipped_by_number_and_the_others_come_over() -> Result<()> {
    let mut lines: Vec<String> = (1..=5).map(patient).collect();
    lines.insert(2, "Wobblethwaite, not JSON".to_owned());
    lines.push(r#"{"resourceType":"Observation","subject":"Wobblethwaite"}"#.to_owned());
    let output = play(&lines)?;
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(
        output.status.code() == Some(1),
        "exit code {:?}: {complained}",
        output.status.code()
    );
    for part in ["line 3", "line 7", "2 line(s)", "Everything held"] {
        ensure!(complained.contains(part), "{part:?} is not said: {complained}");
    }
    for part in [
        "5 patients typed in",
        "in Open Dental, each created exactly once",
        "killed with -9",
    ] {
        ensure!(said.contains(part), "{part:?} is not shown: {said}");
    }
    for name in ["Quillfeather", "Thessalonia", "Wobblethwaite", "503-555"] {
        ensure!(
            !said.contains(name) && !complained.contains(name),
            "{name} is shown"
        );
    }
    Ok(())
}

#[test]
fn a_file_without_enough_patients_is_refused_before_anything_starts() -> Result<()> {
    let output = play(&["{}".to_owned()])?;
    let complained = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1) && output.stdout.is_empty(),
        "something was started"
    );
    ensure!(
        complained.contains("0 patients") && complained.contains("needs 4"),
        "{complained}"
    );
    Ok(())
}
