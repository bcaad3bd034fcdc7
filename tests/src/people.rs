//! Any number of people with passports of one issuer, who do not exist.

use fixtures::{
    catalogue,
    chip::Chip,
    passport::{MakeError, Passport},
    portraits::Portraits,
    spec::Spec,
};
use serde_json::json;
use server::registers::standin::Holder;
use time::{Date, Duration, macros::date};

use crate::chip_link::ChipLink;

/// Why there are no people.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The passport that theirs are like is not in the catalogue.
    #[error("the catalogue has no fixture `good`")]
    NoFixture,
    /// A passport could not be made.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// A page could not be drawn.
    #[error(transparent)]
    Page(#[from] fixtures::page::PageError),
    /// A holder has another shape than the registers take.
    #[error("a holder does not fit the registers")]
    Holder(#[from] serde_json::Error),
}

/// A person at home: what they hold, and where they are reached.
pub struct Person {
    /// The passport, held to the phone.
    pub chip: ChipLink,
    /// A picture of its page, PNG.
    pub page: Vec<u8>,
    /// Its printed lines.
    pub lines: Vec<String>,
    /// A picture of the face, JPEG.
    pub selfie: Vec<u8>,
    /// Personal number.
    pub cpr: String,
    /// Phone number.
    pub phone: String,
    /// E-mail address.
    pub email: String,
    /// The user ID they want.
    pub user_id: String,
}

/// So many people, each made when asked for.
pub struct People {
    count: u32,
    spec: Spec,
    issuer: fixtures::passport::Trust,
    holders: Vec<Holder>,
    portraits: Portraits,
    today: Date,
}

impl People {
    /// `count` people with pictures from `portraits`, whose passports are as on `today`.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn new(count: u32, portraits: Portraits, today: Date) -> Result<Self, PeopleError> {
        let spec = catalogue::find("good").ok_or(PeopleError::NoFixture)?.spec;
        let issuer = Passport::make(&of(&spec, 0), &portraits, today)?.trust;
        let holders = (0..count).map(|nth| holder(&of(&spec, nth))).collect::<Result<_, _>>()?;
        Ok(Self { count, spec, issuer, holders, portraits, today })
    }

    /// How many they are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Makes the `nth` of them, from 0.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn person(&self, nth: u32) -> Result<Person, PeopleError> {
        let passport = Passport::make(&of(&self.spec, nth), &self.portraits, self.today)?;
        Ok(Person {
            chip: ChipLink(Chip::new(&passport)),
            page: passport.page_png()?,
            selfie: passport.selfies.into_iter().next().unwrap_or_default(),
            lines: passport.mrz_lines,
            cpr: passport.holder.cpr,
            phone: format!("+452{nth:07}"),
            email: format!("person-{nth}@example.invalid"),
            user_id: format!("person {nth}"),
        })
    }

    /// What the registers know of them.
    pub fn holders(&self) -> impl Iterator<Item = Holder> + '_ {
        self.holders.iter().cloned()
    }

    /// The issuer's certificate, DER.
    #[must_use]
    pub fn csca(&self) -> &[u8] {
        &self.issuer.csca
    }

    /// The issuer's revocation list, DER.
    #[must_use]
    pub fn crl(&self) -> &[u8] {
        &self.issuer.crl
    }
}

/// The passport of the `nth` person: another holder and number, the same issuer.
fn of(spec: &Spec, nth: u32) -> Spec {
    let mut spec = spec.clone();
    let born = date!(1950 - 01 - 01) + Duration::days(i64::from(nth % 7_000));
    spec.holder.born = born;
    spec.holder.cpr = unissued(born, nth / 7_000);
    spec.document.number = format!("{:09}", 300_000_000 + nth);
    spec
}

/// A man's personal number, born on `born`, that fails the check digit which all numbers of that time
/// have: nobody has it.
fn unissued(born: Date, nth: u32) -> String {
    let date = format!("{:02}{:02}{:02}", born.day(), u8::from(born.month()), born.year() % 100);
    // Of two odd numbers that differ in the last digit alone at most one fits.
    let serials = (0..2).map(|odd| format!("{:03}{}", nth % 400, 9 - 2 * odd));
    let fails = |serial: &String| {
        let digits = date.chars().chain(serial.chars()).filter_map(|c| c.to_digit(10));
        digits.zip([4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).map(|(d, w)| d * w).sum::<u32>() % 11 != 0
    };
    let serial = serials.into_iter().find(fails).unwrap_or_default();
    format!("{date}-{serial}")
}

fn holder(spec: &Spec) -> Result<Holder, PeopleError> {
    let (holder, document) = (&spec.holder, &spec.document);
    Ok(serde_json::from_value(json!({
        "cpr": holder.cpr,
        "given_names": holder.given_names,
        "surname": holder.surname,
        "birth_date": holder.born.to_string(),
        "issuer": document.issuer,
        "document_number": document.number,
    }))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn people_are_all_different_and_do_not_exist() {
        let spec = catalogue::find("good").unwrap().spec;
        let made: Vec<Spec> = (0..20_000).step_by(7).map(|nth| of(&spec, nth)).collect();
        let numbers: BTreeSet<_> = made.iter().map(|s| &s.holder.cpr).collect();
        let documents: BTreeSet<_> = made.iter().map(|s| &s.document.number).collect();
        assert_eq!((numbers.len(), documents.len()), (made.len(), made.len()));
        assert!(numbers.iter().all(|cpr| cpr.len() == 11), "ten digits and a hyphen");
    }
}
