//! A server that sends the connector elsewhere.

use crate::support::{Server, hostile_at, tell};

#[tokio::test]
async fn a_redirect_to_a_host_that_was_not_granted_is_an_answer_and_following_it_is_refused() {
    let (granted, other) = (Server::start().await, Server::start().await);
    let connector = hostile_at(&granted).await;
    let target = format!("{}/stolen", other.url);
    let said = tell(
        &connector,
        &format!("request GET {}/redirect?to={target}", granted.url),
    )
    .await
    .unwrap();
    assert!(
        said.starts_with("status 302") && said.contains(&format!("location: {target}")),
        "{said}"
    );
    let said = tell(&connector, &format!("request GET {target}")).await.unwrap();
    assert_eq!(said, "error ErrorCode::HttpRequestDenied");
    assert_eq!((granted.seen().len(), other.seen().len()), (1, 0));
}
