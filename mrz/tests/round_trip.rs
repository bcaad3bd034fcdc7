//! Properties over generated fields and text: what is emitted parses to the same fields, what parses
//! is emitted as it was, and no text makes the parser panic.

use mrz::{Fields, Format, PrintedDate, Sex, parse};
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
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = parse(&text);
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
