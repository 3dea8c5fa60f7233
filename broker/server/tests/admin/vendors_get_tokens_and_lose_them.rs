//! Vendors are shown with their contracts in words; tokens are made, told once, listed without being told, and revoked.

use crate::support::*;
use archwire::vendors::{Credential, TokenDigest};
use serde_json::Value;

const WHO: [&str; 2] = ["--by", "Kim Doe"];

fn made(desk: &Desk, token: &str) -> Option<String> {
    let shown = Credential::Token(TokenDigest::of(token));
    let book = desk.books.now();
    book.whose(&shown).map(ToString::to_string)
}

#[tokio::test]
async fn a_token_is_told_once_and_lets_its_vendor_in_until_it_is_revoked() {
    let desk = Desk::open().await;
    let command = ["vendor", "token", CEPH, "--expires", "90d"];
    let answer = desk.run(&[&command[..], &WHO].concat()).await;
    assert!(answer.complained.contains("only time"), "{}", answer.complained);
    let said = answer.well();
    let token = said.trim_end();
    assert!(
        token.starts_with("awv1_") && !token.contains(char::is_whitespace),
        "{token}"
    );
    assert_eq!(made(&desk, token).as_deref(), Some(CEPH));
    let id = token.split('_').nth(1).unwrap();

    let listed = desk.run(&["vendor", "tokens", CEPH]).await.well();
    assert!(listed.contains(id) && listed.contains("good"), "{listed}");
    assert!(listed.contains("the configuration has one too"), "{listed}");
    let secret = token.splitn(3, '_').last().unwrap();
    assert!(!listed.contains(secret));
    let listed = desk.run(&["vendor", "tokens", CEPH, "--json"]).await.json();
    assert_eq!(listed["tokens"][0]["id"], Value::from(id));
    assert_eq!(listed["tokens"][0]["is_good"], Value::from(true));

    let command = ["vendor", "revoke", CEPH, id, "--reason", "laptop lost"];
    desk.run(&[&command[..], &WHO].concat()).await.well();
    assert_eq!(made(&desk, token), None);
    let listed = desk.run(&["vendor", "tokens", CEPH]).await.well();
    assert!(listed.contains("revoked 20"), "{listed}");

    let audited = desk.audited().await;
    let acts: Vec<_> = audited
        .iter()
        .map(|record| {
            (
                record.action.as_str(),
                record.person.as_str(),
                record.token.as_str(),
            )
        })
        .collect();
    assert_eq!(
        acts,
        [("token.made", "Kim Doe", id), ("token.revoked", "Kim Doe", id)]
    );
    assert!(
        audited[0].reason.starts_with("good until 20"),
        "{}",
        audited[0].reason
    );
    assert_eq!(audited[1].reason, "laptop lost");
    assert!(
        !format!(
            "{:?}",
            audited.iter().map(|record| &record.reason).collect::<Vec<_>>()
        )
        .contains(secret)
    );
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_a_code() {
    let desk = Desk::open().await;
    let refused = async |command: &[&str]| {
        let command = [command, &["--json"]].concat();
        desk.run(&command).await.refused()
    };
    assert_eq!(refused(&["vendor", "show", "nobody"]).await, "vendor_unknown");
    assert_eq!(refused(&["vendor", "tokens", "nobody"]).await, "vendor_unknown");
    let token = ["vendor", "token", "nobody", "--by", "Kim Doe"];
    assert_eq!(refused(&token).await, "vendor_unknown");
    let revoke = ["vendor", "revoke", CEPH, "0000000000", "--by", "Kim Doe"];
    assert_eq!(refused(&revoke).await, "token_id_unknown");
    let long = ["vendor", "token", CEPH, "--expires", "11y", "--by", "Kim Doe"];
    assert_eq!(refused(&long).await, "argument_invalid");
    assert!(desk.audited().await.is_empty());
    let unnamed = desk.run(&["vendor", "token", CEPH]).await;
    assert_eq!(unnamed.code, Some(64), "who asks is asked for");
}

#[tokio::test]
async fn a_contract_is_shown_in_words() {
    let desk = Desk::open().await;
    let listed = desk.run(&["vendor", "list"]).await.well();
    let line = listed.lines().find(|line| line.starts_with(CEPH)).unwrap();
    for word in ["Example Vendor Ltd", "treatment", "in force", "1"] {
        assert!(line.contains(word), "{line}");
    }
    let shown = desk.run(&["vendor", "show", CEPH]).await.well();
    for words in [
        "agreement of a test",
        "reads events",
        "writes fields",
        "50 requests a second",
        "in force",
    ] {
        assert!(shown.contains(words), "{shown}");
    }
    let shown = desk.run(&["vendor", "show", CEPH, "--json"]).await.json();
    assert_eq!(
        shown["contract"]["legal_basis"],
        Value::from("agreement of a test")
    );
    assert_eq!(shown["vendor"]["is_in_force"], Value::from(true));
}

#[tokio::test]
async fn tokens_and_contracts_outlive_what_nobody_can_audit() {
    let desk = Desk::open().await;
    let command = ["vendor", "token", CEPH, "--json", "--by", "Kim Doe"];
    let token = desk.run(&command).await.json();
    desk.audit.close().await;
    // A token that cannot be audited is not made; one that has to go goes.
    let again = desk.run(&command).await.refused();
    assert!(!again.is_empty());
    let id = token["id"].as_str().unwrap();
    let revoke = ["vendor", "revoke", CEPH, id, "--by", "Kim Doe"];
    desk.run(&revoke).await.well();
    assert_eq!(made(&desk, token["token"].as_str().unwrap()), None);
    let listed = desk.run(&["vendor", "tokens", CEPH, "--json"]).await.json();
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 1);
}
