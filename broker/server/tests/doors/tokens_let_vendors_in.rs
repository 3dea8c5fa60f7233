//! Tokens that were made: several at a time, until they expire or are revoked, also in the middle of a call.

use crate::{
    house::{House, IMAGING, WRONG, eventually},
    office::{books, everything, vendor},
};
use archwire::tokens::{LAST, MOST, TokenSecret, Tokens, TokensError};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use std::time::Duration;

/// Makes a token that is good for so many seconds, or until it is revoked.
async fn made(house: &House, seconds: Option<i64>) -> (String, String) {
    let expires = seconds.map(|seconds| Timestamp::now() + SignedDuration::from_secs(seconds));
    let drawn = TokenSecret::draw(IMAGING.parse().unwrap(), expires);
    let (text, token) = house.tokens.keep(drawn).await.unwrap();
    (text.expose_secret().to_owned(), token.id)
}

#[tokio::test]
async fn several_tokens_let_a_vendor_in_until_each_is_revoked() {
    let house = House::open().await;
    let (first, id) = made(&house, None).await;
    let (second, _) = made(&house, Some(3600)).await;
    let caller = house.knock(&first).await;
    assert_eq!(caller.ask().await, Ok(()));
    assert_eq!(caller.with_token(&second).ask().await, Ok(()));
    let vendor = IMAGING.parse().unwrap();
    house.tokens.revoke(&vendor, &id).unwrap();
    assert_eq!(caller.ask().await, Err("token_revoked".to_owned()));
    assert_eq!(caller.with_token(&second).ask().await, Ok(()));
    assert_eq!(
        caller.with_token(WRONG).ask().await,
        Err("token_unknown".to_owned())
    );
    let again = house.tokens.revoke(&vendor, "0000000000");
    assert!(matches!(again, Err(TokensError::Unknown)));
}

#[tokio::test]
async fn a_token_that_is_revoked_ends_the_calls_that_it_began_within_two_seconds() {
    let house = House::open().await;
    let (token, id) = made(&house, None).await;
    let (other, _) = made(&house, None).await;
    let caller = house.knock(&token).await;
    let stream = caller.subscribe("one").await.unwrap();
    let mut untouched = caller.with_token(&other).subscribe("two").await.unwrap();
    house.tokens.revoke(&IMAGING.parse().unwrap(), &id).unwrap();
    let (code, after) = stream.ends().await;
    assert_eq!(code, "token_revoked");
    assert!(after < Duration::from_secs(2), "{after:?}");
    assert!(untouched.goes_on().await);
}

#[tokio::test]
async fn a_token_that_expires_ends_the_calls_that_it_began_within_two_seconds() {
    let house = House::open().await;
    let (token, _) = made(&house, Some(1)).await;
    let stream = house.knock(&token).await.subscribe("one").await.unwrap();
    let (code, after) = stream.ends().await;
    assert_eq!(code, "token_expired");
    assert!(after < Duration::from_secs(3), "{after:?}");
    let again = house.knock(&token).await.ask().await;
    assert_eq!(again, Err("token_expired".to_owned()));
}

#[tokio::test]
async fn a_vendor_that_leaves_the_configuration_is_not_let_in_by_a_token_that_was_made() {
    let house = House::open().await;
    let (token, _) = made(&house, None).await;
    let caller = house.knock(&token).await;
    let stream = caller.subscribe("one").await.unwrap();
    house
        .books
        .put_vendors([vendor(everything("another"), "another token")]);
    assert_eq!(stream.ends().await.0, "token_revoked");
    assert!(caller.ask().await.is_err());
    // Nor is it when somebody comes under the same name.
    let imaging = IMAGING.parse().unwrap();
    eventually("the token is revoked", async || {
        house
            .tokens
            .of(&imaging)
            .iter()
            .all(|token| token.revoked.is_some())
    })
    .await;
    house
        .books
        .put_vendors([vendor(everything(IMAGING), "another token")]);
    assert_eq!(caller.ask().await, Err("token_revoked".to_owned()));
}

#[tokio::test]
async fn a_token_is_revoked_before_that_is_stored_and_stays_so() {
    let house = House::open().await;
    let (token, id) = made(&house, None).await;
    let stream = house.knock(&token).await.subscribe("one").await.unwrap();
    // Nothing is waited for here: there is no store that could refuse, and no audit.
    house.tokens.revoke(&IMAGING.parse().unwrap(), &id).unwrap();
    assert_eq!(stream.ends().await.0, "token_revoked");
    let log = house.office.registry.log();
    eventually("it is stored", async || {
        let books = books([]);
        let again = Tokens::open(log, books).await.unwrap();
        again
            .of(&IMAGING.parse().unwrap())
            .iter()
            .all(|token| token.revoked.is_some())
    })
    .await;
}

#[tokio::test]
async fn tokens_outlive_the_broker_and_are_bounded() {
    let house = House::open().await;
    let vendor = IMAGING.parse().unwrap();
    let mut ids = Vec::new();
    for _ in 0..MOST {
        ids.push(made(&house, None).await.1);
    }
    let drawn = TokenSecret::draw(IMAGING.parse().unwrap(), None);
    let one_more = house.tokens.keep(drawn).await;
    assert!(matches!(one_more, Err(TokensError::TooMany)));
    for id in &ids {
        house.tokens.revoke(&vendor, id).unwrap();
    }
    let (kept, _) = made(&house, None).await;
    for _ in 0..4 {
        let (_, id) = made(&house, None).await;
        house.tokens.revoke(&vendor, &id).unwrap();
    }
    made(&house, None).await;
    house.tokens.store().await.unwrap();
    let log = house.office.registry.log();
    let again = Tokens::open(log, house.books.clone()).await.unwrap();
    let known = again.of(&vendor);
    assert_eq!(known, house.tokens.of(&vendor));
    let spent = known.iter().filter(|token| token.revoked.is_some()).count();
    assert_eq!((known.len(), spent), (LAST + 2, LAST));
    assert_eq!(house.knock(&kept).await.ask().await, Ok(()));
}
