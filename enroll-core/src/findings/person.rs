//! The person in the civil register: `person.match` (C1), `person.status` (C2), `person.age` (A3).
//!
//! The evidence never tells which attribute differed (A5), and holds no personal data.

use mrz::{Fields, Mrz, Sex, same_name, transliterate};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::Date;

use crate::{check::Check, policy::Policy, reason::ReasonCode};

/// What the civil register answers for a CPR number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonAnswer {
    /// This person has it.
    Found(PersonRecord),
    /// Nobody has it.
    NotFound,
    /// The register did not answer, or not in time.
    Unavailable,
}

/// A person as the register knows them. Personal data: `Debug` shows the status only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRecord {
    /// First and middle names, as the register spells them.
    pub given_names: String,
    /// Surname.
    pub surname: String,
    /// Date of birth.
    pub birth_date: Date,
    /// Sex.
    pub sex: PersonSex,
    /// Standing in the register.
    pub status: PersonStatus,
    /// Protected name and address (C3).
    pub protected: bool,
}

impl std::fmt::Debug for PersonRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonRecord").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Sex as the register knows it: the CPR number is even or odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonSex {
    /// Even.
    Female,
    /// Odd.
    Male,
}

/// Standing in the register (CPR status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonStatus {
    /// Resident (01, 03), or with a number but no residence (05, 07).
    Active,
    /// Status 90.
    Deceased,
    /// Status 70.
    Missing,
    /// Status 80.
    Emigrated,
    /// The number is annulled or changed (30, 50, 60).
    Cancelled,
}

/// The three checks of a register's answer against the proved data group 1 of the chip, on the day
/// `today` in Europe/Copenhagen. Without proved data the comparison is not performed.
#[must_use]
pub fn checks(
    answer: &PersonAnswer,
    dg1: Option<&Mrz>,
    policy: &Policy,
    today: Date,
) -> Vec<Check> {
    match answer {
        PersonAnswer::Found(person) => {
            let matched = matches(person, dg1);
            if !matched.is_passed() {
                return unmatched(matched);
            }
            let age = age(person.birth_date, policy.minimum_age, today);
            vec![matched, standing(person.status), age]
        }
        PersonAnswer::NotFound => {
            unmatched(Check::failed("person.match", ReasonCode::PERSON_NOT_FOUND, json!({})))
        }
        PersonAnswer::Unavailable => ["person.match", "person.status", "person.age"]
            .map(|id| Check::not_performed(id, ReasonCode::PERSON_UNAVAILABLE, json!({})))
            .into(),
    }
}

/// Nothing is said of a person whom the document does not prove: who types a stranger's number
/// learns neither their age nor their standing (A5).
fn unmatched(matched: Check) -> Vec<Check> {
    let waiting = |id| Check::waiting(id, "person.match");
    vec![matched, waiting("person.status"), waiting("person.age")]
}

/// The same where an officer has found that the person is the document's.
#[must_use]
pub fn accepted(person: &PersonRecord, officer: &str, policy: &Policy, today: Date) -> Vec<Check> {
    let matched = Check::passed("person.match", json!({ "officer": officer }));
    vec![matched, standing(person.status), age(person.birth_date, policy.minimum_age, today)]
}

/// How like the register's person is to the document's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nearness {
    /// It is the same.
    Same,
    /// Birth date and sex are the same, and the names may be of one person: an officer decides (C1).
    Near,
    /// It is another one.
    Different,
}

/// How like `person` is to the holder of the proved data group 1. For an officer only: a person who
/// asks learns the same whatever differs (A5).
///
/// Names are near if a given name is the same, and of the surnames one stands anywhere in the other
/// name (a middle name, a name before or after a marriage) or all given names are the same (another
/// surname by marriage). Words are the same in any of their Danish renderings, with one letter
/// different, or in an older spelling: Christian and Kristian, Sophie and Sofie, Thor and Tor.
#[must_use]
pub fn nearness(person: &PersonRecord, dg1: &Mrz) -> Nearness {
    let fields = dg1.fields();
    if matches(person, Some(dg1)).is_passed() {
        return Nearness::Same;
    }
    let rest = birth_matches(person, fields) && sex_matches(person, fields);
    if rest && names_near(person, fields) { Nearness::Near } else { Nearness::Different }
}

/// Whether the birth dates are the same: what nobody overrules.
#[must_use]
pub fn same_birth(person: &PersonRecord, dg1: &Mrz) -> bool {
    birth_matches(person, dg1.fields())
}

fn names_near(person: &PersonRecord, fields: &Fields) -> bool {
    let register = [&person.given_names, &person.surname].map(|name| words(name));
    let printed = [&fields.given_names, &fields.surname].map(|name| words(name));
    let ([given, surname], [printed_given, printed_surname]) = (&register, &printed);
    let shares = |one: &[String], other: &[&[String]]| {
        one.iter().any(|word| other.iter().copied().flatten().any(|known| is_near(word, known)))
    };
    let same_given = !given.is_empty()
        && given.len() == printed_given.len()
        && given.iter().zip(printed_given).all(|(word, known)| is_near(word, known));
    let last_stands = shares(surname, &[printed_given, printed_surname])
        || shares(printed_surname, &[given, surname]);
    shares(given, &[printed_given]) && (last_stands || same_given)
}

/// The words of a name in the recommended rendering, older spellings in today's.
fn words(name: &str) -> Vec<String> {
    const TODAY: [(&str, &str); 8] = [
        ("CHR", "KR"),
        ("PH", "F"),
        ("TH", "T"),
        ("CK", "K"),
        ("W", "V"),
        ("X", "KS"),
        ("Z", "S"),
        ("Y", "I"),
    ];
    let plain = transliterate(name).unwrap_or_default();
    let spelled = TODAY.iter().fold(plain, |text, (old, new)| text.replace(old, new));
    spelled.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether two words are the same, or of four letters or more with one put in, left out or changed.
fn is_near(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if one == other {
        return true;
    }
    let (short, long) = (short.as_bytes(), long.as_bytes());
    if short.len() < 4 || long.len() - short.len() > 1 {
        return false;
    }
    let begin = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let end = short.iter().rev().zip(long.iter().rev()).take_while(|(a, b)| a == b).count();
    begin + end + 1 >= long.len()
}

fn matches(person: &PersonRecord, dg1: Option<&Mrz>) -> Check {
    let Some(dg1) = dg1 else {
        return Check::waiting("person.match", "passive authentication");
    };
    let fields = dg1.fields();
    // All are compared always, so that the time does not tell which one differs.
    let same =
        names_match(person, fields) & birth_matches(person, fields) & sex_matches(person, fields);
    Check::of("person.match", same, ReasonCode::PERSON_MISMATCH, json!({}))
}

/// The names in a row, so that a middle name may stand with the given names or with the surname;
/// a full name field may have lost its end (ICAO 9303-4 §4.2.3).
fn names_match(person: &PersonRecord, fields: &Fields) -> bool {
    let register = format!("{} {}", person.given_names, person.surname);
    let printed = format!("{} {}", fields.given_names, fields.surname);
    same_name(&register, &printed) || (fields.names_truncated && cut_names_match(person, fields))
}

/// Each printed part is the beginning of the register's, in the recommended rendering, and at
/// least the surname's beginning and one given letter are printed.
fn cut_names_match(person: &PersonRecord, fields: &Fields) -> bool {
    let begins = |whole: &str, printed: &str| {
        !printed.is_empty() && transliterate(whole).is_ok_and(|whole| begins_with(&whole, printed))
    };
    begins(&person.surname, &fields.surname) && begins(&person.given_names, &fields.given_names)
}

/// Whether each word of `printed` begins the word of `whole` in the same place: names are cut at
/// their ends, or each name to its first letters.
fn begins_with(whole: &str, printed: &str) -> bool {
    let mut words = whole.split(' ');
    printed.split(' ').all(|part| words.next().is_some_and(|word| word.starts_with(part)))
}

/// The parts of the birth date that are printed must be those of the register.
fn birth_matches(person: &PersonRecord, fields: &Fields) -> bool {
    let (year, month, day) = person.birth_date.to_calendar_date();
    let known = format!("{:02}{:02}{:02}", year.rem_euclid(100), u8::from(month), day);
    let printed = fields.birth_date.as_str();
    let fits = |(known, printed): (char, char)| known == printed || printed == '<';
    printed.len() == known.len()
        && printed.starts_with(|c: char| c.is_ascii_digit())
        && known.chars().zip(printed.chars()).all(fits)
}

/// A passport may leave the sex open; the register may not.
fn sex_matches(person: &PersonRecord, fields: &Fields) -> bool {
    match fields.sex {
        Sex::Female => person.sex == PersonSex::Female,
        Sex::Male => person.sex == PersonSex::Male,
        Sex::Unspecified | Sex::Other('X') => true,
        Sex::Other(_) => false,
    }
}

fn standing(status: PersonStatus) -> Check {
    let reason = match status {
        PersonStatus::Active => return Check::passed("person.status", json!({})),
        PersonStatus::Deceased => ReasonCode::PERSON_DECEASED,
        PersonStatus::Missing | PersonStatus::Cancelled => ReasonCode::PERSON_MISSING,
        PersonStatus::Emigrated => ReasonCode::PERSON_EMIGRATED,
    };
    Check::failed("person.status", reason, json!({}))
}

fn age(birth: Date, minimum: u8, today: Date) -> Check {
    let old_enough = years(birth, today) >= i32::from(minimum);
    let evidence = json!({ "minimum": minimum });
    Check::of("person.age", old_enough, ReasonCode::PERSON_TOO_YOUNG, evidence)
}

/// Whole years of age on a day; who is born on 29 February has the birthday on 1 March in other years.
#[must_use]
pub fn years(birth: Date, today: Date) -> i32 {
    let had_birthday = (today.month() as u8, today.day()) >= (birth.month() as u8, birth.day());
    today.year() - birth.year() - i32::from(!had_birthday)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const TODAY: Date = date!(2026 - 03 - 01);

    fn dg1(names: &str) -> Mrz {
        let first = format!("{:<<44}", format!("P<DNK{names}"));
        mrz::parse(&format!("{first}\nL898902C36DNK7408122F1204159ZE184226B<<<<<10")).unwrap()
    }

    fn person(given_names: &str, surname: &str) -> PersonRecord {
        PersonRecord {
            given_names: given_names.to_owned(),
            surname: surname.to_owned(),
            birth_date: date!(1974 - 08 - 12),
            sex: PersonSex::Female,
            status: PersonStatus::Active,
            protected: false,
        }
    }

    fn reasons(person: PersonRecord, dg1: &Mrz) -> Vec<&'static str> {
        checks(&PersonAnswer::Found(person), Some(dg1), &Policy::default(), TODAY)
            .into_iter()
            .filter_map(|check| check.reason)
            .map(ReasonCode::as_str)
            .collect()
    }

    // proves C1
    #[test]
    fn danish_names_match_their_mrz() {
        let printed = dg1("OESTERGAARD<<ANNE<MARIE<SOE");
        assert_eq!(reasons(person("Anne-Marie Sø", "Østergård"), &printed), [""; 0]);
        assert_eq!(
            reasons(person("Anne Marie", "Sø Østergaard"), &dg1("SOE<OESTERGAARD<<ANNE<MARIE")),
            [""; 0]
        );
        // The middle name stands with the surname in one and with the given names in the other.
        assert_eq!(reasons(person("Anne", "Sø Østergård"), &dg1("OESTERGAARD<<ANNE<SOE")), [""; 0]);
        assert_eq!(reasons(person("Anne", "Østergård"), &dg1("HANSEN<<ANNE")), ["person.mismatch"]);
    }

    // proves C1 (truncated names)
    #[test]
    fn a_full_name_field_may_have_lost_its_end() {
        let full = dg1("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K");
        assert!(full.fields().names_truncated);
        let whole = |given: &str| person(given, "Nilavadhanananda");
        assert_eq!(reasons(whole("Chayapa Dejthamrong Krasuang"), &full), [""; 0]);
        assert_eq!(reasons(whole("Chayapa Dejthamrong Pim"), &full), ["person.mismatch"]);
        let short = dg1("NILAVADHANANANDA<<CHAYAPA");
        assert_eq!(reasons(whole("Chayapa Dejthamrong"), &short), ["person.mismatch"]);
    }

    // proves A5 and C1: the answer is the same whichever attribute differs
    #[test]
    fn no_answer_tells_which_attribute_differs() {
        let printed = dg1("ERIKSSON<<ANNA");
        let good = person("Anna", "Eriksson");
        let others = [
            PersonRecord { given_names: "Anne".to_owned(), ..good.clone() },
            PersonRecord { birth_date: date!(1974 - 08 - 13), ..good.clone() },
            PersonRecord { sex: PersonSex::Male, ..good.clone() },
        ];
        let answers = others.map(|other| {
            checks(&PersonAnswer::Found(other), Some(&printed), &Policy::default(), TODAY)
        });
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[1], answers[2]);
        assert_eq!(answers[0][0].reason, Some(ReasonCode::PERSON_MISMATCH));
    }

    // proves C1 (a near match is for an officer, by Danish rules)
    #[test]
    fn names_that_may_be_of_one_person_are_near() {
        let of = |given: &str, surname: &str, printed: &str| {
            nearness(&person(given, surname), &dg1(printed))
        };
        assert_eq!(of("Anne", "Østergård", "OESTERGAARD<<ANNE"), Nearness::Same);
        for (given, surname, printed) in [
            ("Anne Marie", "Østergård", "OESTERGAARD<<ANNE"),
            ("Anne", "Sø Østergård", "SOE<HANSEN<<ANNE"),
            ("Anne Marie", "Hansen", "OESTERGAARD<<ANNE<MARIE"),
            ("Anne Hansen", "Østergård", "HANSEN<<ANNE"),
            ("Christian", "Friis", "FRIIS<<KRISTIAN"),
            ("Sofie Kathrine", "Vestergård", "WESTERGAARD<<SOPHIE<KATRINE"),
            ("Anders", "Petersen", "PEDERSEN<<ANDERS"),
            ("Mads-Emil", "Bjørn", "BJOERN<<MADS"),
        ] {
            assert_eq!(of(given, surname, printed), Nearness::Near, "{given} {surname}");
        }
        for (given, surname, printed) in [
            ("Bo", "Hansen", "HANSEN<<IB"),
            ("Anne Marie", "Hansen", "OESTERGAARD<<ANNE"),
            ("Anne", "Østergård", "HANSEN<<BIRTHE"),
            ("Østergård", "Anne", "OESTERGAARD<<ANNE"),
        ] {
            assert_eq!(of(given, surname, printed), Nearness::Different, "{given} {surname}");
        }
        let younger =
            PersonRecord { birth_date: date!(1974 - 08 - 13), ..person("Anne Marie", "Ny") };
        assert_eq!(nearness(&younger, &dg1("NY<<ANNE")), Nearness::Different);
    }

    // proves C2
    #[test]
    fn only_an_active_person_passes() {
        use PersonStatus as S;
        let printed = dg1("ERIKSSON<<ANNA");
        let of = |status| reasons(PersonRecord { status, ..person("Anna", "Eriksson") }, &printed);
        assert_eq!(of(S::Active), [""; 0]);
        assert_eq!(of(S::Deceased), ["person.deceased"]);
        assert_eq!(of(S::Missing), ["person.missing"]);
        assert_eq!(of(S::Cancelled), ["person.missing"]);
        assert_eq!(of(S::Emigrated), ["person.emigrated"]);
    }

    // proves A3
    #[test]
    fn the_thirteenth_birthday_is_old_enough() {
        assert!(age(date!(2013 - 03 - 01), 13, TODAY).is_passed());
        assert!(!age(date!(2013 - 03 - 02), 13, TODAY).is_passed());
        assert!(!age(date!(2012 - 02 - 29), 13, date!(2025 - 02 - 28)).is_passed());
        assert!(age(date!(2012 - 02 - 29), 13, date!(2025 - 03 - 01)).is_passed());
    }

    #[test]
    fn a_silent_register_passes_nothing() {
        for answer in [PersonAnswer::Unavailable, PersonAnswer::NotFound] {
            let checks = checks(&answer, None, &Policy::default(), TODAY);
            assert_eq!(checks.len(), 3);
            assert!(checks.iter().all(|check| !check.is_passed()));
        }
    }

    #[test]
    fn unknown_parts_of_a_birth_date_are_not_compared() {
        let known = person("Anna", "Eriksson");
        let printed = |birth: &str| {
            let first = format!("{:<<44}", "P<DNKERIKSSON<<ANNA");
            mrz::parse(&format!("{first}\nL898902C36DNK{birth}2F1204159ZE184226B<<<<<10")).unwrap()
        };
        assert!(birth_matches(&known, printed("74<<<<").fields()));
        assert!(birth_matches(&known, printed("7408<<").fields()));
        assert!(!birth_matches(&known, printed("75<<<<").fields()));
        assert!(!birth_matches(&known, printed("<<<<<<").fields()), "no year, no match");
    }
}
