//! What patients are made of: texts, dates, names, ways to reach somebody, addresses.

use super::WireError;
use archwire_core::{
    Address, AddressUse, ContactPoint, ContactSystem, ContactUse, HumanName, NameUse, PartialDate, Patient,
    Period, Text,
};
use archwire_proto::v1;

pub(super) fn all<M, T>(
    messages: Vec<M>,
    read: impl Fn(M) -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    messages.into_iter().map(read).collect()
}

fn one_text(field: &'static str, value: String) -> Result<Text, WireError> {
    let allowed = value.len() <= Patient::LONGEST_TEXT
        && !value
            .chars()
            .any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t'));
    if allowed {
        Ok(value.into())
    } else {
        Err(WireError::Text(field))
    }
}

pub(super) fn text(field: &'static str, value: Option<String>) -> Result<Option<Text>, WireError> {
    value
        .filter(|value| !value.is_empty())
        .map(|value| one_text(field, value))
        .transpose()
}

/// Empty ones state nothing, as elsewhere.
pub(super) fn texts(field: &'static str, mut values: Vec<String>) -> Result<Vec<Text>, WireError> {
    values.retain(|value| !value.is_empty());
    all(values, |value| one_text(field, value))
}

pub(super) fn required(field: &'static str, value: String) -> Result<Text, WireError> {
    if value.is_empty() {
        Err(WireError::Missing(field))
    } else {
        one_text(field, value)
    }
}

pub(super) fn plain(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

pub(super) fn plain_all(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.as_str().to_owned()).collect()
}

pub(super) fn date(field: &'static str, value: Option<String>) -> Result<Option<PartialDate>, WireError> {
    let stated = value.filter(|value| !value.is_empty());
    stated
        .map(|value| PartialDate::parse(&value).map_err(|error| WireError::Date(field, error)))
        .transpose()
}

pub(super) fn read_period(message: v1::Period) -> Result<Period, WireError> {
    Ok(Period {
        start: date("period.start", message.start)?,
        end: date("period.end", message.end)?,
    })
}

pub(super) fn write_period(period: &Period) -> v1::Period {
    let plain = |date: &Option<PartialDate>| date.as_ref().map(|date| date.as_str().to_owned());
    v1::Period {
        start: plain(&period.start),
        end: plain(&period.end),
    }
}

pub(super) fn read_name(message: v1::HumanName) -> Result<HumanName, WireError> {
    use v1::NameUse as Wire;
    let r#use = match Wire::try_from(message.r#use) {
        Ok(Wire::Unspecified) => None,
        Ok(Wire::Official) => Some(NameUse::Official),
        Ok(Wire::Usual) => Some(NameUse::Usual),
        Ok(Wire::Nickname) => Some(NameUse::Nickname),
        Ok(Wire::Maiden) => Some(NameUse::Maiden),
        Ok(Wire::Old) => Some(NameUse::Old),
        Ok(Wire::Temp) => Some(NameUse::Temp),
        Ok(Wire::Anonymous) => Some(NameUse::Anonymous),
        Err(_) => return Err(WireError::UnknownValue("names.use")),
    };
    Ok(HumanName {
        r#use,
        family: text("names.family", message.family)?,
        given: texts("names.given", message.given)?,
        prefix: texts("names.prefix", message.prefix)?,
        suffix: texts("names.suffix", message.suffix)?,
        text: text("names.text", message.text)?,
        period: message.period.map(read_period).transpose()?,
    })
}

pub(super) fn write_name(name: &HumanName) -> v1::HumanName {
    use v1::NameUse as Wire;
    v1::HumanName {
        r#use: match name.r#use {
            None => Wire::Unspecified,
            Some(NameUse::Official) => Wire::Official,
            Some(NameUse::Usual) => Wire::Usual,
            Some(NameUse::Nickname) => Wire::Nickname,
            Some(NameUse::Maiden) => Wire::Maiden,
            Some(NameUse::Old) => Wire::Old,
            Some(NameUse::Temp) => Wire::Temp,
            Some(NameUse::Anonymous) => Wire::Anonymous,
        }
        .into(),
        family: plain(name.family.as_ref()),
        given: plain_all(&name.given),
        prefix: plain_all(&name.prefix),
        suffix: plain_all(&name.suffix),
        text: plain(name.text.as_ref()),
        period: name.period.as_ref().map(write_period),
    }
}

pub(super) fn read_contact(message: v1::ContactPoint) -> Result<ContactPoint, WireError> {
    use v1::{ContactSystem as System, ContactUse as Use};
    let system = match System::try_from(message.system) {
        Ok(System::Unspecified) => return Err(WireError::Missing("telecom.system")),
        Ok(System::Phone) => ContactSystem::Phone,
        Ok(System::Fax) => ContactSystem::Fax,
        Ok(System::Email) => ContactSystem::Email,
        Ok(System::Pager) => ContactSystem::Pager,
        Ok(System::Url) => ContactSystem::Url,
        Ok(System::Sms) => ContactSystem::Sms,
        Ok(System::Other) => ContactSystem::Other,
        Err(_) => return Err(WireError::UnknownValue("telecom.system")),
    };
    let r#use = match Use::try_from(message.r#use) {
        Ok(Use::Unspecified) => None,
        Ok(Use::Home) => Some(ContactUse::Home),
        Ok(Use::Work) => Some(ContactUse::Work),
        Ok(Use::Temp) => Some(ContactUse::Temp),
        Ok(Use::Old) => Some(ContactUse::Old),
        Ok(Use::Mobile) => Some(ContactUse::Mobile),
        Err(_) => return Err(WireError::UnknownValue("telecom.use")),
    };
    let value = required("telecom.value", message.value)?;
    let period = message.period.map(read_period).transpose()?;
    Ok(ContactPoint {
        system,
        value,
        r#use,
        rank: message.rank,
        period,
    })
}

pub(super) fn write_contact(contact: &ContactPoint) -> v1::ContactPoint {
    use v1::{ContactSystem as System, ContactUse as Use};
    v1::ContactPoint {
        system: match contact.system {
            ContactSystem::Phone => System::Phone,
            ContactSystem::Fax => System::Fax,
            ContactSystem::Email => System::Email,
            ContactSystem::Pager => System::Pager,
            ContactSystem::Url => System::Url,
            ContactSystem::Sms => System::Sms,
            ContactSystem::Other => System::Other,
        }
        .into(),
        value: contact.value.as_str().to_owned(),
        r#use: match contact.r#use {
            None => Use::Unspecified,
            Some(ContactUse::Home) => Use::Home,
            Some(ContactUse::Work) => Use::Work,
            Some(ContactUse::Temp) => Use::Temp,
            Some(ContactUse::Old) => Use::Old,
            Some(ContactUse::Mobile) => Use::Mobile,
        }
        .into(),
        rank: contact.rank,
        period: contact.period.as_ref().map(write_period),
    }
}

pub(super) fn read_address(message: v1::Address) -> Result<Address, WireError> {
    use v1::AddressUse as Use;
    let r#use = match Use::try_from(message.r#use) {
        Ok(Use::Unspecified) => None,
        Ok(Use::Home) => Some(AddressUse::Home),
        Ok(Use::Work) => Some(AddressUse::Work),
        Ok(Use::Temp) => Some(AddressUse::Temp),
        Ok(Use::Old) => Some(AddressUse::Old),
        Ok(Use::Billing) => Some(AddressUse::Billing),
        Err(_) => return Err(WireError::UnknownValue("addresses.use")),
    };
    Ok(Address {
        r#use,
        lines: texts("addresses.lines", message.lines)?,
        city: text("addresses.city", message.city)?,
        district: text("addresses.district", message.district)?,
        state: text("addresses.state", message.state)?,
        postal_code: text("addresses.postal_code", message.postal_code)?,
        country: text("addresses.country", message.country)?,
        period: message.period.map(read_period).transpose()?,
    })
}

pub(super) fn write_address(address: &Address) -> v1::Address {
    use v1::AddressUse as Use;
    v1::Address {
        r#use: match address.r#use {
            None => Use::Unspecified,
            Some(AddressUse::Home) => Use::Home,
            Some(AddressUse::Work) => Use::Work,
            Some(AddressUse::Temp) => Use::Temp,
            Some(AddressUse::Old) => Use::Old,
            Some(AddressUse::Billing) => Use::Billing,
        }
        .into(),
        lines: plain_all(&address.lines),
        city: plain(address.city.as_ref()),
        district: plain(address.district.as_ref()),
        state: plain(address.state.as_ref()),
        postal_code: plain(address.postal_code.as_ref()),
        country: plain(address.country.as_ref()),
        period: address.period.as_ref().map(write_period),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_of_a_list_states_nothing() {
        let given = ["", "Ada", ""].map(str::to_owned).to_vec();
        assert_eq!(texts("names.given", given).unwrap(), [Text::from("Ada")]);
    }
}
