//! Three programs, and what each makes of what is typed into it.

use super::{dice::Dice, names, person::Person, slips, slips::Slip};
use archwire_core::{
    Address, AddressUse, AdministrativeSex, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier,
    PartialDate, Patient, ResponsibleParty, Text,
};

/// The programs: practice management, which keeps names as typed; imaging, which writes upper case without accents; an
/// archive, which shortens and keeps initials of later names.
pub const SYSTEMS: [&str; 3] = ["front-desk", "imaging", "archive"];

/// Letters of a family name that imaging keeps, and of any name that the archive keeps.
const KEPT: [usize; 2] = [16, 12];

/// The number of the office itself.
const OFFICE: &str = "(503) 200-0199";

const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";
const MEMBER: &str = "urn:example:insurer:member";

/// The chart numbers of a program.
pub(super) fn charts(system: &str) -> String {
    format!("urn:example:{system}:chart")
}

/// What a program shows of a person, with these slips.
pub(super) fn record(
    dice: &mut Dice,
    system: &str,
    person: &Person,
    slips: &[Slip],
    charts: &[(String, String)],
) -> Patient {
    let made = |slip| slips.contains(&slip);
    let born = match () {
        () if made(Slip::NoBirthDate) => None,
        () if made(Slip::PlaceholderDate) => PartialDate::parse("1900-01-01").ok(),
        () if made(Slip::DayAndMonth) => {
            let mut day = person.born;
            (day.month, day.day) = (day.day, day.month);
            day.written()
        }
        () if made(Slip::Digit) => slips::misread(dice, person.born).written(),
        () => person.born.written(),
    };
    Patient {
        names: vec![name(dice, system, person, slips)],
        birth_date: born,
        administrative_sex: match made(Slip::NoSex) {
            true if system == "archive" => Some(AdministrativeSex::Unknown),
            true => None,
            false => Some(person.sex),
        },
        telecom: contacts(dice, system, person, slips),
        addresses: vec![Address {
            r#use: Some(AddressUse::Home),
            lines: vec![Text::from(person.street.as_str())],
            postal_code: Some(Text::from("97201")),
            ..Address::default()
        }],
        identifiers: identifiers(system, person, charts),
        responsible_parties: guardian(person),
        ..Patient::default()
    }
}

fn name(dice: &mut Dice, system: &str, person: &Person, slips: &[Slip]) -> HumanName {
    let made = |slip| slips.contains(&slip);
    let mut given = person.given.clone();
    let mut family = person.family.clone();
    if made(Slip::NoSecondName) {
        given.truncate(1);
    }
    if let (true, Some(nickname), Some(first)) =
        (made(Slip::Nickname), slips::nickname(person), given.first_mut())
    {
        nickname.clone_into(first);
    }
    if let (true, Some(former)) = (made(Slip::FormerName), &person.former_family) {
        family.clone_from(former);
    }
    if made(Slip::Family) {
        family = slips::mistyped(dice, &family);
    }
    if let (true, Some(first)) = (made(Slip::Given), given.first_mut()) {
        *first = slips::mistyped(dice, first);
    }
    if made(Slip::Unnamed) {
        given = vec!["Unknown".to_owned()];
    }
    if made(Slip::NamesExchanged) {
        (family, given) = (given.join(" "), vec![family]);
    }
    let (family, given) = match system {
        "imaging" => (kept(&upper(&family), KEPT[0]), vec![upper(&given.join(" "))]),
        "archive" => {
            let initial = |(place, name): (usize, &String)| kept(name, if place == 0 { KEPT[1] } else { 1 });
            (
                kept(&family, KEPT[1]),
                given.iter().enumerate().map(initial).collect(),
            )
        }
        _ => (family, given),
    };
    HumanName {
        family: Some(Text::from(family)),
        given: given.into_iter().map(Text::from).collect(),
        suffix: person
            .suffix
            .filter(|_| system == "front-desk")
            .map(Text::from)
            .into_iter()
            .collect(),
        ..HumanName::default()
    }
}

fn upper(name: &str) -> String {
    names::without_accents(name).to_uppercase()
}

fn kept(name: &str, letters: usize) -> String {
    name.chars().take(letters).collect()
}

fn contacts(dice: &mut Dice, system: &str, person: &Person, slips: &[Slip]) -> Vec<ContactPoint> {
    let made = |slip| slips.contains(&slip);
    let phones: Vec<String> = match () {
        () if made(Slip::NoContact) => return Vec::new(),
        () if made(Slip::OfficePhone) => vec![OFFICE.to_owned()],
        () if made(Slip::PlaceholderPhone) => vec!["000-000-0000".to_owned()],
        () if made(Slip::FormerPhone) => {
            vec![format!("(503) {}-{}", dice.between(200, 1000), dice.digits(4))]
        }
        () => person.phones().into_iter().map(str::to_owned).collect(),
    };
    let email = match made(Slip::PlaceholderEmail) {
        true => Some("noreply@office.example".to_owned()),
        // Imaging has no field for it.
        false => person.email.clone().filter(|_| system != "imaging"),
    };
    let uses = [ContactUse::Mobile, ContactUse::Home, ContactUse::Work];
    let phones = phones
        .into_iter()
        .zip(uses)
        .map(|(number, r#use)| point(ContactSystem::Phone, &written(system, &number), Some(r#use)));
    let emails = email
        .into_iter()
        .map(|email| point(ContactSystem::Email, &email, None));
    phones.chain(emails).collect()
}

fn written(system: &str, number: &str) -> String {
    let digits = || number.chars().filter(char::is_ascii_digit).collect::<String>();
    match system {
        "imaging" => digits(),
        "archive" => format!("+1{}", digits()),
        _ => number.to_owned(),
    }
}

fn point(system: ContactSystem, value: &str, r#use: Option<ContactUse>) -> ContactPoint {
    ContactPoint {
        system,
        value: Text::from(value),
        r#use,
        rank: None,
        period: None,
    }
}

fn identifiers(system: &str, person: &Person, charts: &[(String, String)]) -> Vec<Identifier> {
    let identifier = |system: &str, value: &str, kind: &str| Identifier {
        system: system.to_owned(),
        value: Text::from(value),
        kind: Some(Text::from(kind)),
        ..Identifier::default()
    };
    let mut all: Vec<Identifier> = charts
        .iter()
        .map(|(namespace, value)| identifier(namespace, value, "MR"))
        .collect();
    // Only the front desk asks for it, and types the guardian's where that is the habit.
    let ssn = person
        .typed_ssn
        .as_ref()
        .filter(|_| system == "front-desk")
        .or(person.ssn.as_ref());
    all.extend(
        ssn.filter(|_| system != "archive")
            .map(|ssn| identifier(SSN, ssn, "SS")),
    );
    if system != "imaging" {
        all.push(identifier(MEMBER, &person.member_number, "MB"));
    }
    all
}

fn guardian(person: &Person) -> Vec<ResponsibleParty> {
    let party = |(given, family, code): &(Vec<String>, String, &'static str)| ResponsibleParty {
        name: Some(HumanName {
            family: Some(Text::from(family.as_str())),
            given: given.iter().map(|given| Text::from(given.as_str())).collect(),
            ..HumanName::default()
        }),
        relationship: Some(Text::from(*code)),
        is_guarantor: true,
        ..ResponsibleParty::default()
    };
    person.guardian.iter().map(party).collect()
}
