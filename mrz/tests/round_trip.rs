//! Properties over generated fields and text: what is emitted parses to the same fields, what parses
//! is emitted as it was, and no text makes the parser panic.

use mrz::{DANISH, Fields, Format, PrintedDate, Sex, parse, same_name, spellings, transliterate};
use proptest::prelude::*;

fn date() -> impl Strategy<Value = PrintedDate> {
    "[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])|[0-9]{2}(0[1-9])<<|[0-9]{2}<<<<|<{6}"
        .prop_filter_map("no date", |text| PrintedDate::new(&text))
}

fn format() -> impl Strategy<Value = Format> {
    proptest::sample::select(Format::ALL.to_vec())
}

prop_compose! {
    fn fields(format: Format)(
        code in "[A-Z]?",
        issuer in "D|[A-Z]{3}",
        surname in "[A-Z]{1,8}( [A-Z]{1,4})?",
        given_names in "([A-Z]{1,7}( [A-Z]{1,3}){0,2})?",
        document_number in "[A-Z0-9]{1,9}",
        nationality in "D|[A-Z]{3}",
        birth_date in date(),
        sex in proptest::sample::select(vec![Sex::Female, Sex::Male, Sex::Unspecified]),
        expiry_date in date(),
        optional_data in "([A-Z0-9<]{0,5}[A-Z0-9])?",
        optional_data_2 in "([A-Z0-9<]{0,9}[A-Z0-9])?",
    ) -> Fields {
        let class = match format {
            Format::Td1 | Format::Td2 => "I",
            Format::Td3 => "P",
            Format::MrvA | Format::MrvB => "V",
        };
        Fields {
            document_code: format!("{class}{code}"),
            issuer, surname, given_names, names_truncated: false, document_number, nationality,
            birth_date, sex, expiry_date, optional_data,
            optional_data_2: (format == Format::Td1).then_some(optional_data_2),
        }
    }
}

fn any_case() -> impl Strategy<Value = (Format, Fields)> {
    format().prop_flat_map(|format| (Just(format), fields(format)))
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same_fields((format, fields) in any_case()) {
        let lines = fields.lines(format).unwrap();
        let parsed = parse(&lines.join("\n")).unwrap();
        prop_assert!(parsed.valid());
        prop_assert_eq!(parsed.format(), format);
        prop_assert!(parsed.fields() == &fields, "{:?}", lines);
        prop_assert_eq!(parsed.fields().lines(format).unwrap(), lines);
    }

    #[test]
    fn long_names_are_cut_and_say_so(
        surname in "[A-Z]{2,20}( [A-Z]{2,20}){2,4}",
        given_names in "[A-Z]{2,20}( [A-Z]{2,20}){2,4}",
        (format, fields) in any_case(),
    ) {
        let fields = Fields { surname, given_names, ..fields };
        let parsed = parse(&fields.lines(format).unwrap().join("\n")).unwrap();
        let room = match format { Format::Td1 => 30, other => other.width() - 5 };
        let fits = fields.surname.len() + 2 + fields.given_names.len() < room;
        prop_assert_eq!(parsed.fields().names_truncated, !fits);
        prop_assert!(!parsed.fields().given_names.is_empty());
    }

    #[test]
    fn long_numbers_of_cards_parse_to_the_same_fields(
        td1 in any::<bool>(),
        number in "[A-Z0-9]{10,22}",
        more in "([A-Z0-9]{1,2})?",
        (_, fields) in any_case(),
    ) {
        let (format, longest) = if td1 { (Format::Td1, 22) } else { (Format::Td2, 14) };
        let document_number = number.get(..longest.min(number.len())).unwrap().to_owned();
        let second = td1.then(String::new);
        let empty = Fields {
            document_code: "I".to_owned(), document_number, optional_data: String::new(),
            optional_data_2: second, ..fields
        };
        let parsed = parse(&empty.lines(format).unwrap().join("\n")).unwrap();
        prop_assert!(parsed.valid());
        prop_assert_eq!(&parsed.fields().document_number, &empty.document_number);
        // Written again with what the optional data hold, and with data of the issuer behind it.
        let full = parsed.fields().clone();
        prop_assert_eq!(full.lines(format).unwrap(), parsed.lines());
        let with_more = Fields { optional_data: format!("{}<{more}", full.optional_data), ..full };
        if let Ok(lines) = with_more.lines(format) {
            let again = parse(&lines.join("\n")).unwrap();
            prop_assert!(again.valid());
            prop_assert_eq!(&again.fields().document_number, &empty.document_number);
            let data = with_more.optional_data.trim_end_matches('<');
            prop_assert_eq!(&again.fields().optional_data, data);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn a_parsed_mrz_parses_to_itself(
        text in "[A-Z0-9<]{44}\n[A-Z0-9<]{44}|[A-Z0-9<]{36}\n[A-Z0-9<]{36}|([A-Z0-9<]{30}\n){3}",
    ) {
        let parsed = parse(&text).unwrap();
        prop_assert!(parse(&parsed.lines().join("\n")).unwrap() == parsed);
        prop_assert!(parse(&parsed.lines().concat()).unwrap() == parsed, "as DG1 stores it");
        // What can be written at all comes back.
        if let Ok(lines) = parsed.fields().lines(parsed.format()) {
            let again = parse(&lines.join("\n")).unwrap();
            prop_assert!(again.valid());
            prop_assert!(again.fields() == parsed.fields(), "{:?} {:?}", parsed.lines(), lines);
        }
    }

    #[test]
    fn names_are_the_same_in_the_mrzs_alphabet(name in "[\\PC]{0,40}") {
        if let Ok(written) = transliterate(&name) {
            prop_assert!(written.chars().all(|c| c == ' ' || c.is_ascii_uppercase()), "{written}");
            prop_assert_eq!(transliterate(&written), Ok(written.clone()));
            prop_assert!(same_name(&name, &written) && same_name(&written, &name));
        }
    }

    #[test]
    fn letters_with_marks_are_the_same_in_the_mrzs_alphabet(
        name in "[a-zà-öø-ÿāăąćčďđěğłńňőřśşšťůžА-Яа-яء-غف-ي' -]{1,40}",
    ) {
        let written = transliterate(&name).unwrap();
        prop_assert!(same_name(&name, &written), "{name} {written}");
        let longer = format!("{written}Q");
        prop_assert!(!same_name(&name, &longer));
    }

    #[test]
    fn every_spelling_is_of_the_same_name(name in "[AEO]{0,6}[A-Z ]{0,20}[AEO]{0,6}") {
        let found = spellings(&name, DANISH);
        prop_assert_eq!(found.last(), Some(&name));
        for spelling in &found {
            prop_assert!(same_name(spelling, &name), "{spelling} {name}");
        }
    }

    #[test]
    fn no_lines_of_the_right_shape_fail(
        text in "[A-Z0-9<]{44}\n[A-Z0-9<]{44}|[A-Z0-9<]{36}\n[A-Z0-9<]{36}|([A-Z0-9<]{30}\n){3}",
    ) {
        let parsed = parse(&text).unwrap();
        prop_assert!(parsed.access_key().information().len() >= 24);
        prop_assert!(serde_json::to_string(&parsed).is_ok());
    }
}
