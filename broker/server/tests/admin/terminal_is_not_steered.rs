//! What somebody typed into a program of the practice does nothing at the administrator's terminal.

use crate::support::*;

/// Turns the direction of writing, clears a line, pretends to be another line.
const FAMILY: &str = "Kow\u{202e}alska\nItem 99: closed";

#[tokio::test]
async fn a_name_does_nothing_but_show_itself() {
    let desk = Desk::open().await;
    let who = person(FAMILY, "Anna", "1987-03-09", "555-010-0199");
    let one = desk.see("front-desk", "1", who).await.to_string();
    let other = desk
        .see("imaging", "7", person("王", "小明", "1978-09-03", "555-010-0142"))
        .await
        .to_string();
    let merge = [&["review", "merge", &one, &other, "--dry-run"], &WHO_AND_WHY[..]].concat();
    let said = desk.run(&merge).await.well();
    assert!(
        !said.contains('\u{202e}') && !said.lines().any(|line| line.starts_with("Item 99")),
        "{said}"
    );
    assert!(said.contains("Kow\\u{202e}alska"), "{said}");
    let said = desk.run(&[&merge[..], &["--json"]].concat()).await;
    assert_eq!(said.said.lines().count(), 1);
    assert!(!said.said.contains('\u{202e}'));
    let family = &said.json()["survivor"]["before"]["patient"]["names"][0]["family"];
    assert_eq!(family, FAMILY, "a program gets the name as it is");
}

#[tokio::test]
async fn words_that_would_steer_are_not_taken() {
    let desk = Desk::open().await;
    for name in ["Kim\u{1b}[2J", "Kim\nDoe"] {
        let answer = desk.run(&["review", "show", "1", "--by", name]).await;
        assert_eq!(answer.code, Some(64), "{}", answer.complained);
    }
}
