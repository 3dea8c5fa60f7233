//! The bus is watched as it works: who and where, and what only for whoever gives a name.

use crate::{office::in_time, support::*};
use archwire_core::PatientId;
use serde_json::Value;
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A command that goes on until it is stopped.
struct Tail {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Tail {
    fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_archwire"));
        command
            .args(["events", "tail", "--json"])
            .args(arguments)
            .arg("--config")
            .arg(desk.data.configuration());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    async fn next(&mut self) -> Value {
        let line = in_time(self.lines.next_line()).await.unwrap();
        serde_json::from_str(&line.expect("it goes on")).unwrap()
    }
}

fn kowalska() -> archwire_core::Patient {
    person("Kowalska", "Anna", "1987-03-09", "555-010-0199")
}

#[tokio::test]
async fn events_are_told_as_they_come_and_not_what_they_say() {
    let desk = Desk::open().await;
    let one = desk.see("front-desk", "1", kowalska()).await.to_string();
    let mut tail = Tail::start(&desk, &["--from", "1"]);
    let first = tail.next().await;
    assert_eq!(first["patient_id"], one);
    assert_eq!(
        (&first["revision"], &first["system"]),
        (&1.into(), &"front-desk".into())
    );
    assert_eq!(first["kind"], "archwire.patient.created.v1");
    let other = person("Nowak", "Ewa", "1978-01-02", "555-010-0142");
    let other = desk.see("imaging", "7", other).await.to_string();
    let second = tail.next().await;
    assert_eq!(
        (&second["patient_id"], &second["system"]),
        (&other.into(), &"imaging".into())
    );
    assert!(
        second["changed"]
            .as_array()
            .unwrap()
            .contains(&"birth_date".into())
    );
    for event in [first, second] {
        assert!(event.get("event").is_none());
        let said = event.to_string();
        assert!(
            !["Kowalska", "Nowak", "1987-03", "555-010"]
                .iter()
                .any(|value| said.contains(value))
        );
    }
    assert!(desk.audited().await.is_empty());
}

#[tokio::test]
async fn what_events_say_is_shown_after_it_is_audited_of_whom() {
    let desk = Desk::open().await;
    let one = desk.see("front-desk", "1", kowalska()).await.to_string();
    let mut tail = Tail::start(&desk, &["--from", "1", "--reveal", "--by", "Kim Doe"]);
    let event = tail.next().await;
    assert_eq!(event["event"]["patient"]["names"][0]["family"], "Kowalska");
    assert_eq!(event["event"]["observation"]["system"], "front-desk");
    let audited = async || {
        let records = desk.audited().await;
        assert!(records.iter().all(|record| record.action == "events.reveal"));
        records
            .into_iter()
            .map(|record| record.patient_ids)
            .collect::<Vec<_>>()
    };
    assert_eq!(audited().await, [vec![], vec![one.clone()]]);
    let other = person("Nowak", "Ewa", "1978-01-02", "555-010-0142");
    let other = desk.see("front-desk", "2", other).await.to_string();
    assert_eq!(tail.next().await["patient_id"], other);
    let mut changed = kowalska();
    changed.birth_date = None;
    desk.see("front-desk", "1", changed).await;
    assert_eq!(tail.next().await["patient_id"], one);
    assert_eq!(
        audited().await,
        [vec![], vec![one], vec![other]],
        "once for each patient"
    );
}

#[tokio::test]
async fn one_patient_may_be_followed_alone() {
    let desk = Desk::open().await;
    desk.see("front-desk", "1", kowalska()).await;
    let other = person("Nowak", "Ewa", "1978-01-02", "555-010-0142");
    let other = desk.see("front-desk", "2", other).await.to_string();
    let mut tail = Tail::start(&desk, &["--from", "1", "--patient", &other]);
    assert_eq!(tail.next().await["patient_id"], other);
    let nobody = PatientId::generate().to_string();
    let answer = desk
        .run(&["events", "tail", "--patient", &nobody, "--json"])
        .await;
    assert_eq!(answer.refused(), "patient_unknown");
    for wrong in [&["--reveal"][..], &["--by", "Kim Doe"], &["--from", "0"]] {
        let answer = desk.run(&[&["events", "tail"], wrong].concat()).await;
        assert_eq!(answer.code, Some(64), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_broker_that_stops_says_where_to_go_on() {
    let mut desk = Desk::open().await;
    desk.see("front-desk", "1", kowalska()).await;
    let mut tail = Tail::start(&desk, &["--from", "1"]);
    let sequence = tail.next().await["sequence"].as_u64().unwrap();
    desk.stop().await;
    let mut complained = String::new();
    let mut stderr = tail.child.stderr.take().unwrap();
    in_time(stderr.read_to_string(&mut complained)).await.unwrap();
    assert_eq!(in_time(tail.child.wait()).await.unwrap().code(), Some(1));
    let error: Value = serde_json::from_str(&complained).unwrap();
    assert_eq!(error["error"]["code"], "broker_stopped");
    let way_out = format!("--from {}", sequence + 1);
    assert!(
        error["error"]["message"].as_str().unwrap().contains(&way_out),
        "{complained}"
    );
}
