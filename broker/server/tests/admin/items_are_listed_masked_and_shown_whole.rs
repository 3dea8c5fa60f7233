//! A list tells nobody who a patient is; `show` tells it to whoever gives a name.

use crate::support::*;

#[tokio::test]
async fn a_list_holds_nothing_of_a_name_but_initials() {
    let desk = Desk::open().await;
    let (_, _, item) = doubtful_pair(&desk).await;
    let said = desk.run(&["review", "list"]).await.well();
    assert!(said.contains("K******* A***, ****-**-**"), "{said}");
    assert!(said.contains("possible-duplicate"), "{said}");
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
    let json = desk.run(&["review", "list", "--json"]).await.json();
    assert_eq!(json["lines"][0]["number"], item);
    assert_eq!(
        (json["open"].as_u64(), json["more"].as_bool()),
        (Some(1), Some(false))
    );
    for value in ["Kowalsk", "Anna", "1987-03", "555-010"] {
        assert!(
            !said.contains(value) && !json.to_string().contains(value),
            "{said}{json}"
        );
    }
    assert!(
        desk.audited().await.is_empty(),
        "what shows nobody is not audited"
    );
}

#[tokio::test]
async fn a_list_is_of_one_kind_where_that_is_asked() {
    let desk = Desk::open().await;
    doubtful_pair(&desk).await;
    let list = async |kind: &str| {
        let said = desk.run(&["review", "list", "--json", "--kind", kind]).await;
        said.json()["lines"].as_array().unwrap().len()
    };
    assert_eq!(
        (list("possible-duplicate").await, list("record-conflict").await),
        (1, 0)
    );
    let wrong = desk.run(&["review", "list", "--kind", "duplicate"]).await;
    assert_eq!(wrong.code, Some(64));
    assert!(
        wrong.complained.contains("possible-duplicate"),
        "{}",
        wrong.complained
    );
}

#[tokio::test]
async fn two_patients_are_shown_side_by_side_with_what_differs_marked() {
    let desk = Desk::open().await;
    let (one, other, item) = doubtful_pair(&desk).await;
    let number = item.to_string();
    let said = desk
        .run(&["review", "show", &number, "--by", "Kim Doe"])
        .await
        .well();
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
    let heads = said.lines().find(|line| line.contains(&one.to_string())).unwrap();
    assert!(heads.contains(&other.to_string()), "{said}");
    let line = |path: &str| said.lines().find(|line| line.contains(path)).unwrap();
    let family = line("names/official/family");
    assert!(
        family.starts_with('!') && family.contains("Kowalska") && family.contains("Kowalski"),
        "{family}"
    );
    let given = line("names/official/given");
    assert!(
        given.starts_with(' ') && given.matches("Anna").count() == 2,
        "{given}"
    );
    assert!(
        said.contains(&format!("archwire review link|not-same {number}")),
        "{said}"
    );
    let json = desk
        .run(&["review", "show", &number, "--by", "Kim Doe", "--json"])
        .await
        .json();
    assert_eq!(json["item"]["kind"], "possible-duplicate");
    assert_eq!(
        json["patients"][0]["standing"]["patient"]["names"][0]["given"][0],
        "Anna"
    );
    assert_eq!(
        json["patients"][0]["standing"]["records"][0]["linked_by"],
        "observed"
    );
    assert_eq!(desk.actions().await, ["review.show", "review.show"]);
}

#[tokio::test]
async fn an_item_that_there_is_none_of_is_said_so() {
    let desk = Desk::open().await;
    let answer = desk
        .run(&["review", "show", "99", "--by", "Kim Doe", "--json"])
        .await;
    assert_eq!(answer.refused(), "review_item_unknown");
    assert!(
        desk.audited().await.is_empty(),
        "there is nobody whom it would concern"
    );
}
