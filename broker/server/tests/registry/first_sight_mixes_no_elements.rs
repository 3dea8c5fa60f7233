//! The first sight of a record of a known patient: what is missing is added whole, what differs is left as it is.

use crate::support::*;
use archwire_core::{Address, AddressUse, ContactSystem, ContactUse, Patient};

fn address(r#use: AddressUse, line: &str, city: &str) -> Address {
    Address {
        r#use: Some(r#use),
        lines: vec![line.into()],
        city: Some(city.into()),
        ..Address::default()
    }
}

#[tokio::test]
async fn two_addresses_are_not_mixed() {
    let office = Office::open().await;
    let oak_street = address(AddressUse::Home, "12 Oak St", "Salem");
    let pine_avenue = Address {
        state: Some("MA".into()),
        postal_code: Some("02101".into()),
        ..address(AddressUse::Home, "99 Pine Ave", "Boston")
    };
    let at = |address: &Address| Patient {
        addresses: vec![address.clone()],
        ..named("Smith")
    };
    let patient = whom(office.see(says("front-desk", "1", at(&oak_street))).await);
    let observed = office.see(binds("imaging", "1", at(&pine_avenue), patient)).await;
    assert!(!is_news(observed));
    assert!(office.state(patient).addresses == [oak_street]);
}

#[tokio::test]
async fn what_is_missing_is_added_whole_beside_what_differs() {
    let office = Office::open().await;
    let home = address(AddressUse::Home, "12 Oak St", "Salem");
    let known = Patient {
        addresses: vec![home.clone()],
        ..with_phone("555-0100")
    };
    let patient = whom(office.see(says("front-desk", "1", known)).await);
    let work = Address {
        state: Some("MA".into()),
        postal_code: Some("02101".into()),
        ..address(AddressUse::Work, "1 Mill Rd", "Boston")
    };
    let mut shown = with_phone_and_email("555-0199", "ann@example.org");
    shown.telecom[0].rank = Some(1);
    shown.telecom[1].rank = Some(2);
    shown.addresses = vec![address(AddressUse::Home, "99 Pine Ave", "Boston"), work.clone()];
    let observed = office.see(binds("imaging", "1", shown, patient)).await;
    assert!(is_news(observed));
    let state = office.state(patient);
    assert!(state.addresses == [home, work]);
    let mut email = contact(ContactSystem::Email, ContactUse::Home, "ann@example.org");
    email.rank = Some(2);
    let phone = contact(ContactSystem::Phone, ContactUse::Mobile, "555-0100");
    assert!(state.telecom.len() == 2 && state.telecom.contains(&email) && state.telecom.contains(&phone));
}
